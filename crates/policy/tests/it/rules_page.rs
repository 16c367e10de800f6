//! Every built-in rule has a line that fires it, a safer command that is one, and a row on the page
//! of rules.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use cmdai_policy::{Layers, SnapshotMeta, builtin_rules, decide, technique, verify_instead};
use cmdai_schema::{Judgement, Risk};

use super::samples::SAMPLES;
use super::support::{agent, analyse, facts, ids, named, plain, under};

/// Judged as the gate does it: with only the safer commands that hold.
fn judged(rule: &str, line: &str) -> Judgement {
    let mut judgement = if rule == "org.quarantine" {
        let meta = SnapshotMeta {
            quarantine: Some(String::new()),
            ..SnapshotMeta::default()
        };
        under(&named("version: \"1.0\"\n", &meta), line)
    } else if rule.starts_with("agent.") {
        // These hold for agents alone.
        decide(&analyse(line), line, &Layers::default(), &facts(), &agent())
    } else {
        plain(line)
    };
    verify_instead(&mut judgement, &|safer| plain(safer).decision);
    judgement
}

#[test]
fn every_rule_has_a_line_that_fires_it() {
    let mut wrong = Vec::new();
    for rule in builtin_rules() {
        if !SAMPLES.iter().any(|(id, _)| *id == rule.id) {
            wrong.push(format!(
                "{}: add a line that fires it to tests/it/samples.rs",
                rule.id
            ));
        }
    }
    for (id, line) in SAMPLES {
        let judgement = judged(id, line);
        if !ids(&judgement).contains(id) {
            wrong.push(format!(
                "{id}: `{line}` fires {:?}: {:?}",
                ids(&judgement),
                judgement.effects
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is offered is safe or moderate, and calmer than the line.
#[test]
fn safer_commands_are_calm() {
    let mut wrong = Vec::new();
    for (id, line) in SAMPLES {
        let judgement = judged(id, line);
        for safer in judgement
            .rules
            .iter()
            .filter_map(|hit| hit.instead.as_deref())
        {
            let again = plain(safer);
            if again.risk > Risk::Moderate || again.decision >= judgement.decision {
                wrong.push(format!(
                    "{line}: {safer} is {} {:?}",
                    again.decision,
                    ids(&again)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rules for which no safer command can be made from the line. Everything else offers one.
const WITHOUT: &[&str] = &[
    "agent.typed-shell",
    "cloud.change",
    "db.change",
    "net.reverse-shell",
    "priv.escalate",
    "res.exhaustion",
    "sec.attack-tool",
];

#[test]
fn a_safer_command_wherever_there_is_one() {
    let mut found: BTreeMap<&str, bool> = BTreeMap::new();
    for (id, line) in SAMPLES {
        let offers = judged(id, line)
            .rules
            .iter()
            .any(|hit| hit.id == *id && hit.instead.is_some());
        *found.entry(id).or_default() |= offers;
    }
    let wrong: Vec<&str> = found
        .iter()
        .filter(|(id, offers)| **offers == WITHOUT.contains(id))
        .map(|(id, _)| *id)
        .collect();
    assert!(
        wrong.is_empty(),
        "with and without a safer command mixed up: {wrong:?}"
    );
}

fn page() -> String {
    let mut out = String::from(
        "# Built-in rules\n\n\
         Written by `CMDAI_WRITE_DOCS=1 cargo test -p cmdai-policy rules_page`; a test compares it with the\n\
         rules. The risk is the worst that a rule says: by place and circumstances it may say less. What\n\
         follows from a risk is set by `risk_tolerance` ([policy](policy.md)). Rules marked *floor* cannot\n\
         be switched off. Techniques are those of MITRE ATT&CK for Enterprise.\n",
    );
    let mut packs: Vec<&str> = builtin_rules().iter().map(|rule| rule.pack).collect();
    packs.sort_unstable();
    packs.dedup();
    for pack in packs {
        let _ = write!(out, "\n## {pack}\n");
        for rule in builtin_rules().iter().filter(|rule| rule.pack == pack) {
            let floor = if rule.floor { ", *floor*" } else { "" };
            let _ = write!(
                out,
                "\n### {}\n\n{}: {}{floor}.\n",
                rule.id, rule.risk, rule.reason
            );
            let techniques: Vec<String> = rule
                .controls
                .iter()
                .filter_map(|id| {
                    let short = id.strip_prefix("ATT&CK:")?;
                    let link = short.replace('.', "/");
                    Some(format!(
                        "[{short} {}](https://attack.mitre.org/techniques/{link}/)",
                        technique(id)?
                    ))
                })
                .collect();
            if !techniques.is_empty() {
                let _ = writeln!(out, "{}.", techniques.join(", "));
            }
            out.push_str("\n```console\n");
            for (id, line) in SAMPLES.iter().filter(|(id, _)| *id == rule.id) {
                let _ = writeln!(out, "$ {line}");
                let judgement = judged(id, line);
                let safer = judgement
                    .rules
                    .iter()
                    .find(|hit| hit.id == *id)
                    .and_then(|hit| hit.instead.as_deref());
                if let Some(safer) = safer {
                    let _ = writeln!(out, "# safer: {safer}");
                }
            }
            out.push_str("```\n");
        }
    }
    out
}

#[test]
fn rules_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let page = page();
    if std::env::var_os("CMDAI_WRITE_DOCS").is_some() {
        std::fs::write(&path, page).unwrap();
        return;
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == page,
        "docs/rules.md is not what the rules say; write it with: CMDAI_WRITE_DOCS=1 cargo test -p cmdai-policy rules_page"
    );
}
