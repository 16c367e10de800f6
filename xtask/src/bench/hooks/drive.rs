//! One shell in a pseudo-terminal, timed line by line.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use cmdai_testkit::Pty;

use super::Shell;
use super::columns::Column;

/// How long a shell may take for one line.
const PATIENCE: Duration = Duration::from_secs(30);
/// The key that reads the shell's clock, typed right before Enter: Ctrl-T.
const CLOCK: char = '\u{14}';

/// What that key prints in a shell without a clock.
const MARK: &str = "<[ begun ]>";
/// No shell is that fast, in microseconds.
const SEEN_AT_ONCE: f64 = 30.0;

/// A running shell.
pub(super) struct Driven {
    shell: Shell,
    terminal: Pty,
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
        let arguments: Vec<String> = match shell {
            Shell::Bash => {
                fs::write(&file, format!("{BASH}{}", column.start_up))?;
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
                    format!("{FISH}{}", column.start_up),
                )?;
                vec!["fish".to_owned(), "-i".to_owned()]
            }
        };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let terminal = Pty::spawn(&arguments, &home.join("work"), &environment)?;
        let mut driven = Self {
            shell,
            terminal,
            last: String::new(),
        };
        driven.prompt()?;
        Ok(driven)
    }

    /// Types a line and gives the microseconds from right before Enter to the next prompt.
    pub(super) fn line(&mut self, line: &str) -> Result<f64> {
        self.terminal.forget();
        if self.shell == Shell::Fish {
            return self.timed_outside(line);
        }
        self.terminal.type_text(&format!("{line}{CLOCK}\r"))?;
        let prompt = self.prompt()?;
        let (before, after) = prompt.split_once(' ').context("two times in the prompt")?;
        let span = micros(after)? - micros(before)?;
        if !(0..60_000_000).contains(&span) {
            bail!("the clock went from {before} to {after}");
        }
        Ok(span as f64)
    }

    /// For a shell without a clock: the key prints a mark, and the time runs from seeing that to
    /// seeing the prompt. Where both were seen at once, nobody was there to look, and the line is
    /// typed again.
    fn timed_outside(&mut self, line: &str) -> Result<f64> {
        for _ in 0..100 {
            self.terminal.type_text(&format!("{line}{CLOCK}\r"))?;
            self.terminal.wait_for_any(&[MARK], PATIENCE)?;
            let started = Instant::now();
            self.prompt()?;
            let micros = started.elapsed().as_secs_f64() * 1_000_000.0;
            if micros > SEEN_AT_ONCE {
                return Ok(micros);
            }
        }
        bail!("this machine is too busy to see when a line begins and ends")
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
bind -x '"\C-t": __begun=$EPOCHREALTIME'
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

const FISH: &str = r#"set -g fish_greeting
set -g fish_history ''
set -g fish_autosuggestion_enabled 0
set -g __turn 0
function __clock; echo -n '<[ begun ]>'; end
bind \ct __clock
function fish_prompt; set -g __turn (math $__turn + 1); echo -n "<{ $__turn }> "; end
"#;

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
