//! Drafts: look at them, sign them, hand the signatures in. Releases in one file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use cmdai_api::console::{ApproverKeys, Confirmation, DraftSignature, DraftSignatures, PolicyView};
use cmdai_bundle::{Draft, Reviewed, RootFile, open_sealed};

use super::keys::{passphrase, read};
use super::{changes, print_changes};
use crate::account::client;
use crate::arguments::At;

pub(super) async fn fetch(at: &At, file: Option<&Path>) -> Result<Draft> {
    let bytes = match file {
        Some(file) => read(file)?.into_bytes(),
        None => {
            let response = client(at)?.stream("policy/draft", &[]).await?;
            response.bytes().await?.to_vec()
        }
    };
    Draft::parse(&bytes).map_err(|error| anyhow!(error))
}

fn write(path: &Path, draft: &Draft) -> Result<()> {
    std::fs::write(path, serde_json::to_vec_pretty(draft)?)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Fetches the draft.
pub(crate) async fn draft(at: &At, output: &Path) -> Result<()> {
    let draft = fetch(at, None).await?;
    write(output, &draft)?;
    show(&draft)?;
    Ok(())
}

/// What would be signed, in full, from the draft's own documents.
pub(super) fn show(draft: &Draft) -> Result<Reviewed> {
    let reviewed = draft
        .check()
        .map_err(|error| anyhow!("not to be signed: {error}"))?;
    let root = RootFile::parse(&draft.root)?;
    anstream::println!(
        "release {} of {}, made by {} at {}\n  {}",
        draft.release,
        cmdai_gate::escape(root.organisation()),
        cmdai_gate::escape(&draft.by),
        draft.made,
        cmdai_gate::escape(&draft.note)
    );
    anstream::println!("policy SHA-256 {}", reviewed.release.sha256);
    let document = |name: &str| draft.documents.get(name).map_or("", String::as_str);
    if let Some(previous) = &reviewed.previous {
        anstream::println!("changes against release {}:", previous.version);
        print_changes(&changes(
            document("previous-policy.yaml"),
            document("policy.yaml"),
        )?);
    }
    match &reviewed.rings {
        None => anstream::println!("for every machine at once"),
        Some(rings) => {
            for ring in &rings.rings {
                anstream::println!(
                    "ring {:<16} {:?} share {:.2} %, then {} s",
                    cmdai_gate::escape(&ring.name),
                    ring.labels,
                    // Only for the eye; places are whole numbers.
                    ring.share as f64 * 100.0 / cmdai_bundle::rings::WHOLE as f64,
                    ring.wait_s
                );
            }
        }
    }
    anstream::println!(
        "keys for grants {}, for orders {}; progress key {}; root version {}, {} of {} signatures",
        reviewed.authority.grant_keys.join(" "),
        reviewed.authority.order_keys.join(" "),
        reviewed.progress_key.get(..16).unwrap_or_default(),
        root.version(),
        reviewed.signed_by.len(),
        reviewed.threshold
    );
    if let Some(impact) = super::review::impact_of(draft) {
        super::review::print_impact(&impact, reviewed.previous.is_none());
    }
    for key in &reviewed.approvers.keys {
        anstream::println!(
            "approver {} ({}) {} {} in {}",
            cmdai_gate::escape(&key.login),
            cmdai_gate::escape(&key.person),
            key.algorithm,
            cmdai_gate::escape(&key.credential_id),
            if key.groups.is_empty() {
                "no group".to_owned()
            } else {
                cmdai_gate::escape(&key.groups.join(", "))
            }
        );
    }
    if !reviewed.approvers.keys.is_empty() {
        anstream::println!(
            "these keys approve on machines, bound to {} at {}",
            cmdai_gate::escape(&reviewed.approvers.rp_id),
            cmdai_gate::escape(&reviewed.approvers.origins.join(", "))
        );
    }
    Ok(reviewed)
}

/// Lists the security keys of approvers, or puts them forward.
pub(crate) async fn approvers(at: &At, publish: bool) -> Result<()> {
    let session = client(at)?;
    let list: ApproverKeys = if publish {
        let password = crate::plane::password()?;
        session
            .post("policy/approvers", &Confirmation { password })
            .await?
    } else {
        session.get("policy/approvers", &[]).await?
    };
    anstream::println!(
        "{} on machines: signed by {}, bound to {}",
        if list.current {
            "all of these are in force"
        } else {
            "another list is in force"
        },
        list.signing,
        if list.rp_id.is_empty() {
            "nothing (the console has no name)"
        } else {
            &list.rp_id
        }
    );
    for key in &list.keys {
        anstream::println!(
            "{:<10} {:<16} {} {}",
            key.state,
            cmdai_gate::escape(&key.login),
            key.algorithm,
            cmdai_gate::escape(&key.credential_id)
        );
    }
    Ok(())
}

/// Signs a draft.
pub(crate) async fn sign(
    at: &At,
    file: Option<PathBuf>,
    key: &Path,
    root: Option<&Path>,
    hand_in: bool,
) -> Result<()> {
    let mut draft = fetch(at, file.as_deref()).await?;
    if let Some(root) = root {
        ensure!(
            RootFile::parse(&read(root)?)?.says_the_same(&RootFile::parse(&draft.root)?),
            "not to be signed: the draft goes by another root than {}",
            root.display()
        );
    }
    show(&draft)?;
    let opened = open_sealed(key, &passphrase(key)?)?;
    let fresh = draft
        .sign(&opened)
        .map_err(|error| anyhow!("not signed: {error}"))?;
    anstream::println!(
        "{}",
        if fresh {
            "signed"
        } else {
            "this key has signed it already"
        }
    );
    if let Some(file) = &file {
        write(file, &draft)?;
    }
    if hand_in || file.is_none() {
        hand(at, &draft).await?;
    }
    Ok(())
}

/// Hands in the signatures of a draft file.
pub(crate) async fn submit(at: &At, file: &Path) -> Result<()> {
    hand(at, &fetch(at, Some(file)).await?).await
}

async fn hand(at: &At, draft: &Draft) -> Result<()> {
    let signatures: Vec<DraftSignature> = draft
        .signatures()
        .into_iter()
        .map(|signature| DraftSignature {
            key_id: signature.key_id,
            signature: signature.signature,
        })
        .collect();
    ensure!(!signatures.is_empty(), "nobody has signed it yet");
    let body = DraftSignatures { signatures };
    let view: PolicyView = client(at)?.post("policy/draft", &body).await?;
    match &view.draft {
        Some(waiting) => anstream::println!(
            "release {} waits: {} of {} signatures ({})",
            waiting.release,
            waiting.signed_by.len(),
            waiting.needed,
            waiting.signed_by.join(", ")
        ),
        None => anstream::println!("release {} is published", view.version),
    }
    Ok(())
}

/// Drops the draft.
pub(crate) async fn drop_draft(at: &At) -> Result<()> {
    client(at)?.delete("policy/draft").await?;
    anstream::println!("dropped");
    Ok(())
}

/// Writes the newest release into one file.
pub(crate) async fn export(at: &At, file: &Path, root: u64) -> Result<()> {
    let response = client(at)?
        .stream("policy/bundle", &[("root", root.to_string())])
        .await?;
    let bytes = response.bytes().await?;
    cmdai_bundle::Bundle::parse(&bytes).map_err(|error| anyhow!(error))?;
    std::fs::write(file, &bytes).with_context(|| format!("cannot write {}", file.display()))?;
    anstream::println!(
        "{} holds the newest release. On the machine: `cmdai-enterprise sensor import {}`",
        file.display(),
        file.display()
    );
    Ok(())
}
