//! One machine and its server.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cmdai_bundle::Publisher;
use cmdai_schema::governor::{Binding, Reply, Request, Status};
use cmdai_schema::paths::Places;
use cmdai_schema::record::{Half, Record, Start};
use cmdai_schema::{Decision, Event, EventType};
use cmdai_sensor::{CourierProgram, EnrolOptions, Enrolled};

use crate::server::{Known, Server};

pub(crate) const POLICY: &str = "version: \"1.0\"\norganization: acme-corp\nsafety:\n  blocked_patterns:\n    - pattern: \"curl .* | bash\"\n      reason: \"Runs code straight from the network\"\n";

pub(crate) fn probe() -> PathBuf {
    env!("CARGO_BIN_EXE_cmdai-sensor-probe").into()
}

pub(crate) fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) publisher: Publisher,
    pub(crate) places: Places,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) watched: Vec<PathBuf>,
    /// Bound of the sealed spool, in bytes.
    pub(crate) buffer: Option<u64>,
    /// What starts the keeper, with its arguments before the keeper's.
    pub(crate) wrapper: Vec<String>,
    keeper: Option<Child>,
}

impl World {
    /// An enrolled machine with an empty repository, nothing running.
    pub(crate) fn new() -> Self {
        Self::by_road(Server::url)
    }

    /// The same, with another address for the server.
    pub(crate) fn by_road(road: impl FnOnce(&Server) -> String) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start();
        let publisher = block_on(Publisher::init(&dir.path().join("tuf"), "acme-corp")).unwrap();
        {
            let mut known = server.known.lock().unwrap();
            known.repo = publisher.repo_dir();
            known.tuf_root = publisher.root_json().unwrap();
        }
        let places = Places::below(dir.path().join("machine"));
        std::fs::create_dir(dir.path().join("machine")).unwrap();
        let world = Self {
            server,
            publisher,
            places,
            dir,
            watched: Vec::new(),
            buffer: None,
            wrapper: Vec::new(),
            keeper: None,
        };
        let address = road(&world.server);
        world.enrol_at(&address, &world.server.token()).unwrap();
        world
    }

    /// The keeper's process.
    pub(crate) fn pid(&self) -> u32 {
        self.keeper.as_ref().unwrap().id()
    }

    /// The same with release 1 published and the sensor running with it.
    pub(crate) fn running() -> Self {
        Self::with_policy(Self::new())
    }

    /// Release 1 is published and the sensor runs with it.
    pub(crate) fn with_policy(mut world: Self) -> Self {
        world.publish(1, POLICY);
        world.start();
        world.until("the policy is installed", |status| {
            status.policy_version == "1"
        });
        world
    }

    pub(crate) fn enrol(&self, token: &str) -> anyhow::Result<Enrolled> {
        self.enrol_at(&self.server.url(), token)
    }

    fn enrol_at(&self, server: &str, token: &str) -> anyhow::Result<Enrolled> {
        let courier: CourierProgram = (probe(), vec!["courier".into()]);
        let options = EnrolOptions {
            server: server.to_owned(),
            token: token.into(),
            places: self.places.clone(),
            hostname: "dev-1".into(),
        };
        block_on(cmdai_sensor::enrol_with(options, courier))
    }

    pub(crate) fn publish(&self, version: u64, policy: &str) {
        block_on(
            self.publisher
                .publish(policy, version, &self.server.authority()),
        )
        .unwrap();
        self.known(|known| known.policy_version = version.to_string());
    }

    pub(crate) fn start(&mut self) {
        assert!(self.keeper.is_none());
        let probe = probe().into_os_string();
        let mut line = self.wrapper.iter().map(Into::into).chain([probe]);
        let mut command = Command::new(line.next().unwrap());
        command
            .args(line)
            .arg("keeper")
            .arg(self.dir.path().join("machine"))
            .args(&self.watched)
            .stdin(Stdio::null());
        if let Some(bytes) = self.buffer {
            command.env("CMDAI_PROBE_BUFFER", bytes.to_string());
        }
        self.keeper = Some(command.spawn().unwrap());
    }

    pub(crate) fn kill(&mut self) {
        let mut keeper = self.keeper.take().unwrap();
        keeper.kill().unwrap();
        keeper.wait().unwrap();
    }

    pub(crate) fn stop(&mut self) {
        let mut keeper = self.keeper.take().unwrap();
        rustix::process::kill_process(
            rustix::process::Pid::from_child(&keeper),
            rustix::process::Signal::TERM,
        )
        .unwrap();
        assert!(keeper.wait().unwrap().success());
    }

    pub(crate) fn known<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.server.known.lock().unwrap())
    }

    pub(crate) fn governor(&self) -> Governor {
        eventually("the governor answers", || Governor::connect(&self.places))
    }

    pub(crate) fn status(&self) -> Status {
        eventually("the governor says how it is", || self.governor().status())
    }

    pub(crate) fn until(&self, what: &str, mut wanted: impl FnMut(&Status) -> bool) -> Status {
        let begin = Instant::now();
        loop {
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(30),
                "never happened: {what}: {status:?}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The server's events that `wanted` likes, once there are some.
    pub(crate) fn events(&self, what: &str, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        eventually(what, || {
            let found: Vec<Event> = self.known(|known| {
                known
                    .events
                    .iter()
                    .filter(|event| wanted(event))
                    .cloned()
                    .collect()
            });
            (!found.is_empty()).then_some(found)
        })
    }

    pub(crate) fn count(&self, kind: EventType) -> usize {
        self.known(|known| {
            known
                .events
                .iter()
                .filter(|event| event.envelope.event_type == kind)
                .count()
        })
    }

    /// Waits until the server has everything that is sealed.
    pub(crate) fn drained(&self) {
        self.until("everything is acknowledged", |status| status.queued == 0);
    }

    pub(crate) fn session(&self, id: &str) -> Session {
        self.session_of(uid(), id)
    }

    /// A session of somebody else's shell; only root can make one.
    pub(crate) fn session_of(&self, owner: u32, id: &str) -> Session {
        let folder = self.places.user_spool(owner);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .unwrap();
        let path = folder.join(format!("{id}.c1"));
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .unwrap();
        if owner != uid() {
            std::os::unix::fs::chown(&folder, Some(owner), None).unwrap();
            std::os::unix::fs::chown(&path, Some(owner), None).unwrap();
        }
        Session {
            id: id.into(),
            counter: 0,
            file,
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            let _ = keeper.kill();
            let _ = keeper.wait();
        }
    }
}

/// A client of the governor's socket.
pub(crate) struct Governor(UnixStream);

impl Governor {
    pub(crate) fn connect(places: &Places) -> Option<Self> {
        let stream = UnixStream::connect(&places.socket).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let mut this = Self(stream);
        this.send(&Request::Hello {
            version: 1,
            client: "test 1".into(),
        })?;
        matches!(this.receive()?, Reply::Hello { version: 1, .. }).then_some(this)
    }

    pub(crate) fn send(&mut self, request: &Request) -> Option<()> {
        let json = serde_json::to_vec(request).unwrap();
        self.0
            .write_all(&u32::try_from(json.len()).unwrap().to_be_bytes())
            .ok()?;
        self.0.write_all(&json).ok()
    }

    pub(crate) fn receive(&mut self) -> Option<Reply> {
        let mut length = [0u8; 4];
        self.0.read_exact(&mut length).ok()?;
        let mut json = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut json).ok()?;
        Some(serde_json::from_slice(&json).unwrap())
    }

    pub(crate) fn status(&mut self) -> Option<Status> {
        self.send(&Request::Status)?;
        match self.receive()? {
            Reply::Status(status) => Some(*status),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn report(&mut self, start: Start, session_id: &str) {
        self.send(&Request::Report {
            start: Box::new(start),
            session_id: session_id.into(),
        })
        .unwrap();
        assert_eq!(self.receive(), Some(Reply::Recorded));
    }

    pub(crate) fn approve(&mut self, binding: Binding, reason: Option<String>) -> Option<Reply> {
        self.send(&Request::Approve {
            binding: Box::new(binding),
            reason,
            session_id: "s1".into(),
        })?;
        self.receive()
    }
}

/// A hooked shell.
pub(crate) struct Session {
    id: String,
    pub(crate) counter: u64,
    file: File,
}

impl Session {
    pub(crate) fn write(&mut self, half: Half) {
        self.counter += 1;
        let line = self.line(half);
        self.raw(&line);
    }

    fn line(&self, half: Half) -> String {
        let record = Record {
            session_id: self.id.clone(),
            counter: self.counter,
            time_ms: std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap()
                .as_millis() as u64,
            mono_ns: 7,
            pid: std::process::id(),
            user: "root".into(),
            script: None,
            half,
        };
        record.to_line().unwrap()
    }

    pub(crate) fn raw(&mut self, line: &str) {
        self.file.write_all(line.as_bytes()).unwrap();
    }

    /// A command on a disk that may be full, as the hooks write it: whether its start is there.
    pub(crate) fn try_command(&mut self, id: &str) -> bool {
        let end = Half::End {
            command_id: id.into(),
            exit_code: 0,
            duration_us: 12_000,
        };
        let start = self.attempt(Half::Start(Box::new(started(id))));
        self.attempt(end);
        start
    }

    fn attempt(&mut self, half: Half) -> bool {
        self.counter += 1;
        let line = self.line(half);
        match self.file.write(line.as_bytes()) {
            Ok(written) if written == line.len() => true,
            Ok(_) => {
                let _ = self.file.write(b"\n");
                false
            }
            Err(_) => false,
        }
    }

    pub(crate) fn start(&mut self, id: &str) {
        self.write(Half::Start(Box::new(started(id))));
    }

    pub(crate) fn end(&mut self, id: &str, exit_code: i32) {
        self.write(Half::End {
            command_id: id.into(),
            exit_code,
            duration_us: 12_000,
        });
    }

    pub(crate) fn command(&mut self, id: &str) {
        self.start(id);
        self.end(id, 0);
    }
}

pub(crate) fn started(id: &str) -> Start {
    Start {
        command_id: id.into(),
        text: format!("echo {id}"),
        shell: "bash".into(),
        cwd: "/tmp".into(),
        allowed: true,
        ..Start::default()
    }
}

pub(crate) fn blocked(id: &str) -> Start {
    let mut start = started(id);
    start.allowed = false;
    start.policy.decision = Decision::Deny;
    start.policy.violated_rules = vec!["fs.delete-root".into()];
    start
}

pub(crate) fn command_id(event: &Event) -> &str {
    event
        .payload
        .command
        .as_ref()
        .map_or("", |command| &command.command_id)
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Tries until it works; half a minute is long enough for any machine.
pub(crate) fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "never happened: {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
