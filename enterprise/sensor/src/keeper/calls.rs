//! Answers at the governor's socket.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use cmdai_schema::UserRef;
use cmdai_schema::governor::{Reply, Request, VERSION};
use cmdai_schema::record::{Half, Record, Start};

use super::approvals::{Asker, State};
use super::draft;
use super::governor::Call;
use super::special::refused;
use super::tail::MAX_COMMAND_ID;
use super::turn::Keeper;
use crate::{accounts, clock};

/// Reports of one person that are taken within [`WINDOW`]: each is an event of its own, and all
/// wait while it is written.
const MAX_REPORTS: u32 = 200;
const WINDOW: Duration = Duration::from_secs(10);

/// Counts reports by person.
#[derive(Default)]
pub(crate) struct Reports(HashMap<u32, (Instant, u32)>);

impl Reports {
    fn take(&mut self, uid: u32) -> bool {
        if self.0.len() > 10_000 {
            self.0.retain(|_, (since, _)| since.elapsed() < WINDOW);
        }
        let (since, count) = self.0.entry(uid).or_insert_with(|| (Instant::now(), 0));
        if since.elapsed() >= WINDOW {
            (*since, *count) = (Instant::now(), 0);
        }
        *count = count.saturating_add(1);
        *count <= MAX_REPORTS
    }
}

impl Keeper {
    pub(crate) fn call(&mut self, call: Call) {
        let reply = match call.request {
            Request::Hello { version, .. } => {
                // Somebody whose account lives in a directory service has no folder yet.
                if rustix::process::geteuid().is_root() {
                    self.make_folder(call.uid, call.uid);
                }
                Reply::Hello {
                    version: version.min(VERSION),
                    organisation: self.identity.organisation.clone(),
                    policy_version: self.policy_version(),
                }
            }
            Request::Status => Reply::Status(Box::new(self.status())),
            Request::Report { start, session_id } => self.report(&start, session_id, call.uid),
            Request::Request { request_id } => self.state_of(&request_id, call.uid),
            Request::Exception {
                exception,
                session_id,
            } => self.exception(*exception, session_id, call.uid),
            Request::BreakGlass {
                binding,
                reason,
                session_id,
            } => match call.hashes {
                Err(reason) => refused(reason),
                Ok(hashes) => self.break_glass(*binding, reason, session_id, call.uid, hashes),
            },
            Request::Approve {
                binding,
                reason,
                session_id,
            } => match call.hashes {
                Err(reason) => Reply::Refused {
                    request_id: None,
                    reason,
                },
                Ok(hashes) => {
                    let asker = Asker {
                        uid: call.uid,
                        login: accounts::login(call.uid),
                    };
                    let waits = self.limits().waits;
                    let answered = self
                        .approvals
                        .bind(*binding, &asker, hashes, None)
                        .and_then(|(bound, hash)| {
                            self.approvals.ask(bound, hash, reason, session_id, waits)
                        });
                    // The answer waits until the event of it is sealed, or known to be impossible now:
                    // the table is durable and the event follows.
                    self.reconcile();
                    answered.unwrap_or_else(|error| Reply::Error {
                        message: format!("{error:#}"),
                    })
                }
            },
        };
        // Before the answer: what it permits may start at once.
        self.capture_reply(&reply, call.uid, call.pid);
        let _ = call.reply.send(reply);
    }

    /// A block that must not get lost with a forged spool. Its record, when it comes, is the same
    /// event and makes no second one.
    fn report(&mut self, start: &Start, session_id: String, uid: u32) -> Reply {
        // The note keeps the id until the record comes, and everybody waits for the disk.
        let id = start.command_id.len();
        if id == 0 || id > MAX_COMMAND_ID {
            return Reply::Error {
                message: format!("a report names its command, in at most {MAX_COMMAND_ID} bytes"),
            };
        }
        if !self.reports.take(uid) {
            return Reply::Error {
                message: "too many reports at once; the record in the spool stands".to_owned(),
            };
        }
        let mut note = self.sealer.note().clone();
        if self.recent.contains(&start.command_id) || note.reported.contains(&start.command_id) {
            return Reply::Recorded;
        }
        if self.sealer.above().contains(&uid) {
            return Reply::Error {
                message: "your records fill your share of the sensor's buffer until the server has taken some; the record in the spool stands".to_owned(),
            };
        }
        let login = accounts::login(uid);
        let user = UserRef {
            user_id: login.clone(),
            uid: Some(uid),
            ..UserRef::default()
        };
        let record = Record {
            session_id: session_id.chars().take(80).collect(),
            counter: 0,
            time_ms: clock::now_ms(),
            mono_ns: u64::MAX,
            pid: 0,
            user: login,
            script: None,
            half: Half::SessionEnd,
        };
        let told = start
            .approval
            .as_ref()
            .is_some_and(|approval| note.requests.contains(&approval.request_id));
        let mut draft = draft::of_start(&record, start, None, &user, told);
        draft
            .payload
            .detail
            .insert("via".to_owned(), "governor".to_owned());
        note.reported.push(start.command_id.clone());
        let surplus = note.reported.len().saturating_sub(1_000);
        note.reported.drain(..surplus);
        let mut drafts = vec![draft];
        self.private.mark(&mut drafts);
        if self.seal_with(drafts, note) {
            Reply::Recorded
        } else {
            Reply::Error {
                message:
                    "the sensor cannot seal events at the moment; see `cmdai-enterprise status`"
                        .to_owned(),
            }
        }
    }

    /// Requests that the server must be told of or may answer.
    pub(crate) fn waiting(&self) -> (Vec<cmdai_api::machine::ApprovalOpen>, Vec<String>) {
        let unsent = self
            .approvals
            .pending()
            .filter(|entry| !entry.sent)
            .chain(self.approvals.untold())
            .map(|entry| entry.open.clone())
            .collect();
        let pending = self
            .approvals
            .pending()
            .filter(|entry| entry.state == State::Pending && entry.sent)
            .map(|entry| entry.id().to_owned())
            .collect();
        (unsent, pending)
    }
}
