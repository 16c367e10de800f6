//! Files that programs load and run by themselves: `conftest.py`, `.envrc`, scripts of `package.json`,
//! programs named in infrastructure code. Only where the line itself wrote them: what stands there
//! already is the project's own.

use cmdai_schema::{Dialect, Span};

use crate::{
    analyser::Analyser,
    paths,
    script::Start,
    value::{Stream, Text},
};

/// Programs, the file they load from where they stand, and its language.
const LOADED: &[(&[&str], &str, &str)] = &[
    (&["pytest", "py.test"], "conftest.py", "python"),
    (&["nox"], "noxfile.py", "python"),
    (&["invoke", "inv"], "tasks.py", "python"),
    (&["fab"], "fabfile.py", "python"),
    (&["scons"], "SConstruct", "python"),
    (&["pip", "pip3", "pipx", "uv"], "setup.py", "python"),
    (&["direnv"], ".envrc", "shell"),
    (&["rake"], "Rakefile", "ruby"),
    (&["bundle", "bundler"], "Gemfile", "ruby"),
    (&["pod"], "Podfile", "ruby"),
    (&["vagrant"], "Vagrantfile", "ruby"),
    (&["brew"], "Brewfile", "ruby"),
    (&["jest"], "jest.config.js", "javascript"),
    (&["gulp"], "gulpfile.js", "javascript"),
    (&["grunt"], "Gruntfile.js", "javascript"),
    (&["webpack"], "webpack.config.js", "javascript"),
    (&["vite", "vitest"], "vite.config.js", "javascript"),
    (&["vitest"], "vitest.config.js", "javascript"),
    (&["eslint"], "eslint.config.js", "javascript"),
    (&["eslint"], ".eslintrc.js", "javascript"),
    (&["rollup"], "rollup.config.js", "javascript"),
    (&["tailwindcss"], "tailwind.config.js", "javascript"),
    (&["prettier"], "prettier.config.js", "javascript"),
];
/// Most words of one program of infrastructure code.
const MAX_WORDS: usize = 64;

impl Analyser<'_> {
    /// What a program would load of the files that the line wrote.
    pub(crate) fn loads(&mut self, name: &str, args: &[Text], span: Span) {
        if self.env.files.is_empty() {
            return;
        }
        // Asking how it is called loads nothing.
        if args
            .iter()
            .any(|arg| matches!(arg.text.as_str(), "--version" | "--help" | "-h"))
        {
            return;
        }
        for (programs, file, language) in LOADED {
            if !programs.contains(&name) || !applies(name, args) {
                continue;
            }
            let path = self.absolute(file);
            let Some(Stream::Known(text)) = self.env.file(&path).cloned() else {
                continue;
            };
            self.loaded(&text, file, language, span);
        }
        match name {
            "terraform" | "tofu" | "opentofu" | "terragrunt" => {
                self.infrastructure_code(args, span)
            }
            "npm" | "yarn" | "pnpm" | "bun" => self.package_scripts(args, span),
            _ => {}
        }
    }

    fn loaded(&mut self, text: &str, file: &str, language: &str, span: Span) {
        self.chain.push(file.to_owned());
        if language == "shell" {
            let code = Text::known(text, span);
            self.shell_code(&code, Dialect::Bash, &Stream::Empty, true);
        } else {
            let mut code = text.to_owned();
            if file == "conftest.py" {
                // The test runner calls what bears these names.
                for line in text.lines().take(1_000) {
                    let called = line
                        .strip_prefix("def pytest_")
                        .and_then(|rest| rest.split_once('('));
                    if let Some((name, rest)) = called {
                        let count = rest
                            .split(')')
                            .next()
                            .unwrap_or("")
                            .split(',')
                            .filter(|part| !part.trim().is_empty())
                            .count();
                        let args = vec!["None"; count.min(8)].join(", ");
                        code.push_str(&format!("\npytest_{name}({args})"));
                    }
                }
            }
            self.inline_code(language, &Text::known(code, span), Start::EMPTY);
        }
        self.chain.pop();
    }

    /// `program = ["sh", "-c", "…"]` of an external source, `command = "…"` of a provisioner.
    fn infrastructure_code(&mut self, args: &[Text], span: Span) {
        let runs = args.iter().any(|arg| {
            matches!(
                arg.text.as_str(),
                "plan" | "apply" | "refresh" | "destroy" | "import" | "console" | "test"
            )
        });
        if !runs {
            return;
        }
        let folder = self.absolute(".");
        let texts: Vec<String> = self
            .env
            .files
            .iter()
            .filter(|(path, _)| {
                (path.ends_with(".tf") || path.ends_with(".tofu") || path.ends_with(".hcl"))
                    && path.starts_with(folder.as_str())
            })
            .filter_map(|(_, content)| content.known().map(str::to_owned))
            .collect();
        for text in texts {
            for words in values_of(&text, "program", true) {
                let words: Vec<Text> = words
                    .into_iter()
                    .map(|word| Text::known(word, span))
                    .collect();
                self.call(&words, Vec::new(), &Stream::Empty, span);
            }
            if !text.contains("local-exec") && !text.contains("execute") {
                continue;
            }
            for words in values_of(&text, "command", false) {
                for code in words {
                    let code = Text::known(code, span);
                    self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
                }
            }
        }
    }

    /// Scripts of a `package.json` that the line wrote: those of the life of a package, and the one
    /// that is asked for.
    fn package_scripts(&mut self, args: &[Text], span: Span) {
        let path = self.absolute("package.json");
        let Some(Stream::Known(text)) = self.env.file(&path).cloned() else {
            return;
        };
        let words: Vec<&str> = args
            .iter()
            .map(|arg| arg.text.as_str())
            .filter(|text| !text.starts_with('-'))
            .collect();
        let wanted: Vec<String> = match words.as_slice() {
            [] | ["install" | "i" | "ci" | "add", ..] => {
                if args.iter().any(|arg| arg.text == "--ignore-scripts") {
                    return;
                }
                ["preinstall", "install", "postinstall", "prepare"]
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect()
            }
            ["run" | "run-script", name, ..] => {
                vec![
                    format!("pre{name}"),
                    (*name).to_owned(),
                    format!("post{name}"),
                ]
            }
            [
                name @ ("test" | "start" | "stop" | "restart" | "publish" | "pack"),
                ..,
            ] => vec![
                format!("pre{name}"),
                (*name).to_owned(),
                format!("post{name}"),
            ],
            _ => return,
        };
        let Some((_, scripts)) = text.split_once("\"scripts\"") else {
            return;
        };
        for name in wanted {
            let Some((_, rest)) = scripts.split_once(&format!("\"{name}\"")) else {
                continue;
            };
            let Some(rest) = rest.trim_start().strip_prefix(':') else {
                continue;
            };
            if let Some((code, _)) = quoted(rest.trim_start()) {
                let code = Text::known(code, span);
                self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
            }
        }
    }

    /// `npm pkg set scripts.prepare=CODE`: it runs with the next install.
    pub(crate) fn script_settings(&mut self, args: &[Text]) {
        let sets = args
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if a.text == "pkg" && b.text == "set"))
            || args
                .first()
                .is_some_and(|first| matches!(first.text.as_str(), "set-script"));
        if !sets {
            return;
        }
        for arg in args.iter().filter(|arg| arg.text.starts_with("scripts.")) {
            if let Some((name, _)) = arg.text.split_once('=') {
                let code = arg.after(name.len() + 1);
                self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
            }
        }
    }
}

/// `pip install -e .` runs `setup.py`, `pip list` does not; `direnv allow` runs what it allows.
fn applies(name: &str, args: &[Text]) -> bool {
    let has = |wanted: &[&str]| args.iter().any(|arg| wanted.contains(&arg.text.as_str()));
    match name {
        "pip" | "pip3" | "pipx" | "uv" => {
            has(&["install", "wheel", "sync", "build"])
                && args.iter().any(|arg| arg.text.starts_with('.'))
        }
        "direnv" => has(&["allow", "permit", "grant", "reload", "exec", "export"]),
        "brew" => has(&["bundle"]),
        _ => true,
    }
}

/// The string that a text begins with, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.strip_prefix('"')?.char_indices();
    while let Some((at, next)) = chars.next() {
        match next {
            '"' => return Some((out, text.get(at + 2..).unwrap_or(""))),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
    None
}

/// What a name is set to, each time: the strings of a list, or one string.
fn values_of(text: &str, name: &str, list: bool) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let before = rest.get(..at).unwrap_or("");
        rest = rest.get(at + name.len()..).unwrap_or("");
        if before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') || out.len() >= 8 {
            continue;
        }
        let Some(value) = rest.trim_start().strip_prefix('=') else {
            continue;
        };
        let mut value = value.trim_start();
        if list {
            let Some(inner) = value.strip_prefix('[') else {
                continue;
            };
            value = inner.trim_start();
        }
        let mut words = Vec::new();
        while let Some((word, after)) = quoted(value) {
            words.push(word);
            value = after.trim_start();
            if !list || words.len() >= MAX_WORDS {
                break;
            }
            match value.strip_prefix(',') {
                Some(more) => value = more.trim_start(),
                None => break,
            }
        }
        if !words.is_empty() {
            out.push(words);
        }
    }
    out
}

/// A manifest that gives a pod the rights of the machine, or somebody all rights in the cluster:
/// the word that says so.
pub(super) fn power_of(manifest: &str) -> Option<&'static str> {
    let plain: String = manifest
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '"' && *c != '\'')
        .take(16_384)
        .collect();
    const WORDS: &[(&str, &str)] = &[
        ("privileged:true", "privileged"),
        ("hostPID:true", "hostPID"),
        ("hostIPC:true", "hostIPC"),
        ("hostPath:{path:/}", "hostPath /"),
        ("docker.sock", "the container engine's socket"),
        ("containerd.sock", "the container engine's socket"),
        ("-SYS_ADMIN", "SYS_ADMIN"),
        ("[SYS_ADMIN", "SYS_ADMIN"),
        ("-NET_RAW,SYS_PTRACE", "SYS_PTRACE"),
    ];
    let found = WORDS
        .iter()
        .find(|(word, _)| plain.contains(word))
        .map(|(_, name)| *name);
    found.or_else(|| {
        let root = manifest.split("hostPath").skip(1).any(|rest| {
            rest.split_once("path:").is_some_and(|(between, path)| {
                between.len() < 64
                    && matches!(
                        path.trim_start()
                            .trim_start_matches(['"', '\''])
                            .split(|c: char| c.is_whitespace() || "\"',}".contains(c))
                            .next()
                            .map(|path| path.trim_end_matches('/')),
                        Some("" | "/etc" | "/root" | "/var" | "/proc" | "/var/lib/kubelet")
                    )
            })
        });
        let admin = (plain.contains("kind:ClusterRoleBinding")
            || plain.contains("kind:RoleBinding"))
            && plain.contains("name:cluster-admin");
        match (root, admin) {
            (true, _) => Some("hostPath"),
            (_, true) => Some("cluster-admin"),
            _ => None,
        }
    })
}

/// The program behind a copy of it: `cp /bin/rm ./ls`.
pub(crate) fn is_system_program(path: &str) -> bool {
    ["/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin"].contains(&paths::dir_name(path))
        && crate::knowledge::find(paths::base_name(path)).is_some()
}

#[cfg(test)]
mod tests {
    use super::{power_of, quoted, values_of};

    #[test]
    fn strings_and_lists() {
        assert_eq!(quoted(r#""a\"b" c"#), Some(("a\"b".to_owned(), " c")));
        let text = "data \"external\" \"v\" { program = [\"sh\", \"-c\", \"rm x\"] }";
        assert_eq!(values_of(text, "program", true), [["sh", "-c", "rm x"]]);
        assert!(values_of("my_program = [\"a\"]", "program", true).is_empty());
        assert_eq!(
            values_of("command = \"rm x\"", "command", false),
            [["rm x"]]
        );
    }

    #[test]
    fn powers() {
        assert_eq!(
            power_of("securityContext:\n  privileged: true"),
            Some("privileged")
        );
        assert_eq!(power_of("hostPath:\n  path: /\n"), Some("hostPath"));
        assert_eq!(power_of("hostPath:\n  path: /data/x\n"), None);
        assert_eq!(power_of("privileged: false"), None);
    }
}
