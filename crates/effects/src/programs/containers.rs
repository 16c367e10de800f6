//! Container engines and clusters.

use cmdai_schema::{Certainty, EffectKind};

use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    value::{Stream, Text},
};

/// Options of `run`, `create` and `exec` that take a value.
const VALUED: &[&str] = &[
    "-e",
    "--env",
    "-v",
    "--volume",
    "--mount",
    "-p",
    "--publish",
    "-w",
    "--workdir",
    "-u",
    "--user",
    "--name",
    "--network",
    "--net",
    "--entrypoint",
    "-h",
    "--hostname",
    "-l",
    "--label",
    "--env-file",
    "-m",
    "--memory",
    "--cpus",
    "--gpus",
    "--device",
    "--cap-add",
    "--cap-drop",
    "--security-opt",
    "--restart",
    "--platform",
    "--pid",
    "--ipc",
    "--userns",
    "--uts",
    "--cgroupns",
    "--volumes-from",
    "--link",
    "--log-driver",
    "--log-opt",
    "--ulimit",
    "--shm-size",
    "--tmpfs",
    "--add-host",
    "--dns",
    "--pull",
    "--runtime",
    "--stop-signal",
    "--group-add",
    "--expose",
    "-a",
    "--attach",
    "--annotation",
    "--detach-keys",
    "--cidfile",
    "--ip",
    "--mac-address",
    "--health-cmd",
    "--init-path",
    "--isolation",
    "--oom-score-adj",
    "--pids-limit",
    "--sysctl",
    "--storage-opt",
    "--index",
    "--cpu-shares",
    "-c",
    "--cpuset-cpus",
];

/// A flag, also among joined short ones: `-af`.
fn has_short(args: &[Text], letter: char, long: &str) -> bool {
    args.iter().any(|arg| {
        let text = arg.text.as_str();
        text == long
            || text
                .strip_prefix('-')
                .is_some_and(|rest| !rest.starts_with('-') && rest.contains(letter))
    })
}

impl Analyser<'_> {
    pub(crate) fn docker(&mut self, call: &Call<'_>) -> Stream {
        let mut at = 0;
        let mut context = None;
        while let Some(arg) = call.args.get(at) {
            match arg.text.as_str() {
                "-H" | "--host" | "-c" | "--context" => {
                    context = call.args.get(at + 1).map(|value| value.text.clone());
                    at += 2;
                }
                "--connection" | "--url" => {
                    context = call.args.get(at + 1).map(|value| value.text.clone());
                    at += 2;
                }
                "--config" | "-l" | "--log-level" | "--identity" | "--root" | "--runroot"
                | "--storage-driver" | "--storage-opt" | "--tlscacert" | "--tlscert"
                | "--tlskey" | "--namespace" | "--address" | "--data-root" | "--cgroup-manager"
                | "--events-backend" | "--runtime" | "--tmpdir" | "--module" => at += 2,
                text if text.starts_with('-') => at += 1,
                _ => break,
            }
        }
        let words = call.args.get(at..).unwrap_or_default();
        let verb = |index: usize| {
            words
                .get(index)
                .map_or("", |word| word.text.as_str())
                .to_owned()
        };
        let (first, second) = (verb(0), verb(1));
        let rest = |from: usize| words.get(from..).unwrap_or_default();
        // Asking how it is called does nothing; behind the image it is the program's option.
        if !matches!(first.as_str(), "run" | "exec" | "create")
            && !matches!(second.as_str(), "run" | "exec" | "create")
            && words.iter().any(|word| word.text == "--help")
        {
            return Stream::UNKNOWN;
        }
        let group = matches!(
            first.as_str(),
            "container"
                | "image"
                | "volume"
                | "network"
                | "system"
                | "builder"
                | "buildx"
                | "context"
                | "swarm"
                | "stack"
                | "service"
                | "secret"
                | "config"
                | "node"
                | "pod"
                | "machine"
                | "plugin"
                | "trust"
        );
        if first == "compose" {
            return self.compose(call, rest(1));
        }
        let (kind, action, args) = if group {
            (first.as_str(), second.as_str(), rest(2))
        } else {
            ("container", first.as_str(), rest(1))
        };
        let operands = |args: &[Text]| -> Vec<String> {
            args.iter()
                .filter(|arg| !arg.text.starts_with('-'))
                .map(|arg| arg.text.clone())
                .collect()
        };
        match (kind, action) {
            ("container", "run" | "create") => return self.container_run(call, args, true),
            ("container", "exec") => return self.container_run(call, args, false),
            ("container", "cp") => {
                let all: Vec<&Text> = args
                    .iter()
                    .filter(|arg| !arg.text.starts_with('-'))
                    .collect();
                if let [from, to] = all.as_slice() {
                    if !super::files::is_remote(&from.text) {
                        self.read_path(from, from.span);
                    }
                    if !super::files::is_remote(&to.text) {
                        self.write_path(to, true, call.span);
                    }
                }
            }
            (
                "system" | "builder" | "buildx" | "image" | "volume" | "network" | "container"
                | "pod",
                "prune",
            ) => {
                let kind = match kind {
                    "builder" | "buildx" => "cache",
                    // What stopped containers wrote is lost with them.
                    "container" | "pod" => "stopped-containers",
                    "image" if has_short(args, 'a', "--all") => "unused-images",
                    kind => kind,
                };
                self.resource(true, kind, "prune", &context, call);
            }
            ("container", "rm" | "remove" | "kill")
            | (
                "image" | "volume" | "network" | "stack" | "service" | "secret" | "config" | "node"
                | "pod" | "machine" | "context",
                "rm" | "remove" | "delete",
            ) => {
                let names = operands(args);
                let kind =
                    if kind == "container" && action != "kill" && has_short(args, 'v', "--volumes")
                    {
                        "container-with-volumes"
                    } else {
                        kind
                    };
                // `podman rm -a`
                let all = args.iter().any(|arg| {
                    arg.text == "--all"
                        || arg.text.starts_with('-')
                            && !arg.text.starts_with("--")
                            && arg.text.contains('a')
                });
                if names.is_empty() && all {
                    self.resource(true, kind, "all", &context, call);
                }
                for name in names {
                    self.resource(true, kind, &name, &context, call);
                }
            }
            ("container", "rmi") => {
                for name in operands(args) {
                    self.resource(true, "image", &name, &context, call);
                }
            }
            ("service", "scale" | "update")
                if args
                    .iter()
                    .any(|arg| arg.text.ends_with("=0") || arg.text == "--replicas=0") =>
            {
                let name = operands(args).pop().unwrap_or_default();
                let name = name.split('=').next().unwrap_or("").to_owned();
                self.resource(false, "service-availability", &name, &context, call);
            }
            ("node", "update")
                if args.iter().any(|arg| {
                    matches!(arg.text.as_str(), "drain" | "pause")
                        || arg.text == "--availability=drain"
                        || arg.text == "--availability=pause"
                }) =>
            {
                let name = operands(args).pop().unwrap_or_default();
                self.resource(false, "node-availability", &name, &context, call);
            }
            ("stack", "down") => {
                for name in operands(args) {
                    self.resource(true, "stack", &name, &context, call);
                }
            }
            ("trust", "revoke") => self.resource(true, "signature", &second, &context, call),
            ("buildx", "rm") => self.resource(true, "builder", "builder", &context, call),
            ("swarm", "leave") => self.resource(true, "swarm", "self", &context, call),
            ("system", "reset") => self.resource(true, "system", "reset", &context, call),
            ("container", "stop" | "restart" | "pause" | "start" | "update" | "rename")
            | ("service", "update" | "scale") => {
                for name in operands(args) {
                    self.resource(false, kind, &name, &context, call);
                }
            }
            ("container", "push") => {
                let name = operands(args).pop().unwrap_or_default();
                self.emit(
                    EffectKind::Upload {
                        source: name,
                        destination: "registry".to_owned(),
                    },
                    call.span,
                    Certainty::Proven,
                );
            }
            ("container", "pull") => {
                let name = operands(args).pop().unwrap_or_default();
                self.emit(
                    EffectKind::Download {
                        url: name,
                        to: None,
                    },
                    call.span,
                    Certainty::Proven,
                );
            }
            _ => {}
        }
        Stream::UNKNOWN
    }

    pub(crate) fn resource(
        &mut self,
        destroys: bool,
        resource: &str,
        name: &str,
        context: &Option<String>,
        call: &Call<'_>,
    ) {
        let (resource, name, provider, context) = (
            resource.to_owned(),
            name.to_owned(),
            "docker".to_owned(),
            context.clone(),
        );
        let kind = if destroys {
            EffectKind::ResourceDestroy {
                resource,
                name,
                provider,
                context,
            }
        } else {
            EffectKind::ResourceChange {
                resource,
                name,
                provider,
                context,
            }
        };
        self.emit(kind, call.span, Certainty::Proven);
    }

    /// `run OPTIONS IMAGE PROGRAM…` and `exec OPTIONS CONTAINER PROGRAM…`.
    fn container_run(&mut self, call: &Call<'_>, args: &[Text], new: bool) -> Stream {
        let mut at = 0;
        let mut mounts: Vec<(String, String)> = Vec::new();
        let mut entry: Option<Text> = None;
        let mut powers: Vec<&str> = Vec::new();
        while let Some(arg) = args.get(at) {
            let text = arg.text.as_str();
            if !text.starts_with('-') {
                break;
            }
            at += 1;
            let (name, mut value) = match text.split_once('=') {
                Some((name, value)) if text.starts_with("--") => (name, Some(value.to_owned())),
                _ if !text.starts_with("--")
                    && text.len() > 2
                    && matches!(text.get(..2), Some("-v" | "-e" | "-p" | "-w" | "-u")) =>
                {
                    (
                        text.get(..2).unwrap_or(""),
                        text.get(2..).map(str::to_owned),
                    )
                }
                _ => (text, None),
            };
            if value.is_none() && VALUED.contains(&name) {
                value = args.get(at).map(|value| value.text.clone());
                at += 1;
            }
            match (name, value.as_deref()) {
                ("-v" | "--volume", Some(value)) => {
                    let mut parts = value.splitn(3, ':');
                    if let (Some(from), Some(to)) = (parts.next(), parts.next()) {
                        mounts.push((from.to_owned(), to.to_owned()));
                    }
                }
                ("--mount", Some(value)) => {
                    let field = |names: &[&str]| {
                        value.split(',').find_map(|field| {
                            field
                                .split_once('=')
                                .filter(|(name, _)| names.contains(name))
                                .map(|(_, value)| value.to_owned())
                        })
                    };
                    if let (Some(from), Some(to)) = (
                        field(&["source", "src"]),
                        field(&["target", "destination", "dst"]),
                    ) {
                        mounts.push((from, to));
                    }
                }
                ("--entrypoint", Some(value)) => entry = Some(Text::known(value, arg.span)),
                ("--privileged", _) => powers.push("privileged-container"),
                ("--cap-add", Some(value))
                    if matches!(
                        value.to_ascii_uppercase().trim_start_matches("CAP_"),
                        "ALL"
                            | "SYS_ADMIN"
                            | "SYS_PTRACE"
                            | "SYS_MODULE"
                            | "DAC_READ_SEARCH"
                            | "NET_ADMIN"
                            | "SYS_RAWIO"
                    ) =>
                {
                    powers.push("privileged-container")
                }
                ("--pid" | "--ipc" | "--userns" | "--uts", Some("host")) => {
                    powers.push("host-namespace")
                }
                ("--network" | "--net", Some("host")) if new => {}
                ("--security-opt", Some(value))
                    if value.contains("unconfined") || value.contains("disable") =>
                {
                    powers.push("unconfined-container")
                }
                ("--device", Some(value))
                    if crate::paths::is_device(value.split(':').next().unwrap_or("")) =>
                {
                    powers.push("host-device")
                }
                _ => {}
            }
        }
        for power in powers {
            self.emit(
                EffectKind::Escalate {
                    to: power.to_owned(),
                },
                call.span,
                Certainty::Proven,
            );
        }
        let mut inside: Vec<(String, String)> = Vec::new();
        for (from, to) in mounts {
            if !from.starts_with(['/', '.', '~', '$']) {
                continue;
            }
            let path = self.absolute(&from);
            // The work tree is what such mounts are for; system folders are not.
            let home = self.home();
            if path.ends_with("docker.sock") {
                self.emit(
                    EffectKind::Escalate {
                        to: "container-engine".to_owned(),
                    },
                    call.span,
                    Certainty::Proven,
                );
            } else if crate::paths::is_catastrophic(&path, &home)
                || path.starts_with("/etc")
                || path.starts_with("/proc")
                || path.starts_with("/root")
                || path.ends_with("/.ssh")
            {
                self.emit(
                    EffectKind::Mount { path: path.clone() },
                    call.span,
                    Certainty::Proven,
                );
            }
            inside.push((to.trim_end_matches('/').to_owned(), path));
        }
        // The image or container, then the program.
        let Some(image) = args.get(at) else {
            return Stream::UNKNOWN;
        };
        let _ = image;
        let mut words: Vec<Text> = entry.into_iter().collect();
        words.extend(args.get(at + 1..).unwrap_or_default().iter().cloned());
        if words.is_empty() {
            return Stream::UNKNOWN;
        }
        let first = self.effects.len();
        let before = self.env.clone();
        self.env.cwd = "/".to_owned();
        let printed = self.call(&words, Vec::new(), call.stdin, call.span);
        self.env = before;
        // What happens to a mounted folder happens to the folder of this machine.
        for effect in self.effects.get_mut(first..).unwrap_or_default() {
            if let EffectKind::Delete { path, .. }
            | EffectKind::Overwrite { path }
            | EffectKind::Write { path }
            | EffectKind::ChangeMode { path, .. }
            | EffectKind::ChangeOwner { path, .. }
            | EffectKind::Read { path }
            | EffectKind::ReadSecret { path } = &mut effect.kind
            {
                for (to, from) in &inside {
                    if let Some(rest) = path.strip_prefix(to.as_str())
                        && (rest.is_empty() || rest.starts_with('/'))
                    {
                        let mapped = crate::paths::normalise(&format!("{from}{rest}"), "/");
                        *path = mapped;
                        break;
                    }
                }
            }
        }
        printed
    }

    pub(crate) fn compose(&mut self, call: &Call<'_>, args: &[Text]) -> Stream {
        let mut at = 0;
        while let Some(arg) = args.get(at) {
            match arg.text.as_str() {
                "-f"
                | "--file"
                | "-p"
                | "--project-name"
                | "--profile"
                | "--env-file"
                | "--project-directory"
                | "--ansi"
                | "--progress"
                | "--parallel" => at += 2,
                text if text.starts_with('-') => at += 1,
                _ => break,
            }
        }
        if args
            .iter()
            .take_while(|arg| !matches!(arg.text.as_str(), "exec" | "run"))
            .any(|arg| matches!(arg.text.as_str(), "--dry-run" | "--help"))
        {
            return Stream::UNKNOWN;
        }
        let rest = args.get(at + 1..).unwrap_or_default();
        let has = |names: &[&str]| rest.iter().any(|arg| names.contains(&arg.text.as_str()));
        match args.get(at).map_or("", |verb| verb.text.as_str()) {
            "down" => {
                if has_short(rest, 'v', "--volumes") {
                    self.resource(true, "volumes", "all", &None, call);
                }
                if has(&["--rmi"]) {
                    self.resource(true, "images", "all", &None, call);
                }
                self.resource(false, "stack", "down", &None, call);
            }
            "rm" => {
                let kind = if has_short(rest, 'v', "--volumes") {
                    "anonymous-volume"
                } else {
                    "container"
                };
                self.resource(true, kind, "stack", &None, call);
            }
            "stop" | "kill" | "restart" => self.resource(false, "stack", "stop", &None, call),
            "exec" | "run" => return self.container_run(call, rest, false),
            _ => {}
        }
        Stream::UNKNOWN
    }

    pub(crate) fn kubectl(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let sub = parsed.sub().to_owned();
        match sub.as_str() {
            "exec" | "run" | "debug" => {
                let overridden = call
                    .args
                    .iter()
                    .filter(|arg| arg.text.contains('{'))
                    .find_map(|arg| super::loaded::power_of(&arg.text));
                if let (Some(power), "run") = (overridden, sub.as_str()) {
                    self.powerful_workload(power, parsed.context(), call.span);
                }
                let dashes = call.args.iter().position(|arg| arg.text == "--");
                let words = match dashes {
                    Some(at) => call.args.get(at + 1..).unwrap_or_default(),
                    // The old form: `exec POD PROGRAM…`
                    None if sub == "exec" => parsed
                        .operands
                        .get(2)
                        .and_then(|&(at, _)| call.args.get(at..))
                        .unwrap_or_default(),
                    None => &[],
                };
                if sub == "debug"
                    && parsed
                        .nth(2)
                        .is_some_and(|target| target.text.starts_with("node/"))
                {
                    self.emit(
                        EffectKind::Escalate {
                            to: "node".to_owned(),
                        },
                        call.span,
                        Certainty::Proven,
                    );
                }
                if !words.is_empty() {
                    let before = self.env.clone();
                    self.env.cwd = "/".to_owned();
                    let printed = self.call(words, Vec::new(), call.stdin, call.span);
                    self.env = before;
                    return printed;
                }
            }
            "apply" | "create" | "replace" => {
                self.manifest(call, parsed);
                if let Some(file) = parsed
                    .value("file")
                    .filter(|file| file.text.starts_with("http"))
                {
                    let url = file.text.clone();
                    self.emit(
                        EffectKind::Download { url, to: None },
                        call.span,
                        Certainty::Proven,
                    );
                }
            }
            _ => {}
        }
        Stream::UNKNOWN
    }

    /// A manifest that the line holds: what it asks for is known.
    fn manifest(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) {
        if parsed.has("dry") {
            return;
        }
        for file in parsed.values("file").cloned().collect::<Vec<_>>() {
            let power = if file.text == "-" {
                call.stdin.known().and_then(super::loaded::power_of)
            } else {
                let path = self.absolute(&file.text);
                self.env
                    .file(&path)
                    .and_then(Stream::known)
                    .and_then(super::loaded::power_of)
            };
            if let Some(power) = power {
                self.powerful_workload(power, parsed.context(), call.span);
            }
        }
    }

    /// A workload with the machine's own rights, by what its manifest asks for.
    fn powerful_workload(
        &mut self,
        power: &str,
        context: Option<String>,
        span: cmdai_schema::Span,
    ) {
        self.emit(
            EffectKind::ResourceChange {
                resource: "privileged-workload".to_owned(),
                name: power.to_owned(),
                provider: "kubernetes".to_owned(),
                context,
            },
            span,
            Certainty::Proven,
        );
    }

    /// `vagrant ssh -c`, `limactl shell`, `lxc exec`, `multipass exec`.
    pub(crate) fn instances(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let sub = parsed.sub().to_owned();
        if matches!(sub.as_str(), "exec" | "shell" | "ssh" | "run") {
            if let Some(at) = call
                .args
                .iter()
                .position(|arg| matches!(arg.text.as_str(), "--" | "-c" | "--command"))
            {
                let rest = call.args.get(at + 1..).unwrap_or_default();
                if call.args.get(at).is_some_and(|arg| arg.text == "--") {
                    return self.call(rest, Vec::new(), call.stdin, call.span);
                }
                if let Some(code) = rest.first() {
                    return self.shell_code(
                        &code.clone(),
                        cmdai_schema::Dialect::Sh,
                        call.stdin,
                        true,
                    );
                }
            }
            if let Some(&(at, _)) = parsed.operands.get(2) {
                return self.call(
                    call.args.get(at..).unwrap_or_default(),
                    Vec::new(),
                    call.stdin,
                    call.span,
                );
            }
        }
        Stream::UNKNOWN
    }
}
