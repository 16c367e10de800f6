//! The gate inside zsh: a loadable module that judges every line in the shell's own process.
//!
//! `zmodload libcmdai_zsh` adds the builtin `__cmdai`; the script that `cmdai init zsh` prints calls it:
//!
//! 1. **Enter.** `enter TEXT` judges the whole command, lines already taken included, before any part
//!    of it runs; where that interrupts, `ask` settles it, and a blocked line stays in the editor.
//! 2. **Before the line runs.** `begin TYPED PARSED` sees what zsh made of it: history expansion,
//!    lines that came by another way than the hooked keys. Here a line is stopped as by Ctrl-C.
//! 3. **DEBUG.** The second net: `debug TEXT` sees each command, whole and then its parts, with the
//!    session's values at that moment. A denied one stops the rest of its line or script.
//! 4. **Prompt.** `precmd STATUS` closes the record of the line.
//!
//! Layouts and symbols are those of the versions in [`symbols::KNOWN`]; in another zsh the module
//! refuses to be loaded and says so in `__cmdai_why`.
//!
//! Nothing here unwinds into zsh, starts a process or a thread, or waits for anybody, except for the
//! person's own answer, where an approval is asked for the governor, and for a line that holds code of
//! another language a reader that has a second at most.

#![allow(
    unsafe_code,
    reason = "the interface of a running zsh is C symbols and raw pointers"
)]

mod module;
mod shell;
mod symbols;
mod text;
mod trace;

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use cmdai_native::Slot;

use shell::{Begun, Shell};
use symbols::Symbols;

const SUCCESS: c_int = 0;
const FAILURE: c_int = 1;
const USAGE: c_int = 2;

static SHELL: Slot<Shell> = Slot::empty();
/// The hooked process, which does not let its module go; zero before.
static HOOKED: AtomicU32 = AtomicU32::new(0);

/// Our function was called for the prompt that comes.
static PROMPT_SEEN: AtomicBool = AtomicBool::new(false);

fn run(arguments: &[String]) -> c_int {
    let mut words = arguments.iter().map(String::as_str);
    match (words.next(), words.next(), words.next()) {
        (Some("on"), version, _) => hook(version, None, true),
        (Some("script"), version, name) => hook(version, name, false),
        // A crash lets the line through here: it is judged again when it begins.
        (Some("enter"), Some(text), _) => {
            SHELL.guarded(SUCCESS, SUCCESS, |shell| shell.enter(text))
        }
        (Some("ask"), ..) => SHELL.guarded(SUCCESS, symbols::BLOCKED, Shell::ask),
        (Some("begin"), Some(typed), parsed) => {
            let parsed = parsed.unwrap_or("");
            let begun = SHELL.guarded(Begun::Runs, Begun::Interrupted, |shell| {
                shell.begin(typed, parsed)
            });
            match begun {
                Begun::RunsAlone => SUCCESS,
                Begun::Runs | Begun::Stopped => FAILURE,
                Begun::Interrupted => {
                    Symbols::find().interrupt();
                    FAILURE
                }
            }
        }
        (Some("debug"), Some(text), _) => {
            // A crash here lets the command through: the line was judged before, and a trap that
            // always fails would lock the person out of the shell.
            SHELL.guarded(SUCCESS, SUCCESS, |shell| shell.before_command(text))
        }
        (Some("precmd"), Some(status), marks) => {
            let status = status.parse().unwrap_or(0);
            PROMPT_SEEN.store(true, Ordering::Relaxed);
            SHELL.guarded(FAILURE, FAILURE, |shell| {
                shell.line_ended(status);
                // The keys are bound, no trap stands, and the function before lines is in its place.
                let in_order = marks == Some("b") && shell.is_before_lines();
                if in_order { SUCCESS } else { FAILURE }
            })
        }
        // Behind a denied command of a script. Runs without our lock: what a script wants done when it
        // ends is judged too.
        (Some("leave"), ..) => {
            if std::process::id() == HOOKED.load(Ordering::Relaxed) {
                Symbols::find().leave_script();
            }
            FAILURE
        }
        // The DEBUG trap that somebody else set with `trap`, into `__cmdai_other_trap`.
        (Some("other-trap"), ..) => {
            SHELL.guarded(FAILURE, FAILURE, |shell| shell.keep_other_trap())
        }
        // For tests: judges rows of a file in this process and prints the judgements.
        (Some("judge"), Some(rows), _) => SHELL.guarded(FAILURE, FAILURE, |shell| {
            if shell.hook.judge_rows(rows) {
                SUCCESS
            } else {
                FAILURE
            }
        }),
        (Some("session"), ..) => SHELL.guarded(FAILURE, FAILURE, |shell| {
            println!("{}", shell.hook.session_id());
            SUCCESS
        }),
        _ => USAGE,
    }
}

fn hook(version: Option<&str>, script: Option<&str>, interactive: bool) -> c_int {
    let version = version.unwrap_or("zsh");
    let start = || {
        let mut shell = Shell::start(Symbols::find(), version, interactive);
        if let Some(name) = script {
            shell.hook.runs_script(name);
        }
        shell
    };
    if !SHELL.begin(start, leave) {
        return FAILURE;
    }
    trace::keep_quiet();
    HOOKED.store(std::process::id(), Ordering::Relaxed);
    if interactive {
        SHELL.guarded((), (), |shell| shell.hook.tell_problems());
        Symbols::find().before_prompts(before_prompt);
    }
    SUCCESS
}

/// zsh is about to show a prompt and has called its functions for that. Runs without our lock: what is
/// mended calls us.
extern "C" fn before_prompt() {
    let ours = std::process::id() == HOOKED.load(Ordering::Relaxed);
    if ours && !PROMPT_SEEN.swap(false, Ordering::Relaxed) {
        Symbols::find().run(c"__cmdai_mend");
        PROMPT_SEEN.store(false, Ordering::Relaxed);
    }
}

extern "C" fn leave() {
    SHELL.guarded((), (), |shell| shell.hook.leave());
}
