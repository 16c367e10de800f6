//! Detection rules over events: thresholds, sequences, silence. Pure.
//!
//! [`Rules`] are data (the built-in ones in `rules/builtin.yaml`), an [`Engine`] holds what they
//! have seen. It has no clock: time comes from the events and from [`Engine::tick`]. An event's own
//! time counts, but never a time later than it was received.
//!
//! A [`Finding`] with `count` 1 is a new alert. One with a higher count belongs to the alert with
//! the same `detection` and `key`: the rule fired again within its cool-down.
//!
//! The engine forgets everything with the process. After a start, call [`Engine::remember`] for
//! the newest alerts and [`Engine::observe`] with the last hours' events, and drop the findings.
//!
//! ```
//! use cmdai_detect::{Engine, Rules};
//! let rules = Rules::parse(r#"
//! alerts:
//!   - name: "Rogue machine"
//!     condition: "policy_violations > 10 in last 1 hour"
//!     severity: high
//!     notify: ["security@example.com"]
//!     actions: [quarantine]
//!     cooldown: 30m
//! "#)?;
//! assert_eq!(rules.list()[0].id, "rogue-machine");
//! let mut engine = Engine::new(Rules::builtin()?.with(rules));
//! assert!(engine.tick(0, &[]).is_empty());
//! # Ok::<(), cmdai_detect::RuleError>(())
//! ```

#![forbid(unsafe_code)]

mod duration;
mod engine;
mod field;
mod grammar;
mod rule;

pub use engine::{Engine, Finding, MachineContact, Subject};
pub use rule::{GroupBy, Rule, RuleError, Rules, Severity};
