//! Days and hours, compared as texts: the crate has no clock.

use crate::document::TimeWindow;

const DAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub(crate) fn day_names() -> &'static [&'static str] {
    DAYS
}

/// True for `YYYY-MM-DD` and `YYYY-MM-DDTHH:MM:SSZ`.
pub(crate) fn is_date(text: &str) -> bool {
    let Some((day, rest)) = text.split_at_checked(10) else {
        return false;
    };
    parts(day).is_some()
        && (rest.is_empty()
            || (rest.len() == 10
                && rest.starts_with('T')
                && rest.ends_with('Z')
                && clock(rest.get(1..6).unwrap_or("")).is_some()))
}

fn parts(day: &str) -> Option<(i64, i64, i64)> {
    let mut fields = day.split('-');
    let (year, month, date) = (fields.next()?, fields.next()?, fields.next()?);
    let digits = |text: &str, len: usize| {
        (text.len() == len && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<i64>().ok())
            .flatten()
    };
    let (year, month, date) = (digits(year, 4)?, digits(month, 2)?, digits(date, 2)?);
    let lengths = [
        31,
        if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) {
            29
        } else {
            28
        },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let longest = lengths.get(usize::try_from(month - 1).ok()?).copied()?;
    (fields.next().is_none() && (1..=longest).contains(&date)).then_some((year, month, date))
}

/// Days since 1970-01-01.
fn day_number(day: &str) -> Option<i64> {
    let (year, month, date) = parts(day)?;
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + date - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn clock(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..=24).contains(&hours) && (0..60).contains(&minutes)).then_some(hours * 60 + minutes)
}

/// Seconds since 1970 in UTC of an RFC 3339 moment.
fn seconds(moment: &str) -> Option<i64> {
    let days = day_number(moment.get(..10)?)?;
    let minutes = clock(moment.get(11..16)?)?;
    let seconds: i64 = moment
        .get(17..19)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let tail = moment.get(19..).unwrap_or("");
    let offset = match tail.rfind(['+', '-']) {
        Some(at) => {
            let size = clock(tail.get(at + 1..)?)?;
            if tail.get(at..=at) == Some("-") {
                -size
            } else {
                size
            }
        }
        None => 0,
    };
    Some(days * 86_400 + minutes * 60 + seconds - offset * 60)
}

/// Whether `until` has not passed at `now`. A day includes all of itself, in UTC. What cannot be
/// read has passed.
pub(crate) fn not_after(now: &str, until: &str) -> bool {
    let end = if until.len() == 10 {
        day_number(until).map(|day| (day + 1) * 86_400 - 1)
    } else {
        seconds(until)
    };
    matches!((seconds(now), end), (Some(now), Some(end)) if now <= end)
}

/// Reads `HH:MM-HH:MM` into minutes of the day.
pub(crate) fn window(text: &str) -> Option<(i64, i64)> {
    let (from, to) = text.split_once('-')?;
    Some((clock(from.trim())?, clock(to.trim())?))
}

/// Whether the moment lies in the window; `None` where the moment cannot be read.
pub(crate) fn in_window(now: &str, window_of: &TimeWindow) -> Option<bool> {
    let day = day_number(now.get(..10)?)?;
    let minute = clock(now.get(11..16)?)?;
    let name = |day: i64| {
        usize::try_from((day + 3).rem_euclid(7))
            .ok()
            .and_then(|i| DAYS.get(i))
            .copied()
            .unwrap_or("")
    };
    let on = |day: i64| {
        window_of.days.is_empty() || window_of.days.iter().any(|known| known == name(day))
    };
    let inside = match window_of.between.as_deref().and_then(window) {
        None => on(day),
        Some((from, to)) if from <= to => on(day) && (from..to).contains(&minute),
        // Over midnight: the early hours belong to the day before.
        Some((from, to)) => (on(day) && minute >= from) || (on(day - 1) && minute < to),
    };
    Some(inside != window_of.outside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert!(is_date("2026-12-31"));
        assert!(is_date("2026-12-31T08:00:00Z"));
        assert!(!is_date("2026-02-29"));
        assert!(is_date("2028-02-29"));
        assert!(!is_date("31.12.2026"));
        assert_eq!(day_number("1970-01-01"), Some(0));
        assert_eq!(day_number("2026-11-23"), Some(20_780));
    }

    #[test]
    fn ends() {
        assert!(not_after("2026-12-31T23:59:59Z", "2026-12-31"));
        assert!(!not_after("2027-01-01T00:00:00Z", "2026-12-31"));
        assert!(not_after("2027-01-01T00:30:00+01:00", "2026-12-31"));
        assert!(!not_after("2026-12-31T09:00:00Z", "2026-12-31T08:00:00Z"));
        assert!(!not_after("garbage", "2026-12-31"));
    }

    #[test]
    fn windows() {
        let office = TimeWindow {
            days: ["mon", "tue", "wed", "thu", "fri"]
                .map(str::to_owned)
                .to_vec(),
            between: Some("08:00-18:00".to_owned()),
            outside: true,
        };
        // 2026-11-23 is a Monday.
        assert_eq!(in_window("2026-11-23T10:00:00Z", &office), Some(false));
        assert_eq!(in_window("2026-11-23T20:00:00Z", &office), Some(true));
        assert_eq!(in_window("2026-11-22T10:00:00Z", &office), Some(true));
        let night = TimeWindow {
            days: vec!["fri".to_owned()],
            between: Some("22:00-06:00".to_owned()),
            outside: false,
        };
        assert_eq!(in_window("2026-11-28T03:00:00Z", &night), Some(true));
        assert_eq!(in_window("2026-11-27T03:00:00Z", &night), Some(false));
        assert_eq!(in_window("nonsense", &night), None);
    }
}
