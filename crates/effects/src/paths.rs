//! Paths: lexical normalisation, and what is special about them.

/// Makes a path absolute and takes `.`, `..`, `//` and `/proc/self/root` out of it.
pub(crate) fn normalise(path: &str, cwd: &str) -> String {
    let mut parts: Vec<&str> = Vec::with_capacity(12);
    if !path.starts_with('/') {
        push(&mut parts, cwd, cwd);
    }
    push(&mut parts, path, cwd);
    if parts.is_empty() {
        return "/".to_owned();
    }
    let mut out = String::with_capacity(path.len() + cwd.len() + 1);
    for part in parts {
        out.push('/');
        out.push_str(part);
    }
    out
}

fn push<'p>(parts: &mut Vec<&'p str>, path: &'p str, cwd: &'p str) {
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
        // Other names of the root and of the working directory.
        match parts.as_slice() {
            ["proc", "self" | "thread-self" | "1", "root"] => parts.clear(),
            ["proc", "self" | "thread-self", "cwd"] => {
                parts.clear();
                parts.extend(
                    cwd.split('/')
                        .filter(|part| !part.is_empty() && *part != "." && *part != ".."),
                );
            }
            ["proc", pid, "root"]
                if pid.bytes().all(|byte| byte.is_ascii_digit()) || *pid == "$$" =>
            {
                parts.clear()
            }
            _ => {}
        }
    }
}

/// A path on a drive: `C:\\x`, `d:/x`, `C:`.
pub(crate) fn is_drive(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(1) == Some(&b':')
        && matches!(bytes.get(2), None | Some(b'/' | b'\\'))
}

/// As [`normalise`], for paths of PowerShell and cmd.exe: either slash separates, a drive is a root of
/// its own and is written with a capital letter. Stores that are no files keep their name in front,
/// such as `HKLM:/…`.
pub(crate) fn windows(path: &str, cwd: &str, home: &str) -> String {
    let mut path = path.replace('\\', "/");
    if path.eq_ignore_ascii_case("nul") || path.eq_ignore_ascii_case("$null") {
        return "/dev/null".to_owned();
    }
    for prefix in [
        "//?/",
        "//./",
        "FileSystem::",
        "Microsoft.PowerShell.Core/FileSystem::",
    ] {
        if let Some(rest) = path.strip_prefix(prefix) {
            path = rest.to_owned();
        }
    }
    if path == "~" || path.starts_with("~/") {
        path = format!("{home}{}", path.get(1..).unwrap_or(""));
    }
    if let Some((store, rest)) = path.split_once(':')
        && store.len() > 1
        && store.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !rest.starts_with("//")
    {
        return format!(
            "{}:/{}",
            store.to_ascii_uppercase(),
            rest.trim_start_matches([':', '/'])
        );
    }
    let drive = |path: &str| path.get(..1).unwrap_or("C").to_ascii_uppercase();
    if is_drive(&path) {
        let rest = normalise(path.get(2..).unwrap_or(""), "/");
        return format!("{}:{rest}", drive(&path));
    }
    if is_drive(cwd) {
        let inner = cwd.get(2..).unwrap_or("");
        let inner = if inner.is_empty() { "/" } else { inner };
        return format!("{}:{}", drive(cwd), normalise(&path, inner));
    }
    normalise(&path, cwd)
}

/// A path whose pattern characters and tilde stand for themselves, as effects write it.
pub(crate) fn escaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 2);
    if path.starts_with('~') {
        out.push_str("./");
    }
    for next in path.chars() {
        if matches!(next, '*' | '?' | '[' | '\\') {
            out.push('\\');
        }
        out.push(next);
    }
    out
}

/// Last part of a path.
pub(crate) fn base_name(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(path)
}

/// True where a program of the system is called by a pattern (`/???/b?n/…`) or through another name
/// of the root (`/proc/self/root/…`). A pattern below a folder of one's own is everyday.
pub(crate) fn is_disguised(word: &str, glob: bool) -> bool {
    if let Some(rest) = word.strip_prefix("/proc/") {
        return rest.contains("/root/") || rest.contains("/cwd/");
    }
    let Some(rest) = word.strip_prefix('/') else {
        return false;
    };
    let first = rest.split('/').next().unwrap_or("");
    let magic = |text: &str| text.contains(['*', '?', '[']);
    glob && rest.contains('/')
        && (magic(first)
            || matches!(first, "bin" | "sbin" | "usr" | "lib" | "lib64") && magic(rest))
}

/// A usual secret that a pattern would name, part by part: `~/.s*h/id_*`.
pub(crate) fn secret_behind(pattern: &str, home: &str) -> Option<String> {
    const BELOW_HOME: &[&str] = &[
        "/.ssh/id_rsa",
        "/.ssh/id_ed25519",
        "/.aws/credentials",
        "/.kube/config",
        "/.netrc",
    ];
    let fits = |path: &str| {
        let (mut parts, mut names) = (pattern.split('/'), path.split('/'));
        loop {
            match (parts.next(), names.next()) {
                (None, None) => return true,
                (Some(part), Some(name)) if crate::glob::matches(part, name) => {}
                _ => return false,
            }
        }
    };
    BELOW_HOME
        .iter()
        .map(|path| format!("{home}{path}"))
        .chain(["/etc/shadow".to_owned()])
        .find(|path| fits(path))
        // `~/*` and `/etc/*` are about everything, not about the secret among it.
        .filter(|path| {
            !matches!(base_name(pattern), "*" | "**") || dir_name(path).ends_with(".ssh")
        })
}

/// Everything in front of the last part.
pub(crate) fn dir_name(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((dir, _)) => dir,
        None if path.starts_with('/') => "/",
        None => ".",
    }
}

/// A path where an unset variable makes a disaster: the root, what lies right below it, a system
/// folder or a home.
pub(crate) fn is_catastrophic(path: &str, home: &str) -> bool {
    if is_drive(path) {
        return path
            .trim_end_matches("/*")
            .trim_end_matches('/')
            .matches('/')
            .count()
            <= 1;
    }
    let bare = path.trim_end_matches("/*").trim_end_matches("/.*");
    if bare.is_empty() || bare == "/" || bare == home || bare == "/home" {
        return true;
    }
    let top = bare
        .strip_prefix('/')
        .unwrap_or(bare)
        .split('/')
        .next()
        .unwrap_or("");
    let depth = bare.matches('/').count();
    depth == 1 && (top.starts_with(['*', '.', '?']) || SYSTEM.contains(&top))
        || depth == 2 && matches!(top, "usr" | "var") && bare.len() < 12
}

const SYSTEM: &[&str] = &[
    "bin",
    "boot",
    "dev",
    "etc",
    "home",
    "lib",
    "lib32",
    "lib64",
    "opt",
    "proc",
    "root",
    "run",
    "sbin",
    "srv",
    "sys",
    "usr",
    "var",
    "Users",
    "System",
    "Library",
    "Applications",
];

/// A block device, or another device that must not be written.
pub(crate) fn is_device(path: &str) -> bool {
    let Some(name) = path.strip_prefix("/dev/") else {
        return false;
    };
    const PREFIXES: &[&str] = &[
        "sd", "hd", "vd", "xvd", "nvme", "mmcblk", "md", "dm-", "disk", "rdisk", "loop", "sr",
        "nbd", "zd", "ram", "fd0", "zram",
    ];
    const FOLDERS: &[&str] = &["mapper/", "disk/", "block/", "vg"];
    if FOLDERS.iter().any(|folder| name.starts_with(folder)) {
        return true;
    }
    let special = matches!(name, "mem" | "kmem" | "port" | "root" | "nvram");
    special
        || PREFIXES.iter().any(|prefix| {
            name.strip_prefix(prefix).is_some_and(|rest| {
                rest.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"*?[]-$".contains(&byte))
            })
        }) && !matches!(name, "shm" | "stdin" | "stdout" | "stderr")
            && !name.starts_with("fd/")
}

/// A device that may be written without harm.
pub(crate) fn is_harmless_device(path: &str) -> bool {
    matches!(
        path,
        "/dev/null"
            | "/dev/stdout"
            | "/dev/stderr"
            | "/dev/tty"
            | "/dev/stdin"
            | "/dev/full"
            | "/dev/zero"
            | "/dev/console"
    ) || path.starts_with("/dev/fd/")
        || path.starts_with("/dev/pts/")
        || path.starts_with("/proc/self/fd/")
}

/// A file or store that holds credentials. Patterns in the path count where they could mean one.
pub(crate) fn is_secret(path: &str, home: &str) -> bool {
    let name = base_name(path);
    if matches!(
        path,
        "/etc/shadow"
            | "/etc/gshadow"
            | "/etc/shadow-"
            | "/etc/sudoers"
            | "/etc/master.passwd"
            | "/etc/krb5.keytab"
            | "/etc/security/opasswd"
    ) {
        return true;
    }
    if is_drive(path) {
        let lower = path.to_ascii_lowercase();
        if lower.contains("/system32/config/")
            && ["sam", "system", "security"]
                .iter()
                .any(|store| lower.ends_with(store))
            || lower.ends_with("/ntds.dit")
            || lower.contains("/microsoft/credentials/")
            || lower.contains("/microsoft/protect/")
            || lower.ends_with("/unattend.xml")
        {
            return true;
        }
    }
    if path.starts_with("/proc/")
        && (name == "environ" || name == "mem" || name == "maps")
        && path.matches('/').count() == 3
    {
        return name != "maps";
    }
    let folder_of = |folder: &str| {
        let mut rest = path;
        while let Some(at) = rest.find(folder) {
            let before = rest.get(..at).unwrap_or("");
            rest = rest.get(at + folder.len()..).unwrap_or("");
            if before.ends_with('/') && (rest.is_empty() || rest.starts_with('/')) {
                return Some(rest);
            }
        }
        None
    };
    if let Some(rest) = folder_of(".ssh") {
        return !matches!(
            name,
            "known_hosts" | "config" | "authorized_keys" | "known_hosts.old"
        ) && !name.ends_with(".pub")
            && !rest.is_empty();
    }
    if folder_of(".gnupg").is_some_and(|rest| !rest.is_empty())
        || folder_of(".password-store").is_some()
    {
        return true;
    }
    if folder_of(".aws").is_some()
        && (name.starts_with("credentials") || glob_means(name, "credentials") || name == "*")
    {
        return true;
    }
    if folder_of("gcloud").is_some()
        && (name.contains("credential") || name.ends_with(".db") || name == "access_tokens.db")
    {
        return true;
    }
    if folder_of(".azure").is_some()
        && (name.contains("oken") || name.contains("rofile") || name.contains("cred"))
    {
        return true;
    }
    if folder_of(".docker").is_some() && name == "config.json"
        || folder_of(".kube").is_some() && name.starts_with("config")
    {
        return true;
    }
    if path.contains("/serviceaccount/") && name == "token"
        || path.starts_with("/run/secrets/")
        || path.starts_with("/var/run/secrets/")
    {
        return true;
    }
    if path.contains("/.config/gh/hosts")
        || path.contains("/.config/hub")
        || path.contains("/.terraform.d/credentials")
        || path.contains("/.cargo/credentials")
    {
        return true;
    }
    if path.contains("/Library/Keychains/")
        || path.contains("/.local/share/keyrings/")
        || path.contains("/.mozilla/firefox/") && (name == "logins.json" || name == "key4.db")
    {
        return true;
    }
    let browser = ["hrom", "rave", "dge", "ivaldi", "pera", "Network", "Arc"]
        .iter()
        .any(|word| path.contains(word));
    if name.starts_with("Login Data")
        || matches!(name, "Cookies" | "Web Data" | "Local State") && browser
        || matches!(name, "cookies.sqlite" | "key3.db" | "signons.sqlite")
    {
        return true;
    }
    if path.starts_with("/etc/") && glob_means(name, "shadow")
        || path.starts_with("/etc/ssl/private/")
        || path.starts_with("/etc/sudoers.d/")
    {
        return true;
    }
    if path.starts_with("/etc/ssh/ssh_host_") && !name.ends_with(".pub") {
        return true;
    }
    let _ = home;
    if name == ".env"
        || name.strip_prefix(".env.").is_some_and(|kind| {
            !matches!(
                kind,
                "example" | "sample" | "template" | "dist" | "defaults" | "test.example"
            )
        })
        || name == ".envrc"
    {
        return true;
    }
    if name.starts_with('.') && glob_means(name, ".env") && name != ".*" {
        return true;
    }
    const NAMES: &[&str] = &[
        ".netrc",
        "_netrc",
        ".pgpass",
        ".my.cnf",
        ".npmrc",
        ".pypirc",
        ".git-credentials",
        ".dockercfg",
        ".htpasswd",
        ".vault-token",
        ".s3cfg",
        ".boto",
        "credentials.json",
        "secrets.yml",
        "secrets.yaml",
        "secrets.json",
        "service-account.json",
        "application_default_credentials.json",
        "id_rsa",
        "id_ed25519",
        "id_ecdsa",
        "id_dsa",
        "wp-config.php",
        "master.key",
        "kubeconfig",
        ".fly",
        "terraform.tfvars",
        "secring.gpg",
        "wallet.dat",
    ];
    if NAMES.contains(&name) {
        return true;
    }
    const ENDINGS: &[&str] = &[
        ".pem",
        ".key",
        ".p12",
        ".pfx",
        ".keystore",
        ".jks",
        ".kdbx",
        ".ppk",
        ".asc.key",
    ];
    ENDINGS.iter().any(|ending| name.ends_with(ending))
        && !name.contains("pub")
        && !name.contains("cert")
        && !path.starts_with("/etc/ssl/certs")
}

fn glob_means(pattern: &str, name: &str) -> bool {
    crate::glob::is_pattern(pattern)
        && pattern.trim_matches('*').len() > 1
        && crate::glob::matches(pattern, name)
        || pattern == name
}

/// What makes a path run something later or at every start: the mechanism.
pub(crate) fn persistence(path: &str) -> Option<&'static str> {
    let name = base_name(path);
    if path.starts_with("/etc/cron")
        || path.starts_with("/var/spool/cron")
        || path.starts_with("/etc/anacron")
    {
        return Some("cron");
    }
    if name.ends_with("profile.ps1") {
        return Some("rc-file");
    }
    if path.contains("/Start Menu/Programs/Startup/") {
        return Some("autostart");
    }
    if path.starts_with("C:/Windows/System32/Tasks/") {
        return Some("scheduled-task");
    }
    // Python runs these before any program of its own.
    if matches!(name, "usercustomize.py" | "sitecustomize.py")
        || name.ends_with(".pth")
            && (path.contains("/site-packages/") || path.contains("/dist-packages/"))
    {
        return Some("python-site");
    }
    if name == "authorized_keys" || name == "authorized_keys2" {
        return Some("authorized-key");
    }
    const RC: &[&str] = &[
        ".bashrc",
        ".bash_profile",
        ".bash_login",
        ".bash_logout",
        ".profile",
        ".zshrc",
        ".zshenv",
        ".zprofile",
        ".zlogin",
        ".zlogout",
        ".kshrc",
        ".cshrc",
        ".tcshrc",
        ".login",
        ".inputrc",
        ".vimrc",
        ".xinitrc",
        ".xprofile",
        ".xsession",
        ".pam_environment",
        "config.fish",
        ".bash_aliases",
        ".pythonrc",
    ];
    if RC.contains(&name) {
        return Some("rc-file");
    }
    const GLOBAL_RC: &[&str] = &[
        "/etc/profile",
        "/etc/bash.bashrc",
        "/etc/bashrc",
        "/etc/zsh",
        "/etc/environment",
        "/etc/rc.local",
        "/etc/ld.so.preload",
        "/etc/inittab",
    ];
    if GLOBAL_RC.iter().any(|known| path.starts_with(known))
        || path.starts_with("/etc/init.d/")
        || path.starts_with("/etc/update-motd.d/")
    {
        return Some("rc-file");
    }
    if path.starts_with("/etc/systemd/")
        || path.contains("/systemd/user/")
        || path.contains("/systemd/system/")
    {
        return Some("systemd");
    }
    if path.contains("/LaunchAgents/") || path.contains("/LaunchDaemons/") {
        return Some("launchd");
    }
    if path.contains("/.config/autostart/") || path.starts_with("/etc/xdg/autostart/") {
        return Some("autostart");
    }
    if path.contains("/.git/hooks/") && !name.ends_with(".sample") {
        return Some("git-hook");
    }
    if path.starts_with("/etc/udev/rules.d")
        || path.starts_with("/etc/sudoers")
        || path.starts_with("/etc/pam.d")
    {
        return Some("system-hook");
    }
    None
}

/// A log, or the shell's history.
pub(crate) fn is_log(path: &str) -> bool {
    const HISTORY: &[&str] = &[
        ".bash_history",
        ".zsh_history",
        ".zhistory",
        ".history",
        ".sh_history",
        ".python_history",
        ".mysql_history",
        ".psql_history",
        "fish_history",
        ".viminfo",
        ".lesshst",
    ];
    path.contains("/winevt/Logs")
        || name_is_history(path)
        || path == "/var/log"
        || path.starts_with("/var/log/")
        || matches!(path, "/var/run/utmp" | "/run/utmp" | "/var/adm/wtmp")
        || HISTORY.contains(&base_name(path))
}

fn name_is_history(path: &str) -> bool {
    base_name(path).eq_ignore_ascii_case("consolehost_history.txt")
}

/// Something of cmdai's own.
pub(crate) fn is_own(path: &str) -> bool {
    const OWN: &[&str] = &[
        "/etc/cmdai",
        "/var/lib/cmdai",
        "/run/cmdai",
        "/var/run/cmdai",
        "/usr/lib/cmdai",
        "/usr/local/lib/cmdai",
        "/opt/cmdai",
    ];
    OWN.iter().any(|own| {
        path.strip_prefix(own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*']))
    }) || path.ends_with("/.config/cmdai")
        || path.contains("/.config/cmdai/")
        || matches!(base_name(path), "cmdai" | "cmdai-enterprise" | "cmdai.so")
            && (path.contains("/bin/") || path.contains("/lib"))
        || path.starts_with("/etc/systemd/system/cmdai")
}
