//! fish: the text that `cmdai init fish` prints.
//!
//! fish loads no modules, so a process stands beside the shell ([`crate::serve`]), started once. Enter
//! is bound to a function that asks it about the whole buffer and only then lets fish execute it;
//! `fish_postexec` tells how the line ended. What comes to run without having been asked about (another
//! key of the person's) is recorded by `fish_preexec`, which cannot stop anything, and Enter is
//! bound again. Nothing is written outside the shell's memory: without the line in its settings the next
//! shell has nothing of it.

use crate::places::Paths;

/// For an interactive fish: `cmdai init fish | source` in `~/.config/fish/config.fish`.
pub fn init_script(paths: &Paths) -> String {
    SCRIPT.replace("@PROGRAM@", &quoted(&paths.program.to_string_lossy()))
}

/// A text as one word of fish.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

const SCRIPT: &str = r#"# cmdai: shell integration for fish. Made by `cmdai init fish`.
if status is-interactive; and not set -q __cmdai_program
    set -g __cmdai_program @PROGRAM@
    set -g __cmdai_failed 0
    # Names for requests, taken in turn: an old reply is not taken for a new one.
    set -g __cmdai_turns a b c d e f g h i j k l m n o p

    # Starts the process that judges. Without one, lines run and are not recorded, and that is said; where
    # the last word of policy was to fail closed, they do not run.
    function __cmdai_start
        set -e __cmdai_ask
        set -l why "$__cmdai_program is missing"
        if test -x $__cmdai_program
            $__cmdai_program serve-shell --dialect fish --shell $fish_pid --shell-version "fish $version" --failed $__cmdai_failed 2>/dev/null | read -l pid in out
            if test -n "$out" -a -e "/proc/$pid/fd/$in"
                set -g __cmdai_ask /proc/$pid/fd/$in
                set -g __cmdai_told /proc/$pid/fd/$out
                return 0
            end
            set why "$__cmdai_program cannot stand beside this shell"
        end
        set -g __cmdai_gone
        set -l rest 'lines of this shell are neither judged nor recorded'
        set -q __cmdai_closed; and set rest 'the policy says fail closed, so nothing runs until it can; exit leaves the shell'
        echo "cmdai: $why; $rest" >&2
        return 1
    end

    # The process is there; else a new one is started, and that it died is said.
    function __cmdai_there
        set -q __cmdai_gone; and return 1
        test -e "$__cmdai_ask"; and return 0
        set -g __cmdai_failed (math $__cmdai_failed + 1)
        printf '\n%s\n' 'cmdai: the process that judges lines ended; starting it again' >&2
        __cmdai_start
    end

    # What the process wants to know: variables and functions of this shell.
    function __cmdai_know --no-scope-shadowing
        set -l __cmdai_words
        while set -q argv[2]
            set -l __cmdai_name (string unescape --style=url -- $argv[2])
            switch $argv[1]
                case v
                    if contains -- $__cmdai_name (set --names -g)
                        set -l __cmdai_value (string escape --style=url -- $$__cmdai_name)
                        set -l __cmdai_count (count $$__cmdai_name)
                        if test $__cmdai_count -eq 1
                            set -a __cmdai_words v $argv[2] "$__cmdai_value"
                        else if test $__cmdai_count -eq 0
                            set -a __cmdai_words u $argv[2] ''
                        else
                            set -a __cmdai_words l $argv[2] (string escape --style=url -- "$__cmdai_value")
                        end
                    else
                        set -a __cmdai_words u $argv[2] ''
                    end
                case f
                    if functions -q -- $__cmdai_name; and __cmdai_own $__cmdai_name
                        set -a __cmdai_words f $argv[2] (string escape --style=url -- (functions -- $__cmdai_name | string collect))
                    else
                        set -a __cmdai_words n $argv[2] ''
                    end
                case '*'
                    set -a __cmdai_words m $argv[2] ''
            end
            set -e argv[1..2]
        end
        echo known $__cmdai_turns[1] "$__cmdai_words" >>$__cmdai_ask
    end

    # A function of the person's, not one that fish comes with.
    function __cmdai_own
        set -l from (functions --details -- $argv[1])
        not string match -q -- "$__fish_data_dir/*" "$from"
    end

    # An abbreviation at the cursor is what will run. 1: it cannot be told before fish expands it.
    function __cmdai_expand
        set -l token (commandline -ct)
        test -n "$token"; or return 0
        set -l line
        if abbr -q -- $token
            set line (abbr --show | string match -r -- "^abbr .*-- "(string escape --style=regex -- $token)" .*")
        else if set -q __cmdai_patterns
            for pattern in $__cmdai_patterns
                string match -qr -- $pattern $token; and return 1
            end
        end
        test -n "$line"; or return 0
        string match -qr -- ' --(function|set-cursor|regex)' "$line"; and return 1
        if not string match -q -- '*--position anywhere*' "$line"
            # Only where a command is expected; behind words such as `and` fish itself has to tell.
            set -l before (commandline -cpo)
            test -z "$before[1]"; or return 0
        end
        echo $line | read -lat parts
        commandline -t -- $parts[-1]
        return 0
    end

    function __cmdai_accept
        # What stood on Enter before goes on to stand there.
        if set -q __cmdai_before[1]
            for command in $__cmdai_before
                if contains -- $command (bind --function-names)
                    commandline -f $command
                else
                    eval $command
                end
            end
        else
            commandline -f execute
        end
    end

    function __cmdai_enter
        # A line that runs has asked for an answer (`read`), which is nobody's business.
        if set -q __cmdai_runs
            __cmdai_accept
            return
        end
        commandline --is-valid
        if test $status -eq 2
            # More of it will come.
            commandline -f execute
            return
        end
        if set -q __cmdai_abbreviations; and not __cmdai_expand
            commandline -f expand-abbr
            return
        end
        set -l text "$(commandline -b)"
        if not string match -qr -- '\S' "$text"
            commandline -f execute
            return
        end
        # Judged and not run: Enter only took what was picked in a list of fish's.
        if test "$text" = "$__cmdai_judged"
            __cmdai_accept
            return
        end
        # What cannot be judged must not run: then it is tried again with each line.
        set -q __cmdai_closed; and set -e __cmdai_gone
        # Twice: the process may die while it is asked.
        for try in 1 2
            __cmdai_there
            or begin
                if set -q __cmdai_closed; and not string match -qr -- '^\s*(exit|logout)(\s+\d{1,3})?\s*$' "$text"
                    commandline -f repaint
                    return
                end
                __cmdai_accept
                return
            end
            set -g __cmdai_turns $__cmdai_turns[2..-1] $__cmdai_turns[1]
            # Words that may be functions of the person's.
            set -l own
            set -l words
            string match -qar -- '(?<words>[^\s;|&()<>"\'$\\\\{}*?=#]+)' $text
            functions -q -- $words
            set -l others $status
            # There are more words than those that are no functions. To count them would cost a substitution.
            set -l rest $words[2..-1]
            if test $others -eq 0; or set -q rest[$others]
                for word in $words
                    if functions -q -- $word; and __cmdai_own $word
                        set -a own $word
                    end
                end
            end
            # Each word in a line of its own: to join them costs more than to judge them.
            string escape --style=url -- '' judge $__cmdai_turns[1] $PWD $text $own '' >>$__cmdai_ask
            while read -l id verdict first rest <$__cmdai_told
                test "$id" = $__cmdai_turns[1]; or continue
                switch $verdict
                    case run
                        if test -n "$rest"
                            echo
                            string unescape --style=url -- $rest
                        end
                        set -e __cmdai_closed
                        test "$first" = 1; and set -g __cmdai_closed
                        set -g __cmdai_judged $text
                        __cmdai_accept
                        return
                    case stop
                        echo
                        string unescape --style=url -- $rest
                        commandline -f repaint
                        return
                    case ask
                        echo
                        string unescape --style=url -- $rest
                        read -l -n 1 -P 'run it? [y/N] ' answer
                        if string match -qi -- y "$answer"
                            echo answer $id y >>$__cmdai_ask
                        else
                            echo answer $id n >>$__cmdai_ask
                        end
                    case need
                        __cmdai_know $first (string split -- ' ' $rest)
                end
            end
        end
        echo
        echo 'cmdai: this line could not be judged and was not run; press Enter to try again' >&2
        commandline -f repaint
    end

    function __cmdai_bind
        for mode in default insert replace replace_one visual
            for key in \r \n
                set -l now (bind --user -M $mode $key 2>/dev/null)
                if test -n "$now"; and not string match -q -- '*__cmdai_enter*' $now
                    echo $now | read -lat parts
                    # bind [-M MODE] [-m MODE] KEY COMMAND…
                    set -e parts[1]
                    while string match -q -- '-*' $parts[1]
                        string match -q -- '-[Mm]' $parts[1]; and set -e parts[1]
                        set -e parts[1]
                    end
                    set -g __cmdai_before $parts[2..-1]
                end
                if test $mode = default; or test $mode = insert; or bind --preset -M $mode $key >/dev/null 2>&1
                    bind --user -M $mode $key __cmdai_enter
                end
            end
        end
    end

    # Which abbreviations there are: looked at when they may have changed.
    function __cmdai_abbreviations
        set -e __cmdai_abbreviations
        set -e __cmdai_patterns
        set -l all (abbr --show)
        set -q all[1]; or return
        set -g __cmdai_abbreviations
        for line in (string match -- '*--regex*' $all)
            echo $line | read -lat parts
            set -l at (contains -i -- --regex $parts)
            and set -ga __cmdai_patterns '^(?:'$parts[(math $at + 1)]')$'
        end
    end

    # Late, so that what the rest of the person's settings binds is seen.
    function __cmdai_first --on-event fish_prompt
        functions -e __cmdai_first
        __cmdai_bind
        __cmdai_abbreviations
    end

    function __cmdai_preexec --on-event fish_preexec
        set -g __cmdai_runs
        if test "$argv[1]" = "$__cmdai_judged"
            set -e __cmdai_judged
            return
        end
        set -e __cmdai_judged
        if __cmdai_there
            echo ran x (string escape --style=url -- $PWD $argv[1]) >>$__cmdai_ask
            echo 'cmdai: this line was not judged before it ran; it is recorded' >&2
        end
        __cmdai_bind
    end

    function __cmdai_postexec --on-event fish_postexec
        set -l code $status
        set -e __cmdai_runs
        if not set -q __cmdai_gone; and test -e "$__cmdai_ask"
            echo end x $code >>$__cmdai_ask
        end
        string match -q -- '*abbr*' "$argv[1]"; and __cmdai_abbreviations
    end

    function __cmdai_leave --on-event fish_exit
        set -l code $status
        if not set -q __cmdai_gone; and test -e "$__cmdai_ask"
            echo leave x $code >>$__cmdai_ask
        end
    end

    __cmdai_start
end
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_one_word() {
        let paths = Paths::of_program(std::path::Path::new(r"/opt/a b/it's\cmdai"));
        let script = init_script(&paths);
        assert!(
            script.contains(r"set -g __cmdai_program '/opt/a b/it\'s\\cmdai'"),
            "{script}"
        );
        assert!(!script.contains("@PROGRAM@"));
    }
}
