use cmdai_schema::Layer;
use cmdai_schema::record::{Half, Record, Start};
use proptest::prelude::*;

use super::*;

const S: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;
const SHELL: (u32, u64) = (70, S);

fn line(text: &str, programs: &[&str]) -> Start {
    Start {
        text: text.into(),
        shell: "bash".into(),
        allowed: true,
        programs: programs.iter().map(|name| (*name).to_owned()).collect(),
        ..Start::default()
    }
}

#[test]
fn only_what_is_certain_to_start_a_program() {
    let certain = |text, programs: &[&str]| needed(&line(text, programs));
    for (text, program) in [
        ("git status", "git"),
        (" git  commit -m 'one two'", "git"),
        ("/usr/bin/git push", "/usr/bin/git"),
        ("/bin/true", "/bin/true"),
        ("kubectl delete pod web-1 -n prod", "kubectl"),
        ("g++ -o x x.cc", "g++"),
    ] {
        assert_eq!(
            certain(text, &[base(program)]).as_deref(),
            Some(program),
            "{text}"
        );
    }
    for (text, programs) in [
        ("", &[][..]),
        ("cd /tmp", &["cd"]),
        ("true", &["true"]),
        ("rm x", &["rm"]), // zsh/files
        ("git status; ls", &["git", "ls"]),
        ("[[ -f x ]] && git status", &["git"]),
        ("[[ -f x ]] || git status", &["git"]),
        ("git status > /dev/null", &["git"]),
        ("git status &", &["git"]),
        ("git add *.rs", &["git"]),
        ("git add $FILES", &["git"]),
        ("X=1 git status", &["git"]),
        ("git\nls", &["git", "ls"]),
        ("git", &["git", "return"]),     // a function
        ("g status", &["git"]),          // an alias
        ("ls", &["lsd"]),                // another
        ("noglob git status", &["git"]), // in front of it
        ("! git diff", &["git"]),
        ("sudo ls", &["sudo", "ls"]),
        ("./git status", &["git"]),
        ("/home/ann/bin/git status", &["git"]),
        ("/usr/bin/../../tmp/git", &["git"]),
        ("'git' status", &["git"]),
    ] {
        assert_eq!(certain(text, programs), None, "{text}");
    }
    let of = |change: &dyn Fn(&mut Start)| {
        let mut start = line("git status", &["git"]);
        change(&mut start);
        needed(&start)
    };
    assert!(of(&|_| {}).is_some());
    assert_eq!(of(&|start| start.allowed = false), None);
    assert_eq!(of(&|start| start.private = true), None);
    assert_eq!(of(&|start| start.times = Some(2)), None);
    assert_eq!(of(&|start| start.function = true), None);
    assert_eq!(of(&|start| start.shell = "fish".into()), None);
    assert_eq!(of(&|start| start.layer = Layer::Supervised), None);
    assert_eq!(of(&|start| start.layer = Layer::AgentHook), None);
    assert_eq!(of(&|start| start.shell = "powershell".into()), None);
    assert_eq!(of(&|start| start.text.clear()), None);
    assert!(BY_SHELL.is_sorted());
}

/// A record as it is read at a moment, on the clock of the test.
fn read(counter: u64, at_ns: u64, read_ns: u64, half: Half) -> Sighting {
    let record = Record {
        session_id: "s".into(),
        counter,
        time_ms: 0,
        mono_ns: crate::clock::monotonic_ns(),
        pid: SHELL.0,
        user: "ann".into(),
        script: None,
        half,
    };
    let mut sighting = Sighting::of(&record, 1000).unwrap();
    (sighting.at_ns, sighting.read_ns) = (at_ns, read_ns);
    sighting
}

fn begins(counter: u64, at_ns: u64, start: Start) -> Sighting {
    let start = Start {
        command_id: format!("c{counter}"),
        ..start
    };
    read(
        counter,
        at_ns,
        at_ns + 100 * MS,
        Half::Start(Box::new(start)),
    )
}

fn ends(counter: u64, of: u64, at_ns: u64, exit_code: i32) -> Sighting {
    let half = Half::End {
        command_id: format!("c{of}"),
        exit_code,
        duration_us: 1,
    };
    read(counter, at_ns, at_ns + 100 * MS, half)
}

fn git() -> Start {
    line("git status", &["git"])
}

/// Records that are read, after these programs started.
type Step<'a> = (&'a [Sighting], &'a [(u64, &'a str)]);

/// What is unfounded in the end, with what started instead.
fn found(steps: &[Step<'_>], change: &dyn Fn(&mut Claims)) -> Vec<(String, String)> {
    let mut claims = Claims::default();
    claims.blind(S);
    for (sightings, starts) in steps {
        for (at, name) in *starts {
            claims.started(SHELL, *at, &[name]);
        }
        for sighting in *sightings {
            claims.take(sighting, || Some(SHELL));
        }
    }
    change(&mut claims);
    let unfounded = claims.due(1_000 * S, 1_000 * S).into_iter();
    unfounded
        .map(|(claim, instead)| (claim.program, instead.join(" ")))
        .collect()
}

#[test]
fn a_program_that_never_started_is_found() {
    let nothing = |_: &mut Claims| {};
    let at = 10 * S;
    let whole = [begins(1, at, git()), ends(2, 1, at + S, 0)];
    let forged = vec![("git".to_owned(), String::new())];
    assert_eq!(found(&[(&whole, &[])], &nothing), forged);
    // Something else ran meanwhile.
    let other = vec![("git".to_owned(), "rm".to_owned())];
    assert_eq!(found(&[(&whole, &[(at + MS, "rm")])], &nothing), other);
    // It ran, but at another time.
    assert_eq!(found(&[(&whole, &[(at - 3 * S, "git")])], &nothing), forged);
    // No end, and the shell went on.
    let unended = [begins(1, at, git()), begins(2, at + S, line("cd", &["cd"]))];
    assert_eq!(found(&[(&unended, &[])], &nothing), forged);
    // A record more between two of the shell's own, whose numbers it takes.
    let twice = [begins(5, at, git()), begins(5, at + S, line("cd", &["cd"]))];
    assert_eq!(found(&[(&twice, &[])], &nothing), forged);
}

#[test]
fn whatever_may_be_harmless_is_not() {
    let at = 10 * S;
    let nothing = |_: &mut Claims| {};
    let whole = || [begins(1, at, git()), ends(2, 1, at + S, 0)];
    let none: Vec<(String, String)> = Vec::new();
    assert_eq!(
        found(&[(&whole(), &[(at + 5 * MS, "git")])], &nothing),
        none
    );
    // Told before its record was read, and after.
    assert_eq!(
        found(&[(&[], &[(at + 5 * MS, "git")]), (&whole(), &[])], &nothing),
        none
    );
    assert_eq!(
        found(&[(&whole(), &[]), (&[], &[(at + 5 * MS, "git")])], &nothing),
        none
    );
    for status in [1, 126, 127, 130, 148] {
        let failed = [begins(1, at, git()), ends(2, 1, at + S, status)];
        assert_eq!(found(&[(&failed, &[])], &nothing), none, "{status}");
    }
    // It still runs; its end may be missing; another process of the session wrote the next one.
    assert_eq!(found(&[(&[begins(1, at, git())], &[])], &nothing), none);
    let gap = [
        begins(1, at, git()),
        begins(3, at + S, git()),
        ends(4, 3, at + 2 * S, 127),
    ];
    assert_eq!(found(&[(&gap, &[])], &nothing), none);
    let mut beside = begins(2, at + S, line("cd", &["cd"]));
    beside.pid = 71;
    assert_eq!(
        found(&[(&[begins(1, at, git()), beside], &[])], &nothing),
        none
    );
    // Something was lost, or the machine slept, while it ran or since.
    assert_eq!(
        found(&[(&whole(), &[])], &|claims| claims.blind(at + 2 * S)),
        none
    );
    assert_eq!(found(&[(&whole(), &[])], &|claims| claims.blind(at)), none);
    // The capture began with it.
    assert_eq!(
        found(&[(&whole(), &[])], &|claims| claims.blind(at - S / 2)),
        none
    );
    // More started than is remembered.
    let many = |claims: &mut Claims| {
        for number in 0..2 * MAX_STARTS as u64 {
            claims.started(SHELL, at + number, &["cc"]);
        }
    };
    assert_eq!(found(&[(&whole(), &[])], &many), none);
    // Its number belongs to another process by now.
    let again = |claims: &mut Claims| claims.started((SHELL.0, 500 * S), 501 * S, &["ls"]);
    assert_eq!(found(&[(&whole(), &[])], &again), none);
    // More shells than are remembered.
    let shells = |claims: &mut Claims| {
        claims.started(SHELL, at + 5 * MS, &["git"]);
        for number in 0..MAX_SHELLS as u32 {
            claims.started((1_000 + number, S), at + S, &["ls"]);
        }
    };
    assert_eq!(found(&[(&whole(), &[])], &shells), none);
    // The kernel's word of that time has not been read yet.
    let mut claims = Claims::default();
    for sighting in whole() {
        claims.take(&sighting, || Some(SHELL));
    }
    assert!(claims.due(100 * S, at + S).is_empty());
    assert_eq!(claims.borne_out, 0);
    // A shell of which the kernel knows nothing.
    let mut claims = Claims::default();
    for sighting in whole() {
        claims.take(&sighting, || None);
    }
    assert!(claims.due(1_000 * S, 1_000 * S).is_empty());
}

#[test]
fn books_stay_small() {
    let mut claims = Claims::default();
    for number in 0..20_000u64 {
        claims.started((number as u32, S), number, &["a", "b"]);
        claims.started(SHELL, number, &["a", "b"]);
        let mut start = begins(number, number, git());
        start.session = number.to_string();
        claims.take(&start, || Some(SHELL));
    }
    assert!(claims.shells.len() <= MAX_SHELLS);
    assert!(claims.shells[&SHELL.0].known.len() <= MAX_STARTS);
    assert!(claims.begun.len() <= MAX_CLAIMS);
    for number in 0..20_000u64 {
        let mut start = begins(number, number, git());
        start.session = "one".to_owned();
        claims.take(&start, || Some(SHELL));
    }
    assert!(claims.ended.len() <= MAX_CLAIMS);
}

/// What a person does, as it really happens.
#[derive(Debug, Clone)]
enum Deed {
    /// A program that runs and ends with this status.
    Runs { program: &'static str, status: i32 },
    /// It is not found, or its words cannot be made: nothing starts.
    Fails { status: i32 },
    /// A shell's own doing, or a function of a program's name.
    Inside,
    /// Denied: nothing starts.
    Denied,
    /// A line of several, of which some run.
    Compound { runs: bool },
    /// Starts very many programs.
    Build,
    /// Something was lost; the machine slept.
    Lost,
    /// Killed with its record's end.
    Cut,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (prop_oneof![Just("git"), Just("make"), Just("/usr/bin/ssh")], prop_oneof![4 => Just(0), 1 => 1..255])
            .prop_map(|(program, status)| Deed::Runs { program, status }),
        1 => prop_oneof![Just(127), Just(126), Just(1)].prop_map(|status| Deed::Fails { status }),
        1 => Just(Deed::Inside),
        1 => Just(Deed::Denied),
        1 => any::<bool>().prop_map(|runs| Deed::Compound { runs }),
        1 => Just(Deed::Build),
        1 => Just(Deed::Lost),
        1 => Just(Deed::Cut),
    ]
}

/// What reaches the books, and when.
enum Arrival {
    Record(Sighting),
    Start(u64, Vec<&'static str>),
    Blind,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_really_happens_is_never_a_finding(
        deeds in prop::collection::vec((deed(), 0..3_000u64, 0..8_000u64, 0..3_000u64), 1..60),
    ) {
        let mut now = 20 * S;
        let mut counter = 0;
        let mut arrivals: Vec<(u64, Arrival)> = Vec::new();
        // Records come in their order, and so do programs; each later than it happened.
        let (mut last_record, mut last_start) = (0, 0);
        for (deed, pause, late, late_start) in deeds {
            now += pause * MS + MS;
            let (start, end) = match &deed {
                Deed::Runs { program, status } => (line(program, &[base(program)]), Some(*status)),
                Deed::Fails { status } => (git(), Some(*status)),
                Deed::Inside => (line("git status", &["git", "return"]), Some(0)),
                Deed::Denied => (Start { allowed: false, ..git() }, None),
                Deed::Compound { .. } => (line("true && git status", &["true", "git"]), Some(0)),
                Deed::Build => (line("make all", &["make"]), Some(0)),
                Deed::Lost => (git(), Some(0)),
                Deed::Cut => (git(), None),
            };
            let starts: Vec<(u64, Vec<&'static str>)> = match &deed {
                Deed::Runs { program, .. } => vec![(now + MS, vec![base(program)])],
                Deed::Compound { runs: true } => vec![(now + MS, vec!["true"]), (now + 2 * MS, vec!["git"])],
                Deed::Compound { runs: false } => vec![(now + MS, vec!["true"])],
                Deed::Build => (0..1_500).map(|n| (now + n * MS, vec![if n == 0 { "make" } else { "cc" }])).collect(),
                Deed::Cut => vec![(now + MS, vec!["git", "git.real"])],
                _ => Vec::new(),
            };
            let length = starts.len() as u64 * MS + 2 * MS;
            counter += 1;
            let begun = counter;
            let mut sightings = vec![begins(counter, now, start)];
            if let Some(status) = end {
                counter += 1;
                sightings.push(ends(counter, begun, now + length, status));
            }
            if matches!(deed, Deed::Cut) {
                counter += 1;
            }
            for mut sighting in sightings {
                last_record = last_record.max(sighting.at_ns + late * MS);
                sighting.read_ns = last_record;
                arrivals.push((last_record, Arrival::Record(sighting)));
            }
            for (at, names) in starts {
                last_start = last_start.max(at + late_start * MS);
                arrivals.push((last_start, Arrival::Start(at, names)));
            }
            if matches!(deed, Deed::Lost) {
                arrivals.push((now + length, Arrival::Blind));
            }
            now += length;
        }
        arrivals.sort_by_key(|(at, _)| *at);
        let mut claims = Claims::default();
        let mut worst = Vec::new();
        for (at, arrival) in arrivals {
            // Programs are told of at most three seconds late.
            worst.extend(claims.due(at, at.saturating_sub(3 * S)));
            match arrival {
                Arrival::Record(sighting) => claims.take(&sighting, || Some(SHELL)),
                Arrival::Start(at, names) => claims.started(SHELL, at, &names),
                Arrival::Blind => claims.blind(at),
            }
        }
        worst.extend(claims.due(u64::MAX, u64::MAX));
        prop_assert!(worst.is_empty(), "{worst:?}");
    }
}
