//! Package managers beyond their tables.

use cmdai_schema::{Certainty, EffectKind};

use crate::{analyser::Analyser, call::Call, options::Parsed, value::Stream};

impl Analyser<'_> {
    /// `xbps-remove NAME`, `pkg_delete NAME`: the program's name is the verb.
    pub(crate) fn package_names(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("dry") {
            return Stream::UNKNOWN;
        }
        let removes = matches!(call.name, "xbps-remove" | "pkg_delete");
        let adds = matches!(call.name, "xbps-install" | "pkg_add" | "sdkmanager");
        for name in parsed.rest().cloned().collect::<Vec<_>>() {
            let kind = if removes {
                EffectKind::ResourceDestroy {
                    resource: "package".to_owned(),
                    name: name.text,
                    provider: "system".to_owned(),
                    context: None,
                }
            } else if adds {
                EffectKind::PackageInstall {
                    manager: call.name.to_owned(),
                    name: name.text,
                    source: "registry".to_owned(),
                }
            } else {
                continue;
            };
            self.emit(kind, call.span, Certainty::Proven);
        }
        Stream::UNKNOWN
    }

    /// Keys and sources that packages come from.
    pub(crate) fn package_sources(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let first = parsed.sub().to_owned();
        let (resource, name) = match call.name {
            "apt-key" | "pacman-key" | "rpmkeys"
                if matches!(
                    first.as_str(),
                    "list" | "finger" | "export" | "exportall" | ""
                ) =>
            {
                return Stream::UNKNOWN;
            }
            // Trusting fewer is no danger.
            "apt-key" | "pacman-key" | "rpmkeys" | "add-apt-repository" | "apt-add-repository"
                if parsed.has("remove") || matches!(first.as_str(), "del" | "delete") =>
            {
                return Stream::UNKNOWN;
            }
            "apt-key" | "pacman-key" | "rpmkeys" => ("package-key", first),
            "add-apt-repository" | "apt-add-repository" => ("package-key", first),
            "apt-mark" if matches!(first.as_str(), "hold" | "unhold" | "auto" | "manual") => {
                ("package-hold", first)
            }
            "do-release-upgrade" => ("packages", "release".to_owned()),
            _ => return Stream::UNKNOWN,
        };
        self.machine_change(resource, &name, "apt", call);
        Stream::UNKNOWN
    }

    /// Goals of a build: some publish.
    pub(crate) fn build_goals(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("dry") {
            return Stream::UNKNOWN;
        }
        let publishes = parsed.rest().any(|goal| {
            let goal = goal.text.rsplit(':').next().unwrap_or("");
            let whole = goal.to_ascii_lowercase();
            matches!(
                whole.as_str(),
                "deploy"
                    | "publish"
                    | "perform"
                    | "publishplugins"
                    | "uploadarchives"
                    | "bintrayupload"
                    | "publishsigned"
                    | "jreleaserfullrelease"
                    | "deploy-file"
            ) || whole.starts_with("publish")
                && !whole.contains("local")
                && !whole.starts_with("publish-local")
        });
        if publishes {
            let source = self.env.cwd.clone();
            self.emit(
                EffectKind::Upload {
                    source,
                    destination: "registry".to_owned(),
                },
                call.span,
                Certainty::Proven,
            );
        }
        Stream::UNKNOWN
    }
}
