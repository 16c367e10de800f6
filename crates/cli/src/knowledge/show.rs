//! `cmdai knowledge show PROGRAM`.

use cmdai_gate::escape;

use super::entry::{File, Opt, Program, line_of, options};
use super::{short, words};
use crate::arguments::Format;
use crate::failure::Failure;
use crate::screen;

/// Prints what is known about a program.
pub(super) fn show(name: &str, format: Format) -> Result<u8, Failure> {
    let name = name.rsplit('/').next().unwrap_or(name);
    for (file, text) in cmdai_effects::knowledge_files() {
        let read: File = toml::from_str(text).map_err(|error| {
            Failure::failed(
                format!("{file} cannot be read: {error}"),
                "please report this",
            )
        })?;
        if let Some(program) = read.program.iter().find(|program| program.is_called(name)) {
            let line = line_of(text, program.names.span().start);
            match format {
                Format::Json => anstream::println!("{:#}", json(program, file, line)),
                Format::Human => human(name, program, file, line),
            }
            return Ok(0);
        }
    }
    if cmdai_shell::is_of_a_shell(name) || name == "cmdai" {
        let about =
            crate::explain::about(name).map_or(String::new(), |about| format!(" It {about}."));
        match format {
            Format::Json => anstream::println!(
                "{:#}",
                serde_json::json!({ "program": name, "known": true, "builtin": true })
            ),
            Format::Human => anstream::println!(
                "{} is a builtin of the shell and understood by the engine itself.{about}",
                screen::bold(name)
            ),
        }
        return Ok(0);
    }
    let near = near(name);
    match format {
        Format::Json => anstream::println!(
            "{:#}",
            serde_json::json!({ "program": name, "known": false, "near": near })
        ),
        Format::Human => {
            anstream::println!("cmdai does not know {}.", screen::bold(&escape(name)));
            anstream::println!(
                "It may run: of a program like this, only what its words touch is judged (paths that matter,\naddresses, redirections), and its own doing counts as unknown."
            );
            if !near.is_empty() {
                anstream::println!("Known names like it: {}", near.join(", "));
            }
            anstream::println!("To teach cmdai a program: docs/how-to/add-a-program.md");
        }
    }
    Ok(1)
}

fn json(program: &Program, file: &str, line: usize) -> serde_json::Value {
    let option = |option: Opt<'_>| {
        serde_json::json!({
            "names": option.names,
            "value": match option.takes { Some('=') => "required", Some(_) => "optional", None => "none" },
            "called": option.flag,
        })
    };
    let all = |text: Option<&str>| -> Vec<serde_json::Value> {
        text.map(options)
            .into_iter()
            .flatten()
            .map(option)
            .collect()
    };
    serde_json::json!({
        "program": program.name(),
        "names": program.names.get_ref().iter().map(toml::Spanned::get_ref).collect::<Vec<_>>(),
        "known": true,
        "about": crate::explain::about(program.name()),
        "file": file,
        "line": line,
        "style": program.style.as_ref().map_or("gnu", |style| style.get_ref()),
        "options": all(program.options.as_ref().map(|text| text.get_ref().as_str())),
        "subcommands": program.sub.iter().map(|sub| serde_json::json!({
            "on": sub.on,
            "options": all(sub.options.as_ref().map(|text| text.get_ref().as_str())),
        })).collect::<Vec<_>>(),
        "rules": program.rules.iter().map(|rule| serde_json::json!({
            "rule": rule.get_ref(),
            "says": words::rule(rule.get_ref()),
        })).collect::<Vec<_>>(),
        "wrap": program.wrap.as_ref().map(toml::Spanned::get_ref),
        "handler": program.handler.as_ref().map(toml::Spanned::get_ref),
        "examples": program.examples.iter().map(|example| serde_json::json!({
            "run": example.run.get_ref(),
            "effects": example.effects,
        })).collect::<Vec<_>>(),
    })
}

fn human(name: &str, program: &Program, file: &str, line: usize) {
    let about = crate::explain::about(name)
        .or_else(|| crate::explain::about(program.name()))
        .map(|about| format!(" {about}"))
        .unwrap_or_default();
    anstream::println!("{}{about}", screen::bold(name));
    let others: Vec<&str> = program
        .names
        .get_ref()
        .iter()
        .map(|other| other.get_ref().as_str())
        .filter(|other| *other != name)
        .collect();
    if !others.is_empty() {
        anstream::println!("  also for: {}", others.join(", "));
    }
    anstream::println!(
        "  {}",
        screen::dim(&format!(
            "from crates/effects/knowledge/{file}, line {line}"
        ))
    );
    if let Some(text) = &program.options {
        anstream::println!("\n{}", screen::bold("Options"));
        print_options(text.get_ref(), "  ");
    }
    if !program.sub.is_empty() {
        anstream::println!(
            "\n{}",
            screen::bold("Subcommands with options of their own")
        );
        for sub in &program.sub {
            anstream::println!("  {}", sub.on);
            if let Some(text) = &sub.options {
                print_options(text.get_ref(), "    ");
            }
        }
    }
    anstream::println!("\n{}", screen::bold("What it does"));
    for rule in &program.rules {
        anstream::println!("  {}", words::rule(rule.get_ref()));
    }
    if let Some(wrap) = &program.wrap {
        let mut parts = wrap.get_ref().split_whitespace();
        let shell = parts.next() == Some("shell");
        let how = if shell {
            "joined, as shell code"
        } else {
            "as program and arguments"
        };
        anstream::println!("  runs its operands {how}");
    }
    if let Some(handler) = &program.handler {
        anstream::println!(
            "  the rest is worked out by the engine itself ({})",
            handler.get_ref()
        );
    }
    if program.rules.is_empty() && program.wrap.is_none() && program.handler.is_none() {
        anstream::println!("  nothing that changes, sends or deletes anything");
    }
    if !program.examples.is_empty() {
        anstream::println!("\n{}", screen::bold("Examples, in /home/user/project"));
    }
    for example in &program.examples {
        anstream::println!("  $ {}", escape(example.run.get_ref()));
        let found = short::lines(example.run.get_ref(), program.dialect(file));
        if found.is_empty() {
            anstream::println!("    {}", screen::dim("nothing"));
        }
        for effect in found {
            anstream::println!("    {}", escape(&effect));
        }
    }
}

fn print_options(text: &str, indent: &str) {
    let all: Vec<Opt<'_>> = options(text).collect();
    let switches: Vec<String> = all
        .iter()
        .filter(|option| option.takes.is_none())
        .map(|option| option.names.join(", "))
        .collect();
    for option in all.iter().filter(|option| option.takes.is_some()) {
        let value = if option.takes == Some('=') {
            " VALUE"
        } else {
            "[=VALUE]"
        };
        anstream::println!("{indent}{}{value}", option.names.join(", "));
    }
    let mut line = String::new();
    for switch in switches {
        if line.len() + switch.len() > 90 {
            anstream::println!("{indent}{}", line.trim_end());
            line.clear();
        }
        line.push_str(&switch);
        line.push_str("   ");
    }
    if !line.is_empty() {
        anstream::println!("{indent}{}", line.trim_end());
    }
}

/// Known names that look alike, nearest first.
pub(super) fn near(name: &str) -> Vec<&'static str> {
    let most = match name.chars().count() {
        0..=2 => 0,
        3..=4 => 1,
        _ => 2,
    };
    let mut found: Vec<(usize, &'static str)> = cmdai_effects::known_programs()
        .map(|known| (distance(name, known), known))
        .filter(|(distance, known)| {
            *distance <= most || (name.len() > 3 && known.starts_with(name))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, known)| known).take(5).collect()
}

/// Characters to change, add or take away.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut before = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let cost = before + usize::from(x != *y);
            before = *cell;
            left = cost.min(before + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_and_near_names() {
        assert_eq!(distance("kubectl", "kubectl"), 0);
        assert_eq!(distance("kubctl", "kubectl"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert!(near("kubctl").contains(&"kubectl"));
        assert!(near("no-such-program-at-all").is_empty());
    }
}
