//! What known programs are for, in a few words.

use cmdai_schema::Invocation;

/// Lines of `name = "phrase"`, with the name quoted where it is a subcommand.
const TABLE: &str = include_str!("about.toml");

/// Every name with its phrase.
fn entries() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().filter_map(|line| {
        let (name, phrase) = line.split_once(" = ")?;
        let phrase = phrase.strip_prefix('"')?.strip_suffix('"')?;
        Some((name.trim_matches('"'), phrase))
    })
}

/// What a program, or one of its subcommands, is for: the rest of a sentence that begins with it.
pub(crate) fn about(program: &str, subcommand: Option<&str>) -> Option<&'static str> {
    let of = |wanted: &str| {
        entries()
            .find(|(name, _)| *name == wanted)
            .map(|(_, phrase)| phrase)
    };
    subcommand
        .and_then(|sub| of(&format!("{program} {sub}")))
        .or_else(|| of(program))
}

/// True for what is understood without an entry in the command knowledge: a builtin, or this program.
pub(crate) fn understood(call: &Invocation) -> bool {
    call.builtin || call.program == "cmdai"
}

/// True where the table has the subcommand's own phrase.
pub(crate) fn has_subcommand(program: &str, subcommand: &str) -> bool {
    let wanted = format!("{program} {subcommand}");
    entries().any(|(name, _)| name == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_and_every_phrase_can_be_said() {
        let mut seen = std::collections::BTreeSet::new();
        let mut wrong = Vec::new();
        for (name, phrase) in entries() {
            let program = name.split(' ').next().unwrap_or(name);
            if !cmdai_effects::knows(program)
                && !cmdai_shell::is_of_a_shell(program)
                && program != "cmdai"
            {
                wrong.push(format!("{program} is not in the command knowledge"));
            }
            if !seen.insert(name) {
                wrong.push(format!("{name} stands there twice"));
            }
            let first = phrase.split(' ').next().unwrap_or("").trim_end_matches(',');
            if !first.ends_with('s') || phrase.ends_with('.') || phrase.len() > 70 {
                wrong.push(format!("{name}: {phrase}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(seen.len() >= 300, "{} names", seen.len());
    }

    #[test]
    fn subcommands_come_first() {
        assert_eq!(about("git", Some("status")), Some("shows what has changed"));
        assert_eq!(
            about("git", Some("bisect")),
            Some("works with version control")
        );
        assert_eq!(about("no-such-program", None), None);
    }
}
