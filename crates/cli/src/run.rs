//! `cmdai run`: the whole way of one command through the gate, in one function. A line is handed to a
//! shell; a program is started with its whole process tree under supervision (`supervised`).

use std::io::{BufRead as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::Instant;

use cmdai_gate::render::View;
use cmdai_gate::{Manner, Recorder, SessionInfo, Voice};
use cmdai_schema::{CommandSource, Decision, Dialect, Layer, OriginKind};
use cmdai_supervise::Ended;

use crate::arguments::Run;
use crate::failure::Failure;
use crate::scene::{Scene, line};
use crate::supervised;

/// What is to be run, and how.
pub(crate) struct Order<'a> {
    /// The line that is judged.
    pub(crate) text: &'a str,
    /// Its language.
    pub(crate) dialect: Dialect,
    /// Run these words directly instead of handing the line to a shell.
    pub(crate) program: Option<&'a [String]>,
    /// Judge the program alone, and not what it starts.
    pub(crate) unsupervised: bool,
    /// Who wrote it.
    pub(crate) source: Option<CommandSource>,
    /// The person has just said yes to it.
    pub(crate) confirmed: bool,
    /// Run a denied command after it was typed out.
    pub(crate) insist: bool,
    /// It cannot wait for an approval.
    pub(crate) break_glass: bool,
    /// Reason for a request.
    pub(crate) reason: Option<String>,
}

/// `cmdai run -c LINE` and `cmdai run -- PROGRAM…`.
pub(crate) fn run(arguments: &Run) -> Result<u8, Failure> {
    let mut scene = Scene::here()?;
    if let (Some(id), false) = (&arguments.approved, scene.governed()) {
        let help = "grants come from whoever governs a machine; run it without --approved";
        return Err(Failure::usage(
            format!("there is no request {id} here: this machine is not governed"),
            help,
        ));
    }
    if arguments.break_glass && !scene.governed() {
        return Err(Failure::usage(
            "there is no glass to break: this machine is not governed",
            "approvals come from whoever governs a machine; run it without --break-glass",
        ));
    }
    if arguments.break_glass && said_nothing(arguments.reason.as_deref()) {
        return Err(Failure::usage(
            "--break-glass needs a reason",
            "say in a few words why it cannot wait: --reason \"incident 4711, shop is down\"",
        ));
    }
    let joined = line(&arguments.program);
    carry_out(
        &mut scene,
        &Order {
            text: arguments.line.as_deref().unwrap_or(&joined),
            dialect: arguments.shell,
            program: arguments
                .line
                .is_none()
                .then_some(arguments.program.as_slice()),
            unsupervised: arguments.unsupervised,
            source: None,
            confirmed: false,
            insist: arguments.allow_dangerous,
            break_glass: arguments.break_glass,
            reason: arguments.reason.clone(),
        },
    )
}

/// No words, or nothing but spaces.
pub(crate) fn said_nothing(reason: Option<&str>) -> bool {
    reason.is_none_or(|reason| reason.trim().is_empty())
}

/// Judge, ask whoever must be asked, record, run, record the end.
pub(crate) fn carry_out(scene: &mut Scene, order: &Order<'_>) -> Result<u8, Failure> {
    let outcome = scene.judge(order.text, order.dialect);
    let denied = outcome.judgement.decision == Decision::Deny;
    let insist = order.insist && may_insist(scene) && denied && insists(order.text);

    let tree = match order.program.filter(|_| !order.unsupervised) {
        Some(program) => supervised::Way::find(scene, program)?,
        None => supervised::Way::Plain,
    };
    let session = SessionInfo {
        id: format!("run-{}", cmdai_gate::fresh_id()),
        layer: match tree {
            supervised::Way::Tree => Layer::Supervised,
            supervised::Way::Plain => Layer::Shell,
        },
        who: scene.who.clone(),
        shared: false,
    };
    let mut recorder = Recorder::open(scene.gate.installation(), scene.gate.person(), session);
    let manner = Manner {
        reason: order.reason.as_deref(),
        insist,
        break_glass: order.break_glass,
        source: order.source,
        ..Manner::default()
    };
    // A yes answers a warning and a question. A block and a request for approval are still said.
    let answered = order.confirmed && outcome.judgement.decision <= Decision::Confirm;
    let mut voice = Terminal {
        confirmed: answered,
    };
    let settled = scene.settle(
        order.text,
        order.dialect,
        &outcome,
        &mut voice,
        &mut recorder,
        manner,
    );
    if !settled.run {
        leave(scene, &mut recorder);
        return Ok(settled.status);
    }

    let begun = Instant::now();
    let ended = match (tree, order.program) {
        (supervised::Way::Tree, Some(program)) => {
            supervised::execute(scene, program, &outcome.judgement)
        }
        _ => execute(order).map(Ended::Exited),
    };
    let ended = match ended {
        Ok(ended) => ended,
        Err(failure) => {
            leave(scene, &mut recorder);
            return Err(failure);
        }
    };
    let code = match ended {
        Ended::Exited(code) | Ended::Unsupervised(code) => code,
        Ended::Signalled(signal) => 128 + signal,
    };
    recorder.end(
        &settled.command_id,
        code,
        u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
    );
    leave(scene, &mut recorder);
    if let Ended::Signalled(signal) = ended {
        // Whoever waits for us sees what they would have seen without us.
        cmdai_supervise::end_by(signal);
    }
    Ok(u8::try_from(code).unwrap_or(1))
}

/// Each run is a session of its own. Whoever governs lets its file go once it is read; the local history
/// needs no such line.
fn leave(scene: &Scene, recorder: &mut Recorder) {
    if scene.governed() {
        recorder.session_end();
    }
}

/// Messages on standard error, questions on standard input.
struct Terminal {
    confirmed: bool,
}

impl Voice for Terminal {
    fn say(&mut self, message: &str) {
        if !self.confirmed {
            anstream::eprint!("{message}");
        }
    }

    fn confirm(&mut self) -> bool {
        self.confirmed
            || answer("run it? [y/N] ").is_some_and(|word| matches!(word.as_str(), "y" | "yes"))
    }

    fn view(&self) -> View<'static> {
        View::of_terminal(&|name| std::env::var(name).ok())
    }
}

/// In Community a person at a terminal can insist on a denied command. Nobody else can, and that is
/// said whatever the command is.
fn may_insist(scene: &Scene) -> bool {
    if scene.governed() {
        anstream::eprintln!("cmdai: --allow-dangerous is refused on a governed machine");
        return false;
    }
    if scene.who.agent.is_some() || scene.who.origin.kind == OriginKind::Agent {
        anstream::eprintln!("cmdai: --allow-dangerous is refused for AI agents");
        return false;
    }
    if !scene.terminal || scene.who.origin.kind != OriginKind::Human {
        anstream::eprintln!("cmdai: --allow-dangerous needs a person at a terminal");
        return false;
    }
    true
}

/// By typing it out again.
fn insists(text: &str) -> bool {
    anstream::eprintln!("cmdai: this is denied: {}", cmdai_gate::escape(text));
    answer("to run it all the same, type the whole command again:\n> ")
        .is_some_and(|typed| typed == text)
}

/// Asks on the terminal; nothing where nobody answers.
pub(crate) fn answer(question: &str) -> Option<String> {
    anstream::eprint!("{question}");
    std::io::stderr().flush().ok()?;
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed).ok()?;
    Some(typed.trim().to_owned())
}

/// Runs a line, or a program without supervision.
fn execute(order: &Order<'_>) -> Result<i32, Failure> {
    if let Some(program) = order.program {
        return start(program);
    }
    let mut command = Command::new(order.dialect.as_str());
    command.args(["-c", order.text]);
    finish(command)
}

/// Runs a program by itself and gives its exit status.
pub(crate) fn start(program: &[String]) -> Result<i32, Failure> {
    let (program, arguments) = program.split_first().ok_or_else(|| {
        Failure::usage("there is no program to run", "name one: cmdai run -- make")
    })?;
    let mut command = Command::new(program);
    command.args(arguments);
    finish(command)
}

fn finish(mut command: Command) -> Result<i32, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| {
        Failure::failed(
            format!("`{name}` cannot be started: {error}"),
            "is it installed and on the PATH?",
        )
    })?;
    Ok(status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1))
}
