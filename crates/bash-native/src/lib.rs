//! The gate inside bash: a loadable builtin that judges every line in the shell's own process.
//!
//! `enable -f libcmdai_bash.so __cmdai` makes the builtin, `__cmdai on VERSION` hooks the shell:
//!
//! 1. **Enter.** A native function takes Enter's place in readline. It sees the whole command,
//!    continuation lines and history expansion included, before any part of it runs.
//! 2. **DEBUG.** The second net: each simple command, with the session's values at that moment.
//!    A denied one stops the rest of its line.
//! 3. **Prompt.** `__cmdai precmd STATUS` closes the record of the line.
//!
//! The builtin's name differs from the program's, so that `cmdai …` still runs the program.
//! Nothing here unwinds into bash, starts a process or a thread, or waits for anybody, except for
//! the person's own answer, where an approval is asked for the governor, and for a line that holds
//! code of another language a reader that has a second at most.

#![allow(
    unsafe_code,
    reason = "the interface of a running bash is C symbols and raw pointers"
)]

mod shell;
mod symbols;

use std::ffi::{CStr, c_char, c_int};
use std::panic::catch_unwind;
use std::sync::OnceLock;

use cmdai_native::{Host as _, Slot, terminal};
use shell::{AtEnter, Shell};
use symbols::Symbols;

/// Bash's `struct builtin`.
#[repr(C)]
pub struct Builtin {
    name: *const c_char,
    function: extern "C" fn(*const WordList) -> c_int,
    flags: c_int,
    long_doc: *const *const c_char,
    short_doc: *const c_char,
    handle: *mut c_char,
}

/// Bash's `WORD_LIST`.
#[repr(C)]
pub struct WordList {
    next: *const WordList,
    word: *const Word,
}

/// Bash's `WORD_DESC`.
#[repr(C)]
pub struct Word {
    word: *const c_char,
    flags: c_int,
}

// SAFETY: the table holds pointers to constants; bash, which has one thread, is its only user.
unsafe impl Sync for LongDoc {}
/// The help text: terminated texts, then null.
#[repr(transparent)]
pub struct LongDoc([*const c_char; 3]);

static LONG_DOC: LongDoc = LongDoc([
    c"Used by the shell integration of cmdai. Not meant to be called by hand.".as_ptr(),
    c"See `cmdai init bash` and `cmdai status`.".as_ptr(),
    std::ptr::null(),
]);

const BUILTIN_ENABLED: c_int = 1;

/// What `enable -f` looks for: the builtin's name with `_struct`. It has to be writable, because
/// bash keeps flags and the library's handle in it.
#[unsafe(no_mangle)]
pub static mut __cmdai_struct: Builtin = Builtin {
    name: c"__cmdai".as_ptr(),
    function: builtin,
    flags: BUILTIN_ENABLED,
    long_doc: &raw const LONG_DOC.0 as *const *const c_char,
    short_doc: c"__cmdai on [--no-enter] VERSION | script VERSION [NAME] | debug TEXT | precmd STATUS | status | session | whole-lines".as_ptr(),
    handle: std::ptr::null_mut(),
};

const SUCCESS: c_int = 0;
const FAILURE: c_int = 1;
const USAGE: c_int = 2;

static SHELL: Slot<Shell> = Slot::empty();

/// What is called without the shell's lock; looked up once.
static CALLING: OnceLock<Symbols> = OnceLock::new();

/// Who else wants to know that readline waits for keys.
static ALSO_IDLE: OnceLock<symbols::Notice> = OnceLock::new();

/// Takes Enter's place.
extern "C" fn enter(count: c_int, key: c_int) -> c_int {
    accept(|symbols| symbols.newline(count, key))
}

/// Takes the place of the key that accepts the line and fetches the next one.
extern "C" fn operate(count: c_int, key: c_int) -> c_int {
    accept(|symbols| symbols.operate(count, key))
}

fn accept(hand_over: impl Fn(&Symbols) -> c_int) -> c_int {
    let what = SHELL.guarded(AtEnter::Pass, AtEnter::Drop, Shell::enter);
    if what != AtEnter::Pass {
        SHELL.guarded((), (), |shell| shell.symbols().clear_line());
    }
    if what == AtEnter::Interrupt {
        terminal::interrupt();
    }
    // Readline's own code runs without our lock: it may call bash, and bash may call us.
    let symbols = CALLING.get_or_init(Symbols::find_calling);
    if what == AtEnter::Pass {
        hand_over(symbols)
    } else {
        symbols.newline(1, 13)
    }
}

/// Readline shows its prompt and waits for keys.
extern "C" fn idle() -> c_int {
    SHELL.guarded((), (), |shell| shell.hook.idle());
    // SAFETY: what stood in the same place before, called as it would have been.
    ALSO_IDLE.get().map_or(0, |before| unsafe { before() })
}

/// The builtin.
extern "C" fn builtin(words: *const WordList) -> c_int {
    catch_unwind(|| run(&arguments(words))).unwrap_or(FAILURE)
}

fn arguments(words: *const WordList) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = words;
    // SAFETY: bash gives a list that ends in null and whose entries live during the call.
    while let Some(entry) = unsafe { next.as_ref() } {
        // SAFETY: each entry points to a word with a terminated text.
        if let Some(word) = unsafe { entry.word.as_ref() } {
            found.push(symbols::text(word.word));
        }
        next = entry.next;
    }
    found
}

fn run(arguments: &[String]) -> c_int {
    let options: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    let mut arguments = arguments.iter().map(String::as_str);
    match (arguments.next(), arguments.next()) {
        (Some("on"), _) => on(&options),
        (Some("script"), version) => script(version.unwrap_or("bash"), options.get(1).copied()),
        (Some("debug"), Some(text)) => {
            // A crash here lets the command through: the line was judged at Enter, and a trap that
            // always fails would lock the person out of the shell.
            SHELL.guarded(SUCCESS, SUCCESS, |shell| shell.before_simple(text))
        }
        (Some("precmd"), Some(status)) => {
            let status = status.parse().unwrap_or(0);
            SHELL.guarded((), (), |shell| shell.line_ended(status));
            mend_net();
            // Other prompt commands still see the status of the line.
            status
        }
        // `$?` as it was when the DEBUG trap fired, for another trap that comes after ours.
        (Some("status"), _) => SHELL.guarded(SUCCESS, SUCCESS, |shell| shell.hook.seen_status),
        // True where whole lines are judged at Enter.
        (Some("whole-lines"), _) => SHELL.guarded(FAILURE, FAILURE, |shell| {
            if shell.whole_lines { SUCCESS } else { FAILURE }
        }),
        // For tests: judges rows of a file in this process and prints the judgements.
        (Some("judge"), Some(rows)) => SHELL.guarded(FAILURE, FAILURE, |shell| {
            if shell.hook.judge_rows(rows) {
                SUCCESS
            } else {
                FAILURE
            }
        }),
        (Some("session"), _) => SHELL.guarded(FAILURE, FAILURE, |shell| {
            println!("{}", shell.hook.session_id());
            SUCCESS
        }),
        _ => USAGE,
    }
}

/// Sets the second net up again where somebody took it down or put another trap in its place.
fn mend_net() {
    let mend = SHELL.guarded(false, false, |shell| {
        let up = shell.symbols().net_is_up(shell::TRAP_MARK);
        if !up {
            let other = shell
                .symbols()
                .debug_trap()
                .filter(|trap| !trap.contains(shell::TRAP_MARK));
            shell
                .symbols()
                .set_variable(c"__cmdai_other_trap", &other.unwrap_or_default());
        }
        !up
    });
    if mend {
        CALLING.get_or_init(Symbols::find_calling).run(NET);
    }
}

/// Sets the second net up, with a DEBUG trap that was there before called from ours: only at the
/// first level, where it would have been called without `functrace`, and without a say.
const NET: &CStr = c"shopt -s extdebug; set -o functrace; \
if [[ -n $__cmdai_other_trap ]]; then \
trap -- '__cmdai debug \"$BASH_COMMAND\" && { [[ ${#FUNCNAME[@]} -gt 0 || $BASH_SUBSHELL -gt 0 ]] || { __cmdai status; eval \"$__cmdai_other_trap\"; }; :; }' DEBUG; \
else trap -- '__cmdai debug \"$BASH_COMMAND\"' DEBUG; fi";

fn on(options: &[&str]) -> c_int {
    let (enter_wanted, version) = match options {
        ["--no-enter", version, ..] => (false, *version),
        [version, ..] => (true, *version),
        [] => (true, "bash"),
    };
    let started = begin(|| Shell::start(Symbols::find(), version, true));
    if started == SUCCESS {
        SHELL.guarded((), (), |shell| {
            shell.whole_lines = enter_wanted && shell.symbols().bind_enter(enter, operate);
            if shell.whole_lines
                && let Some(before) = shell.symbols().call_when_idle(idle)
            {
                shell.hook.tells_when_idle = true;
                if let Some(before) = before {
                    let _ = ALSO_IDLE.set(before);
                }
            }
            shell.hook.tell_problems();
        });
        mend_net();
    }
    started
}

/// Hooks a shell that runs a script: no prompt, no Enter, every simple command judged.
fn script(version: &str, name: Option<&str>) -> c_int {
    begin(|| {
        let mut shell = Shell::start(Symbols::find(), version, false);
        if let Some(name) = name {
            shell.hook.runs_script(name);
        }
        shell
    })
}

fn begin(start: impl FnOnce() -> Shell + std::panic::UnwindSafe) -> c_int {
    if SHELL.begin(start, leave) {
        SUCCESS
    } else {
        FAILURE
    }
}

extern "C" fn leave() {
    SHELL.guarded((), (), |shell| shell.hook.leave());
}
