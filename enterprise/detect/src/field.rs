//! Fields of events that conditions may ask for, and the answers.

use std::borrow::Cow;

use cmdai_schema::{AssertedBy, Certainty, Event, EventType, Layer, OriginKind};

use crate::grammar::{Expr, Metric, Op};

/// A field of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    EventType,
    Decision,
    Risk,
    Certainty,
    Origin,
    Agent,
    User,
    Team,
    Machine,
    Hostname,
    Program,
    Effect,
    Rule,
    Text,
    Cwd,
    Session,
    ExitCode,
    Allowed,
    AssertedBy,
    Layer,
    Detail(String),
}

/// Names of the effects that events carry.
const EFFECTS: &[&str] = &[
    "delete",
    "overwrite",
    "write",
    "move",
    "read",
    "read-secret",
    "change-mode",
    "change-owner",
    "device-write",
    "format",
    "mount",
    "run-code",
    "download",
    "upload",
    "listen",
    "connect",
    "escalate",
    "add-user",
    "change-credential",
    "persistence",
    "disable-security",
    "tamper-log",
    "kernel-module",
    "history-loss",
    "force-push",
    "branch-delete",
    "resource-destroy",
    "resource-change",
    "package-install",
    "service-control",
    "process-kill",
    "power",
    "resource-exhaustion",
    "unknown",
];

impl Field {
    /// All names, for messages.
    pub(crate) const NAMES: &[&str] = &[
        "event_type",
        "decision",
        "risk",
        "certainty",
        "origin",
        "agent",
        "user",
        "team",
        "machine",
        "hostname",
        "program",
        "effect",
        "rule",
        "text",
        "cwd",
        "session",
        "exit_code",
        "allowed",
        "asserted_by",
        "layer",
        "detail.KEY",
    ];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        Some(match lower.as_str() {
            "event_type" | "type" => Self::EventType,
            "decision" => Self::Decision,
            "risk" | "risk_level" => Self::Risk,
            "certainty" => Self::Certainty,
            "origin" | "source" => Self::Origin,
            "agent" => Self::Agent,
            "user" | "user_id" => Self::User,
            "team" => Self::Team,
            "machine" | "machine_id" => Self::Machine,
            "hostname" | "host" => Self::Hostname,
            "program" | "programs" => Self::Program,
            "effect" | "effects" => Self::Effect,
            "rule" | "violated_rule" => Self::Rule,
            "text" | "command" => Self::Text,
            "cwd" | "working_directory" => Self::Cwd,
            "session" | "session_id" => Self::Session,
            "exit_code" => Self::ExitCode,
            "allowed" => Self::Allowed,
            "asserted_by" => Self::AssertedBy,
            "layer" => Self::Layer,
            _ => Self::Detail(
                name.strip_prefix("detail.")
                    .filter(|key| !key.is_empty())?
                    .to_owned(),
            ),
        })
    }

    /// Refuses a value the field never has.
    pub(crate) fn check(&self, op: Op, value: &str) -> Result<(), String> {
        if op == Op::Contains {
            return Ok(());
        }
        let plain = plain(value);
        let types = EventType::ALL.map(EventType::as_str);
        let known: &[&str] = match self {
            Self::EventType => &types,
            Self::Decision => &["allow", "warn", "confirm", "require_approval", "deny"],
            Self::Risk => &["safe", "moderate", "high", "critical"],
            Self::Certainty => &["unknown", "likely", "proven"],
            Self::Origin => &["human", "script", "agent"],
            Self::Effect => EFFECTS,
            Self::Allowed => &["true", "false"],
            Self::AssertedBy => &["user-hook", "kernel", "sensor", "server"],
            Self::Layer => &[
                "shell",
                "agent-hook",
                "supervised",
                "exec",
                "sensor",
                "server",
            ],
            Self::ExitCode => {
                return value
                    .parse::<i64>()
                    .map(|_| ())
                    .map_err(|_| format!("exit_code: expected a whole number, found `{value}`"));
            }
            _ => {
                return match op {
                    Op::Equal | Op::Unequal => Ok(()),
                    _ => Err(format!(
                        "texts have no order: `{value}` can be compared with ==, != or contains"
                    )),
                };
            }
        };
        if known.iter().any(|word| crate::field::plain(word) == plain) {
            Ok(())
        } else {
            Err(format!(
                "`{value}` is not a value of {}; one of {}",
                self.name(),
                known.join(", ")
            ))
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::EventType => "event_type",
            Self::Decision => "decision",
            Self::Risk => "risk",
            Self::Certainty => "certainty",
            Self::Origin => "origin",
            Self::Effect => "effect",
            Self::Allowed => "allowed",
            Self::AssertedBy => "asserted_by",
            Self::Layer => "layer",
            _ => "the field",
        }
    }

    /// The place in an order, where the field's words have one.
    fn rank(&self, value: &str) -> Option<i64> {
        let order: &[&str] = match self {
            Self::Decision => &["allow", "warn", "confirm", "require_approval", "deny"],
            Self::Risk => &["safe", "moderate", "high", "critical"],
            Self::Certainty => &["unknown", "likely", "proven"],
            Self::ExitCode => return value.parse().ok(),
            _ => return None,
        };
        let value = plain(value);
        order
            .iter()
            .position(|word| plain(word) == value)
            .and_then(|at| i64::try_from(at).ok())
    }

    /// The event's values of this field: none, one or several.
    fn values<'a>(&self, event: &'a Event) -> Vec<Cow<'a, str>> {
        let (envelope, payload) = (&event.envelope, &event.payload);
        let command = payload.command.as_ref();
        let policy = payload.policy_evaluation.as_ref();
        let one = |text: &'a str| vec![Cow::Borrowed(text)];
        let many = |texts: &'a [String]| {
            texts
                .iter()
                .map(|text| Cow::Borrowed(text.as_str()))
                .collect()
        };
        match self {
            Self::EventType => one(envelope.event_type.as_str()),
            Self::Decision => policy.map(|p| one(p.decision.as_str())).unwrap_or_default(),
            Self::Risk => policy
                .map(|p| one(p.risk_level.as_str()))
                .unwrap_or_default(),
            Self::Certainty => policy
                .map(|p| one(certainty(p.certainty)))
                .unwrap_or_default(),
            Self::Origin => one(payload.context.origin.kind.as_str()),
            Self::Agent => payload
                .context
                .agent
                .as_ref()
                .map(|a| one(&a.name))
                .unwrap_or_default(),
            Self::User => one(&payload.user.user_id),
            Self::Team => payload.user.team.as_deref().map(one).unwrap_or_default(),
            Self::Machine => one(&envelope.machine_id),
            Self::Hostname => one(&payload.machine.hostname),
            Self::Program => command.map(|c| many(&c.programs)).unwrap_or_default(),
            Self::Effect => command.map(|c| many(&c.effects)).unwrap_or_default(),
            Self::Rule => policy.map(|p| many(&p.violated_rules)).unwrap_or_default(),
            Self::Text => command.map(|c| one(&c.text)).unwrap_or_default(),
            Self::Cwd => command
                .map(|c| one(&c.working_directory))
                .unwrap_or_default(),
            Self::Session => one(&payload.context.session_id),
            Self::ExitCode => exit_code(event)
                .map(|code| vec![Cow::Owned(code.to_string())])
                .unwrap_or_default(),
            Self::Allowed => payload
                .execution
                .as_ref()
                .map(|e| one(if e.allowed { "true" } else { "false" }))
                .unwrap_or_default(),
            Self::AssertedBy => one(match payload.asserted_by {
                AssertedBy::UserHook => "user-hook",
                AssertedBy::Kernel => "kernel",
                AssertedBy::Sensor => "sensor",
                AssertedBy::Server => "server",
            }),
            Self::Layer => one(layer(payload.context.layer)),
            Self::Detail(key) => payload
                .detail
                .get(key)
                .map(|text| one(text))
                .unwrap_or_default(),
        }
    }

    fn fits(&self, event: &Event, op: Op, wanted: &str) -> bool {
        let values = self.values(event);
        if op == Op::Unequal {
            return !values.iter().any(|value| self.equal(value, wanted));
        }
        values.iter().any(|value| match op {
            Op::Equal | Op::Unequal => self.equal(value, wanted),
            Op::Contains => value.to_lowercase().contains(&wanted.to_lowercase()),
            Op::More | Op::AtLeast | Op::Less | Op::AtMost => {
                let (Some(value), Some(wanted)) = (self.rank(value), self.rank(wanted)) else {
                    return false;
                };
                match op {
                    Op::More => value > wanted,
                    Op::AtLeast => value >= wanted,
                    Op::Less => value < wanted,
                    _ => value <= wanted,
                }
            }
        })
    }

    fn equal(&self, value: &str, wanted: &str) -> bool {
        match self {
            // Names of people, machines and files are what they are.
            Self::User
            | Self::Machine
            | Self::Session
            | Self::Cwd
            | Self::Text
            | Self::Detail(_) => value == wanted,
            _ => plain(value) == plain(wanted),
        }
    }
}

/// `CommandBlocked`, `command-blocked` and `command_blocked` are one word.
fn plain(word: &str) -> String {
    word.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

const fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Unknown => "unknown",
        Certainty::Likely => "likely",
        Certainty::Proven => "proven",
    }
}

const fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Shell => "shell",
        Layer::AgentHook => "agent-hook",
        Layer::Supervised => "supervised",
        Layer::Exec => "exec",
        Layer::Sensor => "sensor",
        Layer::Server => "server",
    }
}

fn exit_code(event: &Event) -> Option<i32> {
    event
        .payload
        .execution
        .as_ref()
        .and_then(|execution| execution.exit_code)
}

impl Expr {
    pub(crate) fn fits(&self, event: &Event) -> bool {
        match self {
            Self::And(all) => all.iter().all(|expr| expr.fits(event)),
            Self::Or(any) => any.iter().any(|expr| expr.fits(event)),
            Self::Not(inner) => !inner.fits(event),
            Self::Test { field, op, values } => {
                values.iter().any(|value| field.fits(event, *op, value))
            }
            Self::Metric(metric) => metric.holds(event),
        }
    }

    /// For how many an event counts: calm commands of one run of a script are one event.
    pub(crate) fn weight(&self, event: &Event) -> u64 {
        match self {
            Self::Metric(metric) => metric.weight(event),
            Self::And(all) | Self::Or(all) => {
                let weights = all.iter().map(|expr| expr.weight(event));
                weights.max().unwrap_or(1)
            }
            Self::Not(_) | Self::Test { .. } => 1,
        }
    }
}

/// A number of an event that stands for several commands of a script.
fn rolled(event: &Event, key: &str) -> Option<u64> {
    let detail = &event.payload.detail;
    detail.get("records")?;
    detail.get(key)?.parse().ok()
}

impl Metric {
    fn weight(self, event: &Event) -> u64 {
        let key = match self {
            Self::Commands | Self::AgentCommands => "records",
            Self::Failures | Self::AgentFailures => "failed",
            _ => return 1,
        };
        rolled(event, key).unwrap_or(1)
    }

    fn holds(self, event: &Event) -> bool {
        let kind = event.envelope.event_type;
        let agent = event.payload.context.origin.kind == OriginKind::Agent;
        // The end of a long command is not another command.
        let command = event.payload.command.is_some()
            && matches!(
                kind,
                EventType::CommandExecuted
                    | EventType::CommandBlocked
                    | EventType::PolicyViolation
                    | EventType::AgentActivity
            );
        let failed = matches!(
            kind,
            EventType::CommandExecuted
                | EventType::CommandCompleted
                | EventType::PolicyViolation
                | EventType::AgentActivity
        ) && (exit_code(event).is_some_and(|code| code != 0)
            || rolled(event, "failed").is_some_and(|failed| failed > 0));
        match self {
            Self::Events => true,
            Self::Commands => command,
            Self::AgentCommands => command && agent,
            Self::PolicyViolations => {
                matches!(kind, EventType::CommandBlocked | EventType::PolicyViolation)
            }
            Self::BlockedCommands => kind == EventType::CommandBlocked,
            Self::Failures => failed,
            Self::AgentFailures => failed && agent,
            Self::ApprovalRequests => kind == EventType::ApprovalRequested,
            // A shell without hooks is a finding of its own, not a record that went missing.
            Self::GapEvents => {
                let finding = event.payload.detail.get("finding");
                kind == EventType::Gap && finding.is_none_or(|finding| finding.starts_with("exec-"))
            }
        }
    }
}
