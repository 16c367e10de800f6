//! Brace expansion: `{a,b}` and `{1..9}` to words.

use cmdai_shell::Part;

/// Most words that braces make.
pub(crate) const MAX_WORDS: usize = 128;

/// A part, or text that braces made.
#[derive(Clone)]
pub(crate) enum Bit<'x, 't> {
    Part(&'x Part<'t>),
    Made(String),
}

/// Expands braces: each sequence of bits is a word of its own. True where some had to be left out.
pub(crate) fn braces<'x, 't>(parts: &'x [Part<'t>], all: &mut Vec<Vec<Bit<'x, 't>>>) -> bool {
    let mut cut = false;
    for part in parts {
        let choices: Vec<Vec<Bit<'x, 't>>> = match part {
            Part::Brace(alternatives) => {
                let mut choices = Vec::new();
                for alternative in alternatives {
                    let mut inner = vec![Vec::new()];
                    cut |= braces(alternative, &mut inner);
                    choices.append(&mut inner);
                    choices.truncate(MAX_WORDS);
                }
                choices
            }
            Part::Range(text) => range(text)
                .into_iter()
                .map(|text| vec![Bit::Made(text)])
                .collect(),
            other => {
                for bits in all.iter_mut() {
                    bits.push(Bit::Part(other));
                }
                continue;
            }
        };
        if all.len() * choices.len() > MAX_WORDS && all.len() > 1 {
            // Too many: the first choice stands for the others from here on.
            cut = true;
            for bits in all.iter_mut() {
                bits.extend(choices.first().into_iter().flatten().cloned());
            }
            continue;
        }
        cut |= choices.len() >= MAX_WORDS;
        let mut next = Vec::with_capacity(all.len() * choices.len());
        for bits in all.iter() {
            for choice in &choices {
                let mut joined = bits.clone();
                joined.extend(choice.iter().cloned());
                next.push(joined);
            }
        }
        *all = next;
    }
    cut
}

fn range(text: &str) -> Vec<String> {
    let mut ends = text.splitn(3, "..");
    let (first, last) = (ends.next().unwrap_or(""), ends.next().unwrap_or(""));
    let step = ends
        .next()
        .and_then(|step| step.parse::<i64>().ok())
        .map_or(1, |step| step.unsigned_abs().max(1));
    let width = if first.trim_start_matches('-').starts_with('0') && first.len() > 1
        || last.trim_start_matches('-').starts_with('0') && last.len() > 1
    {
        first.len().max(last.len())
    } else {
        0
    };
    let (from, to, letters) = match (first.parse::<i64>(), last.parse::<i64>()) {
        (Ok(from), Ok(to)) => (from, to, false),
        _ => match (first.chars().next(), last.chars().next()) {
            (Some(from), Some(to)) => (i64::from(u32::from(from)), i64::from(u32::from(to)), true),
            _ => return vec![text.to_owned()],
        },
    };
    let mut out = Vec::new();
    let mut at = from;
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    while out.len() < MAX_WORDS {
        out.push(if letters {
            u8::try_from(at)
                .map(|byte| char::from(byte).to_string())
                .unwrap_or_default()
        } else {
            format!("{at:0width$}")
        });
        let next = if from <= to {
            at.checked_add(step)
        } else {
            at.checked_sub(step)
        };
        match next {
            Some(next) if from <= to && next <= to || from > to && next >= to => at = next,
            _ => break,
        }
    }
    out
}
