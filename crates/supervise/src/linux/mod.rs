//! Linux: seccomp user notification, Landlock, `/proc`.

#![allow(
    unsafe_code,
    reason = "the kernel's interface for supervising processes is numbers and raw pointers"
)]

mod filter;
mod front;
mod kernel;
mod launch;
mod memory;
mod procfs;
mod serve;

pub(crate) use front::end_by;
pub(crate) use launch::launch;

/// Why no tree can be supervised here.
pub(crate) fn obstacle() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut parts = text
        .split(|c: char| !c.is_ascii_digit())
        .map_while(|part| part.parse::<u32>().ok());
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if !kernel::can_notify() {
        Some("this kernel does not hand system calls to a supervisor (seccomp user notification), or a container forbids it".to_owned())
    } else if version < (5, 5) {
        Some(format!(
            "Linux {}.{} cannot let a supervised call go on; 5.5 or newer can",
            version.0, version.1
        ))
    } else if !std::path::Path::new("/proc/self/stat").exists() {
        Some("/proc is not there".to_owned())
    } else {
        None
    }
}
