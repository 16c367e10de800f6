//! bash: the texts that `cmdai init bash` prints.
//!
//! Two of them. The interactive one is sourced by `~/.bashrc`; the one for scripts is named by
//! `BASH_ENV`. Both load the native module where it is there and bash is 4.4 or newer; else they
//! say so and ask the program before each simple command, which costs a process each time.

use crate::places::{Paths, quoted};

/// For an interactive bash: `eval "$(cmdai init bash)"` in `~/.bashrc`. With `eval`, not from a
/// file: while bash reads a file it hides a DEBUG trap that is there already.
pub fn init_script(paths: &Paths) -> String {
    INTERACTIVE
        .replace("@MODULE@", &module(paths))
        .replace("@PROGRAM@", &quoted(&paths.program.to_string_lossy()))
}

/// Sourced by a bash that runs a script: the file that `BASH_ENV` names.
pub fn env_script(paths: &Paths) -> String {
    SCRIPT
        .replace("@MODULE@", &module(paths))
        .replace("@PROGRAM@", &quoted(&paths.program.to_string_lossy()))
}

fn module(paths: &Paths) -> String {
    quoted(
        &paths
            .bash_module
            .as_ref()
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default(),
    )
}

/// The DEBUG trap is set by the module itself, which also keeps one that was there before.
/// `__cmdai precmd` comes first among the prompt commands and gives `$?` on to the others.
const INTERACTIVE: &str = r#"# cmdai: shell integration for bash. Made by `cmdai init bash`.
if [[ $- == *i* && ${__cmdai_shell-} != "$$" ]]; then
  __cmdai_shell=$$
  __cmdai_other_trap=
  __cmdai_module=@MODULE@
  __cmdai_prompt='__cmdai precmd "$?"'
  __cmdai_why=
  if (( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404 )); then
    __cmdai_why="bash $BASH_VERSION is older than 4.4"
  elif [[ ! -r $__cmdai_module ]]; then
    __cmdai_why='its native module is missing'
  elif ! enable -f "$__cmdai_module" __cmdai 2>/dev/null; then
    __cmdai_why='this bash cannot load its native module'
  fi
  if [[ -z $__cmdai_why ]]; then
    # ble.sh reads lines without readline: there the DEBUG trap stands alone.
    if [[ -n ${BLE_VERSION-} ]]; then __cmdai on --no-enter "bash $BASH_VERSION"; else __cmdai on "bash $BASH_VERSION"; fi
    if ! __cmdai whole-lines; then
      echo 'cmdai: Enter cannot be hooked in this shell; each simple command is judged by itself' >&2
    fi
  else
    echo "cmdai: $__cmdai_why; each simple command is judged by a process of its own, which is slow" >&2
    export CMDAI_SESSION=${CMDAI_SESSION:-bash-$$-$SECONDS-$RANDOM$RANDOM}
    __cmdai_stopped=0
    __cmdai_prompt='__cmdai_precmd'
    __cmdai_precmd() { __cmdai_status=$?; __cmdai_stopped=0; return "$__cmdai_status"; }
    __cmdai_debug() {
      [[ $BASH_COMMAND == __cmdai_precmd || ${FUNCNAME[1]-} == __cmdai_precmd || -n ${COMP_LINE-} ]] && return 0
      (( __cmdai_stopped )) && return 1
      @PROGRAM@ hook shell --dialect bash --interactive -- "$BASH_COMMAND" </dev/tty || { __cmdai_stopped=1; return 1; }
    }
  fi
  # First, because a stopped line is let go there. An array stays an array.
  if [[ $(declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* ]]; then
    PROMPT_COMMAND=("$__cmdai_prompt" "${PROMPT_COMMAND[@]}")
  else
    PROMPT_COMMAND=$__cmdai_prompt${PROMPT_COMMAND:+$'\n'$PROMPT_COMMAND}
  fi
  if [[ -n $__cmdai_why ]]; then
    unset __cmdai_prompt __cmdai_why
    # Last, or the lines above would be asked about.
    shopt -s extdebug
    set -o functrace
    trap -- '__cmdai_debug' DEBUG
  else
    unset __cmdai_prompt __cmdai_why
  fi
fi
"#;

/// `exit` in the trap, not `extdebug`: a skipped command would leave `$?` at 0 and let
/// `denied && next` take the branch of success, and `extdebug` here would start a debugger. The last word
/// of the trap becomes `$_`: it is the one that was there before.
const SCRIPT: &str = r#"# cmdai: shell integration for bash scripts. Made by `cmdai init bash --scripts`; BASH_ENV names it.
if [[ $- != *i* && ${__cmdai_shell-} != "$$" ]]; then
  __cmdai_shell=$$
  __cmdai_module=@MODULE@
  if (( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404 )) && [[ -r $__cmdai_module ]] && enable -f "$__cmdai_module" __cmdai 2>/dev/null && __cmdai script "bash $BASH_VERSION" "$0${BASH_EXECUTION_STRING+ -c}"; then
    export CMDAI_SESSION
    set -o functrace
    trap -- '__cmdai debug "$BASH_COMMAND" "$_" || exit $?' DEBUG
  elif [[ -x @PROGRAM@ ]]; then
    export CMDAI_SESSION=${CMDAI_SESSION:-script-$$-$SECONDS-$RANDOM$RANDOM}
    set -o functrace
    __cmdai_program=@PROGRAM@
    trap -- '"$__cmdai_program" hook shell --dialect bash -- "$BASH_COMMAND" </dev/null || exit $?' DEBUG
  fi
fi
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_quoted() {
        let paths = Paths {
            program: "/opt/a b/cmdai".into(),
            bash_module: Some("/opt/a'b/lib.so".into()),
            ..Paths::default()
        };
        let script = init_script(&paths);
        assert!(
            script.contains("__cmdai_module='/opt/a'\\''b/lib.so'\n"),
            "{script}"
        );
        assert!(script.contains("'/opt/a b/cmdai' hook shell"));
        assert!(!env_script(&paths).contains("@PROGRAM@"));
    }
}
