//! A governed or ungoverned home with all three doors: the program, a hooked bash, an agent's hook.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use cmdai_hooks::Paths;
use cmdai_policy::SnapshotMeta;
use cmdai_testkit::{Home, Pty, bash_module};
use serde_json::{Value, json};

use crate::home::Said;

/// The compiled form of an organisation's document.
pub(crate) fn compile(document: &str) -> Vec<u8> {
    compile_as(document, SnapshotMeta::default())
}

/// The same with names of one's own.
pub(crate) fn compile_as(document: &str, meta: SnapshotMeta) -> Vec<u8> {
    let set =
        cmdai_policy::parse(document, "policy.yaml").unwrap_or_else(|errors| panic!("{errors}"));
    let meta = SnapshotMeta {
        policy_id: "acme".to_owned(),
        version: "41".to_owned(),
        ..meta
    };
    cmdai_policy::compile(&set, &meta)
}

/// A home.
pub(crate) struct World {
    pub(crate) home: Home,
    /// More of the environment.
    pub(crate) more: Vec<(String, String)>,
    /// A shell line that runs before the program or hook, in the same process, such as `ulimit`.
    pub(crate) first: String,
    /// Where the module of bash lies.
    pub(crate) module: Option<PathBuf>,
}

impl World {
    /// Nobody governs.
    pub(crate) fn new() -> Self {
        let home = Home::new().unwrap();
        let bin = home.path().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        // Programs of the policies in these tests; each leaves a file behind when it runs.
        for name in ["frobnicate", "tickle", "deploy", "shovel"] {
            use std::os::unix::fs::PermissionsExt as _;
            let file = bin.join(name);
            std::fs::write(
                &file,
                format!(
                    "#!/bin/sh\n: > \"{}/{name}-ran\"\necho {name}-runs\n",
                    home.path().display()
                ),
            )
            .unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self {
            home,
            more: Vec::new(),
            first: String::new(),
            module: None,
        }
    }

    /// A governed one under this document.
    pub(crate) fn governed(document: &str) -> Self {
        let world = Self::new();
        world.home.govern(&compile(document)).unwrap();
        world
    }

    /// More of the environment.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.more.push((name.to_owned(), value.to_owned()));
        self
    }

    fn environment(&self) -> Vec<(String, String)> {
        let mut all = self.home.environment();
        for (name, value) in &mut all {
            if name == "PATH" {
                *value = format!("{}/bin:{value}", self.home.path().display());
            }
        }
        all.extend(self.more.clone());
        all
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = if self.first.is_empty() {
            let mut command = Command::new(env!("CARGO_BIN_EXE_cmdai"));
            command.args(arguments);
            command
        } else {
            let mut command = Command::new("/bin/bash");
            command
                .args(["--norc", "--noprofile", "-c"])
                .arg(format!("{}\nexec \"$0\" \"$@\"", self.first))
                .arg(env!("CARGO_BIN_EXE_cmdai"))
                .args(arguments);
            command
        };
        command
            .env_clear()
            .envs(self.environment())
            .current_dir(self.home.work());
        command
    }

    /// `cmdai` with these arguments and nobody who could answer.
    pub(crate) fn cmdai(&self, arguments: &[&str]) -> Said {
        self.cmdai_with(arguments, "")
    }

    /// The same with something on standard input.
    pub(crate) fn cmdai_with(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writer = std::thread::spawn(move || {
            // A program that does not read its input closes the pipe: that is no failure.
            let _ = pipe.write_all(input.as_bytes());
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// `cmdai` in a terminal.
    pub(crate) fn terminal(&self, arguments: &[&str]) -> Pty {
        let command = self.command(arguments);
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Pty::spawn(&words, &self.home.work(), &self.environment()).unwrap()
    }

    /// A hooked interactive bash at its first prompt.
    pub(crate) fn bash(&self) -> Pty {
        let module = self
            .module
            .clone()
            .unwrap_or_else(|| bash_module().unwrap());
        let paths = Paths {
            program: env!("CARGO_BIN_EXE_cmdai").into(),
            bash_module: Some(module),
            ..Paths::default()
        };
        let script = cmdai_hooks::bash::init_script(&paths);
        let rc = format!("PS1='PROMPT> '\n{}\n{script}\n", self.first);
        // With `eval`: while bash reads a file it hides the DEBUG trap.
        let init = self.home.path().join("init.bash");
        std::fs::write(&init, rc).unwrap();
        let start = self.home.path().join(".bashrc");
        std::fs::write(&start, "eval \"$(<~/init.bash)\"\n").unwrap();
        Pty::bash(&start, &self.home.work(), &self.environment()).unwrap()
    }

    /// What Claude Code's hook answers about a command: true where it may run, and the words.
    pub(crate) fn hook(&self, command: &str) -> (bool, String) {
        let call = json!({
            "session_id": "s-1", "cwd": self.home.work(), "hook_event_name": "PreToolUse",
            "tool_name": "Bash", "tool_input": {"command": command}, "tool_use_id": format!("t-{command}"),
        });
        let said = self.cmdai_with(&["hook", "claude-code"], &call.to_string());
        if said.code == 0 {
            // Nothing, or words for the person: an agent's hook never says allow.
            if !said.stdout.is_empty() {
                let answer: Value = serde_json::from_str(&said.stdout).unwrap();
                let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
                assert_eq!(keys, ["systemMessage"], "{}", said.stdout);
            }
            return (true, said.stderr);
        }
        assert_eq!(said.code, 2, "{}", said.stderr);
        if let Ok(answer) = serde_json::from_str::<Value>(&said.stdout) {
            assert_eq!(answer["hookSpecificOutput"]["permissionDecision"], "deny");
        }
        (false, said.stderr)
    }

    /// The program ran, since this was asked last.
    pub(crate) fn ran(&self, name: &str) -> bool {
        std::fs::remove_file(self.home.path().join(format!("{name}-ran"))).is_ok()
    }

    /// First halves of the local history: text, decision, allowed, rules, what monitoring would say.
    pub(crate) fn starts(&self) -> Vec<cmdai_schema::record::Start> {
        let records = self.home.records().unwrap_or_default();
        records
            .into_iter()
            .filter_map(|record| match record.half {
                cmdai_schema::record::Half::Start(start) => Some(*start),
                _ => None,
            })
            .collect()
    }
}
