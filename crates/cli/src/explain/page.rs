//! The page that a person reads.

use cmdai_gate::render::View;
use cmdai_gate::{Outcome, escape};
use cmdai_schema::{Decision, Mode, RuleHit, Span};

use super::phrase::listed;
use super::{Explanation, deciding_span};
use crate::screen;

/// Prints the whole page.
pub(crate) fn print(text: &str, outcome: &Outcome, explanation: &Explanation) {
    for line in lines(text, outcome, explanation, width()) {
        anstream::println!("{line}");
    }
}

fn width() -> usize {
    View::of_terminal(&|name| std::env::var(name).ok())
        .width
        .min(100)
}

/// The page as lines.
fn lines(text: &str, outcome: &Outcome, explanation: &Explanation, width: usize) -> Vec<String> {
    let judgement = &outcome.judgement;
    let mut out = Vec::new();
    story(text, explanation, width, &mut out);
    let calm = judgement.rules.is_empty();
    let acts = explanation.steps.iter().any(|step| step.acts);
    if calm && !acts && explanation.doubts.is_empty() {
        wrap(
            if explanation.steps.iter().all(|step| step.looks) {
                "Nothing is changed, sent or deleted. It runs without a question."
            } else {
                "Nothing is lost or sent away, as far as can be told. It runs without a question."
            },
            "",
            "",
            width,
            &mut out,
        );
        return out;
    }
    if explanation.irreversible {
        wrap(
            "What is lost this way cannot be brought back.",
            "",
            "",
            width,
            &mut out,
        );
    }
    for leak in &explanation.leaks {
        wrap(leak, "", "", width, &mut out);
    }
    if !explanation.also_reads.is_empty() && acts {
        wrap(
            &format!("It also reads {}.", listed(&explanation.also_reads)),
            "",
            "",
            width,
            &mut out,
        );
    }
    if !explanation.doubts.is_empty() {
        out.push(String::new());
        out.push(screen::bold("Not certain"));
        for doubt in &explanation.doubts {
            wrap(doubt, "  ", "  ", width, &mut out);
        }
    }
    if calm {
        out.push(String::new());
        out.push(format!(
            "{} ({})",
            in_words(judgement.decision),
            screen::decision(judgement.decision)
        ));
        return out;
    }
    out.push(String::new());
    out.push(format!(
        "{} ({}, {} risk)",
        screen::bold(in_words(judgement.decision)),
        screen::decision(judgement.decision),
        screen::risk(judgement.risk)
    ));
    rules(text, outcome, width, &mut out);
    // The techniques of what decided; the JSON has all.
    let decided = |id: &str| {
        judgement
            .rules
            .iter()
            .filter(|hit| hit.decision == judgement.decision)
            .flat_map(|hit| &hit.controls)
            .any(|control| control.strip_prefix("ATT&CK:") == Some(id))
    };
    let techniques: Vec<_> = explanation
        .techniques
        .iter()
        .filter(|technique| decided(&technique.id))
        .collect();
    if !techniques.is_empty() {
        let named: Vec<String> = techniques
            .iter()
            .map(|technique| format!("{} {}", technique.id, technique.name))
            .collect();
        let first = out.len();
        wrap(
            &format!("ATT&CK: {}", named.join(", ")),
            "  ",
            "  ",
            width,
            &mut out,
        );
        for line in out.iter_mut().skip(first) {
            *line = screen::dim(line);
        }
    }
    if !explanation.safer.is_empty() {
        out.push(String::new());
        out.push(screen::bold("Safer"));
        for safer in &explanation.safer {
            out.push(format!("  {}", escape(&safer.command)));
            wrap(&safer.says, "    ", "    ", width, &mut out);
        }
    }
    if let Some(next) = &explanation.next {
        out.push(String::new());
        out.push(screen::bold("To go on"));
        wrap(next, "  ", "  ", width, &mut out);
    }
    out
}

fn in_words(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "It runs without a question",
        Decision::Warn => "It runs, with a warning",
        Decision::Confirm => "You are asked before it runs",
        Decision::RequireApproval => "It waits until somebody else approves it",
        Decision::Deny => "It does not run",
    }
}

fn story(text: &str, explanation: &Explanation, width: usize, out: &mut Vec<String>) {
    let many_lines = text.trim_end().contains('\n');
    let count = explanation.steps.len();
    if count == 0 {
        out.push("It does nothing.".to_owned());
        return;
    }
    for (at, step) in explanation.steps.iter().enumerate() {
        let lead = if many_lines {
            format!("line {:<3} ", step.line)
        } else if count > 1 {
            format!("{}. ", at + 1)
        } else {
            String::new()
        };
        let indent = " ".repeat(lead.chars().count());
        wrap(&step.text, &lead, &indent, width, out);
    }
    if explanation.more_steps > 0 {
        out.push(format!("… and {} more steps", explanation.more_steps));
    }
}

/// The rules that fired, the deciding one with its place in the text.
fn rules(text: &str, outcome: &Outcome, width: usize, out: &mut Vec<String>) {
    let deciding = outcome.judgement.deciding_rule();
    let mut said: Vec<(&str, &str)> = Vec::new();
    let mut lesser: Vec<String> = Vec::new();
    for hit in &outcome.judgement.rules {
        if said.contains(&(hit.id.as_str(), hit.reason.as_str())) {
            continue;
        }
        said.push((&hit.id, &hit.reason));
        let first = deciding.is_some_and(|deciding| std::ptr::eq(deciding, hit));
        if !first && hit.decision < outcome.judgement.decision && hit.mode == Mode::Enforce {
            if !lesser.contains(&hit.id) {
                lesser.push(hit.id.clone());
            }
            continue;
        }
        let indent = " ".repeat(4);
        wrap(&rule_line(hit, first), "  ", &indent, width, out);
        if first && let Some(span) = deciding_span(outcome) {
            out.extend(underlined(text, span, width));
        }
    }
    if !lesser.is_empty() {
        wrap(
            &format!("less weighty: {}", listed(&lesser)),
            "  ",
            "    ",
            width,
            out,
        );
    }
}

fn rule_line(hit: &RuleHit, deciding: bool) -> String {
    let mode = match hit.mode {
        Mode::Monitor => " (only recorded)",
        Mode::Warn => " (only warns)",
        Mode::Off | Mode::Enforce => "",
    };
    let owner = hit
        .owner
        .as_ref()
        .map(|owner| format!(" (owner: {owner})"))
        .unwrap_or_default();
    let lead = if deciding { "because of" } else { "also" };
    format!("{lead} {}: it {}{mode}{owner}", hit.id, hit.reason)
}

/// The line of the text that a span stands in, with marks below the span; cut to the width.
fn underlined(text: &str, span: Span, width: usize) -> Vec<String> {
    let (start, end) = (span.start as usize, span.end as usize);
    let (Some(before), Some(inside)) = (text.get(..start), text.get(start..end)) else {
        return Vec::new();
    };
    if inside.is_empty() {
        return Vec::new();
    }
    let begin = before.rfind('\n').map_or(0, |at| at + 1);
    let stop = text
        .get(start..)
        .and_then(|rest| rest.find('\n'))
        .map_or(text.len(), |at| start + at);
    let head = escape(text.get(begin..start).unwrap_or_default());
    let marked = escape(text.get(start..end.min(stop)).unwrap_or_default());
    let tail = escape(text.get(end.min(stop)..stop).unwrap_or_default());
    let room = width.saturating_sub(6).max(20);
    // What is marked comes first, then as much around it as fits.
    let marked: Vec<char> = marked.chars().collect();
    let cut = marked.len() > room;
    let shown: String = marked
        .iter()
        .take(if cut { room - 1 } else { room })
        .collect();
    let shown = if cut { format!("{shown}…") } else { shown };
    let left = room.saturating_sub(shown.chars().count());
    let head: Vec<char> = head.chars().collect();
    let take = head.len().min(left);
    let from = head.len() - take;
    let mut front: String = head.iter().skip(from).collect();
    if from > 0 {
        front = std::iter::once('…').chain(front.chars().skip(1)).collect();
    }
    let left = left - take;
    let tail_length = tail.chars().count();
    let back: String = if tail_length > left {
        tail.chars()
            .take(left.saturating_sub(1))
            .chain(std::iter::once('…'))
            .take(left)
            .collect()
    } else {
        tail
    };
    let marks = "^".repeat(shown.chars().count().max(1));
    vec![
        format!("    {front}{}{back}", screen::bold(&shown)),
        format!(
            "    {}{}",
            " ".repeat(front.chars().count()),
            screen::red(&marks)
        ),
    ]
}

/// Breaks a text into lines of at most `width` columns, the first after `lead`, the others after
/// `indent`.
fn wrap(text: &str, lead: &str, indent: &str, width: usize, out: &mut Vec<String>) {
    let text = escape(text);
    let mut line = lead.to_owned();
    let mut empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = line.chars().count() + word.chars().count() + usize::from(!empty);
        if !empty && length > width {
            out.push(std::mem::replace(&mut line, indent.to_owned()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out.push(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(lines: Vec<String>) -> Vec<String> {
        lines
            .into_iter()
            .map(|line| anstream::adapter::strip_str(&line).to_string())
            .collect()
    }

    #[test]
    fn the_span_is_marked_within_the_width() {
        let text = "echo one; rm -rf /srv/data; echo two";
        let lines = plain(underlined(text, Span::new(10, 26), 80));
        assert_eq!(
            lines,
            [
                "    echo one; rm -rf /srv/data; echo two",
                "              ^^^^^^^^^^^^^^^^"
            ]
        );
        let long = format!("{} rm -rf / {}", "a".repeat(200), "b".repeat(200));
        for width in [40, 60, 80] {
            let lines = plain(underlined(&long, Span::new(201, 209), width));
            assert!(
                lines.iter().all(|line| line.chars().count() <= width),
                "{lines:?}"
            );
            let at = lines[1].find('^').unwrap();
            let marked: String = lines[0].chars().skip(at).take(8).collect();
            assert_eq!(marked, "rm -rf /");
        }
        let two = "echo a\nrm -rf /";
        assert_eq!(
            plain(underlined(two, Span::new(7, 15), 80)),
            ["    rm -rf /", "    ^^^^^^^^"]
        );
    }

    #[test]
    fn words_wrap_and_long_ones_stay_whole() {
        let mut out = Vec::new();
        wrap("one two three four", "1. ", "   ", 12, &mut out);
        assert_eq!(out, ["1. one two", "   three", "   four"]);
        let mut out = Vec::new();
        wrap(&"x".repeat(50), "", "", 20, &mut out);
        assert_eq!(out.len(), 1);
    }
}
