//! What cannot be told from the text, and why.

use cmdai_schema::{Analysis, Certainty, EffectKind, Span};

use super::about::understood;
use super::structure::short;

/// Each doubt in a sentence, at most eight.
pub(crate) fn doubts(text: &str, analysis: &Analysis, functions: &[String]) -> Vec<String> {
    const MOST: usize = 8;
    let mut out: Vec<String> = Vec::new();
    let mut say = |sentence: String| {
        if out.len() < MOST && !out.contains(&sentence) {
            out.push(sentence);
        }
    };
    if !analysis.complete {
        say("The line is not finished: a shell would wait for more.".to_owned());
    }
    // An unfinished line is complained about for that very reason.
    for diagnostic in analysis.diagnostics.iter().filter(|_| analysis.complete) {
        let at = diagnostic.span.of(text).trim();
        let place = if at.is_empty() || at.len() > 60 {
            String::new()
        } else {
            format!(" at {}", short(at))
        };
        say(format!(
            "A shell would complain{place}: {}.",
            diagnostic.message.trim_end_matches('.')
        ));
    }
    let mut unset: Vec<String> = Vec::new();
    let mut printed: Vec<String> = Vec::new();
    let mut look = |span: Span| {
        let (variables, commands) = unknown_parts(span.of(text));
        for (found, known) in [(variables, &mut unset), (commands, &mut printed)] {
            for name in found {
                if !known.contains(&name) {
                    known.push(name);
                }
            }
        }
    };
    for call in &analysis.invocations {
        if call.program.is_empty() {
            look(call.span);
        }
        for arg in call.args.iter().filter(|arg| arg.value.is_none()) {
            look(arg.span);
        }
    }
    for effect in &analysis.effects {
        let guessed = effect.certainty != Certainty::Proven
            || effect.kind.path().is_some_and(|path| path.contains('$'));
        if guessed || matches!(effect.kind, EffectKind::Unknown { .. }) {
            look(effect.span);
        }
    }
    for name in unset {
        say(format!(
            "What ${name} holds is not known; it is judged as if it could be empty."
        ));
    }
    for command in printed {
        say(format!(
            "What {} prints is only known when it runs.",
            short(&command)
        ));
    }
    for effect in &analysis.effects {
        if let EffectKind::Unknown { why } = &effect.kind
            && why != "the program cannot be told"
        {
            let why = if why.is_empty() {
                "a part that could run something"
            } else {
                why
            };
            say(format!("Not known: {}.", why.trim_end_matches('.')));
        }
    }
    for call in &analysis.invocations {
        let by_path = call.word.contains('/');
        let own = understood(call) || functions.contains(&call.program);
        if !call.known && !call.program.is_empty() && !by_path && !own {
            say(format!(
                "Only what the words of `{}` touch was judged, not what it does.",
                call.program
            ));
        }
    }
    out
}

/// Names of variables and texts of command substitutions in a piece of shell text.
fn unknown_parts(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut variables, mut commands) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = rest.get(at + 1..).unwrap_or_default();
        if let Some(inside) = rest
            .strip_prefix('(')
            .filter(|inside| !inside.starts_with('('))
        {
            let mut depth = 1_usize;
            let end = inside
                .char_indices()
                .find_map(|(at, c)| {
                    match c {
                        '(' => depth += 1,
                        ')' => depth -= 1,
                        _ => {}
                    }
                    (depth == 0).then_some(at)
                })
                .unwrap_or(inside.len());
            commands.push(inside.get(..end).unwrap_or_default().to_owned());
            rest = inside.get(end..).unwrap_or_default();
            continue;
        }
        let name: String = rest
            .trim_start_matches(['{', '!', '#'])
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        if !name.is_empty() {
            variables.push(name);
        }
    }
    (variables, commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let (variables, commands) = unknown_parts("rm \"${DIR:?}/$x\" $(cat $(ls a)) $? $((1+1))");
        assert_eq!(variables, ["DIR", "x"]);
        assert_eq!(commands, ["cat $(ls a)"]);
    }
}
