use cmdai_schema::record::{Half, Record, ScriptRun, Start};

use super::super::processes::Shell;
use super::*;

const S: u64 = 1_000_000_000;

fn record(script: bool) -> Sighting {
    let start = Start {
        command_id: "c".into(),
        parents: vec![cmdai_schema::ProcessInfo {
            pid: 50,
            ..Default::default()
        }],
        ..Start::default()
    };
    let record = Record {
        session_id: "s".into(),
        counter: 1,
        time_ms: 0,
        mono_ns: crate::clock::monotonic_ns(),
        pid: 70,
        user: "ann".into(),
        script: script.then(ScriptRun::default),
        half: Half::Start(Box::new(start)),
    };
    let mut sighting = Sighting::of(&record, 1000).unwrap();
    (sighting.at_ns, sighting.read_ns) = (100 * S, 101 * S);
    sighting
}

fn process(path: &str) -> Process {
    Process {
        pid: 70,
        start_ns: 10 * S,
        uid: 1000,
        executable: path.into(),
        inode: None,
        tty: None,
        shell: path.ends_with("bash").then_some(Shell::Interactive),
        agent: None,
        script: None,
        before: false,
        exec_ns: 10 * S,
    }
}

fn authors() -> Authors {
    Authors {
        before: Some(HashSet::from([1])),
        ..Authors::default()
    }
}

fn written(authors: &mut Authors, sighting: &Sighting) -> Written {
    assert!(authors.take(sighting));
    assert_eq!(authors.due(102 * S, 102 * S), None, "too early");
    assert_eq!(
        authors.due(200 * S, 100 * S),
        None,
        "not everything is told"
    );
    authors.due(200 * S, 102 * S).unwrap()
}

#[test]
fn who_cannot_have_written_it_is_found() {
    let mut authors = authors();
    let it = written(&mut authors, &record(false));
    assert!(!authors.take(&record(false)), "looked at already");
    let doubt = |writer: Option<&Process>| authors.doubt(&it, writer, false, 0);
    assert_eq!(doubt(Some(&process("/bin/bash"))), None);
    let root = Process {
        uid: 0,
        ..process("/bin/bash")
    };
    assert_eq!(doubt(Some(&root)), Some(Doubt::Another));
    assert_eq!(
        doubt(Some(&process("/usr/bin/python3.13"))),
        Some(Doubt::NoShell)
    );
    assert_eq!(doubt(None), Some(Doubt::Nobody));
}

#[test]
fn whatever_may_be_harmless_is_not() {
    let mut books = authors();
    let it = written(&mut books, &record(false));
    let python = process("/usr/bin/python3.13");
    let none = |books: &Authors, it: &Written, writer: Option<&Process>, kin, whole| {
        assert_eq!(
            books.doubt(it, writer, kin, whole),
            None,
            "{it:?} {writer:?}"
        );
    };
    for path in ["/usr/bin/cmdai", "/opt/bin/bash5", "/usr/bin/zsh-static"] {
        none(&books, &it, Some(&process(path)), false, 0);
    }
    // `exec python3`: it was a shell when it wrote.
    let replaced = Process {
        exec_ns: 100 * S + 1,
        ..python.clone()
    };
    none(&books, &it, Some(&replaced), false, 0);
    // The number was used again.
    let later = Process {
        start_ns: 100 * S + 1,
        uid: 0,
        ..python.clone()
    };
    none(&books, &it, Some(&later), false, 0);
    let unknown = Process {
        uid: u32::MAX,
        ..python.clone()
    };
    none(&books, &it, Some(&unknown), false, 0);
    // Not everything was seen.
    none(&books, &it, Some(&python), false, 100 * S);
    none(&books, &it, None, false, 100 * S);
    // A subshell that is gone, below a shell that is known.
    none(&books, &it, None, true, 0);
    // Whoever was there before the sensor and is gone.
    let mut older = authors();
    older.before = Some(HashSet::from([50]));
    none(&older, &it, None, false, 0);
    none(&Authors::default(), &it, None, false, 0);
    // Numbers of another namespace.
    let mut inside = authors();
    inside.lives(1000, 7, 6);
    none(&inside, &it, None, false, 0);
    none(&inside, &it, Some(&python), false, 0);
    let mut here = authors();
    here.lives(1000, 6, 6);
    assert_eq!(here.doubt(&it, None, false, 0), Some(Doubt::Nobody));
    // A script's shell that was gone before it was looked at; private mode names nobody above.
    let mut scripts = authors();
    let script = written(&mut scripts, &record(true));
    none(&scripts, &script, None, false, 0);
    let alone = Written {
        parents: Vec::new(),
        ..it.clone()
    };
    none(&books, &alone, None, false, 0);
    // Read long after it was written.
    let late = Written {
        read_ns: 131 * S,
        ..it
    };
    none(&books, &late, None, false, 0);
}

#[test]
fn what_does_not_speak_of_a_shell_is_not_looked_at() {
    let mut authors = authors();
    let mut hook = record(false);
    if let What::Start { shell, .. } = &mut hook.what {
        *shell = false;
    }
    assert!(!authors.take(&hook));
    hook.what = What::Session;
    assert!(!authors.take(&hook));
    assert_eq!(authors.due(u64::MAX, u64::MAX), None);
}
