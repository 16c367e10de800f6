//! Which roads a release may come by, and the one by hand.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use cmdai_bundle::{Bundle, MAX_BUNDLE};
use cmdai_schema::paths::Places;

use crate::files;
use crate::identity::Home;
use crate::options::Roads;

/// The roads beside the server.
///
/// # Errors
/// Where the file cannot be read.
pub fn roads(places: &Places) -> Result<Roads> {
    let path = Home::of(places).roads();
    let known =
        files::read_json(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(known.unwrap_or_default())
}

/// Changes the roads; the sensor takes them up when it starts.
///
/// # Errors
/// Where a road makes no sense or the file cannot be written.
pub fn set_roads(places: &Places, roads: &Roads) -> Result<()> {
    if let Some(git) = &roads.git {
        let kind = ["https://", "ssh://", "file://"]
            .iter()
            .any(|kind| git.url.starts_with(kind));
        ensure!(kind, "a repository is https://…, ssh://… or file://…");
        let plain =
            |text: &str| text.len() <= 500 && text.bytes().all(|byte| byte.is_ascii_graphic());
        ensure!(
            plain(&git.url) && plain(&git.reference) && git.reference.starts_with("refs/"),
            "the reference is a full one, such as refs/heads/main"
        );
    }
    if let Some(folder) = &roads.directory {
        ensure!(folder.is_absolute(), "the folder is an absolute path");
    }
    let home = Home::of(places);
    ensure!(home.identity().exists(), "this machine is not enrolled");
    files::replace_json(&home.roads(), roads).context("the roads cannot be written")
}

/// Hands a carried release to the sensor. It is verified there like any other; whether it was taken
/// shows in the status.
///
/// # Errors
/// Where the file is no release or the sensor's folder cannot be written.
pub fn import(places: &Places, file: &Path) -> Result<()> {
    let bytes = files::read_bounded(file, MAX_BUNDLE)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    Bundle::parse(&bytes).map_err(|error| anyhow!("{}: {error}", file.display()))?;
    let home = Home::of(places);
    ensure!(home.identity().exists(), "this machine is not enrolled");
    files::replace(&home.import(), &bytes, 0o600)
        .context("the release cannot be handed to the sensor")
}
