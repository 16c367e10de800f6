//! The other roads of a release: a folder that configuration management fills, a git repository.
//!
//! Both carry one file, `release.cmdai` (`cmdai.release-bundle/1`, what `cmdai-enterprise policy
//! export` writes). Nothing here is trusted: the keeper verifies whatever comes, and a road that is
//! cut or slow stops updates and nothing else.

use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use cmdai_bundle::{Bundle, MAX_BUNDLE};
use cmdai_schema::Hash;
use tokio::process::Command;

use super::Keeper;
use crate::options::{Pace, Roads};
use crate::wire::{Ask, Road};

/// Name of the file on every road.
const FILE: &str = "release.cmdai";
/// Longest that one run of git may take.
const GIT_TIME: Duration = Duration::from_secs(120);
/// Most bytes that git may write to one file, in blocks of 512 bytes: 64 MiB.
const GIT_BLOCKS: &str = "131072";

/// Looks at the roads again and again, for as long as the keeper lives.
pub(crate) async fn run(keeper: Keeper, roads: Roads, pace: Pace) -> Result<()> {
    tokio::try_join!(
        directory(keeper.clone(), roads.directory, pace),
        git(keeper, roads.git, pace)
    )?;
    Ok(())
}

async fn trouble(keeper: &Keeper, road: Road, problem: Option<String>) -> Result<()> {
    keeper.tell(&Ask::RoadTrouble { road, problem }).await
}

async fn directory(keeper: Keeper, folder: Option<PathBuf>, pace: Pace) -> Result<()> {
    let Some(folder) = folder else {
        return Ok(());
    };
    let mut seen = None;
    loop {
        let path = folder.join(FILE);
        let look = path.clone();
        let found = tokio::task::spawn_blocking(move || dropped(&look, seen)).await?;
        match found {
            Ok(None) => {}
            Ok(Some((mark, bundle))) => {
                seen = Some(mark);
                trouble(&keeper, Road::Directory, None).await?;
                let files = bundle.files;
                let road = Road::Directory;
                keeper.tell(&Ask::Release { files, road }).await?;
            }
            Err(error) => {
                let problem = format!("{}: {error:#}", path.display());
                trouble(&keeper, Road::Directory, Some(problem)).await?;
            }
        }
        tokio::time::sleep(Duration::from_millis(pace.directory_ms)).await;
    }
}

/// What tells one dropped file from the next.
type Mark = (u64, i64, i64, u64);

/// The file that was dropped, where it is another than before.
fn dropped(path: &Path, seen: Option<Mark>) -> Result<Option<(Mark, Bundle)>> {
    use std::io::Read as _;
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
    let file = match std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
    {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let about = file.metadata()?;
    ensure!(about.is_file(), "it is no regular file");
    let mark = (about.ino(), about.mtime(), about.mtime_nsec(), about.len());
    if seen == Some(mark) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(MAX_BUNDLE + 1).read_to_end(&mut bytes)?;
    let bundle = Bundle::parse(&bytes).map_err(|error| anyhow!(error))?;
    Ok(Some((mark, bundle)))
}

async fn git(keeper: Keeper, place: Option<crate::options::Git>, pace: Pace) -> Result<()> {
    let Some(place) = place else {
        return Ok(());
    };
    let mut seen: Option<String> = None;
    loop {
        match fetched(&place.url, &place.reference, seen.as_deref()).await {
            Ok(None) => trouble(&keeper, Road::Git, None).await?,
            Ok(Some((commit, bundle))) => {
                seen = Some(commit);
                trouble(&keeper, Road::Git, None).await?;
                let files = bundle.files;
                let road = Road::Git;
                keeper.tell(&Ask::Release { files, road }).await?;
            }
            Err(error) => {
                let problem = format!("git {}: {error:#}", place.url);
                trouble(&keeper, Road::Git, Some(problem)).await?;
            }
        }
        tokio::time::sleep(Duration::from_millis(pace.git_ms)).await;
    }
}

/// The release at a reference, where its commit is another than before.
async fn fetched(
    url: &str,
    reference: &str,
    seen: Option<&str>,
) -> Result<Option<(String, Bundle)>> {
    let scratch = Scratch::new()?;
    let listed = run_git(
        &scratch.0,
        &["ls-remote", "--exit-code", "--", url, reference],
        4096,
    )
    .await?;
    let listed = String::from_utf8_lossy(&listed);
    let commit = listed.split_whitespace().next().unwrap_or_default();
    let plain = (40..=64).contains(&commit.len()) && commit.bytes().all(|b| b.is_ascii_hexdigit());
    ensure!(plain, "{reference} is not there");
    if seen == Some(commit) {
        return Ok(None);
    }
    run_git(
        &scratch.0,
        &["init", "--quiet", "--bare", "--template="],
        4096,
    )
    .await?;
    let into = format!("+{reference}:refs/cmdai/release");
    run_git(
        &scratch.0,
        &[
            "fetch",
            "--quiet",
            "--depth=1",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--",
            url,
            &into,
        ],
        4096,
    )
    .await?;
    let blob = format!("refs/cmdai/release:{FILE}");
    let size = run_git(&scratch.0, &["cat-file", "-s", &blob], 64).await?;
    let size: u64 = String::from_utf8_lossy(&size).trim().parse()?;
    ensure!(
        size <= MAX_BUNDLE,
        "{FILE} is longer than {MAX_BUNDLE} bytes"
    );
    let limit = usize::try_from(MAX_BUNDLE)?;
    let bytes = run_git(&scratch.0, &["cat-file", "blob", &blob], limit).await?;
    let bundle = Bundle::parse(&bytes).map_err(|error| anyhow!(error))?;
    Ok(Some((commit.to_owned(), bundle)))
}

/// A folder that goes when it is done with.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).map_err(|_| anyhow!("no random bytes"))?;
        let name = format!("cmdai-road-{}", &Hash::of(&[&random]).to_hex());
        let path = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        let this = Self(path);
        // A repository on this machine belongs to another account. Only a file says so to the half of
        // git that reads it; it does so with our rights, which are nobody's.
        std::fs::write(this.0.join(".gitconfig"), "[safe]\n\tdirectory = *\n")?;
        Ok(this)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs git without anybody's configuration, hooks, helpers, questions and submodules, with bounds on
/// time, on each file that it writes and on what it says.
async fn run_git(folder: &Path, arguments: &[&str], limit: usize) -> Result<Vec<u8>> {
    use tokio::io::AsyncReadExt as _;
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "ulimit -f \"$0\" && exec git \"$@\"", GIT_BLOCKS])
        .args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "credential.helper=",
            "-c",
            "http.followRedirects=false",
            "-c",
            "http.lowSpeedLimit=1000",
            "-c",
            "http.lowSpeedTime=30",
            "-c",
            "transfer.fsckObjects=true",
            "-c",
            "protocol.allow=never",
            "-c",
            "protocol.https.allow=always",
            "-c",
            "protocol.ssh.allow=always",
            "-c",
            "protocol.file.allow=always",
            "-c",
            "safe.directory=*",
            "-c",
            "gc.auto=0",
        ])
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", folder)
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", folder.join(".gitconfig"))
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "/bin/false")
        .env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=20")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let work = async {
        let mut child = command.spawn().context("git cannot be started")?;
        let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
            bail!("git has no output");
        };
        let (mut said, mut complained) = (Vec::new(), Vec::new());
        let mut out = out.take(limit as u64 + 1);
        let mut err = err.take(4096);
        let (read, _) = tokio::join!(out.read_to_end(&mut said), err.read_to_end(&mut complained));
        read?;
        ensure!(said.len() <= limit, "git says more than {limit} bytes");
        drop((out, err));
        let status = child.wait().await?;
        let words = String::from_utf8_lossy(&complained);
        ensure!(
            status.success(),
            "{}",
            words
                .lines()
                .find(|line| line.starts_with("fatal:") || line.starts_with("error:"))
                .or_else(|| words.lines().last())
                .unwrap_or("git failed")
                .trim()
        );
        Ok(said)
    };
    tokio::time::timeout(GIT_TIME, work)
        .await
        .map_err(|_| anyhow!("git took longer than {} s", GIT_TIME.as_secs()))?
}
