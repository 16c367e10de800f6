//! Identifiers and clocks.

/// A fresh identifier, ordered by time (UUID version 7).
pub fn fresh_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The short name of a command that a person can type: five letters and digits (no I, L, O, U) out
/// of the random end of its identifier.
pub fn short_id(command_id: &str) -> String {
    let digits: Vec<u8> = command_id.bytes().filter(u8::is_ascii_hexdigit).collect();
    let tail = digits
        .get(digits.len().saturating_sub(7)..)
        .unwrap_or_default();
    let mut bits = tail.iter().fold(0u32, |sum, digit| {
        sum << 4 | char::from(*digit).to_digit(16).unwrap_or(0)
    });
    let mut out = [b'0'; 5];
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET.get((bits & 31) as usize).copied().unwrap_or(b'0');
        bits >>= 5;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// True where `given`, as a person typed it, names the command: its short name, or the start of
/// its full identifier with at least eight characters.
pub fn names_command(given: &str, command_id: &str) -> bool {
    let given = given.trim();
    if given.len() >= 8 {
        return command_id.starts_with(&given.to_ascii_lowercase());
    }
    let typed: String = given
        .chars()
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    typed.len() == 5 && typed == short_id(command_id)
}

/// A moment by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970, UTC.
    pub wall_ms: u64,
    /// Nanoseconds of the machine's monotonic clock.
    pub mono_ns: u64,
}

impl Moment {
    /// This one.
    pub fn now() -> Self {
        Self {
            wall_ms: wall_ms(),
            mono_ns: monotonic_ns(),
        }
    }
}

/// Milliseconds since 1970, UTC. Zero where the clock stands before that.
pub(crate) fn wall_ms() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

/// Nanoseconds of the machine's monotonic clock.
pub(crate) fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_found_again_as_people_type_them() {
        let id = fresh_id();
        let short = short_id(&id);
        assert_eq!(short.len(), 5);
        assert!(names_command(&short, &id));
        assert!(names_command(&short.to_lowercase(), &id));
        assert!(names_command(&id, &id));
        assert!(!names_command("", &id));
        assert!(!names_command(&short, "0190b5a8-7c1e-7000-8000-00000000zz"));
        assert_eq!(short_id("0190b5a8-7c1e-7000-8000-0000000fffff"), "0ZZZZ");
    }

    #[test]
    fn identifiers_grow() {
        let mut last = String::new();
        for _ in 0..100 {
            let next = fresh_id();
            assert!(next > last);
            last = next;
        }
    }
}
