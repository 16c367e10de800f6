//! Whether an own rule fires, and on which part of the command.
//!
//! A condition holds, does not hold, or cannot be told because a fact is not known. What cannot be
//! told is the rule's own choice (`unknown:`), never silently "does not hold".

use cmdai_schema::{Analysis, Certainty, Effect, EffectKind, Facts, Invocation, Span, Subject};

use crate::automaton::Matcher;
use crate::category;
use crate::compiled::Condition;
use crate::hit::Hit;
use crate::known::{self, Kind, Tri};
use crate::reach::{context_of, names, paths};
use crate::shape::has_args;
use crate::{glob, moment, target};

/// What is asked.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) analysis: &'a Analysis,
    pub(crate) text: &'a str,
    pub(crate) facts: &'a Facts,
    pub(crate) subject: &'a Subject,
}

impl Request<'_> {
    pub(crate) fn home(&self) -> Option<&str> {
        self.facts.home.as_deref()
    }

    fn whole(&self) -> Span {
        Span::new(0, self.text.len())
    }
}

/// A condition that holds, or may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) span: Span,
    pub(crate) certainty: Certainty,
    /// Facts that would have to be known to tell; empty where it holds.
    pub(crate) missing: Vec<&'static str>,
}

/// Names of facts that were asked for and are not known.
type Missing = Vec<&'static str>;

/// The part of the command that a condition holds or may hold for. Where the moment is missing, a
/// time condition holds.
pub(crate) fn holds(
    when: &Condition,
    matcher: Option<&Matcher>,
    request: &Request<'_>,
    hits: &[Hit<'_>],
) -> Option<Held> {
    let mut missing = Missing::new();
    let around = surroundings(when, request, hits, &mut missing);
    if around == Tri::No {
        return None;
    }
    let mut found: Option<Span> = None;
    if let Some(matcher) = matcher {
        if !matcher.is_match(request.text) {
            return None;
        }
        found = Some(request.whole());
    }
    if !when.category.is_empty() {
        let mut named = when.category.iter();
        let span = named.find_map(|category| {
            category::matches(
                *category,
                request.analysis,
                request.text,
                request.facts,
                hits,
            )
        })?;
        found = Some(span);
    }
    if !when.shapes.is_empty() {
        let span = when
            .shapes
            .iter()
            .find_map(|shape| shape.find(request.analysis, request.home()))?;
        found = Some(span);
    }
    let (tri, span, certainty) = part(when, request, found, &mut missing)?;
    let held = around.min(tri);
    if held == Tri::Yes {
        missing.clear();
    }
    missing.sort_unstable();
    missing.dedup();
    (held != Tri::No).then_some(Held {
        span,
        certainty,
        missing,
    })
}

/// The effect or call that the rest of a condition holds for.
fn part(
    when: &Condition,
    request: &Request<'_>,
    found: Option<Span>,
    missing: &mut Missing,
) -> Option<(Tri, Span, Certainty)> {
    let asks_effect = !when.effect.is_empty()
        || !when.path.is_empty()
        || !when.not_path.is_empty()
        || !when.name.is_empty();
    let asks_call = !when.program.is_empty() || when.args.is_some() || asks_place(when);
    let mut best: Option<(Tri, Span, Certainty)> = None;
    let mut offer = |tri: Tri, span: Span, certainty: Certainty| {
        if tri > best.map_or(Tri::No, |(tri, _, _)| tri) {
            best = Some((tri, span, certainty));
        }
        tri == Tri::Yes
    };
    if asks_effect {
        for effect in &request.analysis.effects {
            let tri = fits_effect(when, effect, request, missing);
            if offer(tri, effect.span, effect.certainty) {
                break;
            }
        }
        return best;
    }
    if asks_call {
        for call in &request.analysis.invocations {
            let tri = fits_call(when, call, request, missing);
            if offer(tri, call.span, Certainty::Proven) {
                break;
            }
        }
        return best;
    }
    Some((
        Tri::Yes,
        found.unwrap_or_else(|| request.whole()),
        Certainty::Proven,
    ))
}

/// True where it matters where a call works.
fn asks_place(when: &Condition) -> bool {
    !when.context.is_empty()
        || !when.account.is_empty()
        || !when.region.is_empty()
        || !when.namespace.is_empty()
        || !when.workspace.is_empty()
        || !when.remote.is_empty()
        || !when.branch.is_empty()
        || when.protected_branch.is_some()
}

fn surroundings(
    when: &Condition,
    request: &Request<'_>,
    hits: &[Hit<'_>],
    missing: &mut Missing,
) -> Tri {
    let (facts, subject) = (request.facts, request.subject);
    let mut same = |want: Option<bool>, is: Option<bool>, name: &'static str| match (want, is) {
        (None, _) => Tri::Yes,
        (Some(_), None) => {
            missing.push(name);
            Tri::Unknown
        }
        (want, is) => Tri::of(want == is),
    };
    let known = same(when.container, facts.container, "container")
        .min(same(when.ci, facts.ci, "ci"))
        .min(same(when.terminal, facts.terminal, "terminal"));
    // What nobody assigned to a machine or person does not fit.
    let environment = || {
        target::environment(facts, subject)
            .is_some_and(|name| glob::any_word(&when.environment, name))
    };
    let directory = match facts.cwd.as_deref() {
        _ if when.directory.is_empty() => Tri::Yes,
        None => {
            missing.push("working directory");
            Tri::Unknown
        }
        Some(cwd) => Tri::of(
            when.directory
                .iter()
                .any(|glob| target::below(glob, cwd, request.home())),
        ),
    };
    let risk = |least| hits.iter().any(|hit| hit.counts() && hit.risk >= least);
    let time = |window| {
        facts
            .now
            .as_deref()
            .and_then(|now| moment::in_window(now, window))
            .unwrap_or(true)
    };
    let rest = (when.origin.is_empty() || when.origin.contains(&subject.origin))
        && (when.environment.is_empty() || environment())
        && when
            .unknown
            .is_none_or(|want| want == request.analysis.unknown)
        && when.risk.is_none_or(risk)
        && when.time.as_ref().is_none_or(time);
    Tri::of(rest).min(known).min(directory)
}

fn fits_effect(
    when: &Condition,
    effect: &Effect,
    request: &Request<'_>,
    missing: &mut Missing,
) -> Tri {
    let kind = &effect.kind;
    if !when.effect.is_empty() && !when.effect.iter().any(|name| name == kind.name()) {
        return Tri::No;
    }
    if !when.path.is_empty() && !touches(&when.path, kind, request.home()) {
        return Tri::No;
    }
    if !when.not_path.is_empty()
        && paths(kind).any(|(path, _)| {
            when.not_path
                .iter()
                .any(|glob| glob::path(glob, path, false, request.home()))
        })
    {
        return Tri::No;
    }
    if !when.name.is_empty()
        && !names(kind)
            .iter()
            .any(|name| glob::any_word(&when.name, name))
    {
        return Tri::No;
    }
    if !when.program.is_empty()
        && !effect
            .chain
            .iter()
            .any(|name| glob::any_word(&when.program, name))
    {
        return Tri::No;
    }
    let calls = || {
        request
            .analysis
            .invocations
            .iter()
            .filter(|call| causes(call, effect))
    };
    if let Some(args) = &when.args
        && !calls().any(|call| has_args(args, call, request.analysis, request.home()))
    {
        return Tri::No;
    }
    if !asks_place(when) {
        return Tri::Yes;
    }
    calls()
        .map(|call| place(when, call, Some(effect), request, missing))
        .max()
        .unwrap_or(Tri::No)
}

fn fits_call(
    when: &Condition,
    call: &Invocation,
    request: &Request<'_>,
    missing: &mut Missing,
) -> Tri {
    let named = |pattern: &String| {
        glob::word(
            pattern,
            if pattern.contains('/') {
                &call.word
            } else {
                &call.program
            },
        )
    };
    let fits = (when.program.is_empty() || when.program.iter().any(named))
        && when
            .args
            .as_ref()
            .is_none_or(|args| has_args(args, call, request.analysis, request.home()));
    if !fits || !asks_place(when) {
        return Tri::of(fits);
    }
    // A branch may be named by what the call does.
    let effect = request.analysis.effects.iter().find(|effect| {
        causes(call, effect)
            && matches!(
                effect.kind,
                EffectKind::ForcePush { .. } | EffectKind::BranchDelete { .. }
            )
    });
    place(when, call, effect, request, missing)
}

/// Whether a call works where the condition says.
fn place(
    when: &Condition,
    call: &Invocation,
    effect: Option<&Effect>,
    request: &Request<'_>,
    missing: &mut Missing,
) -> Tri {
    let (analysis, facts) = (request.analysis, request.facts);
    let mut whole = Tri::Yes;
    let mut ask = |globs: &[String], name: &'static str, fits: &dyn Fn(&[String]) -> Tri| {
        if globs.is_empty() || whole == Tri::No {
            return;
        }
        let tri = fits(globs);
        if tri == Tri::Unknown {
            missing.push(name);
        }
        whole = whole.min(tri);
    };
    let own = effect.and_then(|effect| context_of(&effect.kind));
    // A program that a rule names and that is no cloud tool may work in all that is current.
    let around = known::kind(&call.program) == Kind::Other
        && when
            .program
            .iter()
            .any(|name| *name == call.program || *name == call.word);
    ask(&when.context, "context", &|globs| match own {
        Some(context) => Tri::of(glob::any_word(globs, context)),
        None if around => known::contexts(call, analysis, facts)
            .and(known::surroundings(call, facts))
            .fits(globs),
        None => known::contexts(call, analysis, facts).fits(globs),
    });
    ask(&when.account, "account", &|globs| {
        known::account(call, analysis, facts).fits(globs)
    });
    ask(&when.region, "region", &|globs| {
        known::region(call, facts).fits(globs)
    });
    ask(&when.namespace, "namespace", &|globs| {
        known::namespace(call, analysis, facts).fits(globs)
    });
    ask(&when.workspace, "workspace", &|globs| {
        known::workspace(call, analysis, facts).fits(globs)
    });
    ask(&when.remote, "remote", &|globs| {
        known::remote(call, effect, facts).fits(globs)
    });
    ask(&when.branch, "branch", &|globs| {
        known::branch(call, effect, analysis, facts).fits(globs)
    });
    if let Some(want) = when.protected_branch
        && whole != Tri::No
    {
        let is = match known::kind(&call.program) {
            Kind::Git => known::is_protected(call, effect, analysis, facts),
            _ => return Tri::No,
        };
        let tri = match (is, want) {
            (Tri::Unknown, _) => Tri::Unknown,
            (is, want) => Tri::of((is == Tri::Yes) == want),
        };
        if tri == Tri::Unknown {
            missing.push("branch");
        }
        whole = whole.min(tri);
    }
    whole
}

/// True where the call is what causes the effect.
pub(crate) fn causes(call: &Invocation, effect: &Effect) -> bool {
    effect.chain.last() == Some(&call.program)
        && call.span.start <= effect.span.start
        && effect.span.end <= call.span.end
}

/// Effects that lose what lies at a path, or take it from those who rest on it.
pub(crate) const PATHS_OF_CHANGE: &[&str] = &[
    "delete",
    "overwrite",
    "move",
    "change-mode",
    "change-owner",
    "format",
    "device-write",
];

/// The worst effect on a dangerous path: its name and the path.
pub(crate) fn dangerous<'a>(
    when: &Condition,
    request: &Request<'a>,
) -> Option<(&'static str, &'a str)> {
    let mut fits = request
        .analysis
        .effects
        .iter()
        .filter(|effect| fits_effect(when, effect, request, &mut Missing::new()) == Tri::Yes);
    let first = fits
        .clone()
        .find(|effect| PATHS_OF_CHANGE.contains(&effect.kind.name()))
        .or_else(|| fits.next())?;
    let path = paths(&first.kind).find(|(path, recursive)| {
        when.path
            .iter()
            .any(|glob| glob::path(glob, path, *recursive, request.home()))
    });
    Some((first.kind.name(), path.map_or("", |(path, _)| path)))
}

fn touches(globs: &[String], kind: &EffectKind, home: Option<&str>) -> bool {
    paths(kind).any(|(path, recursive)| {
        globs
            .iter()
            .any(|glob| glob::path(glob, path, recursive, home))
    })
}
