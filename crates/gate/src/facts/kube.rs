//! The cluster's context and namespaces, out of configuration files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cmdai_schema::{Facts, KubeConfig};

use super::Finder;
use super::reading::Found;

/// What several files together say. `None` where it cannot be told.
struct Merged {
    config: KubeConfig,
    source: Option<PathBuf>,
    nothing: bool,
}

/// The current configuration. `KUBECONFIG` may list several files: the first `current-context` wins.
pub(super) fn current(find: &Finder<'_>, facts: &mut Facts) {
    let variable = find.set("KUBECONFIG");
    let list: Vec<PathBuf> = match &variable {
        Some(list) => split(find.place.cwd, list),
        None => vec![find.place.home.join(".kube/config")],
    };
    let Some(merged) = merged(find, &list) else {
        return;
    };
    facts.kube_namespaces = merged.config.namespaces;
    match merged.config.context {
        Some(context) => {
            facts.kube_namespace = facts.kube_namespaces.get(&context).cloned();
            if facts.kube_namespace.is_none() {
                facts.absent.push("kube_namespace".to_owned());
            }
            let source = merged.source.unwrap_or_default().display().to_string();
            let source = match variable {
                Some(_) => format!("{source} (KUBECONFIG)"),
                None => source,
            };
            facts
                .sources
                .insert("kube_context".to_owned(), source.clone());
            facts.sources.insert("kube_namespace".to_owned(), source);
            facts.kube_context = Some(context);
        }
        // Inside a cluster the service account's cluster is meant.
        None if merged.nothing && find.set("KUBERNETES_SERVICE_HOST").is_none() => {
            facts.absent.push("kube_context".to_owned());
            facts.absent.push("kube_namespace".to_owned());
        }
        None => {}
    }
}

/// A configuration that the command names, as it is written there.
pub(super) fn named(find: &Finder<'_>, written: &str) -> Option<KubeConfig> {
    let home = find.place.home.to_str();
    let list = match (written.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => format!("{home}/{rest}"),
        _ => written.to_owned(),
    };
    merged(find, &split(find.place.cwd, &list)).map(|merged| merged.config)
}

fn split(cwd: &Path, list: &str) -> Vec<PathBuf> {
    list.split(':')
        .filter(|part| !part.is_empty())
        .take(16)
        .map(|part| cwd.join(part))
        .collect()
}

fn merged(find: &Finder<'_>, list: &[PathBuf]) -> Option<Merged> {
    let mut merged = Merged {
        config: KubeConfig::default(),
        source: None,
        nothing: true,
    };
    for path in list {
        match find.reading.text(path) {
            Found::Unknown => return None,
            Found::Nothing => {}
            Found::Text(text) => {
                let config = parse(&text)?;
                if merged.config.context.is_none() && config.context.is_some() {
                    merged.config.context = config.context;
                    merged.source = Some(path.clone());
                }
                for (context, namespace) in config.namespaces {
                    merged.config.namespaces.entry(context).or_insert(namespace);
                }
            }
        }
    }
    Some(merged)
}

/// Reads block YAML, as `kubectl` writes it, and JSON. Nothing where it is written otherwise.
fn parse(text: &str) -> Option<KubeConfig> {
    if text.starts_with('{') {
        return json(text);
    }
    let context = text
        .lines()
        .find_map(|line| Some(scalar(line.strip_prefix("current-context:")?)))
        .flatten();
    let flow = text
        .lines()
        .find_map(|line| line.strip_prefix("contexts:"))
        .is_some_and(|rest| rest.trim_start().starts_with('[') && rest.trim() != "[]");
    (!flow).then(|| KubeConfig {
        context,
        namespaces: namespaces(text),
    })
}

fn json(text: &str) -> Option<KubeConfig> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let word = |value: &serde_json::Value| {
        value
            .as_str()
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
    };
    let contexts = value.get("contexts").and_then(|list| list.as_array());
    let namespaces = contexts
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let namespace = entry.get("context")?.get("namespace")?;
            Some((word(entry.get("name")?)?, word(namespace)?))
        })
        .collect();
    Some(KubeConfig {
        context: value.get("current-context").and_then(word),
        namespaces,
    })
}

fn scalar(text: &str) -> Option<String> {
    let text = text.trim();
    let value = match text.chars().next()? {
        quote @ ('"' | '\'') => text.get(1..)?.split(quote).next()?,
        _ => text.split(" #").next()?.trim_end(),
    };
    (!value.is_empty() && value != "null" && value != "~").then(|| value.to_owned())
}

/// Namespaces of the entries of `contexts:`. Entries are list items with `context:` and `name:` in
/// either order.
fn namespaces(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut inside = false;
    let (mut name, mut namespace): (Option<String>, Option<String>) = (None, None);
    let mut keep = |name: &mut Option<String>, namespace: &mut Option<String>| {
        if let (Some(name), Some(namespace)) = (name.take(), namespace.take())
            && found.len() < 256
        {
            found.insert(name, namespace);
        }
    };
    for line in text.lines() {
        if !line.starts_with([' ', '-']) && !line.trim().is_empty() {
            keep(&mut name, &mut namespace);
            (name, namespace) = (None, None);
            inside = line.trim_end() == "contexts:";
            continue;
        }
        if !inside {
            continue;
        }
        let item = line.trim_start();
        let field = match item.strip_prefix("- ") {
            Some(field) => {
                keep(&mut name, &mut namespace);
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
    keep(&mut name, &mut namespace);
    found
}
