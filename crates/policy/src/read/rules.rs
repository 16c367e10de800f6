//! Own rules with their conditions, exceptions and tests.

use super::sections::{check_regex, check_shape};
use super::target;
use crate::category::Category;
use crate::document::{
    At, DECISIONS, EFFECTS, Exception, Factor, MODES, ORIGINS, RISKS, Rule, RuleApproval,
    TimeWindow, Trial, When,
};
use crate::error::{Problems, suggest};
use crate::moment;
use crate::packs;
use crate::yaml::{Node, Value};

fn approval(node: &Node, problems: &mut Problems) -> Option<RuleApproval> {
    let mut fields = node.map("approval", problems)?;
    let factor = fields
        .get("factor")
        .and_then(|node| node.choice("factor", Factor::WORDS, problems));
    fields.finish(problems);
    Some(RuleApproval { factor })
}

pub(super) fn rule(node: &Node, problems: &mut Problems) -> Option<Rule> {
    let mut fields = node.map("rules", problems)?;
    let mut rule = Rule {
        at: At(node.at, None),
        ..Rule::default()
    };
    rule.id = fields.needed("id", problems).unwrap_or_default();
    if let Some(id) = fields.get("id").filter(|_| !rule.id.is_empty()) {
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        if !rule.id.chars().all(plain) {
            let help = "use letters, digits, `.`, `-` and `_`".to_owned();
            problems.error(
                id.at,
                "bad-id",
                format!("`{}` is not a rule id", rule.id),
                Some(help),
            );
        }
    }
    rule.when = fields.get("when").and_then(|node| when(node, problems));
    rule.decision = fields
        .get("decision")
        .and_then(|node| node.choice("decision", DECISIONS, problems));
    rule.risk = fields
        .get("risk")
        .and_then(|node| node.choice("risk", RISKS, problems));
    rule.unknown = fields
        .get("unknown")
        .and_then(|node| node.choice("decision", DECISIONS, problems));
    let has_mode = fields.get("mode");
    rule.mode = has_mode.and_then(|node| node.choice("mode", MODES, problems));
    rule.reason = fields.text("reason", problems);
    rule.instead = fields.text("instead", problems);
    rule.owner = fields.text("owner", problems);
    rule.controls = fields.texts("controls", problems);
    rule.approval = fields
        .get("approval")
        .and_then(|node| approval(node, problems));
    if let Some(node) = fields.get("applies_to") {
        rule.applies_to = target(node, "applies_to", problems);
    }
    if let Some(node) = fields.get("tests") {
        rule.tests = node
            .list(problems)
            .iter()
            .filter_map(|item| trial(item, problems))
            .collect();
    }
    let built_in = packs::find(&rule.id);
    match (&rule.when, built_in) {
        (Some(_), Some(_)) => {
            let help = "drop `when` to set the built-in rule, or choose another id".to_owned();
            problems.error(
                node.at,
                "taken-id",
                format!("`{}` is a built-in rule", rule.id),
                Some(help),
            );
        }
        (None, None) if !rule.id.is_empty() && fields.get("when").is_none() => {
            let ids = packs::catalogue().iter().map(|built_in| built_in.id);
            let help = suggest(&rule.id, ids).unwrap_or_else(|| "say `when` it fires".to_owned());
            let message = format!("`{}` is not a built-in rule and has no `when`", rule.id);
            problems.error(node.at, "unknown-rule", message, Some(help));
        }
        (None, Some(_)) if rule.unknown.is_some() => {
            problems.error(
                node.at,
                "unknown-without-when",
                format!("`unknown` says nothing for the built-in rule `{}`", rule.id),
                Some("it belongs to a rule with `when`".to_owned()),
            );
        }
        (None, Some(built_in))
            if built_in.floor
                && rule
                    .mode
                    .is_some_and(|mode| mode != cmdai_schema::Mode::Enforce) =>
        {
            let message = format!("`{}` cannot be switched off", rule.id);
            problems.error(
                node.at,
                "floor",
                message,
                Some("it protects cmdai itself or the whole machine".to_owned()),
            );
        }
        (Some(_), None) if rule.decision.is_none() && rule.risk.is_none() => {
            let help =
                "add `decision: deny`, or `risk: high` to let the risk tolerance decide".to_owned();
            problems.error(
                node.at,
                "missing-key",
                format!("rule `{}` has neither `decision` nor `risk`", rule.id),
                Some(help),
            );
        }
        _ => {}
    }
    fields.finish(problems);
    Some(rule)
}

fn when(node: &Node, problems: &mut Problems) -> Option<When> {
    let complaints = problems.list.len();
    let mut fields = node.map("when", problems)?;
    let mut when = When {
        program: fields.texts("program", problems),
        args: fields.texts("args", problems),
        path: fields.texts("path", problems),
        not_path: fields.texts("not_path", problems),
        context: fields.texts("context", problems),
        account: fields.texts("account", problems),
        region: fields.texts("region", problems),
        namespace: fields.texts("namespace", problems),
        workspace: fields.texts("workspace", problems),
        remote: fields.texts("remote", problems),
        target: fields.texts("target", problems),
        protected_branch: fields.flag("protected_branch", problems),
        terminal: fields.flag("terminal", problems),
        branch: fields.texts("branch", problems),
        environment: fields.texts("environment", problems),
        directory: fields.texts("directory", problems),
        unknown: fields.flag("unknown", problems),
        container: fields.flag("container", problems),
        ci: fields.flag("ci", problems),
        ..When::default()
    };
    if let Some(node) = fields.get("pattern") {
        let texts = node.words_at(problems);
        when.pattern = texts
            .into_iter()
            .filter(|(at, text)| check_shape(text, *at, problems))
            .map(|(_, text)| text)
            .collect();
    }
    if let Some(node) = fields.get("regex") {
        when.regex = node
            .text(problems)
            .filter(|text| check_regex(text, node.at, problems));
    }
    if let Some(node) = fields.get("effect") {
        for (at, name) in node.texts_at(problems) {
            if EFFECTS.contains(&name.as_str()) {
                when.effect.push(name);
            } else {
                let help = suggest(&name, EFFECTS.iter().copied())
                    .unwrap_or_else(|| format!("effects: {}", EFFECTS.join(", ")));
                problems.error(
                    at,
                    "unknown-effect",
                    format!("`{name}` is not an effect"),
                    Some(help),
                );
            }
        }
    }
    if let Some(node) = fields.get("origin") {
        when.origin = node.choices("origin", ORIGINS, problems);
    }
    if let Some(node) = fields.get("category") {
        when.category = node.choices("category", Category::WORDS, problems);
    }
    when.risk = fields
        .get("risk")
        .and_then(|node| node.choice("risk", RISKS, problems));
    when.time = fields.get("time").and_then(|node| time(node, problems));
    fields.finish(problems);
    if when == When::default() && problems.list.len() == complaints {
        problems.error(
            node.at,
            "empty-when",
            "`when` has no condition, so the rule would fire on everything",
            None,
        );
    }
    Some(when)
}

fn time(node: &Node, problems: &mut Problems) -> Option<TimeWindow> {
    let mut fields = node.map("time", problems)?;
    let mut window = TimeWindow::default();
    if let Some(node) = fields.get("days") {
        let words: Vec<(&'static str, &'static str)> =
            moment::day_names().iter().map(|day| (*day, *day)).collect();
        window.days = node
            .choices("day", &words, problems)
            .into_iter()
            .map(str::to_owned)
            .collect();
    }
    if let Some(node) = fields.get("between") {
        window.between = node.text(problems);
        if window
            .between
            .as_deref()
            .is_some_and(|text| moment::window(text).is_none())
        {
            problems.error(
                node.at,
                "bad-time",
                "`between` is not a span of the day",
                Some("write `08:00-18:00`".to_owned()),
            );
        }
    }
    window.outside = fields.flag("outside", problems).unwrap_or(false);
    fields.finish(problems);
    Some(window)
}

pub(super) fn exception(node: &Node, problems: &mut Problems) -> Option<Exception> {
    let mut fields = node.map("exceptions", problems)?;
    let mut exception = Exception {
        at: At(node.at, None),
        ..Exception::default()
    };
    match fields.get("rule") {
        Some(node) => {
            for (at, id) in node.texts_at(problems) {
                if packs::find(&id).is_some_and(|built_in| built_in.floor) {
                    problems.error(at, "floor", format!("`{id}` knows no exception"), None);
                }
                exception.rule.push(id);
            }
        }
        None => problems.error(node.at, "missing-key", "exceptions needs `rule`", None),
    }
    if let Some(node) = fields.get("scope") {
        exception.scope = target(node, "scope", problems);
    }
    if let Some(node) = fields.get("pattern") {
        exception.pattern = node
            .text(problems)
            .filter(|text| check_shape(text, node.inner, problems));
    }
    match fields.get("until") {
        Some(node) => {
            exception.until = node.text(problems).unwrap_or_default();
            if !exception.until.is_empty() && !moment::is_date(&exception.until) {
                let help = "write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ".to_owned();
                problems.error(
                    node.at,
                    "bad-date",
                    format!("`{}` is not a day", exception.until),
                    Some(help),
                );
            }
        }
        None => {
            let help = "exceptions always end: add `until: \"2026-12-31\"`".to_owned();
            problems.error(
                node.at,
                "missing-key",
                "exceptions needs `until`",
                Some(help),
            );
        }
    }
    exception.reason = fields.text("reason", problems);
    exception.owner = fields.text("owner", problems);
    fields.finish(problems);
    Some(exception)
}

pub(super) fn trial(node: &Node, problems: &mut Problems) -> Option<Trial> {
    let mut fields = node.map("tests", problems)?;
    let mut trial = Trial {
        at: At(node.at, None),
        ..Trial::default()
    };
    trial.command = fields.needed("command", problems).unwrap_or_default();
    match fields.get("expect") {
        Some(node) => {
            trial.expect = node
                .choice("decision", DECISIONS, problems)
                .unwrap_or_default()
        }
        None => problems.error(
            node.at,
            "missing-key",
            "tests needs `expect`",
            Some("such as `expect: deny`".to_owned()),
        ),
    }
    trial.rule = fields.text("rule", problems);
    trial.origin = fields
        .get("origin")
        .and_then(|node| node.choice("origin", ORIGINS, problems))
        .unwrap_or_default();
    trial.environment = fields.text("environment", problems);
    trial.context = fields.text("context", problems);
    trial.profile = fields.text("profile", problems);
    trial.account = fields.text("account", problems);
    trial.region = fields.text("region", problems);
    trial.namespace = fields.text("namespace", problems);
    trial.workspace = fields.text("workspace", problems);
    trial.branch = fields.text("branch", problems);
    trial.remote = fields.text("remote", problems);
    trial.container = fields.flag("container", problems);
    trial.ci = fields.flag("ci", problems);
    trial.terminal = fields.flag("terminal", problems);
    trial.teams = fields.texts("teams", problems);
    trial.now = fields.text("now", problems);
    if let Some(node) = fields.get("versions") {
        if let Value::Map(entries) = &node.value {
            for (key, value) in entries {
                if let Some(text) = value.text(problems) {
                    trial.versions.insert(key.name.clone(), text);
                }
            }
        } else {
            problems.error(
                node.at,
                "wrong-type",
                "expected a mapping of tool to version",
                None,
            );
        }
    }
    fields.finish(problems);
    Some(trial)
}
