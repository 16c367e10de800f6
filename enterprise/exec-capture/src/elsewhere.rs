//! Sources of other systems. They have a name and a shape and do nothing yet.
//!
//! | system | source | what it needs |
//! |---|---|---|
//! | macOS | Endpoint Security, `ES_EVENT_TYPE_AUTH_EXEC` and `NOTIFY_EXEC` | an entitlement from Apple and a system extension |
//! | Windows | ETW, `Microsoft-Windows-Kernel-Process`, and a driver's callback to refuse | a signed driver for the second |
//!
//! Both would implement [`Source`](crate::Source) and fill an [`Exec`](crate::Exec).

use crate::CaptureError;

/// Endpoint Security of macOS: not written yet.
///
/// # Errors
/// Always.
pub fn endpoint_security() -> Result<std::convert::Infallible, CaptureError> {
    Err(CaptureError::NotHere {
        source_name: "endpoint-security",
        why: "not implemented yet".to_owned(),
    })
}

/// Event Tracing for Windows: not written yet.
///
/// # Errors
/// Always.
pub fn etw() -> Result<std::convert::Infallible, CaptureError> {
    Err(CaptureError::NotHere {
        source_name: "etw",
        why: "not implemented yet".to_owned(),
    })
}
