//! What comes from the net and then runs: archives, repositories, programs that take another's name.

use cmdai_schema::Risk::High;
use cmdai_schema::{Certainty, CodeSource, Effect, EffectKind, Invocation};

use super::Judge;
use super::code::is_local;
use super::exposing::value_of;
use crate::glob::is_below;

/// Names that everybody calls and nobody looks at.
const EVERYDAY: &[&str] = &[
    "apt",
    "apt-get",
    "awk",
    "bash",
    "brew",
    "cat",
    "cargo",
    "chmod",
    "chown",
    "cp",
    "curl",
    "date",
    "df",
    "docker",
    "doas",
    "env",
    "find",
    "git",
    "go",
    "gpg",
    "grep",
    "head",
    "id",
    "kubectl",
    "less",
    "ls",
    "login",
    "make",
    "mkdir",
    "mv",
    "node",
    "npm",
    "openssl",
    "passwd",
    "perl",
    "pip",
    "pip3",
    "ps",
    "python",
    "python3",
    "rm",
    "ruby",
    "scp",
    "sed",
    "sh",
    "sort",
    "ssh",
    "ssh-add",
    "su",
    "sudo",
    "systemctl",
    "tail",
    "tar",
    "test",
    "top",
    "uname",
    "vi",
    "vim",
    "w",
    "wget",
    "which",
    "who",
    "whoami",
    "xargs",
    "zsh",
];
const UNPACKERS: &[&str] = &[
    "tar", "bsdtar", "gtar", "unzip", "7z", "7za", "unrar", "cpio", "ar", "dpkg-deb", "jar",
];

/// A file put under an everyday name where programs are looked for before the system's.
pub(super) fn judge(judge: &mut Judge<'_>, effect: &Effect) {
    let (EffectKind::Overwrite { path }
    | EffectKind::Write { path }
    | EffectKind::Move { to: path, .. }) = &effect.kind
    else {
        return;
    };
    let Some((folder, name)) = path.rsplit_once('/') else {
        return;
    };
    let searched = folder == "/usr/local/bin"
        || folder == "/usr/local/sbin"
        || judge.places.home.is_some_and(|home| {
            folder
                .strip_prefix(home)
                .is_some_and(|rest| matches!(rest, "/bin" | "/.local/bin" | "/.bin" | "/sbin"))
        });
    if searched && EVERYDAY.contains(&name) {
        judge.hit(
            "exec.injected",
            High,
            effect,
            format!("puts another program in the place of {name}"),
            None,
        );
    }
}

fn is_remote(effect: &Effect) -> bool {
    matches!(&effect.kind, EffectKind::Download { url, .. } if !is_local(url))
}

/// Findings over the whole line: fetched, unpacked or cloned, and run.
pub(super) fn judge_whole(judge: &mut Judge<'_>) {
    unpacked(judge);
    cloned(judge);
    packages(judge);
    keyring(judge);
}

/// A key that every later package is trusted by, fetched where anybody on the way can change it.
fn keyring(judge: &mut Judge<'_>) {
    const FOLDERS: &[&str] = &[
        "/usr/share/keyrings",
        "/etc/apt/keyrings",
        "/etc/apt/trusted.gpg.d",
        "/etc/pki/rpm-gpg",
    ];
    let effects = &judge.request.analysis.effects;
    let open = effects.iter().any(|effect| {
        matches!(&effect.kind, EffectKind::Download { url, .. }
            if url.starts_with("http://") && !is_local(url))
    });
    let written = effects.iter().find(|effect| {
        matches!(&effect.kind, EffectKind::Write { path } | EffectKind::Overwrite { path }
            if FOLDERS.iter().any(|folder| is_below(path, folder)))
    });
    if let (true, Some(effect)) = (open, written) {
        judge.hit(
            "pkg.untrusted-source",
            High,
            effect,
            "trusts a key of packages that came over an open connection",
            None,
        );
    }
}

/// An archive of the net is unpacked and a program of it runs.
fn unpacked(judge: &mut Judge<'_>) {
    let effects = &judge.request.analysis.effects;
    let calls = &judge.request.analysis.invocations;
    let Some(fetched) = effects.iter().find(|effect| is_remote(effect)) else {
        return;
    };
    let Some(unpacker) = calls.iter().find(|call| {
        UNPACKERS.contains(&call.program.as_str()) && call.span.start > fetched.span.start
    }) else {
        return;
    };
    let into = effects.iter().find_map(|effect| match &effect.kind {
        EffectKind::Write { path }
            if effect
                .chain
                .last()
                .is_some_and(|program| *program == unpacker.program) =>
        {
            Some(path.as_str())
        }
        _ => None,
    });
    let cwd = judge.places.cwd.unwrap_or("/");
    let run = effects.iter().find(|effect| match &effect.kind {
        EffectKind::RunCode {
            source: CodeSource::File(path),
            ..
        } => {
            effect.span.start > unpacker.span.start
                && (is_below(path, into.unwrap_or(cwd)) || is_below(path, cwd))
                && !asks_only(judge, effect)
        }
        _ => false,
    });
    let named = || {
        calls.iter().find(|call| {
            let inside = call.word.strip_prefix("./").unwrap_or(&call.word);
            call.span.start > unpacker.span.start
                && call.word.starts_with("./")
                && inside.contains('/')
                && (call.args.is_empty() || !call.args.iter().all(asks))
        })
    };
    let span = run
        .map(|run| run.span)
        .or_else(|| named().map(|call| call.span));
    if let Some(span) = span {
        judge.hit_at(
            "net.pipe-to-shell",
            High,
            span,
            Certainty::Likely,
            "runs a program of an archive that the line itself has loaded",
            None,
        );
    }
}

fn asks(arg: &cmdai_schema::Arg) -> bool {
    matches!(arg.text(), "--version" | "-V" | "version" | "--help" | "-h")
}

/// `./x/bin/tool --version` shows whether it works.
fn asks_only(judge: &Judge<'_>, effect: &Effect) -> bool {
    judge
        .call(effect)
        .is_some_and(|call| matches!(call.args.as_slice(), [only] if asks(only)))
}

/// A repository is cloned, and something of it runs with full rights, or from a temporary folder.
fn cloned(judge: &mut Judge<'_>) {
    let calls = &judge.request.analysis.invocations;
    let Some(clone) = calls.iter().find(|call| {
        call.program == "git" && call.args.iter().any(|arg| arg.text() == "clone")
            || call.program == "gh"
                && call
                    .args
                    .windows(2)
                    .any(|pair| matches!(pair, [a, b] if a.text() == "repo" && b.text() == "clone"))
    }) else {
        return;
    };
    let folder = folder_of(clone);
    if folder.is_empty() {
        return;
    }
    let temporary = ["/tmp/", "/var/tmp/", "/dev/shm/"]
        .iter()
        .any(|root| folder.starts_with(root));
    let found = calls.iter().find(|call| {
        if call.span.start <= clone.span.start {
            return false;
        }
        let raised = call
            .chain
            .iter()
            .any(|program| matches!(program.as_str(), "sudo" | "doas"));
        let about = call.args.iter().any(|arg| is_below_or(arg.text(), folder))
            || call.word.contains(folder);
        let runs = match call.program.as_str() {
            "make" | "ninja" | "cmake" => call
                .args
                .iter()
                .any(|arg| arg.text().starts_with("install")),
            "bash" | "sh" | "zsh" | "python" | "python3" | "perl" | "ruby" | "node" | "dash" => {
                call.args.iter().any(|arg| !arg.text().starts_with('-'))
            }
            name => {
                call.word.contains('/') && !name.is_empty() && is_below_or(&call.word, folder)
                    || call.word.starts_with("./")
            }
        };
        runs && (raised && (about || entered(judge, clone, call, folder)) || temporary && about)
    });
    if let Some(call) = found {
        judge.hit_at(
            "net.pipe-to-shell",
            High,
            call.span,
            Certainty::Likely,
            "runs code of a repository that the line itself has cloned",
            None,
        );
    }
}

/// The folder that a clone makes.
fn folder_of(clone: &Invocation) -> &str {
    let mut words = clone
        .args
        .iter()
        .map(|arg| arg.text())
        .skip_while(|text| *text != "clone")
        .skip(1);
    let mut plain: Vec<&str> = Vec::new();
    while let Some(text) = words.next() {
        match text {
            "--depth" | "-b" | "--branch" | "-o" | "--origin" | "-c" | "--config" | "-j"
            | "--jobs" | "--reference" => {
                words.next();
            }
            text if text.starts_with('-') => {}
            text => plain.push(text),
        }
    }
    match plain.as_slice() {
        [_, folder, ..] => folder.trim_end_matches('/'),
        [url] => url
            .trim_end_matches('/')
            .trim_end_matches(".git")
            .rsplit(['/', ':'])
            .next()
            .unwrap_or(""),
        [] => "",
    }
}

fn is_below_or(path: &str, folder: &str) -> bool {
    path == folder
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// The line goes into the folder before the call.
fn entered(judge: &Judge<'_>, clone: &Invocation, call: &Invocation, folder: &str) -> bool {
    judge.request.analysis.invocations.iter().any(|other| {
        matches!(other.program.as_str(), "cd" | "pushd")
            && other.span.start > clone.span.start
            && other.span.start < call.span.start
            && other
                .args
                .first()
                .is_some_and(|arg| is_below_or(arg.text(), folder))
    })
}

/// Packages whose origin the line itself bends: open or nameless indexes by the environment, code
/// of a repository that runs at once.
fn packages(judge: &mut Judge<'_>) {
    const INDEXES: &[&str] = &[
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "PIP_FIND_LINKS",
        "UV_INDEX_URL",
        "UV_DEFAULT_INDEX",
        "UV_EXTRA_INDEX_URL",
        "UV_INDEX",
        "NPM_CONFIG_REGISTRY",
        "npm_config_registry",
        "YARN_REGISTRY",
        "YARN_NPM_REGISTRY_SERVER",
        "BUN_CONFIG_REGISTRY",
        "GOPROXY",
        "CARGO_REGISTRY_INDEX",
        "GEM_SOURCE",
        "BUNDLE_MIRROR__ALL",
        "HOMEBREW_BOTTLE_DOMAIN",
        "HOMEBREW_API_DOMAIN",
        "CONDA_CHANNEL_ALIAS",
        "POETRY_REPOSITORIES",
    ];
    const TRUST: &[&str] = &[
        "PIP_TRUSTED_HOST",
        "UV_INSECURE_HOST",
        "GOINSECURE",
        "GONOSUMDB",
        "GONOSUMCHECK",
        "npm_config_strict_ssl",
        "NPM_CONFIG_STRICT_SSL",
    ];
    let effects = &judge.request.analysis.effects;
    let Some(installed) = effects
        .iter()
        .find(|effect| matches!(effect.kind, EffectKind::PackageInstall { .. }))
    else {
        return;
    };
    let mut why: Option<String> = None;
    for call in &judge.request.analysis.invocations {
        let given = call
            .assignments
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or("")));
        let exported = call
            .args
            .iter()
            .filter(|_| {
                matches!(
                    call.program.as_str(),
                    "export" | "declare" | "typeset" | "env" | "sudo" | "set"
                )
            })
            .filter_map(|arg| arg.text().split_once('='));
        for (name, value) in given.chain(exported) {
            let stranger = !is_local(value)
                && (value.starts_with("http://") || super::outgoing::is_bare_address(value));
            if INDEXES.contains(&name) && stranger {
                why = Some(format!("installs from {value}, over an open connection"));
            } else if TRUST.contains(&name)
                && !value.is_empty()
                && !is_local(value)
                && value != "true"
            {
                why = why.or_else(|| Some(format!("installs without looking at who {value} is")));
            }
        }
        let words: Vec<&str> = call.args.iter().map(|arg| arg.text()).collect();
        if matches!(
            call.program.as_str(),
            "uvx" | "pipx" | "npx" | "bunx" | "pnpm" | "uv"
        ) && let Some(from) = value_of(&words, &["--from", "--spec", "--package", "-p"])
            && (from.starts_with("git+") || from.contains("://"))
        {
            why = Some(format!("runs {from} straight from a repository"));
        }
        let index = value_of(
            &words,
            &[
                "-i",
                "--index-url",
                "--extra-index-url",
                "--index",
                "--default-index",
                "--registry",
                "--find-links",
                "-f",
            ],
        );
        if let Some(index) = index
            && index.contains("://")
            && !is_local(index)
            && super::outgoing::is_bare_address(index)
        {
            why = Some(format!("installs from {index}, an address without a name"));
        }
    }
    if let Some(reason) = why {
        judge.hit("pkg.untrusted-source", High, installed, reason, None);
    }
}

/// A package that is fetched from a repository and run at once, with what manager.
pub(super) fn runs_at_once(manager: &str, name: &str) -> bool {
    let runner = matches!(
        manager,
        "npx" | "bunx" | "pnpx" | "uvx" | "pipx" | "dlx" | "deno"
    );
    runner
        && (name.starts_with("github:")
            || name.starts_with("gitlab:")
            || name.starts_with("bitbucket:")
            || name.starts_with("gist:")
            || name.starts_with("git+")
            || name.contains("://")
            // `owner/repository`, which is no scope of a registry.
            || !name.starts_with(['@', '.', '/']) && name.matches('/').count() == 1 && !name.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_and_scopes() {
        for name in [
            "github:x/y",
            "git+https://example.com/x.git",
            "x/y",
            "https://example.com/x.tgz",
        ] {
            assert!(runs_at_once("npx", name), "{name}");
        }
        for name in ["@scope/x", "x@1.2", "./local", "create-thing"] {
            assert!(!runs_at_once("npx", name), "{name}");
        }
        assert!(!runs_at_once("npm", "x/y"));
    }
}
