//! Conditions, loops and cases: each way that is possible, and rounds as long as they can be told.

use cmdai_shell::{Arm, ArmEnding, List, Part, Pipeline, Tree, Word};

use crate::{
    analyser::{Analyser, Flow, Status},
    state::{Env, Value},
    value::{Stream, Text},
};

/// Most rounds of a loop over a list.
const MAX_ROUNDS: usize = 64;
/// Most rounds of a loop whose condition is known to hold.
const MAX_COUNTED: usize = 256;
/// So many programs at once are too many for a machine.
const MANY: usize = 2_000;
/// Steps after which loops end.
const TIRED: u32 = 3_000;

impl Analyser<'_> {
    pub(crate) fn condition(
        &mut self,
        tree: &Tree<'_>,
        branches: &[(List<'_>, List<'_>)],
        otherwise: Option<&List<'_>>,
        stdin: &Stream,
    ) -> Stream {
        self.place = None;
        let mut out = Stream::Empty;
        let mut ways: Vec<Env> = Vec::new();
        // One branch is known to be the one that runs.
        let mut decided = false;
        let mut left = Flow::On;
        for (condition, body) in branches {
            out = out.then(self.list(tree, condition, stdin));
            if self.flow != Flow::On {
                return out;
            }
            let status = self.status;
            if status == Status::Said(false) {
                continue;
            }
            let before = self.env.clone();
            let last = condition.items.last().map(last_pipeline);
            if let Some(last) = last {
                self.learn(tree, last, true);
            }
            let printed = self.list(tree, body, stdin);
            let flow = std::mem::take(&mut self.flow);
            match status.known() {
                _ if decided => self.env = before,
                Some(true) => {
                    out = out.then(printed);
                    if status == Status::Said(true) && ways.is_empty() {
                        self.flow = flow;
                        return out;
                    }
                    let after = std::mem::replace(&mut self.env, before);
                    if flow == Flow::On || ways.is_empty() {
                        ways.push(after);
                        left = flow;
                    }
                    decided = true;
                }
                Some(false) => self.env = before,
                None => {
                    out = out.then(printed);
                    let after = std::mem::replace(&mut self.env, before);
                    if flow == Flow::On {
                        ways.push(after);
                    }
                    if let Some(last) = last {
                        self.learn(tree, last, false);
                    }
                }
            }
        }
        if let Some(body) = otherwise {
            let before = decided.then(|| self.env.clone());
            let printed = self.list(tree, body, stdin);
            let flow = std::mem::take(&mut self.flow);
            match before {
                Some(before) => self.env = before,
                None => {
                    out = out.then(printed);
                    left = flow;
                }
            }
        }
        let mut ways = ways.into_iter();
        if decided {
            // What a branch that surely runs leaves by, leaves the whole.
            self.env = ways.next().unwrap_or_default();
            self.flow = left;
        } else if left != Flow::On {
            match ways.next() {
                Some(first) => self.env = first,
                None => self.flow = left,
            }
        }
        for way in ways {
            self.env.join(way);
        }
        self.status = Status::Unknown;
        out
    }

    fn round(&mut self, tree: &Tree<'_>, body: &List<'_>, stdin: &Stream) -> Stream {
        self.loops += 1;
        let printed = self.list(tree, body, stdin);
        self.loops -= 1;
        printed
    }

    /// `while` and `until`
    pub(crate) fn repeat(
        &mut self,
        tree: &Tree<'_>,
        until: bool,
        condition: &List<'_>,
        body: &List<'_>,
        stdin: &Stream,
    ) -> Stream {
        self.place = None;
        let mut out = Stream::Empty;
        let mut rounds = 0;
        let before_all = self.invocations.len();
        // A round has come to its end, and nothing has left the loop.
        let mut endless = false;
        loop {
            out = out.then(self.list(tree, condition, stdin));
            if self.flow != Flow::On {
                break;
            }
            let status = if until {
                self.status.negated()
            } else {
                self.status
            };
            if status == Status::Said(false) {
                break;
            }
            // fish says of `true` only that it was seen.
            let plain = self.dialect == cmdai_schema::Dialect::Fish
                && status == Status::Seen(true)
                && condition.items.len() == 1;
            if rounds == 0 && (status == Status::Said(true) || plain) {
                self.storm(tree, body, true);
            }
            let before = self.env.clone();
            if let (false, Some(item)) = (until, condition.items.last()) {
                self.learn(tree, last_pipeline(item), true);
            }
            if status.known() == Some(false) && rounds > 0 {
                break;
            }
            out = out.then(self.round(tree, body, stdin));
            rounds += 1;
            let flow = std::mem::take(&mut self.flow);
            match flow {
                Flow::Exit | Flow::Return => {
                    if status.known() == Some(true) {
                        self.flow = flow;
                    } else {
                        self.env = before;
                    }
                    break;
                }
                Flow::Break => {
                    if status.known() != Some(true) {
                        self.env.join(before);
                    }
                    break;
                }
                Flow::On | Flow::Continue => {}
            }
            endless = true;
            match status {
                Status::Seen(false) => {
                    // Not a single round, as far as is known.
                    self.env = before;
                    break;
                }
                Status::Seen(true) if rounds < MAX_COUNTED && self.steps < TIRED => {}
                Status::Said(true) if rounds < 4 && self.env.vars != before.vars => {}
                Status::Unknown if rounds < 2 && self.env.vars != before.vars => {
                    // Once more, with what the first round left behind.
                    self.env.join(before);
                }
                _ => {
                    self.env.join(before);
                    break;
                }
            }
        }
        // `while ($true) { Start-Process x }`: nobody waits for any of them.
        let started = self.invocations.get(before_all..).unwrap_or_default();
        let ran = |name: &str| started.iter().any(|call| call.program == name);
        let always = condition.items.last().is_some_and(|item| {
            last_pipeline(item).stages.first().is_some_and(|command| {
                let span = command.span;
                tree.source
                    .get(span.start as usize..span.end as usize)
                    .is_some_and(|text| {
                        let bare = text.trim_matches(['(', ')', ' ']);
                        bare == "1" || bare.eq_ignore_ascii_case("$true")
                    })
            })
        });
        if endless
            && always
            && ran("Start-Process")
            && !ran("Start-Sleep")
            && !started.iter().any(|call| {
                call.args
                    .iter()
                    .any(|arg| arg.text().eq_ignore_ascii_case("-Wait"))
            })
            && let Some(first) = started.iter().find(|call| call.program == "Start-Process")
        {
            let span = first.span;
            self.exhausts("processes without end", span);
        }
        self.status = Status::Unknown;
        out
    }

    /// A loop that starts programs beside itself and waits for none: the machine fills with them.
    fn storm(&mut self, tree: &Tree<'_>, body: &List<'_>, endless: bool) {
        if !endless || !body.items.iter().any(|item| item.background) {
            return;
        }
        let first = body.items.first().map(|item| &item.and_or.first);
        let Some(start) = first.and_then(|pipeline| pipeline.stages.first()) else {
            return;
        };
        // What the body says up to the end of the text: a pause or a wait in it makes it calm.
        let rest = tree.source.get(start.span.start as usize..).unwrap_or("");
        let inner = rest.split("done").next().unwrap_or(rest);
        let waits = body.items.len() > 1
            && [
                "sleep",
                "wait",
                "read ",
                "jobs",
                "sem ",
                "break",
                "pgrep",
                "inotifywait",
            ]
            .iter()
            .any(|word| inner.contains(word));
        if !waits {
            let span = self.map.span(start.span);
            self.exhausts("fork-bomb", span);
        }
    }

    /// `for NAME in WORDS`
    pub(crate) fn iterate(
        &mut self,
        tree: &Tree<'_>,
        name: &str,
        words: Option<&[Word<'_>]>,
        body: &List<'_>,
        stdin: &Stream,
    ) -> Stream {
        let name = &*self.folded(name);
        self.place = None;
        let values: Vec<Text> = match words {
            Some(words) => self.on_every_choice(|this| this.expand_words(tree, words)),
            None => self.env.positional.clone().unwrap_or_default(),
        };
        let written: usize = words.map_or(0, |words| {
            words
                .iter()
                .map(|word| {
                    largest(
                        tree.source
                            .get(word.span.start as usize..word.span.end as usize),
                    )
                })
                .max()
                .unwrap_or(0)
        });
        self.storm(tree, body, values.len() >= MANY || written >= MANY);
        let mut out = Stream::Empty;
        if values.is_empty() {
            let before = self.env.clone();
            self.env.set(name, Value::solid(None));
            let printed = self.round(tree, body, stdin);
            self.flow = Flow::On;
            self.env.join(before);
            return printed;
        }
        let mut left = false;
        for (round, mut value) in values.into_iter().enumerate() {
            // Of many numbers one is as good as another; of other words none is.
            if round >= MAX_ROUNDS
                && value.known
                && value.text.bytes().all(|byte| byte.is_ascii_digit())
            {
                continue;
            }
            if round >= MAX_ROUNDS * 8 || self.steps > TIRED {
                left = true;
                break;
            }
            if !value.known && value.text.starts_with(['$', '`']) {
                // One word of those that are not known: none of them is empty.
                value = Text {
                    taint: value.taint,
                    ..Text::default()
                };
            }
            value.offset = None;
            let many = value.glob || !value.known;
            self.env.set(name, Value::text(value));
            let before = many.then(|| self.env.clone());
            out = out.then(self.round(tree, body, stdin));
            let flow = std::mem::take(&mut self.flow);
            match flow {
                Flow::Exit | Flow::Return if before.is_none() => {
                    self.flow = flow;
                    break;
                }
                Flow::Break => break,
                _ => {}
            }
            if let Some(before) = before
                && self.env.vars != before.vars
            {
                // Several rounds: what one leaves behind the next one sees.
                out = out.then(self.round(tree, body, stdin));
                self.flow = Flow::On;
            }
        }
        if left {
            // One round more, for all the words that were not looked at.
            self.unknown = true;
            self.env.set(name, Value::solid(None));
            out = out.then(self.round(tree, body, stdin));
            self.flow = Flow::On;
        }
        self.status = Status::Unknown;
        out
    }

    /// `for (( …; …; … ))`
    pub(crate) fn count(
        &mut self,
        tree: &Tree<'_>,
        header: &[Part<'_>],
        body: &List<'_>,
        stdin: &Stream,
    ) -> Stream {
        self.place = None;
        let mut out = Stream::Empty;
        self.header_part(tree, header, 0);
        let told = self.expand_inner(tree, header).text;
        self.storm(
            tree,
            body,
            told.trim().trim_matches(';').is_empty() || largest(Some(&told)) >= MANY,
        );
        let mut rounds = 0;
        loop {
            let holds = self.header_part(tree, header, 1).map(|value| value != 0);
            if holds == Some(false) && rounds > 0 {
                break;
            }
            let before = self.env.clone();
            out = out.then(self.round(tree, body, stdin));
            rounds += 1;
            let flow = std::mem::take(&mut self.flow);
            match flow {
                Flow::Exit | Flow::Return => {
                    self.env = before;
                    break;
                }
                Flow::Break => break,
                _ => {}
            }
            if holds != Some(true) || rounds >= MAX_COUNTED || self.steps > TIRED {
                self.env.join(before);
                break;
            }
            self.header_part(tree, header, 2);
        }
        self.status = Status::Unknown;
        out
    }

    /// One of the three expressions of a loop's header; nothing where it cannot be told.
    fn header_part(&mut self, tree: &Tree<'_>, header: &[Part<'_>], index: usize) -> Option<i64> {
        let text = self.expand_inner(tree, header);
        let part = Text {
            text: text
                .text
                .split(';')
                .nth(index)
                .unwrap_or("")
                .trim()
                .to_owned(),
            ..text
        };
        if part.text.is_empty() {
            return Some(1);
        }
        self.calculate(&part)
    }

    pub(crate) fn case(
        &mut self,
        tree: &Tree<'_>,
        word: &Word<'_>,
        arms: &[Arm<'_>],
        stdin: &Stream,
    ) -> Stream {
        self.place = None;
        let subjects = self.on_every_choice(|this| vec![this.expand_one(tree, word)]);
        let subject_known = subjects.iter().all(|subject| subject.known);
        let mut out = Stream::Empty;
        let mut ways: Vec<Env> = Vec::new();
        let mut through = false;
        // The end of a branch that runs for sure.
        let mut surely = false;
        for arm in arms {
            let patterns: Vec<Text> = arm
                .patterns
                .iter()
                .map(|pattern| self.pattern(tree, &pattern.parts))
                .collect();
            let sure = subject_known && patterns.iter().all(|pattern| pattern.known);
            let hits = subjects
                .iter()
                .filter(|subject| {
                    patterns
                        .iter()
                        .any(|pattern| crate::glob::shell_matches(&pattern.text, &subject.text))
                })
                .count();
            if sure && hits == 0 && !through {
                continue;
            }
            let all = sure && hits == subjects.len() || patterns.iter().any(|p| p.text == "*");
            let before = self.env.clone();
            if !sure
                && hits == 0
                && let Some(name) = crate::walk::plain_variable(word)
                && let [pattern] = patterns.as_slice()
                && pattern.known
                && !crate::glob::is_pattern(&pattern.text)
                && self.env.get(name).is_none_or(Value::is_open)
            {
                // Here it is what the pattern says.
                self.env.set(name, Value::known(pattern.text.clone()));
            }
            out = out.then(self.list(tree, &arm.body, stdin));
            let flow = std::mem::take(&mut self.flow);
            if through || arm.ending == ArmEnding::FallThrough {
                // What a branch leaves behind the next one sees.
                through = arm.ending == ArmEnding::FallThrough;
                continue;
            }
            if arm.ending == ArmEnding::TestNext {
                self.env.join(before);
                continue;
            }
            if all {
                surely = true;
                if flow != Flow::On {
                    match ways.pop() {
                        Some(way) => self.env = way,
                        None => self.flow = flow,
                    }
                }
                break;
            }
            let after = std::mem::replace(&mut self.env, before);
            if flow == Flow::On {
                ways.push(after);
            }
        }
        let _ = surely;
        for way in ways {
            self.env.join(way);
        }
        self.status = Status::Unknown;
        out
    }

    /// Does something for each combination of values, and collects what comes out, each once.
    pub(crate) fn on_every_choice(
        &mut self,
        mut work: impl FnMut(&mut Self) -> Vec<Text>,
    ) -> Vec<Text> {
        if !self.env.several || self.picks.inner {
            return work(self);
        }
        let outer = std::mem::take(&mut self.picks);
        let mut all = work(self);
        let mut choice = 1;
        while choice < self.picks.total() {
            self.picks.choice = choice;
            for text in work(self) {
                if !all.contains(&text) {
                    all.push(text);
                }
            }
            choice += 1;
        }
        self.picks = outer;
        all
    }
}

/// The pipeline that decides how an item ends.
fn last_pipeline<'i, 'a>(item: &'i cmdai_shell::Item<'a>) -> &'i Pipeline<'a> {
    item.and_or
        .rest
        .last()
        .map_or(&item.and_or.first, |(_, pipeline)| pipeline)
}

/// The largest number of a count: `{1..5000}`, `$(seq 1 5000)`, `i<5000`.
fn largest(text: Option<&str>) -> usize {
    let text = text.unwrap_or("");
    if !(text.contains("seq") || text.contains("..") || text.contains(['<', '>'])) {
        return 0;
    }
    text.split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .max()
        .unwrap_or(0)
}
