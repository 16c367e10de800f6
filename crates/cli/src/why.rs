//! `cmdai why`: of a recorded command, what was decided; of any command, every rule that looked at
//! it, what nearly fired and what kept it, and the facts with where they were found.

use cmdai_effects::NoSession;
use cmdai_gate::history::{self, Entry};
use cmdai_gate::{Person, Request, escape};
use cmdai_languages::Grammars;
use cmdai_policy::{FactUsed, Looked, Verdict};
use cmdai_schema::Dialect;

use crate::arguments::{Format, Why};
use crate::failure::Failure;
use crate::history::{row, time};
use crate::scene::{Scene, line};
use crate::screen;

/// Explains a recorded command, or any command as it would be judged now.
pub(crate) fn why(arguments: &Why) -> Result<u8, Failure> {
    let Some(id) = &arguments.id else {
        let mut scene = Scene::here()?;
        scene.place(arguments.cwd.as_deref(), None)?;
        let text = line(&arguments.command);
        let why = explain(&mut scene, &text, arguments.shell);
        match arguments.format {
            Format::Json => anstream::println!("{}", serde_json::json!(why)),
            Format::Human => {
                anstream::println!("{}", screen::bold(&escape(&text)));
                human(&why);
            }
        }
        return Ok(0);
    };
    let person = Person::current();
    let Some(entry) = history::find(&person, id) else {
        return Err(Failure::failed(
            format!("no command `{id}` in the history"),
            "see `cmdai log` for what there is, or ask about any command: cmdai why -- COMMAND",
        ));
    };
    if entry.start.private && arguments.format == Format::Human {
        recorded(&entry);
        anstream::println!(
            "\n{}",
            screen::dim("it ran in private mode: what it was is not recorded")
        );
        return Ok(0);
    }
    // What was recorded is redacted; that it is judged again is told apart from what was decided.
    let mut scene = Scene::here()?;
    scene.cwd.clone_from(&entry.start.cwd);
    let dialect = Dialect::from_name(&entry.start.shell).unwrap_or(arguments.shell);
    let why = explain(&mut scene, &entry.start.text, dialect);
    if arguments.format == Format::Json {
        let mut row = row(&entry);
        if let Some(row) = row.as_object_mut() {
            row.insert("now".to_owned(), serde_json::json!(why));
        }
        anstream::println!("{row}");
        return Ok(0);
    }
    recorded(&entry);
    anstream::println!("\n{}", screen::dim("as it would be judged now"));
    human(&why);
    Ok(0)
}

fn explain(scene: &mut Scene, text: &str, dialect: Dialect) -> cmdai_policy::Why {
    scene.gate.why(&Request {
        text,
        dialect,
        cwd: &scene.cwd,
        home: &scene.home,
        user: &scene.user,
        session: &NoSession,
        languages: &Grammars,
        who: &scene.who,
        // The question is what a person would be told, not who asks it.
        terminal: true,
        facts: None,
    })
}

fn human(why: &cmdai_policy::Why) {
    let judgement = &why.judgement;
    anstream::println!(
        "  {}  {} risk, policy {} {}",
        screen::decision(judgement.decision),
        screen::risk(judgement.risk),
        escape(&judgement.policy.id),
        escape(&judgement.policy.version)
    );
    for (verdict, title) in [
        (Verdict::Fired, "fired"),
        (Verdict::RecordedOnly, "fired, recorded only"),
        (Verdict::Nearly, "nearly fired"),
    ] {
        let list: Vec<&Looked> = why
            .rules
            .iter()
            .filter(|looked| looked.verdict == verdict)
            .collect();
        if list.is_empty() {
            continue;
        }
        anstream::println!("\n  {}", screen::dim(title));
        for looked in list {
            rule(looked);
        }
    }
    if why.rules.is_empty() {
        anstream::println!("\n  no rule has anything to say about it");
    }
    if why.silent > 0 {
        anstream::println!(
            "\n  {} of the documents looked at it and had nothing to say",
            count(why.silent, "rule")
        );
    }
    if !why.facts.is_empty() {
        anstream::println!("\n  {}", screen::dim("facts"));
        for fact in &why.facts {
            self::fact(fact);
        }
    }
}

fn count(number: usize, name: &str) -> String {
    match number {
        1 => format!("1 {name}"),
        _ => format!("{number} {name}s"),
    }
}

fn rule(looked: &Looked) {
    anstream::println!(
        "    {}  {}  {}",
        screen::bold(&escape(&looked.id)),
        screen::decision(looked.decision),
        escape(&looked.reason)
    );
    let layer = match looked.layer {
        "built-in" => String::new(),
        layer => format!("{layer}: "),
    };
    anstream::println!(
        "      {} {layer}{}",
        screen::dim("from"),
        escape(&looked.from)
    );
    for note in &looked.notes {
        anstream::println!("      {} {}", screen::dim("but"), escape(note));
    }
}

fn fact(fact: &FactUsed) {
    let name = if fact.program.is_empty() {
        fact.name.to_owned()
    } else {
        format!("{} of {}", fact.name, escape(&fact.program))
    };
    match &fact.value {
        Some(value) => anstream::println!(
            "    {name:<24} {}  {}",
            escape(value),
            screen::dim(&escape(&fact.from))
        ),
        None => anstream::println!("    {name:<24} {}", screen::dim(&escape(&fact.from))),
    }
}

/// What was decided when it was recorded.
fn recorded(entry: &Entry) {
    let policy = &entry.start.policy;
    if !entry.start.private {
        anstream::println!("{}", screen::bold(&escape(&entry.start.text)));
    }
    let mut lines = vec![
        ("when", time(entry.time_ms)),
        ("where", escape(&entry.start.cwd)),
        (
            "decision",
            format!(
                "{}, {} risk",
                screen::decision(policy.decision),
                screen::risk(policy.risk_level)
            ),
        ),
        ("because", escape(&policy.reason)),
        ("rules", policy.violated_rules.join(", ")),
        ("would do", entry.start.effects.join(", ")),
        ("programs", entry.start.programs.join(", ")),
        (
            "policy",
            format!("{} {}", policy.policy_id, policy.policy_version),
        ),
        (
            "by",
            format!(
                "{} ({})",
                entry.start.origin.kind.as_str(),
                entry.start.origin.evidence.join(", ")
            ),
        ),
    ];
    if let Some(approval) = &entry.start.approval {
        let by = approval
            .approver
            .as_deref()
            .map(|who| format!(" by {who}"))
            .unwrap_or_default();
        lines.push((
            "approval",
            format!("{} {}{by}", approval.request_id, approval.status),
        ));
    }
    if let Some((code, micros)) = entry.end {
        lines.push((
            "ended",
            format!("exit status {code} after {} ms", micros / 1000),
        ));
    }
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        anstream::println!("  {}  {value}", screen::dim(&format!("{name:<9}")));
    }
    for id in &policy.violated_rules {
        if let Some(rule) = cmdai_policy::builtin_rules()
            .iter()
            .find(|rule| rule.id == *id)
        {
            anstream::println!("\n  {}: {}", screen::bold(id), rule.reason);
        }
    }
}
