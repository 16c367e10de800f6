//! Files and disks, judged by place.

use cmdai_schema::Risk::{Critical, High, Moderate, Safe};
use cmdai_schema::{Certainty, Effect, EffectKind, Invocation, Risk};

use super::Judge;
use crate::place::{Place, is_folder};

pub(super) fn judge(judge: &mut Judge<'_>, effect: &Effect) {
    match &effect.kind {
        EffectKind::Delete {
            path,
            recursive,
            force,
        } => delete(judge, effect, path, *recursive, *force),
        EffectKind::Overwrite { path } => overwrite(judge, effect, path),
        EffectKind::Write { path } => write(judge, effect, path),
        EffectKind::Move { from, to } => moved(judge, effect, from, to),
        EffectKind::ChangeMode {
            path,
            mode,
            recursive,
        } => mode_of(judge, effect, path, mode, *recursive),
        EffectKind::ChangeOwner {
            path,
            owner,
            recursive,
        } => owner_of(judge, effect, path, owner, *recursive),
        EffectKind::DeviceWrite { path } => device(judge, effect, path),
        EffectKind::Format { path } => {
            // `diskutil` names disks without their folder.
            let disk = effect
                .chain
                .last()
                .is_some_and(|program| program == "diskutil");
            let risk = if path.starts_with("/dev/") || !path.starts_with('/') || disk {
                Critical
            } else {
                Moderate
            };
            let instead = path
                .starts_with("/dev/")
                .then(|| format!("lsblk -f {path}"));
            judge.hit(
                "disk.format",
                risk,
                effect,
                format!("makes a new file system on {path}, everything on it is lost"),
                instead,
            );
        }
        EffectKind::Mount { path } => {
            // What was not written yet is lost.
            let forced = effect
                .chain
                .last()
                .is_some_and(|program| program == "umount")
                && judge.call(effect).is_some_and(|call| {
                    call.args.iter().map(|arg| arg.text()).any(|text| {
                        text == "--force"
                            || text.starts_with('-')
                                && !text.starts_with("--")
                                && text.contains('f')
                    })
                });
            let risk = if forced || judge.places.of(path) >= Place::SystemRoot {
                High
            } else {
                Moderate
            };
            judge.hit(
                "disk.mount",
                risk,
                effect,
                format!("mounts or unmounts {path}"),
                None,
            );
        }
        _ => {}
    }
}

/// True where the last part has the ending of a file: `-r` in front of it changes nothing.
fn looks_like_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(stem, end)| {
        !stem.is_empty()
            && (1..=5).contains(&end.len())
            && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !end.bytes().all(|byte| byte.is_ascii_digit())
            && !matches!(end, "git" | "d" | "app" | "old" | "bak" | "orig")
    })
}

/// A glob that names more than one thing.
fn is_wide(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(crate::glob::is_pattern)
}

/// `find` hands over everything below a folder, with no test of the name.
fn everything_found(judge: &Judge<'_>, effect: &Effect, path: &str) -> bool {
    (path.ends_with("/*") || path.ends_with("/**"))
        && finder(judge, effect).is_some_and(|find| {
            let links = find.args.windows(2).any(
                |pair| matches!(pair, [test, kind] if test.text() == "-type" && kind.text() == "l"),
            );
            !links && !find.args.iter().any(|arg| arg.text() == "-empty")
        })
}

/// The `find` that an effect comes from, by `-exec` or by `| xargs`.
fn finder<'a>(judge: &Judge<'a>, effect: &Effect) -> Option<&'a Invocation> {
    let named = |name: &str| effect.chain.iter().any(|program| program == name);
    let (inside, handed) = (named("find"), named("xargs"));
    if !inside && !handed {
        return None;
    }
    let own = judge.call(effect);
    let calls = &judge.request.analysis.invocations;
    calls.iter().find(|call| {
        let around = call.span.start <= effect.span.start && effect.span.end <= call.span.end;
        let before = own.is_some_and(|own| call.pipeline == own.pipeline && call.stage < own.stage);
        call.program == "find" && (inside && around || handed && before)
    })
}

/// In a container of its own, where nothing of the machine is.
fn in_container(effect: &Effect) -> bool {
    effect
        .chain
        .iter()
        .any(|program| matches!(program.as_str(), "docker" | "podman" | "nerdctl"))
}

/// What was not touched for days, or is one person's, is no longer everybody's.
fn picks_some(judge: &Judge<'_>, effect: &Effect) -> bool {
    const TESTS: &[&str] = &[
        "-mtime", "-mmin", "-atime", "-amin", "-ctime", "-cmin", "-user", "-newer", "-size",
        "-empty", "-uid", "-path", "-regex", "-perm", "-nouser", "-nogroup",
    ];
    finder(judge, effect)
        .is_some_and(|find| find.args.iter().any(|arg| TESTS.contains(&arg.text())))
}

/// A store or a key by its name, which nothing makes again: not one that says it is for trying out.
fn keeps_data(path: &str) -> bool {
    const ENDINGS: &[&str] = &[
        ".db",
        ".db3",
        ".sqlite",
        ".sqlite3",
        ".mdb",
        ".accdb",
        ".rdb",
        ".kdbx",
        ".pem",
        ".key",
        ".p12",
        ".pfx",
        ".jks",
        ".keystore",
        ".ibd",
        ".frm",
        ".realm",
    ];
    const TRIALS: &[&str] = &[
        "test", "tmp", "temp", "cache", "dev", "demo", "sample", "example", "scratch", "dummy",
        "mock", "coverage", "fixture", "fake", "local", "index", "copy", "thumbs", "_old",
    ];
    let low = path.to_ascii_lowercase();
    let name = low.rsplit('/').next().unwrap_or(&low);
    let stem = name.split('.').next().unwrap_or(name);
    let secret = matches!(stem, "secret" | "secrets" | "credentials" | "passwords")
        && !name.ends_with(".rs")
        && !name.ends_with(".py")
        && !name.ends_with(".ts")
        && !name.ends_with(".js")
        && !name.ends_with(".go");
    // `db.sqlite3` is what frameworks make for the one who develops.
    (secret || ENDINGS.iter().any(|end| name.ends_with(end)) && name != "db.sqlite3")
        && !TRIALS.iter().any(|word| low.contains(word))
}

/// A record of who did what, by its name.
fn is_audit(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.contains("audit") && (name.ends_with(".log") || name.ends_with(".jsonl"))
}

/// The call leaves nothing of a file's old content and puts nothing of weight in its place.
fn empties(judge: &Judge<'_>, effect: &Effect) -> bool {
    match judge.call(effect) {
        // `> FILE` and `: > FILE`, with no program that writes something.
        None => {
            let before = judge
                .request
                .text
                .get(..effect.span.start as usize)
                .unwrap_or("x")
                .trim_end();
            before.is_empty()
                || before.ends_with([';', '&', '|', '(', '{', '\n'])
                || before
                    .rsplit([';', '&', '|', '(', '{', '\n'])
                    .next()
                    .is_some_and(|word| matches!(word.trim(), ":" | "true" | "cat /dev/null"))
        }
        Some(call) => match call.program.as_str() {
            "truncate" | "dd" | ":" | "true" => true,
            "cp" | "cat" => call.args.iter().any(|arg| arg.text() == "/dev/null"),
            _ => false,
        },
    }
}

fn delete(judge: &mut Judge<'_>, effect: &Effect, path: &str, recursive: bool, force: bool) {
    let place = judge.places.of(path);
    if is_audit(path) && matches!(place, Place::Project | Place::HomeFile | Place::MachineData) {
        judge.hit(
            "log.tamper",
            High,
            effect,
            format!("erases the record {path}"),
            None,
        );
    }
    // What a search without a choice found: everything, to the bottom.
    let recursive = recursive || path.ends_with("/**") || everything_found(judge, effect, path);
    let place = if place == Place::Temporary
        && judge.places.empties_temporary(path)
        && !in_container(effect)
        && !picks_some(judge, effect)
    {
        Place::TemporaryRoot
    } else {
        place
    };
    let wide = recursive || is_wide(path);
    let asks = !force && asks_itself(judge, effect);
    let guess = effect.certainty != Certainty::Proven;
    let relative = judge
        .places
        .cwd
        .and_then(|cwd| path.strip_prefix(cwd))
        .map(|rest| format!(".{rest}"));
    let look = || {
        Some(format!(
            "ls -la {}",
            quoted(relative.as_deref().unwrap_or(path))
        ))
    };
    match place {
        Place::Root if guess => {
            let reason = "deletes / if a variable is unset";
            judge.hit(
                "fs.delete-unset",
                High,
                effect,
                reason,
                Some("rm -rf ./build".to_owned()),
            );
        }
        Place::Root => {
            judge.hit(
                "fs.delete-root",
                Critical,
                effect,
                "deletes /, the whole machine",
                Some("rm -rf ./build".to_owned()),
            );
        }
        Place::Unknown => {
            // Whatever comes out of a pipe is deleted unseen.
            let listed = effect
                .chain
                .iter()
                .any(|program| matches!(program.as_str(), "xargs" | "parallel"));
            let risk = if recursive || listed { High } else { Moderate };
            let reason = "deletes a path that cannot be told from the command";
            judge.hit("fs.delete-unset", risk, effect, reason, None);
        }
        Place::Home if recursive || wide => {
            let risk = if guess { High } else { Critical };
            judge.hit(
                "fs.delete-home",
                risk,
                effect,
                format!("deletes the home {path}"),
                if is_wide(path) {
                    look()
                } else {
                    Some("rm -rf ./build".to_owned())
                },
            );
        }
        Place::HomeStore
        | Place::HomeFile
        | Place::ProjectRoot
        | Place::Project
        | Place::MachineData
            if asks =>
        {
            judge.hit(
                "fs.delete-recursive",
                if place == Place::Project && !recursive && !wide {
                    Safe
                } else {
                    Moderate
                },
                effect,
                format!("deletes {path}, asking for each file"),
                None,
            );
        }
        Place::HomeStore => {
            let risk = if recursive || wide { Critical } else { High };
            judge.hit(
                "fs.delete-home",
                risk,
                effect,
                format!("deletes {path}, which the person rests on"),
                look(),
            );
        }
        Place::SystemRoot => {
            let risk = if wide { Critical } else { High };
            judge.hit(
                "fs.delete-system",
                risk,
                effect,
                format!("deletes {path}, which the system needs"),
                look(),
            );
        }
        Place::System => {
            let risk = if wide { Critical } else { High };
            judge.hit(
                "fs.delete-system",
                risk,
                effect,
                format!("deletes {path} of the system"),
                look(),
            );
        }
        Place::MachineData | Place::HomeFile | Place::Home => {
            let shredded = effect
                .chain
                .last()
                .is_some_and(|program| matches!(program.as_str(), "shred" | "srm" | "wipe"));
            let risk = if wide || shredded { High } else { Moderate };
            judge.hit(
                "fs.delete-outside-project",
                risk,
                effect,
                format!("deletes {path}, outside the project"),
                look(),
            );
        }
        Place::Repository => {
            let risk = if wide || force { High } else { Moderate };
            judge.hit(
                "fs.delete-recursive",
                risk,
                effect,
                format!("deletes {path}, the project's whole history"),
                Some("git bundle create ../project.bundle --all".to_owned()),
            );
        }
        Place::ProjectRoot => {
            let risk = if recursive { High } else { Moderate };
            judge.hit(
                "fs.delete-recursive",
                risk,
                effect,
                "deletes everything in the project",
                Some("git clean -nd".to_owned()),
            );
        }
        Place::Project if path.ends_with(".tfstate") || path.ends_with(".tfstate.backup") => {
            judge.hit(
                "iac.destroy",
                High,
                effect,
                format!("deletes {path}, what is known of the infrastructure"),
                Some("terraform state pull".to_owned()),
            );
        }
        Place::Project if is_output_with_obj(judge, path) => {
            judge.hit(
                "fs.delete-recursive",
                Moderate,
                effect,
                format!("deletes the build output {path}"),
                None,
            );
        }
        Place::Project => {
            // A folder that no build makes again: what is not committed in it is gone.
            let (risk, reason) = if recursive && !looks_like_file(path) {
                let reason = format!("deletes the folder {path} with everything in it");
                (High, reason)
            } else {
                let risk = if keeps_data(path) {
                    High
                } else if wide {
                    Moderate
                } else {
                    Safe
                };
                (risk, format!("deletes {path}"))
            };
            judge.hit("fs.delete-recursive", risk, effect, reason, look());
        }
        Place::TemporaryRoot => {
            let risk = if recursive { High } else { Moderate };
            judge.hit(
                "fs.delete-outside-project",
                risk,
                effect,
                format!("deletes {path}, which other programs use"),
                None,
            );
        }
        Place::Build | Place::Temporary | Place::Nowhere => {}
    }
}

/// `bin` beside `obj` is what .NET builds; alone it may hold scripts.
fn is_output_with_obj(judge: &Judge<'_>, path: &str) -> bool {
    if path.ends_with("/publish") && judge.request.text.contains("dotnet publish") {
        return true;
    }
    let Some(folder) = path.strip_suffix("/bin") else {
        return false;
    };
    judge.request.analysis.effects.iter().any(|other| {
        matches!(&other.kind, EffectKind::Delete { path, .. }
            if path.strip_suffix("/obj") == Some(folder))
    })
}

/// `rm -i` asks the person for each file, unless a later `-f` or what flows in answers for them.
fn asks_itself(judge: &Judge<'_>, effect: &Effect) -> bool {
    let Some(call) = judge.call(effect) else {
        return false;
    };
    let mut asks = false;
    for arg in &call.args {
        match arg.text() {
            "--" => break,
            "--force" | "--interactive=never" | "--interactive=no" | "--interactive=none" => {
                asks = false;
            }
            long if long.starts_with("--") => asks |= long.starts_with("--interactive"),
            text if text.starts_with('-') => {
                if let Some(last) = text.rfind(['i', 'I', 'f']) {
                    asks = !text.get(last..).unwrap_or("").starts_with('f');
                }
            }
            _ => {}
        }
    }
    asks && call.program == "rm" && call.stage == 0
}

fn overwrite(judge: &mut Judge<'_>, effect: &Effect, path: &str) {
    if path.starts_with("/dev/") {
        return device(judge, effect, path);
    }
    package_source(judge, effect, path);
    if is_audit(path) && empties(judge, effect) {
        judge.hit(
            "log.tamper",
            High,
            effect,
            format!("erases the record {path}"),
            None,
        );
    }
    let emptied = super::bulk::emptied(judge, effect, path);
    let risk = match judge.places.of(path) {
        _ if emptied.is_some() => emptied.unwrap_or(High),
        Place::SystemRoot | Place::System | Place::MachineData if is_folder(path) => Moderate,
        Place::HomeStore | Place::Home if is_folder(path) => Safe,
        // The keys of machines may be asked for again; without them anybody may answer.
        Place::HomeStore if path.ends_with("/known_hosts") && !asks_hosts(judge, effect) => High,
        Place::HomeStore if is_public(path) => Moderate,
        Place::SystemRoot | Place::Root => Critical,
        Place::System | Place::HomeStore | Place::Home | Place::Repository => High,
        Place::HomeFile if judge.places.is_others(path) => High,
        Place::Project if empties(judge, effect) && keeps_data(path) => High,
        Place::Temporary | Place::TemporaryRoot | Place::Build | Place::Nowhere => Safe,
        // To empty a file is to lose it.
        Place::HomeFile | Place::MachineData
            if effect
                .chain
                .last()
                .is_some_and(|program| program == "truncate") =>
        {
            High
        }
        Place::MachineData => Moderate,
        // Nothing brings back what is shredded.
        _ if effect
            .chain
            .last()
            .is_some_and(|program| matches!(program.as_str(), "shred" | "srm" | "wipe")) =>
        {
            High
        }
        _ => Safe,
    };
    let name = path.rsplit('/').next().unwrap_or("file");
    let instead = (risk >= High && !name.contains('*'))
        .then(|| format!("cp {} {}", quoted(path), quoted(&format!("./{name}.bak"))));
    judge.hit(
        "fs.overwrite",
        risk,
        effect,
        format!("overwrites {path}"),
        instead,
    );
}

/// `ssh-keyscan HOST > ~/.ssh/known_hosts`
fn asks_hosts(judge: &Judge<'_>, effect: &Effect) -> bool {
    judge
        .request
        .analysis
        .invocations
        .iter()
        .any(|call| call.program == "ssh-keyscan")
        && judge
            .call(effect)
            .is_none_or(|call| call.program == "ssh-keyscan")
}

/// Files among secrets that hold none and change all the time.
fn is_public(path: &str) -> bool {
    path.ends_with("/known_hosts") || path.ends_with(".pub")
}

/// Settings that say where every later package comes from, outside a project.
fn is_package_source(path: &str) -> bool {
    const NAMES: &[&str] = &[
        ".npmrc",
        ".yarnrc",
        ".yarnrc.yml",
        ".pypirc",
        "pip.conf",
        "uv.toml",
        ".gemrc",
        ".condarc",
        ".bunfig.toml",
        "sources.list",
        "init.gradle",
    ];
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    NAMES.contains(&name)
        || name == "config.toml" && folder.ends_with("/.cargo")
        || name == "settings.xml" && folder.ends_with("/.m2")
        || folder.ends_with("/sources.list.d")
        || folder.ends_with("/yum.repos.d")
}

fn package_source(judge: &mut Judge<'_>, effect: &Effect, path: &str) {
    let own = matches!(
        judge.places.of(path),
        Place::HomeFile | Place::HomeStore | Place::System | Place::SystemRoot
    );
    if own && is_package_source(path) {
        judge.hit(
            "pkg.untrusted-source",
            High,
            effect,
            format!("changes where packages come from: {path}"),
            None,
        );
    }
}

/// Settings that say who may come in, with what rights, and how the machine starts.
fn is_gate(path: &str) -> bool {
    const FILES: &[&str] = &[
        "/etc/ssh/sshd_config",
        "/etc/selinux/config",
        "/etc/sudoers",
        "/etc/fstab",
        "/etc/crypttab",
        "/etc/nsswitch.conf",
        "/etc/hosts.allow",
        "/etc/hosts.deny",
        "/etc/default/grub",
        "/etc/login.defs",
        "/etc/security/access.conf",
    ];
    const FOLDERS: &[&str] = &[
        "/etc/ssh/sshd_config.d/",
        "/etc/sudoers.d/",
        "/etc/pam.d/",
        "/etc/apparmor.d/",
        "/etc/audit/",
        "/boot/",
    ];
    FILES.contains(&path) || FOLDERS.iter().any(|folder| path.starts_with(folder))
}

fn write(judge: &mut Judge<'_>, effect: &Effect, path: &str) {
    if path.starts_with("/dev/") {
        return device(judge, effect, path);
    }
    package_source(judge, effect, path);
    let editor = effect.chain.last().is_some_and(|program| {
        matches!(
            program.as_str(),
            "sed" | "perl" | "ed" | "ex" | "vim" | "awk" | "gawk"
        )
    });
    if editor && path.starts_with("/var/log/") {
        judge.hit(
            "log.tamper",
            High,
            effect,
            format!("changes lines of the log {path}"),
            None,
        );
    }
    let risk = match judge.places.of(path) {
        _ if is_gate(path) => High,
        Place::SystemRoot | Place::Root if unpacks(effect) && path != "/usr/local" => High,
        Place::Root
            if effect
                .chain
                .last()
                .is_some_and(|program| program == "rsync") =>
        {
            High
        }
        Place::SystemRoot | Place::Root if !is_folder(path) => High,
        Place::HomeStore if is_public(path) => Safe,
        Place::HomeStore if path.contains("/.ssh/") || path.contains("/.gnupg/") => High,
        Place::Repository => High,
        Place::System | Place::SystemRoot | Place::Root => Moderate,
        Place::HomeStore if !is_folder(path) => Moderate,
        _ => Safe,
    };
    judge.hit(
        "fs.write-system",
        risk,
        effect,
        format!("writes to {path}"),
        None,
    );
}

/// An archive says by itself which files it writes over.
fn unpacks(effect: &Effect) -> bool {
    effect.chain.last().is_some_and(|program| {
        matches!(
            program.as_str(),
            "tar"
                | "bsdtar"
                | "gtar"
                | "unzip"
                | "7z"
                | "7za"
                | "cpio"
                | "unrar"
                | "rpm2cpio"
                | "pax"
        )
    })
}

fn moved(judge: &mut Judge<'_>, effect: &Effect, from: &str, to: &str) {
    let risk = match judge.places.of(from) {
        Place::Root | Place::SystemRoot | Place::Home => Critical,
        Place::System | Place::HomeStore | Place::Repository => High,
        _ => Safe,
    };
    if to == "/dev/null" {
        judge.hit(
            "fs.move",
            risk.max(High),
            effect,
            format!("moves {from} to nowhere, it is lost"),
            None,
        );
        return;
    }
    judge.hit("fs.move", risk, effect, format!("moves {from} away"), None);
    let target = match judge.places.of(to) {
        Place::SystemRoot => High,
        Place::System => Moderate,
        _ => Safe,
    };
    judge.hit(
        "fs.write-system",
        target,
        effect,
        format!("puts files into {to}"),
        None,
    );
}

/// True where everybody may write: `777`, `o+w`, `a+rwx`.
fn for_everybody(mode: &str) -> bool {
    if mode.bytes().all(|b| b.is_ascii_digit()) {
        return mode
            .bytes()
            .last()
            .is_some_and(|last| matches!(last, b'2' | b'3' | b'6' | b'7'));
    }
    mode.split(',').any(|part| {
        let Some(at) = part.find(['+', '=']) else {
            return false;
        };
        let (who, what) = part.split_at(at);
        // Without a name the umask takes the write bit away from others.
        who.contains(['o', 'a']) && what.contains('w')
    })
}

fn sets_id(mode: &str) -> bool {
    if mode.bytes().all(|b| b.is_ascii_digit()) {
        return mode.len() >= 4
            && mode
                .as_bytes()
                .get(mode.len() - 4)
                .is_some_and(|bits| matches!(bits, b'2' | b'4' | b'6' | b'3' | b'5' | b'7'));
    }
    // Capabilities that are as good as the owner's rights.
    let powers = [
        "cap_setuid",
        "cap_setgid",
        "cap_sys_admin",
        "cap_sys_ptrace",
        "cap_sys_module",
        "cap_dac_",
        "cap_chown",
        "cap_fowner",
        "all=",
        "all+",
    ];
    if mode.starts_with("cap_") || mode.starts_with("all") {
        return powers.iter().any(|power| mode.contains(power));
    }
    mode.split(',').any(|part| {
        part.find(['+', '='])
            .is_some_and(|at| part.split_at(at).1.contains('s'))
    })
}

fn mode_of(judge: &mut Judge<'_>, effect: &Effect, path: &str, mode: &str, recursive: bool) {
    let place = judge.places.of(path);
    // `find / -perm -o=w -exec chmod o-w`: takes from some what they should not have.
    let takes = mode.contains('-') && picks_some(judge, effect);
    let recursive = recursive || everything_found(judge, effect, path) && !takes;
    if for_everybody(mode) {
        let risk = match place {
            Place::Root | Place::SystemRoot => Critical,
            Place::System | Place::Home | Place::HomeStore => High,
            Place::MachineData | Place::HomeFile | Place::ProjectRoot | Place::TemporaryRoot
                if recursive =>
            {
                High
            }
            Place::Temporary | Place::TemporaryRoot | Place::Build | Place::Nowhere => Safe,
            _ => Moderate,
        };
        let calmer = if recursive {
            "chmod -R u=rwX,go=rX"
        } else {
            "chmod 755"
        };
        let whole = matches!(
            place,
            Place::Root | Place::SystemRoot | Place::System | Place::Home
        );
        let instead = judge
            .call_text(effect)
            .filter(|_| risk >= Moderate && !whole)
            .map(|_| format!("{calmer} {}", quoted(path)));
        judge.hit(
            "priv.world-writable",
            risk,
            effect,
            format!("lets everybody on the machine write to {path}"),
            instead,
        );
    } else if recursive
        || (mode == "600" && is_folder(path))
        || (mode == "acl" && place == Place::SystemRoot)
        || matches!(
            mode,
            "000" | "0" | "a-rwx" | "a-r" | "-r" | "-x" | "a-x" | "0000"
        )
    {
        let risk = match place {
            Place::Root | Place::SystemRoot => Critical,
            Place::Home if recursive => High,
            Place::System if recursive => High,
            _ => Safe,
        };
        judge.hit(
            "fs.permissions",
            risk,
            effect,
            format!("changes permissions of {path}, which the system rests on"),
            None,
        );
    }
    if sets_id(mode) {
        let risk = if place == Place::Temporary
            || !mode.bytes().all(|b| b.is_ascii_digit())
            || !mode.starts_with('2')
        {
            High
        } else {
            Moderate
        };
        judge.hit(
            "priv.setuid",
            risk,
            effect,
            format!("makes {path} run with its owner's rights"),
            None,
        );
    }
}

fn owner_of(judge: &mut Judge<'_>, effect: &Effect, path: &str, owner: &str, recursive: bool) {
    let risk: Risk = match judge.places.of(path) {
        Place::Root | Place::SystemRoot if recursive => Critical,
        Place::SystemRoot | Place::Root => High,
        Place::System if recursive => High,
        Place::System => Moderate,
        Place::Home if recursive => High,
        Place::HomeStore | Place::MachineData => Moderate,
        _ => Safe,
    };
    judge.hit(
        "fs.owner",
        risk,
        effect,
        format!("hands {path} to {owner}"),
        None,
    );
}

fn device(judge: &mut Judge<'_>, effect: &Effect, path: &str) {
    const CALM: &[&str] = &[
        "/dev/tcp",
        "/dev/udp",
        "/dev/shm",
        "/dev/loop",
        "/dev/ttyUSB",
        "/dev/ttyACM",
        "/dev/ttyS",
        "/dev/dsp",
        "/dev/audio",
        "/dev/kmsg",
    ];
    if judge.places.of(path) == Place::Nowhere || CALM.iter().any(|calm| path.starts_with(calm)) {
        return;
    }
    judge.hit(
        "disk.device-write",
        Critical,
        effect,
        format!("writes over {path}, everything on it is lost"),
        Some(format!("lsblk {path}")),
    );
}

/// A path as one word.
pub(super) fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-~+=:@%,*?".contains(c);
    if path.chars().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        for mode in [
            "777", "0777", "666", "o+w", "a+rwx", "a=rw", "u+x,o+w", "1777",
        ] {
            assert!(for_everybody(mode), "{mode}");
        }
        for mode in ["755", "644", "+x", "u+w", "go-w", "+w", "o-w", "g+w"] {
            assert!(!for_everybody(mode), "{mode}");
        }
        for mode in ["4755", "u+s", "6755", "g+s", "2755"] {
            assert!(sets_id(mode), "{mode}");
        }
        for mode in ["755", "0755", "1777", "u-s", "+x"] {
            assert!(!sets_id(mode), "{mode}");
        }
    }
}
