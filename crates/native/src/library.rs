//! A library that was loaded into somebody else's process: finding symbols, copying texts, staying.

#![allow(
    unsafe_code,
    reason = "the interface of a running shell is C symbols and raw pointers"
)]

use std::ffi::{CStr, c_char, c_void};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Address of a symbol of this process, by its name.
pub fn address(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: a look-up by a terminated name; it has no other precondition.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}

/// A function of this process, by its name.
///
/// # Safety
/// `F` is a function pointer with the C signature that the function of this name has wherever there is
/// one.
pub unsafe fn function<F: Copy>(name: &CStr) -> Option<F> {
    const {
        assert!(
            size_of::<F>() == size_of::<*mut c_void>(),
            "function and data pointers have one size here"
        );
    }
    // SAFETY: of one size, and a pointer to such a function by the caller's word.
    address(name).map(|found| unsafe { std::mem::transmute_copy(&found) })
}

/// A variable of this process, by its name.
pub fn place<T>(name: &CStr) -> Option<*mut T> {
    address(name).map(<*mut c_void>::cast)
}

/// A copy of a terminated text of the shell; what is not UTF-8 is replaced. Empty for null.
///
/// # Safety
/// The pointer is null or points to a terminated text that lives during the call.
pub unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: demanded of the caller.
    unsafe { CStr::from_ptr(pointer) }
        .to_string_lossy()
        .into_owned()
}

/// Calls `leave` when the process ends.
pub fn at_exit(leave: extern "C" fn()) {
    // SAFETY: a module that is hooked stays loaded for the life of the process.
    unsafe { libc::atexit(leave) };
}

/// False until this process is forked, and true in the forked one.
static FORKED: AtomicBool = AtomicBool::new(false);

/// From now on [`is_forked`] knows. The shell's own process calls this once.
pub fn watch_forks() {
    static WATCHED: Once = Once::new();
    extern "C" fn in_child() {
        FORKED.store(true, Ordering::Relaxed);
    }
    // SAFETY: the function stays loaded as long as the process and only sets a mark.
    WATCHED.call_once(|| unsafe {
        libc::pthread_atfork(None, None, Some(in_child));
    });
}

/// This process was forked from the one that called [`watch_forks`]. Costs no call of the system, and is
/// asked several times for each line.
pub fn is_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}

/// The name that this library was loaded by.
fn loaded_as() -> Option<&'static CStr> {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: the address is of a function in this library, and `info` is a place for the answer.
    let found = unsafe { libc::dladdr(loaded_as as *const c_void, info.as_mut_ptr()) };
    // SAFETY: filled in by the call above; the name is terminated and lives as long as the library.
    (found != 0).then(|| unsafe { CStr::from_ptr(info.assume_init().dli_fname) })
}

/// Makes it impossible to unload this library: the shell keeps pointers to its functions.
pub fn stay_loaded() {
    if let Some(name) = loaded_as() {
        // SAFETY: a terminated name. Opening what is loaded already only changes how it is counted.
        unsafe {
            libc::dlopen(
                name.as_ptr(),
                libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE,
            )
        };
    }
}

/// Where this library was loaded from; empty where that cannot be told.
pub fn own_path() -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    let Some(name) = loaded_as() else {
        return PathBuf::new();
    };
    let path = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Holds back the signal of a child's end while `work` has a child of its own.
pub fn without_child_signals<T>(work: impl FnOnce() -> T) -> T {
    let mut before = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are places of the right type; this thread is the shell's only one.
    unsafe {
        let mut held = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(held.as_mut_ptr());
        libc::sigaddset(held.as_mut_ptr(), libc::SIGCHLD);
        libc::pthread_sigmask(libc::SIG_BLOCK, held.as_ptr(), before.as_mut_ptr());
    }
    let result = work();
    // SAFETY: filled in above.
    unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
    }
    result
}

/// A number that this process shares with the children that are forked from it; nothing where there is
/// no memory for it.
pub fn shared_number() -> Option<&'static AtomicU64> {
    // SAFETY: a mapping of its own at an address of the kernel's choice.
    let page = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            size_of::<AtomicU64>(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    // SAFETY: the mapping begins at a page, is filled with zeros and is never taken away.
    (page != libc::MAP_FAILED).then(|| unsafe { &*page.cast::<AtomicU64>() })
}
