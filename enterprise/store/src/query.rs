//! The query language of the console: words and fields. Pure.
//!
//! Words match the command's text; fields are `user:`, `machine:` (id or host name), `program:`,
//! `decision:`, `risk:`, `type:`, `origin:`, `agent:`, `rule:`, `session:`, `team:`, `since:90d`. A
//! leading `-` negates; quotes hold spaces together; several values, joined by commas or given by
//! repeating the field, mean any of them. What is not understood is told, never dropped silently.

use cmdai_schema::{Decision, Risk};

/// Longest query that is read, in bytes.
const MAX_QUERY: usize = 2_000;
/// Most clauses in a query.
const MAX_CLAUSES: usize = 40;

/// A field of an event that a query can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Person.
    User,
    /// Machine id or host name.
    Machine,
    /// A program called.
    Program,
    /// Decision.
    Decision,
    /// Risk.
    Risk,
    /// Event type.
    Type,
    /// Human, script, agent.
    Origin,
    /// Agent's name.
    Agent,
    /// A rule that fired.
    Rule,
    /// Session.
    Session,
    /// Team.
    Team,
}

const FIELDS: &[(&str, Field)] = &[
    ("user", Field::User),
    ("machine", Field::Machine),
    ("program", Field::Program),
    ("decision", Field::Decision),
    ("risk", Field::Risk),
    ("type", Field::Type),
    ("origin", Field::Origin),
    ("agent", Field::Agent),
    ("rule", Field::Rule),
    ("session", Field::Session),
    ("team", Field::Team),
];

/// Decisions in the order in which they are numbered in the store.
pub const DECISIONS: [Decision; 5] = [
    Decision::Allow,
    Decision::Warn,
    Decision::Confirm,
    Decision::RequireApproval,
    Decision::Deny,
];
/// Risks in the order in which they are numbered in the store.
pub const RISKS: [Risk; 4] = [Risk::Safe, Risk::Moderate, Risk::High, Risk::Critical];

/// One condition. All conditions of a query must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    /// The text contains this (`true`), or does not.
    Text(String, bool),
    /// The field is one of these (`true`), or none of them.
    Field(Field, Vec<String>, bool),
}

/// A query as understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Conditions.
    pub clauses: Vec<Clause>,
    /// Only this many milliseconds back from now.
    pub since_ms: Option<u64>,
    /// What was not understood, one sentence each.
    pub problems: Vec<String>,
}

/// Reads a query. Never fails; see [`Query::problems`].
pub fn parse(text: &str) -> Query {
    let mut query = Query::default();
    let mut text = text;
    if text.len() > MAX_QUERY {
        query.problems.push(format!(
            "the query is longer than {MAX_QUERY} bytes; the rest was left out"
        ));
        text = text
            .get(..text.floor_char_boundary(MAX_QUERY))
            .unwrap_or("");
    }
    for (word, quoted) in words(text, &mut query.problems) {
        if query.clauses.len() >= MAX_CLAUSES {
            query.problems.push(format!(
                "more than {MAX_CLAUSES} conditions; the rest was left out"
            ));
            break;
        }
        clause(&word, quoted, &mut query);
    }
    query
}

/// Splits at white space outside quotes; a word that begins with a quote is never a field.
fn words(text: &str, problems: &mut Vec<String>) -> Vec<(String, bool)> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut inside, mut begun, mut literal) = (false, false, false);
    for letter in text.chars() {
        match letter {
            '"' => {
                literal |= word.is_empty() || word == "-";
                inside = !inside;
                begun = true;
            }
            space if space.is_whitespace() && !inside => {
                if begun {
                    words.push((std::mem::take(&mut word), literal));
                }
                (begun, literal) = (false, false);
            }
            other => {
                begun = true;
                word.push(other);
            }
        }
    }
    if inside {
        problems.push("a quote is not closed; it was read to the end".to_owned());
    }
    if begun {
        words.push((word, literal));
    }
    words
}

fn clause(word: &str, quoted: bool, query: &mut Query) {
    let (rest, wanted) = match word.strip_prefix('-') {
        Some(rest)
            if !rest.is_empty() && (quoted || named(rest).is_some() || !rest.starts_with('-')) =>
        {
            (rest, false)
        }
        _ => (word, true),
    };
    if rest.is_empty() {
        return;
    }
    if quoted {
        query.clauses.push(Clause::Text(rest.to_owned(), wanted));
        return;
    }
    match named(rest) {
        Some(("since", value)) => match duration_ms(value) {
            Some(ms) if wanted => {
                query.since_ms = Some(query.since_ms.map_or(ms, |there| there.min(ms)))
            }
            _ => query.problems.push(format!(
                "`since:{value}` is not a time span; write 30m, 24h, 90d or 4w"
            )),
        },
        Some((name, value)) => match FIELDS.iter().find(|(known, _)| *known == name) {
            Some((_, field)) => values(*field, name, value, wanted, query),
            None => {
                let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
                query.problems.push(format!(
                    "`{name}:` is not a field; fields are {}, since. Put it in quotes to look for the text",
                    known.join(", ")
                ));
            }
        },
        None => query.clauses.push(Clause::Text(rest.to_owned(), wanted)),
    }
}

/// `name:value` where the name is made of letters; `https://x` and `a:b:c` in paths stay text.
fn named(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once(':')?;
    let letters = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
    (letters && !value.starts_with("//")).then_some((name, value))
}

fn values(field: Field, name: &str, value: &str, wanted: bool, query: &mut Query) {
    let mut list: Vec<String> = Vec::new();
    for value in value.split(',').filter(|value| !value.is_empty()) {
        let known: Option<Vec<&str>> = match field {
            Field::Decision => Some(DECISIONS.iter().map(|decision| decision.as_str()).collect()),
            Field::Risk => Some(RISKS.iter().map(|risk| risk.as_str()).collect()),
            Field::Origin => Some(vec!["human", "script", "agent"]),
            _ => None,
        };
        match known {
            Some(known) if !known.contains(&value) => {
                query.problems.push(format!(
                    "`{value}` is not a {name}; it is one of {}",
                    known.join(", ")
                ));
            }
            _ => list.push(value.to_owned()),
        }
    }
    if list.is_empty() {
        if value.is_empty() {
            query.problems.push(format!("`{name}:` has no value"));
        }
        return;
    }
    let same = query.clauses.iter_mut().find_map(|clause| match clause {
        Clause::Field(there, values, sign) if *there == field && *sign == wanted => Some(values),
        _ => None,
    });
    match same {
        Some(values) => values.extend(list),
        None => query.clauses.push(Clause::Field(field, list, wanted)),
    }
}

fn duration_ms(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let unit_ms: u64 = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        'w' => 7 * 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit_ms).filter(|ms| *ms > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fields_quotes_and_negation() {
        let query = parse(
            r#"user:alice program:terraform -decision:allow "rm -rf" -"git push" since:90d plain"#,
        );
        assert_eq!(query.problems, Vec::<String>::new());
        assert_eq!(query.since_ms, Some(90 * 86_400_000));
        assert_eq!(
            query.clauses,
            vec![
                Clause::Field(Field::User, vec!["alice".into()], true),
                Clause::Field(Field::Program, vec!["terraform".into()], true),
                Clause::Field(Field::Decision, vec!["allow".into()], false),
                Clause::Text("rm -rf".into(), true),
                Clause::Text("git push".into(), false),
                Clause::Text("plain".into(), true),
            ]
        );
    }

    #[test]
    fn several_values_mean_any_of_them() {
        let query = parse("decision:deny,confirm decision:warn");
        let values = vec!["deny".to_owned(), "confirm".to_owned(), "warn".to_owned()];
        assert_eq!(
            query.clauses,
            vec![Clause::Field(Field::Decision, values, true)]
        );
    }

    #[test]
    fn what_is_not_understood_is_told() {
        assert!(parse("decision:maybe").problems[0].contains("is not a decision"));
        assert!(parse("colour:red").problems[0].contains("is not a field"));
        assert!(parse("since:soon").problems[0].contains("time span"));
        assert!(parse("\"open").problems[0].contains("quote"));
        assert!(parse("user:").problems[0].contains("no value"));
    }

    #[test]
    fn addresses_and_flags_are_text() {
        assert_eq!(
            parse("https://x.example").clauses,
            vec![Clause::Text("https://x.example".into(), true)]
        );
        assert_eq!(
            parse("--force").clauses,
            vec![Clause::Text("--force".into(), true)]
        );
        assert_eq!(
            parse("\"user:x\"").clauses,
            vec![Clause::Text("user:x".into(), true)]
        );
        assert_eq!(
            parse("user:\"a b\"").clauses,
            vec![Clause::Field(Field::User, vec!["a b".into()], true)]
        );
    }
}
