//! Templates that a document can `include:` by name.

use crate::document::Document;

/// A built-in template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// Name in `include:`.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub description: &'static str,
    /// The document.
    pub source: &'static str,
}

const TEMPLATES: &[Template] = &[
    Template {
        name: "agents-careful",
        description: "AI agents may not touch production, secrets or published history",
        source: include_str!("../templates/agents-careful.yaml"),
    },
    Template {
        name: "monitor-first",
        description: "Start by watching: the everyday built-in rules are recorded, nothing but the worst is stopped",
        source: include_str!("../templates/monitor-first.yaml"),
    },
    Template {
        name: "production-guard",
        description: "Changes to production clusters, clouds and databases need another person's yes",
        source: include_str!("../templates/production-guard.yaml"),
    },
    Template {
        name: "supply-chain",
        description: "No code straight from the network, no packages from strangers",
        source: include_str!("../templates/supply-chain.yaml"),
    },
];

/// Every template, sorted by name.
pub fn all() -> &'static [Template] {
    TEMPLATES
}

/// The source of a template.
pub(crate) fn source(name: &str) -> Option<&'static str> {
    TEMPLATES
        .iter()
        .find(|template| template.name == name)
        .map(|template| template.source)
}

/// A template as a document. Templates are tested to be valid and to include nothing.
pub(crate) fn document(name: &str) -> Option<Document> {
    crate::parse(source(name)?, name)
        .ok()
        .map(|set| set.document)
}
