//! The gate: from the text of a command to the decision about it, in one readable function.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use cmdai_effects::script::Languages;
use cmdai_effects::{Context, Session};
use cmdai_schema::{
    Analysis, Decision, Dialect, Facts, Judgement, Mode, OriginKind, Risk, RuleHit, Span, Subject,
};

use crate::extensions::Extensions;
use crate::facts::{self, Place};
use crate::memo::{Judged, Known, Memo, Terms, Witness};
use crate::origin::Attribution;
use crate::policies::{Failing, Policies};
use crate::settle::WarnMemory;
use crate::{Installation, Person, Redacted};

/// The rule that fires where the gate itself failed.
pub const RULE_INTERNAL_ERROR: &str = "gate.internal-error";
/// The rule under which it is recorded that a shell's hook failed twice and only records now.
pub const RULE_HOOK_CRASHED: &str = "gate.hook-crashed";
/// The rule that fires where a governed machine has no readable policy.
pub const RULE_NO_POLICY: &str = "gate.no-policy";

/// How far a clock may be behind the release of a policy, in seconds.
const CLOCK_SLACK_S: i64 = 3_600;

/// A command to be judged.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// What would run.
    pub text: &'a str,
    /// Language of the text.
    pub dialect: Dialect,
    /// Absolute working directory.
    pub cwd: &'a str,
    /// Absolute home.
    pub home: &'a str,
    /// Login name.
    pub user: &'a str,
    /// What the shell knows.
    pub session: &'a dyn Session,
    /// Who reads code of other languages.
    pub languages: &'a dyn Languages,
    /// Who acts.
    pub who: &'a Attribution,
    /// Somebody can answer a question.
    pub terminal: bool,
    /// Facts to use instead of this machine's, as in batch mode.
    pub facts: Option<&'a Facts>,
}

impl<'a> Request<'a> {
    /// The part that the analysis needs.
    pub fn context(&self) -> Context<'a> {
        Context {
            dialect: self.dialect,
            cwd: self.cwd,
            home: self.home,
            user: self.user,
            session: self.session,
            languages: self.languages,
        }
    }
}

/// A judged command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The decision with every rule that fired.
    pub judgement: Judgement,
    /// What the command would do.
    pub analysis: Analysis,
    /// The facts that took part.
    pub facts: Facts,
}

/// What to do about a judged command at the moment it would run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Run it.
    Run,
    /// Say the reason and run it.
    Warn,
    /// Ask the person, run it on yes.
    Ask,
    /// Ask the governor for a grant, run it with one.
    Approve,
    /// Do not run it.
    Block,
}

impl Outcome {
    /// Turns the decision into an action. Where nobody can answer, a question is a block; where
    /// nobody governs, there is nobody to approve.
    pub fn action(&self, can_answer: bool, governed: bool) -> Action {
        match self.judgement.decision {
            Decision::Allow => Action::Run,
            Decision::Warn => Action::Warn,
            Decision::Confirm if can_answer => Action::Ask,
            Decision::RequireApproval if governed => Action::Approve,
            Decision::Confirm | Decision::RequireApproval | Decision::Deny => Action::Block,
        }
    }
}

/// Everything that judging needs: installation, person, loaded policies and contributors.
#[derive(Debug)]
pub struct Gate {
    installation: Installation,
    person: Person,
    policies: Policies,
    extensions: Extensions,
    /// The clock is earlier than the release of the policy that was read last.
    clock_behind: bool,
    pub(crate) warned: WarnMemory,
    pub(crate) private: crate::private::Looked,
    read: facts::Cache,
    memo: Memo,
}

impl Gate {
    /// The gate of this machine and person.
    pub fn open() -> Self {
        Self::with(Installation::detect(), Person::current())
    }

    /// The gate of a given installation and person.
    pub fn with(installation: Installation, person: Person) -> Self {
        let policies = Policies::load(&installation, &person);
        let warned = WarnMemory::below(&person.state);
        Self {
            installation,
            person,
            policies,
            extensions: Extensions::default(),
            clock_behind: false,
            warned,
            private: crate::private::Looked::default(),
            read: facts::Cache::default(),
            memo: Memo::default(),
        }
    }

    /// Adds compiled-in contributors.
    #[must_use]
    pub fn extended(mut self, extensions: Extensions) -> Self {
        self.extensions = extensions;
        self.memo.clear();
        self
    }

    /// Uses this document's text as the person's policy instead of the installed one.
    ///
    /// # Errors
    /// Every error in the document.
    pub fn use_policy(
        &mut self,
        source: &str,
        file: &str,
    ) -> Result<(), cmdai_policy::PolicyErrors> {
        self.memo.clear();
        self.policies.use_policy(source, file)
    }

    /// Which installation.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Whose gate.
    pub fn person(&self) -> &Person {
        &self.person
    }

    /// Contributors.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Loaded policies.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// What is degraded at the moment, each with what to do. Empty where all is well.
    pub fn problems(&self) -> Vec<String> {
        let mark = self
            .installation
            .governed()
            .map(|governed| governed.problems.clone())
            .unwrap_or_default();
        let clock = self.clock_behind.then(|| {
            "this machine's clock is earlier than the release of its policy, so the release's moment counts; set the clock".to_owned()
        });
        mark.into_iter()
            .chain(self.policies.problems().map(str::to_owned))
            .chain(clock)
            .collect()
    }

    /// Judges one command: text, analysis, facts, decision.
    ///
    /// Never panics and never fails: an error inside becomes a decision by the policy's fail mode.
    pub fn judge(&mut self, request: &Request<'_>) -> Outcome {
        let begun = Instant::now();
        let judged = catch_unwind(AssertUnwindSafe(|| {
            crate::fault::point("evaluator");
            self.policies.refresh(&self.installation, &self.person);
            let analysis = cmdai_effects::analyse(request.text, &request.context());
            let mut facts = self.facts(request, &analysis);
            if request.facts.is_none() {
                self.correct_clock(&mut facts);
            }
            let subject = self.subject(request.who);
            let layers = self.policies.layers();
            let mut judgement =
                cmdai_policy::decide(&analysis, request.text, &layers, &facts, &subject);
            if judgement.rules.iter().any(|hit| hit.instead.is_some()) {
                // A safer command is only shown where it is judged to be one.
                cmdai_policy::verify_instead(&mut judgement, &|safer| {
                    let analysis = cmdai_effects::analyse(safer, &request.context());
                    cmdai_policy::decide(&analysis, safer, &layers, &facts, &subject).decision
                });
            }
            for hit in self
                .extensions
                .hits(request.text, &analysis, &facts, &subject)
            {
                join(&mut judgement, hit);
            }
            if self.installation.is_governed() && self.policies.organisation().is_none() {
                let hit = self.no_policy(&judgement, request);
                join(&mut judgement, hit);
            }
            Outcome {
                judgement,
                analysis,
                facts,
            }
        }));
        let mut outcome = judged.unwrap_or_else(|_| self.failed(request));
        outcome.judgement.micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        outcome
    }

    /// The same for a shell, where lines come again and again: what was judged before is taken from
    /// memory where nothing that its judgement depends on has changed.
    pub fn judge_known(&mut self, request: &Request<'_>) -> Judged {
        let begun = Instant::now();
        let micros = || u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let found = catch_unwind(AssertUnwindSafe(|| self.remembered(request)));
        if let Ok(Some(known)) = found {
            let micros = micros();
            return Judged { known, micros };
        }
        let keep = request.facts.is_none()
            && self.extensions.is_empty()
            && !self.policies.layers().read_clock()
            && self.memo.comes_again(request.text);
        if !keep {
            let outcome = self.judge(request);
            let micros = outcome.judgement.micros;
            let known = Arc::new(Known::from(outcome));
            return Judged { known, micros };
        }
        let witness = Witness::of(request);
        let watched = Request {
            session: &witness,
            languages: &witness,
            ..*request
        };
        let outcome = self.judge(&watched);
        let micros = outcome.judgement.micros;
        // Judging may have read a new policy.
        let terms = Terms::of(
            request,
            self.subject(request.who),
            self.policies.generation(),
        );
        let asked = cmdai_policy::asked(&outcome.analysis, &self.policies.layers(), request.cwd);
        let clean = Redacted::of(request.text, &outcome.analysis, &request.context());
        let known = Arc::new(Known {
            outcome,
            clean: (!clean.changed).then_some(clean),
        });
        self.memo.keep(request.text, terms, witness, asked, &known);
        Judged { known, micros }
    }

    fn remembered(&mut self, request: &Request<'_>) -> Option<Arc<Known>> {
        crate::fault::point("evaluator");
        self.policies.refresh(&self.installation, &self.person);
        self.memo.find(
            request,
            self.policies.generation(),
            |asked| self.collect(request, asked),
            facts::project,
        )
    }

    /// Explains how a command is judged: the rules that looked at it and the facts. Nothing is
    /// recorded.
    pub fn why(&mut self, request: &Request<'_>) -> cmdai_policy::Why {
        self.policies.refresh(&self.installation, &self.person);
        let analysis = cmdai_effects::analyse(request.text, &request.context());
        let facts = self.facts(request, &analysis);
        let subject = self.subject(request.who);
        cmdai_policy::why(
            &analysis,
            request.text,
            &self.policies.layers(),
            &facts,
            &subject,
        )
    }

    /// Where a process tree of somebody, begun in this folder, may write and read: each entry by itself.
    pub fn file_rules(
        &mut self,
        who: &Attribution,
        cwd: &str,
        home: &str,
    ) -> Vec<cmdai_policy::Supervise> {
        self.policies.refresh(&self.installation, &self.person);
        let facts = Facts {
            cwd: Some(cwd.to_owned()),
            home: Some(home.to_owned()),
            ..Facts::default()
        };
        let subject = self.subject(who);
        let layers = self.policies.layers();
        layers.supervise(&facts, &subject).cloned().collect()
    }

    fn facts(&self, request: &Request<'_>, analysis: &Analysis) -> Facts {
        if let Some(given) = request.facts {
            let mut facts = given.clone();
            facts.cwd.get_or_insert_with(|| request.cwd.to_owned());
            facts.home.get_or_insert_with(|| request.home.to_owned());
            return facts;
        }
        let mut asked = cmdai_policy::asked(analysis, &self.policies.layers(), request.cwd);
        // Whoever is not a shell shows to people what is known.
        asked.machine |= !request.session.is_live();
        self.collect(request, &asked)
    }

    /// Facts of this machine.
    fn collect(&self, request: &Request<'_>, asked: &cmdai_policy::Asked) -> Facts {
        // What the line itself sets belongs to its calls and is looked at there. A live shell knows
        // all it exports; the environment of this process is older.
        let variable = |name: &str| {
            request
                .session
                .variable(name)
                .map(Cow::into_owned)
                .or_else(|| {
                    let live = request.session.is_live();
                    (!live).then(|| std::env::var(name).ok()).flatten()
                })
        };
        facts::collect(
            asked,
            &Place {
                cwd: Path::new(request.cwd),
                home: Path::new(request.home),
                state: &self.person.state,
                variable: &variable,
                terminal: request.terminal,
            },
            &self.read,
        )
    }

    /// It is never earlier than the policy's release: a clock that was set back years would bring
    /// exceptions to life again that ended long ago.
    fn correct_clock(&mut self, facts: &mut Facts) {
        let released = self
            .policies
            .organisation()
            .and_then(|snapshot| snapshot.meta().released.as_deref());
        let moment = |text: &str| text.parse::<jiff::Timestamp>().ok();
        let (Some(released), Some(now)) = (released, facts.now.as_deref()) else {
            self.clock_behind = false;
            return;
        };
        self.clock_behind = match (moment(released), moment(now)) {
            (Some(released), Some(now)) => {
                now.as_second().saturating_add(CLOCK_SLACK_S) < released.as_second()
            }
            _ => false,
        };
        if self.clock_behind {
            facts.now = Some(released.to_owned());
        }
    }

    fn subject(&self, who: &Attribution) -> Subject {
        let mut subject = Subject {
            origin: who.origin.kind,
            user: self.person.login.clone(),
            agent: who.agent.as_ref().map(|agent| agent.name.clone()),
            host_asks: who.host_asks,
            ..Subject::default()
        };
        if let Some(governed) = self.installation.governed() {
            subject.teams.clone_from(&governed.mark.teams);
            subject.labels.clone_from(&governed.mark.labels);
            subject.machine_id = Some(governed.mark.machine_id.clone());
        }
        subject
    }

    /// On a governed machine without a readable policy the built-in packs and the person's own
    /// policy go on deciding, and each record says that it was so. What the organisation forbids is
    /// not known, so an AI agent does nothing until it is; where its policy said `fail_mode: closed`,
    /// people go on with what no rule speaks about, which is enough to log in, work and mend it.
    fn no_policy(&self, judgement: &Judgement, request: &Request<'_>) -> RuleHit {
        let agent = request.who.origin.kind == OriginKind::Agent || request.who.agent.is_some();
        let closed = self.policies.failing() == Failing::Closed;
        let speaks = judgement.decision > Decision::Allow;
        let (mode, decision, rest) = match (agent, closed && speaks) {
            (true, _) => (Mode::Enforce, Decision::Deny, "AI agents wait until it can"),
            (false, true) => (
                Mode::Enforce,
                Decision::Deny,
                "until it can, nothing runs that a rule speaks about",
            ),
            (false, false) => (Mode::Monitor, Decision::Warn, "built-in rules decide"),
        };
        RuleHit {
            id: RULE_NO_POLICY.to_owned(),
            pack: "core".to_owned(),
            decision,
            risk: if mode == Mode::Enforce {
                Risk::High
            } else {
                Risk::Safe
            },
            mode,
            reason: format!("the organisation's policy cannot be read; {rest}"),
            span: if mode == Mode::Enforce {
                Span::new(0, request.text.len())
            } else {
                Span::default()
            },
            instead: None,
            owner: None,
            controls: Vec::new(),
        }
    }

    /// The decision where the gate itself failed: deny, unless the policy says fail open.
    fn failed(&self, request: &Request<'_>) -> Outcome {
        let decision = match self.policies.failing() {
            Failing::Open
                if request.who.agent.is_none() && request.who.origin.kind != OriginKind::Agent =>
            {
                Decision::Warn
            }
            // A shell that cannot judge must be left all the same.
            _ if leaves(request.text) => Decision::Warn,
            Failing::Open | Failing::Closed => Decision::Deny,
        };
        let hit = RuleHit {
            id: RULE_INTERNAL_ERROR.to_owned(),
            pack: "core".to_owned(),
            decision,
            risk: Risk::High,
            mode: Mode::Enforce,
            reason: "cmdai failed while it judged this command; please report it".to_owned(),
            span: Span::new(0, request.text.len()),
            instead: None,
            owner: None,
            controls: Vec::new(),
        };
        let judgement = Judgement {
            decision,
            risk: Risk::High,
            certainty: cmdai_schema::Certainty::Unknown,
            rules: vec![hit],
            unknown: true,
            policy: self.policies.reference(),
            ..Judgement::default()
        };
        let analysis = Analysis {
            unknown: true,
            complete: true,
            ..Analysis::default()
        };
        Outcome {
            judgement,
            analysis,
            facts: Facts::default(),
        }
    }
}

/// Nothing but the way out of a shell.
fn leaves(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    matches!(words.next(), Some("exit" | "logout"))
        && words.next().is_none_or(|status| {
            status.len() <= 3 && status.bytes().all(|byte| byte.is_ascii_digit())
        })
        && words.next().is_none()
}

/// Joins a rule hit by maximum and keeps the strictest first.
fn join(judgement: &mut Judgement, hit: RuleHit) {
    let effective = match hit.mode {
        Mode::Off | Mode::Monitor => Decision::Allow,
        Mode::Warn => hit.decision.min(Decision::Warn),
        Mode::Enforce => hit.decision,
    };
    judgement.decision = judgement.decision.max(effective);
    if hit.mode == Mode::Enforce {
        judgement.risk = judgement.risk.max(hit.risk);
    }
    let place = judgement
        .rules
        .iter()
        .position(|known| known.decision < hit.decision)
        .unwrap_or(judgement.rules.len());
    judgement.rules.insert(place, hit);
}
