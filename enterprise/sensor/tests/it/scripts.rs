//! Real bash scripts below a running sensor: calm commands of one run are one event with their count.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use cmdai_hooks::Paths;
use cmdai_schema::{Event, EventType};
use cmdai_testkit::bash_module;

use crate::world::{World, eventually};

const POLICY: &str = r#"version: "1.0"
organization: acme-corp
rules:
  - id: test.noisy
    when: { program: noisy-tool }
    decision: warn
    reason: "Noisy"
  - id: test.forbidden
    when: { program: forbidden-tool }
    decision: deny
    reason: "Not here"
"#;

/// What a version manager's shim does before it starts the real program: functions, loops, conditions,
/// subshells and substitutions, and few lines of its own.
const SHIM: &str = r#"#!/usr/bin/env bash
set -e
trap 'echo "left with $?"' EXIT
versions="1.9 2.0 2.1 2.2 3.0 3.1 3.2 3.3"
resolve() {
  local wanted=$1 found=
  for version in $versions; do
    if [[ $version == "$wanted"* ]]; then found=$version; fi
    case $version in
      "$wanted") break ;;
      *) : ;;
    esac
  done
  printf '%s' "$found"
}
search() {
  local dir
  for dir in a b c d e f g h; do
    [ -d "$dir" ] || continue
    echo "$dir"
  done
}
for turn in 1 2 3 4 5 6; do
  chosen=$(resolve 2)
  (search; true) >/dev/null
done
chosen=$(resolve 3.3)
mkdir -p cache
echo "$chosen" > cache/version
if ! grep -q 3 cache/version; then exit 3; fi
echo "shim of $chosen"
"#;

struct Machine {
    world: World,
    home: PathBuf,
    /// Not below `/tmp`: a program that runs from there is asked about.
    _folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let mut world = World::new();
        world.publish(1, POLICY);
        world.start();
        world.until("the policy is installed", |status| {
            status.policy_version == "1"
        });
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let home = folder.path().join("home");
        std::fs::create_dir_all(home.join("bin")).unwrap();
        let paths = Paths {
            program: PathBuf::from("/does/not/exist/cmdai"),
            bash_module: Some(bash_module().unwrap()),
            ..Paths::default()
        };
        let script = cmdai_hooks::bash::env_script(&paths);
        std::fs::write(home.join("env.bash"), script).unwrap();
        // Counts by the shell's own DEBUG trap, forks included.
        let counter = "set -T\ntrap 'printf x >>\"$COUNTED\"' DEBUG\n";
        std::fs::write(home.join("count.bash"), counter).unwrap();
        let this = Self {
            world,
            home,
            _folder: folder,
        };
        for name in ["noisy-tool", "forbidden-tool"] {
            this.script(&format!("bin/{name}"), "#!/bin/sh\ntouch \"$0.ran\"\n");
        }
        this
    }

    fn script(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.home.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, line: &[&str], hooked: bool) -> Command {
        let mut command = Command::new(line[0]);
        let start = if hooked { "env.bash" } else { "count.bash" };
        command
            .args(&line[1..])
            .env_clear()
            .env("HOME", &self.home)
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", self.home.join("bin").display()),
            )
            .env("CMDAI_STATE_DIR", self.world.dir.path().join("machine"))
            .env("COUNTED", self.home.join("counted"))
            .env("BASH_ENV", self.home.join(start))
            .current_dir(&self.home)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, line: &[&str]) -> Output {
        self.command(line, true).output().unwrap()
    }

    /// How many simple commands the script has, by the shell itself.
    fn counted(&self, line: &[&str]) -> (u64, Output) {
        let output = self.command(line, false).output().unwrap();
        let file = self.home.join("counted");
        let count = std::fs::metadata(&file).unwrap().len();
        std::fs::remove_file(file).unwrap();
        (count, output)
    }

    fn spawn(&self, line: &[&str]) -> Child {
        self.command(line, true)
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Events of commands of one script.
    fn of(&self, script: &str, enough: impl Fn(&[Event]) -> bool) -> Vec<Event> {
        eventually(script, || {
            let found: Vec<Event> = self.world.known(|known| {
                let all = known.events.iter();
                all.filter(|event| detail(event, "script") == script)
                    .cloned()
                    .collect()
            });
            enough(&found).then_some(found)
        })
    }

    /// The server missed nothing, and no record was missing here.
    fn is_whole(&self) {
        self.world.drained();
        assert_eq!(self.world.count(EventType::Gap), 0);
        assert_eq!(self.world.count(EventType::Tamper), 0);
        assert!(self.world.known(|known| known.conflicts.is_empty()));
    }
}

fn detail<'a>(event: &'a Event, key: &str) -> &'a str {
    let detail = &event.payload.detail;
    detail.get(key).map_or("", String::as_str)
}

fn text(event: &Event) -> &str {
    &event.payload.command.as_ref().unwrap().text
}

fn commands(event: &Event) -> u64 {
    event.payload.command.as_ref().unwrap().times.unwrap_or(1)
}

/// Counters that events cover, one by one.
fn covered(events: &[Event]) -> Vec<u64> {
    let mut all = Vec::new();
    for event in events {
        let counters = detail(event, "counters");
        if counters.is_empty() {
            let first = event.payload.context.counter;
            let ended = event
                .payload
                .execution
                .as_ref()
                .unwrap()
                .exit_code
                .is_some();
            all.extend(first..=first + u64::from(ended));
        }
        for range in counters.split(',').filter(|range| !range.is_empty()) {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            all.extend(from.parse::<u64>().unwrap()..=to.parse::<u64>().unwrap());
        }
    }
    all.sort_unstable();
    all
}

#[test]
fn a_shim_is_one_line_with_its_count_and_runs_as_it_did() {
    let machine = Machine::new();
    machine.script("shim", SHIM);
    let (count, bare) = machine.counted(&["./shim"]);
    assert!(count > 300, "{count}");
    let hooked = machine.run(&["./shim"]);
    assert_eq!(
        (hooked.status.code(), &hooked.stdout, &hooked.stderr),
        (bare.status.code(), &bare.stdout, &bare.stderr)
    );
    assert!(String::from_utf8_lossy(&hooked.stdout).ends_with("left with 0\n"));
    let events = machine.of("./shim", |events| !events.is_empty());
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(commands(&events[0]), count);
    assert_eq!(detail(&events[0], "run"), "ended");
    assert!(text(&events[0]).contains("mkdir -p cache"));
    // Every record behind the session's beginning.
    let all = covered(&events);
    assert_eq!(all, (2..=*all.last().unwrap()).collect::<Vec<_>>());
    machine.is_whole();
}

#[test]
fn one_dangerous_line_in_the_middle_keeps_its_own_event() {
    let machine = Machine::new();
    machine.script(
        "mixed",
        "#!/bin/bash\nmkdir a\nmkdir b\nnoisy-tool\nmkdir c\nmkdir d\nforbidden-tool\nmkdir never\n",
    );
    let output = machine.run(&["./mixed"]);
    assert_eq!(output.status.code(), Some(126));
    assert!(machine.home.join("d").exists() && !machine.home.join("never").exists());
    assert!(!machine.home.join("bin/forbidden-tool.ran").exists());
    // What is blocked is also told by the governor's socket, which comes first.
    let blocked = machine.world.events("the block", |event| {
        event.envelope.event_type == EventType::CommandBlocked
    });
    assert_eq!(text(&blocked[0]), "forbidden-tool");
    let events = machine.of("./mixed", |events| events.len() >= 2);
    let mut told: Vec<_> = events
        .iter()
        .map(|event| (event.envelope.event_type, text(event), commands(event)))
        .collect();
    told.sort_by_key(|(_, _, commands)| *commands);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.iter().any(|(_, text, _)| *text == "noisy-tool"),
        "{told:?}"
    );
    assert_eq!(told[1].1, "mkdir a\nmkdir b\nmkdir c\nmkdir d");
    assert_eq!(told[1].2, 4);
    machine.is_whole();
}

#[test]
fn scripts_that_call_each_other_and_run_at_once_are_told_apart() {
    let machine = Machine::new();
    machine.script("outer", "#!/bin/bash\nmkdir o1\n./inner\nmkdir o2\n");
    machine.script("inner", "#!/bin/bash\nmkdir i1\nmkdir i2\nmkdir i3\n");
    // Each waits for the other, so that their records lie among one another.
    let turns = |own: &str, other: &str| {
        let step = |number: u32| {
            format!(
                "mkdir {own}{number}\nuntil [ -d {other}{number} ]; do read -rt 0.01 <> <(:) || true; done\n"
            )
        };
        format!("#!/bin/bash\n{}{}{}", step(1), step(2), step(3))
    };
    machine.script("left", &turns("l", "r"));
    machine.script("right", &turns("r", "l"));
    let output = machine.run(&["./outer"]);
    assert!(output.status.success(), "{output:?}");
    let mut beside = [machine.spawn(&["./left"]), machine.spawn(&["./right"])];
    for child in &mut beside {
        assert!(child.wait().unwrap().success());
    }
    for (script, first) in [
        ("./outer", "mkdir o1\n./inner\nmkdir o2"),
        ("./inner", "mkdir i1\nmkdir i2\nmkdir i3"),
    ] {
        let events = machine.of(script, |events| !events.is_empty());
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!((text(&events[0]), commands(&events[0])), (first, 3));
    }
    for (script, own) in [("./left", "mkdir l1"), ("./right", "mkdir r1")] {
        let events = machine.of(script, |events| !events.is_empty());
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(text(&events[0]).starts_with(own), "{events:?}");
    }
    machine.is_whole();
}

#[test]
fn a_killed_script_and_a_new_start_of_the_sensor_lose_nothing() {
    let mut machine = Machine::new();
    machine.script(
        "long",
        "#!/bin/bash\nmkdir k1\nmkdir k2\nnoisy-tool\nmkdir k3\nuntil [ -e go ]; do read -rt 0.02 <> <(:) || true; done\nmkdir k4\nmkdir k5\nuntil [ -e never ]; do read -rt 0.05 <> <(:) || true; done\n",
    );
    let mut child = machine.spawn(&["./long"]);
    // What a rule noticed is there while the script runs; with it the books of the rest are sealed.
    let early = machine.of("./long", |events| !events.is_empty());
    assert_eq!(text(&early[0]), "noisy-tool");
    machine.world.kill();
    std::fs::write(machine.home.join("go"), "").unwrap();
    eventually("the script goes on", || {
        machine.home.join("k5").exists().then_some(())
    });
    machine.world.start();
    machine.world.status();
    child.kill().unwrap();
    child.wait().unwrap();
    let events = machine.of("./long", |events| {
        events.iter().map(commands).sum::<u64>() >= 8
    });
    let calm: Vec<&str> = events
        .iter()
        .filter(|event| text(event) != "noisy-tool")
        .flat_map(|event| text(event).lines())
        .collect();
    for number in 1..=5 {
        let line = format!("mkdir k{number}");
        let times = calm.iter().filter(|text| **text == line).count();
        assert_eq!(times, 1, "{line}: {calm:?}");
    }
    let noisy = events.iter().filter(|event| text(event) == "noisy-tool");
    assert!(noisy.count() >= 1);
    // Every record that the killed script wrote is in an event, and in one only.
    let all = covered(&events);
    let mut once = all.clone();
    once.dedup();
    assert_eq!(once, all);
    assert_eq!(once, (2..=*once.last().unwrap()).collect::<Vec<_>>());
    machine.is_whole();
}
