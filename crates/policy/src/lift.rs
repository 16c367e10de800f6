//! Exceptions beside a document: what was approved for one person on one machine.

use crate::document::{Exception, Target};
use crate::shape::Shape;
use crate::{PolicySet, packs};

/// Rules lifted for one person, for a time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lift {
    /// Rule ids.
    pub rules: Vec<String>,
    /// Login name.
    pub user: String,
    /// Only for commands that fit this shell pattern.
    pub pattern: Option<String>,
    /// Only in this folder and below, absolute.
    pub directory: Option<String>,
    /// Last moment, YYYY-MM-DDTHH:MM:SSZ.
    pub until: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
}

impl Lift {
    /// What is wrong with it, in words for whoever asks.
    ///
    /// # Errors
    /// Where a rule knows no exception, the pattern cannot be read, or the folder is none.
    pub fn check(&self) -> Result<(), String> {
        if self.rules.is_empty() || self.user.is_empty() {
            return Err("an exception names its rules and a person".to_owned());
        }
        let floor = |id: &&String| packs::find(id).is_some_and(|rule| rule.floor);
        if let Some(id) = self.rules.iter().find(floor) {
            return Err(format!("`{id}` knows no exception"));
        }
        if let Some(pattern) = &self.pattern {
            Shape::parse(pattern)
                .map_err(|_| format!("`{pattern}` is no pattern that can be read"))?;
        }
        // Neither a person's nor a folder's name is a glob.
        let stands_for_others = |text: &str| text.contains(['*', '?', '[', ']', '{', '}', '\\']);
        if stands_for_others(&self.user) {
            return Err(format!("`{}` is no name of one person", self.user));
        }
        match &self.directory {
            Some(folder) if !folder.starts_with('/') => {
                Err(format!("`{folder}` is not an absolute folder"))
            }
            Some(folder) if stands_for_others(folder) => {
                Err(format!("`{folder}` has letters that stand for others"))
            }
            _ => Ok(()),
        }
    }

    fn exception(&self) -> Exception {
        // A target's folder is itself and what lies below; the root is everywhere.
        let directory = self
            .directory
            .iter()
            .map(|folder| folder.trim_end_matches('/'));
        let directories = directory.filter(|folder| !folder.is_empty());
        Exception {
            rule: self.rules.clone(),
            scope: Target {
                users: vec![self.user.clone()],
                directories: directories.map(str::to_owned).collect(),
                ..Target::default()
            },
            pattern: self.pattern.clone(),
            until: self.until.clone(),
            reason: Some(self.reason.clone()),
            owner: Some(self.owner.clone()),
            ..Exception::default()
        }
    }
}

impl PolicySet {
    /// The document with these exceptions besides its own. One that is not sound is left out: then
    /// the rules stand.
    #[must_use]
    pub fn lifting(&self, lifts: &[Lift]) -> Self {
        let mut set = self.clone();
        let sound = lifts.iter().filter(|lift| lift.check().is_ok());
        set.document.exceptions.extend(sound.map(Lift::exception));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_lifted_for_one_person() {
        let good = Lift {
            rules: vec!["acme.deploy".to_owned()],
            user: "ann".to_owned(),
            pattern: Some("./deploy blue".to_owned()),
            directory: Some("/srv/app".to_owned()),
            until: "2026-01-31T00:00:00Z".to_owned(),
            ..Lift::default()
        };
        assert_eq!(good.check(), Ok(()));
        let floor = packs::catalogue().iter().find(|rule| rule.floor).unwrap();
        for bad in [
            Lift {
                rules: Vec::new(),
                ..good.clone()
            },
            Lift {
                rules: vec![floor.id.to_owned()],
                ..good.clone()
            },
            Lift {
                user: "*".to_owned(),
                ..good.clone()
            },
            Lift {
                directory: Some("srv".to_owned()),
                ..good.clone()
            },
            Lift {
                directory: Some("/srv/*".to_owned()),
                ..good.clone()
            },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        let set = crate::parse("version: \"1.0\"\norganization: acme\n", "p.yaml").unwrap();
        let lifted = set.lifting(&[good, Lift::default()]);
        assert_eq!(
            lifted.document().exceptions.len(),
            1,
            "the unsound one is left out"
        );
        assert_eq!(lifted.document().exceptions[0].scope.users, ["ann"]);
    }
}
