//! One shell in a pseudo-terminal, timed line by line.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use cmdai_testkit::Pty;

use super::Shell;
use super::clock::{self, Clock};
use super::columns::Column;

/// How long a shell may take for one line.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where the shell stands in its home: a folder of a project, as on a working day.
pub(super) const WORK: &str = "project/src/part";
/// Until a typed line is shown, and nothing moves any more that showing it has set going.
const SHOWN: Duration = Duration::from_micros(400);
/// The key that reads the shell's clock, typed right before Enter: Ctrl-T.
const CLOCK: char = '\u{14}';

/// A running shell.
pub(super) struct Driven {
    terminal: Pty,
    /// The shell notes the time when it has read Enter.
    enter_tells: bool,
    /// Of a shell that cannot tell the time itself.
    clock: Option<Clock>,
    /// What the last prompt showed.
    last: String,
}

impl Driven {
    /// Starts a shell with this column's hooks in a home of its own, up to its first prompt.
    pub(super) fn start(shell: Shell, column: &Column, home: &Path) -> Result<Self> {
        let text = |path: &Path| path.display().to_string();
        let mut environment: Vec<(String, String)> = [
            ("HOME", text(home)),
            ("CMDAI_STATE_DIR", text(&home.join("state"))),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("TERM", "xterm".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("USER", "bench".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let file = home.join("start-up");
        let mut clock = None;
        let arguments: Vec<String> = match shell {
            Shell::Bash => {
                let library = enter_clock(home)?;
                fs::write(
                    &file,
                    format!(
                        "enable -f '{library}' __enter_clock\n{BASH}{}__enter_clock\n",
                        column.start_up
                    ),
                )?;
                vec![
                    "bash".to_owned(),
                    "--noprofile".to_owned(),
                    "--rcfile".to_owned(),
                    text(&file),
                    "-i".to_owned(),
                ]
            }
            Shell::Zsh => {
                fs::write(home.join(".zshrc"), format!("{ZSH}{}", column.start_up))?;
                environment.push(("ZDOTDIR".to_owned(), text(home)));
                vec![
                    "zsh".to_owned(),
                    "--no-globalrcs".to_owned(),
                    "-i".to_owned(),
                ]
            }
            Shell::Fish => {
                fs::create_dir_all(home.join(".config/fish"))?;
                fs::write(
                    home.join(".config/fish/config.fish"),
                    format!("{}{}", fish(), column.start_up),
                )?;
                let socket = clock.insert(Clock::start(PATIENCE)?).path();
                vec![
                    text(&std::env::current_exe()?),
                    "bench".to_owned(),
                    "with-clock".to_owned(),
                    text(&socket),
                    "fish".to_owned(),
                    "-i".to_owned(),
                ]
            }
        };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let terminal = Pty::spawn(&arguments, &home.join(WORK), &environment)?;
        let mut driven = Self {
            terminal,
            enter_tells: shell == Shell::Bash,
            clock,
            last: String::new(),
        };
        driven.prompt()?;
        if let Some(clock) = &driven.clock {
            let first = clock.stamp()?;
            if first.word != clock::PROMPT {
                bail!("the first prompt said {first:?}");
            }
        }
        Ok(driven)
    }

    /// Types a line and gives the microseconds from right before Enter to the next prompt.
    pub(super) fn line(&mut self, line: &str) -> Result<f64> {
        self.terminal.forget();
        if self.enter_tells {
            self.terminal.type_text(line)?;
            std::thread::sleep(SHOWN);
            self.terminal.type_text("\r")?;
        } else {
            self.terminal.type_text(&format!("{line}{CLOCK}\r"))?;
        }
        let prompt = self.prompt()?;
        let span = match &self.clock {
            Some(clock) => {
                let span = clock.span()?;
                if !clock.is_quiet() {
                    bail!("more than one prompt came for {line:?}");
                }
                span
            }
            None => {
                let (before, after) = prompt.split_once(' ').context("two times in the prompt")?;
                micros(after)? - micros(before)?
            }
        };
        if !(0..60_000_000).contains(&span) {
            bail!("the clock went wrong: {span} microseconds for {line:?}");
        }
        Ok(span as f64)
    }

    /// Waits for a prompt other than the last one, which is drawn again after the clock's key.
    fn prompt(&mut self) -> Result<String> {
        loop {
            let shown = self.terminal.wait_for_any(&[" }> "], PATIENCE)?;
            let text = shown.trim_end_matches(" }> ");
            let found = text.rsplit("<{ ").next().unwrap_or_default().to_owned();
            if found != self.last {
                self.last.clone_from(&found);
                return Ok(found);
            }
        }
    }

    /// Leaves the shell in good order.
    pub(super) fn end(mut self) -> Result<()> {
        self.terminal.send_line("exit")?;
        self.terminal.wait()?;
        Ok(())
    }
}

/// Builds the library that tells when bash has read Enter.
fn enter_clock(home: &Path) -> Result<String> {
    let source = home.join("enter.c");
    fs::write(&source, include_str!("enter.c"))?;
    let library = home.join("enter.so");
    let text = |path: &Path| path.display().to_string();
    let built = Command::new("cc")
        .args([
            "-O2",
            "-shared",
            "-fPIC",
            "-o",
            &text(&library),
            &text(&source),
        ])
        .status()
        .context("cannot start cc")?;
    if !built.success() {
        bail!("cc did not build bash's clock: {built}");
    }
    Ok(text(&library))
}

/// Microseconds of a time in seconds with a fraction.
fn micros(text: &str) -> Result<i64> {
    let (seconds, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let whole: i64 = seconds
        .parse()
        .with_context(|| format!("not a time: {text:?}"))?;
    Ok(whole * 1_000_000 + fraction.parse::<i64>()?)
}

const BASH: &str = r#"unset HISTFILE
bind 'set enable-bracketed-paste off'
__begun=0
PS1='<{ $__begun $EPOCHREALTIME }> '
"#;

const ZSH: &str = r"zmodload zsh/datetime
unset HISTFILE zle_bracketed_paste
setopt prompt_subst no_prompt_cr no_prompt_sp
__clock() { __begun=$EPOCHREALTIME }
zle -N __clock; bindkey -e; bindkey '^T' __clock
__begun=0
PS1='<{ $__begun $EPOCHREALTIME }> '
";

/// Fish cannot tell the time without a process, but its builtins write to a descriptor without one. The
/// prompt says its word before all else, and a number for which it is waited.
fn fish() -> String {
    let (begun, prompt, to) = (clock::BEGUN, clock::PROMPT, clock::VARIABLE);
    format!(
        r#"set -g fish_greeting
set -g fish_history ''
set -g fish_autosuggestion_enabled 0
set -g __turn 0
function __clock; echo {begun} >&${to}; end
bind \ct __clock
function fish_prompt; echo {prompt} >&${to}; set -g __turn (math $__turn + 1); echo -n "<{{ $__turn }}> "; end
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_both_shells_are_read() {
        assert_eq!(micros("1700000000.123456").unwrap(), 1_700_000_000_123_456);
        assert_eq!(
            micros("1700000000.1234567890").unwrap(),
            1_700_000_000_123_456
        );
        assert_eq!(micros("1700000000,5").unwrap(), 1_700_000_000_500_000);
        assert!(micros("soon").is_err());
    }
}
