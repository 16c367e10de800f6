//! `cargo xtask bench rollout`: starts a server, connects machines, publishes, and prints how long it
//! took each machine to have the new release, and what the server needed for it. JSON on one line.
//!
//! Arguments: the server's program, the number of machines, every how many-th verifies in full.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use cmdai_sim::wave::{Options, Wave};
use serde_json::{Value, json};

const PASSWORD: &str = "a password for the bench";

struct Server {
    child: std::process::Child,
    console: String,
    machines: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(program: &str, folder: &Path) -> Result<Server> {
    let password = folder.join("password");
    std::fs::write(&password, PASSWORD)?;
    let data = folder.join("server");
    let child = Command::new(program)
        .args([
            "server",
            "--listen",
            "127.0.0.1:0",
            "--machines",
            "127.0.0.1:0",
        ])
        .arg("--data")
        .arg(&data)
        .arg("--admin-password-file")
        .arg(&password)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    for _ in 0..600 {
        std::thread::sleep(Duration::from_millis(100));
        let Ok(note) = std::fs::read(data.join("running.json")) else {
            continue;
        };
        let Ok(state) = serde_json::from_slice::<Value>(&note) else {
            continue;
        };
        let part = |name: &str| text(&state, name);
        return Ok(Server {
            child,
            console: part("console_url"),
            machines: part("machine_url"),
        });
    }
    bail!("the server did not start")
}

fn text(value: &Value, name: &str) -> String {
    let found = value.get(name).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

/// Seconds of processor time, and bytes of memory now and at most.
fn used(pid: u32) -> Result<(f64, u64, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| -> f64 {
        fields
            .get(at)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0.0)
    };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = |name: &str| -> u64 {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .unwrap_or(0)
    };
    Ok((
        (ticks(11) + ticks(12)) / 100.0,
        kib("VmRSS:") * 1024,
        kib("VmHWM:") * 1024,
    ))
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, machines, verify_every] = arguments.as_slice() else {
        bail!("arguments: SERVER-PROGRAM MACHINES VERIFY-EVERY");
    };
    let (machines, verify_every): (u32, u32) = (machines.parse()?, verify_every.parse()?);
    // Each machine is a connection, here and in the server, which inherits the bound.
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    )?;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir()?;
    let memory = if Path::new("/dev/shm").is_dir() {
        tempfile::tempdir_in("/dev/shm")?
    } else {
        tempfile::tempdir()?
    };
    let server = start(program, folder.path())?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let api = |path: &str| format!("{}/api/v1/{path}", server.console);
    let answer = http
        .post(api("session"))
        .json(&json!({"login": "admin", "password": PASSWORD}))
        .send()
        .await?
        .error_for_status()?;
    let cookie = answer
        .headers()
        .get("set-cookie")
        .and_then(|value| value.to_str().ok()?.split(';').next())
        .context("no session")?
        .to_owned();
    let call = async |path: &str, body: Option<Value>| -> Result<Value> {
        let request = match body {
            Some(body) => http.post(api(path)).header("x-cmdai", "1").json(&body),
            None => http.get(api(path)),
        };
        let answer = request.header("cookie", &cookie).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text)?)
    };
    let token = call(
        "enrolment-tokens",
        Some(json!({"person": "bench", "teams": [], "labels": {}, "hours": 1, "uses": machines, "password": PASSWORD})),
    )
    .await?;
    let begun = Instant::now();
    let mut wave = Wave::gather(Options {
        machines,
        server: server.machines.clone(),
        token: text(&token, "token"),
        verify_every,
        folder: memory.path().to_owned(),
    })
    .await?;
    let gathered = begun.elapsed();
    // Everybody is back in a held contact.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let view = call("policy", None).await?;
    let source = format!("{}\n# next\n", text(&view, "source"));
    let pid = server.child.id();
    let before = used(pid)?;
    let published = Instant::now();
    call(
        "policy",
        Some(json!({
            "source": source, "base_version": view.get("version"), "note": "bench", "password": PASSWORD,
            "rollout": null, "managed_by": null
        })),
    )
    .await?;
    let answered = published.elapsed();
    let mut times: Vec<Duration> = wave
        .all(Duration::from_secs(300))
        .await?
        .iter()
        .map(|reached| reached.at.duration_since(published))
        .collect();
    let after = used(pid)?;
    times.sort_unstable();
    let at = |share: usize| -> f64 {
        let index = (times.len() * share / 1_000).min(times.len().saturating_sub(1));
        times.get(index).map_or(0.0, Duration::as_secs_f64)
    };
    println!(
        "{}",
        json!({
            "machines": machines,
            "verified_in_full": machines.div_ceil(verify_every),
            "gathered_s": gathered.as_secs_f64(),
            "publish_answered_s": answered.as_secs_f64(),
            "p50_s": at(500), "p90_s": at(900), "p99_s": at(990), "max_s": at(1_000),
            "server_cpu_s": after.0 - before.0,
            "server_memory_mib": after.1 >> 20,
            "server_memory_most_mib": after.2 >> 20,
        })
    );
    Ok(())
}
