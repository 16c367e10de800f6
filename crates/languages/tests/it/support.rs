//! Short forms for tests.

use cmdai_effects::{Context, NoSession, analyse};
use cmdai_languages::Grammars;
use cmdai_policy::{Layers, decide};
use cmdai_schema::{Analysis, Decision, Dialect, EffectKind, Facts, Judgement, Subject};

/// A line as bash in `/home/user/project` would run it.
pub(crate) fn look(line: &str) -> Analysis {
    analyse(
        line,
        &Context {
            dialect: Dialect::Bash,
            cwd: "/home/user/project",
            home: "/home/user",
            user: "user",
            session: &NoSession,
            languages: &Grammars,
        },
    )
}

/// The line that gives code to an interpreter.
pub(crate) fn line(interpreter: &str, code: &str) -> String {
    format!("{interpreter} <<'END_OF_CODE'\n{code}\nEND_OF_CODE\n")
}

/// The decision of the built-in packs.
pub(crate) fn judge(line: &str) -> (Analysis, Judgement) {
    let analysis = look(line);
    let facts = Facts {
        cwd: Some("/home/user/project".to_owned()),
        home: Some("/home/user".to_owned()),
        ..Facts::default()
    };
    let subject = Subject {
        user: "user".to_owned(),
        ..Subject::default()
    };
    let judgement = decide(&analysis, line, &Layers::default(), &facts, &subject);
    (analysis, judgement)
}

/// Each piece of code is interrupted.
#[track_caller]
pub(crate) fn all_dangerous(interpreter: &str, codes: &[&str]) {
    let mut wrong = Vec::new();
    for code in codes {
        let (analysis, judgement) = judge(&line(interpreter, code));
        if judgement.decision < Decision::Confirm {
            wrong.push(format!("{code}\n    {:?}", kinds(&analysis)));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} not interrupted:\n{}",
        wrong.len(),
        codes.len(),
        wrong.join("\n")
    );
}

/// Each piece of code is neither interrupted nor warned of, and nothing of it is unknown.
#[track_caller]
pub(crate) fn all_calm(interpreter: &str, codes: &[&str]) {
    let mut wrong = Vec::new();
    for code in codes {
        let (analysis, judgement) = judge(&line(interpreter, code));
        if judgement.decision >= Decision::Warn || analysis.unknown {
            wrong.push(format!("{code}\n    {:?}", kinds(&analysis)));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} not calm:\n{}",
        wrong.len(),
        codes.len(),
        wrong.join("\n")
    );
}

/// What was found, without where.
pub(crate) fn kinds(analysis: &Analysis) -> Vec<&EffectKind> {
    analysis.effects.iter().map(|effect| &effect.kind).collect()
}

/// Each line is interrupted.
#[track_caller]
pub(crate) fn all_lines_dangerous(lines: &[&str]) {
    for line in lines {
        let (analysis, judgement) = judge(line);
        assert!(
            judgement.decision >= Decision::Confirm,
            "{line}: {:?}",
            kinds(&analysis)
        );
    }
}
