//! Where a document, rule or exception applies.

use cmdai_schema::{Facts, Subject};

use crate::document::Target;
use crate::glob;

fn label<'a>(subject: &'a Subject, names: &[&str]) -> Option<&'a str> {
    names
        .iter()
        .find_map(|name| subject.labels.get(*name))
        .map(String::as_str)
}

/// Environment of the machine: the fact, or the label.
pub(crate) fn environment<'a>(facts: &'a Facts, subject: &'a Subject) -> Option<&'a str> {
    facts
        .environment
        .as_deref()
        .or_else(|| label(subject, &["env", "environment"]))
}

impl Target {
    /// Every list that is given must hold one that fits; what is not known does not fit.
    pub(crate) fn covers(&self, facts: &Facts, subject: &Subject) -> bool {
        let fits = |list: &[String], value: Option<&str>| {
            list.is_empty() || value.is_some_and(|value| glob::any_word(list, value))
        };
        let machine = subject.machine_id.as_deref();
        let cwd = facts.cwd.as_deref();
        let in_directory = || {
            cwd.is_some_and(|cwd| {
                self.directories
                    .iter()
                    .any(|glob| below(glob, cwd, facts.home.as_deref()))
            })
        };
        (self.teams.is_empty()
            || subject
                .teams
                .iter()
                .any(|team| glob::any_word(&self.teams, team)))
            && fits(&self.departments, label(subject, &["department"]))
            && fits(&self.environments, environment(facts, subject))
            && fits(&self.zones, label(subject, &["zone"]))
            && (fits(&self.machines, machine)
                || fits(&self.machines, label(subject, &["hostname"])))
            && fits(&self.users, Some(&subject.user))
            && (self.origins.is_empty() || self.origins.contains(&subject.origin))
            && fits(&self.agents, subject.agent.as_deref())
            && (self.directories.is_empty() || in_directory())
    }
}

/// True where the directory is what the glob names or lies below it.
pub(crate) fn below(pattern: &str, directory: &str, home: Option<&str>) -> bool {
    let tree = format!("{}/*", pattern.trim_end_matches("/*").trim_end_matches('/'));
    glob::path(pattern, directory, false, home) || glob::path(&tree, directory, false, home)
}
