//! Code that runs: from the network, hidden by an encoding, or not to be seen at all.

use cmdai_schema::Risk::{Critical, High, Moderate};
use cmdai_schema::{Certainty, CodeSource, Effect, EffectKind, Invocation};

use super::Judge;
use super::files::quoted;
use crate::place::Place;
use crate::reach::host;

/// Programs that turn hidden text into code.
const DECODERS: &[&str] = &[
    "base64", "base32", "xxd", "openssl", "uudecode", "rev", "gpg", "gunzip", "zcat", "bzip2",
    "xz", "tr", "hexdump", "od", "basenc",
];
/// Programs that open raw connections.
pub(super) const RAW: &[&str] = &[
    "nc",
    "ncat",
    "netcat",
    "socat",
    "telnet",
    "nc.traditional",
    "nc.openbsd",
];
/// Variables that make a program run something of the caller's choice.
const INJECTORS: &[&str] = &[
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LD_AUDIT",
    "DYLD_INSERT_LIBRARIES",
    "BASH_ENV",
    "ENV",
    "PROMPT_COMMAND",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_EXTERNAL_DIFF",
    "GIT_EDITOR",
    "GIT_PAGER",
    "GIT_ASKPASS",
    "GIT_EXEC_PATH",
    "PAGER",
    "EDITOR",
    "VISUAL",
    "PYTHONSTARTUP",
    "PYTHONPATH",
    "NODE_OPTIONS",
    "PERL5OPT",
    "PERL5LIB",
    "RUBYLIB",
    "NODE_PATH",
    "GEM_PATH",
    "LUA_PATH",
    "CLASSPATH",
    "DYLD_LIBRARY_PATH",
    "RUBYOPT",
    "SHELLOPTS",
    "LESSOPEN",
    "MANPAGER",
    "RUSTC_WRAPPER",
    "CC",
    "GIT_PROXY_COMMAND",
    "SSH_ASKPASS",
    "BROWSER",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "PERL5LIB",
    "PERL5DB",
    "RUBYLIB",
    "NODE_PATH",
    "CLASSPATH",
    "GCONV_PATH",
    "LD_DEBUG_OUTPUT",
    "GIT_TEMPLATE_DIR",
    "GIT_CONFIG_GLOBAL",
    "ZDOTDIR",
    "TERMINFO",
    "PYTHONHOME",
    "PYTHONBREAKPOINT",
    "MAKEFLAGS",
    "npm_config_script_shell",
    "RUSTC",
    "CXX",
    "SUDO_EDITOR",
    "SYSTEMD_EDITOR",
    "SYSTEMD_PAGER",
];
const SHELLS: &[&str] = &[
    "sh", "bash", "zsh", "dash", "ksh", "fish", "ash", "busybox", "pwsh", "cmd.exe",
];

pub(super) fn judge(judge: &mut Judge<'_>, effect: &Effect) {
    match &effect.kind {
        EffectKind::RunCode { source, language } => run(judge, effect, source, language),
        EffectKind::Unknown { why } => unknown(judge, effect, why),
        // Only this machine can come in.
        EffectKind::Listen { address }
            if address.starts_with("127.0.0.1") || judge.has_flag(effect, &["127.0.0.1"]) => {}
        EffectKind::Listen { address } => {
            let bare = |path: &str| {
                matches!(
                    judge.places.of(path),
                    Place::Root | Place::Home | Place::HomeStore | Place::SystemRoot
                )
            };
            let shown = judge
                .request
                .analysis
                .effects
                .iter()
                .find_map(|other| match &other.kind {
                    EffectKind::Read { path } if other.span == effect.span && bare(path) => {
                        Some(path.as_str())
                    }
                    _ => None,
                });
            let (risk, reason) = match shown {
                Some(path) => (
                    High,
                    format!("shows {path} with all that is in it to others"),
                ),
                None if address.starts_with("a reverse tunnel") => (
                    High,
                    format!("lets others in past every firewall, by {address}"),
                ),
                None => (Moderate, format!("opens {address} to others")),
            };
            judge.hit("net.listen", risk, effect, reason, None);
        }
        _ => {}
    }
}

/// True for an address of this machine.
pub(super) fn is_local(address: &str) -> bool {
    let host = host(address).trim_matches(['[', ']']);
    matches!(
        host,
        "localhost" | "127.0.0.1" | "::1" | "0.0.0.0" | "host.docker.internal"
    ) || host.starts_with("127.")
        || host.ends_with(".localhost")
        || host.is_empty()
}

fn run(judge: &mut Judge<'_>, effect: &Effect, source: &CodeSource, language: &str) {
    match source {
        CodeSource::Literal => {
            if let Some(decoder) = decoder(judge, effect) {
                // Code is packed to be small; it is encoded to be overlooked.
                let packed = ["gunzip", "zcat", "bzip2", "xz"].contains(&decoder);
                judge.hit(
                    "exec.decoded-code",
                    if packed { Moderate } else { High },
                    effect,
                    format!("runs code that `{decoder}` made readable"),
                    None,
                );
            }
        }
        CodeSource::File(path) => {
            let place = judge.places.of(path);
            let injected = ["preload", "library", "plugin", "injected", "native"]
                .iter()
                .any(|word| language.contains(word))
                || effect
                    .span
                    .of(judge.request.text)
                    .split_once('=')
                    .is_some_and(|(name, _)| INJECTORS.contains(&name))
                || judge.call(effect).is_some_and(|call| {
                    call.assignments
                        .iter()
                        .any(|(name, _)| INJECTORS.contains(&name.as_str()))
                });
            if injected
                && matches!(
                    place,
                    Place::Temporary | Place::Unknown | Place::HomeFile | Place::Project
                )
            {
                judge.hit(
                    "exec.injected",
                    High,
                    effect,
                    format!("makes a program run {path}"),
                    None,
                );
            } else if language == "shell" && is_media(path) {
                judge.hit(
                    "exec.decoded-code",
                    High,
                    effect,
                    format!("runs code that is hidden in {path}"),
                    None,
                );
            } else if place == Place::Temporary && is_hidden(path) {
                judge.hit(
                    "exec.temp-file",
                    High,
                    effect,
                    format!("runs {path}, hidden in a folder that anybody may write"),
                    None,
                );
            } else if place == Place::Temporary {
                let instead = (language != "unknown").then(|| format!("less {}", quoted(path)));
                judge.hit(
                    "exec.temp-file",
                    if takes_script(judge, effect, path) {
                        High
                    } else {
                        Moderate
                    },
                    effect,
                    format!("runs {path} from a folder that anybody may write"),
                    instead,
                );
            }
        }
        CodeSource::Remote(url) => remote(judge, effect, url),
        CodeSource::Unknown => {
            if let Some(decoder) = decoder(judge, effect) {
                let reason =
                    format!("runs code that `{decoder}` unpacks, nobody can read it first");
                judge.hit("exec.decoded-code", Critical, effect, reason, None);
                return;
            }
            if judge.request.analysis.invocations.iter().any(|call| {
                same_pipeline(judge, call, effect) && RAW.contains(&call.program.as_str())
            }) {
                let reason = "runs what somebody else sends over a raw connection";
                judge.hit("net.reverse-shell", Critical, effect, reason, None);
                return;
            }
            judge.hit(
                "exec.unknown-code",
                High,
                effect,
                "runs code that cannot be seen from the command",
                None,
            );
        }
    }
}

/// A shell is given a script from a temporary folder, or takes it into itself. What a build left there
/// and what other languages run is said, and not asked about; so is the set-up of an environment.
fn takes_script(judge: &Judge<'_>, effect: &Effect, path: &str) -> bool {
    let by_shell = judge.call(effect).is_some_and(|call| {
        matches!(call.program.as_str(), "." | "source") || SHELLS.contains(&call.program.as_str())
    });
    (by_shell || path.ends_with(".sh"))
        && !is_own(judge, path)
        && !["/bin/activate", "/bin/activate.fish", "/Scripts/activate"]
            .iter()
            .any(|end| path.ends_with(end))
}

/// Below where one stands, in a folder of one's own within a temporary place: a checkout to try out.
fn is_own(judge: &Judge<'_>, path: &str) -> bool {
    judge.places.cwd.is_some_and(|cwd| {
        !["/", "/tmp", "/var/tmp", "/dev/shm"].contains(&cwd)
            && path
                .strip_prefix(cwd)
                .is_some_and(|rest| rest.starts_with('/'))
    })
}

/// Pictures, sound, fonts and documents hold no code that anybody put there for others to read.
fn is_media(path: &str) -> bool {
    const MEDIA: &[&str] = &[
        "png", "jpg", "jpeg", "gif", "ico", "bmp", "webp", "svgz", "tiff", "pdf", "mp3", "mp4",
        "wav", "ogg", "avi", "mkv", "flac", "ttf", "otf", "woff", "woff2", "docx", "xlsx", "pptx",
        "psd",
    ];
    path.rsplit_once('.')
        .is_some_and(|(_, end)| MEDIA.contains(&end.to_ascii_lowercase().as_str()))
}

/// A name that a listing does not show, in a folder for everybody.
fn is_hidden(path: &str) -> bool {
    path.split('/')
        .any(|part| part.len() > 1 && part.starts_with('.') && part != ".." && part != ".venv")
}

fn remote(judge: &mut Judge<'_>, effect: &Effect, url: &str) {
    let raw = ["tcp:", "udp:", "/dev/tcp", "/dev/udp", "tcp/"]
        .iter()
        .any(|prefix| url.starts_with(prefix));
    if raw {
        judge.hit(
            "net.reverse-shell",
            Critical,
            effect,
            format!("runs what {} sends", host(url)),
            None,
        );
        return;
    }
    if is_local(url) && !url.is_empty() {
        judge.hit(
            "net.pipe-to-shell",
            Moderate,
            effect,
            "runs code that a local server sends",
            None,
        );
        return;
    }
    let risk = if Judge::is_privileged(effect) || url.starts_with("http://") {
        Critical
    } else {
        High
    };
    let reason = match host(url) {
        "" => "runs code straight from the network".to_owned(),
        host => format!("runs code straight from {host}"),
    };
    let web = url.starts_with("http://") || url.starts_with("https://");
    let instead = web.then(|| {
        format!(
            "curl -fsSL {} -o install.sh && less install.sh",
            quoted(&url.replacen("http://", "https://", 1))
        )
    });
    judge.hit("net.pipe-to-shell", risk, effect, reason, instead);
}

/// What the analysis says where it stopped looking. Anything may stand behind such a bound.
const BOUNDS: &[&str] = &[
    "nested too deeply",
    "too much to look at",
    "part of the text could not be read",
    "part of the code could not be read",
    "aliases are nested too deeply",
    "a program is called by a pattern or a detour instead of its name",
];

/// Whatever it is, it gets the root, a home or a system folder, and is told to force or recurse.
fn reaches_far(judge: &Judge<'_>, effect: &Effect) -> bool {
    judge.call(effect).is_some_and(|call| {
        let forced = call.args.iter().any(|arg| {
            let text = arg.text();
            matches!(text, "--recursive" | "--force" | "--no-preserve-root")
                || text
                    .strip_prefix('-')
                    .is_some_and(|rest| rest.len() < 5 && rest.contains(['r', 'R', 'f']))
        });
        forced
            && call.args.iter().any(|arg| {
                let text = arg.text();
                text == "~"
                    || text.starts_with('/')
                        && matches!(
                            judge.places.of(text),
                            Place::Root | Place::Home | Place::SystemRoot
                        )
            })
    })
}

fn unknown(judge: &mut Judge<'_>, effect: &Effect, why: &str) {
    let risk =
        if Judge::is_privileged(effect) || reaches_far(judge, effect) || BOUNDS.contains(&why) {
            High
        } else {
            Moderate
        };
    let reason = if why.is_empty() {
        "a part that could run something cannot be told".to_owned()
    } else {
        format!("cannot be told from the command: {why}")
    };
    judge.hit("exec.unresolved", risk, effect, reason, None);
}

fn same_pipeline(judge: &Judge<'_>, call: &Invocation, effect: &Effect) -> bool {
    let own = judge.call(effect);
    own.is_some_and(|own| own.pipeline == call.pipeline && call.stage < own.stage)
}

/// The decoder that a call is, if it is one that decodes here.
fn decodes(call: &Invocation) -> Option<&'static str> {
    let name = DECODERS.iter().find(|name| **name == call.program)?;
    let flag = |flags: &[&str]| call.args.iter().any(|arg| flags.contains(&arg.text()));
    let truly = match *name {
        "base64" | "base32" | "basenc" => flag(&["-d", "-D", "--decode", "-di", "-id"]),
        "xxd" => call
            .args
            .iter()
            .any(|arg| arg.text().starts_with("-r") || arg.text() == "-p"),
        "openssl" => flag(&["-d"]),
        "gpg" => flag(&["-d", "--decrypt"]),
        "bzip2" | "xz" => flag(&["-d", "-dc"]),
        "tr" | "od" | "hexdump" => false,
        _ => true,
    };
    truly.then_some(*name)
}

/// The decoder that feeds the code of an effect, if one does.
fn decoder(judge: &Judge<'_>, effect: &Effect) -> Option<&'static str> {
    let calls = &judge.request.analysis.invocations;
    let inside = |call: &Invocation| {
        effect.span.start <= call.span.start && call.span.end <= effect.span.end
    };
    calls
        .iter()
        .filter(|call| same_pipeline(judge, call, effect) || inside(call))
        .find_map(decodes)
}

/// Text that is decoded and run in one breath, harmless or not: it was encoded to be overlooked.
fn decoded(judge: &mut Judge<'_>) {
    const INTERPRETERS: &[&str] = &[
        "sh", "bash", "zsh", "dash", "ksh", "fish", "ash", "python", "python3", "perl", "ruby",
        "node", "php", "pwsh",
    ];
    let calls = &judge.request.analysis.invocations;
    let known = judge.hits.iter().any(|hit| hit.id == "exec.decoded-code");
    let found = calls.iter().find_map(|call| {
        let reads_input = INTERPRETERS.contains(&call.program.as_str())
            && call.args.iter().all(|arg| arg.text().starts_with('-'));
        let by = |other: &Invocation| {
            (other.pipeline == call.pipeline && other.stage < call.stage)
                .then(|| decodes(other))
                .flatten()
                .filter(|name| !["gunzip", "zcat", "bzip2", "xz"].contains(name))
        };
        (reads_input && call.stage > 0)
            .then(|| calls.iter().find_map(by))
            .flatten()
            .map(|decoder| (call.span, decoder))
    });
    if let (false, Some((span, decoder))) = (known, found) {
        judge.hit_at(
            "exec.decoded-code",
            High,
            span,
            Certainty::Likely,
            format!("runs code that `{decoder}` made readable"),
            None,
        );
    }
}

/// Something is made to run later, and what it would run is suspect by itself: code that nobody can
/// read, data that leaves, a program that stays.
pub(super) fn lasting_code(judge: &mut Judge<'_>) {
    let tells = judge
        .request
        .analysis
        .invocations
        .iter()
        .find(|call| {
            HOOKS
                .iter()
                .any(|hook| call.chain.first().is_some_and(|name| name == hook))
                && stays(call)
        })
        .map(|call| call.span);
    if let Some(span) = tells {
        judge.hit_at(
            "persist.other",
            High,
            span,
            Certainty::Likely,
            "talks to others before or after every command",
            None,
        );
    }
    let suspect = judge.hits.iter().any(|hit| {
        matches!(
            &*hit.id,
            "exec.decoded-code"
                | "exec.injected"
                | "exec.temp-file"
                | "exec.unknown-code"
                | "net.upload"
                | "net.upload-secret"
        )
    }) || judge.request.analysis.invocations.iter().any(stays)
        || judge.request.analysis.effects.iter().any(|effect| {
            matches!(&effect.kind, EffectKind::Unknown { why }
                if why.starts_with("programs would be taken from"))
        });
    if !suspect {
        return;
    }
    for hit in &mut judge.hits {
        if matches!(
            &*hit.id,
            "persist.startup-file" | "persist.cron" | "persist.other"
        ) {
            hit.risk = hit.risk.max(High);
        }
    }
}

/// Functions that a shell calls by itself.
const HOOKS: &[&str] = &[
    "fish_prompt",
    "fish_right_prompt",
    "fish_preexec",
    "fish_postexec",
    "preexec",
    "precmd",
    "chpwd",
    "zshaddhistory",
    "command_not_found_handle",
    "command_not_found_handler",
];

/// A program of a startup file that goes on by itself behind every shell, or talks to others.
fn stays(call: &Invocation) -> bool {
    const STARTUP: &[&str] = &[
        ".bashrc",
        ".bash_profile",
        ".bash_login",
        ".bash_aliases",
        ".profile",
        ".zshrc",
        ".zshenv",
        ".zprofile",
        ".zlogin",
        ".xprofile",
        ".xinitrc",
        "config.fish",
        "profile",
        "bashrc",
        "fish_prompt",
        "fish_right_prompt",
        "fish_preexec",
        "fish_postexec",
        "fish_greeting",
        "preexec",
        "precmd",
        "chpwd",
        "zshexit",
        "PROMPT_COMMAND",
        "command_not_found_handle",
        "command_not_found_handler",
    ];
    let startup = call
        .chain
        .split_last()
        .is_some_and(|(_, outer)| outer.iter().any(|name| STARTUP.contains(&name.as_str())));
    startup
        && matches!(
            call.program.as_str(),
            "nohup" | "setsid" | "disown" | "curl" | "wget" | "nc" | "ncat" | "netcat" | "socat"
        )
}

/// A package file that the same line loaded is installed with full rights.
fn loaded_package(judge: &mut Judge<'_>) {
    let effects = &judge.request.analysis.effects;
    let loaded = effects
        .iter()
        .any(|effect| matches!(&effect.kind, EffectKind::Download { url, .. } if !is_local(url)));
    let installed = effects.iter().find(|effect| {
        Judge::is_privileged(effect)
            && matches!(&effect.kind, EffectKind::PackageInstall { name, .. }
                if [".deb", ".rpm", ".pkg", ".apk", ".msi", ".whl", ".tar.gz"]
                    .iter()
                    .any(|end| name.ends_with(end)))
    });
    if let (true, Some(effect)) = (loaded, installed) {
        judge.hit(
            "pkg.untrusted-source",
            High,
            effect,
            "installs with full rights what the line itself has loaded",
            None,
        );
    }
}

/// `exec -a '[kworker/0:1]'`: a program that calls itself what it is not.
fn disguised(judge: &mut Judge<'_>) {
    let found = judge.request.analysis.invocations.iter().find_map(|call| {
        let name = call.args.windows(2).find_map(|pair| match pair {
            [flag, name] if flag.text() == "-a" => Some(name.text()),
            _ => None,
        })?;
        let kernel = name.starts_with('[') && name.contains(']');
        let system = [
            "sshd",
            "systemd",
            "cron",
            "init",
            "dbus-daemon",
            "rsyslogd",
            "agetty",
            "udevd",
        ]
        .iter()
        .any(|known| {
            name.trim_start_matches("/usr/sbin/")
                .trim_start_matches("/sbin/")
                .starts_with(known)
        });
        (call.program == "exec" && (kernel || system)).then_some((call.span, name))
    });
    if let Some((span, name)) = found {
        judge.hit_at(
            "exec.injected",
            High,
            span,
            Certainty::Proven,
            format!("runs a program under the name of another: {name}"),
            None,
        );
    }
}

/// Findings that need several effects: a raw connection and a shell, a secret and a way out.
pub(super) fn judge_whole(judge: &mut Judge<'_>) {
    decoded(judge);
    disguised(judge);
    loaded_package(judge);
    let effects = &judge.request.analysis.effects;
    let calls = &judge.request.analysis.invocations;
    // nc -e /bin/sh, socat EXEC:, bash -i >& /dev/tcp/…
    for call in calls {
        let raw = RAW.contains(&call.program.as_str());
        let runs = call.args.iter().any(|arg| {
            let text = arg.text();
            let lower = text.to_ascii_lowercase();
            lower.starts_with("exec:")
                || lower.starts_with("system:")
                || SHELLS
                    .iter()
                    .any(|shell| text == *shell || text.ends_with(&format!("/{shell}")))
        });
        if raw && runs {
            judge.hit_at(
                "net.reverse-shell",
                Critical,
                call.span,
                Certainty::Proven,
                "gives somebody else a shell on this machine",
                None,
            );
        }
    }
    let network = effects.iter().find(|effect| match &effect.kind {
        EffectKind::Connect { address } | EffectKind::Listen { address } => !address.is_empty(),
        _ => false,
    });
    let Some(network) = network else { return };
    let through_shell = network
        .chain
        .last()
        .is_some_and(|program| SHELLS.contains(&program.as_str()));
    let shell_in_pipe = calls.iter().any(|call| {
        SHELLS.contains(&call.program.as_str())
            && calls.iter().any(|other| {
                RAW.contains(&other.program.as_str())
                    && other.pipeline == call.pipeline
                    && other.stage != call.stage
            })
    });
    let interactive = calls.iter().any(|call| {
        SHELLS.contains(&call.program.as_str())
            && call.args.iter().any(|arg| arg.text() == "-i")
            && call.span.start <= network.span.start
            && network.span.end <= call.span.end.saturating_add(64)
    });
    if (through_shell && interactive) || shell_in_pipe {
        let (span, certainty) = (network.span, network.certainty);
        judge.hit_at(
            "net.reverse-shell",
            Critical,
            span,
            certainty,
            "gives somebody else a shell on this machine",
            None,
        );
    } else if let EffectKind::Connect { address } = &network.kind {
        let bare = ["/dev/tcp/", "/dev/udp/", "tcp://", "udp://"]
            .iter()
            .find_map(|prefix| address.strip_prefix(prefix));
        if bare.is_some_and(|host| !is_local(host)) {
            // One that stays open, for what comes and goes, is no look at a port.
            let stays = calls.iter().any(|call| {
                matches!(call.program.as_str(), "exec" | "ztcp")
                    && call.span.start <= network.span.start
                    && network.span.end <= call.span.end
            });
            judge.hit(
                "net.connect-shell",
                if stays { High } else { Moderate },
                network,
                "opens a raw connection from the shell",
                None,
            );
        }
    }
}
