//! A clock that is put forward and back, for the keeper alone: a library that is loaded before the C
//! library's own adds to the time. The courier, whom the keeper gives no environment, keeps the right one.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use cmdai_schema::EventType;

use crate::faults::{in_order, whole};
use crate::world::{POLICY, World, command_id};

const SHIM: &str = r#"
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <fcntl.h>
#include <unistd.h>
#include <time.h>
#include <sys/time.h>
#include <sys/mman.h>
#include <sys/syscall.h>
static volatile int64_t none, *seconds = &none;
__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CMDAI_TEST_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *at = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
    if (at != MAP_FAILED) seconds = at;
    close(file);
}
int clock_gettime(clockid_t clock, struct timespec *time) {
    int done = syscall(SYS_clock_gettime, clock, time);
    if (done == 0 && clock == CLOCK_REALTIME) time->tv_sec += *seconds;
    return done;
}
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"#;

/// The keeper's clock.
pub(crate) struct Clock(File);

impl Clock {
    /// Makes it in `folder`; `world` starts the keeper with it. Nothing where there is no C compiler.
    pub(crate) fn of(world: &mut World) -> Option<Self> {
        let folder = world.dir.path().join("clock");
        std::fs::create_dir(&folder).unwrap();
        let library = folder.join("clock.so");
        let path = folder.join("seconds");
        let mut file = File::options()
            .create_new(true)
            .write(true)
            .open(&path)
            .unwrap();
        file.write_all(&0i64.to_ne_bytes()).unwrap();
        if !compile(&library) {
            eprintln!("left out: there is no C compiler (cc) here");
            return None;
        }
        world.wrapper = vec![
            "env".into(),
            format!("LD_PRELOAD={}", library.display()),
            format!("CMDAI_TEST_CLOCK={}", path.display()),
        ];
        Some(Self(file))
    }

    /// So many seconds beside the right time, from now on.
    pub(crate) fn set(&self, seconds: i64) {
        self.0.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }
}

fn compile(library: &Path) -> bool {
    let source = library.with_extension("c");
    std::fs::write(&source, SHIM).unwrap();
    Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([library, &source])
        .stdin(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

pub(crate) const HOUR: i64 = 3_600;
const YEAR: i64 = 365 * 24 * HOUR;

#[test]
fn a_clock_that_is_put_forward_and_back_loses_nothing() {
    let mut world = World::new();
    let Some(clock) = Clock::of(&mut world) else {
        return;
    };
    let mut world = World::with_policy(world);
    let mut session = world.session("clock");
    let mut written = 0;
    let steps = [
        30,
        -30,
        HOUR,
        -3 * HOUR,
        8 * 24 * HOUR,
        -8 * 24 * HOUR,
        10 * YEAR,
        -10 * YEAR,
        0,
    ];
    for step in steps {
        clock.set(step);
        for _ in 0..20 {
            written += 1;
            session.command(&format!("w{written}"));
        }
        let last = format!("w{written}");
        world.events("a command at that time", |event| command_id(event) == last);
        // Started by that clock too.
        world.kill();
        world.start();
        let status = world.until("the policy stays", |status| status.policy_version == "1");
        assert!(status.machine_id.starts_with("m-"));
        if step == 10 * YEAR {
            world.until("that the proof lapsed is said", |status| {
                status
                    .problems
                    .iter()
                    .any(|problem| problem.contains("clock"))
            });
        }
    }
    world.drained();
    whole(&world, written);
    in_order(&world);
    assert_eq!(world.count(EventType::Tamper), 0);
    // What the record claims is kept where the sensor's own clock does not believe it.
    let doubted = world.known(|known| {
        known
            .events
            .iter()
            .filter(|event| event.payload.detail.contains_key("claimed_time_ms"))
            .count()
    });
    assert!(doubted >= 20, "{doubted}");
    // With the right time again the next policy comes into force.
    world.publish(2, &format!("{POLICY}# two\n"));
    world.until("the next policy", |status| status.policy_version == "2");
}
