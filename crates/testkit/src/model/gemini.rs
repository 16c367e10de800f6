//! Gemini's interface.

use serde_json::{Value, json};

use super::{Say, count};

/// Tools with their parameters.
pub(super) fn tools(body: &Value) -> Vec<(String, Value)> {
    let groups = body.get("tools").and_then(Value::as_array);
    groups
        .into_iter()
        .flatten()
        .filter_map(|group| group.get("functionDeclarations")?.as_array())
        .flatten()
        .filter_map(|tool| {
            let schema = tool
                .get("parametersJsonSchema")
                .or_else(|| tool.get("parameters"))
                .cloned()
                .unwrap_or_default();
            Some((tool.get("name")?.as_str()?.to_owned(), schema))
        })
        .collect()
}

pub(super) fn results(body: &Value) -> usize {
    count(body.get("contents"), |content| {
        count(content.get("parts"), |part| {
            usize::from(part.get("functionResponse").is_some())
        })
    })
}

pub(super) fn message(place: usize, body: &Value, say: &Say) -> Value {
    let wants_json = body
        .get("generationConfig")
        .and_then(|config| config.get("responseMimeType")?.as_str())
        == Some("application/json");
    let part = match say {
        Say::Call(tool, input) => {
            json!({"functionCall": {"id": format!("call_{place:02}"), "name": tool, "args": input}})
        }
        // The client asks itself which model to take and who speaks next.
        Say::Text(_) if wants_json => {
            json!({"text": json!({"reasoning": "scripted", "next_speaker": "user",
            "model_choice": "flash", "complexity_reasoning": "scripted", "complexity_score": 1}).to_string()})
        }
        Say::Text(text) => json!({"text": text}),
    };
    json!({"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
           "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 9, "totalTokenCount": 19},
           "modelVersion": "scripted"})
}
