//! Names and parameters of commands.

use std::borrow::Cow;

use cmdai_schema::Dialect;
use cmdai_shell::{CommandKind, Tree};

use crate::{
    analyser::Analyser,
    knowledge::{self, Program, Style, Takes},
    options::Parsed,
    value::{Stream, Text},
};

/// Parameters that all cmdlets have, with whether a value follows.
const SHARED: &[(&str, &str, bool)] = &[
    ("erroraction", "erroraction", true),
    ("ea", "erroraction", true),
    ("warningaction", "warningaction", true),
    ("wa", "warningaction", true),
    ("informationaction", "informationaction", true),
    ("progressaction", "progressaction", true),
    ("errorvariable", "errorvariable", true),
    ("ev", "errorvariable", true),
    ("outvariable", "outvariable", true),
    ("ov", "outvariable", true),
    ("outbuffer", "outbuffer", true),
    ("pipelinevariable", "pipelinevariable", true),
    ("pv", "pipelinevariable", true),
    ("whatif", "whatif", false),
    ("wi", "whatif", false),
    ("confirm", "confirm", false),
    ("cf", "confirm", false),
    ("verbose", "verbose", false),
    ("vb", "verbose", false),
    ("debug", "debug", false),
    ("db", "debug", false),
];

/// Names of cmdlets that are programs of other systems too, and whose short options differ.
const FETCHERS: &[&str] = &["curl", "wget"];

/// The entry of a cmdlet, of an alias of one, or of a cmdlet with its module in front.
pub(crate) fn command_name(word: &str) -> Option<&'static Program> {
    let name = match word.rsplit_once('\\') {
        Some((module, name)) if !module.contains([':', '\\', '/']) && name.contains('-') => name,
        Some(_) => return None,
        None => word,
    };
    knowledge::find_cmdlet(&name.to_ascii_lowercase())
}

/// True for a cmdlet that is called by its whole name, `Verb-Noun`, which is the name of nothing else.
pub(crate) fn is_cmdlet(word: &str) -> bool {
    word.contains('-')
        && word.starts_with(|first: char| first.is_ascii_alphabetic())
        && command_name(word).is_some()
}

/// True for a text of another shell in which cmdlets are called by their whole names.
pub(crate) fn is_pasted(tree: &Tree<'_>, dialect: Dialect) -> bool {
    if dialect == Dialect::Powershell {
        return false;
    }
    let first = |at: usize| {
        let item = tree.body.items.get(at)?;
        item.and_or
            .first
            .stages
            .iter()
            .find_map(|stage| match &stage.kind {
                CommandKind::Simple(simple) => {
                    let word = simple.words.first()?.bare()?;
                    (is_cmdlet(word)).then_some(())
                }
                _ => None,
            })
    };
    (0..tree.body.items.len().min(4)).any(|at| first(at).is_some())
}

impl Analyser<'_> {
    /// The cmdlet that a call means.
    pub(crate) fn ps_program(&self, word: &str, args: &[Text]) -> Option<&'static Program> {
        if self.in_cmd {
            // `echo` and `cd` of cmd.exe are none.
            if let Some(program) =
                knowledge::find_cmdlet(&format!("cmd:{}", word.to_ascii_lowercase()))
            {
                return Some(program);
            }
            return command_name(word).filter(|_| word.contains('-'));
        }
        let program = command_name(word)?;
        let lower = word.to_ascii_lowercase();
        if lower.contains('-') || knowledge::find(&lower).is_none() {
            return Some(program);
        }
        // `rm -rf x` is no Remove-Item: an option that it does not have says so.
        let least = if FETCHERS.contains(&lower.as_str()) {
            3
        } else {
            1
        };
        let fits = args
            .iter()
            .filter(|arg| arg.text.starts_with('-') && !arg.more)
            .all(|arg| {
                let name = parameter_name(&arg.text);
                name.len() >= least
                    && !name.starts_with('-')
                    && (declared(program, &name).is_some()
                        || SHARED.iter().any(|(known, ..)| known.starts_with(&name)))
            });
        fits.then_some(program)
    }

    /// Words of a call as the common way wants them: `&` and `.` taken away, names folded. What runs
    /// at once comes back as what it printed.
    pub(crate) fn ps_words(&mut self, words: &[Text], stdin: &Stream) -> Result<Vec<Text>, Stream> {
        let mut words = words.to_vec();
        let operator = words
            .first()
            .filter(|first| matches!(first.text.as_str(), "&" | "."))
            .map(|first| first.text == ".");
        if let Some(dot) = operator {
            words.remove(0);
            let Some(first) = words.first() else {
                return Err(Stream::Empty);
            };
            if first.known && first.text.starts_with('{') {
                let block = words.remove(0);
                return Err(self.ps_run(&block, words, stdin));
            }
            if dot && first.known && command_name(&first.text).is_none() {
                let path = super::methods::slashed(first);
                return Err(self.ps_script(&path, words.get(1..).unwrap_or_default()));
            }
        }
        let Some(first) = words.first_mut().filter(|first| first.known) else {
            return Ok(words);
        };
        if first.text.starts_with('{') {
            // A block that nobody calls is a value.
            return Err(Stream::Known(first.text.clone()));
        }
        let lower = first.text.to_ascii_lowercase();
        if self.in_cmd
            && let Some(program) = knowledge::find_cmdlet(&format!("cmd:{lower}"))
        {
            first.text = program.name.text().to_owned();
            return Ok(words);
        }
        let defined = |name: &str| {
            self.env
                .functions
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if let Some((_, value)) = self
            .env
            .aliases
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(&lower))
        {
            first.text = value.clone();
        } else if defined(&lower) {
            first.text = lower;
            return Ok(words);
        }
        if command_name(&first.text).is_some() {
            return Ok(words);
        }
        let path = first.text.replace('\\', "/");
        let base = crate::paths::base_name(&path).to_ascii_lowercase();
        let bare = [".exe", ".cmd", ".bat", ".com"]
            .iter()
            .find_map(|ending| base.strip_suffix(ending))
            .unwrap_or(&base);
        let lower_path = path.to_ascii_lowercase();
        let system = !path.contains('/')
            || lower_path.starts_with("c:/windows/")
            || lower_path.starts_with("c:/program files");
        if base.ends_with(".ps1") {
            let path = Text {
                text: path,
                ..first.clone()
            };
            return Err(self.ps_script(&path, words.get(1..).unwrap_or_default()));
        } else if knowledge::find(bare).is_some() && system {
            first.text = bare.to_owned();
        } else {
            first.text = path;
        }
        Ok(words)
    }

    /// A script runs.
    fn ps_script(&mut self, path: &Text, args: &[Text]) -> Stream {
        let positional = self.env.positional.replace(args.to_vec());
        let printed = self.script_file(path, "powershell", Some(Dialect::Powershell), path.span);
        self.env.positional = positional;
        printed
    }

    /// Sorts the arguments of a cmdlet out.
    pub(crate) fn ps_parse<'a>(
        &self,
        program: &'static Program,
        args: &'a [Text],
        stdin: &Stream,
        span: cmdai_schema::Span,
    ) -> Parsed<'a> {
        let mut parsed = Parsed {
            program,
            args,
            settled: false,
            operands: Vec::with_capacity(args.len()),
            options: Vec::new(),
            skip: 0,
        };
        let mut at = 0;
        while let Some(arg) = args.get(at) {
            at += 1;
            let text = arg.text.as_str();
            let named = !arg.more
                && text.len() > 1
                && text.starts_with('-')
                && !text
                    .get(1..2)
                    .is_some_and(|next| next.starts_with(|next: char| next.is_ascii_digit()));
            if !named {
                parsed.operands.push((at - 1, arg));
                continue;
            }
            let name = parameter_name(text);
            let attached = text.find(':').map(|colon| arg.after(colon + 1));
            let (flag, takes): (Cow<'static, str>, bool) = match declared(program, &name) {
                Some(option) => (
                    Cow::Borrowed(option.flag.text()),
                    option.takes == Takes::Yes,
                ),
                None => match SHARED.iter().find(|(known, ..)| known.starts_with(&name)) {
                    Some((_, flag, takes)) => (Cow::Borrowed(*flag), *takes),
                    None => (Cow::Owned(name), false),
                },
            };
            let attached = match attached {
                Some(value) if value.text.is_empty() => {
                    at += 1;
                    args.get(at - 1).cloned()
                }
                other => other,
            };
            if !takes {
                // `-Recurse:$false`
                if attached
                    .as_ref()
                    .is_none_or(|value| !value.text.eq_ignore_ascii_case("false"))
                {
                    parsed.options.push((flag, None));
                }
                continue;
            }
            let value = match attached {
                Some(value) => Some(value),
                None => {
                    at += 1;
                    args.get(at - 1).cloned()
                }
            };
            parsed.options.push((flag.clone(), value));
            while let Some(more) = args.get(at).filter(|next| next.more) {
                parsed.options.push((flag.clone(), Some(more.clone())));
                at += 1;
            }
        }
        positions(&mut parsed);
        if !program.input.is_empty() && !parsed.has(&program.input) {
            for value in super::values(stdin, span) {
                parsed
                    .options
                    .push((Cow::Borrowed(program.input.text()), Some(value)));
            }
        }
        for (flag, value) in &mut parsed.options {
            // A volume by its letter.
            if flag == "drive"
                && let Some(value) = value
                && value.text.len() == 1
                && value
                    .text
                    .starts_with(|letter: char| letter.is_ascii_alphabetic())
            {
                value.text.push_str(":/");
                value.offset = None;
            }
            if matches!(
                flag.as_ref(),
                "path" | "destination" | "outfile" | "infile" | "file" | "newname"
            ) && let Some(value) = value
                && value.text.contains('\\')
            {
                value.text = value.text.replace('\\', "/");
                value.empty = value.empty.as_ref().map(|empty| empty.replace('\\', "/"));
            }
        }
        parsed
    }
}

/// Operands to the parameters that they stand for, leaving out those given by name.
fn positions(parsed: &mut Parsed<'_>) {
    let mut free: Vec<&'static str> = parsed
        .program
        .positions
        .iter()
        .map(|name| name.text())
        .filter(|name| !parsed.has(name.trim_end_matches('+')))
        .collect();
    free.reverse();
    let mut current: Option<&'static str> = None;
    let operands: Vec<Text> = parsed
        .operands
        .iter()
        .map(|(_, text)| (*text).clone())
        .collect();
    for text in operands {
        let rest = current.is_some_and(|name| name.ends_with('+'));
        if !text.more && !rest {
            current = free.pop();
        }
        if let Some(name) = current {
            parsed
                .options
                .push((Cow::Borrowed(name.trim_end_matches('+')), Some(text)));
        }
    }
}

/// `-Name:value` as `name`.
fn parameter_name(text: &str) -> String {
    let name = text.get(1..).unwrap_or("");
    name.split(':').next().unwrap_or(name).to_ascii_lowercase()
}

/// The parameter of that name, or the first that begins so.
fn declared(program: &'static Program, name: &str) -> Option<&'static knowledge::Opt> {
    if name.is_empty() || !matches!(program.style, Style::Cmdlet) {
        return None;
    }
    let all = || {
        program.options.iter().flat_map(|option| {
            option
                .names
                .iter()
                .map(move |known| (known.trim_start_matches('-'), option))
        })
    };
    all()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .or_else(|| {
            all().find(|(known, _)| {
                known
                    .get(..name.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(name))
            })
        })
        .map(|(_, option)| option)
}
