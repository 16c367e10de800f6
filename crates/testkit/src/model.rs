//! Scripted model servers on loopback: the Anthropic Messages interface, and the OpenAI chat
//! interface that most other backends and agents speak. Small, blocking, one thread for each.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

/// What the model says when it is its turn.
#[derive(Debug, Clone)]
pub enum Turn {
    /// Text.
    Text(String),
    /// A call of the client's shell tool with this command; the tool is found by its usual names.
    Shell(String),
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

/// A running server. Ends when dropped.
#[derive(Debug)]
pub struct ModelServer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ModelServer {
    /// Serves both interfaces on a free port of loopback. The n-th turn answers a conversation
    /// with n tool results (Anthropic) or n tool messages (OpenAI) in it; conversations without
    /// tools get the turns in the order of their requests. After the last turn the model says it
    /// is done.
    ///
    /// # Errors
    /// Where no port is free.
    pub fn start(turns: Vec<Turn>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (log, stopped) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut plain = 0;
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                if let Ok(stream) = stream {
                    let _ = serve(stream, &turns, &mut plain, &log);
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

fn serve(
    stream: TcpStream,
    turns: &[Turn],
    plain: &mut usize,
    log: &Mutex<Vec<Seen>>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_ascii_whitespace();
    let (method, target) = (
        words.next().unwrap_or("").to_owned(),
        words.next().unwrap_or("").to_owned(),
    );
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
        return respond(&mut stream, 200, "application/json", &listed.to_string());
    }
    log.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Seen {
            path: path.clone(),
            body: body.clone(),
        });
    let streamed = body.get("stream").and_then(Value::as_bool).unwrap_or(false);
    if path.ends_with("/count_tokens") {
        return respond(
            &mut stream,
            200,
            "application/json",
            r#"{"input_tokens":10}"#,
        );
    }
    let anthropic = path.ends_with("/messages");
    if !anthropic && !path.ends_with("/chat/completions") {
        return respond(
            &mut stream,
            404,
            "application/json",
            r#"{"error":{"message":"no such path"}}"#,
        );
    }
    let tool = shell_tool(&body);
    let place = if tool.is_some() {
        results(&body)
    } else {
        *plain += 1;
        *plain - 1
    };
    let turn = turns
        .get(place)
        .cloned()
        .unwrap_or_else(|| Turn::Text("done".to_owned()));
    let turn = match (turn, tool) {
        (Turn::Error(status), _) => {
            return respond(
                &mut stream,
                status,
                "application/json",
                r#"{"type":"error","error":{"type":"scripted","message":"scripted error"}}"#,
            );
        }
        (Turn::Shell(command), Some(tool)) => Ok((tool, command)),
        (Turn::Shell(text), None) | (Turn::Text(text), _) => Err(text),
    };
    match (anthropic, streamed) {
        (true, true) => respond(
            &mut stream,
            200,
            "text/event-stream",
            &anthropic_events(place, &body, &turn),
        ),
        (true, false) => respond(
            &mut stream,
            200,
            "application/json",
            &anthropic_message(place, &body, &turn).to_string(),
        ),
        (false, true) => respond(
            &mut stream,
            200,
            "text/event-stream",
            &openai_events(place, &turn),
        ),
        (false, false) => respond(
            &mut stream,
            200,
            "application/json",
            &openai_message(place, &turn).to_string(),
        ),
    }
}

fn respond(stream: &mut TcpStream, status: u16, kind: &str, body: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

/// The client's shell tool, by the names that the real clients give it.
fn shell_tool(body: &Value) -> Option<String> {
    let names: Vec<&str> = body
        .get("tools")?
        .as_array()?
        .iter()
        .filter_map(|tool| {
            tool.get("name")
                .or_else(|| tool.get("function")?.get("name"))?
                .as_str()
        })
        .collect();
    ["Bash", "run_shell_command", "bash", "shell", "exec_command"]
        .iter()
        .find(|name| names.contains(name))
        .map(|name| (*name).to_owned())
}

/// How many tool results the conversation holds.
fn results(body: &Value) -> usize {
    let messages = body
        .get("messages")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let openai = messages
        .iter()
        .filter(|message| message.get("role").and_then(Value::as_str) == Some("tool"))
        .count();
    let anthropic: usize = messages
        .iter()
        .filter_map(|message| message.get("content")?.as_array())
        .map(|blocks| {
            blocks
                .iter()
                .filter(|block| block.get("type").and_then(Value::as_str) == Some("tool_result"))
                .count()
        })
        .sum();
    openai + anthropic
}

type Say = std::result::Result<(String, String), String>;

fn anthropic_block(place: usize, turn: &Say) -> (Value, &'static str) {
    match turn {
        Ok((tool, command)) => (
            json!({"type": "tool_use", "id": format!("toolu_{place:02}"), "name": tool,
                   "input": {"command": command, "description": format!("step {place}")}}),
            "tool_use",
        ),
        Err(text) => (json!({"type": "text", "text": text}), "end_turn"),
    }
}

fn anthropic_message(place: usize, body: &Value, turn: &Say) -> Value {
    let (block, stop) = anthropic_block(place, turn);
    json!({"id": format!("msg_{place}"), "type": "message", "role": "assistant",
           "model": body.get("model").cloned().unwrap_or_else(|| json!("scripted")),
           "content": [block], "stop_reason": stop, "stop_sequence": null,
           "usage": {"input_tokens": 10, "output_tokens": 9}})
}

fn anthropic_events(place: usize, body: &Value, turn: &Say) -> String {
    let (block, stop) = anthropic_block(place, turn);
    let mut message = anthropic_message(place, body, turn);
    if let Some(fields) = message.as_object_mut() {
        fields.insert("content".to_owned(), json!([]));
        fields.insert("stop_reason".to_owned(), Value::Null);
    }
    let (empty, delta) = match turn {
        Ok((tool, _)) => (
            json!({"type": "tool_use", "id": format!("toolu_{place:02}"), "name": tool, "input": {}}),
            json!({"type": "input_json_delta", "partial_json": block.get("input").map(Value::to_string)}),
        ),
        Err(text) => (
            json!({"type": "text", "text": ""}),
            json!({"type": "text_delta", "text": text}),
        ),
    };
    let events = [
        (
            "message_start",
            json!({"type": "message_start", "message": message}),
        ),
        (
            "content_block_start",
            json!({"type": "content_block_start", "index": 0, "content_block": empty}),
        ),
        (
            "content_block_delta",
            json!({"type": "content_block_delta", "index": 0, "delta": delta}),
        ),
        (
            "content_block_stop",
            json!({"type": "content_block_stop", "index": 0}),
        ),
        (
            "message_delta",
            json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": 9}}),
        ),
        ("message_stop", json!({"type": "message_stop"})),
    ];
    events
        .iter()
        .map(|(name, data)| format!("event: {name}\ndata: {data}\n\n"))
        .collect()
}

fn openai_parts(place: usize, turn: &Say) -> (Value, &'static str) {
    match turn {
        Ok((tool, command)) => (
            json!({"role": "assistant", "content": null, "tool_calls": [{"index": 0, "id": format!("call_{place:02}"), "type": "function",
                   "function": {"name": tool, "arguments": json!({"command": command}).to_string()}}]}),
            "tool_calls",
        ),
        Err(text) => (json!({"role": "assistant", "content": text}), "stop"),
    }
}

fn openai_message(place: usize, turn: &Say) -> Value {
    let (message, finish) = openai_parts(place, turn);
    json!({"id": format!("chat_{place}"), "object": "chat.completion", "created": 0, "model": "scripted",
           "choices": [{"index": 0, "message": message, "finish_reason": finish}],
           "usage": {"prompt_tokens": 10, "completion_tokens": 9, "total_tokens": 19}})
}

fn openai_events(place: usize, turn: &Say) -> String {
    let (delta, finish) = openai_parts(place, turn);
    let chunk = |delta: Value, finish: Value| {
        json!({"id": format!("chat_{place}"), "object": "chat.completion.chunk", "created": 0, "model": "scripted",
               "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    };
    format!(
        "data: {}\n\ndata: {}\n\ndata: [DONE]\n\n",
        chunk(delta, Value::Null),
        chunk(json!({}), json!(finish))
    )
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
