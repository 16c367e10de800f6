//! The built-in rules: what each is called, how bad at its worst, and why.

use cmdai_schema::Risk::{Critical, High, Moderate};

use super::BuiltIn;

const fn rule(id: &'static str, pack: &'static str, risk: cmdai_schema::Risk, reason: &'static str, controls: &'static [&'static str]) -> BuiltIn {
    BuiltIn { id, pack, risk, reason, controls, floor: false, loses: false }
}

const fn loses(mut rule: BuiltIn) -> BuiltIn {
    rule.loses = true;
    rule
}

const fn floor(mut rule: BuiltIn) -> BuiltIn {
    rule.floor = true;
    rule
}

/// Every built-in rule, sorted by id.
pub(super) const RULES: &[BuiltIn] = &[
    rule("acct.add-user", "system", High, "adds an account to the machine", &["ATT&CK:T1136"]),
    rule("acct.change-credential", "system", High, "changes a password, key or account", &["ATT&CK:T1098"]),
    loses(rule("backup.destroy", "core", Critical, "destroys backups", &["ATT&CK:T1490"])),
    rule("cloud.change", "cloud", High, "changes a cloud resource", &[]),
    loses(rule("cloud.destroy", "cloud", Critical, "destroys a cloud resource", &["ATT&CK:T1485"])),
    loses(rule("container.destroy", "cluster", High, "removes containers, images or volumes", &["ATT&CK:T1485"])),
    rule("container.privileged", "cluster", High, "gives a container the rights of the machine", &["ATT&CK:T1611"]),
    rule("db.change", "database", High, "changes a database", &[]),
    loses(rule("db.delete-all", "database", Critical, "deletes every row of a table", &["ATT&CK:T1485"])),
    loses(rule("db.drop", "database", Critical, "drops a database or table", &["ATT&CK:T1485"])),
    loses(rule("disk.destroy", "core", Critical, "destroys a volume, pool or partition", &["ATT&CK:T1561"])),
    loses(rule("disk.device-write", "core", Critical, "writes over a disk", &["ATT&CK:T1561"])),
    loses(rule("disk.format", "core", Critical, "makes a new file system, so everything on it is lost", &["ATT&CK:T1561"])),
    rule("disk.mount", "core", Moderate, "mounts or unmounts a file system", &[]),
    rule("exec.decoded-code", "network", Critical, "runs code that was hidden by an encoding", &["ATT&CK:T1140"]),
    rule("exec.injected", "network", High, "makes a program run code of somebody's choice", &["ATT&CK:T1574"]),
    rule("exec.temp-file", "network", Moderate, "runs a file from a folder that anybody may write", &["ATT&CK:T1204"]),
    rule("exec.unknown-code", "network", High, "runs code that cannot be seen from the command", &["ATT&CK:T1059"]),
    rule("exec.unresolved", "core", High, "a part that could run something cannot be told", &[]),
    loses(rule("fs.delete-home", "core", Critical, "deletes a home folder or what it rests on", &["ATT&CK:T1485"])),
    loses(rule("fs.delete-outside-project", "core", High, "deletes files outside the project", &["ATT&CK:T1485"])),
    loses(rule("fs.delete-recursive", "core", High, "deletes a whole folder of the project", &["ATT&CK:T1485"])),
    floor(loses(rule("fs.delete-root", "core", Critical, "deletes /, the whole machine", &["ATT&CK:T1485"]))),
    loses(rule("fs.delete-system", "core", Critical, "deletes files that the system needs", &["ATT&CK:T1485"])),
    loses(rule("fs.delete-unset", "core", Critical, "deletes what nobody named if a variable is unset or unexpected", &["ATT&CK:T1485"])),
    loses(rule("fs.move", "core", Critical, "moves away files that something rests on", &[])),
    loses(rule("fs.overwrite", "core", Critical, "overwrites a file that matters", &["ATT&CK:T1485"])),
    rule("fs.owner", "core", Critical, "hands files to another owner", &["ATT&CK:T1222"]),
    rule("fs.permissions", "core", Critical, "changes permissions that the system rests on", &["ATT&CK:T1222"]),
    rule("fs.write-system", "core", High, "writes to a system file", &[]),
    loses(rule("git.branch-delete", "git", High, "deletes a branch", &[])),
    rule("git.change", "git", Moderate, "rewrites local history", &[]),
    loses(rule("git.force-push", "git", High, "overwrites a remote branch, others lose their commits", &["ATT&CK:T1565"])),
    loses(rule("git.history-loss", "git", High, "loses work that version control does not hold", &[])),
    rule("host.change", "system", Moderate, "changes a setting of the machine", &[]),
    rule("iac.change", "cloud", High, "changes real infrastructure", &[]),
    loses(rule("iac.destroy", "cloud", Critical, "destroys real infrastructure", &["ATT&CK:T1485"])),
    rule("k8s.change", "cluster", High, "changes a cluster", &[]),
    loses(rule("k8s.destroy", "cluster", Critical, "deletes cluster resources", &["ATT&CK:T1485"])),
    rule("kernel.module", "system", High, "loads or removes code of the kernel", &["ATT&CK:T1547.006"]),
    loses(rule("log.tamper", "system", High, "erases or silences a record", &["ATT&CK:T1070"])),
    rule("net.connect-shell", "network", High, "opens a raw connection", &["ATT&CK:T1095"]),
    rule("net.listen", "network", Moderate, "opens a port to others", &[]),
    rule("net.pipe-to-shell", "network", Critical, "runs code straight from the network", &["ATT&CK:T1105", "ATT&CK:T1059"]),
    rule("net.reverse-shell", "network", Critical, "gives somebody else a shell on this machine", &["ATT&CK:T1059", "ATT&CK:T1571"]),
    rule("net.upload", "network", Moderate, "sends data off the machine", &["ATT&CK:T1048"]),
    rule("net.upload-secret", "secrets", Critical, "sends a secret off the machine", &["ATT&CK:T1048", "ATT&CK:T1552"]),
    rule("org.quarantine", "self", Critical, "this machine is in quarantine", &[]),
    rule("persist.authorized-key", "system", High, "lets another key log in", &["ATT&CK:T1098.004"]),
    rule("persist.cron", "system", Moderate, "plans a command for later", &["ATT&CK:T1053"]),
    rule("persist.other", "system", High, "makes something run later or at every start", &["ATT&CK:T1547"]),
    rule("persist.service", "system", Moderate, "makes a service start with the machine", &["ATT&CK:T1543"]),
    rule("persist.startup-file", "system", High, "changes what every new shell runs", &["ATT&CK:T1546.004"]),
    rule("pkg.install", "system", Moderate, "installs a package", &["ATT&CK:T1195"]),
    rule("pkg.publish", "system", High, "publishes for others to use, which cannot be taken back", &[]),
    rule("pkg.remove", "system", Moderate, "removes a package", &[]),
    rule("pkg.untrusted-source", "system", High, "installs a package over an open connection or from a stranger", &["ATT&CK:T1195"]),
    rule("power.off", "system", High, "stops or restarts the machine", &["ATT&CK:T1529"]),
    rule("priv.escalate", "system", Moderate, "runs with another person's rights", &["ATT&CK:T1548"]),
    rule("priv.setuid", "system", High, "makes a program run with its owner's rights", &["ATT&CK:T1548.001"]),
    rule("priv.world-writable", "system", Critical, "lets everybody on the machine write", &["ATT&CK:T1222"]),
    rule("proc.kill", "system", High, "ends processes", &[]),
    rule("proc.kill-all", "system", Critical, "ends every process", &["ATT&CK:T1489"]),
    rule("res.exhaustion", "system", Critical, "uses up the machine until it stops answering", &["ATT&CK:T1499"]),
    rule("sec.disable", "system", Critical, "switches a protection off", &["ATT&CK:T1562"]),
    rule("secret.read", "secrets", High, "reads a secret", &["ATT&CK:T1552"]),
    floor(rule("self.protect", "self", Critical, "changes cmdai itself", &["ATT&CK:T1562.001"])),
    rule("svc.stop", "system", High, "stops a service", &["ATT&CK:T1489"]),
];
