//! The dependency direction, checked from `cargo metadata`: Community never sees Enterprise, pure
//! crates stay pure, heavy crates stay off the endpoint.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::step;

/// Crates of this project that are pure: no I/O, clock, randomness or async.
const PURE: &[&str] = &[
    "cmdai-schema",
    "cmdai-shell",
    "cmdai-effects",
    "cmdai-policy",
    "cmdai-redact",
    "cmdai-ledger",
    "cmdai-detect",
];
/// What a pure crate may never reach.
const IMPURE: &[&str] = &[
    "tokio",
    "reqwest",
    "ureq",
    "axum",
    "sqlx",
    "rustix",
    "getrandom",
    "jiff",
    "tempfile",
    "memmap2",
];
/// What runs inside the person's shell may never reach.
const HEAVY_IN_SHELL: &[&str] = &[
    "tokio",
    "reqwest",
    "ureq",
    "rustls",
    "axum",
    "sqlx",
    "clap",
    "tree-sitter",
];
/// What must not get onto the endpoint.
const HEAVY_ON_ENDPOINT: &[&str] = &["sqlx", "axum", "cedar-policy"];

/// Checks both workspaces (Community alone where `enterprise/` is not there).
pub(crate) fn check() -> Result<()> {
    let community = Graph::load("")?;
    let inside: BTreeSet<&str> = community.ours.iter().map(String::as_str).collect();
    let mut wrong = Vec::new();
    for name in &inside {
        for reached in community.reach(name) {
            if community
                .manifest(&reached)
                .is_some_and(|path| path.contains("/enterprise/"))
            {
                wrong.push(format!("{name} (Community) reaches {reached} (Enterprise)"));
            }
        }
    }
    forbid(
        &community,
        &["cmdai-bash-native"],
        HEAVY_IN_SHELL,
        &mut wrong,
    );
    forbid(&community, PURE, IMPURE, &mut wrong);
    if step::root().join("enterprise").is_dir() {
        let enterprise = Graph::load("enterprise")?;
        forbid(&enterprise, PURE, IMPURE, &mut wrong);
        forbid(
            &enterprise,
            &["cmdai-sensor"],
            HEAVY_ON_ENDPOINT,
            &mut wrong,
        );
    }
    if wrong.is_empty() {
        eprintln!("dependency direction: fine");
        return Ok(());
    }
    bail!("dependency direction:\n  {}", wrong.join("\n  "))
}

fn forbid(graph: &Graph, names: &[&str], forbidden: &[&str], wrong: &mut Vec<String>) {
    for name in names.iter().filter(|name| graph.ours.contains(**name)) {
        let reached = graph.reach(name);
        for bad in forbidden.iter().filter(|bad| reached.contains(**bad)) {
            wrong.push(format!("{name} reaches {bad}"));
        }
    }
}

/// Normal dependencies by crate name.
struct Graph {
    edges: BTreeMap<String, BTreeSet<String>>,
    manifests: BTreeMap<String, String>,
    ours: BTreeSet<String>,
}

impl Graph {
    fn load(folder: &str) -> Result<Self> {
        let output = step::command(
            folder,
            "cargo",
            &["metadata", "--format-version=1", "--locked"],
        )
        .stderr(std::process::Stdio::inherit())
        .output()?;
        let metadata: Value = serde_json::from_slice(&output.stdout).with_context(|| {
            format!("cargo metadata in `{folder}` failed; is its Cargo.lock up to date?")
        })?;
        let text = |value: &Value, key: &str| {
            value
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let list = |value: &Value, key: &str| {
            value
                .get(key)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };

        let mut names = BTreeMap::new();
        let mut graph = Self {
            edges: BTreeMap::new(),
            manifests: BTreeMap::new(),
            ours: BTreeSet::new(),
        };
        for package in list(&metadata, "packages") {
            let name = text(&package, "name");
            if package.get("source").is_none_or(Value::is_null) {
                graph.ours.insert(name.clone());
            }
            graph
                .manifests
                .insert(name.clone(), text(&package, "manifest_path"));
            names.insert(text(&package, "id"), name);
        }
        let resolve = metadata.get("resolve").cloned().unwrap_or_default();
        for node in list(&resolve, "nodes") {
            let Some(from) = names.get(&text(&node, "id")) else {
                continue;
            };
            for dependency in list(&node, "deps") {
                let normal = list(&dependency, "dep_kinds")
                    .iter()
                    .any(|kind| kind.get("kind").is_none_or(Value::is_null));
                if let (true, Some(to)) = (normal, names.get(&text(&dependency, "pkg"))) {
                    graph
                        .edges
                        .entry(from.clone())
                        .or_default()
                        .insert(to.clone());
                }
            }
        }
        Ok(graph)
    }

    fn manifest(&self, name: &str) -> Option<&str> {
        self.manifests.get(name).map(String::as_str)
    }

    fn reach(&self, name: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut open = vec![name.to_owned()];
        while let Some(next) = open.pop() {
            for to in self.edges.get(&next).into_iter().flatten() {
                if reached.insert(to.clone()) {
                    open.push(to.clone());
                }
            }
        }
        reached
    }
}
