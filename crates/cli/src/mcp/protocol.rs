//! What the protocol asks for: versions, greetings, tools, errors.

use serde_json::{Value, json};

/// Versions that begin with `initialize`, newest first.
const GREETED: &[&str] = &["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/// The version whose requests stand for themselves.
const STATELESS: &str = "2026-07-28";
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";
const CLIENT_KEY: &str = "io.modelcontextprotocol/clientInfo";

/// An error of the protocol.
pub(super) struct Problem {
    code: i64,
    message: String,
    data: Option<Value>,
}

impl Problem {
    pub(super) fn parse(why: &str) -> Self {
        Self::of(-32700, why)
    }

    pub(super) fn request(why: &str) -> Self {
        Self::of(-32600, why)
    }

    pub(super) fn method(name: &str) -> Self {
        Self::of(-32601, &format!("there is no method `{name}`"))
    }

    pub(super) fn params(why: &str) -> Self {
        Self::of(-32602, why)
    }

    fn of(code: i64, why: &str) -> Self {
        Self {
            code,
            message: cmdai_gate::escape(why),
            data: None,
        }
    }
}

/// The answer that carries an error.
pub(super) fn failed(id: &Value, problem: &Problem) -> Value {
    let mut error = json!({"code": problem.code, "message": problem.message});
    if let (Some(data), Some(fields)) = (&problem.data, error.as_object_mut()) {
        fields.insert("data".to_owned(), data.clone());
    }
    json!({"jsonrpc": "2.0", "id": id, "error": error})
}

/// What was agreed with the client.
#[derive(Debug, Default)]
pub(super) struct Session {
    greeted: bool,
    client: String,
    version: Option<String>,
}

impl Session {
    /// Looks at the frame of a request; true where it stands for itself, by the newest version.
    pub(super) fn enter(&mut self, method: &str, params: &Value) -> Result<bool, Problem> {
        let meta = params.get("_meta");
        let asked = meta.and_then(|meta| meta.get(VERSION_KEY)?.as_str());
        match asked {
            Some(STATELESS) => {
                if meta.is_none_or(|meta| meta.get(CAPABILITIES_KEY).is_none()) {
                    return Err(Problem::params(&format!("_meta has no {CAPABILITIES_KEY}")));
                }
                self.meet(meta.and_then(|meta| meta.get(CLIENT_KEY)));
                Ok(true)
            }
            Some(version) if GREETED.contains(&version) => Ok(false),
            Some(version) => Err(Problem {
                data: Some(json!({"requested": version, "supported": versions()})),
                ..Problem::of(-32022, "unsupported protocol version")
            }),
            None if self.greeted || matches!(method, "initialize" | "ping") => Ok(false),
            None => Err(Problem::request("say `initialize` first")),
        }
    }

    /// The first greeting: the version that both speak, else the newest that is spoken here.
    pub(super) fn initialize(&mut self, params: &Value) -> Value {
        self.greeted = true;
        self.meet(params.get("clientInfo"));
        let asked = params.get("protocolVersion").and_then(Value::as_str);
        let version = GREETED
            .iter()
            .find(|version| asked == Some(**version))
            .or(GREETED.first())
            .copied()
            .unwrap_or_default();
        json!({"protocolVersion": version, "capabilities": capabilities(), "serverInfo": server(), "instructions": INSTRUCTIONS})
    }

    fn meet(&mut self, client: Option<&Value>) {
        let text = |key: &str| Some(client?.get(key)?.as_str()?.chars().take(60).collect());
        if let Some(name) = text("name") {
            self.client = name;
            self.version = text("version");
        }
    }

    /// The client's name, as it says.
    pub(super) fn client(&self) -> &str {
        if self.client.is_empty() {
            "unknown"
        } else {
            &self.client
        }
    }

    /// Its version.
    pub(super) fn client_version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

fn versions() -> Vec<&'static str> {
    [STATELESS]
        .into_iter()
        .chain(GREETED.iter().copied())
        .collect()
}

fn capabilities() -> Value {
    json!({"tools": {"listChanged": false}})
}

fn server() -> Value {
    json!({"name": "cmdai", "title": "cmdai", "version": env!("CARGO_PKG_VERSION")})
}

const INSTRUCTIONS: &str = "Ask check_command before a command that deletes, sends or changes things outside the project. A decision of allow or warn runs; confirm needs the person; require_approval needs another person: call request_approval once, then repeat exactly the same command after it was approved. Nothing here runs a command.";

/// Versions and abilities, for clients that do not greet.
pub(super) fn discover() -> Value {
    json!({"resultType": "complete", "supportedVersions": versions(), "capabilities": capabilities(),
           "instructions": INSTRUCTIONS, "ttlMs": 3_600_000, "cacheScope": "public",
           "_meta": {"io.modelcontextprotocol/serverInfo": server()}})
}

const TOOLS: &[(&str, &str, &str)] = &[
    (
        "check_command",
        "Check a command",
        "Says whether a shell command would be allowed here, how risky it is, why, and what is safer. Runs nothing.",
    ),
    (
        "explain_command",
        "Explain a command",
        "Says in plain words what a shell command would do, what it touches and what cannot be told. Runs nothing.",
    ),
    (
        "request_approval",
        "Request an approval",
        "Asks another person to approve a command whose decision is require_approval. Call it once; then repeat exactly the same command after it was approved.",
    ),
];

pub(super) fn is_tool(name: &str) -> bool {
    TOOLS.iter().any(|(known, ..)| *known == name)
}

/// The tools and what they take.
pub(super) fn tools() -> Vec<Value> {
    TOOLS
        .iter()
        .map(|(name, title, description)| {
            let mut fields = json!({
                "command": {"type": "string", "description": "The command as one line of a shell"},
                "cwd": {"type": "string", "description": "Absolute working directory; the server's own where it is left out"},
                "shell": {"type": "string", "enum": ["bash", "zsh", "sh", "fish", "powershell"], "description": "Language of the command; bash where it is left out"},
            });
            let asks = *name == "request_approval";
            if asks && let Some(fields) = fields.as_object_mut() {
                fields.insert("reason".to_owned(), json!({"type": "string", "description": "Why it is needed, for the person who approves"}));
            }
            json!({"name": name, "title": title, "description": description,
                   "inputSchema": {"type": "object", "properties": fields, "required": ["command"], "additionalProperties": false},
                   "annotations": {"readOnlyHint": !asks, "destructiveHint": false, "openWorldHint": asks}})
        })
        .collect()
}
