//! The ceremony: people's keys and the root of trust that names them.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use cmdai_api::console::{NewRoot, PolicyKeys};
use cmdai_bundle::{
    Change, Holders, HumanRole, OnlineKeys, PublicKey, RootFile, create_sealed, open_sealed,
};
use jiff::SignedDuration;

use super::arguments::{KeysTask, Ring, RootChange};
use crate::account::{client, secret};
use crate::arguments::At;

/// How long a root holds: two years; it is renewed by signing it anew.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 730);

impl Ring {
    fn role(self) -> HumanRole {
        match self {
            Self::Root => HumanRole::Root,
            Self::Publisher => HumanRole::Publisher,
        }
    }
}

pub(super) fn read(path: &Path) -> Result<String> {
    let length = std::fs::metadata(path)
        .with_context(|| format!("cannot read {}", path.display()))?
        .len();
    ensure!(length <= 16 << 20, "{} is too long", path.display());
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn read_root(path: &Path) -> Result<RootFile> {
    RootFile::parse(&read(path)?).with_context(|| path.display().to_string())
}

fn read_public(path: &Path) -> Result<PublicKey> {
    serde_json::from_str(&read(path)?)
        .with_context(|| format!("{} is not a public key", path.display()))
}

pub(super) fn passphrase(path: &Path) -> Result<String> {
    secret(
        "CMDAI_KEY_PASSPHRASE",
        &format!("passphrase of {}: ", path.display()),
    )
}

async fn server_keys(at: &At) -> Result<PolicyKeys> {
    client(at)?.get("policy/keys", &[]).await
}

fn online(keys: &PolicyKeys) -> Result<OnlineKeys> {
    serde_json::from_str(&keys.online).context("the server's keys cannot be read")
}

async fn start(at: &At, change: &RootChange) -> Result<RootFile> {
    match &change.from {
        Some(file) => read_root(file),
        None => {
            let keys = server_keys(at).await?;
            let text = keys.next_root.unwrap_or(keys.root);
            ensure!(
                !text.is_empty(),
                "the server has no root yet: `policy keys init`"
            );
            Ok(RootFile::parse(&text)?)
        }
    }
}

async fn changed(at: &At, change: &Change, place: &RootChange) -> Result<()> {
    let before = start(at, place).await?;
    let next = before.next(change, LIFETIME)?;
    write(&place.output, &next)?;
    print(&next);
    anstream::println!(
        "\n{} is version {}. Next: root holders sign it (`policy keys sign {} --key NAME.key`), then `policy keys install {}`",
        place.output.display(),
        next.version(),
        place.output.display(),
        place.output.display()
    );
    Ok(())
}

fn write(path: &Path, root: &RootFile) -> Result<()> {
    std::fs::write(path, root.text()?).with_context(|| format!("cannot write {}", path.display()))
}

fn print(root: &RootFile) {
    anstream::println!(
        "root of trust of {}, version {}, until {}",
        cmdai_gate::escape(root.organisation()),
        root.version(),
        root.expires()
    );
    for line in root.lines() {
        anstream::println!(
            "  {:<10} {:<24} {}  {} must sign{}",
            line.role,
            cmdai_gate::escape(&line.name),
            line.id.get(..16).unwrap_or(&line.id),
            line.threshold,
            if line.signed { ", has signed this" } else { "" }
        );
    }
}

/// `cmdai-enterprise policy keys …`
pub(crate) async fn keys(at: &At, task: KeysTask) -> Result<()> {
    match task {
        KeysTask::New { name, folder } => {
            let file = folder.join(format!("{name}.key"));
            let key = create_sealed(&file, &passphrase(&file)?)?;
            let public = folder.join(format!("{name}.pub"));
            let text = serde_json::to_string_pretty(&PublicKey::of(&name, &key.verifying_key()))?;
            std::fs::write(&public, text + "\n")
                .with_context(|| format!("cannot write {}", public.display()))?;
            anstream::println!(
                "{} is yours: keep it where no server reads it. Hand out {}",
                file.display(),
                public.display()
            );
            Ok(())
        }
        KeysTask::Init {
            root,
            root_threshold,
            publisher,
            publisher_threshold,
            organisation,
            output,
        } => {
            let holders = |files: &[std::path::PathBuf], threshold| -> Result<Holders> {
                Ok(Holders {
                    keys: files
                        .iter()
                        .map(|file| read_public(file))
                        .collect::<Result<_>>()?,
                    threshold,
                })
            };
            let server = server_keys(at).await?;
            let before = (!server.root.is_empty())
                .then(|| RootFile::parse(&server.root))
                .transpose()?;
            let organisation = match (organisation, &before) {
                (Some(organisation), _) => organisation,
                (None, Some(before)) => before.organisation().to_owned(),
                (None, None) => {
                    let me: cmdai_api::console::Me = client(at)?.get("session", &[]).await?;
                    me.organisation
                }
            };
            let made = RootFile::ceremony(
                &organisation,
                &online(&server)?,
                &holders(&root, root_threshold)?,
                &holders(&publisher, publisher_threshold)?,
                LIFETIME,
                before.as_ref(),
            )?;
            write(&output, &made)?;
            print(&made);
            anstream::println!(
                "\nNext: {root_threshold} root holders sign it (`policy keys sign {} --key NAME.key`), then `policy keys install {}`",
                output.display(),
                output.display()
            );
            Ok(())
        }
        KeysTask::Add { role, key, change } => {
            changed(at, &Change::Add(role.role(), read_public(&key)?), &change).await
        }
        KeysTask::Rotate { old, key, change } => {
            let made = match key {
                Some(key) => Change::Rotate {
                    old,
                    new: read_public(&key)?,
                },
                None if old == "server" => Change::Online(online(&server_keys(at).await?)?),
                None => bail!("name the new public key"),
            };
            changed(at, &made, &change).await
        }
        KeysTask::Revoke { key, change } => changed(at, &Change::Revoke(key), &change).await,
        KeysTask::Threshold {
            role,
            number,
            change,
        } => changed(at, &Change::Threshold(role.role(), number), &change).await,
        KeysTask::Renew { change } => changed(at, &Change::Renew, &change).await,
        KeysTask::Sign { file, key, before } => {
            let mut root = read_root(&file)?;
            let before = before.map(|path| read_root(&path)).transpose()?;
            print(&root);
            let key = open_sealed(&key, &passphrase(&key)?)?;
            ensure!(
                root.sign(&key, before.as_ref())?,
                "this key has signed it already"
            );
            write(&file, &root)?;
            anstream::println!("\nsigned");
            Ok(())
        }
        KeysTask::Join { file, copies } => {
            let mut root = read_root(&file)?;
            for copy in &copies {
                root.join(&read_root(copy)?)
                    .with_context(|| copy.display().to_string())?;
            }
            write(&file, &root)?;
            print(&root);
            Ok(())
        }
        KeysTask::Show { file: Some(file) } => {
            print(&read_root(&file)?);
            Ok(())
        }
        KeysTask::Show { file: None } => {
            let keys = server_keys(at).await?;
            anstream::println!("{}", who_signs(&keys.signing));
            for (text, what) in [
                (Some(keys.root).filter(|text| !text.is_empty()), "in force"),
                (keys.next_root, "waits for the next release"),
            ] {
                if let Some(text) = text {
                    anstream::println!("{what}:");
                    print(&RootFile::parse(&text)?);
                }
            }
            Ok(())
        }
        KeysTask::Install { file } => {
            let root = read_root(&file)?;
            let body = NewRoot {
                root: root.text()?,
                password: crate::plane::password()?,
            };
            let keys: PolicyKeys = client(at)?.post("policy/root", &body).await?;
            if keys.next_root.is_some() {
                anstream::println!(
                    "root version {} waits: the release in force is not signed by its publishers. A draft with the same policy is ready: `policy sign --key NAME.key --submit`",
                    root.version()
                );
            } else {
                anstream::println!(
                    "root version {} is in force; machines follow",
                    root.version()
                );
            }
            anstream::println!("{}", who_signs(&keys.signing));
            Ok(())
        }
    }
}

fn who_signs(signing: &str) -> &'static str {
    if signing == "people" {
        "releases are signed by people; the server holds none of their keys"
    } else {
        "releases are signed by the server, which holds every key: who takes it over can publish. `policy keys init` changes that"
    }
}
