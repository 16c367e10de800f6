//! SQL statements that destroy or change something, by a small tokenizer.

/// What a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Statement {
    Destroy {
        kind: String,
        name: String,
    },
    Change {
        kind: String,
        name: String,
    },
    Credential {
        name: String,
    },
    /// `COPY … PROGRAM`
    Program {
        code: String,
    },
    WriteFile {
        path: String,
    },
    ReadFile {
        path: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(next) = chars.next() {
        if out.len() >= 8_192 {
            break;
        }
        match next {
            '-' if chars.peek() == Some(&'-') => {
                for next in chars.by_ref() {
                    if next == '\n' {
                        break;
                    }
                }
            }
            '#' => {
                for next in chars.by_ref() {
                    if next == '\n' {
                        break;
                    }
                }
            }
            '/' if chars.peek() == Some(&'*') => {
                chars.next();
                // MySQL runs what stands in `/*! … */`.
                if chars.peek() == Some(&'!') {
                    chars.next();
                    continue;
                }
                let mut before = ' ';
                for next in chars.by_ref() {
                    if before == '*' && next == '/' {
                        break;
                    }
                    before = next;
                }
            }
            '\'' => {
                let mut text = String::new();
                while let Some(inner) = chars.next() {
                    if inner == '\'' {
                        if chars.peek() == Some(&'\'') {
                            chars.next();
                        } else {
                            break;
                        }
                    }
                    text.push(inner);
                }
                out.push(Token::Text(text));
            }
            '"' | '`' => {
                let name: String = chars.by_ref().take_while(|inner| *inner != next).collect();
                out.push(Token::Word(name));
            }
            _ if next.is_alphanumeric() || next == '_' => {
                let mut word = String::from(next);
                while let Some(more) = chars
                    .peek()
                    .copied()
                    .filter(|more| more.is_alphanumeric() || matches!(more, '_' | '.' | '$'))
                {
                    word.push(more);
                    chars.next();
                }
                out.push(Token::Word(word));
            }
            _ if next.is_whitespace() => {}
            other => out.push(Token::Mark(other)),
        }
    }
    out
}

/// The statements of a text that matter.
pub(crate) fn statements(text: &str) -> Vec<Statement> {
    let mut out = Vec::new();
    for statement in tokens(text).split(|token| *token == Token::Mark(';')) {
        one(statement, &mut out);
        if out.len() > 256 {
            break;
        }
    }
    out
}

fn one(tokens: &[Token], out: &mut Vec<Statement>) {
    let words: Vec<String> = tokens
        .iter()
        .filter_map(|token| {
            if let Token::Word(word) = token {
                Some(word.clone())
            } else {
                None
            }
        })
        .collect();
    let upper: Vec<String> = words.iter().map(|word| word.to_ascii_uppercase()).collect();
    let at = |index: usize| upper.get(index).map_or("", String::as_str);
    // The name after the words that may stand in front of it.
    let name_after = |from: usize| -> String {
        let skip = upper
            .iter()
            .skip(from)
            .take_while(|word| {
                matches!(
                    word.as_str(),
                    "IF" | "EXISTS"
                        | "NOT"
                        | "ONLY"
                        | "TABLE"
                        | "CONCURRENTLY"
                        | "FROM"
                        | "INTO"
                        | "IGNORE"
                        | "LOW_PRIORITY"
                        | "QUICK"
                )
            })
            .count();
        words.get(from + skip).cloned().unwrap_or_default()
    };
    let has = |word: &str| upper.iter().any(|known| known == word);
    let start = usize::from(at(0) == "EXPLAIN" && at(1) == "ANALYZE") * 2;
    // `WITH x AS (…) DELETE …`
    let start = if at(start) == "WITH" {
        upper
            .iter()
            .position(|word| matches!(word.as_str(), "DELETE" | "UPDATE" | "INSERT"))
            .unwrap_or(start)
    } else {
        start
    };
    match at(start) {
        "DROP" => {
            let kind = if at(start + 1) == "MATERIALIZED" {
                "view"
            } else {
                at(start + 1)
            }
            .to_ascii_lowercase();
            match kind.as_str() {
                "user" | "role" | "login" => out.push(Statement::Credential {
                    name: name_after(start + 2),
                }),
                "schema" | "database" | "table" | "tablespace" | "keyspace" | "column"
                | "owned" | "stage" | "warehouse" | "catalog" | "collection" => {
                    out.push(Statement::Destroy {
                        kind,
                        name: name_after(start + 2),
                    })
                }
                "" => {}
                _ => out.push(Statement::Change {
                    kind,
                    name: name_after(start + 2),
                }),
            }
        }
        "TRUNCATE" => out.push(Statement::Destroy {
            kind: "table".to_owned(),
            name: name_after(start + 1),
        }),
        "DELETE" => {
            let name = name_after(start + 1);
            if has("WHERE") && !always_true(tokens) || has("LIMIT") {
                out.push(Statement::Change {
                    kind: "rows".to_owned(),
                    name,
                });
            } else if at(start + 1) == "FROM" || !name.is_empty() {
                out.push(Statement::Destroy {
                    kind: "rows".to_owned(),
                    name,
                });
            }
        }
        "UPDATE" if has("SET") => {
            let name = name_after(start + 1);
            if has("WHERE") && !always_true(tokens) {
                out.push(Statement::Change {
                    kind: "rows".to_owned(),
                    name,
                });
            } else {
                out.push(Statement::Destroy {
                    kind: "rows".to_owned(),
                    name,
                });
            }
        }
        "INSERT" | "REPLACE" | "MERGE" | "UPSERT" => out.push(Statement::Change {
            kind: "table".to_owned(),
            name: name_after(start + 1),
        }),
        "ALTER" => {
            if matches!(at(start + 1), "USER" | "ROLE" | "LOGIN") {
                out.push(Statement::Credential {
                    name: name_after(start + 2),
                });
            } else if has("DROP") && at(start + 1) == "TABLE" {
                out.push(Statement::Destroy {
                    kind: "column".to_owned(),
                    name: name_after(start + 2),
                });
            } else {
                out.push(Statement::Change {
                    kind: at(start + 1).to_ascii_lowercase(),
                    name: name_after(start + 2),
                });
            }
        }
        "CREATE" if matches!(at(start + 1), "USER" | "ROLE" | "LOGIN") => {
            out.push(Statement::Credential {
                name: name_after(start + 2),
            })
        }
        "CREATE" => out.push(Statement::Change {
            kind: at(start + 1).to_ascii_lowercase(),
            name: name_after(start + 2),
        }),
        "GRANT" | "REVOKE" => out.push(Statement::Credential {
            name: words.last().cloned().unwrap_or_default(),
        }),
        "SET" if at(start + 1) == "PASSWORD" => out.push(Statement::Credential {
            name: "password".to_owned(),
        }),
        "COPY" => {
            let program = tokens.iter().skip_while(|token| !matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("program"))).find_map(|token| if let Token::Text(text) = token { Some(text.clone()) } else { None });
            let file = tokens.iter().find_map(|token| {
                if let Token::Text(text) = token {
                    Some(text.clone())
                } else {
                    None
                }
            });
            match (program, file) {
                (Some(code), _) => out.push(Statement::Program { code }),
                (None, Some(path)) if has("TO") => out.push(Statement::WriteFile { path }),
                (None, Some(path)) => out.push(Statement::ReadFile { path }),
                _ => {}
            }
        }
        "EXEC" | "EXECUTE" if upper.iter().any(|word| word.ends_with("XP_CMDSHELL")) => {
            if let Some(code) = tokens.iter().find_map(|token| {
                if let Token::Text(text) = token {
                    Some(text.clone())
                } else {
                    None
                }
            }) {
                out.push(Statement::Program { code });
            }
        }
        _ => {}
    }
    if let Some(at) = upper
        .iter()
        .position(|word| matches!(word.as_str(), "OUTFILE" | "DUMPFILE"))
    {
        let _ = at;
        if let Some(path) = tokens.iter().rev().find_map(|token| {
            if let Token::Text(text) = token {
                Some(text.clone())
            } else {
                None
            }
        }) {
            out.push(Statement::WriteFile { path });
        }
    }
    if upper
        .iter()
        .any(|word| matches!(word.as_str(), "LOAD_FILE" | "PG_READ_FILE"))
        && let Some(path) = tokens.iter().find_map(|token| {
            if let Token::Text(text) = token {
                Some(text.clone())
            } else {
                None
            }
        })
    {
        out.push(Statement::ReadFile { path });
    }
}

/// `WHERE 1=1`, `WHERE true`.
fn always_true(tokens: &[Token]) -> bool {
    let Some(at) = tokens
        .iter()
        .position(|token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("where")))
    else {
        return false;
    };
    match tokens.get(at + 1..).unwrap_or_default() {
        [Token::Word(word)] => word.eq_ignore_ascii_case("true") || word == "1",
        [left, Token::Mark('='), right] => left == right,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Statement, statements};

    #[test]
    fn shapes() {
        let destroy = |kind: &str, name: &str| {
            vec![Statement::Destroy {
                kind: kind.to_owned(),
                name: name.to_owned(),
            }]
        };
        assert_eq!(
            statements("drop table if exists users"),
            destroy("table", "users")
        );
        assert_eq!(statements("select 'drop table x' -- drop table y"), []);
        assert_eq!(statements("DELETE FROM t"), destroy("rows", "t"));
        assert_eq!(statements("delete from t where 1=1"), destroy("rows", "t"));
        assert_eq!(statements("TRUNCATE TABLE a"), destroy("table", "a"));
        assert_eq!(
            statements("COPY t FROM PROGRAM 'id'"),
            [Statement::Program {
                code: "id".to_owned()
            }]
        );
    }
}
