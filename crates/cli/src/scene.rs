//! Where and as whom this process asks: the part that every command shares.

use std::io::IsTerminal as _;

use cmdai_effects::NoSession;
use cmdai_gate::origin::{self, Signals, attribute};
use cmdai_gate::{Attribution, Gate, Manner, Outcome, Recorder, Request, Settled, Voice};
use cmdai_languages::Grammars;
use cmdai_schema::Dialect;

use crate::failure::Failure;

/// The gate with everything a request needs.
pub(crate) struct Scene {
    /// The gate.
    pub(crate) gate: Gate,
    /// Who acts.
    pub(crate) who: Attribution,
    /// Working directory.
    pub(crate) cwd: String,
    /// Home.
    pub(crate) home: String,
    /// Login.
    pub(crate) user: String,
    /// Somebody can answer a question.
    pub(crate) terminal: bool,
}

impl Scene {
    /// This machine, person and directory.
    pub(crate) fn here() -> Result<Self, Failure> {
        let gate = Gate::open();
        let person = gate.person().clone();
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let parents = origin::ancestors();
        let who = attribute(&Signals {
            variable: &|name| std::env::var(name).ok(),
            terminal,
            interactive: terminal,
            parents: &parents,
        });
        let cwd = std::env::current_dir().map_err(|error| {
            Failure::failed(
                format!("the working directory cannot be read: {error}"),
                "cd somewhere that exists",
            )
        })?;
        Ok(Self {
            who,
            cwd: cwd.to_string_lossy().into_owned(),
            home: person.home_text().to_owned(),
            user: person.login,
            terminal,
            gate,
        })
    }

    /// Asks as if from another folder or with another home.
    pub(crate) fn place(&mut self, cwd: Option<&str>, home: Option<&str>) -> Result<(), Failure> {
        for (given, place, flag) in [
            (cwd, &mut self.cwd, "--cwd"),
            (home, &mut self.home, "--home"),
        ] {
            let Some(given) = given else { continue };
            if !given.starts_with('/') {
                return Err(Failure::usage(
                    format!("{flag}: `{given}` is not an absolute path"),
                    "give a path that begins with /",
                ));
            }
            given.clone_into(place);
        }
        Ok(())
    }

    /// True where somebody governs this machine.
    pub(crate) fn governed(&self) -> bool {
        self.gate.installation().is_governed()
    }

    /// Judges one line.
    pub(crate) fn judge(&mut self, text: &str, dialect: Dialect) -> Outcome {
        let request = Request {
            text,
            dialect,
            cwd: &self.cwd,
            home: &self.home,
            user: &self.user,
            session: &NoSession,
            languages: &Grammars,
            who: &self.who,
            terminal: self.terminal,
            facts: None,
        };
        self.gate.judge(&request)
    }

    /// Carries a decision out: says, asks, redeems or opens an approval, records the first half.
    pub(crate) fn settle(
        &mut self,
        text: &str,
        dialect: Dialect,
        outcome: &Outcome,
        voice: &mut dyn Voice,
        recorder: &mut Recorder,
        manner: Manner<'_>,
    ) -> Settled {
        let request = Request {
            text,
            dialect,
            cwd: &self.cwd,
            home: &self.home,
            user: &self.user,
            session: &NoSession,
            languages: &Grammars,
            who: &self.who,
            terminal: self.terminal,
            facts: None,
        };
        self.gate.settle(&request, outcome, voice, recorder, manner)
    }
}

/// Words of a command line as one shell line: a single word is a line already, several are quoted.
pub(crate) fn line(words: &[String]) -> String {
    match words {
        [single] => single.clone(),
        several => several
            .iter()
            .map(|word| quote(word))
            .collect::<Vec<_>>()
            .join(" "),
    }
}

/// One word, quoted for a POSIX shell where it needs it.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_words_are_quoted_and_one_is_a_line() {
        assert_eq!(line(&["ls | wc".to_owned()]), "ls | wc");
        let words = ["rm", "-rf", "a b", "it's", ""].map(str::to_owned);
        assert_eq!(line(&words), r"rm -rf 'a b' 'it'\''s' ''");
    }
}
