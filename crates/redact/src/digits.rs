//! Payment cards (issuer range, length and Luhn check) and US social security numbers.

use crate::Finding;

/// Adds every card and social security number.
pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(step) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(u8::is_ascii_digit))
    {
        let start = at + step;
        let mut end = start;
        let mut digits = 0usize;
        // One run of digits with single blanks or dashes in between.
        while let Some(&byte) = bytes.get(end) {
            let joins = (byte == b'-' || byte == b' ')
                && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
            if byte.is_ascii_digit() {
                digits += 1;
            } else if !joins {
                break;
            }
            end += 1;
        }
        if digits >= 9 && bounded(bytes, start, end) {
            check(bytes, start, end, found);
        }
        at = end;
    }
}

/// No letter, digit or word character touches the run.
fn bounded(bytes: &[u8], start: usize, end: usize) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    let before = start.checked_sub(1).and_then(|at| bytes.get(at)).copied();
    let after = bytes.get(end).copied();
    let fraction = after == Some(b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
    !before.is_some_and(|byte| word(byte) || byte == b'.') && !after.is_some_and(word) && !fraction
}

/// Looks at the groups of one run: single groups, and groups next to each other.
fn check(bytes: &[u8], start: usize, end: usize, found: &mut Vec<Finding>) {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    let mut from = start;
    for at in start..=end {
        if at == end || !bytes.get(at).is_some_and(u8::is_ascii_digit) {
            groups.push((from, at));
            from = at + 1;
        }
    }
    let mut index = 0;
    while index < groups.len() {
        let rest = groups.get(index..).unwrap_or(&[]);
        let taken = card(bytes, rest)
            .map(|count| (count, "card"))
            .or_else(|| ssn(bytes, rest).map(|count| (count, "ssn")));
        match taken {
            Some((count, kind)) => {
                if let (Some(first), Some(last)) = (rest.first(), rest.get(count - 1)) {
                    found.push(Finding {
                        start: first.0,
                        end: last.1,
                        kind,
                    });
                }
                index += count;
            }
            None => index += 1,
        }
    }
}

/// How many groups make up a card number, where they do.
fn card(bytes: &[u8], groups: &[(usize, usize)]) -> Option<usize> {
    const LAYOUTS: [&[usize]; 4] = [&[4, 4, 4, 4], &[4, 6, 5], &[4, 4, 4, 4, 3], &[4, 6, 4]];
    let lengths = |count: usize| {
        groups
            .get(..count)
            .unwrap_or(&[])
            .iter()
            .map(|(from, to)| to - from)
    };
    let single = groups
        .first()
        .filter(|(from, to)| (13..=19).contains(&(to - from)))
        .map(|_| 1);
    let count = single.or_else(|| {
        LAYOUTS
            .iter()
            .find(|layout| lengths(layout.len()).eq(layout.iter().copied()))
            .map(|layout| layout.len())
    })?;
    let mut digits: Vec<u8> = Vec::with_capacity(19);
    for (from, to) in groups.get(..count)? {
        digits.extend(bytes.get(*from..*to)?.iter().map(|byte| byte - b'0'));
    }
    (issuer(&digits) && luhn(&digits)).then_some(count)
}

/// Issuer ranges of the large schemes with their lengths.
fn issuer(digits: &[u8]) -> bool {
    let head = digits
        .iter()
        .take(4)
        .fold(0u32, |sum, digit| sum * 10 + u32::from(*digit));
    match digits.len() {
        15 => matches!(head / 100, 34 | 37),
        14 => matches!(head / 100, 30 | 36 | 38 | 39),
        16 => {
            head / 1000 == 4
                || (5100..=5599).contains(&head)
                || (2221..=2720).contains(&head)
                || (3528..=3589).contains(&head)
                || head == 6011
                || (6440..=6599).contains(&head)
                || head / 100 == 62
        }
        13 | 19 => head / 1000 == 4 || (head / 100 == 62 && digits.len() == 19),
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit);
            if place % 2 == 0 {
                digit
            } else if digit > 4 {
                digit * 2 - 9
            } else {
                digit * 2
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// `ddd-dd-dddd` with numbers that are given out.
fn ssn(bytes: &[u8], groups: &[(usize, usize)]) -> Option<usize> {
    let [area, group, serial] = groups else {
        return None;
    };
    let dashed = bytes.get(area.1) == Some(&b'-') && bytes.get(group.1) == Some(&b'-');
    let number = |range: &(usize, usize)| {
        bytes
            .get(range.0..range.1)
            .unwrap_or(&[])
            .iter()
            .fold(0u32, |sum, byte| sum * 10 + u32::from(byte - b'0'))
    };
    let sized = area.1 - area.0 == 3 && group.1 - group.0 == 2 && serial.1 - serial.0 == 4;
    let given = sized
        && !matches!(number(area), 0 | 666 | 900..)
        && number(group) != 0
        && number(serial) != 0;
    (dashed && given).then_some(3)
}
