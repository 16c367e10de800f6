//! Systems without a way to supervise a tree without root.

use crate::exec::Warden;
use crate::{Ended, Failed, Launch};

pub(crate) fn obstacle() -> Option<String> {
    Some(format!(
        "supervised trees need Linux; {} has no way to do it without root",
        std::env::consts::OS
    ))
}

pub(crate) fn launch<'w>(
    _: Launch<'_>,
    _: impl FnOnce() -> Box<dyn Warden + 'w>,
) -> Result<Ended, Failed> {
    Err(Failed::Unsupported)
}

pub(crate) fn end_by(signal: i32) -> ! {
    std::process::exit(128 + signal)
}
