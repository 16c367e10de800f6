//! `cargo xtask bench sensor`: what the machine layer costs where it sees every program.
//!
//! Three questions, each with a bar: the share of a core at a given rate of programs (1 %), the
//! memory (50 MB), and how much longer a parallel build takes (2 %). Measured are the keeper's part
//! and the judge together: `/proc/PID/stat` and `/proc/PID/status` of both processes. Rounds of the
//! build with and without it take turns, so that other load on the machine falls on both; the median
//! of each is compared.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Value, json};

use crate::step;

/// Ticks of the kernel's accounting in a second.
const TICKS: f64 = 100.0;

#[derive(Args)]
pub(crate) struct Options {
    /// Programs started in a second
    #[arg(long, default_value_t = 10)]
    rate: u32,
    /// Seconds of that
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// Rounds of the build, with and without
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Programs that one build starts
    #[arg(long, default_value_t = 300)]
    jobs: usize,
    /// End what is denied, which wakes the sensor for each program, instead of recording only
    #[arg(long)]
    enforce: bool,
    /// Measure debug builds
    #[arg(long)]
    debug: bool,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut build = vec![
        "build",
        "--quiet",
        "-p",
        "cmdai-sensor",
        "--example",
        "layer",
    ];
    let profile = if options.debug {
        "debug"
    } else {
        build.push("--release");
        "release"
    };
    step::run("bench: build", step::command("enterprise", "cargo", &build))?;
    let program = step::target().join(profile).join("examples/layer");
    let layer = Layer::start(&program, options.enforce)?;
    let idle = layer.measure(Duration::from_secs(u64::from(options.seconds.min(10))), 0)?;
    let busy = layer.measure(
        Duration::from_secs(u64::from(options.seconds)),
        options.rate,
    )?;
    drop(layer);

    let (mut bare, mut watched) = (Vec::new(), Vec::new());
    let mut share = Vec::new();
    for round in 0..options.rounds {
        // Whoever is second may find warm files: they change places.
        for watch in [round % 2 == 0, round % 2 == 1] {
            let layer = watch
                .then(|| Layer::start(&program, options.enforce))
                .transpose()?;
            let before = layer.as_ref().map(Layer::ticks).transpose()?;
            let took = compile(options.jobs)?;
            if let (Some(layer), Some(before)) = (&layer, before) {
                let used = (layer.ticks()? - before) / TICKS;
                share.push(100.0 * used / took.as_secs_f64());
                watched.push(took.as_secs_f64());
            } else {
                bare.push(took.as_secs_f64());
            }
        }
    }
    let (bare, watched, share) = (median(bare), median(watched), median(share));
    let report = json!({
        "what": "keeper's part and judge together; a core is 100; build: median wall time of rounds that take turns",
        "profile": profile,
        "mode": if options.enforce { "enforce" } else { "record" },
        "idle": idle,
        "rate": busy,
        "build": {
            "programs": options.jobs,
            "rounds": options.rounds,
            "without_s": round(bare),
            "with_s": round(watched),
            "slower_percent": round(100.0 * (watched / bare - 1.0)),
            "sensor_core_percent": round(share),
        },
        "bars": {"core_percent": 1.0, "rss_mb": 50.0, "slower_percent": 2.0},
    });
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn print(report: &Value) {
    for (name, what) in [("idle", "idle"), ("rate", "at the rate")] {
        let row = &report[name];
        println!(
            "{what:12} {} programs/s  {} % of a core  {} MB  lost {}",
            row["rate"], row["core_percent"], row["rss_mb"], row["lost"]
        );
    }
    let build = &report["build"];
    println!(
        "build        {} programs  {} s without  {} s with  {} % slower  sensor {} % of a core",
        build["programs"],
        build["without_s"],
        build["with_s"],
        build["slower_percent"],
        build["sensor_core_percent"]
    );
    println!("bars         1 % of a core, 50 MB, build 2 % slower");
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The layer in a process of its own, with its judge.
struct Layer(Child);

impl Layer {
    fn start(program: &Path, enforce: bool) -> Result<Self> {
        let mut child = Command::new(program)
            .arg(if enforce { "enforce" } else { "record" })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut line = String::new();
        let output = child.stdout.take().context("no output")?;
        let mut output = BufReader::new(output);
        output.read_line(&mut line)?;
        ensure!(
            line.trim() == "ready",
            "the machine layer cannot be measured here: {}",
            line.trim()
        );
        // The rest is read by nobody and short.
        std::thread::spawn(move || {
            let mut rest = String::new();
            while output.read_line(&mut rest).is_ok_and(|count| count > 0) {
                rest.clear();
            }
        });
        // The judge starts with the first program.
        Command::new("true").status()?;
        std::thread::sleep(Duration::from_secs(1));
        Ok(Self(child))
    }

    fn pids(&self) -> Vec<u32> {
        let own = self.0.id();
        let mut pids = vec![own];
        let threads = std::fs::read_dir(format!("/proc/{own}/task"));
        for thread in threads.into_iter().flatten().flatten() {
            let list = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            pids.extend(
                list.split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
        }
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// Time on processors of both, in ticks.
    fn ticks(&self) -> Result<f64> {
        let mut all = 0.0;
        for pid in self.pids() {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
            let tail = stat.rsplit_once(')').context("no stat")?.1;
            let fields: Vec<&str> = tail.split_whitespace().collect();
            for place in [11, 12] {
                all += fields
                    .get(place)
                    .and_then(|field| field.parse::<f64>().ok())
                    .unwrap_or(0.0);
            }
        }
        Ok(all)
    }

    fn memory_mb(&self) -> f64 {
        let of = |pid: u32| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.split_whitespace().next()?.parse::<f64>().ok()
        };
        self.pids().into_iter().filter_map(of).sum::<f64>() / 1024.0
    }

    fn measure(&self, time: Duration, rate: u32) -> Result<Value> {
        let before = self.ticks()?;
        let begin = Instant::now();
        let mut started = 0u32;
        while begin.elapsed() < time {
            if rate == 0 {
                std::thread::sleep(Duration::from_millis(100));
                continue;
            }
            Command::new("/bin/true")
                .arg(started.to_string())
                .status()?;
            started += 1;
            let due = begin + Duration::from_secs_f64(f64::from(started) / f64::from(rate));
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let took = begin.elapsed().as_secs_f64();
        let used = (self.ticks()? - before) / TICKS;
        Ok(json!({
            "rate": round(f64::from(started) / took),
            "seconds": round(took),
            "core_percent": round(100.0 * used / took),
            "rss_mb": round(self.memory_mb()),
            "lost": lost(self.0.id()),
        }))
    }
}

/// What the layer wrote down as lost.
fn lost(pid: u32) -> Value {
    let path = std::env::temp_dir().join(format!("cmdai-layer-{pid}.lost"));
    std::fs::read_to_string(path)
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok())
        .map_or(Value::Null, Value::from)
}

impl Drop for Layer {
    fn drop(&mut self) {
        // It ends when its input does.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
        let _ = std::fs::remove_file(
            std::env::temp_dir().join(format!("cmdai-layer-{}.lost", self.0.id())),
        );
    }
}

/// A build: compilers where there is one, through `make`'s way of a shell for each, on all cores.
fn compile(jobs: usize) -> Result<Duration> {
    let folder = std::env::temp_dir().join(format!("cmdai-bench-build-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let compiler = ["cc", "gcc", "clang"].into_iter().find(|name| {
        Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    let compiler = compiler.context("no C compiler here to measure a build with")?;
    std::fs::write(
        folder.join("unit.c"),
        "#include <stdio.h>\n#include <stdlib.h>\nint f(int x) { return printf(\"%d\", x) + abs(x); }\n",
    )?;
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let begin = Instant::now();
    let result = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    loop {
                        let job = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        if job >= jobs {
                            return Ok(());
                        }
                        let line = format!("{compiler} -O1 -c unit.c -o unit{job}.o");
                        let status = Command::new("/bin/sh")
                            .args(["-c", &line])
                            .current_dir(&folder)
                            .status()?;
                        ensure!(status.success(), "the build failed");
                    }
                })
            })
            .collect();
        for worker in workers {
            match worker.join() {
                Ok(result) => result?,
                Err(_) => anyhow::bail!("a worker of the build failed"),
            }
        }
        Ok(())
    });
    let took = begin.elapsed();
    let _ = std::fs::remove_dir_all(&folder);
    result.map(|()| took)
}
