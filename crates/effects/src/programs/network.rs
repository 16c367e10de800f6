//! Clients and servers: what comes in, what goes out, what listens.

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind};

use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    paths,
    value::{Stream, Taint, Text},
};

impl Analyser<'_> {
    /// A folder is shown to whoever asks. Only one with more than a project in it is worth a word.
    pub(crate) fn serves(&mut self, folder: &Text, span: cmdai_schema::Span) {
        let path = self.absolute(&folder.text);
        let home = self.home();
        if crate::paths::is_catastrophic(&path, &home) || path == home {
            self.emit(EffectKind::Read { path }, span, Certainty::Proven);
        }
    }

    /// What flows out: a file's path where it can be told.
    fn source_of(stream: &Stream) -> String {
        match stream {
            Stream::Tainted(Taint::File(path) | Taint::Secret(path)) => path.clone(),
            _ => "-".to_owned(),
        }
    }

    fn upload(&mut self, source: String, destination: &str, call: &Call<'_>) {
        self.emit(
            EffectKind::Upload {
                source,
                destination: destination.to_owned(),
            },
            call.span,
            Certainty::Proven,
        );
    }

    pub(crate) fn curl(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let mut urls: Vec<Text> = parsed.values("url").cloned().collect();
        urls.extend(parsed.rest().cloned());
        let Some(url) = urls.first().cloned() else {
            return Stream::UNKNOWN;
        };
        let address = url.text.clone();
        let mut sends = false;
        for data in parsed.values("data").cloned().collect::<Vec<_>>() {
            sends = true;
            if parsed.has("get") && !data.text.contains('@') {
                continue;
            }
            let file = match data.text.strip_prefix('@') {
                Some(_) => Some(data.after(1)),
                None => data
                    .text
                    .split_once('@')
                    .filter(|(name, _)| {
                        !name.is_empty()
                            && name.bytes().all(|byte| {
                                byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'='
                            })
                    })
                    .filter(|(name, _)| {
                        call.args.iter().any(|arg| arg.text == "--data-urlencode")
                            && !name.contains('=')
                    })
                    .map(|(name, _)| data.after(name.len() + 1)),
            };
            match file {
                Some(file) if file.text == "-" => {
                    self.upload(Self::source_of(call.stdin), &address, call)
                }
                Some(file) => self.upload_file(&file, &address, call),
                None => {
                    // What a substitution read from a file goes out with it.
                    match &data.taint {
                        Some(Taint::File(path) | Taint::Secret(path)) => {
                            self.upload(path.clone(), &address, call)
                        }
                        Some(_) => self.upload("-".to_owned(), &address, call),
                        None => {}
                    }
                }
            }
        }
        for form in parsed.values("form").cloned().collect::<Vec<_>>() {
            sends = true;
            if let Some(at) = form.text.find(['@', '<']) {
                let file = form.after(at + 1);
                let end = file.text.find(';').unwrap_or(file.text.len());
                let file = Text {
                    text: file.text.get(..end).unwrap_or("").to_owned(),
                    ..file
                };
                if file.text == "-" {
                    self.upload(Self::source_of(call.stdin), &address, call)
                } else {
                    self.upload_file(&file, &address, call)
                }
            }
        }
        for file in parsed.values("upload").cloned().collect::<Vec<_>>() {
            sends = true;
            if matches!(file.text.as_str(), "-" | ".") {
                self.upload(Self::source_of(call.stdin), &address, call)
            } else {
                self.upload_file(&file, &address, call)
            }
        }
        for file in parsed.values("config").cloned().collect::<Vec<_>>() {
            if file.text != "-" {
                self.read_path(&file, file.span);
            }
        }
        // Secrets in the address or a header.
        for text in urls
            .iter()
            .chain(parsed.values("H"))
            .chain(parsed.values("header"))
            .cloned()
            .collect::<Vec<_>>()
        {
            if let Some(Taint::Secret(path) | Taint::File(path)) = &text.taint {
                self.upload(path.clone(), &address, call);
            }
        }
        if address.starts_with("file://") {
            let file = url.after(7);
            let secret = self.read_path(&file, url.span);
            let path = self.absolute(&file.text);
            return Stream::Tainted(if secret {
                Taint::Secret(path)
            } else {
                Taint::File(path)
            });
        }
        if parsed
            .value("socket")
            .is_some_and(|socket| socket.text.ends_with("docker.sock"))
        {
            self.emit(
                EffectKind::Escalate {
                    to: "container-engine".to_owned(),
                },
                call.span,
                Certainty::Proven,
            );
        }
        self.http_verb(parsed, &address, call);
        let output = parsed.value("output").cloned();
        for file in parsed
            .values("output2")
            .filter(|file| file.text != "-")
            .cloned()
            .collect::<Vec<_>>()
        {
            self.write_path(&file, false, call.span);
        }
        if !sends {
            self.download(&urls, output.as_ref(), parsed.has("remote-name"), call)
        } else if let Some(output) = output.filter(|output| output.text != "-") {
            self.write_path(&output, false, call.span);
            let path = self.absolute(&output.text);
            self.env
                .write_file(&path, Stream::Tainted(Taint::Remote(address)), false);
            Stream::Empty
        } else {
            Stream::Tainted(Taint::Remote(address))
        }
    }

    /// What a request asks the other side to do, by its method, address and body.
    fn http_verb(&mut self, parsed: &Parsed<'_>, address: &str, call: &Call<'_>) {
        let method = parsed.value("method").map_or_else(
            || {
                if parsed.has("data") {
                    "POST".to_owned()
                } else {
                    "GET".to_owned()
                }
            },
            |method| method.text.to_ascii_uppercase(),
        );
        self.http_asks(&method, parsed, address, call);
    }

    fn http_asks(&mut self, method: &str, parsed: &Parsed<'_>, address: &str, call: &Call<'_>) {
        let body = parsed
            .values("data")
            .map(|data| data.text.as_str())
            .collect::<Vec<_>>()
            .join("&");
        if self.api(method, address, &body, call.span) {
            return;
        }
        let path = address.split('?').next().unwrap_or(address);
        let said = |text: &str| {
            [
                "_delete_by_query",
                "delete_series",
                "delete-batch",
                "doDelete",
                "/delete",
                "/purge",
                "/destroy",
                "/_close",
            ]
            .iter()
            .any(|word| text.contains(word))
        };
        let mutation = parsed.values("data").any(|data| {
            data.text.contains("mutation")
                && ["Delete", "delete", "Destroy", "destroy", "Remove"]
                    .iter()
                    .any(|word| data.text.contains(word))
        });
        let bodies: Vec<&Text> = parsed.values("data").collect();
        if self.store_request(method, address, &bodies, call.span) {
            return;
        }
        let (name, provider) = (address.to_owned(), "http".to_owned());
        if method == "DELETE" || method != "GET" && said(path) || mutation {
            self.emit(
                EffectKind::ResourceDestroy {
                    resource: "http".to_owned(),
                    name,
                    provider,
                    context: None,
                },
                call.span,
                Certainty::Likely,
            );
        }
    }

    fn upload_file(&mut self, file: &Text, address: &str, call: &Call<'_>) {
        let path = self.absolute(&file.text);
        let source = match self.env.file(&path) {
            Some(Stream::Tainted(Taint::File(path) | Taint::Secret(path))) => path.clone(),
            _ => {
                self.read_path(file, file.span);
                path
            }
        };
        self.upload(source, address, call);
    }

    /// Data comes in: into a file, or down the pipe.
    fn download(
        &mut self,
        urls: &[Text],
        output: Option<&Text>,
        remote_name: bool,
        call: &Call<'_>,
    ) -> Stream {
        let mut printed = Stream::Empty;
        for url in urls {
            let address = url.text.clone();
            let content = Stream::Tainted(Taint::Remote(address.clone()));
            let name = paths::base_name(address.split(['?', '#']).next().unwrap_or("")).to_owned();
            let file = match output {
                Some(file) if file.text == "-" => None,
                Some(file) => Some(file.clone()),
                None if remote_name => Some(Text::known(name, url.span)),
                None => None,
            };
            let to = file.as_ref().map(|file| self.absolute(&file.text));
            self.emit(
                EffectKind::Download {
                    url: address,
                    to: to.clone(),
                },
                call.span,
                if url.known {
                    Certainty::Proven
                } else {
                    Certainty::Likely
                },
            );
            match (file, to) {
                (Some(file), Some(to)) => {
                    self.write_path(&file, false, call.span);
                    self.env.write_file(&to, content, false);
                }
                _ => printed = printed.then(content),
            }
        }
        printed
    }

    pub(crate) fn wget(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let skip = usize::from(
            matches!(call.name, "http" | "https" | "xh")
                && parsed.nth(1).is_some_and(|method| {
                    matches!(
                        method.text.as_str(),
                        "GET" | "POST" | "PUT" | "DELETE" | "PATCH" | "HEAD"
                    )
                }),
        );
        // `http DELETE :9200/index`: `:` stands for this machine.
        let short = |text: &str| {
            text.strip_prefix(':').is_some_and(|rest| {
                rest.is_empty()
                    || rest.starts_with(|next: char| next == '/' || next.is_ascii_digit())
            }) || text.starts_with("localhost")
        };
        let urls: Vec<Text> = parsed
            .rest()
            .skip(skip)
            .enumerate()
            .filter(|(at, text)| {
                !matches!(call.name, "http" | "https" | "xh")
                    || text.text.contains("://")
                    || text.text.contains('.') && !text.text.contains('=')
                    || *at == 0 && short(&text.text)
            })
            .map(|(_, text)| match text.text.strip_prefix(':') {
                Some(rest) if short(&text.text) => {
                    let port = if rest.starts_with('/') || rest.is_empty() {
                        ""
                    } else {
                        ":"
                    };
                    Text {
                        text: format!("http://localhost{port}{rest}"),
                        ..text.clone()
                    }
                }
                _ => text.clone(),
            })
            .collect();
        let Some(url) = urls.first() else {
            return Stream::UNKNOWN;
        };
        let address = url.text.clone();
        if skip == 1
            && let Some(method) = parsed.nth(1)
        {
            self.http_asks(&method.text.clone(), parsed, &address, call);
        }
        if let Some(file) = parsed.value("post-file").cloned() {
            self.upload_file(&file, &address, call);
            return Stream::Tainted(Taint::Remote(address));
        }
        if let Some(data) = parsed.value("post-data").cloned() {
            if let Some(taint) = &data.taint {
                let source = Self::source_of(&Stream::Tainted(taint.clone()));
                self.upload(source, &address, call);
            }
            return Stream::Tainted(Taint::Remote(address));
        }
        if let Some(Taint::Secret(path) | Taint::File(path)) = &url.taint {
            self.upload(path.clone(), &address, call);
        }
        let output = parsed.value("output").cloned();
        let saves = matches!(call.name, "wget" | "wget2" | "aria2c" | "axel");
        if saves
            && output.is_none()
            && let Some(folder) = parsed.value("folder").cloned()
        {
            let name = paths::base_name(address.split(['?', '#']).next().unwrap_or("")).to_owned();
            let file = Text {
                text: format!("{}/{name}", folder.text),
                ..folder
            };
            return self.download(&urls, Some(&file), false, call);
        }
        self.download(&urls, output.as_ref(), saves, call)
    }

    pub(crate) fn netcat(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        self.balancer_socket(call, parsed);
        let port = parsed.value("port").map(|port| port.text.clone());
        let operands: Vec<String> = parsed.rest().map(|text| text.text.clone()).collect();
        let address = match operands.as_slice() {
            [host, port, ..] => format!("{host}:{port}"),
            [one] => one.clone(),
            [] => port.clone().unwrap_or_default(),
        };
        let listens = parsed.has("listen");
        if listens {
            let address = port.unwrap_or_else(|| operands.last().cloned().unwrap_or_default());
            self.emit(EffectKind::Listen { address }, call.span, Certainty::Proven);
        } else if !address.is_empty() {
            self.emit(
                EffectKind::Connect {
                    address: address.clone(),
                },
                call.span,
                Certainty::Proven,
            );
        }
        let program = parsed
            .value("exec")
            .or_else(|| parsed.value("command"))
            .cloned();
        if let Some(program) = program {
            if Dialect::from_name(program.text.split_whitespace().next().unwrap_or("")).is_some() {
                self.emit_code(CodeSource::Remote(address.clone()), "shell", call.span);
            } else {
                self.shell_code(
                    &program,
                    Dialect::Sh,
                    &Stream::Tainted(Taint::Remote(address.clone())),
                    true,
                );
            }
        } else if !listens && !parsed.has("scan") {
            match call.stdin {
                Stream::Empty => {}
                stream => {
                    self.upload(Self::source_of(stream), &address, call);
                    if let Stream::Known(text) = stream {
                        let port = address.rsplit(':').next().unwrap_or("");
                        self.wire(&Text::known(text.clone(), call.span), port);
                    }
                }
            }
        } else if listens && let Stream::Tainted(Taint::File(_) | Taint::Secret(_)) = call.stdin {
            self.upload(Self::source_of(call.stdin), &address, call);
        }
        Stream::Tainted(Taint::Remote(address))
    }

    pub(crate) fn socat(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        self.balancer_socket(call, parsed);
        let mut remote = None;
        let mut programs: Vec<Text> = Vec::new();
        for operand in parsed.rest().cloned().collect::<Vec<_>>() {
            let lower = operand.text.to_ascii_lowercase();
            let Some((kind, _)) = lower.split_once(':') else {
                continue;
            };
            let rest = operand.after(kind.len() + 1);
            let plain = rest.text.split(',').next().unwrap_or("").to_owned();
            if kind.contains("listen")
                || matches!(kind, "tcp-l" | "tcp4-l" | "tcp6-l" | "udp-l" | "udp-recv")
            {
                self.emit(
                    EffectKind::Listen {
                        address: plain.clone(),
                    },
                    call.span,
                    Certainty::Proven,
                );
                remote = Some(plain);
            } else if kind.starts_with("tcp")
                || kind.starts_with("udp")
                || kind.starts_with("ssl")
                || kind.starts_with("openssl")
                || kind.starts_with("sctp")
            {
                self.emit(
                    EffectKind::Connect {
                        address: plain.clone(),
                    },
                    call.span,
                    Certainty::Proven,
                );
                remote = Some(plain);
            } else if matches!(kind, "exec" | "system" | "shell") {
                programs.push(Text {
                    text: plain,
                    ..rest
                });
            } else if matches!(kind, "file" | "open" | "gopen" | "create") {
                let file = Text {
                    text: plain,
                    ..rest
                };
                self.read_path(&file, file.span);
            }
        }
        for program in programs {
            let first = program
                .text
                .trim_matches(['\'', '"'])
                .split_whitespace()
                .next()
                .unwrap_or("")
                .to_owned();
            match (&remote, Dialect::from_name(&first)) {
                (Some(address), Some(_)) => {
                    self.emit_code(CodeSource::Remote(address.clone()), "shell", call.span)
                }
                _ => {
                    self.shell_code(&program, Dialect::Sh, &Stream::Empty, true);
                }
            }
        }
        if let (Some(address), false) = (&remote, *call.stdin == Stream::Empty) {
            self.upload(Self::source_of(call.stdin), address, call);
        }
        remote.map_or(Stream::UNKNOWN, |address| {
            Stream::Tainted(Taint::Remote(address))
        })
    }

    pub(crate) fn network_info(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match call.name {
            "dig" | "nslookup" | "host" | "ping" => {
                // Names made from data carry it out.
                for operand in parsed.rest().cloned().collect::<Vec<_>>() {
                    if let Some(Taint::Secret(path) | Taint::File(path)) = &operand.taint {
                        self.upload(path.clone(), "dns", call);
                    }
                }
                if *call.stdin != Stream::Empty && call.name != "ping" {
                    return Stream::UNKNOWN;
                }
            }
            "tcpdump" | "tshark" => {
                if let Some(file) = parsed
                    .value("write")
                    .cloned()
                    .filter(|file| file.text != "-")
                {
                    self.write_path(&file, false, call.span);
                }
            }
            _ => {}
        }
        Stream::UNKNOWN
    }

    /// `openssl s_client`: what flows in goes out; a line that is known, or nothing, asks for the
    /// certificate.
    pub(crate) fn tls(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if let Some(address) = parsed.value("connect").cloned() {
            if matches!(call.stdin, Stream::Tainted(_) | Stream::Partial(_)) {
                self.upload(Self::source_of(call.stdin), &address.text, call);
            }
            return Stream::Tainted(Taint::Remote(address.text));
        }
        self.printed_by(call, parsed)
    }

    pub(crate) fn mail(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let to = parsed
            .rest()
            .last()
            .map_or("mail", |text| text.text.as_str())
            .to_owned();
        if *call.stdin != Stream::Empty {
            self.upload(Self::source_of(call.stdin), &to, call);
        }
        Stream::Empty
    }
}
