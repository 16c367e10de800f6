//! Scripted model servers on loopback: the interfaces of Anthropic (Messages), OpenAI (chat and
//! responses) and Gemini, as far as real clients use them. Small and blocking.

mod anthropic;
mod chat;
mod gemini;
mod responses;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Map, Value, json};

/// What the model says when it is its turn.
#[derive(Debug, Clone)]
pub enum Turn {
    /// Text.
    Text(String),
    /// A call of the client's shell tool with this command; the tool is found by its usual names.
    Shell(String),
    /// A call of the first of these tools that the client offers, with these arguments.
    Tool(Vec<&'static str>, Value),
    /// An error with this HTTP status.
    Error(u16),
}

/// One request that a client made.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Path, such as `/v1/messages`.
    pub path: String,
    /// Body.
    pub body: Value,
}

/// What is said in one answer: a text, or a tool's name and arguments.
pub(crate) enum Say {
    Text(String),
    Call(String, Value),
}

/// A running server. Ends when dropped.
#[derive(Debug)]
pub struct ModelServer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Script {
    turns: Vec<Turn>,
    plain: AtomicUsize,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl ModelServer {
    /// Serves all interfaces on a free port of loopback. The n-th turn answers a conversation with
    /// n results of tools in it; conversations without tools get the turns in the order of their
    /// requests. After the last turn the model says it is done.
    ///
    /// # Errors
    /// Where no port is free.
    pub fn start(turns: Vec<Turn>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let script = Arc::new(Script {
            turns,
            plain: AtomicUsize::new(0),
            seen: Arc::clone(&seen),
        });
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                // Clients open connections ahead of time: none may keep another waiting.
                if let Ok(stream) = stream {
                    let script = Arc::clone(&script);
                    std::thread::spawn(move || script.serve(stream));
                }
            }
        });
        Ok(Self {
            address,
            seen,
            stop,
            thread: Some(thread),
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

impl Script {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_ascii_whitespace();
        let method = words.next().unwrap_or("").to_owned();
        let target = words.next().unwrap_or("").to_owned();
        let path = target.split('?').next().unwrap_or("").to_owned();
        let mut length = 0usize;
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = Vec::new();
        reader
            .by_ref()
            .take(length.min(64 * 1024 * 1024) as u64)
            .read_to_end(&mut body)?;
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let mut stream = reader.into_inner();
        if method != "POST" {
            let listed = json!({"object": "list", "data": [{"id": "scripted", "object": "model"}], "has_more": false, "models": []});
            return respond(&mut stream, 200, JSON, &listed.to_string());
        }
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Seen {
                path: path.clone(),
                body: body.clone(),
            });
        let (status, kind, text) = self.answer(&path, &body);
        respond(&mut stream, status, kind, &text)
    }

    fn answer(&self, path: &str, body: &Value) -> (u16, &'static str, String) {
        let streamed = body.get("stream").and_then(Value::as_bool).unwrap_or(false);
        let kind = if streamed { EVENTS } else { JSON };
        if path.ends_with("/count_tokens") {
            return (200, JSON, r#"{"input_tokens":10}"#.to_owned());
        }
        if path.ends_with(":countTokens") {
            return (200, JSON, r#"{"totalTokens":10}"#.to_owned());
        }
        let generate = path.ends_with(":generateContent");
        let stream = path.ends_with(":streamGenerateContent");
        if generate || stream {
            return match self.say(gemini::tools(body), gemini::results(body)) {
                Err(status) => error(status),
                Ok((place, say)) => {
                    let text = gemini::message(place, body, &say).to_string();
                    match stream {
                        true => (200, EVENTS, format!("data: {text}\r\n\r\n")),
                        false => (200, JSON, text),
                    }
                }
            };
        }
        let (tools, results) = match path {
            path if path.ends_with("/messages") => (flat_tools(body), anthropic::results(body)),
            path if path.ends_with("/chat/completions") => (flat_tools(body), chat::results(body)),
            path if path.ends_with("/responses") => (flat_tools(body), responses::results(body)),
            _ => {
                return (
                    404,
                    JSON,
                    r#"{"error":{"message":"no such path"}}"#.to_owned(),
                );
            }
        };
        let (place, say) = match self.say(tools, results) {
            Ok(said) => said,
            Err(status) => return error(status),
        };
        let text = match (path.rsplit('/').next(), streamed) {
            (Some("messages"), true) => anthropic::events(place, body, &say),
            (Some("messages"), false) => anthropic::message(place, body, &say).to_string(),
            (Some("responses"), true) => responses::events(place, body, &say),
            (Some("responses"), false) => responses::message(place, body, &say).to_string(),
            (_, true) => chat::events(place, &say),
            (_, false) => chat::message(place, &say).to_string(),
        };
        (200, kind, text)
    }

    /// Whose turn it is, and what is said then; an HTTP status where the turn is an error.
    fn say(&self, tools: Vec<(String, Value)>, results: usize) -> Result<(usize, Say), u16> {
        let shell = SHELLS
            .iter()
            .find_map(|name| tools.iter().find(|(known, _)| known == name));
        let place = match shell {
            Some(_) => results,
            None => self.plain.fetch_add(1, Ordering::Relaxed),
        };
        let turn = self
            .turns
            .get(place)
            .cloned()
            .unwrap_or_else(|| Turn::Text("done".to_owned()));
        let say = match (turn, shell) {
            (Turn::Error(status), _) => return Err(status),
            (Turn::Shell(command), Some((name, schema))) => {
                Say::Call(name.clone(), arguments(schema, &command, place))
            }
            (Turn::Tool(names, input), Some(_)) => {
                match names
                    .iter()
                    .find(|name| tools.iter().any(|(known, _)| known == *name))
                {
                    Some(name) => Say::Call((*name).to_owned(), input),
                    None => Say::Text(format!("no tool of {names:?} is offered")),
                }
            }
            (Turn::Text(text) | Turn::Shell(text), _) => Say::Text(text),
            (Turn::Tool(names, _), None) => Say::Text(format!("no tool of {names:?} is offered")),
        };
        Ok((place, say))
    }
}

fn error(status: u16) -> (u16, &'static str, String) {
    let text = r#"{"type":"error","error":{"type":"scripted","message":"scripted error"}}"#;
    (status, JSON, text.to_owned())
}

fn respond(stream: &mut TcpStream, status: u16, kind: &str, body: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

/// Names of shell tools, as the real clients give them.
const SHELLS: &[&str] = &[
    "Bash",
    "run_shell_command",
    "bash",
    "exec_command",
    "shell_command",
    "shell",
];

/// Tools with their parameters, where they stand in a flat list, some in named groups.
fn flat_tools(body: &Value) -> Vec<(String, Value)> {
    let listed = |value: &Value| -> Vec<Value> {
        value
            .get("tools")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    listed(body)
        .into_iter()
        .flat_map(|tool| match tool.get("type").and_then(Value::as_str) {
            Some("namespace") => listed(&tool),
            _ => vec![tool],
        })
        .filter_map(|tool| {
            let function = tool.get("function").unwrap_or(&tool);
            let name = function.get("name")?.as_str()?.to_owned();
            let schema = function
                .get("parameters")
                .or_else(|| function.get("input_schema"))
                .cloned()
                .unwrap_or_default();
            Some((name, schema))
        })
        .collect()
}

/// Arguments for a shell tool by its schema: the command where it belongs, something plausible for
/// whatever else has to be there.
fn arguments(schema: &Value, command: &str, place: usize) -> Value {
    let properties = schema.get("properties").cloned().unwrap_or_default();
    let kind = |name: &str| {
        properties
            .get(name)
            .and_then(|property| property.get("type")?.as_str())
            .unwrap_or("string")
            .to_owned()
    };
    let mut fields = Map::new();
    let place_of = ["cmd", "command"]
        .into_iter()
        .find(|name| properties.get(name).is_some())
        .unwrap_or("command");
    let given = match kind(place_of).as_str() {
        "array" => json!(["bash", "-c", command]),
        _ => json!(command),
    };
    fields.insert(place_of.to_owned(), given);
    if properties.get("description").is_some() || properties.as_object().is_none() {
        fields.insert("description".to_owned(), json!(format!("step {place}")));
    }
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for name in required.iter().filter_map(Value::as_str) {
        fields
            .entry(name)
            .or_insert_with(|| match kind(name).as_str() {
                "boolean" => json!(false),
                "integer" | "number" => json!(1000),
                "array" => json!([]),
                _ => json!("scripted"),
            });
    }
    Value::Object(fields)
}

/// How many items of a list of messages are results of tools.
fn count(list: Option<&Value>, is_result: impl Fn(&Value) -> usize) -> usize {
    list.and_then(Value::as_array)
        .map_or(0, |items| items.iter().map(is_result).sum())
}
#[cfg(test)]
mod tests {
    use super::*;

    fn post(server: &ModelServer, path: &str, body: &Value) -> String {
        let mut stream = TcpStream::connect(server.address).unwrap();
        let body = body.to_string();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn turns_follow_the_tool_results() {
        let server = ModelServer::start(vec![
            Turn::Shell("ls".to_owned()),
            Turn::Text("fine".to_owned()),
        ])
        .unwrap();
        let tools = json!([{"name": "Bash"}]);
        let first = post(
            &server,
            "/v1/messages",
            &json!({"tools": tools, "stream": true, "messages": []}),
        );
        assert!(
            first.contains("tool_use") && first.contains("ls"),
            "{first}"
        );
        let again = json!({"tools": tools, "messages": [{"role": "user", "content": [{"type": "tool_result"}]}]});
        assert!(post(&server, "/v1/messages", &again).contains("fine"));
        assert!(post(&server, "/v1/chat/completions", &json!({"messages": []})).contains("\"ls\""));
        assert_eq!(server.seen().len(), 3);
    }
}
