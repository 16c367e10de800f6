//! Integer expressions of the shell, with assignments.

use crate::{analyser::Analyser, state::Value, value::Text};

/// Longest expression that is read.
const MAX_LEN: usize = 4_096;
/// Deepest nesting, through variables that hold expressions too.
const MAX_DEPTH: u32 = 24;

/// What an expression can reach.
trait Scope {
    /// Text of a variable; nothing where it is not known. Unset is an empty text.
    fn get(&mut self, name: &str, index: Option<&str>) -> Option<String>;
    /// Gives a variable a number, or makes it unknown.
    fn set(&mut self, name: &str, index: Option<&str>, value: Option<i64>);
}

impl Scope for Analyser<'_> {
    fn get(&mut self, name: &str, index: Option<&str>) -> Option<String> {
        let Some(value) = self.variable(name) else {
            return match name {
                "RANDOM" | "SECONDS" | "LINENO" | "EPOCHSECONDS" => None,
                _ => None,
            };
        };
        match (&value.array, index) {
            (Some(array), index) => {
                let array = array.clone();
                let key = match index {
                    Some(raw) => {
                        let span = cmdai_schema::Span::default();
                        self.subscript(raw, array.named, span, array.next_index())?
                    }
                    None => "0".to_owned(),
                };
                match array.get(&key) {
                    Some(text) => text.known.then(|| text.text.clone()),
                    None => Some(String::new()),
                }
            }
            _ if value.is_unset() => Some(String::new()),
            _ => value.only().map(str::to_owned),
        }
    }

    fn set(&mut self, name: &str, index: Option<&str>, value: Option<i64>) {
        let text = match value {
            Some(number) => Text::known(number.to_string(), cmdai_schema::Span::default()),
            None => Text::default(),
        };
        match index {
            Some(raw) => self.assign_element(name, raw, text, false, cmdai_schema::Span::default()),
            None => self.env.set(name, Value::text(text)),
        }
    }
}

impl Analyser<'_> {
    /// Value of an expression, with what it assigns; nothing where it cannot be told.
    pub(crate) fn calculate(&mut self, text: &Text) -> Option<i64> {
        if !text.known || text.text.len() > MAX_LEN {
            self.forget_assigned(&text.text);
            return None;
        }
        if text.text.contains("$(") || text.text.contains('`') {
            // Subscripts are expanded once more.
            self.hidden_substitution(text);
            return None;
        }
        let mut reader = Reader {
            rest: text.text.as_str(),
            scope: self,
            depth: 0,
            live: true,
        };
        match reader.comma() {
            Ok(value) if reader.rest.trim().is_empty() => value,
            _ => {
                self.forget_assigned(&text.text);
                None
            }
        }
    }

    /// Makes what an expression assigns unknown.
    pub(crate) fn forget_assigned(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut start = None;
        for at in 0..=bytes.len().min(MAX_LEN) {
            let byte = bytes.get(at).copied().unwrap_or(b' ');
            if byte.is_ascii_alphanumeric() || byte == b'_' {
                start.get_or_insert(at);
                continue;
            }
            if let Some(from) = start.take()
                && let (Some(name), Some(rest)) = (text.get(from..at), text.get(at..))
                && !name.starts_with(|first: char| first.is_ascii_digit())
            {
                let before = text.get(..from).unwrap_or("").trim_end();
                let rest = rest.trim_start();
                let after =
                    rest.trim_start_matches(['+', '-', '*', '/', '%', '<', '>', '&', '^', '|']);
                if after.starts_with('=') && !after.starts_with("==")
                    || rest.starts_with("++")
                    || rest.starts_with("--")
                    || before.ends_with("++")
                    || before.ends_with("--")
                {
                    self.env.set(name, Value::solid(None));
                }
            }
        }
    }
}

/// The expression is not one.
struct Bad;

type Number = Result<Option<i64>, Bad>;

struct Reader<'r, 's, S: Scope> {
    rest: &'r str,
    scope: &'s mut S,
    depth: u32,
    /// What is read now is evaluated; false on the side of `&&`, `||` and `?:` that does not count.
    live: bool,
}

impl<S: Scope> Reader<'_, '_, S> {
    fn peek(&mut self) -> &str {
        self.rest = self.rest.trim_start();
        self.rest
    }

    fn take(&mut self, text: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Number) -> Number {
        if self.depth >= MAX_DEPTH {
            return Err(Bad);
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn comma(&mut self) -> Number {
        let mut value = self.deeper(Self::assignment)?;
        while self.take(",") {
            value = self.deeper(Self::assignment)?;
        }
        Ok(value)
    }

    fn assignment(&mut self) -> Number {
        let before = self.rest;
        if let Some((name, index)) = self.place() {
            let rest = self.peek();
            const OPERATORS: &[&str] =
                &["<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|="];
            let operator = OPERATORS
                .iter()
                .copied()
                .find(|operator| rest.starts_with(operator))
                .or_else(|| (rest.starts_with('=') && !rest.starts_with("==")).then_some("="));
            if let Some(operator) = operator {
                self.take(operator);
                let right = self.deeper(Self::assignment)?;
                let value = match operator.strip_suffix('=') {
                    Some("") | None => right,
                    Some(operator) => {
                        let left = self.value_of(&name, index.as_deref())?;
                        both(left, right, |left, right| binary(operator, left, right))
                    }
                };
                if self.live {
                    self.scope.set(&name, index.as_deref(), value);
                }
                return Ok(value);
            }
        }
        self.rest = before;
        self.ternary()
    }

    fn ternary(&mut self) -> Number {
        let condition = self.level(0)?;
        if !self.take("?") {
            return Ok(condition);
        }
        let live = self.live;
        let unsure = condition.is_none();
        self.live = live && condition.is_none_or(|value| value != 0);
        let first = self.deeper(Self::comma);
        self.live = live;
        let first = first?;
        if !self.take(":") {
            return Err(Bad);
        }
        self.live = live && condition.is_none_or(|value| value == 0);
        let second = self.deeper(Self::assignment);
        self.live = live;
        let second = second?;
        Ok(match condition {
            _ if unsure => None,
            Some(0) => second,
            _ => first,
        })
    }

    /// Binary operators, by precedence from the loosest.
    fn level(&mut self, level: usize) -> Number {
        const LEVELS: &[&[&str]] = &[
            &["||"],
            &["&&"],
            &["|"],
            &["^"],
            &["&"],
            &["==", "!="],
            &["<=", ">=", "<", ">"],
            &["<<", ">>"],
            &["+", "-"],
            &["*", "/", "%"],
        ];
        let Some(operators) = LEVELS.get(level) else {
            return self.power();
        };
        let mut value = self.level(level + 1)?;
        loop {
            let rest = self.peek();
            let Some(&operator) = operators.iter().find(|operator| {
                rest.strip_prefix(**operator).is_some_and(|after| {
                    // Not the beginning of a longer one.
                    !(matches!(**operator, "|" | "&") && after.starts_with(**operator)
                        || matches!(**operator, "<" | ">") && after.starts_with(**operator)
                        || **operator == "*" && after.starts_with('*')
                        || matches!(
                            **operator,
                            "|" | "^" | "&" | "+" | "-" | "*" | "/" | "%" | "<<" | ">>"
                        ) && after.starts_with('='))
                })
            }) else {
                return Ok(value);
            };
            self.take(operator);
            let live = self.live;
            match operator {
                "||" => {
                    self.live = live && value != Some(1) && value.is_none_or(|value| value == 0)
                }
                "&&" => self.live = live && value != Some(0),
                _ => {}
            }
            let right = self.level(level + 1);
            self.live = live;
            let right = right?;
            value = match (operator, value, right) {
                ("||", Some(left), _) if left != 0 => Some(1),
                ("&&", Some(0), _) => Some(0),
                (operator, left, right) => {
                    both(left, right, |left, right| binary(operator, left, right))
                }
            };
            if value.is_none() && !self.live {
                value = Some(0);
            }
        }
    }

    fn power(&mut self) -> Number {
        let base = self.unary()?;
        if self.take("**") {
            let power = self.deeper(Self::power)?;
            return Ok(both(base, power, |base, power| {
                u32::try_from(power)
                    .ok()
                    .map(|power| base.wrapping_pow(power))
            }));
        }
        Ok(base)
    }

    fn unary(&mut self) -> Number {
        let rest = self.peek();
        if rest.starts_with("++") || rest.starts_with("--") {
            let step = if rest.starts_with('+') { 1 } else { -1 };
            let before = self.rest;
            self.rest = self.rest.get(2..).unwrap_or("");
            if let Some((name, index)) = self.place() {
                let value = self
                    .value_of(&name, index.as_deref())?
                    .map(|value| value.wrapping_add(step));
                if self.live {
                    self.scope.set(&name, index.as_deref(), value);
                }
                return Ok(value);
            }
            self.rest = before;
        }
        let operator = self.peek().chars().next();
        match operator {
            Some('-' | '+' | '!' | '~') => {
                self.rest = self.rest.get(1..).unwrap_or("");
                let value = self.deeper(Self::unary)?;
                Ok(value.map(|value| match operator {
                    Some('-') => value.wrapping_neg(),
                    Some('!') => i64::from(value == 0),
                    Some('~') => !value,
                    _ => value,
                }))
            }
            _ => self.primary(),
        }
    }

    fn primary(&mut self) -> Number {
        if self.take("(") {
            let value = self.deeper(Self::comma)?;
            return if self.take(")") { Ok(value) } else { Err(Bad) };
        }
        if let Some((name, index)) = self.place() {
            let value = self.value_of(&name, index.as_deref())?;
            let rest = self.peek();
            for (mark, step) in [("++", 1), ("--", -1)] {
                if rest.starts_with(mark) {
                    self.take(mark);
                    if self.live {
                        let next = value.map(|value| value.wrapping_add(step));
                        self.scope.set(&name, index.as_deref(), next);
                    }
                    break;
                }
            }
            return Ok(value);
        }
        let rest = self.peek();
        let len = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'#' | b'@'))
            .count();
        let (word, after) = self.rest.split_at_checked(len).ok_or(Bad)?;
        self.rest = after;
        number(word).map(Some).ok_or(Bad)
    }

    /// A variable, perhaps with a subscript.
    fn place(&mut self) -> Option<(String, Option<String>)> {
        let rest = self.peek();
        if !rest.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
            return None;
        }
        let len = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        let (name, after) = self.rest.split_at_checked(len)?;
        let name = name.to_owned();
        self.rest = after;
        if !after.starts_with('[') {
            return Some((name, None));
        }
        let mut depth = 0usize;
        for (at, next) in after.char_indices() {
            match next {
                '[' => depth += 1,
                ']' => {
                    depth -= 1;
                    if depth == 0 {
                        let index = after.get(1..at)?.to_owned();
                        self.rest = after.get(at + 1..)?;
                        return Some((name, Some(index)));
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn value_of(&mut self, name: &str, index: Option<&str>) -> Number {
        if !self.live {
            return Ok(Some(0));
        }
        let Some(text) = self.scope.get(name, index) else {
            return Ok(None);
        };
        let text = text.trim();
        if text.is_empty() {
            return Ok(Some(0));
        }
        if let Some(value) = number(text) {
            return Ok(Some(value));
        }
        // A variable may hold an expression.
        if self.depth >= MAX_DEPTH || text.len() > MAX_LEN {
            return Err(Bad);
        }
        let mut reader = Reader {
            rest: text,
            scope: &mut *self.scope,
            depth: self.depth + 4,
            live: true,
        };
        let value = reader.comma()?;
        if reader.rest.trim().is_empty() {
            Ok(value)
        } else {
            Err(Bad)
        }
    }
}

fn both(
    left: Option<i64>,
    right: Option<i64>,
    apply: impl FnOnce(i64, i64) -> Option<i64>,
) -> Option<i64> {
    apply(left?, right?)
}

fn binary(operator: &str, left: i64, right: i64) -> Option<i64> {
    let shift = || u32::try_from(right & 63).unwrap_or(0);
    Some(match operator {
        "||" => i64::from(left != 0 || right != 0),
        "&&" => i64::from(left != 0 && right != 0),
        "|" => left | right,
        "^" => left ^ right,
        "&" => left & right,
        "==" => i64::from(left == right),
        "!=" => i64::from(left != right),
        "<=" => i64::from(left <= right),
        ">=" => i64::from(left >= right),
        "<" => i64::from(left < right),
        ">" => i64::from(left > right),
        "<<" => left.wrapping_shl(shift()),
        ">>" => left.wrapping_shr(shift()),
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        "/" if right != 0 => left.wrapping_div(right),
        "%" if right != 0 => left.wrapping_rem(right),
        _ => return None,
    })
}

/// A constant: decimal, `0` octal, `0x` hex, `BASE#DIGITS`.
fn number(word: &str) -> Option<i64> {
    if !word.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if let Some((base, digits)) = word.split_once('#') {
        let base: i64 = base.parse().ok()?;
        if !(2..=64).contains(&base) || digits.is_empty() {
            return None;
        }
        let mut value = 0i64;
        for byte in digits.bytes() {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'z' => byte - b'a' + 10,
                b'A'..=b'Z' if base <= 36 => byte - b'A' + 10,
                b'A'..=b'Z' => byte - b'A' + 36,
                b'@' => 62,
                b'_' => 63,
                _ => return None,
            };
            if i64::from(digit) >= base {
                return None;
            }
            value = value.wrapping_mul(base).wrapping_add(i64::from(digit));
        }
        return Some(value);
    }
    if let Some(hex) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).ok();
    }
    if word.len() > 1 && word.starts_with('0') {
        return i64::from_str_radix(word, 8).ok();
    }
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Reader, Scope};

    struct Names(Vec<(String, Option<i64>)>);

    impl Scope for Names {
        fn get(&mut self, name: &str, _index: Option<&str>) -> Option<String> {
            match self.0.iter().find(|(known, _)| known == name) {
                Some((_, value)) => value.map(|value| value.to_string()),
                None if name == "expression" => Some("2 + 3".to_owned()),
                None if name == "unknown" => None,
                None => Some(String::new()),
            }
        }
        fn set(&mut self, name: &str, _index: Option<&str>, value: Option<i64>) {
            self.0.retain(|(known, _)| known != name);
            self.0.push((name.to_owned(), value));
        }
    }

    fn evaluate(text: &str) -> Option<i64> {
        let mut reader = Reader {
            rest: text,
            scope: &mut Names(Vec::new()),
            depth: 0,
            live: true,
        };
        let value = reader.comma().ok()?;
        reader.rest.trim().is_empty().then_some(value)?
    }

    #[test]
    fn numbers() {
        for (text, expected) in [
            ("1 + 2 * (3 - 1)", 5),
            ("0x1f % 8", 7),
            ("16#ff", 255),
            ("64#_", 63),
            ("010", 8),
            ("2 ** 3 ** 2", 512),
            ("-2 ** 2", 4),
            ("7 / 2 * 2", 6),
            ("1 << 4 | 1", 17),
            ("3 > 2 && 2 > 3 || 5 == 5", 1),
            ("1 ? 2 : 3", 2),
            ("0 ? 2 : 0 ? 3 : 4", 4),
            ("x = 4, x++, ++x, x", 6),
            ("x = 5, x -= 2, x *= 10", 30),
            ("!0 + ~0", 0),
            ("expression * 2", 10),
            ("unset + 1", 1),
            ("0 && unknown", 0),
            ("1 || unknown", 1),
            ("a[1] = 3", 3),
        ] {
            assert_eq!(evaluate(text), Some(expected), "{text}");
        }
        for text in ["1 / 0", "1 +", "(1", "unknown + 1", "08", "3#5", "1 2"] {
            assert_eq!(evaluate(text), None, "{text}");
        }
        assert_eq!(evaluate(&"(".repeat(10_000)), None);
        assert_eq!(evaluate(&"-".repeat(10_000)), None);
    }
}
