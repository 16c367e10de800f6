//! `cmdai knowledge lint`: mistakes in files of the command knowledge, each with its place and cure.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::entry::{File, Program, line_of};
use super::{grammar, short};
use crate::arguments::Format;
use crate::failure::Failure;

/// A mistake.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    /// The file.
    pub(super) file: String,
    /// The line, from 1.
    pub(super) line: usize,
    /// `error`: wrong; `note`: works, but could be better.
    pub(super) severity: &'static str,
    /// The program, where it is one's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) program: String,
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) cure: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = if self.program.is_empty() {
            String::new()
        } else {
            format!("{}: ", self.program)
        };
        write!(
            f,
            "{}:{}: {}: {program}{}\n    {}",
            self.file, self.line, self.severity, self.message, self.cure
        )
    }
}

/// Checks the files, or the built-in ones; 1 where there is an error.
pub(super) fn lint(files: &[PathBuf], format: Format) -> Result<u8, Failure> {
    let sources: Vec<(String, String)> = if files.is_empty() {
        cmdai_effects::knowledge_files()
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    } else {
        files
            .iter()
            .map(|file| {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| Failure::file("read", file, &error))?;
                Ok((file.display().to_string(), text))
            })
            .collect::<Result<_, Failure>>()?
    };
    let problems = check(&sources);
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == "error")
        .count();
    for problem in &problems {
        match format {
            Format::Json => anstream::println!("{}", serde_json::json!(problem)),
            Format::Human => anstream::println!("{problem}"),
        }
    }
    if format == Format::Human {
        let of = |count: usize, what: &str| {
            format!("{count} {what}{}", if count == 1 { "" } else { "s" })
        };
        anstream::println!(
            "{}: {}, {}",
            of(sources.len(), "file"),
            of(errors, "error"),
            of(problems.len() - errors, "note")
        );
    }
    Ok(u8::from(errors > 0))
}

/// Every problem of the files, in order.
pub(super) fn check(sources: &[(String, String)]) -> Vec<Problem> {
    let mut out = Vec::new();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    // Names of the built-in files count too, except of those that are being checked.
    for (name, text) in cmdai_effects::knowledge_files() {
        let checked = sources
            .iter()
            .any(|(file, _)| file.rsplit('/').next() == Some(*name));
        if let (false, Ok(file)) = (checked, toml::from_str::<File>(text)) {
            for known in file.program.iter().flat_map(|program| {
                let style = program.style();
                let names = program.names.get_ref().iter();
                names.map(move |known| compared(known.get_ref(), style))
            }) {
                names.insert(known, (*name).to_owned());
            }
        }
    }
    for (file, text) in sources {
        let mut linter = Linter {
            file,
            text,
            built_in: cmdai_effects::knowledge_files()
                .iter()
                .any(|(_, known)| known == text),
            out: &mut out,
        };
        linter.file(&mut names);
    }
    out
}

struct Linter<'a> {
    file: &'a str,
    text: &'a str,
    /// The engine was built with this very text, so that its examples can be run.
    built_in: bool,
    out: &'a mut Vec<Problem>,
}

impl Linter<'_> {
    fn say(
        &mut self,
        severity: &'static str,
        at: usize,
        program: &str,
        message: String,
        cure: &str,
    ) {
        self.out.push(Problem {
            file: self.file.to_owned(),
            line: line_of(self.text, at),
            severity,
            program: program.to_owned(),
            message,
            cure: cure.to_owned(),
        });
    }

    fn error(&mut self, at: usize, program: &str, message: impl Into<String>, cure: &str) {
        self.say("error", at, program, message.into(), cure);
    }

    fn file(&mut self, names: &mut BTreeMap<String, String>) {
        // The grammar's own reader knows every key.
        if let Err(error) = toml::from_str::<grammar::File>(self.text) {
            let at = error.span().map_or(0, |span| span.start);
            self.error(
                at,
                "",
                error.message().to_owned(),
                "the keys of a file stand in crates/effects/knowledge/README.md",
            );
            return;
        }
        let Ok(read) = toml::from_str::<File>(self.text) else {
            return;
        };
        for program in &read.program {
            self.names(program, names);
            self.grammar(program);
            self.rules(program);
            self.examples(program);
        }
        let examples = read
            .program
            .iter()
            .any(|program| !program.examples.is_empty());
        if !self.built_in && examples {
            self.say(
                "note",
                0,
                "",
                "its examples were not run, for this cmdai was not built with it".to_owned(),
                "put it into crates/effects/knowledge and run: cargo test -p cmdai-effects",
            );
        }
    }

    fn names(&mut self, program: &Program, names: &mut BTreeMap<String, String>) {
        if program.names.get_ref().is_empty() {
            self.error(
                program.names.span().start,
                "",
                "a program needs a name",
                "write names = [\"NAME\"]",
            );
        }
        for name in program.names.get_ref() {
            let at = name.span().start;
            let text = name.get_ref();
            if text.is_empty() || text.contains(char::is_whitespace) {
                self.error(
                    at,
                    program.name(),
                    format!("`{text}` is no name of a program"),
                    "a name is one word, without a folder",
                );
            }
            if let Some(other) = names.insert(compared(text, program.style()), self.file.to_owned())
            {
                let message = format!("{text} is described twice, also in {other}");
                self.error(
                    at,
                    program.name(),
                    message,
                    "keep one of the two, or join them",
                );
            }
        }
    }

    fn grammar(&mut self, program: &Program) {
        let own = program
            .options
            .iter()
            .chain(program.sub.iter().filter_map(|sub| sub.options.as_ref()));
        for options in own {
            for token in options.get_ref().split_whitespace() {
                if let Err(error) = grammar::options(&mut grammar::Pools::default(), token) {
                    let at = self.place(options.span().start, token);
                    self.error(at, program.name(), error.to_string(), "write -s,--long, with = where a value follows and ? where one may be attached");
                }
            }
            let mut seen: Vec<&str> = Vec::new();
            for option in super::entry::options(options.get_ref()) {
                for name in option.names {
                    if seen.contains(&name) {
                        let at = self.place(options.span().start, name);
                        self.error(
                            at,
                            program.name(),
                            format!("the option {name} is declared twice"),
                            "take one of them out",
                        );
                    }
                    seen.push(name);
                }
            }
        }
        if let Some(style) = &program.style
            && !matches!(
                style.get_ref().as_str(),
                "" | "gnu" | "posix" | "long" | "raw" | "cmdlet" | "slash" | "cmd"
            )
        {
            self.error(
                style.span().start,
                program.name(),
                format!("no such style: {}", style.get_ref()),
                "the styles are gnu, posix, long, raw, cmdlet, slash and cmd",
            );
        }
        if let Some(wrap) = &program.wrap
            && let Err(error) = grammar::wrap(wrap.get_ref())
        {
            self.error(
                wrap.span().start,
                program.name(),
                error.to_string(),
                "write argv or shell, then how many operands stand in front",
            );
        }
        if let Some(handler) = &program.handler
            && !cmdai_effects::handlers().any(|known| known == handler.get_ref())
            && !handler.get_ref().is_empty()
        {
            let known: Vec<&str> = cmdai_effects::handlers().collect();
            self.error(
                handler.span().start,
                program.name(),
                format!("no such handler: {}", handler.get_ref()),
                &format!("the handlers are {}", known.join(", ")),
            );
        }
    }

    fn rules(&mut self, program: &Program) {
        for rule in &program.rules {
            let at = rule.span().start;
            if let Err(error) =
                grammar::compile_rule(&mut grammar::Pools::default(), rule.get_ref())
            {
                self.error(
                    at,
                    program.name(),
                    format!("{}: {error}", rule.get_ref()),
                    "a rule is WORDS [CONDITIONS] => EFFECT ARGUMENTS; the README of the folder lists them",
                );
                continue;
            }
            for name in asked_values(rule.get_ref()) {
                let mut found = program
                    .declared()
                    .filter(|option| option.flag == name)
                    .peekable();
                let message = if found.peek().is_none() {
                    format!("the rule asks for the value of `{name}`, which no option declares")
                } else if !found.any(|option| option.takes.is_some()) {
                    format!("the rule asks for the value of `{name}`, which takes none")
                } else {
                    continue;
                };
                // Clients of clouds share options that are declared for all of them.
                let shared = program
                    .handler
                    .as_ref()
                    .is_some_and(|handler| handler.get_ref() == "cloud");
                if !shared {
                    self.say("note", at, program.name(), message, "declare it with = behind its names, or else only --name=VALUE is understood");
                }
            }
        }
    }

    fn examples(&mut self, program: &Program) {
        if program.examples.is_empty() {
            self.say(
                "note",
                program.names.span().start,
                program.name(),
                "has no examples".to_owned(),
                "add one that does something and one that does not: the tests run them",
            );
        }
        for example in &program.examples {
            let at = example.run.span().start;
            let run = example.run.get_ref();
            let called = program
                .names
                .get_ref()
                .iter()
                .any(|name| calls(run, name.get_ref(), program.style()));
            if !called {
                self.say(
                    "note",
                    at,
                    program.name(),
                    format!("the example calls something else: {run}"),
                    "an example calls the program by one of its names",
                );
            }
            if !self.built_in {
                continue;
            }
            let mut found = short::lines(run, program.dialect(self.file));
            let mut expected = example.effects.clone();
            found.sort();
            expected.sort();
            if found != expected {
                self.error(
                    at,
                    program.name(),
                    format!("`{run}` does {found:?}, not {expected:?}"),
                    "mend the rules or the example",
                );
            }
        }
    }

    /// Where a word stands behind a place.
    fn place(&self, from: usize, word: &str) -> usize {
        self.text
            .get(from..)
            .and_then(|rest| rest.find(word))
            .map_or(from, |at| from + at)
    }
}

/// A name as it is compared with others: cmdlets, and what cmd.exe does itself, are looked up in
/// tables of their own, without case.
fn compared(name: &str, style: &str) -> String {
    match style {
        "cmdlet" => format!("cmdlet:{}", name.to_lowercase()),
        "cmd" => format!("cmd:{}", name.to_lowercase()),
        _ => name.to_owned(),
    }
}

/// True where a line names a program.
fn calls(run: &str, name: &str, style: &str) -> bool {
    match style {
        "cmdlet" | "cmd" | "slash" => run.to_lowercase().contains(&name.to_lowercase()),
        _ => run.contains(name),
    }
}

/// Names of options whose value a rule asks for: `%name`, `name=PATTERN`.
fn asked_values(rule: &str) -> Vec<String> {
    let Some((left, right)) = rule.split_once("=>") else {
        return Vec::new();
    };
    let conditions = left
        .split_once('[')
        .map_or("", |(_, rest)| rest.trim().trim_end_matches(']'));
    let from_conditions = conditions.split_whitespace().filter_map(|condition| {
        let (subject, _) = condition.split_once('=')?;
        let subject = subject.trim_end_matches('!');
        (!subject.starts_with('$')).then(|| subject.trim_start_matches('%').to_owned())
    });
    let from_effects = right
        .split([' ', ';'])
        .filter_map(|word| word.strip_prefix('%'))
        .map(|word| word.split('|').next().unwrap_or(word).to_owned());
    let mut out: Vec<String> = from_conditions.chain(from_effects).collect();
    out.sort();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        check(&[("x.toml".to_owned(), text.to_owned())])
            .into_iter()
            .map(|problem| format!("{}:{} {}", problem.line, problem.severity, problem.message))
            .collect()
    }

    #[test]
    fn the_built_in_files_have_no_mistakes() {
        let sources: Vec<(String, String)> = cmdai_effects::knowledge_files()
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        let wrong: Vec<String> = check(&sources)
            .into_iter()
            .filter(|problem| problem.severity == "error")
            .map(|problem| problem.to_string())
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn mistakes_have_lines() {
        let text = "[[program]]\nnames = [\"one-new\", \"rm\"]\nstyle = \"gnuu\"\noptions = \"-a,--all force= -a\"\nhandler = \"nobody\"\nwrap = \"argh\"\nrules = [\n  \"=> delete $*\",\n  \"=> deleet $*\",\n  \"[x] => move $1 %to\",\n]\nexamples = [{ run = \"two a\", effects = [] }]\n";
        let found = of(text);
        for expected in [
            "2:error rm is described twice",
            "3:error no such style: gnuu",
            "4:error an option begins with a dash: force=",
            "4:error the option -a is declared twice",
            "5:error no such handler: nobody",
            "6:error no such wrapping: argh",
            "9:error => deleet $*: no such effect: deleet",
            "10:note the rule asks for the value of `to`, which no option declares",
            "12:note the example calls something else: two a",
        ] {
            assert!(
                found.iter().any(|line| line.starts_with(expected)),
                "{expected}: {found:#?}"
            );
        }
        assert!(
            of("[[program]]\nnames = [\"one-new\"]\nrulez = []\n")[0]
                .starts_with("3:error unknown field")
        );
        assert!(
            of("[[program]]\nnames = [\"one-new\"\n")
                .iter()
                .all(|line| line.contains("error"))
        );
    }
}
