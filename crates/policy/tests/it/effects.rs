//! Each effect by hand: which rule fires, and how bad, by place and context.

use cmdai_policy::{Layers, decide};
use cmdai_schema::{
    Analysis, Certainty, CodeSource, Effect, EffectKind, Facts, Invocation, Risk, Span,
};

use super::support::{facts, subject};

fn judged(kind: EffectKind, program: &str, facts: &Facts) -> Vec<(String, Risk)> {
    let span = Span::new(0, program.len());
    let analysis = Analysis {
        invocations: vec![Invocation {
            program: program.to_owned(),
            word: program.to_owned(),
            chain: vec![program.to_owned()],
            span,
            known: true,
            ..Invocation::default()
        }],
        effects: vec![Effect {
            kind,
            span,
            chain: vec![program.to_owned()],
            certainty: Certainty::Proven,
        }],
        complete: true,
        ..Analysis::default()
    };
    let judgement = decide(&analysis, program, &Layers::default(), facts, &subject());
    judgement
        .rules
        .into_iter()
        .map(|hit| (hit.id, hit.risk))
        .collect()
}

fn destroy(resource: &str, name: &str, provider: &str, context: Option<&str>) -> EffectKind {
    EffectKind::ResourceDestroy {
        resource: resource.to_owned(),
        name: name.to_owned(),
        provider: provider.to_owned(),
        context: context.map(str::to_owned),
    }
}

fn change(resource: &str, name: &str, provider: &str, context: Option<&str>) -> EffectKind {
    EffectKind::ResourceChange {
        resource: resource.to_owned(),
        name: name.to_owned(),
        provider: provider.to_owned(),
        context: context.map(str::to_owned),
    }
}

fn delete(path: &str, recursive: bool) -> EffectKind {
    EffectKind::Delete {
        path: path.to_owned(),
        recursive,
        force: true,
    }
}

/// Effect, program, and the rule that must fire with its risk.
type Row = (EffectKind, &'static str, Option<(&'static str, Risk)>);

#[test]
fn table() {
    let text = str::to_owned;
    let push = |branch: &str| EffectKind::ForcePush {
        remote: text("origin"),
        branch: text(branch),
    };
    let persist = |mechanism: &str, path: Option<&str>| EffectKind::Persistence {
        mechanism: text(mechanism),
        path: path.map(text),
    };
    let service = |service: &str, action: &str| EffectKind::ServiceControl {
        service: text(service),
        action: text(action),
    };
    let rows: Vec<Row> = vec![
        (
            delete("/", true),
            "rm",
            Some(("fs.delete-root", Risk::Critical)),
        ),
        (
            delete("/home/user/project/src", true),
            "rm",
            Some(("fs.delete-recursive", Risk::High)),
        ),
        (delete("/home/user/project/a.txt", false), "rm", None),
        (delete("/home/user/project/target/debug", true), "rm", None),
        (
            delete("/home/user/project/.git", true),
            "rm",
            Some(("fs.delete-recursive", Risk::High)),
        ),
        (delete("/tmp/x", true), "rm", None),
        (
            delete("$DIR", true),
            "rm",
            Some(("fs.delete-unset", Risk::High)),
        ),
        (
            delete("/srv/data", true),
            "rm",
            Some(("fs.delete-outside-project", Risk::High)),
        ),
        (
            EffectKind::Overwrite {
                path: text("/home/user/project/a"),
            },
            "sh",
            None,
        ),
        (
            EffectKind::Overwrite {
                path: text("/home/user/.bashrc"),
            },
            "sh",
            Some(("fs.overwrite", Risk::High)),
        ),
        (
            EffectKind::Overwrite {
                path: text("/home/user/Documents"),
            },
            "mv",
            None,
        ),
        (
            EffectKind::Overwrite {
                path: text("/etc/shadow"),
            },
            "sh",
            Some(("fs.overwrite", Risk::Critical)),
        ),
        (
            EffectKind::Write {
                path: text("/home/user/project/log"),
            },
            "sh",
            None,
        ),
        (
            EffectKind::Write {
                path: text("/etc/hosts"),
            },
            "sh",
            Some(("fs.write-system", Risk::High)),
        ),
        (
            EffectKind::DeviceWrite {
                path: text("/dev/nvme0n1"),
            },
            "dd",
            Some(("disk.device-write", Risk::Critical)),
        ),
        (
            EffectKind::DeviceWrite {
                path: text("/dev/null"),
            },
            "dd",
            None,
        ),
        (
            EffectKind::Format {
                path: text("/dev/sda1"),
            },
            "mkfs.ext4",
            Some(("disk.format", Risk::Critical)),
        ),
        (
            EffectKind::RunCode {
                source: CodeSource::Literal,
                language: text("python"),
            },
            "python3",
            None,
        ),
        (
            EffectKind::RunCode {
                source: CodeSource::File(text("/home/user/project/run.sh")),
                language: text("sh"),
            },
            "sh",
            None,
        ),
        (
            EffectKind::RunCode {
                source: CodeSource::File(text("/tmp/run.sh")),
                language: text("sh"),
            },
            "sh",
            Some(("exec.temp-file", Risk::High)),
        ),
        (
            EffectKind::RunCode {
                source: CodeSource::Remote(text("https://x.example/i.sh")),
                language: text("sh"),
            },
            "sh",
            Some(("net.pipe-to-shell", Risk::High)),
        ),
        (
            EffectKind::RunCode {
                source: CodeSource::Remote(text("http://x.example/i.sh")),
                language: text("sh"),
            },
            "sh",
            Some(("net.pipe-to-shell", Risk::Critical)),
        ),
        (
            EffectKind::RunCode {
                source: CodeSource::Unknown,
                language: text("sh"),
            },
            "eval",
            Some(("exec.unknown-code", Risk::High)),
        ),
        (
            EffectKind::Unknown { why: text("x") },
            "x",
            Some(("exec.unresolved", Risk::Moderate)),
        ),
        (
            EffectKind::Upload {
                source: text("/home/user/project/a"),
                destination: text("https://x.example"),
            },
            "curl",
            Some(("net.upload", Risk::Moderate)),
        ),
        (
            EffectKind::Upload {
                source: text("/home/user/.ssh/id_rsa"),
                destination: text("https://x.example"),
            },
            "curl",
            Some(("net.upload-secret", Risk::Critical)),
        ),
        (
            EffectKind::Upload {
                source: text("/home/user/project/a"),
                destination: text("http://localhost:8080/"),
            },
            "curl",
            None,
        ),
        (
            EffectKind::Upload {
                source: text("main"),
                destination: text("origin"),
            },
            "git",
            None,
        ),
        (
            EffectKind::Download {
                url: text("https://x.example"),
                to: None,
            },
            "curl",
            None,
        ),
        (
            EffectKind::ReadSecret {
                path: text("/home/user/.aws/credentials"),
            },
            "cat",
            Some(("secret.read", Risk::High)),
        ),
        (
            EffectKind::ReadSecret {
                path: text("/home/user/project/.env"),
            },
            "cat",
            Some(("secret.read", Risk::Moderate)),
        ),
        (
            EffectKind::Escalate { to: text("root") },
            "sudo",
            Some(("priv.escalate", Risk::Moderate)),
        ),
        (
            EffectKind::AddUser { name: text("bob") },
            "useradd",
            Some(("acct.add-user", Risk::High)),
        ),
        (
            EffectKind::ChangeCredential {
                subject: text("user"),
            },
            "passwd",
            Some(("acct.change-credential", Risk::Moderate)),
        ),
        (
            EffectKind::ChangeCredential {
                subject: text("root"),
            },
            "passwd",
            Some(("acct.change-credential", Risk::High)),
        ),
        (
            persist("cron", None),
            "crontab",
            Some(("persist.cron", Risk::High)),
        ),
        (
            persist("at", None),
            "at",
            Some(("persist.cron", Risk::Moderate)),
        ),
        (
            persist("rc-file", Some("/home/user/.bashrc")),
            "sh",
            Some(("persist.startup-file", Risk::Moderate)),
        ),
        (
            persist("rc-file", Some("/etc/profile")),
            "sh",
            Some(("persist.startup-file", Risk::High)),
        ),
        (
            persist("authorized-key", Some("/home/user/.ssh/authorized_keys")),
            "sh",
            Some(("persist.authorized-key", Risk::High)),
        ),
        (
            persist("systemd", Some("/etc/systemd/system/x.service")),
            "sh",
            Some(("persist.service", Risk::High)),
        ),
        (
            persist("git-hook", Some("/home/user/project/.git/hooks/pre-commit")),
            "sh",
            Some(("persist.other", Risk::Moderate)),
        ),
        (
            EffectKind::DisableSecurity {
                what: text("selinux"),
            },
            "setenforce",
            Some(("sec.disable", Risk::High)),
        ),
        (
            EffectKind::DisableSecurity {
                what: text("cmdai"),
            },
            "x",
            Some(("self.protect", Risk::Critical)),
        ),
        (
            EffectKind::TamperLog {
                path: text("/var/log/auth.log"),
            },
            "truncate",
            Some(("log.tamper", Risk::High)),
        ),
        (
            EffectKind::KernelModule { name: text("x.ko") },
            "insmod",
            Some(("kernel.module", Risk::High)),
        ),
        (
            EffectKind::HistoryLoss {
                what: text("uncommitted changes"),
            },
            "git",
            Some(("git.history-loss", Risk::High)),
        ),
        (push("main"), "git", Some(("git.force-push", Risk::High))),
        (push("feature"), "git", Some(("git.force-push", Risk::High))),
        (push(""), "git", Some(("git.force-push", Risk::High))),
        (
            EffectKind::BranchDelete {
                branch: text("feature"),
                remote: None,
            },
            "git",
            Some(("git.branch-delete", Risk::Moderate)),
        ),
        (
            EffectKind::BranchDelete {
                branch: text("feature"),
                remote: Some(text("origin")),
            },
            "git",
            Some(("git.branch-delete", Risk::High)),
        ),
        (
            destroy("namespace", "web", "kubernetes", None),
            "kubectl",
            Some(("k8s.destroy", Risk::Critical)),
        ),
        (
            destroy("pod", "web", "kubernetes", None),
            "kubectl",
            Some(("k8s.destroy", Risk::Moderate)),
        ),
        (
            destroy("pod", "web", "kubernetes", Some("prod-eu")),
            "kubectl",
            Some(("k8s.destroy", Risk::High)),
        ),
        (
            change("deployment", "web", "kubernetes", None),
            "kubectl",
            Some(("k8s.change", Risk::Moderate)),
        ),
        (
            destroy("bucket", "logs", "aws", None),
            "aws",
            Some(("cloud.destroy", Risk::Critical)),
        ),
        (
            destroy("infrastructure", "", "terraform", None),
            "terraform",
            Some(("iac.destroy", Risk::Critical)),
        ),
        (
            change("infrastructure", "", "terraform", None),
            "terraform",
            Some(("iac.change", Risk::Moderate)),
        ),
        (
            destroy("container", "x", "docker", None),
            "docker",
            Some(("container.destroy", Risk::Moderate)),
        ),
        (
            destroy("volume", "x", "docker", None),
            "docker",
            Some(("container.destroy", Risk::High)),
        ),
        (
            destroy("database", "shop", "postgresql", None),
            "psql",
            Some(("db.drop", Risk::Critical)),
        ),
        (
            destroy("table", "users", "postgresql", None),
            "psql",
            Some(("db.drop", Risk::High)),
        ),
        (
            destroy("rows", "users", "mysql", Some("prod")),
            "mysql",
            Some(("db.delete-all", Risk::Critical)),
        ),
        (
            change("rows", "users", "mysql", None),
            "mysql",
            Some(("db.change", Risk::Moderate)),
        ),
        (
            destroy("volume", "vg/x", "lvm", None),
            "lvremove",
            Some(("disk.destroy", Risk::Critical)),
        ),
        (
            destroy("package", "nginx", "apt", None),
            "apt",
            Some(("pkg.remove", Risk::Moderate)),
        ),
        (
            destroy("snapshot", "x", "backup", None),
            "restic",
            Some(("backup.destroy", Risk::Critical)),
        ),
        (
            EffectKind::PackageInstall {
                manager: text("npm"),
                name: text("left-pad"),
                source: text("registry"),
            },
            "npm",
            Some(("pkg.install", Risk::Moderate)),
        ),
        (
            EffectKind::PackageInstall {
                manager: text("pip"),
                name: text("x"),
                source: text("http://x.example/"),
            },
            "pip",
            Some(("pkg.untrusted-source", Risk::High)),
        ),
        (service("cups", "restart"), "systemctl", None),
        (
            service("cups", "stop"),
            "systemctl",
            Some(("svc.stop", Risk::Moderate)),
        ),
        (
            service("sshd", "disable"),
            "systemctl",
            Some(("svc.stop", Risk::High)),
        ),
        (
            service("cmdai-sensor", "stop"),
            "systemctl",
            Some(("self.protect", Risk::Critical)),
        ),
        (
            EffectKind::ProcessKill {
                target: text("1234"),
                all: false,
            },
            "kill",
            None,
        ),
        (
            EffectKind::ProcessKill {
                target: text("-1"),
                all: true,
            },
            "kill",
            Some(("proc.kill-all", Risk::Critical)),
        ),
        (
            EffectKind::Power {
                action: text("reboot"),
            },
            "reboot",
            Some(("power.off", Risk::High)),
        ),
        (
            EffectKind::ResourceExhaustion {
                how: text("fork-bomb"),
            },
            "sh",
            Some(("res.exhaustion", Risk::Critical)),
        ),
    ];
    let mut wrong = Vec::new();
    for (kind, program, want) in rows {
        let found = judged(kind.clone(), program, &facts());
        let first = found.first().map(|(id, risk)| (id.as_str(), *risk));
        if first != want {
            wrong.push(format!("{kind:?}\n   wanted {want:?} found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn production_makes_everything_worse() {
    let production = Facts {
        environment: Some("production".to_owned()),
        ..facts()
    };
    for (kind, program) in [
        (destroy("pod", "web", "kubernetes", None), "kubectl"),
        (destroy("container", "x", "docker", None), "docker"),
        (change("rows", "users", "mysql", None), "mysql"),
    ] {
        let calm = judged(kind.clone(), program, &facts())[0].1;
        assert!(judged(kind, program, &production)[0].1 > calm);
    }
}
