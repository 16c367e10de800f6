//! Programs that hand a line to a terminal, a display, or a shell on another side.

use cmdai_schema::{Certainty, Dialect, EffectKind};

use crate::{
    analyser::Analyser,
    call::{Call, joined},
    knowledge::WrapKind,
    options::Parsed,
    value::{Stream, Text},
};

/// What keys type: words as they are, names of keys as what they stand for.
fn typed(words: &[Text], span: cmdai_schema::Span) -> Text {
    let mut text = String::new();
    let mut known = true;
    for word in words {
        known &= word.known;
        match word.text.as_str() {
            "Enter" | "C-m" | "C-j" | "KPEnter" => text.push('\n'),
            "Space" => text.push(' '),
            "Tab" | "C-i" => text.push('\t'),
            "C-c" | "C-u" | "Escape" | "C-l" | "C-d" | "C-k" | "BSpace" | "Up" | "Down"
            | "Left" | "Right" | "q" => {}
            other => text.push_str(other),
        }
    }
    Text {
        text,
        known,
        span,
        ..Text::default()
    }
}

impl Analyser<'_> {
    /// `tmux new-session -d CODE`, `screen -dm PROGRAM`, `tmux send-keys CODE Enter`.
    pub(crate) fn terminal(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match call.name {
            "tmux" | "byobu" | "tmate" => self.tmux(call, parsed),
            "expect" => {
                if let Some(code) = parsed.value("code").cloned() {
                    self.inline_code("expect", &code, crate::script::Start::EMPTY);
                    self.expect_script(&code);
                } else if let Some(file) = parsed.nth(1).filter(|file| file.text != "-") {
                    self.script_file(file, "expect", None, call.span);
                } else if let Stream::Known(text) = call.stdin {
                    self.expect_script(&Text::known(text.clone(), call.span));
                }
                Stream::UNKNOWN
            }
            "screen" if parsed.has("command") => {
                // `-X stuff TEXT` types it, `-X screen PROGRAM` and `-X exec PROGRAM` run it.
                match parsed.value("command").map(|text| text.text.as_str()) {
                    Some("stuff") => {
                        if let Some(text) = parsed.nth(1) {
                            let code = Text {
                                text: text
                                    .text
                                    .replace("\\n", "\n")
                                    .replace("\\r", "\n")
                                    .replace("^M", "\n"),
                                offset: None,
                                ..text.clone()
                            };
                            self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
                        }
                        Stream::Empty
                    }
                    Some("screen" | "exec") => self.wrapped(call, parsed, WrapKind::Argv, 0, false),
                    Some("quit") => {
                        self.ends_sessions(call);
                        Stream::Empty
                    }
                    _ => Stream::Empty,
                }
            }
            "zellij" => match parsed.sub() {
                "run" => {
                    let at = call.args.iter().position(|arg| arg.text == "--");
                    let words = at
                        .and_then(|at| call.args.get(at + 1..))
                        .unwrap_or_default();
                    self.call(words, Vec::new(), call.stdin, call.span)
                }
                _ => Stream::Empty,
            },
            _ => {
                if parsed.operands.is_empty() {
                    return Stream::Empty;
                }
                let skip = usize::from(matches!(call.name, "dtach" | "abduco"));
                self.wrapped(call, parsed, WrapKind::Argv, skip, false)
            }
        }
    }

    fn ends_sessions(&mut self, call: &Call<'_>) {
        self.emit(
            EffectKind::ProcessKill {
                target: call.name.to_owned(),
                all: true,
            },
            call.span,
            Certainty::Proven,
        );
    }

    fn tmux(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if let Some(code) = parsed.value("code").cloned() {
            self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
        }
        let start = parsed.operands.first().map_or(0, |&(at, _)| at + 1);
        let words = call.args.get(start..).unwrap_or_default();
        // Options of the subcommand, each with its value, then what it runs.
        let behind_options = |valued: &[&str]| {
            let mut at = 0;
            while let Some(word) = words.get(at) {
                if word.text == "--" {
                    at += 1;
                    break;
                }
                if !word.text.starts_with('-') || word.text.len() < 2 {
                    break;
                }
                let letter = word.text.get(word.text.len() - 1..).unwrap_or("");
                at += if word.text.len() == 2 && valued.contains(&letter)
                    || word.text.len() > 2
                        && word.text.starts_with('-')
                        && valued.contains(&letter)
                        && !word
                            .text
                            .get(1..2)
                            .is_some_and(|first| valued.contains(&first))
                {
                    2
                } else {
                    1
                };
            }
            words.get(at..).unwrap_or_default()
        };
        match parsed.sub() {
            "new" | "new-session" | "neww" | "new-window" | "split-window" | "splitw"
            | "respawn-pane" | "respawnp" | "respawn-window" | "respawnw" | "display-popup"
            | "popup" | "pipe-pane" | "pipep" => {
                let rest = behind_options(&[
                    "s", "t", "n", "c", "x", "y", "F", "e", "l", "p", "h", "w", "b", "S", "T",
                ]);
                let rest: Vec<&Text> = rest.iter().collect();
                if !rest.is_empty() {
                    let code = joined(&rest, call.span);
                    self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
                }
            }
            "run-shell" | "run" => {
                let rest: Vec<&Text> = behind_options(&["t", "d", "c"]).iter().collect();
                if !rest.is_empty() {
                    let code = joined(&rest, call.span);
                    self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
                }
            }
            "if-shell" | "if" => {
                if let Some(code) = behind_options(&["t"]).first().cloned() {
                    self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
                }
            }
            "send-keys" | "send" => {
                let keys = behind_options(&["t", "N", "c"]);
                let code = typed(keys, call.span);
                self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
            }
            "source-file" | "source" => {
                if let Some(file) = words.iter().find(|word| !word.text.starts_with('-')) {
                    self.config_file(&file.clone());
                }
            }
            "kill-server" | "kill-session" => self.ends_sessions(call),
            _ => {}
        }
        Stream::Empty
    }

    /// `spawn PROGRAM`, `exec PROGRAM` and `send "LINE\r"` of an expect script.
    fn expect_script(&mut self, code: &Text) {
        for line in code.text.split(['\n', ';']).take(64) {
            let line = line.trim_start();
            let rest = line
                .strip_prefix("spawn ")
                .or_else(|| line.strip_prefix("exec "))
                .or_else(|| line.strip_prefix("system "));
            let rest = rest
                .map(|rest| rest.trim_start_matches("-noecho ").to_owned())
                .or_else(|| {
                    let sent = line.strip_prefix("send ")?.trim_start_matches("-- ").trim();
                    let sent = sent.trim_matches(['"', '{', '}']);
                    Some(
                        sent.trim_end_matches("\\r")
                            .trim_end_matches("\\n")
                            .to_owned(),
                    )
                });
            if let Some(rest) = rest {
                self.shell_code(
                    &Text::known(rest, code.span),
                    Dialect::Sh,
                    &Stream::Empty,
                    true,
                );
            }
        }
    }

    /// `xterm -e PROGRAM`, `gnome-terminal -- PROGRAM`.
    pub(crate) fn emulator(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let at = call.args.iter().position(|arg| {
            matches!(
                arg.text.as_str(),
                "-e" | "-x" | "--command" | "--execute" | "--"
            )
        });
        let words = match at {
            Some(at) => call.args.get(at + 1..).unwrap_or_default(),
            None => match parsed.operands.first() {
                Some(&(at, _)) => call.args.get(at..).unwrap_or_default(),
                None => return Stream::Empty,
            },
        };
        match words {
            [] => Stream::Empty,
            // One word may be a whole line.
            [line] => self.shell_code(&line.clone(), Dialect::Sh, call.stdin, true),
            several => self.call(several, Vec::new(), call.stdin, call.span),
        }
    }

    /// `xvfb-run PROGRAM`; dialogs show what they are given.
    pub(crate) fn display(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match call.name {
            "xvfb-run" | "xinit" => self.wrapped(call, parsed, WrapKind::Argv, 0, false),
            _ => Stream::UNKNOWN,
        }
    }

    /// `rsh HOST LINE`, `wsl PROGRAM`, `ssh-agent PROGRAM`.
    pub(crate) fn hosted(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.operands.is_empty() {
            return Stream::Empty;
        }
        match call.name {
            "rsh" | "rexec" | "remsh" => self.wrapped(call, parsed, WrapKind::Shell, 1, false),
            "keychain" => Stream::Empty,
            _ => self.wrapped(call, parsed, WrapKind::Argv, 0, false),
        }
    }
}
