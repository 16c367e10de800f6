//! PowerShell's hook. There is no PowerShell to run here: the script is read by our own grammar, and the
//! process that judges is driven by what the script would send.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use cmdai_schema::Dialect;
use cmdai_schema::record::Half;
use cmdai_testkit::{Home, program};

use crate::support::POLICY;

/// The process as PowerShell would start it.
struct Server {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    home: Home,
}

impl Server {
    fn start(failed: u32) -> Self {
        let home = Home::new().unwrap();
        home.policy(POLICY).unwrap();
        let mut child = Command::new(program().unwrap())
            .args(["serve-shell", "--stdio", "--dialect", "powershell"])
            .args(["--shell-version", "powershell 7.4.6"])
            // The shell that it stands beside: this process.
            .args(["--shell", &std::process::id().to_string()])
            .args(["--failed", &failed.to_string()])
            .env_clear()
            .envs(home.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let from = BufReader::new(child.stdout.take().unwrap());
        Self {
            to: child.stdin.take(),
            child,
            from,
            home,
        }
    }

    fn send(&mut self, line: &str) {
        writeln!(self.to.as_mut().unwrap(), "{line}").unwrap();
    }

    fn asks(&mut self, line: &str) -> String {
        self.send(line);
        let mut reply = String::new();
        self.from.read_line(&mut reply).unwrap();
        reply.trim_end_matches('\n').to_owned()
    }

    fn end(mut self) -> Home {
        drop(self.to.take());
        self.child.wait().unwrap();
        self.home
    }
}

#[test]
fn the_script_is_powershell_without_complaint() {
    let paths = cmdai_hooks::Paths::of_program(std::path::Path::new("/usr/bin/cmdai"));
    let script = cmdai_hooks::powershell::init_script(&paths);
    let tree = cmdai_shell::parse(&script, Dialect::Powershell);
    assert!(tree.complete, "it ends in the middle");
    assert!(tree.diagnostics.is_empty(), "{:?}", tree.diagnostics);
}

#[test]
fn lines_are_judged_asked_about_and_recorded() {
    let mut server = Server::start(0);
    assert_eq!(server.asks("judge 1 /home/x Get-ChildItem"), "1 run 0 ");
    server.send("end 1 0");
    let reply = server.asks("judge 2 /home/x frobnicate%20-All");
    assert!(
        reply.starts_with("2 stop 126 ") && reply.contains("Frobnicating%20is%20not%20done%20here"),
        "{reply}"
    );
    for (id, answer, verdict) in [("3", "n", "stop 126"), ("4", "y", "run 0")] {
        let reply = server.asks(&format!("judge {id} /home/x tickle"));
        assert!(reply.starts_with(&format!("{id} ask 0 ")), "{reply}");
        let reply = server.asks(&format!("answer {id} {answer}"));
        assert!(reply.starts_with(&format!("{id} {verdict}")), "{reply}");
    }
    server.send("end 4 7");
    server.send("leave 0 0");
    let records = server.end().records().unwrap();
    let halves: Vec<String> = records
        .iter()
        .map(|record| match &record.half {
            Half::SessionStart { shell, .. } => shell.clone(),
            Half::Start(start) => format!("{} {}", start.text, start.allowed),
            Half::End { exit_code, .. } => format!("end {exit_code}"),
            Half::Private { on, .. } => format!("private {on}"),
            Half::Recording { state, .. } => format!("recording {state}"),
            Half::SessionEnd => "leave".to_owned(),
        })
        .collect();
    assert_eq!(
        halves,
        [
            "powershell 7.4.6",
            "Get-ChildItem true",
            "end 0",
            "frobnicate -All false",
            "tickle false",
            "tickle true",
            "end 7",
            "leave"
        ]
    );
}

#[test]
fn aliases_and_variables_of_the_session_are_asked_for() {
    let mut server = Server::start(0);
    let need = server.asks("judge 1 /home/x frob%20now frob");
    assert!(
        need.starts_with("1 need ") && need.contains("a frob"),
        "{need}"
    );
    let need = server.asks("known 1 a frob frobnicate n frob ");
    assert_eq!(need, "1 need f frobnicate");
    let reply = server.asks("known 1 n frobnicate ");
    assert!(reply.starts_with("1 stop"), "{reply}");
    // An answer that cannot be read tells nothing, and what is not known is not harmless.
    server.asks("judge 9 /home/x %26%20%24name");
    let reply = server.asks("known 9 ?");
    assert!(
        reply.starts_with("9 ask") || reply.starts_with("9 stop") || reply.starts_with("9 run 0 c"),
        "{reply}"
    );
    let need = server.asks("judge 2 /home/x %26%20%24name");
    assert!(need.contains("v name"), "{need}");
    let reply = server.asks("known 2 v name frobnicate");
    assert!(reply.starts_with("2 stop"), "{reply}");
}

#[test]
fn a_question_left_open_is_a_no_and_nonsense_is_passed_over() {
    let mut server = Server::start(0);
    assert!(server.asks("judge 1 /home/x tickle").starts_with("1 ask"));
    // The person went on to another line: the first answer is a no, then the second line's.
    let reply = server.asks("judge 2 /home/x Get-Date");
    assert!(reply.starts_with("1 stop"), "{reply}");
    server.send("what is this");
    server.send("answer 9 y");
    let reply = server.asks("judge 3 /home/x Get-Date");
    assert!(reply.starts_with("2 run"), "{reply}");
}

#[test]
fn after_two_deaths_lines_are_recorded_and_run() {
    let mut server = Server::start(2);
    let reply = server.asks("judge 1 /home/x frobnicate");
    assert!(reply.starts_with("1 run"), "{reply}");
    let records = server.end().records().unwrap();
    assert!(records.iter().any(|record| matches!(&record.half, Half::Start(start) if start.policy.violated_rules == ["gate.hook-crashed"])));
}

#[test]
fn private_mode_holds_from_the_line_after_the_one_that_named_cmdai() {
    let mut server = Server::start(0);
    server.asks("judge 1 /home/x Get-Item%20open");
    server.send("end 1 0");
    server.asks("judge 2 /home/x cmdai%20private%20on");
    // What that command leaves behind for the shell that this process stands beside.
    let environment = server.home.environment();
    let person =
        cmdai_gate::Person::from_environment(rustix::process::getuid().as_raw(), &|name| {
            let found = environment.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        });
    cmdai_gate::private::enter(&person, std::process::id(), None).unwrap();
    server.send("end 2 0");
    assert_eq!(
        server.asks("judge 3 /home/x Get-Item%20sheltered"),
        "3 run 0 "
    );
    server.send("end 3 0");
    let reply = server.asks("judge 4 /home/x frobnicate%20sheltered");
    assert!(reply.starts_with("4 stop 126 "), "{reply}");
    server.send("leave 0 0");
    let home = server.end();
    assert!(
        !home.state().join("private").exists(),
        "it ends with its shell"
    );
    let history = std::fs::read_to_string(home.state().join("history.c1")).unwrap();
    assert!(!history.contains("sheltered"), "{history}");
    let records = home.records().unwrap();
    let starts = records.iter().filter_map(|record| match &record.half {
        Half::Start(start) => Some((start.text.as_str(), start.private, start.allowed)),
        _ => None,
    });
    let starts: Vec<_> = starts.collect();
    assert_eq!(
        starts,
        [
            ("Get-Item open", false, true),
            ("cmdai private on", false, true),
            ("", true, true),
            ("", true, false)
        ]
    );
}
