//! What zsh calls in a module: its six functions, and its one builtin.
//!
//! The layouts are those of `zsh.h` in the versions that [`crate::symbols::KNOWN`] lists; `setup_`
//! refuses any other before one of them is used.

#![allow(
    unsafe_code,
    reason = "zsh calls a module through C symbols and tables"
)]

use std::ffi::{c_char, c_int, c_void};
use std::panic::catch_unwind;
use std::sync::atomic::Ordering;

use cmdai_native::{Host as _, library};

use crate::symbols::Symbols;
use crate::text::text;

/// First fields of zsh's `struct hashnode`, which every table entry begins with.
#[repr(C)]
pub(crate) struct Node {
    pub(crate) next: *mut Node,
    pub(crate) name: *mut c_char,
    pub(crate) flags: c_int,
}

/// zsh's `struct builtin`.
#[repr(C)]
pub(crate) struct Builtin {
    node: Node,
    handler: extern "C" fn(*mut c_char, *const *const c_char, *mut c_void, c_int) -> c_int,
    least: c_int,
    most: c_int,
    kind: c_int,
    options: *const c_char,
    presets: *const c_char,
}

/// zsh's `struct features`.
#[repr(C)]
pub(crate) struct Features {
    builtins: *mut Builtin,
    builtin_count: c_int,
    conditions: *mut c_void,
    condition_count: c_int,
    functions: *mut c_void,
    function_count: c_int,
    parameters: *mut c_void,
    parameter_count: c_int,
    abstract_count: c_int,
}

// The same numbers are asked of zsh's headers in `crates/hooks/tests/it/zsh_layout.rs`.
#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::offset_of;
    assert!(offset_of!(Builtin, handler) == 24 && offset_of!(Builtin, most) == 36);
    assert!(offset_of!(Builtin, presets) == 56);
    assert!(offset_of!(Features, conditions) == 16 && offset_of!(Features, abstract_count) == 60);
};

/// zsh keeps its own marks in the table, so it has to be writable.
static mut BUILTIN: Builtin = Builtin {
    node: Node {
        next: std::ptr::null_mut(),
        name: c"__cmdai".as_ptr().cast_mut(),
        flags: 0,
    },
    handler: builtin,
    least: 1,
    most: -1,
    kind: 0,
    options: std::ptr::null(),
    presets: std::ptr::null(),
};

static mut FEATURES: Features = Features {
    builtins: &raw mut BUILTIN,
    builtin_count: 1,
    conditions: std::ptr::null_mut(),
    condition_count: 0,
    functions: std::ptr::null_mut(),
    function_count: 0,
    parameters: std::ptr::null_mut(),
    parameter_count: 0,
    abstract_count: 0,
};

/// The builtin.
extern "C" fn builtin(
    _name: *mut c_char,
    words: *const *const c_char,
    _options: *mut c_void,
    _kind: c_int,
) -> c_int {
    catch_unwind(|| {
        let mut arguments = Vec::new();
        let mut next = words;
        // SAFETY: zsh gives a list of terminated texts that ends in null and lives during the call.
        while let Some(word) = unsafe { next.as_ref() }.filter(|word| !word.is_null()) {
            arguments.push(text(*word));
            // SAFETY: the list goes on until its null.
            next = unsafe { next.add(1) };
        }
        crate::run(&arguments)
    })
    .unwrap_or(crate::FAILURE)
}

/// First of all: nothing of the tables is touched in a zsh that this module does not know.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn setup_(_module: *mut c_void) -> c_int {
    catch_unwind(|| match Symbols::refusal() {
        None => 0,
        Some(why) => {
            Symbols::find().set_variable(c"__cmdai_why", &why);
            1
        }
    })
    .unwrap_or(1)
}

/// Lists what the module has.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn features_(module: *mut c_void, features: *mut *mut *mut c_char) -> c_int {
    type List = unsafe extern "C" fn(*mut c_void, *mut Features) -> *mut *mut c_char;
    // SAFETY: zsh's function has this signature in the versions that `setup_` lets pass.
    let Some(list) = (unsafe { library::function::<List>(c"featuresarray") }) else {
        return 1;
    };
    // SAFETY: zsh's own module and place for the answer, and our table.
    unsafe { *features = list(module, &raw mut FEATURES) };
    0
}

/// Switches what the module has on and off. What a hooked shell has stays on.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn enables_(module: *mut c_void, enables: *mut *mut c_int) -> c_int {
    type Handle = unsafe extern "C" fn(*mut c_void, *mut Features, *mut *mut c_int) -> c_int;
    // SAFETY: zsh's own place; where it holds something, zsh wants it set, else asked about.
    let change = unsafe { enables.as_ref() }.is_some_and(|wanted| !wanted.is_null());
    if change && is_hooked() {
        return 1;
    }
    // SAFETY: zsh's function has this signature in the versions that `setup_` lets pass; zsh's own
    // module and place, and our table.
    unsafe {
        library::function::<Handle>(c"handlefeatures")
            .map_or(1, |handle| handle(module, &raw mut FEATURES, enables))
    }
}

/// Nothing is left to be done.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn boot_(_module: *mut c_void) -> c_int {
    0
}

/// Unloading: a hooked shell does not let its module go.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn cleanup_(module: *mut c_void) -> c_int {
    type Set = unsafe extern "C" fn(*mut c_void, *mut Features, *mut c_int) -> c_int;
    if is_hooked() {
        return 1;
    }
    // SAFETY: zsh's function has this signature in the versions that `setup_` lets pass; zsh's own
    // module, and our table.
    unsafe {
        library::function::<Set>(c"setfeatureenables").map_or(1, |set| {
            set(module, &raw mut FEATURES, std::ptr::null_mut())
        })
    }
}

fn is_hooked() -> bool {
    crate::HOOKED.load(Ordering::Relaxed) != 0
}

/// Nothing is left to be done.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn finish_(_module: *mut c_void) -> c_int {
    0
}
