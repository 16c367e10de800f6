//! Facts about the machine, collected only where a command makes them matter. Nothing is run and
//! nothing is asked over the network: environment, small files, `stat`.

use std::path::{Path, PathBuf};

use cmdai_schema::{Analysis, Facts};

use crate::{files, versions};

const KUBECONFIG_LIMIT: u64 = 1024 * 1024;

/// Where facts are looked for.
#[derive(Clone, Copy)]
pub struct Place<'a> {
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

/// Collects what the programs of `analysis` make worth knowing.
pub fn collect(analysis: &Analysis, place: &Place<'_>) -> Facts {
    let set = |name: &str| (place.variable)(name).filter(|value| !value.is_empty());
    let calls = |names: &[&str]| {
        analysis
            .invocations
            .iter()
            .any(|call| names.contains(&call.program.as_str()))
    };
    let mut facts = Facts {
        terminal: Some(place.terminal),
        ci: Some(
            [
                "CI",
                "GITHUB_ACTIONS",
                "GITLAB_CI",
                "JENKINS_URL",
                "BUILDKITE",
            ]
            .iter()
            .any(|name| set(name).is_some_and(|v| v != "false")),
        ),
        container: Some(in_container(&set)),
        environment: set("CMDAI_ENVIRONMENT"),
        now: Some(now(set("TZ").is_some())),
        cwd: place.cwd.to_str().map(str::to_owned),
        home: place.home.to_str().map(str::to_owned),
        project: work_tree(place.cwd).and_then(|root| root.to_str().map(str::to_owned)),
        versions: versions::known(analysis, place),
        ..Facts::default()
    };
    if calls(&[
        "kubectl",
        "helm",
        "k9s",
        "kustomize",
        "oc",
        "flux",
        "argocd",
        "istioctl",
        "stern",
    ]) {
        (facts.kube_context, facts.kube_namespace) = kube(place, &set);
    }
    if calls(&[
        "aws",
        "terraform",
        "tofu",
        "terragrunt",
        "pulumi",
        "cdk",
        "sam",
        "eksctl",
        "packer",
        "eb",
        "s5cmd",
    ]) {
        facts.aws_profile = set("AWS_PROFILE").or_else(|| set("AWS_DEFAULT_PROFILE"));
        facts.aws_region = set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"));
    }
    if calls(&["terraform", "tofu", "terragrunt"]) {
        let folder = set("TF_DATA_DIR").map_or_else(
            || place.cwd.join(".terraform"),
            |folder| place.cwd.join(folder),
        );
        facts.terraform_workspace = set("TF_WORKSPACE")
            .or_else(|| small_text(&folder.join("environment")))
            .or_else(|| folder.is_dir().then(|| "default".to_owned()));
    }
    if calls(&["git", "gh", "glab", "hub", "jj"]) {
        facts.git_branch = git_branch(place.cwd);
        facts.protected_branches = vec!["main".to_owned(), "master".to_owned()];
    }
    facts
}

/// The moment in the machine's own offset.
///
/// Asking the library for the system's zone makes it walk through every zone that is installed, for its
/// name: more than a hundred calls of the system, for each start of the program. The zone's file tells
/// the offset by itself.
fn now(named: bool) -> String {
    use jiff::tz::TimeZone;
    let file = (!named)
        .then(|| std::fs::read("/etc/localtime").ok())
        .flatten();
    let zone = file.and_then(|bytes| TimeZone::tzif("local", &bytes).ok());
    jiff::Timestamp::now()
        .to_zoned(zone.unwrap_or_else(TimeZone::system))
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

fn in_container(set: &dyn Fn(&str) -> Option<String>) -> bool {
    set("container").is_some()
        || Path::new("/.dockerenv").exists()
        || Path::new("/run/.containerenv").exists()
}

fn small_text(path: &Path) -> Option<String> {
    let bytes = files::read_bounded(path, 64 * 1024).ok()?;
    let text = String::from_utf8(bytes).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Context and namespace. `KUBECONFIG` may list several files: the first `current-context` wins.
fn kube(
    place: &Place<'_>,
    set: &dyn Fn(&str) -> Option<String>,
) -> (Option<String>, Option<String>) {
    let list: Vec<PathBuf> = match set("KUBECONFIG") {
        Some(list) => list
            .split(':')
            .filter(|part| !part.is_empty())
            .map(|part| place.cwd.join(part))
            .collect(),
        None => vec![place.home.join(".kube/config")],
    };
    let texts: Vec<String> = list
        .iter()
        .take(16)
        .filter_map(|path| files::read_bounded(path, KUBECONFIG_LIMIT).ok())
        .filter_map(|bytes| String::from_utf8(bytes).ok())
        .collect();
    let Some(context) = texts
        .iter()
        .find_map(|text| top_level(text, "current-context"))
    else {
        return (None, None);
    };
    let namespace = texts.iter().find_map(|text| namespace_of(text, &context));
    (Some(context), namespace)
}

/// Value of a plain `key: value` line without indentation.
fn top_level(text: &str, key: &str) -> Option<String> {
    text.lines()
        .find_map(|line| scalar(line.strip_prefix(key)?.strip_prefix(':')?))
}

fn scalar(text: &str) -> Option<String> {
    let text = text.trim();
    let value = match text.chars().next()? {
        quote @ ('"' | '\'') => text.get(1..)?.split(quote).next()?,
        _ => text.split(" #").next()?.trim_end(),
    };
    (!value.is_empty() && value != "null" && value != "~").then(|| value.to_owned())
}

/// Namespace of one entry of `contexts:`. Entries are list items with `context:` and `name:` in
/// either order; `kubectl` writes them in block style, which is all that is read here.
fn namespace_of(text: &str, context: &str) -> Option<String> {
    let mut inside = false;
    let (mut name, mut namespace) = (None, None);
    for line in text.lines() {
        let indented = line.starts_with([' ', '-']);
        if !indented && !line.trim().is_empty() {
            if inside && name.as_deref() == Some(context) {
                return namespace;
            }
            inside = line.trim_end() == "contexts:";
            (name, namespace) = (None, None);
            continue;
        }
        if !inside {
            continue;
        }
        let item = line.trim_start();
        let field = match item.strip_prefix("- ") {
            Some(field) => {
                if name.as_deref() == Some(context) {
                    return namespace;
                }
                (name, namespace) = (None, None);
                field
            }
            None => item,
        };
        if let Some(value) = field.strip_prefix("namespace:") {
            namespace = scalar(value);
        } else if let Some(value) = field.strip_prefix("name:") {
            name = scalar(value);
        }
    }
    (name.as_deref() == Some(context))
        .then_some(namespace)
        .flatten()
}

/// Root of the work tree that a folder lies in.
fn work_tree(cwd: &Path) -> Option<&Path> {
    cwd.ancestors()
        .take(64)
        .find(|folder| folder.join(".git").exists())
}

/// Branch that is checked out in or above a folder; nothing where the head is detached.
fn git_branch(cwd: &Path) -> Option<String> {
    let marker = work_tree(cwd)?.join(".git");
    let folder = if marker.is_dir() {
        marker
    } else {
        // A work tree or submodule: the file says where the real folder is.
        let link = small_text(&marker)?;
        marker.parent()?.join(link.strip_prefix("gitdir:")?.trim())
    };
    let head = small_text(&folder.join("HEAD"))?;
    head.strip_prefix("ref:")?
        .trim()
        .strip_prefix("refs/heads/")
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cmdai_schema::Invocation;

    #[test]
    fn the_moment_has_the_offset_of_the_machine() {
        let (short, long) = (now(false), now(true));
        let offset = |text: &str| text.get(19..).map(str::to_owned);
        assert_eq!(offset(&short), offset(&long), "{short} {long}");
        assert!(short.parse::<jiff::Timestamp>().is_ok(), "{short}");
    }

    fn calls(program: &str) -> Analysis {
        Analysis {
            invocations: vec![Invocation {
                program: program.to_owned(),
                ..Invocation::default()
            }],
            ..Analysis::default()
        }
    }

    fn collected(program: &str, dir: &Path, variables: &[(&str, &str)]) -> Facts {
        let variable = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        collect(
            &calls(program),
            &Place {
                cwd: dir,
                home: dir,
                state: dir,
                variable: &variable,
                terminal: false,
            },
        )
    }

    #[test]
    fn context_and_namespace_come_from_the_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".kube")).unwrap();
        std::fs::write(
            dir.path().join(".kube/config"),
            "apiVersion: v1\nclusters:\n- cluster:\n    server: x\n  name: c\ncontexts:\n- context:\n    cluster: c\n    namespace: dev\n    user: u\n  name: dev-1\n- context:\n    cluster: c\n    namespace: shop\n    user: u\n  name: \"prod-eu\"\ncurrent-context: prod-eu # now\nkind: Config\nusers:\n- name: prod-eu\n",
        )
        .unwrap();
        let facts = collected("kubectl", dir.path(), &[]);
        assert_eq!(facts.kube_context.as_deref(), Some("prod-eu"));
        assert_eq!(facts.kube_namespace.as_deref(), Some("shop"));
        assert_eq!(collected("ls", dir.path(), &[]).kube_context, None);
        let facts = collected("kubectl", dir.path(), &[("KUBECONFIG", "/does/not/exist")]);
        assert_eq!(facts.kube_context, None);
    }

    #[test]
    fn branch_is_read_above_and_through_work_trees() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir(dir.path().join(".git")).unwrap();
        std::fs::write(dir.path().join(".git/HEAD"), "ref: refs/heads/feature/x\n").unwrap();
        assert_eq!(
            collected("git", &deep, &[]).git_branch.as_deref(),
            Some("feature/x")
        );
        std::fs::write(dir.path().join(".git/HEAD"), "0123456789abcdef\n").unwrap();
        assert_eq!(collected("git", &deep, &[]).git_branch, None);
        std::fs::create_dir(dir.path().join("real")).unwrap();
        std::fs::write(dir.path().join("real/HEAD"), "ref: refs/heads/wt\n").unwrap();
        std::fs::write(deep.join(".git"), "gitdir: ../../real\n").unwrap();
        assert_eq!(
            collected("git", &deep, &[]).git_branch.as_deref(),
            Some("wt")
        );
    }

    #[test]
    fn profile_and_workspace() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".terraform")).unwrap();
        let facts = collected("terraform", dir.path(), &[("AWS_PROFILE", "prod")]);
        assert_eq!(facts.aws_profile.as_deref(), Some("prod"));
        assert_eq!(facts.terraform_workspace.as_deref(), Some("default"));
    }
}
