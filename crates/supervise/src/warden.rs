//! The gate as a tree's warden: each start is judged, answered, said and recorded as every other
//! command is.

use std::borrow::Cow;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Instant;

use cmdai_effects::Session;
use cmdai_effects::script::Languages;
use cmdai_gate::render::View;
use cmdai_gate::{
    Gate, Manner, Outcome, Recorder, Request, SessionInfo, Voice, escape, fresh_id, origin,
};
use cmdai_schema::{
    CommandSource, Decision, Dialect, Judgement, Layer, Mode, OriginKind, ProcessInfo, Risk,
    RuleHit, Span,
};

use crate::exec::{Answer, Exec, Swapped, Warden};
use crate::line;
use crate::roll::Roll;
use crate::terminal;
use crate::tree::{Accepted, Mark, base};

/// The rule under which a start is recorded whose words were changed after they had been judged.
pub const RULE_SWAPPED: &str = "supervise.swapped";
/// Most answers and messages that are remembered.
const REMEMBERED: usize = 4_096;

/// Whose tree it is.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// Home, absolute.
    pub home: &'a str,
    /// Login.
    pub user: &'a str,
    /// A person at the terminal can be asked.
    pub person: bool,
    /// Who reads code of other languages.
    pub languages: &'a dyn Languages,
    /// The tree's program.
    pub program: &'a str,
}

/// Judges with the gate.
pub struct GateWarden<'a> {
    gate: &'a mut Gate,
    caller: Caller<'a>,
    recorder: Recorder,
    roll: Roll<Counted>,
    /// Questions that were answered with no.
    refused: HashSet<String>,
    /// What was told once.
    told: HashSet<String>,
    /// The start that was refused last.
    last: Option<Refused>,
}

/// A start that was refused. A shell then tries the next folder of its search path, which is often
/// the same file by another name: that is neither said nor recorded again.
struct Refused {
    process: u32,
    called: Vec<String>,
    file: String,
    words: Vec<String>,
}

impl Refused {
    fn of(exec: &Exec<'_>) -> Self {
        Self {
            process: exec.process,
            called: vec![exec.called.to_owned()],
            file: exec.file.to_owned(),
            words: exec.words.to_vec(),
        }
    }

    /// The same by another name, not the same again.
    fn is_candidate(&mut self, exec: &Exec<'_>) -> bool {
        let same = self.process == exec.process
            && self.file == exec.file
            && self.words == exec.words
            && self.called.iter().all(|called| called != exec.called);
        if same {
            self.called.push(exec.called.to_owned());
        }
        same
    }
}

/// What is kept of a start that is counted.
struct Counted {
    text: String,
    directory: String,
    mark: Rc<Mark>,
    outcome: Outcome,
    parents: Vec<ProcessInfo>,
}

impl<'a> GateWarden<'a> {
    /// Opens the tree's session. Only in the process that supervises it.
    pub fn open(gate: &'a mut Gate, caller: Caller<'a>, mark: &Mark) -> Self {
        let session = SessionInfo {
            id: format!("tree-{}", fresh_id()),
            layer: Layer::Supervised,
            who: mark.who.clone(),
            shared: false,
        };
        let mut recorder = Recorder::open(gate.installation(), gate.person(), session);
        recorder.session_start(&format!("tree of {}", base(caller.program)));
        Self {
            gate,
            caller,
            recorder,
            roll: Roll::new(),
            refused: HashSet::new(),
            told: HashSet::new(),
            last: None,
        }
    }

    /// Judges all lines that a start stands for: the strictest decides.
    fn judge(&mut self, exec: &Exec<'_>, mark: &Mark) -> (String, Outcome) {
        let session = Environment(exec);
        let mut strictest: Option<(String, Outcome)> = None;
        for text in line::lines(exec) {
            let caller = self.caller;
            let outcome = self.gate.judge(&Request {
                text: &text,
                dialect: Dialect::Bash,
                cwd: exec.directory,
                home: caller.home,
                user: caller.user,
                session: &session,
                languages: caller.languages,
                who: &mark.who,
                terminal: caller.person,
                facts: None,
            });
            let weight = |outcome: &Outcome| (outcome.judgement.decision, outcome.judgement.risk);
            let stricter = strictest
                .as_ref()
                .is_none_or(|(_, known)| weight(&outcome) > weight(known));
            if stricter {
                strictest = Some((text, outcome));
            }
        }
        strictest.unwrap_or_default()
    }

    /// Says, asks and records. Gives whether it may run.
    fn settle(
        &mut self,
        exec: &Exec<'_>,
        mark: &Mark,
        text: &str,
        outcome: &Outcome,
        manner: Manner<'_>,
    ) -> bool {
        let caller = self.caller;
        let key = format!("{} {text}", exec.directory);
        let asks = outcome.judgement.decision == Decision::Confirm && !manner.answered;
        let terminal = asks && caller.person && !self.refused.contains(&key) && terminal::is_free();
        let request = Request {
            text,
            dialect: Dialect::Bash,
            cwd: exec.directory,
            home: caller.home,
            user: caller.user,
            session: &Environment(exec),
            languages: caller.languages,
            who: &mark.who,
            terminal,
            facts: None,
        };
        let parents = exec.lineage.chain();
        let script = mark.who.origin.kind != OriginKind::Agent;
        let manner = Manner {
            parents: Some(&parents),
            source: script.then_some(CommandSource::Script),
            ..manner
        };
        let settled = self
            .gate
            .settle(&request, outcome, &mut Tree, &mut self.recorder, manner);
        if asks && terminal && !settled.run && self.refused.len() < REMEMBERED {
            self.refused.insert(key);
        }
        settled.run
    }

    /// Says something once in a tree.
    fn once(&mut self, key: &str, message: &str) {
        if self.told.len() < REMEMBERED && self.told.insert(key.to_owned()) {
            terminal::say(message);
        }
    }

    fn write_counted(&mut self, all: bool) {
        for (counted, times) in self.roll.close(Instant::now(), all) {
            let caller = self.caller;
            let request = Request {
                text: &counted.text,
                dialect: Dialect::Bash,
                cwd: &counted.directory,
                home: caller.home,
                user: caller.user,
                session: &cmdai_effects::NoSession,
                languages: caller.languages,
                who: &counted.mark.who,
                terminal: false,
                facts: None,
            };
            let script = counted.mark.who.origin.kind != OriginKind::Agent;
            let manner = Manner {
                parents: Some(&counted.parents),
                times: Some(times),
                source: script.then_some(CommandSource::Script),
                answered: true,
                ..Manner::default()
            };
            self.gate.settle(
                &request,
                &counted.outcome,
                &mut Tree,
                &mut self.recorder,
                manner,
            );
        }
    }
}

impl Warden for GateWarden<'_> {
    fn exec(&mut self, exec: &Exec<'_>) -> Answer {
        if self
            .last
            .as_mut()
            .is_some_and(|refused| refused.is_candidate(exec))
        {
            return Answer::Refuse;
        }
        self.last = None;
        let above = &exec.lineage.mark;
        let script = exec
            .words
            .iter()
            .skip(1)
            .find(|word| !word.starts_with('-'))
            .map(String::as_str);
        let agent = origin::recognise(exec.file, script)
            .map(|name| (name, exec.file))
            .filter(|_| !is_own(exec.file));
        let variable = |name: &str| exec.variables.get(name).map(str::to_owned);
        let who = origin::supervised(&above.who, agent, &variable);
        let mut mark = Mark {
            who,
            accepted: above.accepted.clone(),
        };
        let (text, outcome) = self.judge(exec, &mark);
        if exec.gives_rights {
            let name = escape(base(exec.file));
            let message = format!(
                "cmdai: {name} cannot work inside a supervised tree: nothing in it can gain rights (no_new_privs).\n  \
                 instead leave the tree for that command: cmdai run -c '{name} …'\n"
            );
            self.once(exec.file, &message);
        }
        let answered = mark.covers(&outcome.judgement);
        // The tree's own program was judged, asked about and recorded before there was a tree.
        if exec.root && answered {
            return Answer::Run(Rc::new(mark));
        }
        let quiet =
            outcome.judgement.decision == Decision::Allow && outcome.judgement.rules.is_empty();
        if quiet {
            let (now, program) = (Instant::now(), base(exec.file));
            let counted = || Counted {
                text: text.clone(),
                directory: exec.directory.to_owned(),
                mark: Rc::new(mark.clone()),
                outcome: outcome.clone(),
                parents: exec.lineage.chain(),
            };
            if !self.roll.start(program, now, counted) {
                return Answer::Run(Rc::new(mark));
            }
        }
        let manner = Manner {
            answered: answered && outcome.judgement.decision.interrupts(),
            ..Manner::default()
        };
        if !self.settle(exec, &mark, &text, &outcome, manner) {
            self.last = Some(Refused::of(exec));
            return Answer::Refuse;
        }
        // What was said yes to holds for all that it starts.
        for rule in Accepted::all(&outcome.judgement) {
            if !mark.accepted.contains(&rule) {
                mark.accepted.push(rule);
            }
        }
        Answer::Run(Rc::new(mark))
    }

    fn swapped(&mut self, exec: &Exec<'_>, what: Swapped) {
        let what = match what {
            Swapped::Words => "its words were changed after they had been judged",
            Swapped::File => "another file was put in place after it had been judged",
            Swapped::Directory => "its directory was changed after it had been judged",
        };
        let mark = exec.lineage.mark.clone();
        let (text, mut outcome) = self.judge(exec, &mark);
        let hit = RuleHit {
            id: RULE_SWAPPED.to_owned(),
            pack: "core".to_owned(),
            decision: Decision::Deny,
            risk: Risk::Critical,
            mode: Mode::Enforce,
            reason: format!("{what}, so it was killed as it began"),
            span: Span::new(0, text.len()),
            instead: None,
            owner: None,
            controls: Vec::new(),
        };
        outcome.judgement = Judgement {
            decision: Decision::Deny,
            risk: Risk::Critical,
            rules: [vec![hit], outcome.judgement.rules].concat(),
            ..outcome.judgement
        };
        self.settle(exec, &mark, &text, &outcome, Manner::default());
    }

    fn tick(&mut self) {
        self.write_counted(false);
    }

    fn root_ended(&mut self) {
        self.caller.person = false;
        self.write_counted(true);
    }

    fn ended(&mut self) {
        self.write_counted(true);
        self.recorder.session_end();
    }
}

/// This program is nobody's agent, whatever a folder above it is called.
fn is_own(file: &str) -> bool {
    std::env::current_exe().is_ok_and(|own| own.to_str() == Some(file))
}

/// The environment of a program, as the analysis asks for it.
struct Environment<'a>(&'a Exec<'a>);

impl Session for Environment<'_> {
    fn variable(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.variables.get(name).map(Cow::Borrowed)
    }

    fn alias(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn function(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }

    /// A shell that reads start-up files may set more than it was given.
    fn is_live(&self) -> bool {
        let reads = |word: &String| {
            word.starts_with('-') && !word.starts_with("--") && word.contains(['l', 'i'])
        };
        let options = self.0.words.iter().skip(1).take(4);
        !self
            .0
            .words
            .first()
            .is_some_and(|name| name.starts_with('-'))
            && self.0.variables.get("BASH_ENV").is_none()
            && self.0.variables.get("ENV").is_none()
            && !options.clone().any(reads)
            && !options
                .into_iter()
                .any(|word| word == "--login" || word == "--rcfile")
    }
}

/// The terminal of the run.
struct Tree;

impl Voice for Tree {
    fn say(&mut self, message: &str) {
        terminal::say(message);
    }

    fn confirm(&mut self) -> bool {
        terminal::confirm("run it? [y/N] ")
    }

    fn view(&self) -> View<'static> {
        View::of_terminal(&|name| std::env::var(name).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::Variables;

    #[test]
    fn variables_of_a_login_shell_are_not_all() {
        let variables = Variables::default();
        let lineage = crate::Lineage::root(1, 1, String::new(), Mark::default());
        for (words, live) in [
            (vec!["sh", "-c", "rm -rf $A/"], true),
            (vec!["bash", "-lc", "rm -rf $A/"], false),
            (vec!["-bash"], false),
            (vec!["bash", "--login"], false),
        ] {
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            let exec = Exec {
                process: 1,
                lineage: &lineage,
                called: "",
                file: "",
                words: &words,
                variables: &variables,
                directory: "/",
                gives_rights: false,
                root: false,
            };
            assert_eq!(Environment(&exec).is_live(), live, "{words:?}");
        }
    }
}
