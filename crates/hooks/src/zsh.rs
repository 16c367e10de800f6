//! zsh: the texts that `cmdai init zsh` prints.
//!
//! Two of them. The interactive one is read by `~/.zshrc`; the one for scripts by `~/.zshenv` or
//! `/etc/zsh/zshenv`. Both load the native module where it is there and knows this zsh; else they say
//! so and ask the program before each line (in scripts: each command), which costs a process each time.

use crate::places::{Paths, quoted};

/// For an interactive zsh: `eval "$(cmdai init zsh)"` in `~/.zshrc`.
pub fn init_script(paths: &Paths) -> String {
    filled(INTERACTIVE, paths)
}

/// Read by a zsh that runs a script: `source FILE` in `~/.zshenv`.
pub fn env_script(paths: &Paths) -> String {
    filled(SCRIPT, paths)
}

/// Prints why the module cannot be loaded into a zsh; nothing where it can.
pub fn check_script(module: &std::path::Path) -> String {
    let paths = Paths {
        zsh_module: Some(module.to_owned()),
        ..Paths::default()
    };
    filled("@LOAD@\nprint -r -- \"$__cmdai_why\"\n", &paths)
}

fn filled(script: &str, paths: &Paths) -> String {
    let module = paths.zsh_module.as_deref();
    let folder = module.and_then(std::path::Path::parent);
    let name = module.and_then(std::path::Path::file_stem);
    let text = |part: Option<&std::ffi::OsStr>| {
        quoted(&part.map(|part| part.to_string_lossy()).unwrap_or_default())
    };
    script
        .replace("@LOAD@", LOAD)
        .replace("@SCRIPT@", HOOK_SCRIPT)
        .replace("@FOLDER@", &text(folder.map(std::path::Path::as_os_str)))
        .replace("@NAME@", &text(name))
        .replace("@PROGRAM@", &quoted(&paths.program.to_string_lossy()))
}

/// Loads the module, or says in `__cmdai_why` why not. The module says itself which zsh it knows.
const LOAD: &str = r#"() {
    emulate -L zsh
    typeset -g __cmdai_why=
    if [[ -z @FOLDER@ ]]; then
      __cmdai_why='its native module is missing'
      return
    fi
    local -a module_path=(@FOLDER@)
    zmodload @NAME@ 2>/dev/null && return
    [[ -n $__cmdai_why ]] || __cmdai_why='this zsh cannot load its native module'
  }"#;

/// The widgets that accept a line are taken over when the first prompt is drawn, after everything that
/// start-up files bind, and hand on to whatever was there. The trap stands only while a line runs:
/// completions and prompts are not slowed down, and a DEBUG trap of one's own is called from it.
const INTERACTIVE: &str = r#"# cmdai: shell integration for zsh. Made by `cmdai init zsh`.
if [[ -o interactive && ${__cmdai_shell-} != $$ ]]; then
  typeset -g __cmdai_shell=$$
  @LOAD@
  if [[ -n ${ZSH_EXECUTION_STRING-} ]]; then
    # `zsh -i -c`: nobody types here.
    @SCRIPT@
  elif [[ -z $__cmdai_why ]]; then
    unset __cmdai_why
    __cmdai on "zsh $ZSH_VERSION"
    __cmdai_accept() {
      if [[ ( $CONTEXT == start || $CONTEXT == cont ) && ${ZLE_RECURSIVE:-0} == 0 ]]; then
        builtin __cmdai enter "$PREBUFFER$BUFFER" || __cmdai_asked $? || return 0
      fi
      zle "__cmdai-$1"
    }
    # The one of each day without a second function.
    __cmdai_accept_line() {
      if [[ ( $CONTEXT == start || $CONTEXT == cont ) && ${ZLE_RECURSIVE:-0} == 0 ]]; then
        builtin __cmdai enter "$PREBUFFER$BUFFER" || __cmdai_asked $? || return 0
      fi
      zle __cmdai-accept-line
    }
    # False where the line stays in the editor.
    __cmdai_asked() {
      (( $1 == 3 )) || return 0
      zle -I
      builtin __cmdai ask
    }
    __cmdai_accept_hold() { __cmdai_accept accept-and-hold; }
    __cmdai_accept_next() { __cmdai_accept accept-line-and-down-history; }
    __cmdai_accept_infer() { __cmdai_accept accept-and-infer-next-history; }
    __cmdai_bind() {
      typeset -g __cmdai_bound=b
      [[ -o zle ]] || return 0
      local widget name
      for widget name in 'accept-line' 'line' 'accept-and-hold' 'hold' \
        'accept-line-and-down-history' 'next' 'accept-and-infer-next-history' 'infer'; do
        zle -A $widget "__cmdai-$widget" && zle -N $widget "__cmdai_accept_$name"
      done
    }
    __cmdai_preexec() {
      # True where the trap could see nothing but what was judged with the line.
      builtin __cmdai begin "$1" "$3" && return 0
      setopt local_options no_local_traps
      typeset -g __cmdai_armed=1
      if builtin __cmdai other-trap; then
        __cmdai_other_debug() { eval "$__cmdai_other_trap"; }
      elif (( ${+functions[TRAPDEBUG]} )); then
        functions -c TRAPDEBUG __cmdai_other_debug
      else
        TRAPDEBUG() {
          builtin __cmdai debug "$ZSH_DEBUG_CMD" || (( $? != 126 && $? != 75 )) || { setopt err_exit; return 126; }
        }
        return 0
      fi
      TRAPDEBUG() {
        builtin __cmdai debug "$ZSH_DEBUG_CMD" || (( $? != 126 && $? != 75 )) || { setopt err_exit; return 126; }
        __cmdai_other_debug "$@"
      }
    }
    __cmdai_precmd() {
      # True where nothing is to be taken down or put in place.
      builtin __cmdai precmd $? "${__cmdai_armed-}${__cmdai_bound-}" || __cmdai_tidy
    }
    __cmdai_tidy() {
      setopt local_options no_local_traps
      if [[ -n ${__cmdai_armed-} ]]; then
        __cmdai_armed=
        # A trap that the line itself has set stays.
        if [[ ${functions[TRAPDEBUG]-} == *'builtin __cmdai debug '* ]]; then
          unfunction TRAPDEBUG
          if [[ -n ${__cmdai_other_trap-} ]]; then
            trap -- "$__cmdai_other_trap" DEBUG
          elif (( ${+functions[__cmdai_other_debug]} )); then
            functions[TRAPDEBUG]=$functions[__cmdai_other_debug]
          fi
        fi
        unset __cmdai_other_trap
        (( ! ${+functions[__cmdai_other_debug]} )) || unfunction __cmdai_other_debug
      fi
      [[ -n ${__cmdai_bound-} ]] || __cmdai_bind
      [[ " ${preexec_functions[*]-} " == *' __cmdai_preexec '* ]] || preexec_functions=(__cmdai_preexec "${preexec_functions[@]}")
    }
    # Called by the module where a prompt comes and the function above was not called.
    __cmdai_mend() {
      builtin __cmdai precmd $?
      [[ " ${precmd_functions[*]-} " == *' __cmdai_precmd '* ]] || precmd_functions=(__cmdai_precmd "${precmd_functions[@]}")
      __cmdai_precmd
    }
    typeset -ga preexec_functions precmd_functions
    preexec_functions=(__cmdai_preexec "${preexec_functions[@]}")
    precmd_functions=(__cmdai_precmd "${precmd_functions[@]}")
  else
    print -ru2 -- "cmdai: $__cmdai_why; each line is judged by a process of its own, which is slow"
    export CMDAI_SESSION=${CMDAI_SESSION:-zsh-$$-$SECONDS-$RANDOM$RANDOM}
    __cmdai_preexec() {
      @PROGRAM@ hook shell --dialect zsh --interactive -- "${1:-$3}" </dev/tty || kill -INT $$
    }
    typeset -ga preexec_functions
    preexec_functions=(__cmdai_preexec "${preexec_functions[@]}")
    unset __cmdai_why
  fi
fi
"#;

/// A skipped command would leave `$?` as it was and let `if denied` take the branch of success, so the
/// trap also returns 126, which ends what runs, the script at last; its EXIT traps run.
const SCRIPT: &str = r#"# cmdai: shell integration for zsh scripts. Made by `cmdai init zsh --scripts`; read by zshenv.
if [[ ! -o interactive && ${__cmdai_shell-} != $$ ]]; then
  typeset -g __cmdai_shell=$$
  @LOAD@
  @SCRIPT@
fi
"#;

/// Hooks a shell that runs a script. Nothing may come behind the trap: it would be judged.
const HOOK_SCRIPT: &str = r#"if [[ -z $__cmdai_why ]] && __cmdai script "zsh $ZSH_VERSION" "${ZSH_ARGZERO-zsh}${ZSH_EXECUTION_STRING+ -c}"; then
    export CMDAI_SESSION
    unset __cmdai_why
    setopt debug_before_cmd
    TRAPDEBUG() {
      builtin __cmdai debug "$ZSH_DEBUG_CMD" || (( $? != 126 && $? != 75 )) || { setopt err_exit; builtin __cmdai leave || return 126; }
    }
  elif [[ -x @PROGRAM@ ]]; then
    export CMDAI_SESSION=${CMDAI_SESSION:-script-$$-$SECONDS-$RANDOM$RANDOM}
    unset __cmdai_why
    setopt debug_before_cmd
    TRAPDEBUG() {
      [[ -n ${__cmdai_stopped-} ]] || @PROGRAM@ hook shell --dialect zsh -- "$ZSH_DEBUG_CMD" </dev/null && return 0
      __cmdai_stopped=1
      setopt err_exit
      return 126
    }
  fi"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_quoted() {
        let paths = Paths {
            program: "/opt/a b/cmdai".into(),
            zsh_module: Some("/opt/a'b/libcmdai_zsh.so".into()),
            ..Paths::default()
        };
        for script in [init_script(&paths), env_script(&paths)] {
            assert!(
                script.contains("module_path=('/opt/a'\\''b')")
                    && script.contains("zmodload libcmdai_zsh "),
                "{script}"
            );
            assert!(script.contains("'/opt/a b/cmdai' hook shell"));
            for place in ["@LOAD@", "@SCRIPT@", "@FOLDER@", "@NAME@", "@PROGRAM@"] {
                assert!(!script.contains(place), "{script}");
            }
        }
    }
}
