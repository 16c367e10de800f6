//! The promises about one text.

use std::sync::Mutex;

use cmdai_effects::script::{Language, Languages, Script};
use cmdai_effects::{Context, NoSession};
use cmdai_policy::{Layers, decide, verify_instead};
use cmdai_schema::{Analysis, Decision, Dialect, Facts, Span, Subject};

/// Most effects and most calls of one text.
const MOST: usize = 1_024;

/// The grammars, asked once for each piece of code of an input. They have a clock as their last bound: on
/// a busy machine it may end one reading and not the next, which is no contradiction of the engine.
#[derive(Debug)]
struct Remembered;

type Answer = (Language, String, Option<Script>);

static ANSWERS: Mutex<Vec<Answer>> = Mutex::new(Vec::new());

impl Languages for Remembered {
    fn read(&self, language: Language, code: &str) -> Option<Script> {
        let mut answers = ANSWERS.lock().expect("one thread");
        if let Some((_, _, script)) = answers
            .iter()
            .find(|(of, text, _)| *of == language && text == code)
        {
            return script.clone();
        }
        let script = cmdai_languages::Grammars.read(language, code);
        answers.push((language, code.to_owned(), script.clone()));
        script
    }
}

/// Where commands are judged: as in batch mode.
pub(crate) fn context(dialect: Dialect) -> Context<'static> {
    Context {
        dialect,
        cwd: "/home/user/project",
        home: "/home/user",
        user: "user",
        session: &NoSession,
        languages: &Remembered,
    }
}

/// Facts of batch mode.
pub(crate) fn facts() -> Facts {
    Facts {
        cwd: Some("/home/user/project".to_owned()),
        home: Some("/home/user".to_owned()),
        project: Some("/home/user/project".to_owned()),
        ..Facts::default()
    }
}

/// The span lies in the text and on character boundaries.
#[track_caller]
fn inside(text: &str, span: Span, what: &str) {
    assert!(
        text.get(span.start as usize..span.end as usize).is_some(),
        "{what} at {span:?} of {} bytes",
        text.len()
    );
}

/// Parses; the tree keeps to its text.
pub(crate) fn tree(text: &str, dialect: Dialect) {
    let tree = cmdai_shell::parse(text, dialect);
    assert_eq!(tree.source, text);
    for diagnostic in &tree.diagnostics {
        inside(text, diagnostic.span, &diagnostic.message);
    }
    for region in &tree.unknown {
        inside(text, *region, "unknown region");
    }
    for item in &tree.body.items {
        let rest = item.and_or.rest.iter().map(|(_, pipeline)| pipeline);
        for pipeline in std::iter::once(&item.and_or.first).chain(rest) {
            for command in &pipeline.stages {
                inside(text, command.span, "command");
            }
        }
    }
}

/// Analyses; everything found keeps to the text and to the bounds.
pub(crate) fn analysis(text: &str, dialect: Dialect) -> Analysis {
    let analysis = cmdai_effects::analyse(text, &context(dialect));
    assert!(analysis.effects.len() <= MOST, "too many effects");
    assert!(analysis.invocations.len() <= MOST, "too many calls");
    assert!(analysis.digest.starts_with("v1:sha256:"));
    for effect in &analysis.effects {
        inside(text, effect.span, effect.kind.name());
    }
    for call in &analysis.invocations {
        inside(text, call.span, &call.program);
        for argument in &call.args {
            inside(text, argument.span, "argument");
        }
    }
    for diagnostic in &analysis.diagnostics {
        inside(text, diagnostic.span, &diagnostic.message);
    }
    analysis
}

/// Text to decision to JSON, twice.
pub(crate) fn whole(text: &str, dialect: Dialect) {
    ANSWERS.lock().expect("one thread").clear();
    let first = analysis(text, dialect);
    let judged = judge(text, dialect, &first);
    for hit in &judged.rules {
        inside(text, hit.span, &hit.id);
    }
    assert!(
        judged.decision != Decision::Allow || judged.rules.iter().all(|hit| hit.instead.is_none()),
        "a safer command where nothing is wrong"
    );
    let json = serde_json::to_string(&judged).expect("a judgement is JSON");
    let back: cmdai_schema::Judgement = serde_json::from_str(&json).expect("its own JSON");
    assert_eq!(back, judged, "JSON loses something");

    let again = analysis(text, dialect);
    assert_eq!(first, again, "analysed differently");
    assert_eq!(judged, judge(text, dialect, &again), "judged differently");

    let clean = cmdai_redact::redact(text);
    if clean != text {
        analysis(&clean, dialect);
    }
    let posix = matches!(dialect, Dialect::Bash | Dialect::Zsh | Dialect::Sh);
    // A statement of a database's own language may stand alone, and then the whole text is it.
    let command = first.invocations.first().is_some_and(|call| call.known);
    let sound = first.complete && first.diagnostics.is_empty();
    if posix && command && sound && text.len() < 60_000 {
        more(text, dialect, judged.decision);
    }
}

/// A harmless command before or after does not lower a decision.
fn more(text: &str, dialect: Dialect, decision: Decision) {
    for longer in [format!("true\n{text}"), format!("{text}\ntrue")] {
        let found = analysis(&longer, dialect);
        let with = judge(&longer, dialect, &found).decision;
        assert!(with >= decision, "{decision:?} became {with:?}: {longer:?}");
    }
}

fn judge(text: &str, dialect: Dialect, analysis: &Analysis) -> cmdai_schema::Judgement {
    let (layers, facts, subject) = (Layers::default(), facts(), Subject::default());
    let mut judgement = decide(analysis, text, &layers, &facts, &subject);
    verify_instead(&mut judgement, &|safer| {
        let analysis = cmdai_effects::analyse(safer, &context(dialect));
        decide(&analysis, safer, &layers, &facts, &subject).decision
    });
    judgement
}
