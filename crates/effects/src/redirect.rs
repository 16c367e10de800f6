//! Redirections: what is read, written and connected to.

use cmdai_schema::{Certainty, Dialect, EffectKind, Span};
use cmdai_shell::{HereDoc, Part, RedirectOp, Redirection, Tree};

use crate::{
    analyser::Analyser,
    value::{Stream, Taint, Text},
};

/// What the redirections of a command lead to.
#[derive(Default)]
pub(crate) struct Redirected {
    /// In place of what the pipe brings.
    pub(crate) stdin: Option<Stream>,
    /// Standard output goes to a file, with whether it is appended.
    file: Option<(String, bool)>,
    /// Standard output goes to the network.
    network: Option<(String, Span)>,
    /// Standard output does not reach the pipe.
    away: bool,
}

impl Analyser<'_> {
    pub(crate) fn redirections(
        &mut self,
        tree: &Tree<'_>,
        redirections: &[Redirection<'_>],
        pipe: &Stream,
    ) -> Redirected {
        let mut out = Redirected::default();
        for redirection in redirections {
            self.redirection(tree, redirection, pipe, &mut out);
        }
        out
    }

    fn redirection(
        &mut self,
        tree: &Tree<'_>,
        redirection: &Redirection<'_>,
        pipe: &Stream,
        out: &mut Redirected,
    ) {
        let span = self.map.span(redirection.span);
        let mut fd = redirection.fd;
        if let Some(name) = redirection.fd_variable {
            // `{NAME}>`: the shell takes a number from 10 on.
            let number = 10 + u32::try_from(self.env.descriptors.len()).unwrap_or(0);
            if redirection.op != RedirectOp::DuplicateOut {
                fd = number;
                self.env
                    .set(name, crate::state::Value::known(number.to_string()));
            }
        }
        match redirection.op {
            RedirectOp::HereDoc | RedirectOp::HereDocTabs => {
                if let Some(here_doc) = redirection
                    .here_doc
                    .and_then(|index| tree.here_docs.get(index))
                {
                    let text = self.here_doc(tree, here_doc);
                    if fd == 0 {
                        out.stdin = Some(text);
                    }
                }
            }
            RedirectOp::HereString => {
                let text = self.expand_one(tree, &redirection.target);
                out.stdin = Some(Stream::of(text).then(Stream::Known("\n".to_owned())));
            }
            RedirectOp::DuplicateIn | RedirectOp::DuplicateOut => {
                let text = self.expand_one(tree, &redirection.target);
                let number: Option<u32> = text.text.trim_end_matches('-').parse().ok();
                let behind = number
                    .and_then(|number| self.env.descriptor(number))
                    .cloned();
                match (fd, number) {
                    (0, Some(1 | 2)) => {
                        if let Some((address, _)) = &out.network {
                            out.stdin = Some(Stream::Tainted(Taint::Remote(address.clone())));
                        }
                    }
                    (0, _) => {
                        if let Some(stream) = behind {
                            out.stdin = Some(stream);
                        }
                    }
                    (1, Some(2)) => out.away = true,
                    (1 | 2, Some(0)) if fd == 1 => {
                        if let Some(Stream::Tainted(Taint::Remote(address))) = &out.stdin {
                            out.network = Some((address.clone(), span));
                        }
                    }
                    (1, Some(_)) => {
                        out.away = true;
                        if let Some(Stream::Tainted(Taint::Remote(address))) = behind {
                            out.network = Some((address, span));
                        }
                    }
                    _ => {}
                }
            }
            RedirectOp::Read | RedirectOp::ReadWrite => {
                let target = self.expand_one(tree, &redirection.target);
                let stream = self.read_file(&target, span);
                if redirection.op == RedirectOp::ReadWrite
                    && fd != 0
                    && !matches!(stream, Stream::Tainted(Taint::Remote(_)))
                {
                    self.write_path(&target, true, span);
                }
                if let (Stream::Tainted(Taint::Remote(address)), 1) = (&stream, fd) {
                    out.network = Some((address.clone(), span));
                }
                if fd == 0 {
                    out.stdin = Some(stream);
                } else {
                    self.env.descriptors.push((fd, stream));
                }
            }
            RedirectOp::Write
            | RedirectOp::Clobber
            | RedirectOp::Append
            | RedirectOp::WriteBoth
            | RedirectOp::AppendBoth => {
                let target = self.expand_one(tree, &redirection.target);
                let append = matches!(redirection.op, RedirectOp::Append | RedirectOp::AppendBoth);
                if self.dialect == Dialect::Powershell && target.known && target.text.is_empty() {
                    // `> $null`
                    out.away = redirection.fd == 1;
                    return;
                }
                if let [Part::Process(..)] = redirection.target.parts.as_slice() {
                    out.away = fd == 1;
                    return;
                }
                if let Some(address) = network_address(&target.text) {
                    self.emit(
                        EffectKind::Connect {
                            address: address.clone(),
                        },
                        span,
                        Certainty::Proven,
                    );
                    if fd == 1 {
                        out.network = Some((address, span));
                    } else {
                        self.env
                            .descriptors
                            .push((fd, Stream::Tainted(Taint::Remote(address))));
                    }
                    return;
                }
                self.write_path(&target, append, span);
                if fd == 1 {
                    out.away = true;
                    out.file = Some((self.absolute(&target.text), append));
                }
            }
        }
        let _ = pipe;
    }

    /// What is written to a file that shells read when they start, or that git runs, will run.
    pub(crate) fn startup_code(&mut self, path: &str, content: &Stream) {
        if !matches!(
            content,
            Stream::Known(_) | Stream::Tainted(Taint::Remote(_))
        ) || !matches!(
            crate::paths::persistence(path),
            Some("rc-file" | "git-hook")
        ) {
            return;
        }
        let span = self.map.span(Span::default());
        let ceiling = std::mem::replace(&mut self.ceiling, Certainty::Likely);
        self.chain.push(crate::paths::base_name(path).to_owned());
        let dialect = self.dialect;
        self.code_from_stream(content, "shell", Some(dialect), span);
        self.chain.pop();
        self.ceiling = ceiling;
        if let Stream::Known(text) = content
            && let Some(name) = listens_in(text)
        {
            self.emit(
                EffectKind::Persistence {
                    mechanism: format!("another program under the name {name}"),
                    path: Some(path.to_owned()),
                },
                span,
                Certainty::Likely,
            );
        }
    }

    /// Joins what a command prints with where it goes.
    pub(crate) fn finish_redirections(
        &mut self,
        redirected: Redirected,
        printed: Stream,
    ) -> Stream {
        if let Some((address, span)) = redirected.network {
            let source = match &printed {
                Stream::Tainted(Taint::File(path) | Taint::Secret(path)) => path.clone(),
                _ => "-".to_owned(),
            };
            if printed != Stream::Empty {
                self.emit(
                    EffectKind::Upload {
                        source,
                        destination: address,
                    },
                    span,
                    Certainty::Proven,
                );
            }
            return Stream::Empty;
        }
        if let Some((path, append)) = redirected.file {
            self.startup_code(&path, &printed);
            self.env.write_file(&path, printed, append);
            return Stream::Empty;
        }
        if redirected.away {
            Stream::Empty
        } else {
            printed
        }
    }

    fn here_doc(&mut self, tree: &Tree<'_>, here_doc: &HereDoc<'_>) -> Stream {
        let mut text = self.expand_inner(tree, &here_doc.parts);
        if here_doc.strip_tabs {
            text.text = text
                .text
                .split_inclusive('\n')
                .map(|line| line.trim_start_matches('\t'))
                .collect();
        }
        if !text.known && text.taint == Some(Taint::Unknown) {
            // The parts that are known are still worth reading.
            text.taint = None;
        }
        Stream::of(text)
    }

    /// Notes that a file is read, and says what comes out of it.
    pub(crate) fn read_file(&mut self, target: &Text, span: Span) -> Stream {
        if let Some(address) = network_address(&target.text) {
            self.emit(
                EffectKind::Connect {
                    address: address.clone(),
                },
                span,
                Certainty::Proven,
            );
            return Stream::Tainted(Taint::Remote(address));
        }
        let path = self.absolute(&target.text);
        if let Some(content) = self.env.file(&path) {
            return content.clone();
        }
        if matches!(path.as_str(), "/dev/null") {
            return Stream::Empty;
        }
        let secret = self.read_path(target, span);
        if secret {
            Stream::Tainted(Taint::Secret(path))
        } else {
            Stream::Tainted(Taint::File(path))
        }
    }
}

/// The name of a program that takes passwords, where a startup file puts something else in its place.
fn listens_in(text: &str) -> Option<&'static str> {
    const GUARDED: &[&str] = &[
        "sudo", "su", "doas", "ssh", "passwd", "gpg", "login", "scp", "sftp", "pkexec", "ssh-add",
    ];
    let suspect = |value: &str| {
        [
            "read ", "/tmp/", ">>", "| tee", "curl", "wget", "nc ", "/.cache/", "~/.", "/dev/shm",
            "$HOME/.",
        ]
        .iter()
        .any(|word| value.contains(word))
    };
    GUARDED.iter().copied().find(|name| {
        let alias = text.split("alias ").skip(1).any(|rest| {
            rest.trim_start()
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix(['=', ' ']))
                .is_some_and(|value| suspect(value.lines().next().unwrap_or("")))
        });
        let function = text.lines().any(|line| {
            let line = line.trim_start();
            let line = line.strip_prefix("function ").unwrap_or(line);
            line.strip_prefix(name)
                .is_some_and(|rest| rest.trim_start().starts_with(['(', '{']))
        });
        alias || function && suspect(text)
    })
}

/// `/dev/tcp/HOST/PORT` as an address.
pub(crate) fn network_address(path: &str) -> Option<String> {
    let (protocol, rest) = if let Some(rest) = path.strip_prefix("/dev/tcp/") {
        ("tcp", rest)
    } else if let Some(rest) = path.strip_prefix("/dev/udp/") {
        ("udp", rest)
    } else {
        return None;
    };
    let (host, port) = rest.split_once('/').unwrap_or((rest, ""));
    Some(format!("{protocol}://{host}:{port}"))
}
