//! OpenAI's responses interface, which Codex speaks.

use serde_json::{Value, json};

use super::{Say, count};

pub(super) fn results(body: &Value) -> usize {
    count(body.get("input"), |item| {
        let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
        usize::from(kind.ends_with("_call_output"))
    })
}

fn item(place: usize, say: &Say) -> Value {
    match say {
        // A tool that takes free text is called with the text alone.
        Say::Call(tool, Value::String(text)) => {
            json!({"type": "custom_tool_call", "id": format!("ct_{place}"),
            "call_id": format!("call_{place:02}"), "name": tool, "input": text})
        }
        Say::Call(tool, input) => json!({"type": "function_call", "id": format!("fc_{place}"),
            "call_id": format!("call_{place:02}"), "name": tool, "arguments": input.to_string()}),
        Say::Text(text) => {
            json!({"type": "message", "id": format!("m_{place}"), "role": "assistant",
            "content": [{"type": "output_text", "text": text}]})
        }
    }
}

pub(super) fn message(place: usize, body: &Value, say: &Say) -> Value {
    json!({"id": format!("resp_{place}"), "object": "response", "created_at": 0,
           "model": body.get("model"), "status": "completed", "output": [item(place, say)],
           "usage": {"input_tokens": 10, "input_tokens_details": null, "output_tokens": 9,
                     "output_tokens_details": null, "total_tokens": 19}})
}

pub(super) fn events(place: usize, body: &Value, say: &Say) -> String {
    let done = message(place, body, say);
    let item = item(place, say);
    let begun = json!({"id": format!("resp_{place}"), "object": "response", "created_at": 0,
                       "model": body.get("model"), "status": "in_progress", "output": []});
    [
        json!({"type": "response.created", "response": begun}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": done}),
    ]
    .iter()
    .map(|data| {
        let name = data.get("type").and_then(Value::as_str).unwrap_or_default();
        format!("event: {name}\ndata: {data}\n\n")
    })
    .collect()
}
