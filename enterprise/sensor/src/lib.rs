//! The endpoint daemon: enrol, policy, snapshot, seal, upload, grants, tamper watch.
//!
//! Two processes, so that nothing with root's rights ever speaks to the network:
//!
//! - the **keeper** (root on a governed machine) tails the hooks' spools, seals events, verifies
//!   and installs policy releases, publishes the snapshot, serves the governor's socket, consumes
//!   grants and watches files. It opens no network socket and starts nothing but the courier.
//! - the **courier** (an unprivileged account) holds every connection: it uploads batches, keeps
//!   the long poll, fetches releases. It decides nothing: whatever it brings is signed, and the
//!   keeper verifies it.
//!
//! They talk over a socket pair ([`wire`]); the courier asks, the keeper answers, so a courier
//! that hangs or lies can withhold but not disturb.
//!
//! # Behaviour when something is wrong
//!
//! | trouble | behaviour |
//! |---|---|
//! | server gone | everything local goes on; events queue; back-off with jitter |
//! | release refused, policy bad | last good policy stays, `policy_refused` event, shown in status |
//! | spool full or disk full | nothing more is sealed, hooks' records stay where they are, the sensor's own events wait, shown in status; goes on by itself, also where this spool fills the disk |
//! | no room for a hook's record | the start goes to the governor's socket; the missing number is a gap event once a later record comes, or a session without an end is |
//! | somebody's records fill their share of the spool | theirs wait in their own file, others' are sealed, `tamper` event |
//! | the same, and policy lets the oldest go | theirs go, others' are sealed again under later numbers, one `gap` event and an alert when the server answers |
//! | certificate ends soon | the keeper makes a new key; key and certificate are written in one step |
//! | sealed spool damaged | set aside, a new chain segment is not invented: the sensor says so and stops |
//! | `kill -9` | each record is sealed exactly once: positions are stored with the events they made |
//! | ring not open | what is installed stays; who has nothing takes the release before |
//! | proof of freshness lapsed | nothing is unloaded; no update until fresh metadata come, the age shows |
//! | clock stepped, by seconds or years | policy stays, records are sealed in their order; a time that cannot be believed is kept as `claimed_time_ms`; freshness and expiry follow the clock as it is |
//! | snapshot damaged while the sensor is dead | shells read its copy (`policy.last-good`), and how to fail from `policy.fail-mode` |
//! | snapshot removed or replaced | restored within a second, `tamper` event |

#![forbid(unsafe_code)]

mod accounts;
mod clock;
mod courier;
mod enrol;
mod files;
mod frames;
mod identity;
mod keeper;
mod machine;
mod options;
mod roads;
mod status;
mod wire;

pub use cmdai_exec_capture::Choice as ExecSource;
pub use courier::courier_main;
pub use enrol::{Enrolled, enrol, enrol_with, uninstall};
#[doc(hidden)]
pub use keeper::measure_layer;
pub use keeper::{hashed, run};
pub use machine::judge_main;
pub use options::{BufferLimits, CourierProgram, EnrolOptions, Git, Options, Pace, Roads};
pub use roads::{import, roads, set_roads};
pub use status::status;
