//! Challenges that security keys were asked to answer: each once, within minutes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How long a challenge waits.
pub(crate) const LIFETIME_MS: i64 = 5 * 60 * 1_000;
/// Most that wait for one account, and in all.
const OF_ONE: usize = 16;
const ALL: usize = 10_000;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Account that was asked.
    pub(crate) login: String,
    /// What it is for: method and path.
    pub(crate) act: String,
    /// The text whose hash is the challenge.
    pub(crate) statement: String,
    /// Until when it may be answered.
    pub(crate) until_ms: i64,
}

/// Challenges that wait, by the challenge (base64url).
#[derive(Debug, Default)]
pub(crate) struct Challenges(Mutex<HashMap<String, Asked>>);

impl Challenges {
    /// Keeps a challenge. The oldest of the same account gives way where there are many.
    pub(crate) fn ask(&self, challenge: String, asked: Asked, now_ms: i64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, there| there.until_ms > now_ms);
        let of_one = all
            .iter()
            .filter(|(_, there)| there.login == asked.login)
            .count();
        if of_one >= OF_ONE || all.len() >= ALL {
            let oldest = all
                .iter()
                .filter(|(_, there)| of_one < OF_ONE || there.login == asked.login)
                .min_by_key(|(_, there)| there.until_ms)
                .map(|(challenge, _)| challenge.clone());
            if let Some(oldest) = oldest {
                all.remove(&oldest);
            }
        }
        all.insert(challenge, asked);
    }

    /// Takes a challenge out: nobody can answer it a second time.
    pub(crate) fn take(&self, challenge: &str, now_ms: i64) -> Option<Asked> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(challenge)
            .filter(|asked| asked.until_ms > now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_answered_once_and_in_time() {
        let challenges = Challenges::default();
        let asked = |login: &str, until_ms: i64| Asked {
            login: login.to_owned(),
            act: "POST /x".to_owned(),
            statement: String::new(),
            until_ms,
        };
        challenges.ask("a".to_owned(), asked("sami", 100), 0);
        assert!(challenges.take("a", 50).is_some());
        assert!(challenges.take("a", 50).is_none());
        challenges.ask("b".to_owned(), asked("sami", 100), 0);
        assert!(challenges.take("b", 100).is_none());
        challenges.ask("maya".to_owned(), asked("maya", 1), 0);
        for number in 0..=OF_ONE {
            let until_ms = 100 + i64::try_from(number).unwrap();
            challenges.ask(number.to_string(), asked("sami", until_ms), 0);
        }
        assert!(challenges.take("0", 0).is_none(), "the oldest gave way");
        assert!(challenges.take("1", 0).is_some());
        assert!(challenges.take("maya", 0).is_some(), "others do not");
    }
}
