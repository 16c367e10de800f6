//! Private mode: its mark in a record is the word of the person's own process.
//!
//! cmdai leaves a command's text out only where the policy permits it. A record with the mark where the
//! policy forbids it was written by something else: it is sealed as a finding. What was written before the
//! policy changed its word is none; the time of a record is claimed, so whoever dates theirs back escapes
//! the finding and not the record, and what the machine layer sees does not depend on either.

use cmdai_schema::EventType;

use super::draft::Draft;

/// Value of `detail.finding`.
const FINDING: &str = "private-mode-forbidden";

/// What the policy says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Word {
    permitted: bool,
    /// Since when it is forbidden, in milliseconds since 1970; 0 where it was not permitted before.
    since_ms: u64,
}

impl Word {
    /// Takes the word of another policy.
    pub(crate) fn follow(&mut self, permitted: bool, now_ms: u64) {
        let since_ms = match (self.permitted, permitted) {
            (true, false) => now_ms,
            _ => self.since_ms,
        };
        *self = Self {
            permitted,
            since_ms,
        };
    }

    /// Marks what must not be there.
    pub(crate) fn mark(&self, drafts: &mut [Draft]) {
        if self.permitted {
            return;
        }
        for draft in drafts {
            let command = draft.payload.command.as_ref();
            let hidden = command.is_some_and(|command| command.private);
            let entered = draft.kind == EventType::PrivateMode
                && draft
                    .payload
                    .detail
                    .get("state")
                    .is_some_and(|state| state == "on");
            if !(hidden || entered) || draft.time_ms.is_some_and(|time| time < self.since_ms) {
                continue;
            }
            if draft.kind == EventType::CommandExecuted {
                draft.kind = EventType::PolicyViolation;
            }
            draft
                .payload
                .detail
                .insert("finding".to_owned(), FINDING.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use cmdai_schema::{CommandInfo, Payload};

    use super::*;

    fn draft(kind: EventType, private: bool, time_ms: u64) -> Draft {
        let command = CommandInfo {
            private,
            ..CommandInfo::default()
        };
        Draft {
            kind,
            time_ms: Some(time_ms),
            payload: Payload {
                command: Some(command),
                ..Payload::default()
            },
        }
    }

    fn findings(word: Word, drafts: &[Draft]) -> Vec<(EventType, bool)> {
        let mut drafts = drafts.to_vec();
        word.mark(&mut drafts);
        drafts
            .iter()
            .map(|draft| (draft.kind, draft.payload.detail.contains_key("finding")))
            .collect()
    }

    #[test]
    fn a_mark_that_policy_does_not_permit_is_a_finding_and_no_other() {
        use EventType::{CommandBlocked, CommandExecuted, PolicyViolation};
        let drafts = [
            draft(CommandExecuted, false, 50),
            draft(CommandExecuted, true, 50),
            draft(CommandBlocked, true, 150),
        ];
        let mut word = Word::default();
        let all = [
            (CommandExecuted, false),
            (PolicyViolation, true),
            (CommandBlocked, true),
        ];
        assert_eq!(findings(word, &drafts), all, "no policy permits none");
        word.follow(true, 90);
        assert!(findings(word, &drafts).iter().all(|(_, found)| !found));
        word.follow(false, 100);
        let after = [
            (CommandExecuted, false),
            (CommandExecuted, false),
            (CommandBlocked, true),
        ];
        assert_eq!(
            findings(word, &drafts),
            after,
            "what was permitted when it ran"
        );
        word.follow(false, 120);
        assert_eq!(findings(word, &drafts), after, "the same word again");
    }
}
