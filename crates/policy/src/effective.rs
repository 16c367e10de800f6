//! What holds here and where each rule came from, for `show`.

use cmdai_schema::{Decision, Mode, Risk};
use serde::Serialize;

use crate::decide::{Layer, Layers};
use crate::document::Tolerance;
use crate::packs;

/// A rule as it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EffectiveRule {
    /// Stable identifier.
    pub id: String,
    /// The pack or layer it comes from.
    pub pack: String,
    /// The layer that set it last: `built-in`, `organisation` or `user`.
    pub set_by: &'static str,
    /// Where it stands: section and line of the layer's document, the template, or the pack.
    pub from: String,
    /// What it leads to at its worst.
    pub decision: Decision,
    /// Its risk at its worst.
    pub risk: Risk,
    /// How it takes part.
    pub mode: Mode,
    /// Why.
    pub reason: String,
    /// Who answers questions about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Controls and techniques.
    pub controls: Vec<String>,
    /// Cannot be switched off.
    pub floor: bool,
}

/// Every rule that holds, built-in ones first, each with the layer that set it last.
pub fn effective(layers: &Layers<'_>) -> Vec<EffectiveRule> {
    let of = |snapshot: Option<&crate::Snapshot>| {
        snapshot.and_then(|snapshot| snapshot.settings().risk_tolerance)
    };
    let base = of(layers.organisation)
        .or_else(|| of(layers.user).filter(|_| layers.organisation.is_none()))
        .unwrap_or(Tolerance::Medium);
    let own = of(layers.user).filter(|_| layers.organisation.is_some());
    let tolerated = |risk: Risk| {
        base.decision(risk)
            .max(own.map_or(Decision::Allow, |own| own.decision(risk)))
    };
    let mut out = Vec::new();
    for rule in packs::catalogue() {
        let decision = if rule.floor || rule.id == "org.quarantine" {
            Decision::Deny
        } else {
            tolerated(rule.risk)
        };
        let mut entry = EffectiveRule {
            id: rule.id.to_owned(),
            pack: rule.pack.to_owned(),
            set_by: "built-in",
            from: format!("built-in pack {}", rule.pack),
            decision,
            risk: rule.risk,
            mode: Mode::Enforce,
            reason: rule.reason.to_owned(),
            owner: None,
            controls: rule
                .controls
                .iter()
                .map(|control| (*control).to_owned())
                .collect(),
            floor: rule.floor,
        };
        for (layer, snapshot) in [
            (Layer::Organisation, layers.organisation),
            (Layer::User, layers.user),
        ] {
            let Some(setting) = snapshot.and_then(|snapshot| {
                snapshot
                    .head()
                    .overrides
                    .iter()
                    .find(|setting| setting.id == rule.id)
            }) else {
                continue;
            };
            let (risk, decision) = (
                setting.risk.unwrap_or(entry.risk),
                setting.decision.unwrap_or(entry.decision),
            );
            if layer == Layer::User || rule.floor {
                (entry.risk, entry.decision) = (entry.risk.max(risk), entry.decision.max(decision));
            } else {
                entry.risk = risk;
                entry.decision = if setting.decision.is_none() && setting.risk.is_some() {
                    tolerated(risk)
                } else {
                    decision
                };
                entry.mode = setting.mode.unwrap_or(entry.mode);
            }
            if let Some(reason) = &setting.reason {
                entry.reason.clone_from(reason);
            }
            entry.owner = setting.owner.clone().or(entry.owner);
            entry.controls.extend(setting.controls.iter().cloned());
            entry.set_by = layer.as_str();
            entry.from = format!("built-in pack {}, set by {}", rule.pack, setting.source);
        }
        out.push(entry);
    }
    for (layer, snapshot) in [
        (Layer::Organisation, layers.organisation),
        (Layer::User, layers.user),
    ] {
        let Some(snapshot) = snapshot else { continue };
        for rule in (0..snapshot.rule_count())
            .filter_map(|number| snapshot.rule(number))
            .map(|loaded| &loaded.rule)
        {
            out.push(EffectiveRule {
                id: rule.id.clone(),
                pack: layer.as_str().to_owned(),
                set_by: layer.as_str(),
                from: rule.source.to_string(),
                decision: rule.decision.unwrap_or_else(|| tolerated(rule.risk)),
                risk: rule.risk,
                mode: rule.mode,
                reason: rule.reason.clone(),
                owner: rule.owner.clone(),
                controls: rule.controls.clone(),
                floor: false,
            });
        }
        let settings = snapshot.settings();
        let asked = settings
            .require_approval_for
            .iter()
            .map(|category| ("approval", category, &snapshot.head().approval_source));
        let managers = settings
            .approvals
            .require_manager_approval
            .iter()
            .map(|category| {
                (
                    "approval.manager",
                    category,
                    &snapshot.head().manager_source,
                )
            });
        for (prefix, category, source) in asked.chain(managers) {
            out.push(EffectiveRule {
                id: format!("{prefix}.{}", category.as_str()),
                pack: layer.as_str().to_owned(),
                set_by: layer.as_str(),
                from: source.to_string(),
                decision: Decision::RequireApproval,
                risk: Risk::Moderate,
                mode: Mode::Enforce,
                reason: category.description().to_owned(),
                owner: None,
                controls: Vec::new(),
                floor: false,
            });
        }
        let head = snapshot.head();
        for (tool, source) in head.tools.iter().zip(&head.tool_sources) {
            out.push(EffectiveRule {
                id: format!("tool.{}", tool.name),
                pack: layer.as_str().to_owned(),
                set_by: layer.as_str(),
                from: source.to_string(),
                decision: tool.decision.unwrap_or(Decision::Deny),
                risk: Risk::High,
                mode: Mode::Enforce,
                reason: tool
                    .reason
                    .clone()
                    .unwrap_or_else(|| format!("{} has conditions", tool.name)),
                owner: tool.owner.clone(),
                controls: Vec::new(),
                floor: false,
            });
        }
    }
    out
}
