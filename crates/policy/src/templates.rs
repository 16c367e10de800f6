//! Templates that a document can `include:` by name.

use crate::document::{At, Document};

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
        name: "ai-agents",
        description: "AI agents may not touch production, secrets or published history, and ask before they gain rights or lose data",
        source: include_str!("../templates/ai-agents.yaml"),
    },
    Template {
        name: "air-gapped",
        description: "Nothing comes from or goes to a network; models run here",
        source: include_str!("../templates/air-gapped.yaml"),
    },
    Template {
        name: "baseline",
        description: "What every organisation wants: no code straight from the network, no tampering with logs and protection",
        source: include_str!("../templates/baseline.yaml"),
    },
    Template {
        name: "ci-runner",
        description: "Build machines: no untrusted code, nothing lasting, no rewritten history; everyday work is only recorded",
        source: include_str!("../templates/ci-runner.yaml"),
    },
    Template {
        name: "data-protection",
        description: "Databases, backups and exports need another person's yes; secrets never leave",
        source: include_str!("../templates/data-protection.yaml"),
    },
    Template {
        name: "monitor-first",
        description: "Start by watching: the everyday built-in rules are recorded, nothing but the worst is stopped",
        source: include_str!("../templates/monitor-first.yaml"),
    },
    Template {
        name: "production-ops",
        description: "Changes to production clusters, clouds and databases need another person's yes",
        source: include_str!("../templates/production-ops.yaml"),
    },
    Template {
        name: "regulated-hipaa",
        description: "Health data: approvals, local models, records kept for six years, with HIPAA controls named",
        source: include_str!("../templates/regulated-hipaa.yaml"),
    },
    Template {
        name: "regulated-pci",
        description: "Card data: two approvers, least rights, records kept for a year, with PCI DSS controls named",
        source: include_str!("../templates/regulated-pci.yaml"),
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
    let template = TEMPLATES.iter().find(|template| template.name == name)?;
    let mut document = crate::parse(template.source, name).ok()?.document;
    // Each entry keeps where it came from.
    let from = |at: &mut At| at.1 = Some(template.name);
    document
        .rules
        .iter_mut()
        .for_each(|rule| from(&mut rule.at));
    let patterns = &mut document.safety.blocked_patterns;
    patterns
        .iter_mut()
        .for_each(|pattern| from(&mut pattern.at));
    let tools = &mut document.allowed_tools;
    tools.iter_mut().for_each(|tool| from(&mut tool.at));
    from(&mut document.safety.at_approval);
    from(&mut document.safety.at_paths);
    from(&mut document.approvals.at_manager);
    Some(document)
}
