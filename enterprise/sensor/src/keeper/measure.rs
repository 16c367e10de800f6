//! The machine layer without the rest of the keeper, to be measured.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use cmdai_policy::{ExecCapture, SnapshotMeta, compile, parse};
use cmdai_schema::MachineRef;
use cmdai_schema::governor::LayerStatus;
use cmdai_spool::SpoolKey;

use super::seal::Sealer;
use crate::machine::{Machine, Order, Setup};
use crate::options::CourierProgram;

/// Captures, judges by the built-in rules and seals below `folder` until told to stop. `tell` hears
/// once that it works, and how it is now and then.
///
/// # Errors
/// Where it cannot be started or sealed.
pub fn measure_layer(
    folder: &Path,
    enforce: bool,
    judge: CourierProgram,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(bool, &LayerStatus),
) -> Result<()> {
    let key = SpoolKey::load_or_create(&folder.join("key"))?;
    let mut sealer = Sealer::open(
        &folder.join("sealed"),
        &key,
        "m-measured".to_owned(),
        MachineRef::default(),
        cmdai_spool::Limits::default(),
    )?;
    let mode = if enforce {
        ExecCapture::Enforce
    } else {
        ExecCapture::Record
    };
    let setup = Setup {
        choice: cmdai_exec_capture::Choice::Best,
        judge,
        account: "nobody".to_owned(),
        own: vec![std::process::id()],
    };
    let mut machine = Machine::start(setup, mode)?;
    let set = parse("version: \"1.0\"\norganization: measured\n", "policy.yaml")
        .map_err(|errors| anyhow::anyhow!("{errors}"))
        .context("the policy")?;
    let bytes = compile(&set, &SnapshotMeta::default());
    machine.order(Order::Policy(bytes, Box::default()));
    let mut ready = false;
    while !stop.load(Ordering::Relaxed) {
        // The keeper's own round.
        std::thread::sleep(Duration::from_millis(50));
        let status = machine.status();
        tell(!ready && status.on, &status);
        ready |= status.on;
        while let Some(drafts) = machine.drafts() {
            let note = sealer.note().clone();
            sealer.commit(drafts, note)?;
        }
    }
    machine.stop();
    Ok(())
}
