//! What the native modules inside shells share.
//!
//! A shell's own crate (`bash-native`, `zsh-native`) knows the shell: its symbols, its layouts,
//! where a line can be stopped. Everything that is the same for all of them is here: the state of a
//! hooked line, the second net with its deny that lasts to the end of the line, records, crashes,
//! questions at the keyboard, and what keeps a loaded module from harming its process.
//!
//! Nothing here unwinds into the shell, starts a thread, or waits for anybody but the person's own
//! answer and, for a second at most, the reader of other languages.

mod hook;
mod host;
pub mod library;
mod net;
pub mod plain;
mod slot;
pub mod terminal;
mod voice;

pub use hook::{Hook, Manners, TEXT_LIMIT};
pub use host::Host;
pub use slot::{Crashes, Slot};
pub use terminal::Asking;
