//! `cmdai request`: asking whoever governs this machine to lift a rule for a time.

use cmdai_gate::governor::GovernorError;
use cmdai_gate::{escape, history, render};
use cmdai_schema::governor::{
    ExceptionRequest, MAX_EXCEPTION_RULES, MAX_EXCEPTION_S, MIN_EXCEPTION_S, Reply,
};

use crate::arguments::{Format, RequestException};
use crate::failure::Failure;
use crate::run::said_nothing;
use crate::scene::Scene;
use crate::screen;

/// Longest reason, in characters.
const MAX_REASON: usize = 500;

/// Checks what can be checked here, asks, and says what came of it.
pub(crate) fn request(arguments: &RequestException) -> Result<u8, Failure> {
    let scene = Scene::here()?;
    if !scene.governed() {
        return Err(Failure::usage(
            "this machine is not governed, so there is nobody to ask",
            "rules are your own here: change your policy (`cmdai policy show`, `cmdai policy init`)",
        ));
    }
    let mut exception = ExceptionRequest {
        rules: arguments.rules.clone(),
        pattern: arguments.only.clone(),
        directory: arguments.here.then(|| scene.cwd.clone()),
        duration_s: arguments.time.as_secs(),
        reason: cmdai_redact::redact(arguments.reason.trim()).into_owned(),
        origin: scene.who.origin.kind.as_str().to_owned(),
        agent: scene.who.agent.as_ref().map(|agent| agent.name.clone()),
        ..ExceptionRequest::default()
    };
    if let Some(id) = &arguments.command {
        about(&mut exception, id, &scene)?;
    }
    exception.rules.sort();
    exception.rules.dedup();
    check(&exception, &scene)?;

    let session = format!("request-{}", cmdai_gate::fresh_id());
    match scene.gate.request_exception(exception.clone(), &session) {
        Ok(Reply::Pending { request_id }) => {
            told(arguments.format, &exception, "pending", &request_id, None);
            Ok(0)
        }
        Ok(Reply::Refused { request_id, reason }) => {
            if arguments.format == Format::Json {
                let id = request_id.unwrap_or_default();
                told(arguments.format, &exception, "refused", &id, Some(&reason));
                return Ok(1);
            }
            Err(Failure::failed(
                format!("the exception was refused: {}", escape(&reason)),
                "the rule holds as before",
            ))
        }
        Ok(other) => Err(Failure::failed(
            format!("the governor's answer is not understood: {other:?}"),
            "update cmdai or the sensor",
        )),
        Err(error @ (GovernorError::Unreachable(_) | GovernorError::Stranger(_))) => {
            Err(Failure::failed(
                error.to_string(),
                "nothing was asked; see `cmdai doctor`, and ask again when the sensor runs",
            ))
        }
        Err(error) => Err(Failure::failed(
            error.to_string(),
            "nothing was asked; see `cmdai status`",
        )),
    }
}

/// Takes rules and text from the interrupted command.
fn about(exception: &mut ExceptionRequest, id: &str, scene: &Scene) -> Result<(), Failure> {
    let Some(entry) = history::find(scene.gate.person(), id) else {
        return Err(Failure::usage(
            format!("no command is recorded as {}", escape(id)),
            "`cmdai log --stopped` lists what was stopped",
        ));
    };
    if exception.rules.is_empty() {
        exception.rules = entry
            .start
            .policy
            .violated_rules
            .iter()
            .filter(|rule| render::can_be_lifted(rule))
            .cloned()
            .collect();
        if exception.rules.is_empty() {
            return Err(Failure::usage(
                format!("no rule that could be lifted stopped {}", escape(id)),
                "see `cmdai why` with its name",
            ));
        }
    }
    exception.command_id = Some(entry.start.command_id.clone());
    exception.text = Some(entry.start.text.clone()).filter(|text| !text.is_empty());
    Ok(())
}

/// What needs no governor to be seen.
fn check(exception: &ExceptionRequest, scene: &Scene) -> Result<(), Failure> {
    if said_nothing(Some(&exception.reason)) {
        return Err(Failure::usage(
            "the reason is empty",
            "say in a few words why you need it, for whoever decides",
        ));
    }
    if exception.reason.chars().count() > MAX_REASON {
        return Err(Failure::usage(
            format!("the reason is longer than {MAX_REASON} characters"),
            "say it shorter",
        ));
    }
    if exception.duration_s < MIN_EXCEPTION_S || exception.duration_s > MAX_EXCEPTION_S {
        return Err(Failure::usage(
            "an exception holds between one minute and 90 days",
            "ask for less, and ask again when it has ended; what is needed for ever is a change of the policy",
        ));
    }
    if exception.rules.len() > MAX_EXCEPTION_RULES {
        return Err(Failure::usage(
            format!("an exception lifts at most {MAX_EXCEPTION_RULES} rules"),
            "name those that stand in your way",
        ));
    }
    let known: Vec<String> = cmdai_policy::effective(&scene.gate.policies().layers())
        .into_iter()
        .map(|rule| rule.id)
        .collect();
    for rule in &exception.rules {
        if !render::can_be_lifted(rule) {
            return Err(Failure::usage(
                format!("the rule {rule} cannot be lifted"),
                "it protects the machine or cmdai itself, whatever the policy says",
            ));
        }
        // Rules of categories and tools are made by the policy's sections and stand in no list.
        let made = ["approval.", "tool."]
            .iter()
            .any(|head| rule.starts_with(head));
        if made || known.iter().any(|id| id == rule) {
            continue;
        }
        let help = match nearest(rule, &known) {
            Some(near) => format!("did you mean {near}? `cmdai policy show` lists all"),
            None => "`cmdai policy show` lists all rules".to_owned(),
        };
        return Err(Failure::usage(
            format!("there is no rule {} here", escape(rule)),
            help,
        ));
    }
    Ok(())
}

fn told(
    format: Format,
    exception: &ExceptionRequest,
    state: &str,
    request_id: &str,
    reason: Option<&str>,
) {
    if format == Format::Json {
        let said = serde_json::json!({
            "state": state,
            "request_id": request_id,
            "rules": exception.rules,
            "duration_s": exception.duration_s,
            "reason": reason,
        });
        anstream::println!("{said}");
        return;
    }
    let rules: Vec<String> = exception.rules.iter().map(|rule| escape(rule)).collect();
    anstream::println!(
        "request {} is open: {} for {}, for you on this machine",
        screen::bold(&escape(request_id)),
        rules.join(", "),
        screen::age(exception.duration_s)
    );
    anstream::println!(
        "Until somebody says yes the rule holds; then your commands go through without another word."
    );
}

/// The known name that is fewest edits away, where that is near enough to be meant.
fn nearest<'a>(wanted: &str, known: &'a [String]) -> Option<&'a str> {
    let limit = (wanted.chars().count() / 3).clamp(1, 6);
    known
        .iter()
        .filter_map(|name| {
            let tail = name.rsplit('.').next().unwrap_or(name);
            let edits = edits(wanted, name).min(edits(wanted, tail) + 1);
            (edits <= limit).then_some((edits, name.as_str()))
        })
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein distance of short names.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(80).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(80).enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for ((y, up), diagonal) in b.iter().zip(row.iter().skip(1)).zip(&row) {
            left = (left + 1).min(up + 1).min(diagonal + usize::from(x != *y));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_found() {
        let known = ["fs.delete-root", "git.force-push", "test.deploy"].map(str::to_owned);
        assert_eq!(nearest("git.force-psh", &known), Some("git.force-push"));
        assert_eq!(nearest("force-push", &known), Some("git.force-push"));
        assert_eq!(nearest("xyz", &known), None);
        assert_eq!(
            (edits("", "abc"), edits("abc", "abd"), edits("abc", "")),
            (3, 1, 3)
        );
    }
}
