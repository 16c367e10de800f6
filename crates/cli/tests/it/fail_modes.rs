//! What happens when something is broken, for each fault, each word about failing and each door, against
//! the table in `docs/fail-modes.md`. `CMDAI_WRITE_DOCS=1` writes the table from what is seen.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cmdai_policy::SnapshotMeta;
use cmdai_schema::paths::Places;
use cmdai_testkit::Pty;

use crate::world::{World, compile, compile_as};

/// What is tried, by name. Each leaves a file behind where it ran.
const HARMLESS: (&str, &str, &str) = ("harmless", "shovel", "shovel");
const WARNED: (&str, &str, &str) = ("warned", "shovel; sudo -n true", "shovel");
const DENIED: (&str, &str, &str) = ("denied", "frobnicate --all", "frobnicate");
const APPROVAL: (&str, &str, &str) = ("needs approval", "deploy --now", "deploy");
const CODE: (&str, &str, &str) = (
    "code",
    "python3 -c 'import subprocess as s; s.run([\"shovel\"])'",
    "shovel",
);
const TOOL: (&str, &str, &str) = ("tool of an unknown context", "tickle apply", "tickle");

type Probe = (&'static str, &'static str, &'static str);

struct Fault {
    name: &'static str,
    probes: [Probe; 3],
    /// Breaks it. The second is the policy's word about failing.
    set_up: fn(&mut World, &str),
    /// Nothing may run there for an AI agent.
    agent_waits: bool,
    /// A person's harmless command runs, whatever is broken.
    person_works: [bool; 2],
}

fn policy(mode: &str) -> String {
    format!(
        r#"version: "1.0"
organization: "acme"
fail_mode: {mode}
allowed_tools:
  - {{ name: tickle, approved_profiles: ["dev"] }}
rules:
  - {{ id: test.frobnicate, when: {{ program: frobnicate }}, decision: deny, reason: "Not here" }}
  - {{ id: test.deploy, when: {{ program: deploy }}, decision: require_approval, reason: "Two persons" }}
"#
    )
}

fn places(world: &World) -> Places {
    Places::below(world.home.state())
}

/// As the sensor publishes: snapshot, copy, word.
fn publish(world: &World, mode: &str) -> Vec<u8> {
    let bytes = compile(&policy(mode));
    let places = world.home.govern(&bytes).unwrap();
    std::fs::write(places.last_good(), &bytes).unwrap();
    std::fs::write(places.fail_mode(), mode).unwrap();
    bytes
}

fn replace(world: &World, bytes: &[u8]) {
    let places = places(world);
    let fresh = places.snapshot.with_extension("new");
    std::fs::write(&fresh, bytes).unwrap();
    std::fs::rename(&fresh, &places.snapshot).unwrap();
}

/// The same bytes with another header and a checksum that fits.
fn with_header(bytes: &[u8], at: usize, value: u16) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out[at..at + 2].copy_from_slice(&value.to_le_bytes());
    let mut sum = crc32fast::Hasher::new();
    sum.update(&out[..48]);
    sum.update(&out[52..]);
    let sum = sum.finalize().to_le_bytes();
    out[48..52].copy_from_slice(&sum);
    out
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "nothing",
        probes: [HARMLESS, WARNED, DENIED],
        set_up: |world, mode| {
            publish(world, mode);
        },
        agent_waits: false,
        person_works: [true, true],
    },
    Fault {
        name: "snapshot cannot be read",
        probes: [HARMLESS, WARNED, DENIED],
        set_up: |world, mode| {
            publish(world, mode);
            std::fs::remove_file(places(world).snapshot).unwrap();
            std::fs::create_dir(places(world).snapshot).unwrap();
        },
        agent_waits: false,
        person_works: [true, true],
    },
    Fault {
        name: "snapshot cut off",
        probes: [HARMLESS, WARNED, DENIED],
        set_up: |world, mode| {
            let bytes = publish(world, mode);
            replace(world, &bytes[..bytes.len() / 2]);
        },
        agent_waits: false,
        person_works: [true, true],
    },
    Fault {
        name: "snapshot empty",
        probes: [HARMLESS, WARNED, DENIED],
        set_up: |world, mode| {
            publish(world, mode);
            replace(world, b"");
        },
        agent_waits: false,
        person_works: [true, true],
    },
    Fault {
        name: "snapshot missing",
        probes: [HARMLESS, WARNED, DENIED],
        set_up: |world, mode| {
            publish(world, mode);
            std::fs::remove_file(places(world).snapshot).unwrap();
        },
        agent_waits: false,
        person_works: [true, true],
    },
    Fault {
        name: "snapshot of a newer format",
        probes: [HARMLESS, WARNED, DENIED],
        set_up: |world, mode| {
            let bytes = publish(world, mode);
            replace(world, &with_header(&bytes, 8, 99));
        },
        agent_waits: false,
        person_works: [true, true],
    },
    Fault {
        name: "snapshot for a newer engine",
        probes: [HARMLESS, WARNED, DENIED],
        set_up: |world, mode| {
            let bytes = publish(world, mode);
            replace(world, &with_header(&bytes, 10, 99));
        },
        agent_waits: false,
        person_works: [true, true],
    },
    Fault {
        name: "snapshot and its copy damaged",
        probes: [HARMLESS, WARNED, DENIED],
        set_up: |world, mode| {
            publish(world, mode);
            replace(world, b"damaged");
            std::fs::write(places(world).last_good(), b"damaged").unwrap();
        },
        agent_waits: true,
        person_works: [true, true],
    },
    Fault {
        name: "evaluator crashes",
        probes: [HARMLESS, WARNED, DENIED],
        set_up: |world, mode| {
            publish(world, mode);
            fault(world, "evaluator");
        },
        agent_waits: true,
        person_works: [true, false],
    },
    Fault {
        name: "facts over budget",
        probes: [HARMLESS, WARNED, TOOL],
        set_up: |world, mode| {
            publish(world, mode);
            // A pipe that nobody writes to, where files are looked for.
            let pipe = world.home.path().join("pipe");
            rustix::fs::mknodat(
                rustix::fs::CWD,
                &pipe,
                rustix::fs::FileType::Fifo,
                rustix::fs::Mode::from_raw_mode(0o600),
                0,
            )
            .unwrap();
            for name in [
                "KUBECONFIG",
                "AWS_CONFIG_FILE",
                "AWS_SHARED_CREDENTIALS_FILE",
            ] {
                world
                    .more
                    .push((name.to_owned(), pipe.display().to_string()));
            }
        },
        agent_waits: false,
        person_works: [true, true],
    },
    Fault {
        name: "sensor dead",
        probes: [HARMLESS, DENIED, APPROVAL],
        set_up: |world, mode| {
            publish(world, mode);
        },
        agent_waits: false,
        person_works: [true, true],
    },
    Fault {
        name: "sensor hangs",
        probes: [HARMLESS, DENIED, APPROVAL],
        set_up: |world, mode| {
            publish(world, mode);
            // It listens and never answers.
            let listener = std::os::unix::net::UnixListener::bind(places(world).socket).unwrap();
            std::mem::forget(listener);
        },
        agent_waits: false,
        person_works: [true, true],
    },
    Fault {
        name: "reader of other languages missing",
        probes: [HARMLESS, DENIED, CODE],
        set_up: |world, mode| {
            publish(world, mode);
            let alone = world.home.path().join("alone/libcmdai_bash.so");
            std::fs::create_dir_all(alone.parent().unwrap()).unwrap();
            std::fs::copy(cmdai_testkit::bash_module().unwrap(), &alone).unwrap();
            world.module = Some(alone);
        },
        agent_waits: false,
        person_works: [true, true],
    },
    Fault {
        name: "no room for the record",
        probes: [HARMLESS, WARNED, DENIED],
        set_up: |world, mode| {
            publish(world, mode);
            world.first = "trap '' XFSZ; ulimit -f 0".to_owned();
        },
        agent_waits: true,
        person_works: [true, true],
    },
    Fault {
        name: "clock years behind the policy",
        probes: [HARMLESS, WARNED, DENIED],
        set_up: |world, mode| clock(world, mode, "2199-01-01T00:00:00Z", "2150-01-01"),
        agent_waits: false,
        person_works: [true, true],
    },
    Fault {
        name: "clock years ahead",
        probes: [HARMLESS, WARNED, DENIED],
        set_up: |world, mode| clock(world, mode, "2001-01-01T00:00:00Z", "2001-02-01"),
        agent_waits: false,
        person_works: [true, true],
    },
];

fn fault(world: &mut World, name: &str) {
    world
        .more
        .push(("CMDAI_TEST_FAULT".to_owned(), name.to_owned()));
}

/// An exception for what is denied, with an end that has to have passed.
fn clock(world: &mut World, mode: &str, released: &str, until: &str) {
    let document = format!(
        "{}exceptions:\n  - {{ rule: [test.frobnicate], until: \"{until}\", reason: \"once\" }}\n",
        policy(mode)
    );
    let meta = SnapshotMeta {
        released: Some(released.to_owned()),
        ..SnapshotMeta::default()
    };
    let bytes = compile_as(&document, meta);
    world.home.govern(&bytes).unwrap();
}

const DOORS: [&str; 3] = ["cmdai run", "bash", "agent's hook"];

/// Which of the probes run, by door.
fn observe(fault: &Fault, mode: &str) -> [Vec<&'static str>; 3] {
    let mut world = World::new();
    (fault.set_up)(&mut world, mode);
    let program = fault
        .probes
        .iter()
        .filter(|(_, line, leaves)| {
            let said = world.cmdai(&["run", "-c", line]);
            let ran = world.ran(leaves);
            // A crash is never silent, and a status is never of its own making.
            assert!(
                ran || matches!(said.code, 75 | 126),
                "{}: {} {}",
                fault.name,
                said.code,
                said.stderr
            );
            ran
        })
        .map(|(name, ..)| *name)
        .collect();
    let hook = fault
        .probes
        .iter()
        .filter(|(_, line, _)| world.hook(line).0)
        .map(|(name, ..)| *name)
        .collect();
    let mut shell = world.bash();
    let bash = fault
        .probes
        .iter()
        .filter(|(_, line, leaves)| {
            type_line(&mut shell, line);
            world.ran(leaves)
        })
        .map(|(name, ..)| *name)
        .collect();
    // Whatever happened, the shell lives and can be left.
    shell.send_line("exit").unwrap();
    shell.wait().unwrap();
    [program, bash, hook]
}

fn type_line(shell: &mut Pty, line: &str) {
    shell.send_line(line).unwrap();
    let patience = Duration::from_secs(30);
    let shown = shell
        .wait_for_any(&["PROMPT> ", "run it? [y/N]"], patience)
        .unwrap();
    if shown.ends_with("[y/N]") {
        shell.type_text("n").unwrap();
        shell.wait_for("PROMPT> ").unwrap();
    }
}

fn cell(runs: &[&str], probes: &[Probe; 3]) -> String {
    let stops: Vec<&str> = probes
        .iter()
        .map(|(name, ..)| *name)
        .filter(|name| !runs.contains(name))
        .collect();
    match (runs.is_empty(), stops.is_empty()) {
        (_, true) => "all of them run".to_owned(),
        (true, _) => "nothing runs".to_owned(),
        _ => format!("{} run; {} stopped", runs.join(", "), stops.join(", ")),
    }
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/fail-modes.md")
}

#[test]
fn each_fault_does_what_the_table_says() {
    let mut table = String::from(
        "| what is broken | policy says | `cmdai run` | bash | agent's hook |\n|---|---|---|---|---|\n",
    );
    // Two at a time: most of the time is waiting for shells.
    let rows: Vec<(&Fault, usize, &str)> = FAULTS
        .iter()
        .flat_map(|fault| [(fault, 0, "open"), (fault, 1, "closed")])
        .collect();
    let seen: Vec<[Vec<&str>; 3]> = rows
        .chunks(2)
        .flat_map(|pair| {
            std::thread::scope(|scope| {
                let running: Vec<_> = pair
                    .iter()
                    .map(|(fault, _, mode)| scope.spawn(|| observe(fault, mode)))
                    .collect();
                running
                    .into_iter()
                    .map(|one| one.join().unwrap())
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    for ((fault, at, mode), doors) in rows.iter().zip(&seen) {
        let cells: Vec<String> = doors.iter().map(|runs| cell(runs, &fault.probes)).collect();
        let _ = writeln!(table, "| {} | {mode} | {} |", fault.name, cells.join(" | "));
        let [program, bash, hook] = doors;
        // What must hold whatever the table says.
        if fault.agent_waits {
            assert!(
                hook.is_empty(),
                "{}: an agent went on: {hook:?}",
                fault.name
            );
        }
        for (door, runs) in DOORS.iter().zip([program, bash]) {
            assert_eq!(
                runs.contains(&"harmless"),
                fault.person_works[*at],
                "{} {mode} {door}: {runs:?}",
                fault.name
            );
        }
    }
    let path = page();
    let document = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = document.split_once("<!-- table -->\n").unwrap();
    let (_, tail) = rest.split_once("<!-- end -->\n").unwrap();
    let fresh = format!("{head}<!-- table -->\n{table}<!-- end -->\n{tail}");
    if std::env::var_os("CMDAI_WRITE_DOCS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        fresh,
        "docs/fail-modes.md says something else; CMDAI_WRITE_DOCS=1 writes it anew"
    );
}

/// Two crashes of the hook around the evaluator: that shell only records, with an alert, unless policy
/// says fail closed.
#[test]
fn two_crashes_of_a_hook_leave_a_shell_that_records_and_an_alert() {
    for (mode, goes_on) in [("open", true), ("closed", false)] {
        let mut world = World::new();
        publish(&world, mode);
        fault(&mut world, "hook");
        let mut shell = world.bash();
        type_line(&mut shell, "shovel");
        assert!(
            !world.ran("shovel"),
            "{mode}: the first crash stops its line"
        );
        let shown = shell.run("shovel").unwrap();
        assert!(
            shown.contains("failed twice in this shell"),
            "{mode}: {shown}"
        );
        type_line(&mut shell, "shovel");
        assert_eq!(world.ran("shovel"), goes_on, "{mode}: {}", shell.screen());
        let alerts = world
            .home
            .spooled()
            .unwrap()
            .into_iter()
            .filter(|record| {
                matches!(&record.half, cmdai_schema::record::Half::Start(start) if start.policy.violated_rules == ["gate.hook-crashed"])
            })
            .count();
        assert_eq!(alerts, 1, "{mode}");
        // An agent's hook never goes on.
        let (passes, words) = world.hook("shovel");
        assert!(!passes && words.contains("the check failed"), "{words}");
    }
}
