//! Whether an own rule fires, and on which part of the command.

use cmdai_schema::{Analysis, Certainty, Effect, EffectKind, Facts, Invocation, Span, Subject};

use crate::automaton::Matcher;
use crate::category;
use crate::compiled::Condition;
use crate::hit::Hit;
use crate::reach::{context_of, contexts, names, paths};
use crate::shape::has_args;
use crate::{glob, moment, target};

/// What is asked.
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

/// The part of the command that a condition holds for. Facts that are not known do not fit,
/// except the moment: where it is missing, a time condition holds.
pub(crate) fn holds(
    when: &Condition,
    matcher: Option<&Matcher>,
    request: &Request<'_>,
    hits: &[Hit<'_>],
) -> Option<(Span, Certainty)> {
    if !surroundings(when, request, hits) {
        return None;
    }
    let mut found: Option<(Span, Certainty)> = None;
    if let Some(matcher) = matcher {
        if !matcher.is_match(request.text) {
            return None;
        }
        found = Some((request.whole(), Certainty::Proven));
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
        found = Some((span, Certainty::Proven));
    }
    if !when.shapes.is_empty() {
        let span = when
            .shapes
            .iter()
            .find_map(|shape| shape.find(request.analysis, request.home()))?;
        found = Some((span, Certainty::Proven));
    }
    let asks_effect = !when.effect.is_empty()
        || !when.path.is_empty()
        || !when.not_path.is_empty()
        || !when.name.is_empty();
    let asks_call = !when.program.is_empty() || when.args.is_some() || !when.context.is_empty();
    if asks_effect {
        let effect = request
            .analysis
            .effects
            .iter()
            .find(|effect| fits_effect(when, effect, request))?;
        return Some((effect.span, effect.certainty));
    }
    if asks_call {
        let call = request
            .analysis
            .invocations
            .iter()
            .find(|call| fits_call(when, call, request))?;
        return Some((call.span, Certainty::Proven));
    }
    if !when.branch.is_empty() && !branch_fits(when, None, request) {
        let effect = request.analysis.effects.iter().find(|effect| {
            branch_of(effect).is_some() && branch_fits(when, Some(effect), request)
        })?;
        return Some((effect.span, effect.certainty));
    }
    Some(found.unwrap_or_else(|| (request.whole(), Certainty::Proven)))
}

fn surroundings(when: &Condition, request: &Request<'_>, hits: &[Hit<'_>]) -> bool {
    let (facts, subject) = (request.facts, request.subject);
    let same = |want: Option<bool>, is: Option<bool>| want.is_none() || want == is;
    let environment = || {
        target::environment(facts, subject)
            .is_some_and(|name| glob::any_word(&when.environment, name))
    };
    let directory = || {
        facts.cwd.as_deref().is_some_and(|cwd| {
            when.directory
                .iter()
                .any(|glob| target::below(glob, cwd, request.home()))
        })
    };
    let risk = |least| hits.iter().any(|hit| hit.counts() && hit.risk >= least);
    let time = |window| {
        facts
            .now
            .as_deref()
            .and_then(|now| moment::in_window(now, window))
            .unwrap_or(true)
    };
    (when.origin.is_empty() || when.origin.contains(&subject.origin))
        && (when.environment.is_empty() || environment())
        && (when.directory.is_empty() || directory())
        && same(when.container, facts.container)
        && same(when.ci, facts.ci)
        && same(when.unknown, Some(request.analysis.unknown))
        && when.risk.is_none_or(risk)
        && when.time.as_ref().is_none_or(time)
}

fn fits_effect(when: &Condition, effect: &Effect, request: &Request<'_>) -> bool {
    let kind = &effect.kind;
    if !when.effect.is_empty() && !when.effect.iter().any(|name| name == kind.name()) {
        return false;
    }
    if !when.path.is_empty() && !touches(&when.path, kind, request.home()) {
        return false;
    }
    if !when.not_path.is_empty()
        && paths(kind).any(|(path, _)| {
            when.not_path
                .iter()
                .any(|glob| glob::path(glob, path, false, request.home()))
        })
    {
        return false;
    }
    if !when.name.is_empty()
        && !names(kind)
            .iter()
            .any(|name| glob::any_word(&when.name, name))
    {
        return false;
    }
    if !when.branch.is_empty() && !branch_fits(when, Some(effect), request) {
        return false;
    }
    let calls = || {
        request
            .analysis
            .invocations
            .iter()
            .filter(|call| causes(call, effect))
    };
    if !when.program.is_empty()
        && !effect
            .chain
            .iter()
            .any(|name| glob::any_word(&when.program, name))
    {
        return false;
    }
    if let Some(args) = &when.args
        && !calls().any(|call| has_args(args, call, request.analysis, request.home()))
    {
        return false;
    }
    if !when.context.is_empty() {
        let own = context_of(kind);
        let fits = match own {
            Some(context) => glob::any_word(&when.context, context),
            None => calls().any(|call| {
                contexts(call, request.facts)
                    .iter()
                    .any(|context| glob::any_word(&when.context, context))
            }),
        };
        return fits;
    }
    true
}

fn fits_call(when: &Condition, call: &Invocation, request: &Request<'_>) -> bool {
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
    (when.program.is_empty() || when.program.iter().any(named))
        && when
            .args
            .as_ref()
            .is_none_or(|args| has_args(args, call, request.analysis, request.home()))
        && (when.context.is_empty()
            || contexts(call, request.facts)
                .iter()
                .any(|context| glob::any_word(&when.context, context)))
        && (when.branch.is_empty() || branch_fits(when, None, request))
}

/// True where the call is what causes the effect.
pub(crate) fn causes(call: &Invocation, effect: &Effect) -> bool {
    effect.chain.last() == Some(&call.program)
        && call.span.start <= effect.span.start
        && effect.span.end <= call.span.end
}

fn branch_of(effect: &Effect) -> Option<&str> {
    match &effect.kind {
        EffectKind::ForcePush { branch, .. } | EffectKind::BranchDelete { branch, .. } => {
            Some(branch)
        }
        _ => None,
    }
}

fn branch_fits(when: &Condition, effect: Option<&Effect>, request: &Request<'_>) -> bool {
    let named = effect
        .and_then(branch_of)
        .filter(|branch| !branch.is_empty() && *branch != "HEAD");
    named
        .or(request.facts.git_branch.as_deref())
        .is_some_and(|branch| glob::any_word(&when.branch, branch))
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
        .filter(|effect| fits_effect(when, effect, request));
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
