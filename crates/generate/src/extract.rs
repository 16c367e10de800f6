//! One command out of what a model wrote; prose never becomes a command.

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// One line.
    pub command: String,
    /// What the model said beside it, on one line; may be empty.
    pub explanation: String,
}

/// Longest explanation that is kept, in characters.
const LONGEST: usize = 300;

/// Takes the one command out of a model's text.
///
/// # Errors
/// Says why there is none: prose, several commands, a refusal.
pub fn extract(text: &str) -> Result<Extracted, String> {
    let text = without_thoughts(text);
    let text = text.trim();
    if text.is_empty() {
        return Err("the model answered nothing".to_owned());
    }
    if let Some(found) = from_json(text) {
        return found;
    }
    if let Some((block, around)) = fenced(text) {
        return one_line(&block).map(|command| Extracted {
            command,
            explanation: short(&around),
        });
    }
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if lines.iter().all(|line| line.starts_with('#')) {
        return Err(format!(
            "the model declined: {}",
            short(&lines.join(" ").replace('#', ""))
        ));
    }
    let spans = inline(text);
    if let [only] = spans.as_slice()
        && (lines.len() > 1 || prose(text) || text.trim_matches('`') == only)
    {
        return one_line(only).map(|command| Extracted {
            explanation: if command == text.trim_matches('`') {
                String::new()
            } else {
                short(&text.replace('`', ""))
            },
            command,
        });
    }
    if lines.iter().any(|line| prose(line)) {
        return Err(format!("the model answered in prose: {}", short(text)));
    }
    one_line(text).map(|command| Extracted {
        command,
        explanation: String::new(),
    })
}

fn without_thoughts(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<think>") {
        out.push_str(before);
        rest = after.split_once("</think>").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    // Some templates open the thought themselves.
    out.rsplit_once("</think>")
        .map_or(out.clone(), |(_, after)| after.to_owned())
}

fn from_json(text: &str) -> Option<Result<Extracted, String>> {
    let object = text
        .strip_prefix("```json")
        .map_or(text, |inner| inner.trim_end_matches("```"))
        .trim();
    if !object.starts_with('{') {
        return None;
    }
    let value: serde_json::Value = serde_json::from_str(object).ok()?;
    let field = |name: &str| {
        value
            .get(name)
            .and_then(serde_json::Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    let command = field("command");
    value.get("command")?;
    if command.trim().is_empty() {
        return Some(Err(format!(
            "the model declined: {}",
            short(&field("explanation"))
        )));
    }
    Some(one_line(&command).map(|command| Extracted {
        command,
        explanation: short(&field("explanation")),
    }))
}

/// The first fenced block and the text around it.
fn fenced(text: &str) -> Option<(String, String)> {
    let (before, rest) = text.split_once("```")?;
    let (block, after) = rest.split_once("```").unwrap_or((rest, ""));
    let block = match block.split_once('\n') {
        Some((tag, body))
            if tag
                .trim()
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') =>
        {
            body
        }
        _ => block,
    };
    Some((
        block.to_owned(),
        format!("{} {}", before.trim(), after.replace("```", "").trim()),
    ))
}

fn inline(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|span| !span.trim().is_empty())
        .map(str::to_owned)
        .collect()
}

/// Joins continued lines, drops comments and prompts; more than one line left is an error.
fn one_line(block: &str) -> Result<String, String> {
    let joined = block.replace("\\\r\n", " ").replace("\\\n", " ");
    let lines: Vec<String> = joined
        .lines()
        .map(|line| line.trim())
        .map(|line| {
            line.strip_prefix("$ ")
                .or_else(|| line.strip_prefix("> "))
                .unwrap_or(line)
        })
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_whitespace_outside_quotes())
        .collect();
    match lines.as_slice() {
        [] => Err("the model gave no command".to_owned()),
        [line] if line.chars().any(char::is_control) => {
            Err("the model's command holds control characters".to_owned())
        }
        [line] if prose(line) => Err(format!("the model answered in prose: {}", short(line))),
        [line] => Ok(line.clone()),
        several => Err(format!(
            "the model gave {} lines where one command is wanted",
            several.len()
        )),
    }
}

trait Squeeze {
    fn split_whitespace_outside_quotes(&self) -> String;
}

impl Squeeze for str {
    /// Runs of blanks that joining lines left become one blank; quoted text stays.
    fn split_whitespace_outside_quotes(&self) -> String {
        let mut out = String::with_capacity(self.len());
        let mut quote = None;
        for char in self.chars() {
            match quote {
                Some(open) if char == open => quote = None,
                None if char == '\'' || char == '"' => quote = Some(char),
                _ => {}
            }
            if quote.is_none() && char == ' ' && out.ends_with(' ') && !out.ends_with("\\ ") {
                continue;
            }
            out.push(char);
        }
        out.trim_end().to_owned()
    }
}

/// Reads like a sentence rather than a command.
fn prose(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "i",
        "i'm",
        "you",
        "to",
        "the",
        "this",
        "here",
        "here's",
        "sure",
        "use",
        "sorry",
        "unfortunately",
        "it",
        "as",
        "please",
        "yes",
        "no",
        "there",
        "that",
        "we",
        "however",
        "note",
        "certainly",
        "of",
        "in",
        "if",
        "what",
        "could",
        "can",
        "let's",
        "using",
        "your",
        "a",
        "an",
        "okay",
        "ok",
        "run",
    ];
    let text = text.trim();
    let words: Vec<&str> = text.split_whitespace().collect();
    let first = words
        .first()
        .copied()
        .unwrap_or("")
        .trim_end_matches([',', '!', '.', ':', '?']);
    let capital = first.chars().next().is_some_and(char::is_uppercase)
        && first
            .chars()
            .skip(1)
            .all(|char| char.is_lowercase() || char == '\'');
    let sentence = text.ends_with(['.', '!', '?', ':'])
        && !text.ends_with(" .")
        && !text.ends_with("..")
        && !text.ends_with("/.");
    let start = STARTS.iter().any(|start| first.eq_ignore_ascii_case(start)) && words.len() >= 3;
    let shellish = words
        .iter()
        .skip(1)
        .any(|word| word.starts_with('-') || word.contains(['/', '=', '$', '|', '*']));
    (start && (capital || !shellish || sentence))
        || (capital && words.len() >= 3 && (sentence || !shellish))
        || (sentence && words.len() >= 6 && !shellish)
}

fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(LONGEST).collect();
    cut.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::extract;

    #[test]
    fn commands_come_out() {
        for (text, command) in [
            ("ls -la", "ls -la"),
            ("$ ls -la\n", "ls -la"),
            ("`ls -la`", "ls -la"),
            (
                "```bash\nfind . -name '*.rs' \\\n  -size +1M\n```",
                "find . -name '*.rs' -size +1M",
            ),
            (
                "Here is the command:\n```sh\n# list\nls\n```\nIt lists files.",
                "ls",
            ),
            ("You can use `du -sh .` for that.", "du -sh ."),
            ("<think>hmm, maybe ls</think>\nls -a", "ls -a"),
            (
                "{\"command\": \"df -h\", \"explanation\": \"Shows space.\"}",
                "df -h",
            ),
            ("```ls -l```", "ls -l"),
            (
                "find . -type f -name '*.log' -mtime +7",
                "find . -type f -name '*.log' -mtime +7",
            ),
            ("cat a | sort | uniq -c", "cat a | sort | uniq -c"),
            ("cd ..", "cd .."),
            ("echo 'a  b'", "echo 'a  b'"),
        ] {
            assert_eq!(
                extract(text).map(|found| found.command),
                Ok(command.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn prose_stays_prose() {
        for text in [
            "",
            "I'm sorry, I cannot help with that.",
            "To list the files you would first open a terminal.",
            "# no command does this",
            "The answer depends on your system.",
            "```\nls\npwd\n```",
            "Sure! What kind of files do you mean?",
            "{\"command\": \"\", \"explanation\": \"unclear\"}",
            "<think>never closed",
            "Unfortunately there is no such command",
            "You could use `ls` or `find`.",
        ] {
            assert!(extract(text).is_err(), "{text}: {:?}", extract(text));
        }
    }
}
