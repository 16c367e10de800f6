//! What a person reads when a command is stopped, asked about or warned of. At most eight lines,
//! nothing said in colour alone, everything from outside escaped, and never a way around.

use std::collections::VecDeque;
use std::fmt::Write as _;

use cmdai_schema::{Decision, Judgement, Span};

use crate::escape::{columns, escape, push_escaped};
use crate::ids;

/// How and for whom to write.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// May use colour.
    pub colour: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// The recorded command, so that it can be asked about.
    pub command_id: Option<&'a str>,
    /// Somebody governs, so an approval or exception can be asked for.
    pub governed: bool,
    /// Somebody can answer a question here.
    pub can_answer: bool,
    /// An open approval request.
    pub request_id: Option<&'a str>,
}

impl View<'_> {
    /// The way of the terminal on standard error: `NO_COLOR`, `CLICOLOR`, `TERM` and `COLUMNS`.
    pub fn of_terminal(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let capable = rustix::termios::isatty(std::io::stderr())
            && set("TERM").is_some_and(|term| term != "dumb");
        let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let unwanted =
            set("NO_COLOR").is_some() || set("CLICOLOR").is_some_and(|value| value == "0");
        let asked = rustix::termios::tcgetwinsize(std::io::stderr())
            .ok()
            .map(|size| usize::from(size.ws_col))
            .filter(|n| *n > 0);
        let width = asked
            .or_else(|| set("COLUMNS").and_then(|text| text.parse().ok()))
            .unwrap_or(80)
            .clamp(40, 200);
        Self {
            colour: !unwanted && (capable || forced),
            width,
            command_id: None,
            governed: false,
            can_answer: false,
            request_id: None,
        }
    }
}

const BOLD_RED: &str = "\u{1b}[1;31m";
const BOLD_YELLOW: &str = "\u{1b}[1;33m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// The message for a judgement about `text`; empty where it is allowed without a word.
pub fn message(text: &str, judgement: &Judgement, view: &View<'_>) -> String {
    let (word, strong) = match judgement.decision {
        Decision::Allow => return String::new(),
        Decision::Warn => ("careful", BOLD_YELLOW),
        Decision::Confirm if view.can_answer => ("sure?", BOLD_YELLOW),
        Decision::RequireApproval if view.governed => ("needs approval", BOLD_YELLOW),
        _ => ("blocked", BOLD_RED),
    };
    let paint = |code: &str, text: &str| {
        if view.colour {
            format!("{code}{text}{PLAIN}")
        } else {
            text.to_owned()
        }
    };
    let rule = judgement.deciding_rule();
    let span = rule.map_or_else(Span::default, |hit| hit.span);
    let head = format!("cmdai: {word}  ");
    let excerpt = Excerpt::of(text, span, view.width.saturating_sub(head.len() + 1));
    let reason = rule.map_or_else(|| "no reason given".to_owned(), |hit| escape(&hit.reason));

    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}{}",
        paint(strong, head.trim_end()) + "  ",
        excerpt.text
    );
    let indent = head.len() + excerpt.before;
    let carets = "^".repeat(excerpt.under.max(1));
    if indent + carets.len() + 1 + reason.chars().count() <= view.width {
        let _ = writeln!(out, "{:indent$}{} {reason}", "", paint(strong, &carets));
    } else {
        let _ = writeln!(out, "{:indent$}{}", "", paint(strong, &carets));
        let _ = writeln!(out, "  {} {reason}", paint(DIM, "because"));
    }
    if let Some(hit) = rule {
        let version = &judgement.policy.version;
        let owner = match (hit.owner.as_deref(), version.as_str()) {
            (Some(owner), "") => format!("({})", escape(owner)),
            (Some(owner), version) => format!("({}, policy {})", escape(owner), escape(version)),
            (None, _) => format!("({})", escape(&hit.pack)),
        };
        let _ = writeln!(
            out,
            "  {}    {}  {owner}",
            paint(DIM, "rule"),
            escape(&hit.id)
        );
        if let Some(instead) = &hit.instead {
            let _ = writeln!(
                out,
                "  {} {}",
                paint(DIM, "instead"),
                clip(&escape(instead), view.width.saturating_sub(11))
            );
        }
    }
    if let Some(request) = view.request_id {
        let _ = writeln!(
            out,
            "  {} request {} is open; repeat the command once it was approved",
            paint(DIM, "waiting"),
            escape(request)
        );
    } else if judgement.decision == Decision::Confirm && !view.can_answer {
        let _ = writeln!(
            out,
            "  {} a person has to say yes, and nobody can answer here",
            paint(DIM, "needs  ")
        );
    }
    if judgement.decision > Decision::Warn
        && !(judgement.decision == Decision::Confirm && view.can_answer)
    {
        if let (true, None, Some(hit)) = (view.governed, view.request_id, rule) {
            let owner = hit
                .owner
                .as_deref()
                .map(|owner| format!("ask {}", escape(owner)));
            let lifted = can_be_lifted(&hit.id).then(|| {
                format!(
                    "cmdai request --rule {} --for 7d --reason …",
                    escape(&hit.id)
                )
            });
            let room = view.width.saturating_sub(11);
            let way = match (owner, lifted) {
                (Some(owner), Some(lifted)) => {
                    let both = format!("{owner}, or {lifted}");
                    // The owner stands behind the rule already.
                    Some(if both.chars().count() <= room {
                        both
                    } else {
                        lifted
                    })
                }
                (owner, lifted) => lifted.or(owner),
            };
            if let Some(way) = way {
                let _ = writeln!(out, "  {} {way}", paint(DIM, "need it"));
            }
        }
        if let Some(id) = view.command_id {
            let _ = writeln!(
                out,
                "  {}     cmdai why {}",
                paint(DIM, "why"),
                ids::short_id(id)
            );
        }
    }
    out
}

/// An exception can lift the rule: it is not of the floor, and it is not the gate's own word that it
/// cannot judge.
pub fn can_be_lifted(id: &str) -> bool {
    let rules = cmdai_policy::builtin_rules();
    let built_in = rules
        .binary_search_by(|rule| rule.id.cmp(id))
        .ok()
        .and_then(|at| rules.get(at));
    !id.starts_with("gate.") && id != "org.quarantine" && built_in.is_none_or(|rule| !rule.floor)
}

fn clip(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(width.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// The line of the text that a span begins in, escaped, cut to a width around the span.
struct Excerpt {
    text: String,
    /// Columns before the span.
    before: usize,
    /// Columns of the span.
    under: usize,
}

impl Excerpt {
    fn of(text: &str, span: Span, width: usize) -> Self {
        let start = text.floor_char_boundary((span.start as usize).min(text.len()));
        let end = text.floor_char_boundary((span.end as usize).clamp(start, text.len()));
        let line_start = text
            .get(..start)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |at| at + 1);
        let line_end = text
            .get(start..)
            .and_then(|after| after.find('\n'))
            .map_or(text.len(), |at| start + at);
        let pieces = |from: usize, to: usize| -> VecDeque<(String, usize)> {
            text.get(from..to.max(from))
                .unwrap_or_default()
                .chars()
                .map(piece)
                .collect()
        };
        let size = |pieces: &VecDeque<(String, usize)>| {
            pieces.iter().map(|(_, columns)| columns).sum::<usize>()
        };
        let wide = |piece: Option<(String, usize)>| piece.map(|(_, columns)| columns);
        let (mut before, mut under, mut after) = (
            pieces(line_start, start),
            pieces(start, end.min(line_end)),
            pieces(end.min(line_end), line_end),
        );
        let (mut cut_before, mut cut_after) = (line_start > 0, line_end < text.len());
        // Give up what is furthest from the span first: the tail, then the head, then its own end.
        let width = width.saturating_sub(2);
        // Counted as it goes: the line may be as long as an agent likes.
        let (mut behind, mut all) = (size(&after), size(&before) + size(&under) + size(&after));
        while all > width {
            let spare = behind > width / 4 || before.is_empty();
            if spare && let Some(gone) = wide(after.pop_back()) {
                (behind, all) = (behind - gone, all - gone);
                cut_after = true;
            } else if let Some(gone) = wide(before.pop_front()) {
                all -= gone;
                cut_before = true;
            } else if let Some(gone) = wide(under.pop_back()) {
                all -= gone;
                cut_after = true;
            } else {
                break;
            }
        }
        let mut line = String::new();
        if cut_before {
            line.push('…');
        }
        for (piece, _) in before.iter().chain(&under).chain(&after) {
            line.push_str(piece);
        }
        if cut_after {
            line.push('…');
        }
        Self {
            text: line,
            before: size(&before) + usize::from(cut_before),
            under: size(&under),
        }
    }
}

fn piece(c: char) -> (String, usize) {
    let mut text = String::new();
    push_escaped(&mut text, c);
    let columns = text.chars().map(columns).sum();
    (text, columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cmdai_schema::{PolicyRef, Risk, RuleHit};

    fn judged(decision: Decision, span: (u32, u32), instead: Option<&str>) -> Judgement {
        Judgement {
            decision,
            rules: vec![RuleHit {
                id: "data.prod-delete".to_owned(),
                pack: "organisation".to_owned(),
                decision,
                risk: Risk::High,
                mode: cmdai_schema::Mode::Enforce,
                reason: "production data".to_owned(),
                span: span.into(),
                instead: instead.map(str::to_owned),
                owner: Some("Platform Security".to_owned()),
                controls: Vec::new(),
            }],
            policy: PolicyRef {
                id: "acme".to_owned(),
                version: "41".to_owned(),
                digest: None,
            },
            ..Judgement::default()
        }
    }

    fn view<'a>(width: usize, id: Option<&'a str>) -> View<'a> {
        View {
            colour: false,
            width,
            command_id: id,
            governed: true,
            can_answer: false,
            request_id: None,
        }
    }

    #[test]
    fn the_token_is_underlined_and_everything_is_said() {
        let text = "aws s3 rm s3://prod-logs --recursive";
        let id = "0190b5a8-7c1e-7000-8000-0000000fffff";
        let said = message(
            text,
            &judged(Decision::Deny, (10, 24), Some("aws s3 ls s3://prod-logs")),
            &view(80, Some(id)),
        );
        let expected = "\
cmdai: blocked  aws s3 rm s3://prod-logs --recursive
                          ^^^^^^^^^^^^^^ production data
  rule    data.prod-delete  (Platform Security, policy 41)
  instead aws s3 ls s3://prod-logs
  need it cmdai request --rule data.prod-delete --for 7d --reason …
  why     cmdai why 0ZZZZ
";
        assert_eq!(said, expected);
    }

    #[test]
    fn long_and_hostile_texts_stay_small_and_harmless() {
        let text = format!(
            "echo {}\u{1b}]0;x\u{7} \u{202e}; rm -rf /\nsecond",
            "y".repeat(500)
        );
        let at = u32::try_from(text.find("rm -rf /").unwrap()).unwrap();
        let said = message(
            &text,
            &judged(Decision::Deny, (at, at + 8), Some("ls\u{1b}[2J")),
            &view(60, None),
        );
        assert!(said.lines().count() <= 8, "{said}");
        assert!(
            said.chars().all(|c| c == '\n' || !c.is_control()),
            "{said:?}"
        );
        assert!(!said.contains('\u{202e}'));
        let mut lines = said.lines();
        let (first, second) = (lines.next().unwrap(), lines.next().unwrap());
        assert!(first.chars().count() <= 60, "{first}");
        let column = first.chars().take_while(|c| *c != 'r').count();
        assert_eq!(
            second.chars().take_while(|c| *c == ' ').count(),
            first
                .find("rm -rf /")
                .map_or(column, |b| first[..b].chars().count())
        );
    }

    #[test]
    fn spans_outside_the_text_do_no_harm() {
        for span in [(0, 0), (5, 2), (100, 200), (1, 2)] {
            let said = message("é", &judged(Decision::Warn, span, None), &view(40, None));
            assert!(said.starts_with("cmdai: careful"), "{said}");
        }
    }
}
