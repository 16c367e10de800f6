//! Version conditions on tools: `>=2.30.0`, `<1.30.0`, `~1.6.0`, `^1.2`, `=3.1`, `!=2.0.1`, `1.6.*`.
//!
//! Tools do not all follow semantic versioning (`2.47.3.windows.1`, `v1.29.3+k3s1`, `9.2p1`), so
//! a version is read as its leading numbers; what follows them does not count, except that a
//! pre-release (`1.30.0-rc1`) is older than its release.

use std::cmp::Ordering;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    numbers: Vec<u64>,
    pre_release: bool,
}

fn read(text: &str) -> Option<Version> {
    let text = text.trim().trim_start_matches(['v', 'V']);
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (head, tail) = text.split_at_checked(end)?;
    let numbers: Option<Vec<u64>> = head
        .split('.')
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect();
    let numbers = numbers?;
    let tail = tail.to_ascii_lowercase();
    let pre_release = [
        "-rc", "-alpha", "-beta", "-pre", "-dev", "rc", "alpha", "beta",
    ]
    .iter()
    .any(|mark| tail.starts_with(mark));
    (!numbers.is_empty()).then_some(Version {
        numbers,
        pre_release,
    })
}

impl Version {
    fn part(&self, index: usize) -> u64 {
        self.numbers.get(index).copied().unwrap_or(0)
    }

    fn compare(&self, other: &Self) -> Ordering {
        let longest = self.numbers.len().max(other.numbers.len());
        (0..longest)
            .map(|i| self.part(i).cmp(&other.part(i)))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| other.pre_release.cmp(&self.pre_release))
    }
}

fn split(condition: &str) -> (&str, &str) {
    let condition = condition.trim();
    let end = condition
        .find(|c: char| !"<>=!~^".contains(c))
        .unwrap_or(condition.len());
    let (operator, version) = condition.split_at(end);
    (operator, version.trim())
}

/// True for a plain version, such as `0.2.0`.
pub(crate) fn is_version(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_digit())
        && !text.chars().any(char::is_whitespace)
        && read(text).is_some()
}

/// True where the first version comes before the second. What cannot be read is no version: it comes
/// before everything, and nothing comes before it.
pub fn is_older(version: &str, than: &str) -> bool {
    match (read(version), read(than)) {
        (Some(version), Some(than)) => version.compare(&than).is_lt(),
        (None, Some(_)) => true,
        (_, None) => false,
    }
}

/// True where the condition can be read.
pub(crate) fn is_condition(condition: &str) -> bool {
    condition.split(',').all(|condition| {
        let (operator, version) = split(condition);
        let version = version.trim_end_matches(".*").trim_end_matches(".x");
        ["", "=", "==", ">", ">=", "<", "<=", "!=", "~", "~>", "^"].contains(&operator)
            && read(version).is_some()
    })
}

/// Whether a version meets a condition; `None` where the version cannot be read.
pub(crate) fn meets(version: &str, condition: &str) -> Option<bool> {
    let version = read(version)?;
    let mut all = true;
    for condition in condition.split(',') {
        all &= meets_one(&version, condition)?;
    }
    Some(all)
}

fn meets_one(version: &Version, condition: &str) -> Option<bool> {
    let (operator, text) = split(condition);
    let any_tail = text.ends_with(".*") || text.ends_with(".x");
    let wanted = read(text.trim_end_matches(".*").trim_end_matches(".x"))?;
    let order = version.compare(&wanted);
    let same = |count: usize| (0..count).all(|i| version.part(i) == wanted.part(i));
    Some(match operator {
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        "!=" => order.is_ne(),
        // ~1.6.0 and ~1.6: any 1.6; ~1: any 1.
        "~" => order.is_ge() && same(wanted.numbers.len().clamp(1, 2)),
        // ~> 1.6: any 1 from 1.6 on; ~> 1.6.0: any 1.6.
        "~>" => order.is_ge() && same(wanted.numbers.len().saturating_sub(1).max(1)),
        "^" => {
            let leading = wanted.numbers.iter().position(|n| *n != 0).unwrap_or(0) + 1;
            order.is_ge() && same(leading)
        }
        _ if any_tail || wanted.numbers.len() < version.numbers.len() => same(wanted.numbers.len()),
        _ => order.is_eq(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions() {
        for (version, condition, want) in [
            ("2.47.3", ">=2.30.0", true),
            ("2.29.9", ">=2.30.0", false),
            ("2.47.3.windows.1", ">=2.30.0", true),
            ("v1.29.3+k3s1", "<1.30.0", true),
            ("1.30.0", "<1.30.0", false),
            ("1.30.0-rc1", "<1.30.0", true),
            ("1.6.6", "~1.6.0", true),
            ("1.7.0", "~1.6.0", false),
            ("1.5.9", "~1.6.0", false),
            ("1.9", "~>1.6", true),
            ("2.0", "~>1.6", false),
            ("1.9.1", "^1.2", true),
            ("2.0.0", "^1.2", false),
            ("0.2.9", "^0.2.3", true),
            ("0.3.0", "^0.2.3", false),
            ("1.6.3", "1.6.*", true),
            ("1.6.3", "1.6", true),
            ("1.6.3", "=1.6.3", true),
            ("1.6.3", "=1.6.4", false),
            ("9.2p1", ">=9.2", true),
            ("1.28.1", ">=1.25.0, <1.30.0", true),
        ] {
            assert_eq!(
                meets(version, condition),
                Some(want),
                "{version} {condition}"
            );
        }
        assert!(is_older("0.9.9", "0.10.0") && is_older("0.2.0-rc1", "0.2.0"));
        assert!(!is_older("0.2.0", "0.2") && !is_older("1.0.0", "0.9"));
        assert!(is_older("", "0.1.0") && !is_older("0.1.0", ""));
        assert!(is_version("0.2") && is_version("1.0.0-rc1"));
        for wrong in ["", ">=0.2", "v1", "newest", "1.0 ", "1 .0"] {
            assert!(!is_version(wrong), "{wrong:?}");
        }
        assert_eq!(meets("unknown", ">=1"), None);
        assert!(!is_condition(">=abc"));
        assert!(!is_condition("=>1.0"));
        assert!(is_condition("~1.6.0"));
    }
}
