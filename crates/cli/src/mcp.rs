//! `cmdai mcp`: a server of the Model Context Protocol on standard input and output, for agents that
//! want to know before they try. It judges, explains and asks for approvals; it never runs anything
//! and never allows anything: what an agent then does still meets its hook.
//!
//! JSON-RPC 2.0, one message a line. Spoken by hand: three tools need no runtime, and Community has
//! none (`docs/decisions/0007-mcp-by-hand.md`).

mod protocol;

use std::collections::HashMap;
use std::io::{BufRead, Read as _, Write};

use cmdai_gate::{Approval, Attribution, Request, origin};
use cmdai_hooks::agents::HARNESSES;
use cmdai_languages::Grammars;
use cmdai_schema::{AgentInfo, Decision, Dialect};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::scene::Scene;
use protocol::{Problem, Session};

/// Longest message that is read, in bytes.
const LIMIT: u64 = 1024 * 1024;

/// Serves until standard input ends.
pub(crate) fn mcp() -> Result<u8, Failure> {
    let mut server = Server {
        scene: Scene::here()?,
        session: Session::default(),
        open: HashMap::new(),
    };
    // Nobody answers at this process's terminal, whatever it was started from.
    server.scene.terminal = false;
    let mut input = std::io::stdin().lock();
    let mut output = std::io::stdout().lock();
    server.serve(&mut input, &mut output).map_err(|error| {
        Failure::failed(
            format!("the client went away: {error}"),
            "start it again from the client",
        )
    })?;
    Ok(0)
}

/// One client and what was agreed with it.
struct Server {
    scene: Scene,
    session: Session,
    /// Requests for approval that were opened here, by folder and command: asking twice would use
    /// the grant up.
    open: HashMap<(String, String), String>,
}

impl Server {
    fn serve(&mut self, input: &mut impl BufRead, output: &mut impl Write) -> std::io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if input.by_ref().take(LIMIT).read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let answer = if line.len() as u64 == LIMIT && !line.ends_with(b"\n") {
                discard_line(input)?;
                let problem = Problem::request("the message is longer than 1 MiB");
                Some(protocol::failed(&Value::Null, &problem))
            } else if line.trim_ascii().is_empty() {
                None
            } else {
                self.message(&line)
            };
            if let Some(answer) = answer {
                writeln!(output, "{answer}")?;
                output.flush()?;
            }
        }
    }

    /// Handles one message. Notifications and answers get no answer.
    fn message(&mut self, line: &[u8]) -> Option<Value> {
        let message: Value = match serde_json::from_slice(line) {
            Ok(message) => message,
            Err(error) => {
                let problem = Problem::parse(&error.to_string());
                return Some(protocol::failed(&Value::Null, &problem));
            }
        };
        let id = message.get("id").cloned();
        let Some(method) = message.get("method").and_then(Value::as_str) else {
            // An answer to a question that was never put, or not a message at all.
            return match (message.is_object(), &id) {
                (true, Some(_)) if message.get("result").or(message.get("error")).is_some() => None,
                _ => Some(protocol::failed(
                    &Value::Null,
                    &Problem::request("this is not a request"),
                )),
            };
        };
        let id = id?; // a notification
        let params = message.get("params").cloned().unwrap_or_default();
        let stateless = match self.session.enter(method, &params) {
            Ok(stateless) => stateless,
            Err(problem) => return Some(protocol::failed(&id, &problem)),
        };
        let result = match method {
            "initialize" => Ok(self.session.initialize(&params)),
            "server/discover" => Ok(protocol::discover()),
            "ping" => Ok(json!({})),
            "tools/list" => Ok(json!({"tools": protocol::tools()})),
            "tools/call" => self.call(&params),
            other => Err(Problem::method(other)),
        };
        Some(match result {
            Ok(mut result) => {
                if stateless && let Some(fields) = result.as_object_mut() {
                    fields.insert("resultType".to_owned(), json!("complete"));
                    if method == "tools/list" {
                        fields.insert("ttlMs".to_owned(), json!(3_600_000));
                        fields.insert("cacheScope".to_owned(), json!("public"));
                    }
                }
                json!({"jsonrpc": "2.0", "id": id, "result": result})
            }
            Err(problem) => protocol::failed(&id, &problem),
        })
    }

    fn call(&mut self, params: &Value) -> Result<Value, Problem> {
        let name = params.get("name").and_then(Value::as_str).unwrap_or("");
        if !protocol::is_tool(name) {
            return Err(Problem::params(&format!("there is no tool `{name}`")));
        }
        let given = params.get("arguments").cloned().unwrap_or_default();
        let text = |key: &str| given.get(key).and_then(Value::as_str);
        let Some(command) = text("command").filter(|command| !command.trim().is_empty()) else {
            return Ok(said_wrong(
                "`command` is missing: the command as one line of a shell",
            ));
        };
        let dialect = match text("shell") {
            None => Dialect::Bash,
            Some(name) => match Dialect::from_name(name) {
                Some(dialect) => dialect,
                None => {
                    return Ok(said_wrong(
                        "`shell` is not one cmdai reads: bash, zsh, sh, fish or powershell",
                    ));
                }
            },
        };
        let place = self.scene.cwd.clone();
        if let Some(cwd) = text("cwd") {
            if !cwd.starts_with('/') {
                return Ok(said_wrong("`cwd` is not an absolute path"));
            }
            cwd.clone_into(&mut self.scene.cwd);
        }
        self.scene.who = self.who();
        let result = match name {
            "check_command" => self.check(command, dialect),
            "explain_command" => self.explain(command, dialect),
            _ => self.approval(command, dialect, text("reason")),
        };
        self.scene.cwd = place;
        Ok(result)
    }

    fn check(&mut self, command: &str, dialect: Dialect) -> Value {
        let judgement = self.scene.judge(command, dialect).judgement;
        let rules: Vec<Value> = judgement
            .rules
            .iter()
            .map(|hit| json!({"id": hit.id, "decision": hit.decision, "risk": hit.risk, "reason": hit.reason, "instead": hit.instead}))
            .collect();
        let mut words = format!(
            "{}, {} risk",
            judgement.decision.as_str(),
            judgement.risk.as_str()
        );
        if let Some(hit) = judgement.deciding_rule() {
            words.push_str(&format!(": {} (rule {})", hit.reason, hit.id));
            if let Some(instead) = &hit.instead {
                words.push_str(&format!(". Safer: {instead}"));
            }
        }
        said(
            &words,
            json!({"decision": judgement.decision, "risk": judgement.risk, "unknown": judgement.unknown,
                   "runs": judgement.decision <= Decision::Warn, "rules": rules, "policy": judgement.policy}),
        )
    }

    fn explain(&mut self, command: &str, dialect: Dialect) -> Value {
        let outcome = self.scene.judge(command, dialect);
        let explanation = crate::explain::explanation(&mut self.scene, command, dialect, &outcome);
        let steps: Vec<&str> = explanation
            .steps
            .iter()
            .map(|step| step.text.as_str())
            .chain(explanation.doubts.iter().map(String::as_str))
            .collect();
        let words = if steps.is_empty() {
            "It changes nothing.".to_owned()
        } else {
            steps.join("\n")
        };
        said(&words, json!(explanation))
    }

    fn approval(&mut self, command: &str, dialect: Dialect, reason: Option<&str>) -> Value {
        let place = (self.scene.cwd.clone(), command.to_owned());
        if let Some(id) = self.open.get(&place) {
            return waiting(id);
        }
        let outcome = self.scene.judge(command, dialect);
        let decision = outcome.judgement.decision;
        if decision != Decision::RequireApproval {
            let words = match decision {
                Decision::Allow | Decision::Warn => "No approval is needed: run it.",
                Decision::Confirm => {
                    "This needs no second person but its own: ask them to run it in their terminal."
                }
                Decision::RequireApproval | Decision::Deny => {
                    "This is denied, and nobody can approve it."
                }
            };
            return said(words, json!({"status": "not-needed", "decision": decision}));
        }
        if !self.scene.governed() {
            return said_wrong(
                "Nobody governs this machine, so there is nobody to approve it: ask the person.",
            );
        }
        let request = Request {
            text: command,
            dialect,
            cwd: &self.scene.cwd,
            home: &self.scene.home,
            user: &self.scene.user,
            session: &cmdai_effects::NoSession,
            languages: &Grammars,
            who: &self.scene.who,
            terminal: false,
            facts: None,
        };
        let session = format!("mcp-{}", std::process::id());
        let reason = reason.map(|reason| reason.chars().take(500).collect());
        match self
            .scene
            .gate
            .approve(&request, &outcome, &session, reason)
        {
            Approval::Pending(info) => {
                let answer = waiting(&info.request_id);
                self.open.insert(place, info.request_id);
                answer
            }
            Approval::Granted(info) => said_wrong(&format!(
                "Request {} had been approved, and asking for it again has used that up. Ask once, then repeat the command.",
                info.request_id
            )),
            Approval::Refused(info) => said_wrong(&format!(
                "Refused: {}",
                info.reason.as_deref().unwrap_or("no reason was given")
            )),
            Approval::Unreachable(error) => {
                said_wrong(&format!("No approval can be asked for: {error}"))
            }
        }
    }

    /// The client, as it names itself: a claim, so it only ever tightens.
    fn who(&self) -> Attribution {
        let client = self.session.client();
        let name = HARNESSES
            .iter()
            .find(|row| {
                client.starts_with(row.name)
                    || row.aliases.iter().any(|alias| client.starts_with(alias))
            })
            .map_or(client, |row| row.name);
        let mut who = origin::hook(AgentInfo {
            name: name.to_owned(),
            version: self.session.client_version().map(str::to_owned),
            ..AgentInfo::default()
        });
        who.origin.confidence = 700;
        who.origin.evidence = vec![format!("mcp:{name}")];
        who
    }
}

fn waiting(id: &str) -> Value {
    said(
        &format!(
            "Request {id} is open: another person has to approve it. Repeat exactly this command once it was approved; do not try another way."
        ),
        json!({"status": "pending", "request_id": id}),
    )
}

/// An answer. Some clients show the model the structured part alone, so the words stand there too.
fn said(words: &str, mut content: Value) -> Value {
    let words = cmdai_gate::escape(words);
    if let Some(fields) = content.as_object_mut() {
        fields.insert("says".to_owned(), json!(words));
    }
    json!({"content": [{"type": "text", "text": words}], "structuredContent": content, "isError": false})
}

fn said_wrong(words: &str) -> Value {
    json!({"content": [{"type": "text", "text": cmdai_gate::escape(words)}], "isError": true})
}

fn discard_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (length, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(length);
        if ended {
            return Ok(());
        }
    }
}
