//! `set -x` shows what a script does; what its DEBUG trap does for us is none of that.

#![allow(unsafe_code, reason = "zsh calls its hooks through C pointers")]

use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use cmdai_native::library;

use crate::symbols::Symbols;

/// Looked up once: this is asked for each command of a script.
static SYMBOLS: OnceLock<Symbols> = OnceLock::new();

type Hook = extern "C" fn(*mut c_void, *mut c_void) -> c_int;
type AddHook = unsafe extern "C" fn(*const c_char, Hook) -> c_int;

/// Traps that run inside one another; the first is the one for DEBUG.
static DEPTH: AtomicU32 = AtomicU32::new(0);
/// Tracing was on when the DEBUG trap began.
static TRACED: AtomicBool = AtomicBool::new(false);

/// Has zsh tell when a trap begins and ends.
pub(crate) fn keep_quiet() {
    // SAFETY: zsh's function has this signature in the versions that `setup_` lets pass.
    let Some(add) = (unsafe { library::function::<AddHook>(c"addhookfunc") }) else {
        return;
    };
    // SAFETY: names of zsh's own hooks, and functions that stay loaded.
    unsafe {
        add(c"before_trap".as_ptr(), before);
        add(c"after_trap".as_ptr(), after);
    }
}

extern "C" fn before(_hook: *mut c_void, _data: *mut c_void) -> c_int {
    let symbols = SYMBOLS.get_or_init(Symbols::find_traced);
    let depth = DEPTH.load(Ordering::Relaxed);
    if depth == 0 && !symbols.is_debugging() {
        return 0;
    }
    DEPTH.store(depth.saturating_add(1), Ordering::Relaxed);
    if depth == 0 {
        TRACED.store(symbols.trace(false), Ordering::Relaxed);
    }
    0
}

extern "C" fn after(_hook: *mut c_void, _data: *mut c_void) -> c_int {
    let depth = DEPTH.load(Ordering::Relaxed);
    if depth > 0 {
        DEPTH.store(depth - 1, Ordering::Relaxed);
    }
    if depth == 1 && TRACED.swap(false, Ordering::Relaxed) {
        SYMBOLS.get_or_init(Symbols::find_traced).trace(true);
    }
    0
}
