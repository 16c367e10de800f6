//! A scripted server on loopback: one canned answer, what was received is kept.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How the server answers.
pub(crate) enum Script {
    /// A status line's number and phrase, a content type and a body.
    Answer(&'static str, &'static str, String),
    /// An answer to a stream: chunks with a pause after each.
    Chunks(Vec<String>, Duration),
    /// Accepts and says nothing.
    Silence,
    /// Bytes that are no HTTP.
    Raw(&'static [u8]),
    /// A content length that never comes.
    Cut(String),
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    received: Receiver<(String, String)>,
}

impl Server {
    /// Serves one connection.
    pub(crate) fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = channel();
        std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            if let Some(request) = read(&stream) {
                let _ = sender.send(request);
            }
            let _ = answer(stream, script);
        });
        Self { address, received }
    }

    /// Head and body of the request.
    pub(crate) fn request(&self) -> (String, String) {
        self.received.recv_timeout(Duration::from_secs(10)).unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn read(stream: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, String::from_utf8(body).ok()?))
}

fn answer(mut stream: TcpStream, script: Script) -> std::io::Result<()> {
    match script {
        Script::Answer(status, kind, body) => write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Script::Chunks(chunks, pause) => {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            )?;
            for chunk in chunks {
                write!(stream, "{:x}\r\n{chunk}\r\n", chunk.len())?;
                stream.flush()?;
                std::thread::sleep(pause);
            }
            write!(stream, "0\r\n\r\n")
        }
        Script::Silence => {
            std::thread::sleep(Duration::from_secs(5));
            Ok(())
        }
        Script::Raw(bytes) => stream.write_all(bytes),
        Script::Cut(body) => write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len() + 100
        ),
    }
}

/// A whole answer with this text.
pub(crate) fn completion(text: &str) -> String {
    serde_json::json!({ "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }] }).to_string()
}

/// The events of a stream with these pieces.
pub(crate) fn events(pieces: &[&str], done: bool) -> Vec<String> {
    let mut events: Vec<String> = vec![
        ": keep-alive\n\n".to_owned(),
        format!(
            "data: {}\n\n",
            serde_json::json!({ "choices": [{ "delta": { "role": "assistant" } }] })
        ),
    ];
    events.extend(pieces.iter().map(|piece| {
        format!(
            "data: {}\n\n",
            serde_json::json!({ "choices": [{ "delta": { "content": piece } }] })
        )
    }));
    if done {
        events.push("data: [DONE]\n\n".to_owned());
    }
    events
}
