//! `cargo xtask bench capture`: a scripted session of many commands through every layer, and how many of
//! them are on the server, beside the kernel's own count of the programs that started.
//!
//! Arguments: the number of commands, the number of lines typed into a shell without hooks (they have to be
//! missed: the check of the check), `json` or `table`.

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use cmdai_e2e::{Machine, Run, Server, eventually};
use cmdai_exec_capture::{Choice, Exec};
use cmdai_testkit::Pty;
use serde_json::{Value, json};

const POLICY: &str = "version: \"1.0\"\norganization: measured\ncapture: {exec: record}\n";
/// Begins the argument by which a command is found again.
const MARK: &str = "capturemark";
/// Commands of one script and of one supervised tree.
const BLOCK: usize = 50;
/// How long the server may take for what the sensor has.
const PATIENCE: Duration = Duration::from_secs(180);

/// One way that commands take: its share of a hundred commands.
struct Way {
    key: &'static str,
    name: &'static str,
    share: usize,
}

const WAYS: &[Way] = &[
    Way {
        key: "bash",
        name: "interactive bash",
        share: 20,
    },
    Way {
        key: "zsh",
        name: "interactive zsh",
        share: 15,
    },
    Way {
        key: "bash-script",
        name: "bash scripts",
        share: 30,
    },
    Way {
        key: "zsh-script",
        name: "zsh scripts",
        share: 20,
    },
    Way {
        key: "tree",
        name: "cmdai run",
        share: 10,
    },
    Way {
        key: "agent",
        name: "an agent's hook",
        share: 5,
    },
];

/// What a way did, and what came of it.
#[derive(Default)]
struct Row {
    key: &'static str,
    name: &'static str,
    commands: usize,
    builtins: usize,
    programs: usize,
    captured: usize,
    /// Programs that the kernel says started; nothing where it does not tell.
    kernel: Option<usize>,
    missing: Vec<String>,
}

/// The command with this number: a builtin or a program, in turn.
fn command(key: &str, number: usize) -> String {
    let program = if number.is_multiple_of(2) {
        "/bin/true"
    } else {
        ":"
    };
    format!("{program} {}", mark(key, number))
}

fn mark(key: &str, number: usize) -> String {
    format!("{MARK}-{key}-{number:05}-")
}

/// The kernel's own word: marks of programs that started.
struct Kernel {
    stop: Arc<AtomicBool>,
    reader: JoinHandle<Result<(HashSet<String>, u64)>>,
    name: &'static str,
}

impl Kernel {
    fn listen() -> Result<Self> {
        let mut source = cmdai_exec_capture::open(Choice::Best)?;
        let name = source.name();
        let stop = Arc::new(AtomicBool::new(false));
        let ends = stop.clone();
        let reader = std::thread::spawn(move || {
            let mut seen = HashSet::new();
            let mut take = |exec: Exec| seen.extend(mark_of(&exec));
            while !ends.load(Ordering::Relaxed) {
                source.read(Duration::from_millis(100), 10_000, &mut take)?;
            }
            // What came before the end was asked for.
            source.read(Duration::from_millis(500), 100_000, &mut take)?;
            let lost = source.counters()?.lost;
            Ok((seen, lost))
        });
        Ok(Self { stop, reader, name })
    }

    fn end(self) -> Result<(HashSet<String>, u64)> {
        self.stop.store(true, Ordering::Relaxed);
        self.reader
            .join()
            .map_err(|_| anyhow::anyhow!("the reader of the kernel's word failed"))?
    }
}

/// The mark of `/bin/true MARK`; a shell that is called with the line is none.
fn mark_of(exec: &Exec) -> Option<String> {
    let [program, mark] = exec.argv.as_slice() else {
        return None;
    };
    let mark = String::from_utf8_lossy(mark);
    (program.ends_with(b"true") && mark.starts_with(MARK)).then(|| mark.into_owned())
}

struct Stage {
    server: Server,
    machine: Machine,
}

impl Stage {
    fn open() -> Result<Self> {
        let server = Server::start()?;
        server.publish(POLICY)?;
        let machine = Machine::join(&server)?;
        let this = Self { server, machine };
        for (file, shell, scripts) in [
            ("env.bash", "bash", true),
            ("env.zsh", "zsh", true),
            ("init.bash", "bash", false),
            ("init.zsh", "zsh", false),
        ] {
            let mut command = this.machine.cmdai();
            command.args(["init", shell]);
            if scripts {
                command.arg("--scripts");
            }
            std::fs::write(this.home().join(file), Run::of(&mut command)?.good()?)?;
        }
        let prompt = |shell: &str| format!("PS1='PROMPT> '\nsource ~/init.{shell}\n");
        std::fs::write(
            this.home().join(".bashrc"),
            prompt("bash").replace("source ~/init.bash", "eval \"$(<~/init.bash)\""),
        )?;
        std::fs::write(this.home().join(".bare"), "PS1='PROMPT> '\n")?;
        std::fs::write(this.home().join(".zshrc"), prompt("zsh"))?;
        std::fs::write(this.home().join(".zshenv"), "source ~/env.zsh\n")?;
        Ok(this)
    }

    fn home(&self) -> PathBuf {
        self.machine.home()
    }

    fn work(&self) -> PathBuf {
        self.home().join("project")
    }

    /// A program of the person.
    fn person(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.machine.environment())
            .current_dir(self.work())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    fn layer(&self) -> Result<Value> {
        let status = self.machine.status()?;
        Ok(status.pointer("/layers/0").cloned().unwrap_or_default())
    }

    fn typed(&self, mut shell: Pty, key: &str, count: usize) -> Result<()> {
        for number in 0..count {
            shell
                .run(&command(key, number))
                .with_context(|| format!("{key}: command {number}"))?;
            if number.is_multiple_of(25) {
                shell.forget();
            }
        }
        shell.send_line("exit")?;
        shell.wait()?;
        Ok(())
    }

    fn bash(&self, rc: &str) -> Result<Pty> {
        Pty::bash(
            &self.home().join(rc),
            &self.work(),
            &self.machine.environment(),
        )
    }

    /// Scripts of [`BLOCK`] commands each; their names.
    fn scripts(&self, shell: &str, key: &str, count: usize) -> Result<()> {
        for block in 0..count.div_ceil(BLOCK) {
            let numbers = block * BLOCK..count.min((block + 1) * BLOCK);
            let text: String = numbers
                .map(|number| format!("{}\n", command(key, number)))
                .collect();
            let file = format!("./{key}-{block}");
            std::fs::write(self.work().join(&file), text)?;
            let mut run = self.person(shell);
            run.arg(&file);
            if shell == "bash" {
                run.env("BASH_ENV", self.home().join("env.bash"));
            }
            ensure!(run.status()?.success(), "{file} failed");
        }
        Ok(())
    }

    /// Supervised trees of [`BLOCK`] programs each.
    fn trees(&self, key: &str, count: usize) -> Result<()> {
        for block in 0..count.div_ceil(BLOCK) {
            let numbers = block * BLOCK..count.min((block + 1) * BLOCK);
            let text: String = numbers
                .map(|number| format!("/bin/true {}; ", mark(key, number)))
                .collect();
            let mut run = self.machine.cmdai();
            run.args(["run", "--", "/bin/sh", "-c", &text]);
            Run::of(&mut run)?.good()?;
        }
        Ok(())
    }

    /// A tool call of an agent for each command: its hook before, the command, its hook after.
    fn agent(&self, key: &str, count: usize) -> Result<()> {
        for number in 0..count {
            let text = command(key, number);
            let call = |event: &str| {
                json!({
                    "session_id": "capture", "hook_event_name": event, "tool_name": "Bash",
                    "tool_use_id": format!("call-{number}"), "cwd": self.work(),
                    "tool_input": {"command": text},
                    "tool_response": {"stdout": "", "stderr": "", "interrupted": false},
                })
            };
            self.hook(&call("PreToolUse"))?;
            let status = self.person("/bin/sh").args(["-c", &text]).status()?;
            ensure!(status.success(), "{text} failed");
            self.hook(&call("PostToolUse"))?;
        }
        Ok(())
    }

    fn hook(&self, call: &Value) -> Result<()> {
        let mut child = self
            .machine
            .cmdai()
            .args(["hook", "claude-code"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let mut input = child.stdin.take().context("no standard input")?;
        input.write_all(call.to_string().as_bytes())?;
        drop(input);
        ensure!(child.wait()?.success(), "the hook failed");
        Ok(())
    }

    /// Everything that the sensor had a while after the last command is acknowledged.
    fn drained(&self) -> Result<()> {
        // Longer than a run of a script may be quiet before it is told of. Other programs of the machine
        // start all the time, so that it is never done with everything.
        std::thread::sleep(Duration::from_secs(12));
        let status = self.machine.status()?;
        let number = |status: &Value, key: &str| status.get(key).and_then(Value::as_u64);
        let head = number(&status, "head_seq").context("no head")?;
        eventually("the server has everything", PATIENCE, || {
            let status = self.machine.status()?;
            let acked = number(&status, "acked_seq").unwrap_or(0);
            ensure!(
                acked >= head,
                "{acked} of {head} are acknowledged: {status}"
            );
            Ok(())
        })
    }

    /// Marks of one way that are on the server, each once, and those that are there twice.
    fn stored(&self, key: &str) -> Result<BTreeMap<String, usize>> {
        let mut found = BTreeMap::new();
        let mut add = |mark: &str| *found.entry(mark.to_owned()).or_insert(0) += 1;
        for row in self.server.query(&format!("{MARK}-{key}-"))? {
            // What the kernel saw is another layer's word about the same command.
            let kind = row.get("event_type").and_then(Value::as_str);
            if !matches!(kind, Some("command_executed" | "agent_activity")) {
                continue;
            }
            let text = row.get("text").and_then(Value::as_str).unwrap_or_default();
            for word in text.split(|c: char| c.is_whitespace() || c == ';') {
                if word.starts_with(MARK) {
                    add(word);
                }
            }
        }
        Ok(found)
    }

    /// How many commands the events of one way stand for, by script or tree.
    fn counted(&self, query: &str) -> Result<usize> {
        let mut all = 0;
        for row in self.server.query(query)? {
            let kind = row.get("event_type").and_then(Value::as_str);
            let id = row.get("event_id").and_then(Value::as_str);
            let (Some("command_executed"), Some(id)) = (kind, id) else {
                continue;
            };
            // The line that begins a tree names all of its programs and is none of them.
            let text = row.get("text").and_then(Value::as_str).unwrap_or_default();
            if text.starts_with("/bin/sh") || text.starts_with("cmdai") {
                continue;
            }
            let event = self.server.get(&format!("events/{id}"))?;
            let event = event.get("event").unwrap_or(&event);
            let shell = event.pointer("/context/layer").and_then(Value::as_str);
            if !matches!(shell, Some("shell" | "supervised")) {
                continue;
            }
            let times = event.pointer("/command/times").and_then(Value::as_u64);
            all += usize::try_from(times.unwrap_or(1)).unwrap_or(0);
        }
        Ok(all)
    }

    fn rows(
        &self,
        ways: Vec<(&'static Way, usize)>,
        kernel: Option<&HashSet<String>>,
    ) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for (way, commands) in ways {
            let mut row = Row {
                key: way.key,
                name: way.name,
                commands,
                ..Row::default()
            };
            let is_program = |number: &usize| way.key == "tree" || number.is_multiple_of(2);
            row.programs = (0..commands).filter(is_program).count();
            row.builtins = commands - row.programs;
            row.kernel = kernel.map(|seen| {
                (0..commands)
                    .filter(|number| seen.contains(&mark(way.key, *number)))
                    .count()
            });
            if way.key.ends_with("-script") || way.key == "tree" {
                for block in 0..commands.div_ceil(BLOCK) {
                    let expected = BLOCK.min(commands - block * BLOCK);
                    let (what, query) = if way.key == "tree" {
                        // Many starts of one program are counted, with the text of the last.
                        let tens = (block * BLOCK / 10..(block * BLOCK + expected).div_ceil(10))
                            .map(|ten| format!("\"/bin/true {MARK}-tree-{ten:04}\""));
                        (format!("tree {block}"), tens.collect::<Vec<_>>())
                    } else {
                        let name = format!("./{}-{block}", way.key);
                        (
                            format!("script {name}"),
                            vec![format!("\"of script {name}:\"")],
                        )
                    };
                    let mut got = 0;
                    for query in query {
                        got += self.counted(&query)?;
                    }
                    row.captured += got.min(expected);
                    if got != expected {
                        row.missing.push(format!("{what}: {got} of {expected}"));
                    }
                }
            } else {
                let stored = self.stored(way.key)?;
                for number in 0..commands {
                    match stored.get(&mark(way.key, number)) {
                        Some(1) => row.captured += 1,
                        times => row.missing.push(format!(
                            "{} ({})",
                            command(way.key, number),
                            times.map_or("missing".to_owned(), |times| format!("{times} times"))
                        )),
                    }
                }
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

fn parts(commands: usize) -> Vec<(&'static Way, usize)> {
    WAYS.iter()
        .map(|way| (way, commands * way.share / 100))
        .collect()
}

fn run(commands: usize, bare: usize, as_json: bool) -> Result<bool> {
    let stage = Stage::open()?;
    let (kernel, why) = match Kernel::listen() {
        Ok(kernel) => (Some(kernel), String::new()),
        Err(error) => (None, error.to_string()),
    };
    // From the first command on, records are compared with what starts.
    let layer_before = eventually("the machine layer", PATIENCE, || {
        let layer = stage.layer()?;
        let state = layer.get("state").and_then(Value::as_str);
        let on = layer.get("on").and_then(Value::as_bool) == Some(true);
        let decided = on || state.is_some_and(|state| state.starts_with("off:"));
        ensure!(decided, "{layer}");
        Ok(layer)
    })?;
    let mut ways = parts(commands);
    let begun = Instant::now();
    for (way, count) in &ways {
        let (key, count) = (way.key, *count);
        let since = Instant::now();
        match key {
            "bash" => stage.typed(stage.bash(".bashrc")?, key, count)?,
            "zsh" => stage.typed(
                Pty::zsh(&stage.work(), &stage.machine.environment())?,
                key,
                count,
            )?,
            "bash-script" => stage.scripts("bash", key, count)?,
            "zsh-script" => stage.scripts("zsh", key, count)?,
            "tree" => stage.trees(key, count)?,
            _ => stage.agent(key, count)?,
        }
        eprintln!(
            "{}: {count} commands in {:.1} s",
            way.name,
            since.elapsed().as_secs_f64()
        );
    }
    if bare > 0 {
        const BARE: &Way = &Way {
            key: "bare",
            name: "a bash without hooks",
            share: 0,
        };
        stage.typed(stage.bash(".bare")?, BARE.key, bare)?;
        ways.push((BARE, bare));
    }
    let took = begun.elapsed();
    stage.drained()?;
    let name = kernel.as_ref().map(|kernel| kernel.name);
    let word = kernel.map(Kernel::end).transpose()?;
    let rows = stage.rows(ways, word.as_ref().map(|(seen, _)| seen))?;
    let gaps = stage.server.query("type:gap")?;
    let told = |row: &Value| {
        row.get("text")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let gaps: Vec<String> = gaps.iter().map(told).collect();
    let layer = stage.layer()?;
    let missed: usize = rows.iter().map(|row| row.missing.len()).sum();
    // A missing record that a gap tells of is known; the others are silent.
    let records = gaps.iter().filter(|gap| gap.contains(", from ")).count();
    let silent = missed > 0 && records == 0;
    // All of these records are true.
    let doubted = gaps.iter().filter(|gap| gap.contains("forged-record"));
    let doubted = doubted.count();
    let programs = |row: &Row| row.kernel.is_none_or(|kernel| kernel == row.programs);
    let agree = rows.iter().all(programs);
    let good = missed == 0 && agree && doubted == 0;
    let report = json!({
        "what": "commands of a scripted session that are on the server, beside the kernel's own count of the programs among them; builtins are known from the script alone",
        "commands": rows.iter().map(|row| row.commands).sum::<usize>(),
        "captured": rows.iter().map(|row| row.captured).sum::<usize>(),
        "seconds": took.as_secs(),
        "kernel": {"source": name, "lost": word.as_ref().map(|(_, lost)| *lost), "why_not": why},
        "machine_layer": {"seen": number(&layer, "seen") - number(&layer_before, "seen"), "lost": number(&layer, "lost"), "state": layer.get("state"), "notes": layer.get("notes")},
        "rows": rows.iter().map(|row| json!({
            "way": row.key, "commands": row.commands, "builtins": row.builtins, "programs": row.programs,
            "kernel": row.kernel, "captured": row.captured, "missing": row.missing,
        })).collect::<Vec<_>>(),
        "gaps": gaps,
        "silent": silent,
        "taken_for_forged": doubted,
        "good": good,
    });
    if as_json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        table(&rows, &report);
    }
    Ok(good)
}

fn number(layer: &Value, key: &str) -> i64 {
    layer.get(key).and_then(Value::as_i64).unwrap_or(0)
}

fn table(rows: &[Row], report: &Value) {
    println!(
        "{:22} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "way", "commands", "captured", "builtins", "programs", "kernel"
    );
    for row in rows {
        let kernel = row
            .kernel
            .map_or("-".to_owned(), |kernel| kernel.to_string());
        println!(
            "{:22} {:>8} {:>8} {:>8} {:>8} {kernel:>8}",
            row.name, row.commands, row.captured, row.builtins, row.programs
        );
    }
    println!(
        "all {} of {}; kernel {}; machine layer {}",
        report["captured"], report["commands"], report["kernel"], report["machine_layer"]
    );
    for row in rows {
        for missing in &row.missing {
            println!("missing: {}: {missing}", row.name);
        }
    }
    if let Some(gaps) = report["gaps"].as_array() {
        for gap in gaps.iter().filter_map(Value::as_str) {
            println!("told as missing: {gap}");
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |place: usize, otherwise: usize| {
        let argument = arguments.get(place).and_then(|text| text.parse().ok());
        argument.unwrap_or(otherwise)
    };
    let as_json = arguments.get(3).is_some_and(|format| format == "json");
    match run(number(1, 10_000), number(2, 0), as_json) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}
