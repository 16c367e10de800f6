//! The named sets of effects and contexts that documents speak of.
//!
//! | category | a command belongs to it when |
//! |---|---|
//! | `destructive_commands` | it loses data: a recursive or wildcard delete or a move outside build and temporary folders, an overwrite that a built-in rule calls high, formatting, writing a device, lost version-control history, a forced push, a deleted branch, a destroyed resource, a cleared log |
//! | `privilege_escalation` | it runs as somebody else, adds an account, changes a credential, sets a set-user-id bit |
//! | `network_operations` | it downloads, uploads, connects or listens |
//! | `production_database_operations` | it changes or destroys something in a database while the context, the environment or the target names production |
//! | `high_risk_commands` | any enforced rule calls it high or critical |
//! | `safe_commands` | no enforced rule calls it more than safe, and nothing is unknown |
//! | `read_only_operations` | all of its effects are reads, downloads to nowhere or connections, and nothing is unknown |

use cmdai_schema::{Analysis, EffectKind, Facts, Risk};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::hit::Hit;

/// A named set of commands. See the module for what each holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Loses data.
    DestructiveCommands,
    /// Gains rights.
    PrivilegeEscalation,
    /// Speaks to the network.
    NetworkOperations,
    /// Changes a production database.
    ProductionDatabaseOperations,
    /// Judged high or critical.
    HighRiskCommands,
    /// Judged safe.
    SafeCommands,
    /// Only reads.
    ReadOnlyOperations,
}

impl Category {
    /// Words in documents.
    pub(crate) const WORDS: &[(&'static str, Category)] = &[
        ("destructive_commands", Self::DestructiveCommands),
        ("privilege_escalation", Self::PrivilegeEscalation),
        ("network_operations", Self::NetworkOperations),
        (
            "production_database_operations",
            Self::ProductionDatabaseOperations,
        ),
        ("high_risk_commands", Self::HighRiskCommands),
        ("safe_commands", Self::SafeCommands),
        ("read_only_operations", Self::ReadOnlyOperations),
    ];

    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(_, value)| *value == self)
            .map_or("", |(word, _)| word)
    }

    /// What it holds, in a sentence.
    pub fn description(self) -> &'static str {
        match self {
            Self::DestructiveCommands => "loses data, history or resources",
            Self::PrivilegeEscalation => "gains rights or changes accounts",
            Self::NetworkOperations => "speaks to the network",
            Self::ProductionDatabaseOperations => "changes a production database",
            Self::HighRiskCommands => "is judged high or critical",
            Self::SafeCommands => "is judged safe",
            Self::ReadOnlyOperations => "only reads",
        }
    }
}

const NETWORK: &[&str] = &["download", "upload", "connect", "listen"];
const PRIVILEGE: &[&str] = &["escalate", "add-user", "change-credential"];
const DATABASES: &[&str] = &[
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "sqlite",
    "mongodb",
    "mongo",
    "redis",
    "mssql",
    "oracle",
    "cassandra",
    "clickhouse",
    "cockroachdb",
    "dynamodb",
    "elasticsearch",
    "sql",
    "database",
];

/// True where a word names production: `prod`, `prd`, `live` or `production` as a part of its own.
pub(crate) fn names_production(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|part| {
            let part = part.trim_end_matches(|c: char| c.is_ascii_digit());
            ["prod", "prd", "production", "live"]
                .iter()
                .any(|word| part.eq_ignore_ascii_case(word))
        })
}

/// True where the surroundings are production.
pub(crate) fn in_production(facts: &Facts) -> bool {
    [
        &facts.environment,
        &facts.kube_context,
        &facts.aws_profile,
        &facts.terraform_workspace,
    ]
    .into_iter()
    .flatten()
    .any(|word| names_production(word))
}

/// The span of the part of a command that puts it into a category, if it belongs there.
pub(crate) fn matches(
    category: Category,
    analysis: &Analysis,
    text: &str,
    facts: &Facts,
    hits: &[Hit<'_>],
) -> Option<cmdai_schema::Span> {
    let effects = &analysis.effects;
    let whole = || cmdai_schema::Span::new(0, text.len());
    let worst = || {
        hits.iter()
            .filter(|hit| hit.counts())
            .max_by_key(|hit| hit.risk)
    };
    match category {
        Category::DestructiveCommands => {
            let hit = hits.iter().find(|hit| hit.counts() && hit.loses_data());
            hit.map(|hit| hit.span)
        }
        Category::PrivilegeEscalation => effects
            .iter()
            .find(|effect| PRIVILEGE.contains(&effect.kind.name()))
            .map(|effect| effect.span)
            .or_else(|| {
                hits.iter()
                    .find(|hit| hit.counts() && hit.id == "priv.setuid")
                    .map(|hit| hit.span)
            }),
        Category::NetworkOperations => effects
            .iter()
            .find(|effect| NETWORK.contains(&effect.kind.name()))
            .map(|effect| effect.span),
        Category::ProductionDatabaseOperations => effects
            .iter()
            .find(|effect| match &effect.kind {
                EffectKind::ResourceDestroy {
                    resource,
                    name,
                    provider,
                    context,
                }
                | EffectKind::ResourceChange {
                    resource,
                    name,
                    provider,
                    context,
                } => {
                    let database = [provider, resource].iter().any(|word| {
                        let word = word.to_ascii_lowercase();
                        DATABASES
                            .iter()
                            .any(|known| word == *known || word.starts_with(&format!("{known}-")))
                    });
                    let production = in_production(facts)
                        || names_production(name)
                        || context.as_deref().is_some_and(names_production)
                        || names_production(text);
                    database && production
                }
                _ => false,
            })
            .map(|effect| effect.span),
        Category::HighRiskCommands => worst()
            .filter(|hit| hit.risk >= Risk::High)
            .map(|hit| hit.span),
        Category::SafeCommands => {
            let calm = worst().is_none_or(|hit| hit.risk == Risk::Safe);
            (calm && !analysis.unknown && analysis.complete).then(whole)
        }
        Category::ReadOnlyOperations => {
            let reads = effects.iter().all(|effect| {
                matches!(
                    &effect.kind,
                    EffectKind::Read { .. }
                        | EffectKind::Connect { .. }
                        | EffectKind::Download { to: None, .. }
                )
            });
            (reads && !analysis.unknown && analysis.complete).then(whole)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_is_a_word_of_its_own() {
        assert!(names_production("prod-eu-1"));
        assert!(names_production("gke_acme_production"));
        assert!(names_production("prod2"));
        assert!(!names_production("product-catalogue"));
        assert!(!names_production("reproduce"));
        assert!(!names_production("delivery"));
    }
}
