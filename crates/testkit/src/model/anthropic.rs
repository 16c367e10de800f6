//! The Messages interface.

use serde_json::{Value, json};

use super::{Say, count};

pub(super) fn results(body: &Value) -> usize {
    count(body.get("messages"), |message| {
        count(message.get("content"), |block| {
            usize::from(block.get("type").and_then(Value::as_str) == Some("tool_result"))
        })
    })
}

fn block(place: usize, say: &Say) -> (Value, &'static str) {
    match say {
        Say::Call(tool, input) => (
            json!({"type": "tool_use", "id": format!("toolu_{place:02}"), "name": tool, "input": input}),
            "tool_use",
        ),
        Say::Text(text) => (json!({"type": "text", "text": text}), "end_turn"),
    }
}

pub(super) fn message(place: usize, body: &Value, say: &Say) -> Value {
    let (block, stop) = block(place, say);
    json!({"id": format!("msg_{place}"), "type": "message", "role": "assistant",
           "model": body.get("model").cloned().unwrap_or_else(|| json!("scripted")),
           "content": [block], "stop_reason": stop, "stop_sequence": null,
           "usage": {"input_tokens": 10, "output_tokens": 9}})
}

pub(super) fn events(place: usize, body: &Value, say: &Say) -> String {
    let (block, stop) = block(place, say);
    let mut message = message(place, body, say);
    if let Some(fields) = message.as_object_mut() {
        fields.insert("content".to_owned(), json!([]));
        fields.insert("stop_reason".to_owned(), Value::Null);
    }
    let (empty, delta) = match say {
        Say::Call(tool, _) => (
            json!({"type": "tool_use", "id": format!("toolu_{place:02}"), "name": tool, "input": {}}),
            json!({"type": "input_json_delta", "partial_json": block.get("input").map(Value::to_string)}),
        ),
        Say::Text(text) => (
            json!({"type": "text", "text": ""}),
            json!({"type": "text_delta", "text": text}),
        ),
    };
    let events = [
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": empty}),
        json!({"type": "content_block_delta", "index": 0, "delta": delta}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ];
    events
        .iter()
        .map(|data| {
            let name = data.get("type").and_then(Value::as_str).unwrap_or_default();
            format!("event: {name}\ndata: {data}\n\n")
        })
        .collect()
}
