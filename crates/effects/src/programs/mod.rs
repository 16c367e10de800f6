//! Programs whose arguments need more than the tables can say.

mod api;
mod archive;
mod aws;
mod cloud;
mod containers;
mod database;
mod devices;
mod editors;
mod files;
mod find;
mod git;
mod git_network;
mod git_settings;
mod interpreters;
mod loaded;
mod macos;
mod network;
mod packages;
mod protection;
mod provision;
mod remote;
mod runners;
mod shells;
mod system;
mod terminals;
mod wrappers;

pub(crate) use loaded::is_system_program;
pub(crate) use system::protective;

use crate::{analyser::Analyser, call::Call, options::Parsed, value::Stream};

/// A word of a command that names a thing and no deed.
pub(crate) fn is_noun(word: &str) -> bool {
    cloud::act_of(word).is_none_or(|act| act != cloud::Act::Destroy)
}

impl Analyser<'_> {
    /// Hands a call to its handler.
    pub(crate) fn handle(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match parsed.program.handler.text() {
            "shell" => self.shell(call, parsed),
            "cmd-set" => self.cmd_set(call),
            "cmd-call" => self.cmd_call(call),
            "cmd-cd" => self.cmd_cd(call),
            "powershell" => self.powershell(call),
            "cmd" => self.cmd(call),
            "foreign-shell" => self.foreign_shell(call, parsed),
            "sudo" => self.sudo(call, parsed),
            "su" => self.su(call, parsed),
            "env" => self.env_program(call, parsed),
            "session-wrapper" => self.session_wrapper(call, parsed),
            "xargs" => self.xargs(call, parsed),
            "parallel" => self.parallel(call, parsed),
            "flock" => self.flock(call, parsed),
            "runner" | "node-runner" | "build-tool" => self.runner(call, parsed),
            "daemon" => self.daemon(call, parsed),
            "env-runner" => self.env_runner(call, parsed),
            "nix" => self.nix(call, parsed),
            "namespace" => self.namespace(call, parsed),
            "terminal" => self.terminal(call, parsed),
            "emulator" => self.emulator(call, parsed),
            "display" => self.display(call, parsed),
            "hosted" => self.hosted(call, parsed),
            "crontab" => self.crontab(call, parsed),
            "at" => self.at(call, parsed),
            "make" => self.make(call, parsed),
            "dd" => self.dd(call),
            "chmod" => self.chmod(call),
            "chattr" => self.chattr(call),
            "tee" => self.tee(call, parsed),
            "grep" => self.grep(call, parsed),
            "rsync" => self.rsync(call, parsed),
            "scp" => self.scp(call, parsed),
            "rclone" => self.rclone(call, parsed),
            "find" => self.find(call),
            "fd" => self.fd(call, parsed),
            "tar" => self.tar(call),
            "sed" => self.sed(call, parsed),
            "awk" => self.awk(call, parsed),
            "editor" => self.editor(call, parsed),
            "debugger" => self.debugger(call, parsed),
            "interpreter" => self.interpreter(call, parsed),
            "ssh" => self.ssh(call, parsed),
            "curl" => self.curl(call, parsed),
            "wget" => self.wget(call, parsed),
            "netcat" => self.netcat(call, parsed),
            "socat" => self.socat(call, parsed),
            "network-info" => self.network_info(call, parsed),
            "mail" => self.mail(call, parsed),
            "tls" => self.tls(call, parsed),
            "systemctl" => self.systemctl(call, parsed),
            "service" => self.service(call, parsed),
            "kill" => self.kill(call),
            "pkill" => self.pkill(call, parsed),
            "info" => self.info(call, parsed),
            "power" => self.power(call, parsed),
            "parted" => self.parted(call, parsed),
            "lvm" => self.lvm(call, parsed),
            "firmware" => self.firmware(call, parsed),
            "filesystem" => self.filesystem(call, parsed),
            "machine-registers" => self.machine_registers(call, parsed),
            "boot" => self.boot(call, parsed),
            "network-setup" => self.network_setup(call, parsed),
            "firewall" => self.firewall(call, parsed),
            "selinux" => self.selinux(call, parsed),
            "trust" => self.trust(call, parsed),
            "compiler" => self.compiler(call, parsed),
            "odd-interpreter" => self.odd_interpreter(call, parsed),
            "macos" => self.macos(call, parsed),
            "mac-image" => self.mac_image(call, parsed),
            "apt" => self.apt(call, parsed),
            "package-names" => self.package_names(call, parsed),
            "package-sources" => self.package_sources(call, parsed),
            "build-goals" => self.build_goals(call, parsed),
            "git" => self.git(call, parsed),
            "docker" => self.docker(call),
            "compose" => self.compose(call, call.args),
            "kubectl" => self.kubectl(call, parsed),
            "instances" => self.instances(call, parsed),
            "ansible" => self.ansible(call, parsed),
            "aws" => self.aws(call, parsed),
            "cloud" => self.cloud(call, parsed),
            "sql" | "sqlite" | "sql-words" => self.sql_client(call, parsed),
            "cypher" => self.cypher(call, parsed),
            "github" => self.github(call, parsed),
            "name-server" => self.name_server(call, parsed),
            "mongo" => self.mongo(call, parsed),
            "redis" => self.redis(call, parsed),
            _ => self.printed_by(call, parsed),
        }
    }
}
