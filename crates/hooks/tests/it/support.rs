//! Homes with bash or zsh hooked in them.

use std::path::PathBuf;

use cmdai_hooks::Paths;
use cmdai_schema::Decision;
use cmdai_schema::record::{Half, Record};
use cmdai_testkit::{Home, Pty, bash_module, zsh_module};

/// A policy that denies `frobnicate`, asks about `tickle`, and wants an approval for `deploy`.
pub(crate) const POLICY: &str = r#"version: "1.0"
organization: "acme"
rules:
  - id: test.frobnicate
    when: { program: frobnicate }
    decision: deny
    reason: "Frobnicating is not done here"
    owner: "Platform"
  - id: test.tickle
    when: { program: tickle }
    decision: confirm
    reason: "Tickling needs a thought"
  - id: test.deploy
    when: { program: deploy }
    decision: require_approval
    reason: "Deploying needs a second person"
"#;

/// The policy as an organisation's snapshot.
pub(crate) fn snapshot() -> Vec<u8> {
    let set =
        cmdai_policy::parse(POLICY, "policy.yaml").unwrap_or_else(|errors| panic!("{errors}"));
    let meta = cmdai_policy::SnapshotMeta {
        policy_id: "acme".to_owned(),
        version: "41".to_owned(),
        ..cmdai_policy::SnapshotMeta::default()
    };
    cmdai_policy::compile(&set, &meta)
}

/// The installed places of a test.
pub(crate) fn paths(module: PathBuf) -> Paths {
    Paths {
        program: PathBuf::from("/does/not/exist/cmdai"),
        bash_module: Some(module),
        ..Paths::default()
    }
}

/// A home whose `.bashrc` hooks bash, with `before` and `after` around the hook's line. The three
/// programs of the policy leave a file behind when they run.
pub(crate) fn home(before: &str, after: &str) -> Home {
    home_with(bash_module().unwrap(), before, after)
}

/// A home whose module lies in a folder of its own, with this script as the program beside it, or none.
pub(crate) fn home_with_reader(reader: Option<&str>) -> Home {
    let folder = tempfile::tempdir().unwrap().keep();
    let module = folder.join("libcmdai_bash.so");
    std::fs::copy(bash_module().unwrap(), &module).unwrap();
    if let Some(text) = reader {
        use std::os::unix::fs::PermissionsExt as _;
        let program = folder.join("cmdai");
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    home_with(module, "", "")
}

fn home_with(module: PathBuf, before: &str, after: &str) -> Home {
    let home = Home::new().unwrap();
    with_programs(&home, &["frobnicate", "tickle", "deploy"]);
    std::fs::write(
        home.path().join("init.bash"),
        cmdai_hooks::bash::init_script(&paths(module)),
    )
    .unwrap();
    let rc = format!(
        "PS1='PROMPT> '\nPATH=$HOME/bin:$PATH\n{before}\neval \"$(<~/init.bash)\"\n{after}\n"
    );
    std::fs::write(home.path().join(".bashrc"), rc).unwrap();
    home
}

/// Puts programs into the home's `bin` that leave a file behind when they run.
pub(crate) fn with_programs(home: &Home, names: &[&str]) {
    use std::os::unix::fs::PermissionsExt as _;
    let bin = home.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    for name in names {
        let file = bin.join(name);
        let mark = home.path().join(format!("{name}-ran"));
        std::fs::write(
            &file,
            format!("#!/bin/sh\ntouch '{}'\necho {name} ran\n", mark.display()),
        )
        .unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// A hooked bash at its first prompt.
pub(crate) fn bash(home: &Home) -> Pty {
    Pty::bash(
        &home.path().join(".bashrc"),
        &home.work(),
        &home.environment(),
    )
    .unwrap()
}

/// The program ran.
pub(crate) fn ran(home: &Home, name: &str) -> bool {
    home.path().join(format!("{name}-ran")).exists()
}

/// A home whose `.zshrc` hooks zsh, with `before` and `after` around the hook's line. The three programs
/// of the policy leave a file behind when they run.
pub(crate) fn zsh_home(before: &str, after: &str) -> Home {
    zsh_home_with(zsh_paths(), before, after)
}

/// The installed places of a test in zsh.
pub(crate) fn zsh_paths() -> Paths {
    Paths {
        program: PathBuf::from("/does/not/exist/cmdai"),
        zsh_module: Some(zsh_module().unwrap()),
        ..Paths::default()
    }
}

/// The same with other installed places.
pub(crate) fn zsh_home_with(paths: Paths, before: &str, after: &str) -> Home {
    let home = Home::new().unwrap();
    with_programs(&home, &["frobnicate", "tickle", "deploy"]);
    let script = cmdai_hooks::zsh::init_script(&paths);
    std::fs::write(home.path().join("init.zsh"), script).unwrap();
    let rc = format!(
        "PS1='PROMPT> '\nunsetopt prompt_sp prompt_cr\npath=(~/bin $path)\n{before}\neval \"$(<~/init.zsh)\"\n{after}\n"
    );
    std::fs::write(home.path().join(".zshrc"), rc).unwrap();
    home
}

/// A hooked zsh at its first prompt.
pub(crate) fn zsh(home: &Home) -> Pty {
    Pty::zsh(&home.work(), &home.environment()).unwrap()
}

/// Texts of the commands and whether they were let run.
pub(crate) fn starts(records: &[Record]) -> Vec<(&str, bool)> {
    cmdai_testkit::starts(records)
        .into_iter()
        .map(|start| (start.text.as_str(), start.allowed))
        .collect()
}

/// Exit statuses of the commands that ended.
pub(crate) fn ends(records: &[Record]) -> Vec<i32> {
    records
        .iter()
        .filter_map(|record| match record.half {
            Half::End { exit_code, .. } => Some(exit_code),
            _ => None,
        })
        .collect()
}

/// What `echo "$?"` prints.
pub(crate) fn status(shell: &mut Pty) -> String {
    let shown = shell.run("echo \"<$?>\"").unwrap();
    let last = shown.rsplit('<').next().unwrap_or_default();
    last.split('>').next().unwrap_or_default().to_owned()
}

/// The records of the one session that a governed shell left: `frobnicate` denied under policy 41, then
/// `echo fine`.
pub(crate) fn denied_and_fine(home: &Home) {
    let records = home.spooled().unwrap();
    let session = &records[0].session_id;
    assert!(records.iter().all(|record| record.session_id == *session));
    assert_eq!(
        starts(&records)[..2],
        [("frobnicate", false), ("echo fine", true)]
    );
    let policy = &cmdai_testkit::starts(&records)[0].policy;
    assert_eq!(
        (policy.decision, policy.policy_version.as_str()),
        (Decision::Deny, "41")
    );
}

/// A governed shell said that its policy cannot be used, goes on, and its records say so.
pub(crate) fn works_without_policy(home: &Home, shell: &mut Pty) {
    assert!(
        shell.screen().contains("cannot be used"),
        "{}",
        shell.screen()
    );
    assert!(shell.run("echo al''ive").unwrap().contains("\nalive\n"));
    let records = home.spooled().unwrap();
    let rule = "gate.no-policy".to_owned();
    assert!(
        cmdai_testkit::starts(&records)
            .iter()
            .any(|start| start.policy.violated_rules.contains(&rule))
    );
}
