//! OpenAI's chat interface, which most other backends and agents speak.

use serde_json::{Value, json};

use super::{Say, count};

pub(super) fn results(body: &Value) -> usize {
    count(body.get("messages"), |message| {
        usize::from(message.get("role").and_then(Value::as_str) == Some("tool"))
    })
}

fn parts(place: usize, say: &Say) -> (Value, &'static str) {
    match say {
        Say::Call(tool, input) => (
            json!({"role": "assistant", "content": null, "tool_calls": [{"index": 0, "id": format!("call_{place:02}"), "type": "function",
                   "function": {"name": tool, "arguments": input.to_string()}}]}),
            "tool_calls",
        ),
        Say::Text(text) => (json!({"role": "assistant", "content": text}), "stop"),
    }
}

pub(super) fn message(place: usize, say: &Say) -> Value {
    let (message, finish) = parts(place, say);
    json!({"id": format!("chat_{place}"), "object": "chat.completion", "created": 0, "model": "scripted",
           "choices": [{"index": 0, "message": message, "finish_reason": finish}],
           "usage": {"prompt_tokens": 10, "completion_tokens": 9, "total_tokens": 19}})
}

pub(super) fn events(place: usize, say: &Say) -> String {
    let (delta, finish) = parts(place, say);
    let chunk = |delta: Value, finish: Value| {
        json!({"id": format!("chat_{place}"), "object": "chat.completion.chunk", "created": 0, "model": "scripted",
               "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
               "usage": {"prompt_tokens": 10, "completion_tokens": 9, "total_tokens": 19}})
    };
    format!(
        "data: {}\n\ndata: {}\n\ndata: [DONE]\n\n",
        chunk(delta, Value::Null),
        chunk(json!({}), json!(finish))
    )
}
