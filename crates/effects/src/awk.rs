//! The simplest programs of `awk` on a known text: `{print …}`, for all lines, one line or `BEGIN`.

use crate::{filters::Args, value::Text};

enum Item {
    Field(usize),
    LastField,
    Literal(String),
    Comma,
}

/// What it prints; nothing where the program is more than that.
pub(crate) fn run(args: &[Text], text: &str) -> Option<String> {
    let args = Args::read(args, "Fv", &[("field-separator", 'F')])?;
    if !args.only_letters("F") {
        return None;
    }
    let program = args.operands.first()?.text.trim();
    let (condition, body) = program.split_once('{')?;
    let body = body.trim_end().strip_suffix('}')?;
    if body.contains(['{', '}']) && !body.contains('"') {
        return None;
    }
    let items = print(body.trim().trim_end_matches(';'))?;
    let condition = condition.trim();
    if condition == "BEGIN" {
        return line(&items, "", None);
    }
    let only: Option<usize> = match condition {
        "" | "1" => None,
        condition => Some(
            condition
                .strip_prefix("NR")?
                .trim()
                .strip_prefix("==")?
                .trim()
                .parse()
                .ok()?,
        ),
    };
    let separator = match args.all('F').last() {
        Some(one) if one.chars().count() == 1 && *one != " " => Some((*one).to_owned()),
        Some(&"\\t") => Some("\t".to_owned()),
        Some(&" ") | None => None,
        Some(_) => return None,
    };
    let mut out = String::new();
    for (index, text) in text.lines().enumerate() {
        if only.is_none_or(|only| only == index + 1) {
            out.push_str(&line(&items, text, separator.as_deref())?);
        }
    }
    Some(out)
}

fn line(items: &[Item], text: &str, separator: Option<&str>) -> Option<String> {
    let fields: Vec<&str> = match separator {
        Some(separator) => text.split(separator).collect(),
        None => text.split_whitespace().collect(),
    };
    let mut out = String::new();
    if items.is_empty() {
        out.push_str(text);
    }
    for item in items {
        match item {
            Item::Field(0) => out.push_str(text),
            Item::Field(number) => out.push_str(fields.get(number - 1).copied().unwrap_or("")),
            Item::LastField => out.push_str(fields.last().copied().unwrap_or("")),
            Item::Literal(literal) => out.push_str(literal),
            Item::Comma => out.push(' '),
        }
    }
    out.push('\n');
    Some(out)
}

fn print(body: &str) -> Option<Vec<Item>> {
    let mut rest = body.strip_prefix("print")?;
    if !(rest.is_empty() || rest.starts_with([' ', '$', '"', '('])) {
        return None;
    }
    let mut items = Vec::new();
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else {
            return Some(items);
        };
        match first {
            ',' => {
                items.push(Item::Comma);
                rest = rest.get(1..)?;
            }
            '$' => {
                rest = rest.get(1..)?;
                if let Some(tail) = rest.strip_prefix("NF") {
                    items.push(Item::LastField);
                    rest = tail;
                    continue;
                }
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                let (number, tail) = rest.split_at_checked(digits)?;
                items.push(Item::Field(number.parse().ok()?));
                rest = tail;
            }
            '"' => {
                let mut literal = String::new();
                let mut chars = rest.char_indices().skip(1);
                let end = loop {
                    let (at, next) = chars.next()?;
                    match next {
                        '"' => break at + 1,
                        '\\' => match chars.next()?.1 {
                            'n' => literal.push('\n'),
                            't' => literal.push('\t'),
                            other @ ('\\' | '"' | '/') => literal.push(other),
                            _ => return None,
                        },
                        next => literal.push(next),
                    }
                };
                items.push(Item::Literal(literal));
                rest = rest.get(end..)?;
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::value::Text;

    #[test]
    fn programs() {
        for (args, text, expected) in [
            (&["{print $2}"][..], "a b c\n", "b\n"),
            (&["{ print $1, $3 }"], "a b c\n", "a c\n"),
            (&["-F:", "{print $2 $1}"], "a:b\n", "ba\n"),
            (&["BEGIN{print \"rm -rf\"}"], "", "rm -rf\n"),
            (&["NR==2{print}"], "a\nb\n", "b\n"),
            (&["{print $NF}"], "a b\n", "b\n"),
        ] {
            let args: Vec<Text> = args
                .iter()
                .map(|arg| Text::known(*arg, Default::default()))
                .collect();
            assert_eq!(run(&args, text).as_deref(), Some(expected));
        }
    }
}
