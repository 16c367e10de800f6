//! zsh with what people have in it: plugins, widgets, hooks and traps of their own.

use crate::support::{POLICY, ran, starts, zsh, zsh_home};
use crate::zsh::blocked;

const SUGGESTIONS: &str = "/usr/share/zsh-autosuggestions/zsh-autosuggestions.zsh";
const HIGHLIGHTING: &str = "/usr/share/zsh-syntax-highlighting/zsh-syntax-highlighting.zsh";

/// Shows that lines run, are blocked and leave the editor whole, several times over: plugins bind their
/// widgets again before each prompt.
fn works(before: &str, after: &str) {
    let home = zsh_home(before, after);
    home.policy(POLICY).unwrap();
    let mut shell = zsh(&home);
    for turn in 0..3 {
        let shown = shell.run(&format!("echo tur''n-{turn}")).unwrap();
        assert!(shown.contains(&format!("turn-{turn}\n")), "{shown}");
        blocked(&mut shell, "touch ~/first; frobnicate");
        assert!(!home.path().join("first").exists());
        assert!(!ran(&home, "frobnicate"));
    }
    let records = home.records().unwrap();
    assert_eq!(starts(&records).len(), 6, "each line once: {records:?}");
}

#[test]
fn the_plugins_of_debian_before_and_after_us() {
    for plugin in [SUGGESTIONS, HIGHLIGHTING] {
        assert!(
            std::path::Path::new(plugin).exists(),
            "{plugin} is missing: apt-get install zsh-autosuggestions zsh-syntax-highlighting"
        );
    }
    let both = format!("source {SUGGESTIONS}; source {HIGHLIGHTING}");
    works(&both, "");
    works("", &both);
    works(
        &format!("source {HIGHLIGHTING}"),
        &format!("source {SUGGESTIONS}"),
    );
}

#[test]
fn a_widget_of_ones_own_is_called_once_for_each_line_that_runs() {
    let own = "counted=0\nmy-accept() { (( ++counted )); zle .accept-line }\nzle -N accept-line my-accept";
    for (before, after) in [(own, ""), ("", own)] {
        let home = zsh_home(before, after);
        home.policy(POLICY).unwrap();
        let mut shell = zsh(&home);
        shell.run("true").unwrap();
        blocked(&mut shell, "frobnicate");
        let shown = shell.run("echo \"<$counted>\"").unwrap();
        assert!(shown.contains("\n<2>\n"), "{shown}");
    }
}

#[test]
fn a_frame_like_the_big_ones() {
    // What frameworks do: options, completion, prompt functions, titles, hooks in both forms.
    works(
        r#"setopt auto_cd extended_history share_history hist_ignore_space hist_reduce_blanks prompt_subst interactive_comments extended_glob local_traps
HISTFILE=~/.zsh_history HISTSIZE=1000 SAVEHIST=1000
autoload -Uz compinit add-zsh-hook colors vcs_info && compinit -u && colors
zstyle ':vcs_info:*' enable git
title() { print -Pn "\e]2;$1:q\a" }
title_precmd() { title "%~" }
title_preexec() { title "$1" }
add-zsh-hook precmd title_precmd
add-zsh-hook preexec title_preexec
precmd() { vcs_info; seen=$? }
preexec() { last=$1 }
chpwd() { : moved }
bindkey -e"#,
        "add-zsh-hook precmd vcs_info",
    );
}

#[test]
fn hooks_see_the_status_and_what_was_typed() {
    let home = zsh_home(
        "precmd() { seen=$? }\nlater() { later=$? }\nprecmd_functions+=(later)\npreexec() { typed=$1 }",
        "",
    );
    home.policy(POLICY).unwrap();
    let mut shell = zsh(&home);
    shell.run("(exit 5)").unwrap();
    let shown = shell.run("echo \"<$seen $later $typed>\"").unwrap();
    assert!(
        shown.contains("\n<5 5 echo \"<$seen $later $typed>\">\n"),
        "{shown}"
    );
}

#[test]
fn prompts_after_a_stopped_line_are_whole() {
    let home = zsh_home(
        "precmd() { one=yes }\nfirst() { two=yes }\nlast() { three=yes }",
        "precmd_functions=(first $precmd_functions last)",
    );
    home.policy(POLICY).unwrap();
    let mut shell = zsh(&home);
    std::fs::write(home.work().join("part.zsh"), "frobnicate\n").unwrap();
    let shown = shell.run("one= two= three=; source ./part.zsh").unwrap();
    assert!(shown.contains("blocked"), "{shown}");
    let shown = shell.run("echo \"<$one$two$three>\"").unwrap();
    assert!(shown.contains("\n<yesyesyes>\n"), "{shown}");
}

#[test]
fn debug_traps_of_ones_own_go_on_and_are_given_back() {
    for set_up in [
        "TRAPDEBUG() { debugged=$ZSH_DEBUG_CMD }",
        "trap 'debugged=$ZSH_DEBUG_CMD' DEBUG",
        "setopt local_traps\nTRAPDEBUG() { debugged=$ZSH_DEBUG_CMD }",
    ] {
        for (before, after) in [(set_up, ""), ("", set_up)] {
            let home = zsh_home(before, after);
            home.policy(POLICY).unwrap();
            let mut shell = zsh(&home);
            for _ in 0..2 {
                let shown = shell.run("echo \"saw $debugged\"").unwrap();
                assert!(
                    shown.contains("\nsaw echo \"saw $debugged\"\n"),
                    "{set_up}: {shown}"
                );
            }
            std::fs::write(home.work().join("part.zsh"), "frobnicate\n").unwrap();
            assert!(shell.run("source ./part.zsh").unwrap().contains("blocked"));
            assert!(!ran(&home, "frobnicate"));
        }
    }
}

#[test]
fn a_debug_trap_that_a_line_sets_stays() {
    let home = zsh_home("", "");
    home.policy(POLICY).unwrap();
    for set_up in [
        "TRAPDEBUG() { debugged=$ZSH_DEBUG_CMD }",
        "trap 'debugged=$ZSH_DEBUG_CMD' DEBUG",
    ] {
        let mut shell = zsh(&home);
        shell.run(set_up).unwrap();
        for _ in 0..2 {
            let shown = shell.run("echo \"saw $debugged\"").unwrap();
            assert!(
                shown.contains("\nsaw echo \"saw $debugged\"\n"),
                "{set_up}: {shown}"
            );
        }
        std::fs::write(home.work().join("part.zsh"), "frobnicate\n").unwrap();
        assert!(shell.run("source ./part.zsh").unwrap().contains("blocked"));
        assert!(!ran(&home, "frobnicate"));
    }
}

#[test]
fn options_of_ones_own_change_nothing() {
    for options in [
        "setopt ksh_arrays no_unset sh_word_split no_nomatch",
        "setopt err_return hist_reduce_blanks hist_ignore_space local_options local_traps",
        "setopt no_multi_func_def posix_aliases ksh_glob sh_glob",
        "unsetopt debug_before_cmd",
    ] {
        works("", options);
        works(options, "");
    }
}

#[test]
fn lost_hooks_lock_nobody_out_and_come_back() {
    let home = zsh_home("", "precmd_functions=() preexec_functions=()");
    home.policy(POLICY).unwrap();
    let mut shell = zsh(&home);
    assert!(shell.run("echo al''ive").unwrap().contains("\nalive\n"));
    shell
        .run("precmd_functions=(true) preexec_functions=(true)")
        .unwrap();
    let shown = shell
        .run("echo $precmd_functions, $preexec_functions")
        .unwrap();
    assert!(
        shown.contains("\n__cmdai_precmd true, __cmdai_preexec true\n"),
        "{shown}"
    );
    blocked(&mut shell, "frobnicate");
    let texts = [
        "precmd_functions=(true) preexec_functions=(true)",
        "echo $precmd_functions, $preexec_functions",
        "frobnicate",
    ];
    let records = home.records().unwrap();
    let seen: Vec<&str> = starts(&records).iter().map(|(text, _)| *text).collect();
    assert!(seen.ends_with(&texts), "{seen:?}");
}
