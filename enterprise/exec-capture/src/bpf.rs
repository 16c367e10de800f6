//! The eBPF program, loaded into the running kernel.

use std::time::Duration;

use aya::maps::{Array, MapData, PerCpuArray, RingBuf};
use aya::programs::BtfTracePoint;
use aya::{Btf, Ebpf as Loaded, EbpfLoader, include_bytes_aligned};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

use crate::{CaptureError, Counters, Exec, Source};

/// `cargo xtask bpf` makes it from `bpf/exec.bpf.c`.
static OBJECT: &[u8] = include_bytes_aligned!("../bpf/exec.bpf.o");

/// Every exec through a tracepoint of the scheduler.
pub struct Ebpf {
    ring: RingBuf<MapData>,
    counters: PerCpuArray<MapData, [u64; 2]>,
    prompt: Array<MapData, u32>,
    /// Records that could not be read.
    unread: u64,
    /// Dropping it takes the program out of the kernel.
    _loaded: Loaded,
}

fn not_here(why: impl std::fmt::Display) -> CaptureError {
    CaptureError::NotHere {
        source_name: "ebpf",
        why: why.to_string(),
    }
}

/// An error with its causes.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(cause) = at {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        at = cause.source();
    }
    // The verifier's log can be long.
    if text.len() > 600 {
        let end = text.floor_char_boundary(600);
        text.truncate(end);
    }
    text
}

impl Ebpf {
    /// Loads the program and attaches it.
    ///
    /// # Errors
    /// Where the kernel has no BTF, does not permit it, or refuses the program.
    pub fn open() -> Result<Self, CaptureError> {
        if !rustix::process::geteuid().is_root() {
            return Err(not_here("it needs root"));
        }
        let btf = Btf::from_sys_fs()
            .map_err(|error| not_here(format!("no BTF of the kernel: {}", whole(&error))))?;
        let mut loaded = EbpfLoader::new()
            .btf(Some(&btf))
            .load(OBJECT)
            .map_err(|error| not_here(whole(&error)))?;
        let program: &mut BtfTracePoint = loaded
            .program_mut("seen")
            .ok_or_else(|| not_here("the program is not in its object"))?
            .try_into()
            .map_err(|error: aya::programs::ProgramError| not_here(whole(&error)))?;
        program
            .load("sched_process_exec", &btf)
            .map_err(|error| not_here(whole(&error)))?;
        program.attach().map_err(|error| not_here(whole(&error)))?;
        let missing = |name: &str| not_here(format!("map {name} is not in the object"));
        let ring = loaded.take_map("EXECS").ok_or_else(|| missing("EXECS"))?;
        let counters = loaded
            .take_map("COUNTERS")
            .ok_or_else(|| missing("COUNTERS"))?;
        let prompt = loaded.take_map("PROMPT").ok_or_else(|| missing("PROMPT"))?;
        Ok(Self {
            ring: RingBuf::try_from(ring).map_err(|error| not_here(whole(&error)))?,
            counters: PerCpuArray::try_from(counters).map_err(|error| not_here(whole(&error)))?,
            prompt: Array::try_from(prompt).map_err(|error| not_here(whole(&error)))?,
            unread: 0,
            _loaded: loaded,
        })
    }
}

impl Source for Ebpf {
    fn name(&self) -> &'static str {
        "ebpf"
    }

    fn notes(&self) -> &[String] {
        &[]
    }

    fn read(
        &mut self,
        timeout: Duration,
        most: usize,
        take: &mut dyn FnMut(Exec),
    ) -> Result<(), CaptureError> {
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(1),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        match poll(
            &mut [PollFd::new(&self.ring, PollFlags::IN)],
            Some(&timeout),
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(CaptureError::Lost(format!("the ring: {error}"))),
        }
        for _ in 0..most {
            let Some(item) = self.ring.next() else { break };
            match Exec::from_bytes(&item) {
                Ok(exec) => {
                    drop(item);
                    take(exec);
                }
                Err(_) => self.unread = self.unread.saturating_add(1),
            }
        }
        Ok(())
    }

    fn counters(&mut self) -> Result<Counters, CaptureError> {
        let all = self
            .counters
            .get(&0, 0)
            .map_err(|error| CaptureError::Lost(format!("the counters: {error}")))?;
        let (mut seen, mut lost) = (0u64, self.unread);
        for [one_seen, one_lost] in all.iter() {
            seen = seen.saturating_add(*one_seen);
            lost = lost.saturating_add(*one_lost);
        }
        Ok(Counters {
            seen: Some(seen),
            lost,
        })
    }

    fn set_prompt(&mut self, prompt: bool) {
        // Where it is refused, records come a little later.
        let _ = self.prompt.set(0, u32::from(prompt), 0);
    }
}
