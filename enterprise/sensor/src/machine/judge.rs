//! Judging what was started, in a process without rights: arguments are chosen by anybody, and
//! reading them is no work for root.
//!
//! The keeper asks over a socket pair and waits at most [`PATIENCE`]; a judge that is late or gone is
//! replaced, and what it did not judge is recorded without its text.

use std::collections::VecDeque;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cmdai_effects::{Context, NoSession, script::NoLanguages};
use cmdai_policy::{Capture, Layers, Snapshot, decide};
use cmdai_schema::{
    Certainty, Decision, Dialect, ENGINE_VERSION, Facts, Mode, PolicyEvaluation, Subject,
};
use serde::{Deserialize, Serialize};

use crate::frames;
use crate::keeper::Child;
use crate::options::CourierProgram;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest frame.
const MAX_FRAME: usize = 24 << 20;
/// A judge that failed is started anew after this time.
const PAUSE: Duration = Duration::from_secs(5);
/// Longest text of one record.
const MAX_TEXT: usize = 8 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    /// From now on by this policy.
    Policy {
        snapshot: String,
        subject: Box<Subject>,
    },
    /// These commands.
    Judge { commands: Vec<Asked> },
}

/// A command to be judged.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Program as it was called, then its arguments.
    pub(crate) words: Vec<String>,
    /// There were more.
    pub(crate) cut: bool,
    pub(crate) cwd: Option<String>,
    pub(crate) home: String,
    pub(crate) user: String,
    /// The agent that one of its ancestors is.
    pub(crate) agent: Option<String>,
    /// Neither a person's nor an agent's.
    pub(crate) script: bool,
}

/// What the judge says.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Judged {
    /// Redacted; empty where the policy wants no text.
    pub(crate) text: String,
    pub(crate) digest: String,
    pub(crate) programs: Vec<String>,
    pub(crate) effects: Vec<String>,
    pub(crate) policy: PolicyEvaluation,
    /// The organisation denies it, by a rule in force and without a doubt.
    pub(crate) denied: bool,
    /// It is written down at all.
    pub(crate) recorded: bool,
    /// Only where a rule fired.
    pub(crate) findings_only: bool,
}

/// The keeper's side.
pub(crate) struct Judge {
    program: CourierProgram,
    account: String,
    child: Option<Child>,
    policy: Option<(String, Box<Subject>)>,
    next: Instant,
    /// Commands that were not judged.
    pub(crate) unjudged: u64,
    pub(crate) problem: Option<String>,
}

impl Judge {
    pub(crate) fn new(program: CourierProgram, account: String) -> Self {
        Self {
            program,
            account,
            child: None,
            policy: None,
            next: Instant::now(),
            unjudged: 0,
            problem: None,
        }
    }

    /// Process id, where one runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::pid)
    }

    pub(crate) fn set_policy(&mut self, snapshot: &[u8], subject: Box<Subject>) {
        self.policy = Some((STANDARD.encode(snapshot), subject));
        if self.child.is_some() && self.tell_policy().is_err() {
            self.fail("it does not take the policy");
        }
    }

    fn tell_policy(&mut self) -> std::io::Result<()> {
        let (Some(child), Some((snapshot, subject))) = (&mut self.child, &self.policy) else {
            return Ok(());
        };
        let question = Question::Policy {
            snapshot: snapshot.clone(),
            subject: subject.clone(),
        };
        frames::write(&mut child.stream, &question, MAX_FRAME)
    }

    fn fail(&mut self, why: &str) {
        self.child = None;
        self.next = Instant::now() + PAUSE;
        self.problem = Some(format!("what starts is not judged: {why}"));
    }

    /// Judges them, in order. Empty where nobody can: then nothing is ended and no text is kept.
    pub(crate) fn judge(&mut self, commands: Vec<Asked>) -> Vec<Judged> {
        if commands.is_empty() || self.policy.is_none() {
            return Vec::new();
        }
        let count = commands.len();
        match self.ask(commands) {
            Ok(answers) if answers.len() == count => {
                self.problem = None;
                return answers;
            }
            Ok(_) => self.fail("its answer does not fit"),
            Err(error) => self.fail(&error.to_string()),
        }
        self.unjudged = self.unjudged.saturating_add(count as u64);
        Vec::new()
    }

    fn ask(&mut self, commands: Vec<Asked>) -> Result<Vec<Judged>> {
        if self.child.is_none() {
            ensure!(Instant::now() >= self.next, "it failed a moment ago");
            let child = Child::start(&self.program, &self.account)?;
            child.stream.set_read_timeout(Some(PATIENCE))?;
            child.stream.set_write_timeout(Some(PATIENCE))?;
            self.child = Some(child);
            self.tell_policy()?;
        }
        let child = self.child.as_mut().context("it does not run")?;
        frames::write(&mut child.stream, &Question::Judge { commands }, MAX_FRAME)?;
        frames::read(&mut child.stream, MAX_FRAME)?.context("it ended")
    }
}

/// Entry of the judging process: its end of the socket pair is standard input. Ends when the keeper
/// does.
///
/// # Errors
/// Where it was not started by a keeper, or still has root's rights beside one.
pub fn judge_main() -> Result<()> {
    let stream = std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .context("standard input is closed")?;
    let mut stream = UnixStream::from(stream);
    ensure!(
        stream.peer_addr().is_ok(),
        "this is started by the sensor, not by hand"
    );
    rustix::thread::set_no_new_privs(true).context("cannot give up new rights")?;
    if std::env::var_os("CMDAI_COURIER_UNPRIVILEGED").is_some() {
        ensure!(
            !rustix::process::getuid().is_root() && !rustix::process::geteuid().is_root(),
            "the judge must not run as root"
        );
    }
    let mut bench = Bench::default();
    while let Ok(Some(question)) = frames::read::<Question>(&mut stream, MAX_FRAME) {
        match question {
            Question::Policy { snapshot, subject } => {
                let bytes = STANDARD.decode(snapshot)?;
                bench = Bench {
                    snapshot: Some(Snapshot::open(&bytes)?),
                    subject: *subject,
                    known: VecDeque::new(),
                };
            }
            Question::Judge { commands } => {
                let answers: Vec<Judged> =
                    commands.iter().map(|asked| bench.judge(asked)).collect();
                frames::write(&mut stream, &answers, MAX_FRAME)?;
            }
        }
    }
    Ok(())
}

/// What the judging process knows.
#[derive(Default)]
struct Bench {
    snapshot: Option<Snapshot>,
    subject: Subject,
    /// The last texts with their answers: builds start the same things again and again.
    known: VecDeque<(String, Judged)>,
}

/// A word as a POSIX shell would have to be given it.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

impl Bench {
    fn judge(&mut self, asked: &Asked) -> Judged {
        let text = asked
            .words
            .iter()
            .map(|word| quote(word))
            .collect::<Vec<_>>()
            .join(" ");
        let key = format!(
            "{text}\0{}\0{}\0{}\0{}",
            asked.cwd.as_deref().unwrap_or_default(),
            asked.user,
            asked.agent.as_deref().unwrap_or_default(),
            asked.script,
        );
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == key) {
            return known.clone();
        }
        let judged = self.fresh(asked, &text);
        self.known.push_front((key, judged.clone()));
        self.known.truncate(64);
        judged
    }

    fn fresh(&self, asked: &Asked, text: &str) -> Judged {
        let cwd = asked.cwd.as_deref().unwrap_or("/");
        let context = Context {
            dialect: Dialect::Sh,
            cwd,
            home: &asked.home,
            user: &asked.user,
            session: &NoSession,
            languages: &NoLanguages,
        };
        let analysis = cmdai_effects::analyse(text, &context);
        let facts = Facts {
            cwd: asked.cwd.clone(),
            home: Some(asked.home.clone()),
            now: Some(crate::clock::text(crate::clock::now())),
            // Nobody is asked anything here: what would be a question stays one, and is no denial.
            terminal: Some(true),
            ..Facts::default()
        };
        let subject = Subject {
            origin: match (&asked.agent, asked.script) {
                (Some(_), _) => cmdai_schema::OriginKind::Agent,
                (None, true) => cmdai_schema::OriginKind::Script,
                (None, false) => cmdai_schema::OriginKind::Human,
            },
            user: asked.user.clone(),
            agent: asked.agent.clone(),
            host_asks: true,
            ..self.subject.clone()
        };
        let layers = Layers {
            organisation: self.snapshot.as_ref(),
            user: None,
        };
        let judgement = decide(&analysis, text, &layers, &facts, &subject);
        let clean = cmdai_redact::redact(text);
        let changed = clean != text;
        let again = changed.then(|| cmdai_effects::analyse(&clean, &context));
        let shown = again.as_ref().unwrap_or(&analysis);
        let capture = self
            .snapshot
            .as_ref()
            .map_or(Some(Capture::Full), |snapshot| {
                cmdai_gate::capture_of(snapshot, cwd, &asked.home)
            });
        let mut effects: Vec<String> = analysis
            .effects
            .iter()
            .map(|effect| effect.kind.name().to_owned())
            .collect();
        effects.sort_unstable();
        effects.dedup();
        let deciding = judgement.deciding_rule();
        // A doubt never ends a process: not about what the command does, not about a fact that the
        // rule asks for. Quarantine is kept at the doors where people are told.
        let denied = judgement.decision == Decision::Deny
            && judgement.certainty == Certainty::Proven
            && !asked.cut
            && asked.cwd.is_some()
            && deciding.is_some_and(|hit| {
                hit.mode == Mode::Enforce
                    && hit.decision == Decision::Deny
                    && hit.id != "org.quarantine"
                    && !hit.reason.contains("cannot be told")
            });
        let keep_text = capture == Some(Capture::Full);
        Judged {
            text: if keep_text {
                short(&clean)
            } else {
                String::new()
            },
            digest: shown.digest.clone(),
            programs: shown.programs(),
            effects,
            policy: PolicyEvaluation {
                decision: judgement.decision,
                reason: deciding
                    .map(|hit| cmdai_redact::redact(&hit.reason).into_owned())
                    .unwrap_or_default(),
                violated_rules: judgement.rules.iter().map(|hit| hit.id.clone()).collect(),
                risk_level: judgement.risk,
                certainty: judgement.certainty,
                policy_id: judgement.policy.id.clone(),
                policy_version: judgement.policy.version.clone(),
                snapshot_digest: judgement.policy.digest.clone(),
                engine_version: ENGINE_VERSION.to_owned(),
                micros: 0,
                monitored: judgement.monitored(),
            },
            denied,
            recorded: capture.is_some(),
            findings_only: capture == Some(Capture::Findings),
        }
    }
}

fn short(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(MAX_TEXT);
    format!(
        "{}…[{} bytes cut]",
        text.get(..end).unwrap_or_default(),
        text.len() - end
    )
}

#[cfg(test)]
mod tests {
    use cmdai_policy::{SnapshotMeta, compile, parse};

    use super::*;

    fn bench(policy: &str) -> Bench {
        let set = parse(policy, "policy.yaml").unwrap();
        let bytes = compile(&set, &SnapshotMeta::default());
        Bench {
            snapshot: Some(Snapshot::open(&bytes).unwrap()),
            ..Bench::default()
        }
    }

    fn ask(words: &[&str]) -> Asked {
        Asked {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            cwd: Some("/home/ann/project".to_owned()),
            home: "/home/ann".to_owned(),
            user: "ann".to_owned(),
            ..Asked::default()
        }
    }

    const POLICY: &str = "version: \"1.0\"\norganization: acme\nsafety:\n  blocked_patterns:\n    - pattern: \"nc .*\"\n      reason: \"No raw sockets\"\nrules:\n  - id: acme.branch\n    when: { program: [deploy], branch: [main] }\n    decision: deny\n    unknown: deny\n    reason: \"not from main\"\n";

    #[test]
    fn only_what_is_denied_without_a_doubt() {
        let mut bench = bench(POLICY);
        assert!(bench.judge(&ask(&["/usr/bin/nc", "-l", "80"])).denied);
        assert!(!bench.judge(&ask(&["/usr/bin/ls"])).denied);
        let unknown = bench.judge(&ask(&["deploy"]));
        assert_eq!(unknown.policy.decision, Decision::Deny, "a fact is missing");
        assert!(!unknown.denied);
        let question = bench.judge(&ask(&["rm", "-rf", "/home/ann/other"]));
        assert!(question.policy.decision > Decision::Warn);
        assert!(!question.denied, "a question is no denial: {question:?}");
        let mut cut = ask(&["nc", "x"]);
        cut.cut = true;
        assert!(!bench.judge(&cut).denied);
        let mut nowhere = ask(&["nc", "x"]);
        nowhere.cwd = None;
        assert!(!bench.judge(&nowhere).denied);
    }

    #[test]
    fn words_stay_words() {
        let mut bench = bench(POLICY);
        let judged = bench.judge(&ask(&["echo", "a; nc -l 80", "$(nc)", "it's", ""]));
        assert_eq!(judged.policy.decision, Decision::Allow, "{judged:?}");
        assert_eq!(judged.text, "echo 'a; nc -l 80' '$(nc)' 'it'\\''s' ''");
        assert!(bench.judge(&ask(&["sh", "-c", "true; nc -l 80"])).denied);
    }

    /// The same words, policy and facts give the same decision here, in `cmdai check` and so in a shell's
    /// module, which is compared with that one.
    #[test]
    fn decides_as_the_other_doors_do() {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/evaluation/commands.jsonl"
        );
        let mut gate = cmdai_gate::batch::gate();
        let mut bench = Bench::default();
        let mut compared = 0;
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let command = row["command"].as_str().unwrap();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+, ".contains(c);
            // What a program is started with: words, and nothing that is left to a shell.
            if !command.chars().all(plain) || row.get("shell").is_some() {
                continue;
            }
            let cwd = row["cwd"].as_str().unwrap_or("/home/user/project");
            let home = row["home"].as_str().unwrap_or("/home/user");
            let agent = row["origin"] == "agent";
            let asked = Asked {
                words: command.split_whitespace().map(str::to_owned).collect(),
                cwd: Some(cwd.to_owned()),
                home: home.to_owned(),
                user: "user".to_owned(),
                agent: agent.then(|| "codex".to_owned()),
                ..Asked::default()
            };
            let here = bench.judge(&asked).policy;
            let row = serde_json::json!({
                "command": command, "shell": "sh", "cwd": cwd, "home": home,
                "origin": if agent { "agent" } else { "human" },
                "facts": {"terminal": true},
            });
            let there = cmdai_gate::batch::judge(&mut gate, &row.to_string(), &NoLanguages);
            let there: serde_json::Value = serde_json::from_str(&there.unwrap()).unwrap();
            let rules: Vec<&str> = (there["rules"].as_array().unwrap().iter())
                .map(|hit| hit["id"].as_str().unwrap())
                .collect();
            assert_eq!(
                (
                    serde_json::json!(here.decision),
                    serde_json::json!(here.risk_level),
                    serde_json::json!(here.certainty),
                    here.violated_rules.iter().map(String::as_str).collect(),
                ),
                (
                    there["decision"].clone(),
                    there["risk"].clone(),
                    there["certainty"].clone(),
                    rules,
                ),
                "{command}"
            );
            compared += 1;
        }
        assert!(compared > 200, "{compared} rows are too few to say much");
    }

    #[test]
    fn nothing_leaves_unredacted_and_capture_levels_hold() {
        let mut full = bench(POLICY);
        let judged = full.judge(&ask(&["mysql", "-pHunter2Hunter2", "-u", "root"]));
        assert!(!format!("{judged:?}").contains("Hunter2"));
        let mut metadata = bench(
            "version: \"1.0\"\norganization: a\nprivacy:\n  capture: metadata\n  never_record: [\"/home/ann/private\"]\n",
        );
        let judged = metadata.judge(&ask(&["ls", "secret-name"]));
        assert!(judged.recorded && judged.text.is_empty());
        let mut there = ask(&["ls"]);
        there.cwd = Some("/home/ann/private/x".into());
        assert!(!metadata.judge(&there).recorded);
    }
}
