//! What must hold for every line, over some 100,000 generated ones. A failure names its seed.

use std::collections::BTreeMap;

use cmdai_policy::{Layers, Snapshot, decide};
use cmdai_schema::{Analysis, Decision, Judgement};

use super::generate::{Random, examples, line, plain_words, quoted, respelled};
use super::support::{analyse, facts, snapshot, subject};

fn judge(text: &str) -> (Analysis, Judgement) {
    let analysis = analyse(text);
    let judgement = decide(&analysis, text, &Layers::default(), &facts(), &subject());
    (analysis, judgement)
}

fn decision(text: &str) -> Decision {
    judge(text).1.decision
}

/// Broken promises by kind, so that one run shows all kinds.
#[derive(Default)]
struct Broken(BTreeMap<&'static str, (usize, Vec<String>)>);

impl Broken {
    fn add(&mut self, kind: &'static str, what: String) {
        let (count, shown) = self.0.entry(kind).or_default();
        *count += 1;
        if shown.len() < 6 {
            shown.push(what);
        }
    }

    #[track_caller]
    fn none(self) {
        let text: Vec<String> = self
            .0
            .iter()
            .map(|(kind, (count, shown))| format!("{kind}: {count}\n    {}", shown.join("\n    ")))
            .collect();
        assert!(text.is_empty(), "{}", text.join("\n"));
    }
}

/// How a line is wrapped: name, and what it becomes. Not here: another machine (`ssh`), whose paths
/// are not ours, and another home or directory (`sudo -u`, `env -C`).
type Wrapper = (&'static str, fn(&str) -> String);

/// A program that runs a program needs a shell for a line.
fn shell(text: &str) -> String {
    format!("bash -c {}", quoted(text))
}

const WRAPPERS: &[Wrapper] = &[
    ("sudo", |text| format!("sudo {}", shell(text))),
    ("env", |text| format!("env A=1 {}", shell(text))),
    ("bash -c", shell),
    ("sh -c after --", |text| {
        format!("command bash -c -- {}", quoted(text))
    }),
    ("subshell", |text| format!("( {text}\n)")),
    ("group", |text| format!("{{ {text}\n}}")),
    ("timeout", |text| format!("timeout 5 {}", shell(text))),
    ("nice", |text| format!("nice -n 5 {}", shell(text))),
    ("nohup", |text| format!("nohup {} &", shell(text))),
    ("time", |text| format!("time {{ {text}\n}}")),
    ("if", |text| format!("if true; then {text}\nfi")),
    ("else", |text| format!("if false; then :; else {text}\nfi")),
    ("for", |text| format!("for one in 1; do {text}\ndone")),
    ("while", |text| {
        format!("while true; do {text}\nbreak; done")
    }),
    ("case", |text| format!("case a in a) {text}\n;; esac")),
    ("function", |text| {
        format!("wrapped() {{ {text}\n}}; wrapped")
    }),
    ("eval", |text| format!("eval {}", quoted(text))),
    ("negated", |text| format!("! {{ {text}\n}}")),
    ("background", |text| format!("{{ {text}\n}} &")),
    ("piped to sh", |text| {
        format!("printf '%s' {} | bash", quoted(text))
    }),
    ("here-document", |text| {
        format!("bash <<'WRAPPED'\n{text}\nWRAPPED\n")
    }),
    ("substitution", |text| format!("out=$( {text}\n)")),
    ("trap", |text| format!("trap {} EXIT", quoted(text))),
    ("xargs", |text| {
        format!("echo a | xargs -I@@ {}", shell(text))
    }),
    ("before: true", |text| format!("true; {text}")),
    ("before: echo", |text| format!("echo hello\n{text}")),
    ("before: and", |text| format!("true && {text}")),
    ("before: comment", |text| format!("# a note\n{text}")),
    ("before: variable", |text| format!("unrelated=1; {text}")),
    ("after: true", |text| format!("{text}\ntrue")),
    ("after: echo", |text| format!("{text}\necho done")),
    ("after: or", |text| format!("{{ {text}\n}} || true")),
    ("after: quiet", |text| {
        format!("{{ {text}\n}} >/dev/null 2>&1")
    }),
];

/// Where the end of one line does not end it: an open quote or here-document takes in what follows.
fn whole(analysis: &Analysis) -> bool {
    analysis.complete && analysis.diagnostics.is_empty()
}

#[test]
fn wrapping_never_lowers() {
    let examples = examples();
    let mut broken = Broken::default();
    for seed in 0..1_600_u64 {
        let mut random = Random::new(seed);
        let text = line(&mut random, &examples);
        let (analysis, plain) = judge(&text);
        if !whole(&analysis) {
            continue;
        }
        for (name, wrap) in WRAPPERS {
            let wrapped = wrap(&text);
            let (_, judged) = judge(&wrapped);
            if judged.decision < plain.decision {
                broken.add(
                    name,
                    format!(
                        "seed {seed}: {:?} {text:?} → {:?}",
                        plain.decision, judged.decision
                    ),
                );
            }
        }
    }
    broken.none();
}

#[test]
fn wrapping_several_times_never_lowers() {
    let examples = examples();
    let mut broken = Broken::default();
    let (mut interrupted, mut lines) = (0, 0);
    for seed in 0..10_000_u64 {
        let mut random = Random::new(seed ^ 0x77_7a9);
        let text = line(&mut random, &examples);
        let (analysis, plain) = judge(&text);
        lines += 1;
        interrupted += usize::from(plain.decision >= Decision::Confirm);
        if !whole(&analysis) || plain.decision == Decision::Allow {
            continue;
        }
        let mut wrapped = disguised(&mut random, &text);
        let mut names = Vec::new();
        for _ in 0..1 + random.below(3) {
            let (name, wrap) = WRAPPERS[random.below(WRAPPERS.len())];
            names.push(name);
            wrapped = wrap(&wrapped);
        }
        let judged = decision(&wrapped);
        if judged < plain.decision {
            broken.add(
                "wrapped",
                format!(
                    "seed {seed}: {:?} {text:?} → {judged:?} by {names:?}: {wrapped:?}",
                    plain.decision
                ),
            );
        }
    }
    broken.none();
    assert!(
        interrupted * 10 > lines && interrupted * 10 < lines * 9,
        "the lines are all of one kind: {interrupted} of {lines} are interrupted"
    );
}

/// The line in another form that runs the same.
fn disguised(random: &mut Random, text: &str) -> String {
    let hex = || {
        text.bytes()
            .map(|byte| format!("\\x{byte:02x}"))
            .collect::<String>()
    };
    match random.below(9) {
        0 => format!("eval $'{}'", hex()),
        1 => format!("line={}; eval \"$line\"", quoted(text)),
        2 => format!("set -- {}; eval \"$1\"", quoted(text)),
        3 => format!("printf '%b' {} | sh", quoted(&hex())),
        4 => format!("bash <<< {}", quoted(text)),
        5 => format!("echo {} | rev | rev | bash", quoted(text)),
        6 => format!("parts=({}); eval \"${{parts[0]}}\"", quoted(text)),
        7 => format!("for one in {}; do bash -c \"$one\"; done", quoted(text)),
        _ => text.to_owned(),
    }
}

#[test]
fn spelling_keeps_digest_and_decision() {
    let mut broken = Broken::default();
    for seed in 0..12_000_u64 {
        let mut random = Random::new(seed);
        let words = plain_words(&mut random);
        let text = words.join(" ");
        let other = respelled(&mut random, &words);
        let ((first, judged), (second, again)) = (judge(&text), judge(&other));
        if first.digest != second.digest {
            broken.add("digest", format!("seed {seed}: {text:?} / {other:?}"));
        }
        if judged.decision != again.decision {
            broken.add(
                "decision",
                format!(
                    "seed {seed}: {:?} {text:?} / {:?} {other:?}",
                    judged.decision, again.decision
                ),
            );
        }
    }
    broken.none();
}

/// What follows depends on what came before where that changed the shell or wrote a file.
fn changes_state(analysis: &Analysis, text: &str) -> bool {
    const BUILT_IN: &[&str] = &[
        "cd", "pushd", "popd", "set", "export", "alias", "unalias", "unset", "exec", "exit",
        "source", ".", "trap", "shopt", "read", "declare", "eval", "shift", "local", "mapfile",
        "hash", "enable", "return",
    ];
    text.contains(['=', '>', '(', '{', '<'])
        || analysis.invocations.is_empty()
        || analysis
            .invocations
            .iter()
            .any(|call| BUILT_IN.contains(&call.program.as_str()))
}

#[test]
fn the_whole_line_is_judged() {
    let examples = examples();
    let mut broken = Broken::default();
    for seed in 0..8_000_u64 {
        let mut random = Random::new(seed ^ 0x5eed);
        let (first, second) = (line(&mut random, &examples), line(&mut random, &examples));
        let ((analysis, one), (_, two)) = (judge(&first), judge(&second));
        if !whole(&analysis) {
            continue;
        }
        let joined = format!("{first}\n{second}");
        let both = decision(&joined);
        if both < one.decision {
            broken.add(
                "the first",
                format!("seed {seed}: {:?} {joined:?} → {both:?}", one.decision),
            );
        }
        if both < two.decision && !changes_state(&analysis, &first) {
            broken.add(
                "the second",
                format!("seed {seed}: {:?} {joined:?} → {both:?}", two.decision),
            );
        }
    }
    broken.none();
}

#[test]
fn a_layer_more_never_lowers() {
    let examples = examples();
    let added: Vec<Snapshot> = [
        "version: \"1.0\"\nsafety: {risk_tolerance: low, require_approval_for: [privilege_escalation, destructive_commands]}\n",
        "version: \"1.0\"\nsafety: {blocked_patterns: [{pattern: \"git push .*\", reason: r}, {regex: \"prod|main\", reason: r}]}\nrules: [{id: own, when: {effect: [delete, write]}, decision: require_approval, reason: r}]\n",
        "version: \"1.0\"\nrules: [{id: own, when: {program: [rm, curl, kubectl]}, decision: allow, reason: r}, {id: fs.delete-home, mode: off}, {id: git.force-push, decision: allow}]\n",
    ]
    .into_iter()
    .map(snapshot)
    .collect();
    let mut broken = Broken::default();
    for seed in 0..8_000_u64 {
        let mut random = Random::new(seed ^ 0x1a_1e5);
        let text = line(&mut random, &examples);
        let analysis = analyse(&text);
        let under = |organisation, user| {
            decide(
                &analysis,
                &text,
                &Layers { organisation, user },
                &facts(),
                &subject(),
            )
            .decision
        };
        let alone = under(None, None);
        let [stricter, rules, looser] = added.as_slice() else {
            unreachable!()
        };
        for (name, layer) in [("stricter", stricter), ("rules", rules)] {
            if under(Some(layer), None) < alone {
                broken.add(name, format!("seed {seed}: {text:?}"));
            }
        }
        for (name, organisation) in [("user alone", None), ("user below", Some(rules))] {
            if under(organisation, Some(looser)) < under(organisation, None) {
                broken.add(name, format!("seed {seed}: {text:?}"));
            }
        }
    }
    broken.none();
}

#[test]
fn the_same_twice_and_secrets_leave_no_trace() {
    let examples = examples();
    let mut broken = Broken::default();
    for seed in 0..6_000_u64 {
        let mut random = Random::new(seed ^ 0xacc0);
        let text = line(&mut random, &examples);
        if judge(&text) != judge(&text) {
            broken.add("twice", format!("seed {seed}: {text:?}"));
        }
        // The digest of two lines that differ in a secret alone is the same: it is no oracle.
        let secret = |value: &str| format!("mysql -u root -p{value} -e 'select 1'; {text}");
        let (one, other) = (
            analyse(&secret("Hunter2Hunter2")),
            analyse(&secret("Zq81-xx-PqLm9")),
        );
        if one.digest != other.digest {
            broken.add("oracle", format!("seed {seed}: {text:?}"));
        }
    }
    broken.none();
}
