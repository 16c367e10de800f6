//! Events before they are sealed, and how records become events.

use std::collections::BTreeMap;

use cmdai_schema::record::{Half, Record, Start};
use cmdai_schema::{
    ApprovalInfo, AssertedBy, CommandInfo, CommandSource, Context, Decision, EventType, Execution,
    Layer, Origin, OriginKind, Payload, UserRef,
};

/// Largest whole number that canonical JSON carries exactly.
pub(crate) const EXACT: u64 = (1 << 53) - 1;

/// An event to be sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) kind: EventType,
    /// Milliseconds since 1970 as the record claims; now where nothing is claimed.
    pub(crate) time_ms: Option<u64>,
    pub(crate) payload: Payload,
}

impl Draft {
    /// The sensor's own word.
    pub(crate) fn sensor(kind: EventType, detail: &[(&str, String)]) -> Self {
        let detail: BTreeMap<String, String> = detail
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect();
        let context = Context {
            layer: Layer::Sensor,
            ..Context::default()
        };
        Self {
            kind,
            time_ms: None,
            payload: Payload {
                asserted_by: AssertedBy::Sensor,
                context,
                detail,
                ..Payload::default()
            },
        }
    }

    pub(crate) fn about(mut self, user: UserRef) -> Self {
        self.payload.user = user;
        self
    }

    pub(crate) fn with_approval(mut self, approval: ApprovalInfo) -> Self {
        self.payload.approval = Some(approval);
        self
    }

    /// Records that are missing.
    pub(crate) fn gap(user: &UserRef, session: &str, from: u64, to: u64, cause: &str) -> Self {
        let detail = [
            ("from", from.to_string()),
            ("to", to.to_string()),
            ("session_id", session.to_owned()),
            ("cause", cause.to_owned()),
        ];
        let mut draft = Self::sensor(EventType::Gap, &detail).about(user.clone());
        draft.payload.context.session_id = session.to_owned();
        draft
    }
}

/// The end of a command, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) exit_code: i32,
    pub(crate) duration_us: u64,
}

fn context(record: &Record) -> Context {
    Context {
        session_id: record.session_id.clone(),
        counter: record.counter.min(EXACT),
        ..Context::default()
    }
}

fn draft(record: &Record, kind: EventType, user: &UserRef, mut payload: Payload) -> Draft {
    // The kernel's word on who it was stands; what the record claims is kept where it differs.
    if !record.user.is_empty() && record.user != user.user_id {
        payload.detail.insert(
            "claimed_user".to_owned(),
            record.user.chars().take(64).collect(),
        );
    }
    if let Some(script) = &record.script {
        payload
            .detail
            .insert("script".to_owned(), script.name.clone());
    }
    payload.asserted_by = AssertedBy::UserHook;
    payload.monotonic_ns = Some(record.mono_ns).filter(|ns| *ns <= EXACT);
    payload.user = user.clone();
    Draft {
        kind,
        time_ms: Some(record.time_ms),
        payload,
    }
}

fn type_of(start: &Start, request_is_told: bool) -> EventType {
    let waits = start.policy.decision == Decision::RequireApproval && start.approval.is_some();
    if !start.allowed {
        return if waits && !request_is_told {
            EventType::ApprovalRequested
        } else {
            EventType::CommandBlocked
        };
    }
    // It ran freely although rules fired: they are monitored.
    if start.policy.decision == Decision::Allow && !start.policy.violated_rules.is_empty() {
        return EventType::PolicyViolation;
    }
    EventType::CommandExecuted
}

fn command(start: &Start) -> CommandInfo {
    CommandInfo {
        command_id: start.command_id.clone(),
        text: start.text.clone(),
        digest: start.digest.clone(),
        source: start.source,
        working_directory: start.cwd.clone(),
        shell: start.shell.clone(),
        programs: start.programs.clone(),
        effects: start.effects.clone(),
        times: start.times,
        private: start.private,
    }
}

pub(crate) fn execution(allowed: bool, end: Option<End>) -> Execution {
    Execution {
        allowed,
        exit_code: end.map(|end| end.exit_code),
        duration_ms: end.map(|end| (end.duration_us / 1000).min(EXACT)),
    }
}

/// A command, with its end where that is known. `request_is_told`: the event of its approval
/// request was made when the request was opened.
pub(crate) fn of_start(
    record: &Record,
    start: &Start,
    end: Option<End>,
    user: &UserRef,
    request_is_told: bool,
) -> Draft {
    let mut policy = start.policy.clone();
    policy.micros = policy.micros.min(EXACT);
    let payload = Payload {
        command: Some(command(start)),
        policy_evaluation: Some(policy),
        approval: start.approval.clone(),
        execution: Some(execution(start.allowed, end)),
        context: Context {
            layer: start.layer,
            tty: start.tty.clone(),
            parent_process: start.parents.clone(),
            origin: start.origin.clone(),
            agent: start.agent.clone(),
            ..context(record)
        },
        ..Payload::default()
    };
    draft(record, type_of(start, request_is_told), user, payload)
}

/// What is known of a script's run that has no record of a command yet.
pub(crate) fn of_run(record: &Record, user: &UserRef) -> Draft {
    let (shell, origin) = match &record.half {
        Half::SessionStart { shell, origin } => (
            shell.split(' ').next().unwrap_or_default().to_owned(),
            origin.clone(),
        ),
        _ => (String::new(), Origin::default()),
    };
    let payload = Payload {
        command: Some(CommandInfo {
            command_id: format!("{}-{}", record.session_id, record.counter),
            source: match origin.kind {
                OriginKind::Agent => CommandSource::Agent,
                _ => CommandSource::Script,
            },
            shell,
            ..CommandInfo::default()
        }),
        context: Context {
            origin,
            ..context(record)
        },
        ..Payload::default()
    };
    draft(record, EventType::CommandExecuted, user, payload)
}

/// The end of a command whose start was sealed before, with what is still known of the start.
pub(crate) fn of_end(
    record: &Record,
    command_id: &str,
    end: End,
    start: Option<&Draft>,
    user: &UserRef,
) -> Draft {
    let command = start.and_then(|start| start.payload.command.clone());
    let mut context = context(record);
    if let Some(start) = start {
        context.layer = start.payload.context.layer;
        context.origin = start.payload.context.origin.clone();
        context.agent = start.payload.context.agent.clone();
    }
    let payload = Payload {
        command: Some(command.unwrap_or_else(|| CommandInfo {
            command_id: command_id.to_owned(),
            ..CommandInfo::default()
        })),
        execution: Some(execution(true, Some(end))),
        context,
        ..Payload::default()
    };
    draft(record, EventType::CommandCompleted, user, payload)
}

/// Private mode began or ended, by the person's own word.
pub(crate) fn of_private_mode(record: &Record, user: &UserRef) -> Option<Draft> {
    let Half::Private {
        on,
        shell_pid,
        until_ms,
        why,
    } = &record.half
    else {
        return None;
    };
    let mut detail = BTreeMap::from([
        (
            "state".to_owned(),
            if *on { "on" } else { "off" }.to_owned(),
        ),
        ("shell_pid".to_owned(), shell_pid.to_string()),
        ("why".to_owned(), why.chars().take(128).collect()),
    ]);
    if let Some(until) = until_ms {
        detail.insert("until_ms".to_owned(), until.to_string());
    }
    let payload = Payload {
        context: context(record),
        detail,
        ..Payload::default()
    };
    Some(draft(record, EventType::PrivateMode, user, payload))
}

/// What became of a recording, by the person's own word; the file stays with them.
pub(crate) fn of_recording(record: &Record, user: &UserRef) -> Option<Draft> {
    let Half::Recording {
        state,
        file,
        sha256,
        bytes,
        duration_ms,
    } = &record.half
    else {
        return None;
    };
    let short = |text: &str| text.chars().take(128).collect::<String>();
    let mut detail = BTreeMap::from([
        ("state".to_owned(), short(state)),
        ("file".to_owned(), short(file)),
        ("duration_ms".to_owned(), duration_ms.to_string()),
    ]);
    detail.extend(sha256.as_ref().map(|sum| ("sha256".to_owned(), short(sum))));
    detail.extend(bytes.map(|bytes| ("bytes".to_owned(), bytes.to_string())));
    let payload = Payload {
        context: context(record),
        detail,
        ..Payload::default()
    };
    Some(draft(record, EventType::SessionRecorded, user, payload))
}

/// What a session's beginning or end says; only an agent's is an event.
pub(crate) fn of_session(record: &Record, user: &UserRef) -> Option<Draft> {
    let Half::SessionStart { shell, origin } = &record.half else {
        return None;
    };
    if origin.kind != OriginKind::Agent {
        return None;
    }
    let detail = BTreeMap::from([
        ("activity".to_owned(), "session_start".to_owned()),
        ("shell".to_owned(), shell.clone()),
    ]);
    let payload = Payload {
        context: Context {
            origin: origin.clone(),
            ..context(record)
        },
        detail,
        ..Payload::default()
    };
    Some(draft(record, EventType::AgentActivity, user, payload))
}
