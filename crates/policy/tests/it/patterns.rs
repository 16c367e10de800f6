//! Shell-aware patterns, both ways: what they must catch and what they must leave alone.

use cmdai_schema::Decision;

use super::support::{ids, snapshot, under};

/// `patterns.toml`: each pattern with commands of both kinds.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    pattern: Vec<Entry>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    pattern: String,
    catches: Vec<String>,
    leaves: Vec<String>,
}

#[test]
fn table() {
    let table: Table = toml::from_str(include_str!("patterns.toml")).unwrap();
    let mut wrong = Vec::new();
    let mut pairs = 0;
    for entry in &table.pattern {
        let policy = snapshot(&format!(
            "version: \"1.0\"\nsafety:\n  blocked_patterns:\n    - pattern: '{}'\n      id: the.pattern\n",
            entry.pattern.replace('\'', "''")
        ));
        let both = [(&entry.catches, true), (&entry.leaves, false)];
        for (commands, caught) in both {
            for command in commands {
                pairs += 1;
                let judgement = under(&policy, command);
                let found = ids(&judgement).contains(&"the.pattern");
                let missed = found && judgement.decision != Decision::Deny;
                if found != caught || missed {
                    wrong.push(format!(
                        "{:32} should {} {command}",
                        entry.pattern,
                        if caught { "catch" } else { "leave" }
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {pairs}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(pairs >= 300, "{pairs}");
}

#[test]
fn regex_is_for_those_who_want_text() {
    let policy = snapshot(
        "version: \"1.0\"\nsafety:\n  blocked_patterns:\n    - regex: '(?i)drop\\s+table'\n      reason: no drops\n",
    );
    assert!(ids(&under(&policy, "echo 'Drop  Table x'")).contains(&"blocked.i-drop-s-table"));
    assert_eq!(under(&policy, "echo 'droptable'").decision, Decision::Allow);
}

/// A pattern as YAML, the line and column of the complaint, and a part of it.
const UNREADABLE: &[(&str, u32, u32, &str)] = &[
    (
        "\"curl .* | bash; ls\"",
        4,
        31,
        "one entry for each command",
    ),
    ("'rm -rf / && ls'", 4, 26, "one pipeline"),
    ("'a || b'", 4, 19, "joins"),
    ("rm -rf / ; ls", 4, 25, "one pipeline"),
    ("|-\n          rm $(cat x)", 5, 14, "name the inner command"),
    ("'rm `cat x`'", 4, 20, "name the inner command"),
    ("'echo x > /etc/passwd'", 4, 24, "effect: [overwrite]"),
    ("'cat < f'", 4, 21, "redirections"),
    ("'cat <<X'", 4, 21, "redirections"),
    ("'( rm )'", 4, 17, "groups"),
    ("'{ rm; }'", 4, 17, "groups"),
    ("'FOO=1 rm'", 4, 17, "assignments"),
    ("'-rf /'", 4, 17, "`*` stands for any"),
    ("'curl |'", 4, 22, "no command behind"),
    ("'| bash'", 4, 17, "in front of"),
    ("'curl | | bash'", 4, 24, "in front of"),
    ("'rm \"x'", 4, 20, "close it"),
    ("'größe \"x'", 4, 23, "close it"),
    ("'rm x\\'", 4, 21, "backslash"),
    ("'a|a|a|a|a|a|a|a|a'", 4, 17, "8 stages"),
    ("'sleep 5 &'", 4, 25, "one pipeline"),
];

#[test]
fn what_cannot_be_read_is_an_error_with_its_place() {
    let mut wrong = Vec::new();
    for (pattern, line, column, part) in UNREADABLE {
        let source =
            format!("version: \"1.0\"\nsafety:\n  blocked_patterns:\n    - pattern: {pattern}\n");
        let Err(errors) = cmdai_policy::parse(&source, "p.yaml") else {
            wrong.push(format!("accepted: {pattern}"));
            continue;
        };
        let error = &errors.0[0];
        let place = (error.line, error.column);
        let whole = format!("{} {}", error.message, error.help.as_deref().unwrap_or(""));
        if place != (*line, *column) || !whole.contains(part) || error.help.is_none() {
            wrong.push(format!("{pattern}: {place:?} {whole}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
