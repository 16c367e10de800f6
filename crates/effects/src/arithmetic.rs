//! Integer expressions of the shell: the operators that occur in command lines.

/// Value of an expression; nothing where it uses something that is not known here.
pub(crate) fn evaluate(text: &str, variable: &dyn Fn(&str) -> Option<i64>) -> Option<i64> {
    if text.len() > 256 {
        return None;
    }
    let mut reader = Reader {
        rest: text.trim(),
        variable,
        depth: 0,
    };
    let value = reader.sum()?;
    reader.rest.trim().is_empty().then_some(value)
}

struct Reader<'r> {
    rest: &'r str,
    variable: &'r dyn Fn(&str) -> Option<i64>,
    depth: u32,
}

impl Reader<'_> {
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

    fn sum(&mut self) -> Option<i64> {
        let mut value = self.product()?;
        loop {
            if self.take("+") {
                value = value.checked_add(self.product()?)?;
            } else if self.take("-") {
                value = value.checked_sub(self.product()?)?;
            } else {
                return Some(value);
            }
        }
    }

    fn product(&mut self) -> Option<i64> {
        let mut value = self.unit()?;
        loop {
            if self.take("**") {
                let power = u32::try_from(self.unit()?).ok()?;
                value = value.checked_pow(power)?;
            } else if self.take("*") {
                value = value.checked_mul(self.unit()?)?;
            } else if self.take("/") {
                value = value.checked_div(self.unit()?)?;
            } else if self.take("%") {
                value = value.checked_rem(self.unit()?)?;
            } else {
                return Some(value);
            }
        }
    }

    fn unit(&mut self) -> Option<i64> {
        self.depth += 1;
        if self.depth > 64 {
            return None;
        }
        if self.take("(") {
            let value = self.sum()?;
            return self.take(")").then_some(value);
        }
        if self.take("-") {
            return self.unit()?.checked_neg();
        }
        if self.take("+") {
            return self.unit();
        }
        self.rest = self.rest.trim_start();
        let len = self
            .rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'#'))
            .count();
        let (word, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        if word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
            return (self.variable)(word);
        }
        if let Some(hex) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
            return i64::from_str_radix(hex, 16).ok();
        }
        if let Some((base, digits)) = word.split_once('#') {
            let base: u32 = base.parse().ok()?;
            return if (2..=36).contains(&base) {
                i64::from_str_radix(digits, base).ok()
            } else {
                None
            };
        }
        if word.len() > 1 && word.starts_with('0') {
            return i64::from_str_radix(word, 8).ok();
        }
        word.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers() {
        let none = |_: &str| None;
        assert_eq!(super::evaluate("1 + 2 * (3 - 1)", &none), Some(5));
        assert_eq!(super::evaluate("0x1f % 8", &none), Some(7));
        assert_eq!(super::evaluate("16#ff", &none), Some(255));
        assert_eq!(
            super::evaluate("x + 1", &|name| (name == "x").then_some(4)),
            Some(5)
        );
        assert_eq!(super::evaluate("1 / 0", &none), None);
    }
}
