//! Lengths of time as people write them.

/// Reads `1 hour`, `15 minutes`, `30s`, `2 days`, `24h`: milliseconds.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let cut = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(cut);
    let number: u64 = if number.is_empty() {
        1
    } else {
        number.parse().ok()?
    };
    number.checked_mul(unit_ms(unit.trim())?)
}

/// Milliseconds of a unit's name.
pub(crate) fn unit_ms(unit: &str) -> Option<u64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" => 1_000,
        "m" | "min" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "w" | "week" | "weeks" => 604_800_000,
        _ => return None,
    })
}

/// Writes a length in its largest fitting unit: `15 minutes`, `1 hour`.
pub(crate) fn words(ms: u64) -> String {
    let (unit, name) = match ms {
        172_800_000.. => (86_400_000, "day"),
        7_200_000.. => (3_600_000, "hour"),
        3_600_000 => (3_600_000, "hour"),
        60_000.. => (60_000, "minute"),
        _ => (1_000, "second"),
    };
    let number = ms / unit;
    format!("{number} {name}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_in_every_way_people_write_them() {
        for (text, ms) in [
            ("1 hour", 3_600_000),
            ("hour", 3_600_000),
            ("15m", 900_000),
            ("30 s", 30_000),
            ("2 days", 172_800_000),
            ("1w", 604_800_000),
        ] {
            assert_eq!(parse(text), Some(ms), "{text}");
        }
        for text in [
            "",
            "1",
            "x hours",
            "-1 hour",
            "99999999999999999999h",
            "1 fortnight",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(words(3_600_000), "1 hour");
        assert_eq!(words(900_000), "15 minutes");
        assert_eq!(words(5_400_000), "90 minutes");
        assert_eq!(words(172_800_000), "2 days");
    }
}
