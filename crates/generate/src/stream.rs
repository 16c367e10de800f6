//! The answer of a chat completion, whole or as server-sent events.

use std::io::{BufRead, BufReader, Read};

use serde::Deserialize;

/// Longest answer that is read, in bytes.
pub(crate) const LONGEST: u64 = 256 * 1024;

#[derive(Debug, Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    error: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default, alias = "delta")]
    message: Option<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
}

/// Why reading stopped.
#[derive(Debug)]
pub(crate) enum Broken {
    Read(std::io::Error),
    Garbled(String),
}

impl Completion {
    fn text(self) -> Result<String, Broken> {
        if let Some(error) = self.error {
            let message = error
                .get("message")
                .and_then(serde_json::Value::as_str)
                .map_or_else(|| error.to_string(), str::to_owned);
            return Err(Broken::Garbled(format!("the server reported: {message}")));
        }
        Ok(self
            .choices
            .into_iter()
            .next()
            .and_then(|choice| choice.message)
            .and_then(|message| message.content)
            .unwrap_or_default())
    }
}

/// Reads a whole answer.
pub(crate) fn whole(reader: impl Read, sink: &mut dyn FnMut(&str)) -> Result<String, Broken> {
    let mut bytes = Vec::new();
    reader
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(Broken::Read)?;
    if bytes.len() as u64 > LONGEST {
        return Err(Broken::Garbled("it is too long".to_owned()));
    }
    let completion: Completion =
        serde_json::from_slice(&bytes).map_err(|error| Broken::Garbled(error.to_string()))?;
    if completion.error.is_none() && completion.choices.is_empty() {
        return Err(Broken::Garbled("it has no `choices`".to_owned()));
    }
    let text = completion.text()?;
    sink(&text);
    Ok(text)
}

/// Reads events until `[DONE]` or the end, handing each piece on.
pub(crate) fn events(reader: impl Read, sink: &mut dyn FnMut(&str)) -> Result<String, Broken> {
    let mut reader = BufReader::new(reader.take(LONGEST));
    let mut text = String::new();
    let mut line = String::new();
    let (mut seen, mut done) = (false, false);
    loop {
        line.clear();
        if reader.read_line(&mut line).map_err(Broken::Read)? == 0 {
            break;
        }
        let Some(data) = line.trim_end().strip_prefix("data:").map(str::trim) else {
            continue;
        };
        if data == "[DONE]" {
            done = true;
            break;
        }
        let completion: Completion = serde_json::from_str(data)
            .map_err(|error| Broken::Garbled(format!("an event is not JSON: {error}")))?;
        seen = true;
        let piece = completion.text()?;
        if !piece.is_empty() {
            sink(&piece);
            text.push_str(&piece);
        }
    }
    if !seen && !done {
        return Err(Broken::Garbled("no event came".to_owned()));
    }
    // A cut stream could end in the middle of a path.
    if !done && !text.is_empty() {
        return Err(Broken::Garbled("the stream ended early".to_owned()));
    }
    Ok(text)
}
