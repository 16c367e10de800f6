//! From a call of the hook to its answer.

use std::path::Path;

use cmdai_effects::NoSession;
use cmdai_gate::Capture;
use cmdai_gate::render::View;
use cmdai_gate::{
    Attribution, Gate, Manner, Outcome, Recorder, Request, SessionInfo, Settled, Voice, origin,
    short_id,
};
use cmdai_languages::Grammars;
use cmdai_schema::{AgentInfo, Decision, EffectKind, Hash, Layer};

use super::say;
use crate::agents::{Agent, Answer, Asking, Call, Deed, Moment};

/// Reads an environment variable of the hook's process.
pub type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Answers one call. Never says "allow"; every error is a denial.
pub fn answer(agent: Agent, event: Option<&str>, input: &[u8], gate: &mut Gate) -> Answer {
    answer_with(agent, event, input, gate, &|name| std::env::var(name).ok())
}

/// The same with a given environment.
pub fn answer_with(
    agent: Agent,
    event: Option<&str>,
    input: &[u8],
    gate: &mut Gate,
    variable: Variable<'_>,
) -> Answer {
    cmdai_gate::fault::point("hook");
    let call = match Call::read(agent, event, input) {
        Ok(call) => call,
        Err(error) => return Answer::failure(&error.to_string()),
    };
    let known = AgentInfo {
        version: call
            .agent
            .version
            .clone()
            .or_else(|| version(agent, variable)),
        ..call.agent.clone()
    };
    let stranger = known
        .version
        .as_deref()
        .filter(|version| !agent.knows(version))
        .map(|version| untested(agent, version));
    let mut who = origin::hook(known);
    origin::confirm(&mut who, &origin::ancestors());
    if stranger.is_some() {
        who.origin.evidence.push("untested-version".to_owned());
    }
    match &call.moment {
        Moment::Other => Answer::default(),
        // It may ask for a command, in a form that is not known here: that is no consent.
        Moment::Unheard(name) => Answer::failure(&format!(
            "{} sent the event {name}, which this cmdai does not know; it knows {} {}. Take the \
             event out of the hooks, or update cmdai",
            agent.harness().title,
            agent.harness().title,
            agent.harness().tested,
        )),
        Moment::Before(deed) => before(agent, &call, deed, who, gate, variable),
        Moment::After {
            exit_code,
            duration_ms,
        } => {
            let person = gate.person();
            let cwd = call.cwd.as_deref().unwrap_or("/");
            // Where the first half was kept private there is nothing to end.
            let capture = gate.policies().capture(cwd, person.home_text());
            if let (Some(Capture::Metadata | Capture::Full), Some(exit_code)) = (capture, exit_code)
            {
                let micros = duration_ms.unwrap_or(0).saturating_mul(1000);
                recorder(&call, &who, gate).end(&command_id(&call), *exit_code, micros);
            }
            Answer::default()
        }
        Moment::SessionStart => {
            recorder(&call, &who, gate).session_start(agent.as_str());
            match stranger {
                Some(words) => Answer {
                    stderr: format!("{words}\n"),
                    ..say::warn(agent, &words)
                },
                None => Answer::default(),
            }
        }
        Moment::SessionEnd => {
            recorder(&call, &who, gate).session_end();
            Answer::default()
        }
    }
}

fn before(
    agent: Agent,
    call: &Call,
    deed: &Deed,
    mut who: Attribution,
    gate: &mut Gate,
    variable: Variable<'_>,
) -> Answer {
    let person = gate.person().clone();
    let here = std::env::current_dir()
        .ok()
        .and_then(|path| path.to_str().map(str::to_owned));
    let cwd = call.cwd.clone().or(here).unwrap_or_else(|| "/".to_owned());
    who.host_asks = can_ask(agent, call, variable);
    let home = person.home_text();
    let short = deed.as_command(Path::new(&cwd), home, false);
    let whole;
    let mut request = Request {
        text: &short,
        dialect: deed.dialect(),
        cwd: &cwd,
        home,
        user: &person.login,
        session: &NoSession,
        languages: &Grammars,
        who: &who,
        terminal: who.host_asks,
        facts: None,
    };
    let mut outcome = gate.judge(&request);
    // What is put into a file matters where something will run it, and where somebody approves it.
    // Elsewhere it is only text, and the record names the file and not what is in it.
    if deed.changes_files()
        && (runs_later(&outcome) || outcome.judgement.decision == Decision::RequireApproval)
    {
        whole = deed.as_command(Path::new(&cwd), home, true);
        request.text = &whole;
        outcome = gate.judge(&request);
    }
    let mut recorder = recorder(call, &who, gate);
    let id = command_id(call);
    let manner = Manner {
        command_id: Some(&id),
        ..Manner::default()
    };
    let mut host = Host::default();
    let settled = gate.settle(&request, &outcome, &mut host, &mut recorder, manner);
    if host.asked
        && let Some(question) = say::ask(agent, &reason("asks", &outcome, &settled, false))
    {
        return question;
    }
    if !settled.run || host.asked {
        let governed = gate.installation().is_governed();
        return say::deny(agent, &reason("blocked this", &outcome, &settled, governed));
    }
    if host.said {
        return say::warn(agent, &warning(&outcome));
    }
    Answer::default()
}

/// The harness can put a question to its person, and does not answer it by itself.
fn can_ask(agent: Agent, call: &Call, variable: Variable<'_>) -> bool {
    // In these modes a harness takes yes for an answer before it has asked.
    let careless = call
        .permission_mode
        .as_deref()
        .is_some_and(|mode| matches!(mode, "bypassPermissions" | "dontAsk" | "auto" | "yolo"));
    match agent.harness().asking {
        Asking::Never => false,
        Asking::Asks => !careless,
        Asking::AsksAttended => {
            !careless && variable("CLAUDE_CODE_SESSION_ATTENDED").as_deref() == Some("1")
        }
    }
}

fn runs_later(outcome: &Outcome) -> bool {
    outcome
        .analysis
        .effects
        .iter()
        .any(|effect| matches!(effect.kind, EffectKind::Persistence { .. }))
}

/// The words that the agent reads: why, what instead, and how to ask.
fn reason(verb: &str, outcome: &Outcome, settled: &Settled, governed: bool) -> String {
    let judgement = &outcome.judgement;
    let mut words = format!("cmdai {verb}");
    if settled.unrecorded {
        words.push_str(
            ", because it cannot be recorded. A person has to see to this machine first.",
        );
    } else if let Some(rule) = judgement.deciding_rule() {
        words.push_str(&format!(": {} (rule {}).", rule.reason, rule.id));
        if let Some(instead) = &rule.instead {
            words.push_str(&format!(" Safer: `{instead}`."));
        }
    } else {
        words.push('.');
    }
    match &settled.approval {
        Some(approval) if approval.status == "pending" => words.push_str(&format!(
            " Another person has to approve it: request {} is open. Repeat exactly this command once it was approved; do not try another way.",
            approval.request_id
        )),
        Some(approval) if approval.status == "denied" => {
            words.push_str(&format!(" The approval was refused: {}.", approval.reason.as_deref().unwrap_or("no reason given")));
        }
        _ if settled.run => {}
        _ if judgement.decision == Decision::RequireApproval => {
            words.push_str(" It needs an approval, and nobody can be asked for one from here.");
        }
        _ if judgement.decision == Decision::Confirm => {
            words.push_str(" A person has to confirm it: ask them to run it in their own terminal.");
        }
        _ if governed => {
            words.push_str(&format!(" The person can see why: cmdai why {}.", short_id(&settled.command_id)));
        }
        _ => {}
    }
    cmdai_gate::escape(&words)
}

fn warning(outcome: &Outcome) -> String {
    let mut words = "cmdai warns".to_owned();
    if let Some(rule) = outcome.judgement.deciding_rule() {
        words.push_str(&format!(": {} (rule {}).", rule.reason, rule.id));
        if let Some(instead) = &rule.instead {
            words.push_str(&format!(" Safer: `{instead}`."));
        }
    }
    cmdai_gate::escape(&words)
}

fn untested(agent: Agent, version: &str) -> String {
    let harness = agent.harness();
    cmdai_gate::escape(&format!(
        "cmdai: this is {} {version}; its hooks were checked with {}. What is not understood is denied",
        harness.title, harness.tested
    ))
}

/// A session of the agent is a session of records, shared by all processes of the hook.
fn recorder(call: &Call, who: &Attribution, gate: &Gate) -> Recorder {
    let session = call.agent.session_id.as_deref().unwrap_or("unnamed");
    let info = SessionInfo {
        id: format!("{}-{session}", call.agent.name),
        layer: Layer::AgentHook,
        who: who.clone(),
        shared: true,
    };
    Recorder::open(gate.installation(), gate.person(), info)
}

/// The same for the call before and the call after, which are different processes: made from the
/// agent's own names for session and tool call.
fn command_id(call: &Call) -> String {
    let (Some(session), Some(tool_call)) = (&call.agent.session_id, &call.agent.tool_call_id)
    else {
        return cmdai_gate::fresh_id();
    };
    let hex = Hash::of(&[
        call.agent.name.as_bytes(),
        b"\0",
        session.as_bytes(),
        b"\0",
        tool_call.as_bytes(),
    ])
    .to_hex();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-8{}-8{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 15),
        part(15, 18),
        part(18, 30)
    )
}

/// The harness's version, as far as its hooks are told it.
fn version(agent: Agent, variable: Variable<'_>) -> Option<String> {
    match agent {
        // `claude-code_2-1-330_harness`.
        Agent::ClaudeCode => {
            let marker = variable("AI_AGENT")?;
            let version = marker.strip_prefix("claude-code_")?.split('_').next()?;
            version
                .starts_with(|c: char| c.is_ascii_digit())
                .then(|| version.replace('-', "."))
        }
        Agent::CopilotCli => variable("COPILOT_CLI_BINARY_VERSION"),
        Agent::Codex => variable("CODEX_VERSION"),
        _ => None,
    }
}

/// Nobody reads along: the answer itself carries the words, and the harness puts the question.
#[derive(Default)]
struct Host {
    said: bool,
    asked: bool,
}

impl Voice for Host {
    fn say(&mut self, _message: &str) {
        self.said = true;
    }

    fn confirm(&mut self) -> bool {
        self.asked = true;
        true
    }

    fn view(&self) -> View<'static> {
        View {
            colour: false,
            width: 80,
            command_id: None,
            governed: false,
            can_answer: false,
            request_id: None,
        }
    }
}
