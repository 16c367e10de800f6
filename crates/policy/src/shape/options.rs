//! Which options of a program take a value, which are one and the same in short and long, and
//! where its options end. Only what patterns need: what is not listed here is read as an option
//! without a value, and the word behind it may be one.

/// Options of some programs, or of some of their subcommands.
pub(super) struct Options {
    programs: &'static [&'static str],
    /// Subcommands that it is about; all where empty.
    subcommands: &'static [&'static str],
    /// Letters that take a value.
    letters: &'static str,
    /// Long options that take a value.
    longs: &'static [&'static str],
    /// A letter and the long option that it is short for.
    same: &'static [(char, &'static str)],
}

const NONE: Options = Options {
    programs: &[],
    subcommands: &[],
    letters: "",
    longs: &[],
    same: &[],
};

const TABLE: &[Options] = &[
    Options {
        programs: &["rm", "cp", "grep", "ls"],
        same: &[('r', "recursive"), ('R', "recursive")],
        ..NONE
    },
    Options {
        programs: &[
            "rm", "cp", "mv", "ln", "git", "docker", "podman", "npm", "killall",
        ],
        same: &[('f', "force")],
        ..NONE
    },
    Options {
        programs: &["chmod", "chown", "chgrp"],
        longs: &["reference"],
        same: &[('R', "recursive")],
        ..NONE
    },
    Options {
        programs: &["cp", "mv", "ln", "install"],
        letters: "tS",
        longs: &["target-directory", "suffix"],
        same: &[('t', "target-directory")],
        ..NONE
    },
    Options {
        programs: &["ls"],
        same: &[('a', "all")],
        ..NONE
    },
    Options {
        programs: &["base64"],
        letters: "w",
        longs: &["wrap"],
        same: &[('d', "decode")],
        ..NONE
    },
    Options {
        programs: &["git"],
        letters: "Cc",
        longs: &[
            "git-dir",
            "work-tree",
            "namespace",
            "exec-path",
            "config-env",
        ],
        ..NONE
    },
    Options {
        programs: &["git"],
        subcommands: &["commit"],
        letters: "mFCct",
        longs: &["message", "file", "author", "date", "fixup"],
        same: &[
            ('n', "no-verify"),
            ('m', "message"),
            ('a', "all"),
            ('F', "file"),
        ],
    },
    Options {
        programs: &["git"],
        subcommands: &["push"],
        letters: "o",
        longs: &["push-option", "repo", "receive-pack"],
        same: &[
            ('n', "dry-run"),
            ('d', "delete"),
            ('u', "set-upstream"),
            ('o', "push-option"),
        ],
    },
    Options {
        programs: &["git"],
        subcommands: &["branch", "tag"],
        longs: &["points-at", "contains", "format", "sort"],
        same: &[('d', "delete"), ('a', "all"), ('r', "remotes")],
        ..NONE
    },
    Options {
        programs: &["git"],
        subcommands: &["clean"],
        letters: "e",
        longs: &["exclude"],
        same: &[('n', "dry-run")],
    },
    Options {
        programs: &["git"],
        subcommands: &["checkout", "switch"],
        letters: "bBcC",
        ..NONE
    },
    Options {
        programs: &["git"],
        subcommands: &["log", "show", "grep"],
        letters: "nS",
        longs: &["grep", "author", "since", "until", "format"],
        ..NONE
    },
    Options {
        programs: &["docker", "podman", "nerdctl"],
        letters: "H",
        longs: &["host", "context", "config", "log-level"],
        same: &[('a', "all"), ('H', "host")],
        ..NONE
    },
    Options {
        programs: &["docker", "podman", "nerdctl"],
        subcommands: &["run", "create", "exec", "container"],
        letters: "vepwuhmlc",
        longs: &[
            "volume",
            "env",
            "publish",
            "workdir",
            "user",
            "hostname",
            "memory",
            "label",
            "name",
            "network",
            "net",
            "mount",
            "entrypoint",
            "cpus",
            "device",
            "cap-add",
            "cap-drop",
            "security-opt",
            "restart",
            "add-host",
            "env-file",
            "dns",
            "ip",
            "link",
            "log-driver",
            "log-opt",
            "platform",
            "pull",
            "runtime",
            "shm-size",
            "tmpfs",
            "ulimit",
            "volumes-from",
            "pid",
            "ipc",
            "userns",
            "uts",
            "gpus",
            "group-add",
        ],
        same: &[
            ('v', "volume"),
            ('e', "env"),
            ('p', "publish"),
            ('w', "workdir"),
            ('u', "user"),
            ('h', "hostname"),
            ('m', "memory"),
            ('i', "interactive"),
            ('t', "tty"),
            ('d', "detach"),
        ],
    },
    Options {
        programs: &["docker", "podman", "nerdctl"],
        subcommands: &["build", "buildx"],
        letters: "tf",
        longs: &["tag", "file", "build-arg", "target", "platform"],
        same: &[('t', "tag"), ('f', "file")],
    },
    Options {
        programs: &["kubectl", "oc"],
        letters: "nsclofk",
        longs: &[
            "namespace",
            "context",
            "kubeconfig",
            "cluster",
            "user",
            "output",
            "selector",
            "filename",
            "container",
            "replicas",
            "image",
            "server",
            "token",
            "as",
            "as-group",
            "field-selector",
            "request-timeout",
            "kustomize",
            "type",
            "patch",
            "subresource",
        ],
        same: &[
            ('n', "namespace"),
            ('A', "all-namespaces"),
            ('o', "output"),
            ('l', "selector"),
            ('f', "filename"),
            ('c', "container"),
            ('i', "stdin"),
            ('t', "tty"),
            ('s', "server"),
        ],
        ..NONE
    },
    Options {
        programs: &["helm", "flux", "k9s", "stern", "istioctl"],
        letters: "nf",
        longs: &[
            "namespace",
            "kube-context",
            "context",
            "kubeconfig",
            "values",
            "set",
            "version",
            "repo",
        ],
        same: &[('n', "namespace"), ('f', "values")],
        ..NONE
    },
    Options {
        programs: &["terraform", "tofu", "terragrunt"],
        longs: &[
            "var",
            "var-file",
            "target",
            "chdir",
            "state",
            "out",
            "lock-timeout",
            "parallelism",
            "replace",
        ],
        ..NONE
    },
    Options {
        programs: &["aws"],
        longs: &[
            "profile",
            "region",
            "output",
            "endpoint-url",
            "query",
            "ca-bundle",
        ],
        ..NONE
    },
    Options {
        programs: &["gcloud", "gsutil", "bq"],
        longs: &[
            "project",
            "account",
            "region",
            "zone",
            "format",
            "configuration",
            "filter",
            "impersonate-service-account",
        ],
        ..NONE
    },
    Options {
        programs: &["az"],
        letters: "gno",
        longs: &["subscription", "resource-group", "name", "output", "query"],
        same: &[('g', "resource-group"), ('n', "name"), ('o', "output")],
        ..NONE
    },
    Options {
        programs: &["npm", "pnpm", "yarn"],
        letters: "wC",
        longs: &[
            "registry",
            "prefix",
            "access",
            "tag",
            "workspace",
            "otp",
            "dir",
            "cwd",
        ],
        same: &[
            ('g', "global"),
            ('D', "save-dev"),
            ('y', "yes"),
            ('w', "workspace"),
        ],
        ..NONE
    },
    Options {
        programs: &["npx"],
        letters: "pc",
        longs: &["package", "call"],
        same: &[('y', "yes"), ('p', "package"), ('c', "call")],
        ..NONE
    },
    Options {
        programs: &["pip", "uv"],
        letters: "irtecf",
        longs: &[
            "index-url",
            "extra-index-url",
            "requirement",
            "target",
            "editable",
            "constraint",
            "find-links",
            "trusted-host",
            "proxy",
            "prefix",
            "root",
        ],
        same: &[
            ('i', "index-url"),
            ('r', "requirement"),
            ('t', "target"),
            ('e', "editable"),
            ('f', "find-links"),
            ('U', "upgrade"),
        ],
        ..NONE
    },
    Options {
        programs: &["apt", "apt-get"],
        letters: "otc",
        longs: &["option", "target-release"],
        same: &[
            ('y', "yes"),
            ('y', "assume-yes"),
            ('q', "quiet"),
            ('t', "target-release"),
        ],
        ..NONE
    },
    Options {
        programs: &["dnf", "yum"],
        longs: &["enablerepo", "disablerepo", "installroot"],
        same: &[('y', "assumeyes"), ('y', "yes")],
        ..NONE
    },
    Options {
        programs: &["curl"],
        letters: "AbcCdDeEFhHKmoPQrtTuUwxXyYz",
        longs: &[
            "request",
            "data",
            "data-binary",
            "data-raw",
            "data-urlencode",
            "header",
            "output",
            "user",
            "user-agent",
            "referer",
            "upload-file",
            "form",
            "proxy",
            "cacert",
            "cert",
            "key",
            "max-time",
            "retry",
            "connect-timeout",
            "resolve",
            "cookie",
            "cookie-jar",
            "config",
            "write-out",
            "url",
            "interface",
            "json",
        ],
        same: &[
            ('X', "request"),
            ('d', "data"),
            ('H', "header"),
            ('o', "output"),
            ('u', "user"),
            ('k', "insecure"),
            ('L', "location"),
            ('s', "silent"),
            ('T', "upload-file"),
            ('F', "form"),
            ('x', "proxy"),
            ('A', "user-agent"),
            ('e', "referer"),
            ('I', "head"),
            ('f', "fail"),
            ('S', "show-error"),
            ('b', "cookie"),
            ('c', "cookie-jar"),
            ('K', "config"),
            ('w', "write-out"),
        ],
        ..NONE
    },
    Options {
        programs: &["wget"],
        letters: "OPoaitTUQ",
        longs: &[
            "output-document",
            "directory-prefix",
            "output-file",
            "input-file",
            "user-agent",
            "header",
            "post-data",
            "post-file",
            "user",
            "password",
            "tries",
            "timeout",
        ],
        same: &[
            ('O', "output-document"),
            ('P', "directory-prefix"),
            ('i', "input-file"),
            ('q', "quiet"),
        ],
        ..NONE
    },
    Options {
        programs: &["ssh"],
        letters: "BbcDEeFIiJLlmOopQRSWw",
        ..NONE
    },
    Options {
        programs: &["scp", "sftp"],
        letters: "cDFiJloPSX",
        ..NONE
    },
    Options {
        programs: &["rsync"],
        letters: "efBMT",
        longs: &[
            "rsh",
            "exclude",
            "include",
            "filter",
            "exclude-from",
            "files-from",
            "temp-dir",
            "bwlimit",
        ],
        same: &[('e', "rsh"), ('a', "archive"), ('n', "dry-run")],
        ..NONE
    },
    Options {
        programs: &["nc", "ncat", "netcat"],
        letters: "ceigIOpPqsTVwXx",
        longs: &["exec", "sh-exec"],
        same: &[('l', "listen"), ('e', "exec"), ('c', "sh-exec")],
        ..NONE
    },
    Options {
        programs: &["psql", "pg_dump", "pg_restore", "createdb", "dropdb"],
        letters: "cdfFhLoPpRTUvtn",
        longs: &[
            "command", "dbname", "file", "host", "port", "username", "set", "output",
        ],
        same: &[
            ('c', "command"),
            ('d', "dbname"),
            ('f', "file"),
            ('h', "host"),
            ('p', "port"),
            ('U', "username"),
            ('o', "output"),
        ],
        ..NONE
    },
    Options {
        programs: &["mysql", "mariadb", "mysqldump", "mysqladmin"],
        letters: "ehuPDS",
        longs: &["execute", "host", "user", "port", "database", "socket"],
        same: &[
            ('e', "execute"),
            ('h', "host"),
            ('u', "user"),
            ('P', "port"),
            ('D', "database"),
        ],
        ..NONE
    },
    Options {
        programs: &["python"],
        letters: "cmWX",
        ..NONE
    },
    Options {
        programs: &["bash", "sh", "zsh", "dash", "ksh"],
        letters: "oO",
        longs: &["rcfile", "init-file"],
        ..NONE
    },
    Options {
        programs: &["perl", "ruby"],
        letters: "eEIMr",
        ..NONE
    },
    Options {
        programs: &["node"],
        letters: "epr",
        longs: &["eval", "print", "require"],
        same: &[('e', "eval"), ('p', "print"), ('r', "require")],
        ..NONE
    },
    Options {
        programs: &["make", "gmake"],
        letters: "CfIoW",
        longs: &["directory", "file", "makefile"],
        same: &[
            ('C', "directory"),
            ('f', "file"),
            ('n', "dry-run"),
            ('k', "keep-going"),
        ],
        ..NONE
    },
    Options {
        programs: &["systemctl", "journalctl"],
        letters: "HMptonu",
        longs: &[
            "host", "machine", "property", "type", "output", "lines", "unit", "root", "since",
            "until", "signal",
        ],
        same: &[('u', "unit"), ('n', "lines"), ('H', "host"), ('q', "quiet")],
        ..NONE
    },
    Options {
        programs: &["tar"],
        letters: "fCTXbgNV",
        longs: &[
            "file",
            "directory",
            "files-from",
            "exclude",
            "checkpoint-action",
            "to-command",
            "use-compress-program",
            "transform",
        ],
        same: &[
            ('f', "file"),
            ('C', "directory"),
            ('x', "extract"),
            ('c', "create"),
            ('z', "gzip"),
        ],
        ..NONE
    },
    Options {
        programs: &["grep", "egrep", "fgrep"],
        letters: "efmABCdD",
        longs: &[
            "regexp",
            "file",
            "max-count",
            "include",
            "exclude",
            "exclude-dir",
        ],
        same: &[('e', "regexp"), ('i', "ignore-case"), ('v', "invert-match")],
        ..NONE
    },
    Options {
        programs: &["sed"],
        letters: "ef",
        longs: &["expression", "file"],
        same: &[('i', "in-place"), ('e', "expression"), ('n', "quiet")],
        ..NONE
    },
    Options {
        programs: &["find"],
        longs: &[
            "name",
            "iname",
            "path",
            "ipath",
            "wholename",
            "regex",
            "type",
            "mtime",
            "mmin",
            "size",
            "newer",
            "user",
            "group",
            "perm",
            "maxdepth",
            "mindepth",
            "fprint",
            "fprintf",
        ],
        ..NONE
    },
    Options {
        programs: &["kill", "pkill", "killall"],
        letters: "sn",
        longs: &["signal"],
        same: &[('s', "signal")],
        ..NONE
    },
    Options {
        programs: &["crontab"],
        letters: "u",
        ..NONE
    },
    Options {
        programs: &["gh"],
        letters: "R",
        longs: &["repo"],
        same: &[('R', "repo")],
        ..NONE
    },
    Options {
        programs: &["vault"],
        longs: &["mount", "address", "namespace", "field", "format"],
        ..NONE
    },
];

/// Programs whose options are words behind a single dash.
const WORD_OPTIONS: &[&str] = &[
    "find",
    "terraform",
    "tofu",
    "terragrunt",
    "java",
    "javac",
    "openssl",
    "ffmpeg",
    "packer",
    "consul",
    "vault",
    "nomad",
    "go",
    "dd",
    "qemu-system-x86_64",
];

/// Programs whose operands are data from the first one on, not subcommands.
const DATA: &[&str] = &[
    "rm", "cp", "mv", "ln", "cat", "kill", "pkill", "killall", "curl", "wget", "nc", "ncat", "ssh",
    "scp", "rsync", "bash", "sh", "zsh", "dash", "ksh", "dd", "tee", "shred", "truncate", "mkfs",
    "echo", "printf", "python", "perl", "ruby", "node", "php", "tar", "grep", "sed", "awk", "find",
    "ls", "touch", "mkdir", "rmdir", "make", "gmake", "ninja",
];

/// Programs that hand what follows their first operand to something else.
const SCRIPTS: &[&str] = &[
    "bash", "sh", "zsh", "dash", "ksh", "fish", "python", "perl", "ruby", "node", "php", "npx",
];

/// Programs that take the same options under several names: `python3.11` as `python`.
pub(super) fn family(program: &str) -> &str {
    let family = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    match family {
        "" => program,
        "nodejs" => "node",
        // `base64`, `sha1` and the like have digits in their names.
        "base" | "sha" | "md" => program,
        _ => family,
    }
}

/// What is known about the options of a program.
pub(super) struct Known(Vec<&'static Options>);

impl Known {
    pub(super) fn of(family: &str) -> Self {
        let about = |options: &&Options| options.programs.contains(&family);
        Self(TABLE.iter().filter(about).collect())
    }

    fn about<'a>(&'a self, subcommand: Option<&'a str>) -> impl Iterator<Item = &'static Options> {
        self.0.iter().copied().filter(move |options| {
            options.subcommands.is_empty()
                || subcommand.is_some_and(|name| options.subcommands.contains(&name))
        })
    }

    pub(super) fn letter_takes_value(&self, subcommand: Option<&str>, letter: char) -> bool {
        self.about(subcommand)
            .any(|options| options.letters.contains(letter))
    }

    pub(super) fn long_takes_value(&self, subcommand: Option<&str>, long: &str) -> bool {
        self.about(subcommand)
            .any(|options| options.longs.contains(&long))
    }

    /// True where the letter is short for the long option.
    pub(super) fn is_short_for(&self, subcommand: Option<&str>, letter: char, long: &str) -> bool {
        self.about(subcommand)
            .any(|options| options.same.contains(&(letter, long)))
    }

    /// Letters that are short for the long option.
    pub(super) fn shorts<'a>(
        &'a self,
        subcommand: Option<&'a str>,
        long: &'a str,
    ) -> impl Iterator<Item = char> + 'a {
        self.about(subcommand)
            .flat_map(|options| options.same)
            .filter(move |(_, name)| *name == long)
            .map(|(letter, _)| *letter)
    }

    /// True where both letters are short for the same option.
    pub(super) fn same_letter(&self, subcommand: Option<&str>, a: char, b: char) -> bool {
        a == b
            || self
                .about(subcommand)
                .flat_map(|options| options.same)
                .filter(|(letter, _)| *letter == a)
                .any(|(_, long)| self.is_short_for(subcommand, b, long))
    }
}

/// True where options are words behind a single dash.
pub(super) fn has_word_options(family: &str) -> bool {
    WORD_OPTIONS.contains(&family)
}

/// True where the first operand is no subcommand.
pub(super) fn takes_data(family: &str) -> bool {
    DATA.contains(&family)
}

/// True where the first operand means something else than the others, such as a file mode.
pub(super) fn first_is_special(family: &str) -> bool {
    matches!(family, "chmod" | "chown" | "chgrp")
}

/// True where nothing behind this many operands is an option of the program itself.
pub(super) fn options_end(family: &str, subcommand: Option<&str>, operands: usize) -> bool {
    let most = match (family, subcommand) {
        ("docker" | "podman" | "nerdctl", Some("run" | "exec" | "create")) => 2,
        _ if SCRIPTS.contains(&family) => 1,
        _ => return false,
    };
    operands >= most
}
