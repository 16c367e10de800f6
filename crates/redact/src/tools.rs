//! Which options of which programs take a secret.

use How::{Apart, Attached, Colon, Comma, Cookie, Pair, Percent, Source, Value};

/// How an option carries its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// `-pX` only; a lone `-p` asks.
    Attached,
    /// `-p X` or `-pX` (short), `--x X` or `--x=X` (long).
    Value,
    /// `-k X` only: a longer word is another option (`-keyout`).
    Apart,
    /// `-u user:X`.
    Colon,
    /// `-U user%X`.
    Percent,
    /// `-u user,X`.
    Comma,
    /// `-passin pass:X`; `env:`, `file:`, `fd:` and `stdin` refer.
    Source,
    /// `--from-literal=name=X`.
    Pair,
    /// `-b "name=X"`: all of it, where it has `=`; else it is a file.
    Cookie,
}

/// The options of some programs that take secrets.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) names: &'static [&'static str],
    /// One of these words stands before; empty: always.
    pub(crate) needs: &'static [&'static str],
    pub(crate) flags: &'static [(&'static str, How)],
}

const fn tool(names: &'static [&'static str], flags: &'static [(&'static str, How)]) -> Tool {
    Tool {
        names,
        needs: &[],
        flags,
    }
}

const fn when(
    names: &'static [&'static str],
    needs: &'static [&'static str],
    flags: &'static [(&'static str, How)],
) -> Tool {
    Tool {
        names,
        needs,
        flags,
    }
}

/// The table. Long options with a secret's name (`--password X`) need no entry: see [`crate::calls`].
pub(crate) static TOOLS: &[Tool] = &[
    tool(
        &[
            "mysql",
            "mysqldump",
            "mysqladmin",
            "mysqlimport",
            "mysqlshow",
            "mysqlcheck",
            "mysqlbinlog",
            "mysqlslap",
            "mysqlsh",
            "mysqlpump",
            "mycli",
            "mariadb",
            "mariadb-dump",
            "mariadb-admin",
            "mariadb-import",
            "mariadb-check",
        ],
        &[("-p", Attached)],
    ),
    when(
        &["az"],
        &["sql", "mysql", "postgres", "vm"],
        &[("-p", Value)],
    ),
    tool(&["psexec", "psexec64"], &[("-p", Value)]),
    tool(&["schtasks"], &[("/rp", Value), ("/p", Value)]),
    tool(&["sshpass"], &[("-p", Value)]),
    tool(
        &["redis-cli", "keydb-cli", "valkey-cli"],
        &[("-a", Value), ("--pass", Value)],
    ),
    tool(
        &[
            "ldapsearch",
            "ldapadd",
            "ldapmodify",
            "ldapdelete",
            "ldapmodrdn",
            "ldapcompare",
            "ldapwhoami",
            "ldapexop",
        ],
        &[("-w", Value)],
    ),
    tool(
        &["ldappasswd"],
        &[("-w", Value), ("-s", Value), ("-a", Value)],
    ),
    tool(
        &["curl"],
        &[
            ("-u", Colon),
            ("--user", Colon),
            ("-U", Colon),
            ("--proxy-user", Colon),
            ("-b", Cookie),
            ("--cookie", Cookie),
            ("--oauth2-bearer", Value),
            ("--pass", Value),
            ("--tlspassword", Value),
        ],
    ),
    tool(
        &["wget", "wget2"],
        &[
            ("--password", Value),
            ("--http-password", Value),
            ("--ftp-password", Value),
            ("--proxy-password", Value),
        ],
    ),
    tool(
        &["http", "https", "xh", "xhs", "httpie", "curlie"],
        &[("-a", Colon), ("--auth", Colon)],
    ),
    when(
        &[
            "docker",
            "podman",
            "nerdctl",
            "buildah",
            "skopeo",
            "oras",
            "crane",
            "regctl",
            "helm",
            "oc",
            "az",
            "acr",
            "singularity",
            "apptainer",
        ],
        &["login"],
        &[("-p", Value), ("--password", Value)],
    ),
    tool(
        &["podman", "buildah", "skopeo"],
        &[
            ("--creds", Colon),
            ("--src-creds", Colon),
            ("--dest-creds", Colon),
        ],
    ),
    tool(
        &[
            "smbclient",
            "rpcclient",
            "smbget",
            "smbmap",
            "smbcacls",
            "net",
            "winexe",
            "wmic",
            "nmblookup",
            "smbtree",
        ],
        &[("-U", Percent), ("--user", Percent)],
    ),
    tool(
        &[
            "smbmap",
            "evil-winrm",
            "crackmapexec",
            "cme",
            "nxc",
            "netexec",
            "hydra",
            "medusa",
            "ncrack",
            "bloodhound-python",
            "kerbrute",
        ],
        &[("-p", Value), ("-H", Value)],
    ),
    tool(
        &["openssl"],
        &[
            ("-pass", Source),
            ("-passin", Source),
            ("-passout", Source),
            ("-k", Apart),
            ("-K", Apart),
            ("-password", Source),
        ],
    ),
    tool(
        &[
            "mongo",
            "mongosh",
            "mongodump",
            "mongorestore",
            "mongoexport",
            "mongoimport",
            "mongostat",
            "mongotop",
            "mongofiles",
        ],
        &[("-p", Value)],
    ),
    tool(
        &[
            "cqlsh",
            "cypher-shell",
            "couchbase-cli",
            "cbq",
            "cbimport",
            "cbexport",
            "nodetool",
            "ncftp",
            "ncftpget",
            "ncftpput",
            "gsql",
            "rdesktop",
            "vncdo",
        ],
        &[("-p", Value)],
    ),
    tool(&["nodetool"], &[("-pw", Value)]),
    tool(
        &["plink", "pscp", "psftp", "putty", "kitty"],
        &[("-pw", Value)],
    ),
    tool(
        &[
            "sqlcmd",
            "bcp",
            "isql",
            "tsql",
            "fisql",
            "osql",
            "ipmitool",
            "mosquitto_pub",
            "mosquitto_sub",
            "mosquitto_rr",
        ],
        &[("-P", Value)],
    ),
    tool(&["vsql"], &[("-w", Value)]),
    tool(
        &["xfreerdp", "wlfreerdp", "xfreerdp3"],
        &[("/p:", Attached), ("-p", Value)],
    ),
    tool(&["7z", "7za", "7zr", "7zz"], &[("-p", Attached)]),
    tool(&["rar", "unrar"], &[("-p", Attached), ("-hp", Attached)]),
    tool(&["zip", "unzip", "zipcloak", "funzip"], &[("-P", Value)]),
    tool(&["gpg", "gpg2"], &[("--passphrase", Value)]),
    tool(&["ssh-keygen"], &[("-N", Value), ("-P", Value)]),
    tool(
        &["useradd", "usermod", "groupadd", "groupmod"],
        &[("-p", Value)],
    ),
    when(
        &["security"],
        &["add-generic-password", "add-internet-password"],
        &[("-w", Value)],
    ),
    when(
        &["security"],
        &[
            "unlock-keychain",
            "create-keychain",
            "set-key-partition-list",
            "set-keychain-password",
        ],
        &[("-p", Value), ("-k", Value)],
    ),
    when(&["security"], &["import", "export"], &[("-P", Value)]),
    tool(
        &["sysadminctl"],
        &[
            ("-password", Value),
            ("-adminPassword", Value),
            ("-newPassword", Value),
        ],
    ),
    tool(&["twine"], &[("-p", Value)]),
    tool(&["lftp"], &[("-u", Comma)]),
    tool(
        &[
            "snmpwalk",
            "snmpget",
            "snmpset",
            "snmpbulkwalk",
            "snmpgetnext",
            "snmptrap",
        ],
        &[("-A", Value), ("-X", Value), ("-c", Value)],
    ),
    tool(
        &["etcdctl", "influx", "nats"],
        &[("--user", Colon), ("-u", Colon)],
    ),
    tool(&["ab"], &[("-A", Colon), ("-P", Colon)]),
    when(
        &["kubectl", "oc", "k", "k3s"],
        &["secret"],
        &[("--from-literal", Pair), ("--docker-password", Value)],
    ),
    when(&["gh"], &["secret"], &[("-b", Value), ("--body", Value)]),
    when(
        &["az", "aws"],
        &["secret", "put-parameter", "put-secret-value"],
        &[("--value", Value)],
    ),
    when(&["aws"], &["secretsmanager"], &[("--secret-string", Value)]),
    when(&["doctl", "hcloud"], &["auth", "init"], &[("-t", Value)]),
    tool(&["vercel"], &[("-t", Value)]),
    tool(&["netlify"], &[("-a", Value)]),
    tool(
        &["keytool", "jarsigner"],
        &[
            ("-storepass", Value),
            ("-keypass", Value),
            ("-srcstorepass", Value),
            ("-deststorepass", Value),
            ("-destkeypass", Value),
            ("-new", Value),
        ],
    ),
    tool(
        &[
            "pwsh",
            "powershell",
            "get-credential",
            "new-localuser",
            "set-localuser",
        ],
        &[("-Password", Value)],
    ),
    tool(
        &["databricks", "consul", "nomad", "vault", "boundary"],
        &[("-token", Value)],
    ),
    tool(&["jwt"], &[("--secret", Value), ("-S", Value)]),
    tool(&["tshark", "aircrack-ng", "airdecap-ng"], &[("-p", Value)]),
    tool(&["steamcmd", "ipmiutil", "racadm"], &[("-p", Value)]),
    tool(&["svn"], &[("--password", Value)]),
    tool(
        &[
            "rclone",
            "restic",
            "borg",
            "cypher-shell",
            "clickhouse-client",
            "clickhouse",
        ],
        &[("--password", Value)],
    ),
];

/// Programs whose `--password` is a switch that asks, or takes its value after `=` only.
pub(crate) static ASKS: &[&str] = &[
    "psql",
    "pg_dump",
    "pg_restore",
    "pg_dumpall",
    "createdb",
    "dropdb",
    "createuser",
    "dropuser",
    "pgcli",
    "vacuumdb",
    "reindexdb",
    "pg_basebackup",
    "mysql",
    "mysqldump",
    "mysqladmin",
    "mysqlimport",
    "mysqlshow",
    "mysqlcheck",
    "mariadb",
    "mariadb-dump",
    "mariadb-admin",
];

/// Programs whose positional arguments can be secrets; handled in [`crate::calls`].
pub(crate) static POSITIONAL: &[&str] = &[
    "htpasswd",
    "ngrok",
    "snyk",
    "put",
    "set_network",
    "mysqladmin",
    "mkpasswd",
    "openssl",
    "cargo",
    "rabbitmqctl",
    "mc",
    "mcli",
    "wpa_passphrase",
    "nmcli",
    "iwconfig",
    "sqlplus",
    "sqlldr",
    "expdp",
    "impdp",
    "rman",
    "redis-cli",
    "pdftk",
    "qpdf",
    "radtest",
    "net",
    "vault",
    "chpasswd",
    "convertto-securestring",
    "rclone",
    "ansible-vault",
    "networksetup",
    "gcloud",
    "setenv",
    "setx",
    "config",
    "set",
    "configure",
    "config:set",
    "login",
    "vncpasswd",
    "smbpasswd",
];

/// Programs (and options) that read a secret from their input.
pub(crate) static SINKS: &[&str] = &[
    "sudo",
    "chpasswd",
    "passwd",
    "su",
    "doas",
    "cryptsetup",
    "smbpasswd",
    "kinit",
    "mkpasswd",
    "ldappasswd",
    "saslpasswd2",
    "mosquitto_passwd",
    "systemd-ask-password",
    "systemd-creds",
    "keyctl",
    "secret-tool",
    "vncpasswd",
    "wpa_passphrase",
    "ecryptfs-add-passphrase",
    "chgpasswd",
    "veracrypt",
    "ssh-add",
];

/// Options that say that the input is a secret.
pub(crate) static SINK_FLAGS: &[&str] = &[
    "--password-stdin",
    "--passphrase-fd",
    "--with-token",
    "--pw-stdin",
    "--pass-stdin",
    "--token-stdin",
    "--stdin-password",
    "--passwordstdin",
    "--api-key-stdin",
    "--secret-stdin",
    "--askpass-stdin",
];

/// Programs whose quoted arguments are scripts again.
pub(crate) static RUNNERS: &[&str] = &[
    "sh",
    "bash",
    "zsh",
    "dash",
    "ksh",
    "fish",
    "ash",
    "su",
    "ssh",
    "eval",
    "watch",
    "docker",
    "podman",
    "kubectl",
    "nerdctl",
    "lxc",
    "vagrant",
    "parallel",
    "xargs",
    "tmux",
    "screen",
    "script",
    "trap",
    "at",
    "cmd",
    "powershell",
    "pwsh",
    "wsl",
    "sudo",
    "env",
    "nohup",
    "timeout",
    "runuser",
    "flock",
    "crontab",
    "chroot",
    "nsenter",
    "gcloud",
    "salt",
    "ansible",
    "pssh",
    "pdsh",
    "entr",
    "hyperfine",
    "time",
    "strace",
    "echo",
    "printf",
];

/// Names of programs and options that make the grammar worth looking at.
pub(crate) fn trigger_names() -> impl Iterator<Item = &'static str> {
    let tools = TOOLS.iter().flat_map(|tool| tool.names.iter());
    let others = SINKS.iter().chain(SINK_FLAGS).chain(POSITIONAL);
    tools
        .chain(others)
        .copied()
        .filter(|name| !matches!(*name, "set" | "k" | "configure"))
}
