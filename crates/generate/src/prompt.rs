//! What a model is told.

use crate::Request;

/// Most names and commands of the context that are sent.
const MOST: usize = 20;

/// Instructions, with the system and the shell.
pub(crate) fn system(request: &Request) -> String {
    format!(
        "You turn a request into one {} command line for {}. Answer with the command alone: one line, no explanation, no prompt sign, no Markdown. \
         Prefer programs that are installed. Never add anything that was not asked for. If no single command does it, answer with one line that starts with # and says why.",
        request.shell.as_str(),
        request.os.as_str(),
    )
}

/// The request with its context, before redaction.
pub(crate) fn user(request: &Request) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("{label}: {value}\n"));
        }
    };
    let some = |list: &[String]| {
        list.iter()
            .take(MOST)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    };
    line("Directory", &request.cwd);
    line("Files here", &some(&request.listing));
    let recent = request.history.len().saturating_sub(MOST);
    line(
        "Recent commands",
        &request.history.get(recent..).unwrap_or(&[]).join(" ; "),
    );
    if let Some(failed) = &request.last_failed {
        line("Failed command", &failed.command);
        line("Exit status", &failed.exit_code.to_string());
        let tail: String = failed
            .output
            .chars()
            .rev()
            .take(2000)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        line("Its output", &tail);
    }
    line(
        "Request",
        if request.words.trim().is_empty() && request.last_failed.is_some() {
            "Fix the failed command."
        } else {
            &request.words
        },
    );
    text
}
