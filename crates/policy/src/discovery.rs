//! Tools that a command would bring: under `tools_mode: allowlist` what installs a tool is judged by the
//! tool it installs, not only by the first use of it later.
//!
//! A package manager of tools (apt, brew, `cargo install`, `npm -g`, pipx …) is denied a tool that is not
//! listed. One that brings libraries as well as tools (pip, gem) is warned of: a library is none of the
//! list's business, and a tool of that name will be denied when it is called. An installer from the network
//! says nothing of what it brings, so it is denied.

use cmdai_schema::{CodeSource, Decision, EffectKind};

use crate::condition::Request;
use crate::document::ToolsMode;
use crate::hit::Hit;
use crate::snapshot::Snapshot;
use crate::tools;

/// The rule's name.
const RULE: &str = "tool.install";

/// Managers whose packages may be libraries.
const LIBRARIES: &[&str] = &[
    "pip",
    "pip3",
    "gem",
    "conda",
    "mamba",
    "micromamba",
    "composer",
    "luarocks",
    "cpan",
    "cpanm",
    "uv",
    "poetry",
    "pdm",
    "bundle",
    "hex",
    "opam",
    "nuget",
    "dotnet",
];
/// Managers that put a package into the project unless they are told to put it onto the machine.
const PROJECTS: &[&str] = &["npm", "pnpm", "yarn", "bun", "deno", "cargo-add"];
/// Words that tell them so.
const GLOBALLY: &[&str] = &["-g", "--global", "--location=global", "global"];

/// Packages by other names than the tool they bring.
const NAMES: &[(&str, &str)] = &[
    ("awscli", "aws"),
    ("azure-cli", "az"),
    ("docker-ce", "docker"),
    ("docker-ce-cli", "docker"),
    ("docker.io", "docker"),
    ("fd-find", "fd"),
    ("golang", "go"),
    ("golang-go", "go"),
    ("google-cloud-cli", "gcloud"),
    ("google-cloud-sdk", "gcloud"),
    ("kubernetes-cli", "kubectl"),
    ("neovim", "nvim"),
    ("nodejs", "node"),
    ("openssh-client", "ssh"),
    ("postgresql-client", "psql"),
    ("python3-pip", "pip"),
    ("ripgrep", "rg"),
    ("typescript", "tsc"),
];

/// What a layer that lists its tools says about those that a command would bring.
pub(crate) fn judge<'a>(
    snapshot: &'a Snapshot,
    pack: &'a str,
    request: &Request<'_>,
    out: &mut Vec<Hit<'a>>,
) {
    let head = snapshot.head();
    if head.settings.tools_mode != ToolsMode::Allowlist {
        return;
    }
    let listed = |tool: &str| {
        head.tools
            .binary_search_by(|known| known.name.as_str().cmp(tool))
            .is_ok()
    };
    for effect in &request.analysis.effects {
        let found = match &effect.kind {
            EffectKind::PackageInstall {
                manager,
                name,
                source,
            } => package(manager, name, source, &effect.chain, request)
                .filter(|(tool, _)| !listed(tool))
                .map(|(tool, decision)| {
                    let rest = if decision == Decision::Deny {
                        "which is not in the list of allowed tools"
                    } else {
                        "which is not in the list of allowed tools and cannot be called where it is one"
                    };
                    (decision, format!("{manager} would install {tool}, {rest}"))
                }),
            EffectKind::RunCode {
                source: CodeSource::Remote(url),
                ..
            } => Some((
                Decision::Deny,
                format!(
                    "an installer from {} may bring tools that are not in the list of allowed tools",
                    if url.is_empty() { "the network" } else { url }
                ),
            )),
            _ => None,
        };
        if let Some((decision, reason)) = found {
            out.push(tools::hit(pack, RULE, decision, effect.span, reason, None));
        }
    }
}

/// The tool that a package brings, and what is decided where it is not listed.
fn package(
    manager: &str,
    name: &str,
    source: &str,
    chain: &[String],
    request: &Request<'_>,
) -> Option<(String, Decision)> {
    if PROJECTS.contains(&manager) {
        let mut calls = request.analysis.invocations.iter();
        let globally = calls.any(|call| {
            (call.program == manager || chain.contains(&call.program))
                && call.args.iter().any(|arg| GLOBALLY.contains(&arg.text()))
        });
        if !globally {
            return None;
        }
    }
    // What a project lists for itself is no discovery of anybody's.
    if source == "project" || (source == "file" && LIBRARIES.contains(&manager)) {
        return None;
    }
    let decision = if LIBRARIES.contains(&manager) {
        Decision::Warn
    } else {
        Decision::Deny
    };
    Some((tool_of(name), decision))
}

/// `@scope/name@1.2`, `name==1.0`, `name[extra]`, `github.com/a/b/cmd/tool@latest`, `./tool_1.0_amd64.deb`.
fn tool_of(package: &str) -> String {
    let name = package.trim_end_matches('/');
    let name = match name.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) => name.get(..at).unwrap_or(name),
        None => name,
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    let end = name
        .find(['=', '<', '>', '~', '[', ':', '_', '!', ';'])
        .unwrap_or(name.len());
    let name = name.get(..end).unwrap_or(name).to_ascii_lowercase();
    NAMES
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(name, |(_, tool)| (*tool).to_owned())
}

#[cfg(test)]
mod tests {
    use super::tool_of;

    #[test]
    fn packages_are_known_by_the_tool_they_bring() {
        for (package, tool) in [
            ("ripgrep", "rg"),
            ("eslint@9", "eslint"),
            ("@angular/cli@17.1", "cli"),
            ("black==24.1", "black"),
            ("httpie[http2]", "httpie"),
            ("github.com/a/b/cmd/tool@latest", "tool"),
            ("./jq_1.7_amd64.deb", "jq"),
            ("Docker.io", "docker"),
            ("", ""),
        ] {
            assert_eq!(tool_of(package), tool, "{package}");
        }
    }
}
