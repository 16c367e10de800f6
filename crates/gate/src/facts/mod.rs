//! Facts about the machine, collected only where a command or a loaded rule makes them matter.
//! Nothing is run and nothing is asked over the network: environment, small files, `stat`, all
//! within a budget. A fact that cannot be told stays unknown; one that was looked for and is not
//! there is named in `absent`.

mod cloud;
mod kube;
mod reading;
mod repository;

use std::path::Path;

use cmdai_policy::Asked;
use cmdai_schema::Facts;

pub(crate) use reading::Cache;
use reading::Reading;
use repository::Wanted;

use crate::versions;

/// Variables that CI systems set.
const CI: &[&str] = &[
    "CI",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "JENKINS_URL",
    "BUILDKITE",
    "CIRCLECI",
    "TF_BUILD",
    "TEAMCITY_VERSION",
    "TRAVIS",
    "CODEBUILD_BUILD_ID",
    "BITBUCKET_BUILD_NUMBER",
    "DRONE",
];

/// Where facts are looked for.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Working directory.
    pub cwd: &'a Path,
    /// Home.
    pub home: &'a Path,
    /// Folder with the cache of tool versions.
    pub state: &'a Path,
    /// Reads a variable of the session.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Somebody can answer a question.
    pub terminal: bool,
}

/// One look at a place.
struct Finder<'a> {
    place: &'a Place<'a>,
    reading: Reading<'a>,
}

impl Finder<'_> {
    /// A variable that is set and not empty.
    fn set(&self, name: &str) -> Option<String> {
        (self.place.variable)(name).filter(|value| !value.is_empty())
    }

    /// Notes where a fact was found.
    fn from(&self, facts: &mut Facts, name: &str, found: bool, source: &str) {
        if found && !facts.sources.contains_key(name) {
            facts.sources.insert(name.to_owned(), source.to_owned());
        }
    }
}

/// Root of the work tree that a folder lies in.
pub(crate) fn project(cwd: &Path) -> Option<String> {
    repository::work_tree(cwd).and_then(|root| root.to_str().map(str::to_owned))
}

/// Collects what is asked for.
pub(crate) fn collect(asked: &Asked, place: &Place<'_>, cache: &Cache) -> Facts {
    let find = Finder {
        place,
        reading: Reading::new(cache),
    };
    let mut facts = Facts {
        terminal: Some(place.terminal),
        environment: find.set("CMDAI_ENVIRONMENT"),
        now: Some(now(find.set("TZ").is_some(), cache)),
        cwd: place.cwd.to_str().map(str::to_owned),
        home: place.home.to_str().map(str::to_owned),
        project: project(place.cwd),
        versions: versions::known(&asked.versions, place),
        ..Facts::default()
    };
    if asked.machine {
        let ci = CI
            .iter()
            .find(|name| find.set(name).is_some_and(|value| value != "false"));
        facts.ci = Some(ci.is_some());
        facts.container = Some(in_container(&find));
        find.from(&mut facts, "ci", ci.is_some(), ci.unwrap_or(&""));
    }
    let environment = facts.environment.is_some();
    find.from(&mut facts, "environment", environment, "CMDAI_ENVIRONMENT");
    if asked.cluster {
        kube::current(&find, &mut facts);
    }
    for path in &asked.kubeconfigs {
        if let Some(config) = kube::named(&find, path) {
            facts.kube_configs.insert(path.clone(), config);
        }
    }
    if asked.aws {
        cloud::aws(&find, &mut facts, asked.aws_accounts, &asked.aws_profiles);
    }
    if asked.gcloud {
        cloud::gcloud(&find, &mut facts, &asked.gcloud_configurations);
    }
    if asked.azure {
        cloud::azure(&find, &mut facts);
    }
    let wanted = Wanted {
        branch: asked.branch,
        remotes: asked.remotes,
        terraform: asked.terraform,
    };
    if asked.branch || asked.remotes || asked.terraform {
        repository::here(&find, wanted, &mut facts);
        for folder in &asked.folders {
            let known = repository::folder(&find, Path::new(folder), wanted);
            facts.folders.insert(folder.clone(), known);
        }
    }
    facts
}

/// The moment in the machine's own offset.
///
/// Asking the library for the system's zone makes it walk through every zone that is installed, for its
/// name: more than a hundred calls of the system, for each start of the program. The zone's file tells
/// the offset by itself.
fn now(named: bool, cache: &Cache) -> String {
    use jiff::tz::TimeZone;
    let zone = (!named).then(|| cache.zone()).flatten();
    jiff::Timestamp::now()
        .to_zoned(zone.unwrap_or_else(TimeZone::system))
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

fn in_container(find: &Finder<'_>) -> bool {
    /// A process does not come to lie in another container.
    static MARKED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    find.set("container").is_some()
        || *MARKED.get_or_init(|| {
            Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists()
        })
        || find.set("KUBERNETES_SERVICE_HOST").is_some()
}

#[cfg(test)]
mod tests;
