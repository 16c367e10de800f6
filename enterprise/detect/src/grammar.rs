//! The grammar of conditions.
//!
//! ```text
//! condition := expr                                     every event that fits
//!            | expr "then" expr "in" TIME               one after the other, by the rule's key
//!            | METRIC ["where" expr] CMP N ("in" ["last"] | "per") TIME     counted by the key
//!            | "silent_for" ">" TIME                    no contact for longer
//!            | "policy_behind_for" ">" TIME             the newest policy not taken for longer
//!            | "signal" NAME                            said by the server
//! expr      := and ("or" and)*        and := unary ("and" unary)*
//! unary     := "not" unary | "(" expr ")" | METRIC | FIELD OP VALUE | FIELD ["not"] "in" "[" VALUE,… "]"
//! OP        := "==" "=" "is" "!=" ">" ">=" "<" "<=" "contains"
//! METRIC    := events commands agent_commands policy_violations blocked_commands
//!              agent_failures failures approval_requests gap_events
//! FIELD     := event_type decision risk certainty origin agent user team machine hostname program
//!              effect rule text cwd session exit_code allowed asserted_by layer detail.KEY
//! TIME      := N second(s) | minute(s) | hour(s) | day(s) | week(s), short forms too
//! ```
//!
//! Words are not sensitive to case; `CommandBlocked` and `command_blocked` are the same. Where an
//! event has several values of a field (programs, effects, rules), one that fits is enough.
//! Calm commands of one run of a script are one event; it counts for as many as had a record, or failed.
//! A violation is a command that was blocked, or that ran against a monitored rule.

use crate::duration::unit_ms;
use crate::field::Field;

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Equal,
    Unequal,
    More,
    AtLeast,
    Less,
    AtMost,
    Contains,
}

/// A yes-or-no question about one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    /// One of the values fits.
    Test {
        field: Field,
        op: Op,
        values: Vec<String>,
    },
    /// A named set of events.
    Metric(Metric),
}

/// Named sets of events that can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    Events,
    Commands,
    AgentCommands,
    PolicyViolations,
    BlockedCommands,
    AgentFailures,
    Failures,
    ApprovalRequests,
    GapEvents,
}

/// What a rule looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    Each(Expr),
    Sequence {
        first: Expr,
        second: Expr,
        within_ms: u64,
    },
    /// Fires when at least `at_least` events fit within the window.
    Count {
        what: Expr,
        at_least: u64,
        window_ms: u64,
    },
    Silent {
        for_ms: u64,
    },
    PolicyBehind {
        for_ms: u64,
    },
    Signal(String),
}

/// Deepest nesting of brackets.
const MAX_DEPTH: u32 = 32;
/// Highest threshold: each key keeps so many times.
const MAX_THRESHOLD: u64 = 10_000;

/// Reads a condition; the error is a sentence.
pub(crate) fn parse(text: &str) -> Result<Condition, String> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
    };
    let condition = parser.condition()?;
    match parser.peek() {
        None => Ok(condition),
        Some(rest) => Err(format!("`{}` is not expected here", rest.text)),
    }
}

#[derive(Debug, Clone)]
struct Token {
    text: String,
    quoted: bool,
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let (token, quoted, used) = if c == '"' || c == '\'' {
            let inner = rest.get(1..).unwrap_or_default();
            let end = inner
                .find(c)
                .ok_or_else(|| format!("the quote {c} is not closed"))?;
            (
                inner.get(..end).unwrap_or_default().to_owned(),
                true,
                end + 2,
            )
        } else if let Some(op) = [
            "==", "!=", ">=", "<=", "&&", "||", ">", "<", "=", "(", ")", "[", "]", ",", "!",
        ]
        .iter()
        .find(|op| rest.starts_with(**op))
        {
            ((*op).to_owned(), false, op.len())
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || "=!<>()[],&|\"'".contains(c))
                .unwrap_or(rest.len());
            if end == 0 {
                return Err(format!("`{c}` is not expected here"));
            }
            (rest.get(..end).unwrap_or_default().to_owned(), false, end)
        };
        out.push(Token {
            text: token,
            quoted,
        });
        rest = rest.get(used..).unwrap_or_default().trim_start();
    }
    Ok(out)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn peek_second(&self) -> Option<&Token> {
        self.tokens.get(self.at + 1)
    }

    fn next(&mut self, wanted: &str) -> Result<Token, String> {
        let token = self
            .peek()
            .cloned()
            .ok_or_else(|| format!("{wanted} is missing at the end"))?;
        self.at += 1;
        Ok(token)
    }

    /// Takes the word where it comes next.
    fn take(&mut self, words: &[&str]) -> bool {
        let found = self.peek().is_some_and(|token| {
            !token.quoted
                && words
                    .iter()
                    .any(|word| token.text.eq_ignore_ascii_case(word))
        });
        if found {
            self.at += 1;
        }
        found
    }

    fn need(&mut self, word: &str) -> Result<(), String> {
        if self.take(&[word]) {
            return Ok(());
        }
        Err(match self.peek() {
            Some(token) => format!("expected `{word}`, found `{}`", token.text),
            None => format!("`{word}` is missing at the end"),
        })
    }

    fn condition(&mut self) -> Result<Condition, String> {
        if self.take(&["signal"]) {
            return Ok(Condition::Signal(
                self.next("the signal's name")?.text.to_ascii_lowercase(),
            ));
        }
        if self.take(&["silent_for"]) {
            self.need(">")?;
            return Ok(Condition::Silent {
                for_ms: self.time()?,
            });
        }
        if self.take(&["policy_behind_for"]) {
            self.need(">")?;
            return Ok(Condition::PolicyBehind {
                for_ms: self.time()?,
            });
        }
        let counted = self.peek_second().is_some_and(|next| {
            ["where", ">", ">=", "<", "<=", "==", "=", "!="]
                .iter()
                .any(|word| next.text.eq_ignore_ascii_case(word))
        });
        if counted && let Some(metric) = self.metric() {
            return self.count(metric);
        }
        let first = self.expr()?;
        if self.take(&["then"]) {
            let second = self.expr()?;
            if !self.take(&["in", "within"]) {
                return Err("a sequence needs a time: `… then … in 10 minutes`".to_owned());
            }
            return Ok(Condition::Sequence {
                first,
                second,
                within_ms: self.time()?,
            });
        }
        Ok(Condition::Each(first))
    }

    fn metric(&mut self) -> Option<Metric> {
        let metric = metric_of(&self.peek()?.text)?;
        self.at += 1;
        Some(metric)
    }

    fn count(&mut self, metric: Metric) -> Result<Condition, String> {
        let mut what = Expr::Metric(metric);
        if self.take(&["where"]) {
            what = Expr::And(vec![what, self.expr()?]);
        }
        let more = match self.next("a comparison such as `> 10`")?.text.as_str() {
            ">" => 1,
            ">=" => 0,
            other => {
                return Err(format!(
                    "expected `>` or `>=` and a number, found `{other}`"
                ));
            }
        };
        let number = self.next("a number")?.text;
        let at_least = number
            .parse::<u64>()
            .ok()
            .map(|number| number.saturating_add(more).max(1))
            .filter(|number| *number <= MAX_THRESHOLD)
            .ok_or_else(|| format!("expected a number up to {MAX_THRESHOLD}, found `{number}`"))?;
        if self.take(&["in"]) {
            self.take(&["the"]);
            self.take(&["last"]);
        } else if !self.take(&["per", "within"]) {
            return Err("a count needs a time: `… > 10 in last 1 hour`".to_owned());
        }
        Ok(Condition::Count {
            what,
            at_least,
            window_ms: self.time()?,
        })
    }

    fn time(&mut self) -> Result<u64, String> {
        let first = self.next("a time such as `1 hour`")?.text;
        let wrong = || {
            format!("`{first}` is not a time; write `30 seconds`, `10 minutes`, `1 hour`, `2 days`")
        };
        if let Ok(number) = first.parse::<u64>() {
            let unit = self.next("the unit of time")?.text;
            let ms = unit_ms(&unit)
                .and_then(|ms| ms.checked_mul(number))
                .filter(|ms| *ms > 0);
            return ms.ok_or_else(|| format!("`{first} {unit}` is not a time"));
        }
        crate::duration::parse(&first)
            .filter(|ms| *ms > 0)
            .ok_or_else(wrong)
    }

    fn expr(&mut self) -> Result<Expr, String> {
        let mut all = vec![self.and()?];
        while self.take(&["or", "||"]) {
            all.push(self.and()?);
        }
        Ok(one_or(all, Expr::Or))
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut all = vec![self.unary()?];
        while self.take(&["and", "&&"]) {
            all.push(self.unary()?);
        }
        Ok(one_or(all, Expr::And))
    }

    fn unary(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH}"));
        }
        let expr = if self.take(&["not", "!"]) {
            Expr::Not(Box::new(self.unary()?))
        } else if self.take(&["("]) {
            let inner = self.expr()?;
            self.need(")")?;
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn test(&mut self) -> Result<Expr, String> {
        // A metric alone means "is one of these events".
        let alone = self.peek_second().is_none_or(|next| {
            ["and", "or", "then", ")", "&&", "||"]
                .iter()
                .any(|word| next.text.eq_ignore_ascii_case(word))
        });
        if alone && let Some(metric) = self.metric() {
            return Ok(Expr::Metric(metric));
        }
        let name = self.next("a field")?.text;
        let field = Field::from_name(&name).ok_or_else(|| unknown_field(&name))?;
        let negated = self.take(&["not"]);
        if self.take(&["in"]) {
            self.need("[")?;
            let mut values = vec![self.next("a value")?.text];
            while self.take(&[","]) {
                values.push(self.next("a value")?.text);
            }
            self.need("]")?;
            let test = checked(field, Op::Equal, values)?;
            return Ok(if negated {
                Expr::Not(Box::new(test))
            } else {
                test
            });
        }
        if negated {
            return Err(format!("expected `in` after `{name} not`"));
        }
        let op = match self
            .next("a comparison")?
            .text
            .to_ascii_lowercase()
            .as_str()
        {
            "==" | "=" | "is" => Op::Equal,
            "!=" => Op::Unequal,
            ">" => Op::More,
            ">=" => Op::AtLeast,
            "<" => Op::Less,
            "<=" => Op::AtMost,
            "contains" => Op::Contains,
            other => {
                return Err(format!(
                    "`{other}` is not a comparison; one of == != > >= < <= contains in"
                ));
            }
        };
        let value = self.next("a value")?.text;
        checked(field, op, vec![value])
    }
}

/// Refuses what could never be true, so that a typing error does not become a silent rule.
fn checked(field: Field, op: Op, values: Vec<String>) -> Result<Expr, String> {
    for value in &values {
        field.check(op, value)?;
    }
    Ok(Expr::Test { field, op, values })
}

fn one_or(mut all: Vec<Expr>, many: fn(Vec<Expr>) -> Expr) -> Expr {
    match all.pop() {
        Some(only) if all.is_empty() => only,
        Some(last) => {
            all.push(last);
            many(all)
        }
        None => many(all),
    }
}

fn metric_of(name: &str) -> Option<Metric> {
    Some(match name.to_ascii_lowercase().as_str() {
        "events" => Metric::Events,
        "commands" => Metric::Commands,
        "agent_commands" => Metric::AgentCommands,
        "policy_violations" | "violations" => Metric::PolicyViolations,
        "blocked_commands" => Metric::BlockedCommands,
        "agent_failures" => Metric::AgentFailures,
        "failures" => Metric::Failures,
        "approval_requests" => Metric::ApprovalRequests,
        "gap_events" => Metric::GapEvents,
        _ => return None,
    })
}

fn unknown_field(name: &str) -> String {
    format!(
        "`{name}` is not a field; known: {}",
        Field::NAMES.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms() {
        for text in [
            "policy_violations > 10 in last 1 hour",
            "agent_commands > 100 per minute",
            "commands where program == kubectl and origin == agent >= 5 in 30 seconds",
            "event_type == 'CommandBlocked' AND risk_level == 'Critical'",
            "effect == read-secret then effect in [upload, connect] in 10m",
            "not (program == ls or exit_code > 0) && text contains \"rm -rf\"",
            "silent_for > 10 minutes",
            "policy_behind_for > 1h",
            "signal upload_refused",
            "policy_violations and user == root",
            "detail.cause != rotation",
        ] {
            parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
        assert_eq!(
            parse("violations > 10 in last hour").unwrap(),
            Condition::Count {
                what: Expr::Metric(Metric::PolicyViolations),
                at_least: 11,
                window_ms: 3_600_000
            }
        );
    }

    #[test]
    fn refuses_with_a_sentence() {
        for (text, part) in [
            ("", "missing"),
            ("policy_violations > 10", "needs a time"),
            ("policy_violations > many in last hour", "expected a number"),
            ("policy_violations < 10 in last hour", "expected `>`"),
            ("colour == red", "is not a field"),
            ("effect == upload then", "missing"),
            ("effect == upload then effect == delete", "needs a time"),
            ("risk == terrible", "not a value of risk"),
            ("event_type == command_bloked", "not a value of event_type"),
            ("effect == explode", "not a value of effect"),
            ("exit_code > nothing", "whole number"),
            ("text contains 'open", "not closed"),
            ("program == ls ls", "not expected"),
            ("silent_for > 10 parsecs", "not a time"),
            ("(program == ls", "missing"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(parse(&"(".repeat(100_000)).unwrap_err().contains("nested"));
    }
}
