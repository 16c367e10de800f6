//! Storage traits and the embedded engine: control state and events.
//!
//! [`EventStore`] keeps events once and in order, [`ControlStore`] everything else. The embedded
//! engine is [`sqlite::Sqlite`]; [`stories`] is the suite that every engine must pass.

#![forbid(unsafe_code)]

mod control;
mod error;
mod events;
pub mod query;
pub mod sqlite;
pub mod stories;

pub use control::{
    Account, AccountStore, AlertRow, AlertStore, ApprovalRow, ApprovalStore, Contact, ControlStore,
    Credential, Decided, EmergencyRow, EnrolmentTokenRow, ExceptionRow, ExceptionStore, FactorRow,
    FactorStore, MachineRow, MachineStore, ReleaseRow, SettingStore, Terms, Vote,
};
pub use error::StoreError;
pub use events::{
    Append, Count, Cursor, Dimension, EventRecord, EventStore, Head, Page, Rolled, Search,
    StoredCheckpoint, is_judged, is_violation, time_ms,
};

/// Both halves of the storage.
pub trait Store: ControlStore + EventStore {}
impl<T: ControlStore + EventStore> Store for T {}
