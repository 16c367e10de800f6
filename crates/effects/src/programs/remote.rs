//! `ssh`: what runs on the other side, and what its options run here.

use cmdai_schema::{Certainty, Dialect, EffectKind};

use crate::{
    analyser::Analyser,
    call::{Call, joined},
    options::Parsed,
    value::{Stream, Taint, Text},
};

impl Analyser<'_> {
    /// Options that run something on this side.
    pub(crate) fn ssh_options(&mut self, parsed: &Parsed<'_>) {
        for option in parsed.values("option").cloned().collect::<Vec<_>>() {
            let Some(at) = option.text.find(['=', ' ']) else {
                continue;
            };
            let name = option.text.get(..at).unwrap_or("").to_ascii_lowercase();
            match name.as_str() {
                "proxycommand" | "localcommand" | "knownhostscommand" | "permitlocalcommand"
                    if name != "permitlocalcommand" =>
                {
                    let code = option.after(at + 1);
                    self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
                }
                "stricthostkeychecking" if option.text.ends_with("no") => {}
                _ => {}
            }
        }
    }

    pub(crate) fn ssh(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        self.ssh_options(parsed);
        if call.name == "sshpass" {
            let at = parsed.operands.first().map(|&(at, _)| at);
            return match at.and_then(|at| call.args.get(at..)) {
                Some(rest) => self.call(rest, Vec::new(), call.stdin, call.span),
                None => Stream::UNKNOWN,
            };
        }
        let Some(host) = parsed.nth(1).cloned() else {
            return Stream::UNKNOWN;
        };
        self.emit(
            EffectKind::Connect {
                address: host.text.clone(),
            },
            call.span,
            Certainty::Proven,
        );
        for forward in parsed.values("remote-forward") {
            // Who is there comes in here.
            self.emit(
                EffectKind::Listen {
                    address: format!("a reverse tunnel from {} ({})", host.text, forward.text),
                },
                call.span,
                Certainty::Proven,
            );
        }
        // Options may stand between the host and the code.
        let start = parsed.operands.first().map_or(0, |&(at, _)| at + 1);
        let mut at = start;
        while let Some(arg) = call.args.get(at) {
            if arg.text == "--" {
                at += 1;
                break;
            }
            if !arg.text.starts_with('-') {
                break;
            }
            at += if matches!(
                arg.text.as_str(),
                "-p" | "-l" | "-i" | "-o" | "-F" | "-L" | "-R" | "-D"
            ) {
                2
            } else {
                1
            };
        }
        let rest: Vec<&Text> = call.args.get(at..).unwrap_or_default().iter().collect();
        if rest.is_empty() {
            if let Stream::Known(_) = call.stdin {
                let stream = call.stdin.clone();
                self.code_from_stream(&stream, "shell", Some(Dialect::Sh), call.span);
            }
            return Stream::Tainted(Taint::Remote(host.text));
        }
        if let Stream::Tainted(Taint::File(path) | Taint::Secret(path)) = call.stdin {
            self.emit(
                EffectKind::Upload {
                    source: path.clone(),
                    destination: host.text.clone(),
                },
                call.span,
                Certainty::Likely,
            );
        }
        let code = joined(&rest, call.span);
        // What a program made flows into a file over there.
        let stores = [
            "cat >", "cat>", "tee ", "dd of=", "tar x", "tar -x", "tar zx", "tar xz", "cat - >",
        ]
        .iter()
        .any(|start| code.text.contains(start));
        if stores
            && matches!(
                call.stdin,
                Stream::Tainted(Taint::Made | Taint::Unknown | Taint::Remote(_))
            )
        {
            self.emit(
                EffectKind::Upload {
                    source: "-".to_owned(),
                    destination: host.text.clone(),
                },
                call.span,
                Certainty::Likely,
            );
        }
        // The other side has a state of its own.
        let before = self.env.clone();
        self.env.cwd = self.context.home.to_owned();
        self.env.files.clear();
        self.shell_code(&code, Dialect::Sh, call.stdin, true);
        self.env = before;
        Stream::Tainted(Taint::Remote(host.text))
    }
}
