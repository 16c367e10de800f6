//! The decision: every layer's hits, joined by maximum.

use std::borrow::Cow;

use cmdai_schema::{
    Analysis, Certainty, Decision, ENGINE_VERSION, Facts, Judgement, Mode, OriginKind, PolicyRef,
    Risk, Subject,
};

use crate::answers::{answer_automatically, approvals, except};
use crate::condition::{self, PATHS_OF_CHANGE, Request};
use crate::document::{Supervise, Tolerance};
use crate::hit::Hit;
use crate::snapshot::{Loaded, Snapshot};
use crate::{discovery, known, packs, quarantine, tools};

/// A layer above the built-in packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// Signed by the organisation: may set built-in rules, except the floor.
    Organisation,
    /// One person's own: can only tighten.
    User,
}

impl Layer {
    /// The word in hits and on screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::User => "user",
        }
    }
}

/// The snapshots that take part.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layers<'a> {
    /// The organisation's.
    pub organisation: Option<&'a Snapshot>,
    /// The person's own.
    pub user: Option<&'a Snapshot>,
}

impl<'a> Layers<'a> {
    /// A rule of one of them may fire at one time of the day and not at another.
    pub fn read_clock(&self) -> bool {
        [self.organisation, self.user]
            .into_iter()
            .flatten()
            .any(Snapshot::reads_clock)
    }

    /// A rule of one of them asks whether somebody sits at a terminal.
    pub fn ask_terminal(&self) -> bool {
        [self.organisation, self.user]
            .into_iter()
            .flatten()
            .any(|snapshot| crate::asked::asks_terminal(snapshot.head().asks))
    }

    /// The file rules of supervised process trees that hold for somebody: all of them hold together.
    pub fn supervise(
        &self,
        facts: &Facts,
        subject: &Subject,
    ) -> impl Iterator<Item = &'a Supervise> {
        [self.organisation, self.user]
            .into_iter()
            .flatten()
            .map(Snapshot::settings)
            .filter(|settings| {
                settings.applies_to.covers(facts, subject)
                    && settings.supervise.applies_to.covers(facts, subject)
            })
            .map(|settings| &settings.supervise)
            .filter(|rules| !rules.write.is_empty() || !rules.read_only.is_empty())
    }
}

/// Decides about an analysed command. Pure: the same snapshots, facts and command give the same
/// judgement everywhere. `micros` and `id` are left for the caller.
///
/// `text` is what was analysed; spans and safer commands refer to it.
pub fn decide(
    analysis: &Analysis,
    text: &str,
    layers: &Layers<'_>,
    facts: &Facts,
    subject: &Subject,
) -> Judgement {
    let protected = with_protected(layers, analysis, facts);
    let request = Request {
        analysis,
        text,
        facts: protected.as_ref().unwrap_or(facts),
        subject,
    };
    if layers.organisation.is_none() || layers.user.is_none() {
        return join(fired(layers, &request), &request, layers);
    }
    // A person's document can take nothing away: what fires without it counts beside what fires
    // with it, also where the two are entangled (a branch that the person protects, a risk that
    // the person raised).
    let alone = Layers {
        user: None,
        ..*layers
    };
    let without = with_protected(&alone, analysis, facts);
    let without = Request {
        facts: without.as_ref().unwrap_or(facts),
        ..request
    };
    let mut hits = fired(layers, &request);
    let strictest = hits.iter().map(weight).max().unwrap_or_default();
    hits.extend(
        fired(&alone, &without)
            .into_iter()
            .filter(|hit| weight(hit) > strictest),
    );
    join(hits, &request, layers)
}

/// What fires, with what the layers make of it.
fn fired<'a>(layers: &Layers<'a>, request: &'a Request<'a>) -> Vec<Hit<'a>> {
    let (facts, subject) = (request.facts, request.subject);
    let covers = |snapshot: &&Snapshot| snapshot.settings().applies_to.covers(facts, subject);
    let organisation = layers.organisation.filter(covers);
    let user = layers.user.filter(covers);

    let mut hits = packs::judge(request);
    settle_built_in(&mut hits, organisation, user, request);
    for (layer, snapshot) in [(Layer::Organisation, organisation), (Layer::User, user)] {
        let Some(snapshot) = snapshot else { continue };
        let own = own_rules(
            snapshot,
            layer,
            request,
            &hits,
            tolerance(organisation, user),
        );
        hits.extend(own);
        tools::judge(snapshot, layer.as_str(), request, &mut hits);
        discovery::judge(snapshot, layer.as_str(), request, &mut hits);
        approvals(snapshot, layer, request, &mut hits);
    }
    if let Some(organisation) = organisation {
        except(organisation, request, &mut hits);
        answer_automatically(organisation, request, &mut hits);
    }
    // Quarantine is about the machine, wherever the document applies.
    isolate(layers, request, &mut hits);
    if nobody_answers(facts, subject) {
        forbid_questions(&mut hits);
    }
    hits
}

/// The facts with the branches that documents protect; nothing where that changes nothing.
pub(crate) fn with_protected(
    layers: &Layers<'_>,
    analysis: &Analysis,
    facts: &Facts,
) -> Option<Facts> {
    let git = analysis
        .invocations
        .iter()
        .any(|call| known::kind(&call.program) == known::Kind::Git);
    let mut listed = [layers.organisation, layers.user]
        .into_iter()
        .flatten()
        .flat_map(|snapshot| &snapshot.settings().protected_branches)
        .peekable();
    if !git || listed.peek().is_none() {
        return None;
    }
    let mut facts = facts.clone();
    facts.protected_branches.extend(listed.cloned());
    Some(facts)
}

/// How much risk is borne. A person's own setting counts alone on an ungoverned machine; beside
/// an organisation's it can only be stricter.
fn tolerance(
    organisation: Option<&Snapshot>,
    user: Option<&Snapshot>,
) -> (Tolerance, Option<Tolerance>) {
    let of = |snapshot: Option<&Snapshot>| {
        snapshot.and_then(|snapshot| snapshot.settings().risk_tolerance)
    };
    match organisation {
        Some(_) => (of(organisation).unwrap_or(Tolerance::Medium), of(user)),
        None => (of(user).unwrap_or(Tolerance::Medium), None),
    }
}

fn tolerated(tolerance: (Tolerance, Option<Tolerance>), risk: Risk) -> Decision {
    let (first, second) = tolerance;
    first
        .decision(risk)
        .max(second.map_or(Decision::Allow, |second| second.decision(risk)))
}

/// Gives built-in hits their decision: tolerance, then the settings of the layers.
fn settle_built_in<'a>(
    hits: &mut Vec<Hit<'a>>,
    organisation: Option<&'a Snapshot>,
    user: Option<&'a Snapshot>,
    request: &Request<'_>,
) {
    let tolerance = tolerance(organisation, user);
    let mut kept: Vec<Hit<'a>> = Vec::new();
    for hit in hits.iter_mut() {
        hit.decision = tolerated(tolerance, hit.risk);
        if hit.floor && hit.risk == Risk::Critical {
            hit.decision = Decision::Deny;
        }
        if let Some(setting) = setting(organisation, &hit.id, request) {
            let keep = hit.floor.then_some((hit.decision, hit.risk));
            hit.risk = setting.risk.unwrap_or(hit.risk);
            hit.decision = setting.decision.unwrap_or_else(|| {
                if setting.risk.is_some() {
                    tolerated(tolerance, hit.risk)
                } else {
                    hit.decision
                }
            });
            hit.mode = setting.mode.unwrap_or(hit.mode);
            if let Some((decision, risk)) = keep {
                hit.decision = hit.decision.max(decision);
                hit.risk = hit.risk.max(risk);
                hit.mode = Mode::Enforce;
            }
            dress(hit, setting);
        }
        if let Some(setting) = setting(user, &hit.id, request) {
            hit.risk = hit.risk.max(setting.risk.unwrap_or(hit.risk));
            hit.decision = hit.decision.max(setting.decision.unwrap_or(hit.decision));
            if setting.risk.is_some() {
                hit.decision = hit.decision.max(tolerated(tolerance, hit.risk));
            }
            // Switched off or down for everybody; this person asked for it all the same.
            let asked = setting.decision.filter(|_| {
                hit.mode != Mode::Enforce && matches!(setting.mode, None | Some(Mode::Enforce))
            });
            if let Some(decision) = asked {
                let mut own = hit.clone();
                own.mode = Mode::Enforce;
                own.decision = decision;
                own.pack = Layer::User.as_str();
                kept.push(own);
            }
        }
    }
    hits.extend(kept);
    hits.retain(|hit| hit.mode != Mode::Off);
}

pub(crate) fn setting<'a>(
    snapshot: Option<&'a Snapshot>,
    id: &str,
    request: &Request<'_>,
) -> Option<&'a crate::compiled::Override> {
    let overrides = &snapshot?.head().overrides;
    let start = overrides.partition_point(|setting| setting.id.as_str() < id);
    overrides
        .iter()
        .skip(start)
        .take_while(|setting| setting.id == id)
        .find(|setting| setting.target.covers(request.facts, request.subject))
}

fn dress(hit: &mut Hit<'_>, setting: &crate::compiled::Override) {
    if let Some(reason) = &setting.reason {
        hit.reason = Cow::Owned(reason.clone());
    }
    if setting.instead.is_some() {
        hit.instead.clone_from(&setting.instead);
    }
    if setting.owner.is_some() {
        hit.owner.clone_from(&setting.owner);
    }
    hit.controls.extend(setting.controls.iter().cloned());
}

/// Hits of a layer's own rules. Only rules filed under a program or effect of the command, and
/// those that any command may fit, are looked at.
fn own_rules<'a>(
    snapshot: &'a Snapshot,
    layer: Layer,
    request: &Request<'_>,
    known: &[Hit<'_>],
    tolerance: (Tolerance, Option<Tolerance>),
) -> Vec<Hit<'a>> {
    candidates(snapshot, request.analysis)
        .into_iter()
        .filter_map(|number| snapshot.rule(number as usize))
        .filter_map(|loaded| own_rule(loaded, layer, request, known, tolerance))
        .collect()
}

/// Numbers of the rules that a command may fit.
pub(crate) fn candidates(snapshot: &Snapshot, analysis: &Analysis) -> Vec<u32> {
    let head = snapshot.head();
    let mut numbers: Vec<u32> = head.always.clone();
    let mut look_up = |index: &[(String, Vec<u32>)], name: &str| {
        if let Ok(at) = index.binary_search_by(|(key, _)| key.as_str().cmp(name)) {
            numbers.extend(
                index
                    .get(at)
                    .map(|(_, list)| list.as_slice())
                    .unwrap_or_default(),
            );
        }
    };
    for call in &analysis.invocations {
        look_up(&head.by_program, &call.program);
    }
    for effect in &analysis.effects {
        look_up(&head.by_effect, effect.kind.name());
        // A rule that names a program and an effect holds for the wrapper's name too.
        for program in &effect.chain {
            look_up(&head.by_program, program);
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn own_rule<'a>(
    loaded: &'a Loaded,
    layer: Layer,
    request: &Request<'_>,
    known: &[Hit<'_>],
    tolerance: (Tolerance, Option<Tolerance>),
) -> Option<Hit<'a>> {
    let rule = &loaded.rule;
    if rule.mode == Mode::Off || !rule.target.covers(request.facts, request.subject) {
        return None;
    }
    let held = condition::holds(&rule.when, loaded.matcher.as_ref(), request, known)?;
    let (mut risk, mut reason) = (rule.risk, Cow::Borrowed(rule.reason.as_str()));
    if rule.dangerous_path {
        let worst = condition::dangerous(&rule.when, request)?;
        risk = if PATHS_OF_CHANGE.contains(&worst.0) {
            Risk::Critical
        } else {
            Risk::High
        };
        reason = Cow::Owned(format!(
            "{} of {}, a path that the policy names as dangerous",
            worst.0, worst.1
        ));
    }
    let mut decision = rule.decision.unwrap_or_else(|| tolerated(tolerance, risk));
    if !held.missing.is_empty() {
        decision = rule.unknown.unwrap_or(unsure(decision));
        if decision == Decision::Allow {
            return None;
        }
        if !decision.interrupts() {
            risk = risk.min(Risk::Moderate);
        }
        let what = held.missing.join(" and the ");
        reason = Cow::Owned(format!(
            "{reason} (whether it does cannot be told: the {what} is not known)"
        ));
    }
    let (span, certainty) = (held.span, held.certainty);
    Some(Hit {
        id: Cow::Borrowed(&rule.id),
        pack: layer.as_str(),
        decision,
        risk,
        mode: rule.mode,
        reason,
        span,
        certainty,
        instead: rule.instead.clone(),
        owner: rule.owner.clone(),
        controls: rule.controls.clone(),
        floor: false,
        loses: rule.dangerous_path,
    })
}

/// What happens where a fact is not known and the rule does not say: a rule that would interrupt
/// warns, one that would warn does nothing.
pub(crate) fn unsure(decision: Decision) -> Decision {
    if decision.interrupts() {
        Decision::Warn
    } else {
        Decision::Allow
    }
}

fn isolate(layers: &Layers<'_>, request: &Request<'_>, hits: &mut Vec<Hit<'_>>) {
    let reason = [layers.organisation, layers.user]
        .into_iter()
        .flatten()
        .find_map(|snapshot| snapshot.meta().quarantine.as_deref());
    let (Some(reason), Some(rule)) = (reason, packs::find("org.quarantine")) else {
        return;
    };
    if let Some(span) = quarantine::forbids(request.analysis, request.text) {
        let why = if reason.is_empty() {
            rule.reason.to_owned()
        } else {
            format!("{}: {reason}", rule.reason)
        };
        let mut hit = Hit::built_in(rule, Risk::Critical, span, why).instead("cmdai status");
        hit.decision = Decision::Deny;
        hit.floor = true;
        hits.push(hit);
    }
}

fn nobody_answers(facts: &Facts, subject: &Subject) -> bool {
    !subject.host_asks && (facts.terminal == Some(false) || subject.origin == OriginKind::Agent)
}

/// Where nobody can say yes, what would ask is denied, with the way to ask.
fn forbid_questions(hits: &mut [Hit<'_>]) {
    for hit in hits
        .iter_mut()
        .filter(|hit| hit.decision == Decision::Confirm)
    {
        if hit.mode == Mode::Enforce {
            hit.reason = Cow::Owned(format!(
                "{}; nobody can confirm it here, so a person has to run it in a terminal",
                hit.reason
            ));
        }
        hit.decision = Decision::Deny;
    }
}

/// What a hit contributes.
fn weight(hit: &Hit<'_>) -> Decision {
    match hit.mode {
        Mode::Enforce => hit.decision,
        Mode::Warn => hit.decision.min(Decision::Warn),
        Mode::Monitor | Mode::Off => Decision::Allow,
    }
}

fn join(mut hits: Vec<Hit<'_>>, request: &Request<'_>, layers: &Layers<'_>) -> Judgement {
    let analysis = request.analysis;
    for hit in hits.iter_mut() {
        if hit.mode == Mode::Warn {
            hit.decision = hit.decision.min(Decision::Warn);
        }
        if let Some(rule) = packs::find(&hit.id) {
            let own = rule.controls.iter().map(|control| (*control).to_owned());
            hit.controls = own.chain(std::mem::take(&mut hit.controls)).collect();
        }
    }
    let decision = hits.iter().map(weight).max().unwrap_or_default();
    let risk = hits
        .iter()
        .filter(|hit| hit.counts())
        .map(|hit| hit.risk)
        .max()
        .unwrap_or_default();
    let deciding = hits
        .iter()
        .filter(|hit| hit.counts() && weight(hit) == decision)
        .map(|hit| hit.certainty);
    let certainty = match deciding.max() {
        Some(certainty) if decision > Decision::Allow => certainty,
        _ if analysis.unknown => Certainty::Unknown,
        _ => analysis
            .effects
            .iter()
            .map(|effect| effect.certainty)
            .min()
            .unwrap_or_default(),
    };
    // Strictest first; what counts before what is only recorded; then in the order of the text.
    hits.sort_by(|a, b| {
        let key = |hit: &Hit<'_>| {
            (
                std::cmp::Reverse(weight(hit)),
                !hit.counts(),
                std::cmp::Reverse(hit.risk),
                hit.span,
            )
        };
        key(a).cmp(&key(b))
    });
    Judgement {
        id: None,
        decision,
        risk,
        certainty,
        rules: hits.into_iter().map(Hit::into_rule_hit).collect(),
        effects: analysis.effects.clone(),
        programs: analysis.programs(),
        unknown: analysis.unknown,
        digest: analysis.digest.clone(),
        policy: policy_ref(layers),
        micros: 0,
    }
}

/// Which policy decided: the organisation's, else the person's own, else the engine's.
fn policy_ref(layers: &Layers<'_>) -> PolicyRef {
    let named = |text: &str, other: &str| {
        if text.is_empty() {
            other.to_owned()
        } else {
            text.to_owned()
        }
    };
    match (layers.organisation, layers.user) {
        (Some(snapshot), _) => PolicyRef {
            id: named(
                &snapshot.meta().policy_id,
                named(&snapshot.settings().organization, "organisation").as_str(),
            ),
            version: named(&snapshot.meta().version, ENGINE_VERSION),
            digest: Some(snapshot.digest().to_owned()),
        },
        (None, user) => PolicyRef {
            id: "community".to_owned(),
            version: ENGINE_VERSION.to_owned(),
            digest: user.map(|snapshot| snapshot.digest().to_owned()),
        },
    }
}

/// Checks the safer commands of a judgement with the judge itself, and drops those that are not
/// let through more easily than the command.
pub fn verify_instead(judgement: &mut Judgement, judge: &dyn Fn(&str) -> Decision) {
    let limit = judgement.decision.min(Decision::Confirm);
    for hit in &mut judgement.rules {
        if hit
            .instead
            .as_deref()
            .is_some_and(|command| judge(command) >= limit)
        {
            hit.instead = None;
        }
    }
}
