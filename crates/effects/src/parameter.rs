//! Variables and what their operators make of them.

use cmdai_shell::{Operator, Tree, Variable};

use crate::{
    analyser::Analyser,
    expand::Fields,
    state::Value,
    value::{Taint, Text},
};

/// What a lookup yields.
enum Found {
    One(String),
    Many(Vec<String>),
    /// Known to be unset.
    Unset,
    Unknown {
        may_be_empty: bool,
        taint: Option<Taint>,
    },
}

impl Analyser<'_> {
    fn lookup(&mut self, name: &str, index: Option<&str>) -> Found {
        if let Some(found) = self.special(name) {
            return found;
        }
        let value = match self.env.get(name) {
            Some(value) => value.clone(),
            None => match self.session_variable(name) {
                Some(value) => value,
                None => {
                    return Found::Unknown {
                        may_be_empty: true,
                        taint: None,
                    };
                }
            },
        };
        if value.unset {
            return Found::Unset;
        }
        if let Some(array) = value.array {
            return match index {
                Some("@" | "*") => Found::Many(array),
                None | Some("0") => array.into_iter().next().map_or(Found::Unset, Found::One),
                Some(number) => match number.trim().parse::<i64>() {
                    Ok(number) => {
                        let len = i64::try_from(array.len()).unwrap_or(i64::MAX);
                        let at =
                            usize::try_from(if number < 0 { len + number } else { number }).ok();
                        at.and_then(|at| array.into_iter().nth(at))
                            .map_or(Found::Unset, Found::One)
                    }
                    Err(_) => Found::Unknown {
                        may_be_empty: true,
                        taint: None,
                    },
                },
            };
        }
        match value.alternatives.len() {
            0 => Found::Unknown {
                may_be_empty: !value.not_empty,
                taint: value.taint,
            },
            len => {
                self.choices = self.choices.max(len);
                let choice = self.choice % len;
                value
                    .alternatives
                    .into_iter()
                    .nth(choice)
                    .map_or(Found::Unset, Found::One)
            }
        }
    }

    fn special(&mut self, name: &str) -> Option<Found> {
        let positional = self.env.positional.as_deref();
        match name {
            "@" | "*" => Some(match positional {
                Some(args) if args.iter().all(|arg| arg.known) => {
                    Found::Many(args.iter().map(|arg| arg.text.clone()).collect())
                }
                Some(_) => Found::Unknown {
                    may_be_empty: true,
                    taint: None,
                },
                // A line that is typed has no arguments.
                None => Found::Many(Vec::new()),
            }),
            "#" => Some(match positional {
                Some(args) => Found::One(args.len().to_string()),
                None => Found::One("0".to_owned()),
            }),
            "?" | "$" | "!" | "-" | "_" | "RANDOM" | "SECONDS" | "LINENO" | "BASHPID" | "PPID" => {
                Some(Found::Unknown {
                    may_be_empty: false,
                    taint: None,
                })
            }
            // `sh -c CODE NAME`
            "0" => Some(match self.env.get("0") {
                Some(value) => match value.alternatives.first() {
                    Some(name) => Found::One(name.clone()),
                    None => Found::Unknown {
                        may_be_empty: false,
                        taint: None,
                    },
                },
                None => Found::One("bash".to_owned()),
            }),
            _ => {
                let number: usize = name.parse().ok()?;
                let arg = positional.and_then(|args| args.get(number.checked_sub(1)?));
                Some(match (arg, positional) {
                    (Some(arg), _) if arg.known => Found::One(arg.text.clone()),
                    (Some(arg), _) => Found::Unknown {
                        may_be_empty: arg.empty.is_some(),
                        taint: arg.taint.clone(),
                    },
                    (None, Some(_)) => Found::Unset,
                    (None, None) => Found::Unknown {
                        may_be_empty: true,
                        taint: None,
                    },
                })
            }
        }
    }

    /// Variables that the text does not set.
    pub(crate) fn session_variable(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.context.session.variable(name) {
            return Some(Value::known(value));
        }
        let known = match name {
            "HOME" => self.context.home,
            "PWD" => self.env.cwd.as_str(),
            "USER" | "LOGNAME" => self.context.user,
            "IFS" => " \t\n",
            "PATH" => "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "SHELL" | "BASH" => "/bin/bash",
            "TERM" => "xterm-256color",
            _ if self.context.session.is_live() => {
                return Some(Value {
                    unset: true,
                    ..Value::default()
                });
            }
            "HOSTNAME" | "LANG" | "DISPLAY" | "EDITOR" | "OLDPWD" | "UID" | "EUID"
            | "BASH_VERSION" | "GITHUB_WORKSPACE" | "PWD_" => {
                return Some(Value {
                    not_empty: true,
                    ..Value::default()
                });
            }
            _ => return None,
        };
        Some(Value::known(known))
    }

    pub(crate) fn expand_variable(
        &mut self,
        tree: &Tree<'_>,
        variable: &Variable<'_>,
        quoted: bool,
        split: bool,
        fields: &mut Fields,
    ) {
        let mut found = if variable.op == Some(Operator::Other) {
            Found::Unknown {
                may_be_empty: true,
                taint: None,
            }
        } else {
            self.lookup(variable.name, variable.index)
        };
        if variable.indirect {
            found = match found {
                Found::One(name) => self.lookup(&name, None),
                _ => Found::Unknown {
                    may_be_empty: true,
                    taint: None,
                },
            };
        }
        if variable.length {
            match found {
                Found::One(text) => fields.push(&text.chars().count().to_string()),
                Found::Many(all) => fields.push(&all.len().to_string()),
                _ => fields.push_unknown(variable.span.of(tree.source), false, None),
            }
            return;
        }
        if self.env.nounset
            && variable.op.is_none()
            && let Found::Unknown { may_be_empty, .. } = &mut found
        {
            // The shell stops at an unset variable; an empty one is still possible, but far away.
            *may_be_empty = false;
        }
        let found = self.operate(tree, variable, found);
        match found {
            Found::One(text) => {
                if quoted || !split {
                    fields.push(&text);
                } else {
                    let separators = self.separators();
                    fields.push_split(&text, &separators);
                }
            }
            Found::Many(all) => {
                let star = variable.name == "*" || variable.index == Some("*");
                if quoted && star || !split && !quoted {
                    fields.push(&all.join(" "));
                } else {
                    fields.push_elements(&all, quoted);
                }
            }
            Found::Unset => {}
            Found::Unknown {
                may_be_empty,
                taint,
            } => fields.push_unknown(variable.span.of(tree.source), may_be_empty, taint),
        }
    }

    fn operate(&mut self, tree: &Tree<'_>, variable: &Variable<'_>, found: Found) -> Found {
        let Some(op) = variable.op else { return found };
        let is_empty = |found: &Found, colon: bool| match found {
            Found::One(text) => colon && text.is_empty(),
            Found::Many(all) => all.is_empty(),
            Found::Unset => true,
            // Where nothing is known about a session, a variable with a default is mostly unset.
            Found::Unknown { may_be_empty, .. } => *may_be_empty,
        };
        match op {
            Operator::Default { colon } => {
                let operand = self.operand(tree, variable);
                if is_empty(&found, colon) {
                    operand
                } else {
                    found
                }
            }
            Operator::Assign { colon } => {
                let operand = self.operand(tree, variable);
                if is_empty(&found, colon) {
                    if let Found::One(text) = &operand {
                        self.env.set(variable.name, Value::known(text.clone()));
                    }
                    operand
                } else {
                    found
                }
            }
            Operator::Alternative { colon } => {
                let operand = self.operand(tree, variable);
                match found {
                    Found::Unset => Found::One(String::new()),
                    Found::One(text) if colon && text.is_empty() => Found::One(String::new()),
                    Found::Many(all) if all.is_empty() => Found::One(String::new()),
                    _ => operand,
                }
            }
            Operator::Error { .. } => {
                self.operand(tree, variable);
                match found {
                    Found::Unknown { taint, .. } => {
                        // From here on it is set.
                        self.env.set(
                            variable.name,
                            Value {
                                not_empty: true,
                                taint: taint.clone(),
                                ..Value::default()
                            },
                        );
                        Found::Unknown {
                            may_be_empty: false,
                            taint,
                        }
                    }
                    other => other,
                }
            }
            _ => {
                let operand = match self.operand(tree, variable) {
                    Found::One(text) => Some(text),
                    _ => None,
                };
                let second = variable.second.as_ref().map(|parts| {
                    let text = self.expand_inner(tree, parts);
                    text.known.then_some(text.text)
                });
                let apply = |text: &str| {
                    transform(
                        op,
                        text,
                        operand.as_deref(),
                        second.as_ref().map(Option::as_deref),
                    )
                };
                match found {
                    Found::One(text) => apply(&text).map_or(
                        Found::Unknown {
                            may_be_empty: true,
                            taint: None,
                        },
                        Found::One,
                    ),
                    Found::Many(all) if op == Operator::Substring => {
                        slice_array(&all, operand.as_deref(), second.flatten().as_deref())
                    }
                    Found::Many(all) => {
                        let changed: Option<Vec<String>> =
                            all.iter().map(|text| apply(text)).collect();
                        changed.map_or(
                            Found::Unknown {
                                may_be_empty: true,
                                taint: None,
                            },
                            Found::Many,
                        )
                    }
                    other => other,
                }
            }
        }
    }

    fn operand(&mut self, tree: &Tree<'_>, variable: &Variable<'_>) -> Found {
        let text: Text = self.expand_inner(tree, &variable.operand);
        if text.known {
            Found::One(text.text)
        } else {
            Found::Unknown {
                may_be_empty: text.empty.is_some(),
                taint: text.taint,
            }
        }
    }
}

fn slice_array(all: &[String], start: Option<&str>, len: Option<&str>) -> Found {
    let Some(start) = start.and_then(|start| start.trim().parse::<usize>().ok()) else {
        return Found::Unknown {
            may_be_empty: true,
            taint: None,
        };
    };
    // For the positional parameters the first one has number 1.
    let rest = all.iter().skip(start.saturating_sub(1));
    Found::Many(match len.and_then(|len| len.trim().parse::<usize>().ok()) {
        Some(len) => rest.take(len).cloned().collect(),
        None => rest.cloned().collect(),
    })
}

/// Applies an operator to a known text; nothing where the result cannot be told.
fn transform(
    op: Operator,
    text: &str,
    operand: Option<&str>,
    second: Option<Option<&str>>,
) -> Option<String> {
    let operand = operand?;
    match op {
        Operator::RemovePrefix { longest } => {
            let mut ends: Vec<usize> = boundaries(text);
            if longest {
                ends.reverse();
            }
            let end = ends
                .into_iter()
                .find(|&end| crate::glob::matches(operand, text.get(..end).unwrap_or("")));
            Some(
                end.and_then(|end| text.get(end..))
                    .unwrap_or(text)
                    .to_owned(),
            )
        }
        Operator::RemoveSuffix { longest } => {
            let mut starts: Vec<usize> = boundaries(text);
            if !longest {
                starts.reverse();
            }
            let start = starts
                .into_iter()
                .find(|&start| crate::glob::matches(operand, text.get(start..).unwrap_or("")));
            Some(
                start
                    .and_then(|start| text.get(..start))
                    .unwrap_or(text)
                    .to_owned(),
            )
        }
        Operator::Replace(kind) => {
            let replacement = match second {
                None => "",
                Some(replacement) => replacement?,
            };
            replace(text, operand, replacement, kind)
        }
        Operator::Substring => {
            let len = i64::try_from(text.chars().count()).ok()?;
            let start = crate::arithmetic::evaluate(operand.trim(), &|_| None)?;
            let start = if start < 0 {
                (len + start).max(0)
            } else {
                start.min(len)
            };
            let count = match second {
                None => len - start,
                Some(count) => {
                    let count = crate::arithmetic::evaluate(count?.trim(), &|_| None)?;
                    if count < 0 {
                        (len + count - start).max(0)
                    } else {
                        count
                    }
                }
            };
            let (start, count) = (usize::try_from(start).ok()?, usize::try_from(count).ok()?);
            Some(text.chars().skip(start).take(count).collect())
        }
        Operator::Case { upper, all } => {
            let change = |next: char| {
                if upper {
                    next.to_uppercase().to_string()
                } else {
                    next.to_lowercase().to_string()
                }
            };
            Some(
                text.chars()
                    .enumerate()
                    .map(|(index, next)| {
                        if all || index == 0 {
                            change(next)
                        } else {
                            next.to_string()
                        }
                    })
                    .collect(),
            )
        }
        Operator::Transform('U') => Some(text.to_uppercase()),
        Operator::Transform('L') => Some(text.to_lowercase()),
        Operator::Transform('E') => Some(cmdai_shell::decode_ansi_c(text)),
        Operator::Transform('P' | 'Q') => Some(text.to_owned()),
        _ => None,
    }
}

fn boundaries(text: &str) -> Vec<usize> {
    // Long texts with patterns are not followed: the work would be their square.
    let mut all: Vec<usize> = text.char_indices().map(|(at, _)| at).take(1024).collect();
    all.push(text.len());
    all
}

fn replace(text: &str, pattern: &str, replacement: &str, kind: char) -> Option<String> {
    if pattern.is_empty() {
        return Some(text.to_owned());
    }
    if !crate::glob::is_pattern(pattern) {
        return Some(match kind {
            '/' => text.replace(pattern, replacement),
            '#' => text
                .strip_prefix(pattern)
                .map_or_else(|| text.to_owned(), |rest| format!("{replacement}{rest}")),
            '%' => text
                .strip_suffix(pattern)
                .map_or_else(|| text.to_owned(), |rest| format!("{rest}{replacement}")),
            _ => text.replacen(pattern, replacement, 1),
        });
    }
    if text.len() > 256 {
        return None;
    }
    let ends = boundaries(text);
    let mut out = String::new();
    let mut at = 0;
    let mut replaced = false;
    while at < text.len() {
        let hit = if replaced && kind != '/' {
            None
        } else {
            ends.iter()
                .rev()
                .copied()
                .filter(|&end| end > at)
                .find(|&end| crate::glob::matches(pattern, text.get(at..end).unwrap_or("")))
        };
        match hit {
            Some(end) if (kind != '#' || at == 0) && (kind != '%' || end == text.len()) => {
                out.push_str(replacement);
                at = end;
                replaced = true;
            }
            _ => {
                let next = text.get(at..).and_then(|rest| rest.chars().next())?;
                out.push(next);
                at += next.len_utf8();
            }
        }
    }
    Some(out)
}
