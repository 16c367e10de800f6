//! What an auditor takes away: exports that verify without the server, reports with numbers.

use std::io::BufReader;

use cmdai_api::console::{FrameworkList, LedgerView, Report, Role};
use cmdai_ledger::{open_checkpoint, verify_export};
use cmdai_schema::{Decision, Event};
use reqwest::StatusCode;

use crate::support::{eventually, plant};

#[tokio::test(flavor = "multi_thread")]
async fn an_export_verifies_offline_and_a_changed_one_does_not() {
    let plant = plant().await;
    let auditor = plant.person("aldo", Role::Auditor, "aldo").await;
    let mut machine = plant.machine("alice").await;
    let events: Vec<Event> = (0..700)
        .map(|n| machine.command(&format!("echo {n}"), Decision::Allow))
        .collect();
    machine.upload(&events[..100]).await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let between = jiff::Timestamp::now().to_string();
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let late: Vec<Event> = (0..300)
        .map(|n| machine.command(&format!("late {n}"), Decision::Allow))
        .collect();
    machine.upload(&events[100..]).await;
    machine.upload(&late).await;

    let ledger: LedgerView = auditor.get_as("ledger").await;
    let whole = auditor.get("export").await.text().await.unwrap();
    let report = verify_export(BufReader::new(whole.as_bytes()), Some(&ledger.public_key)).unwrap();
    assert!(report.key_trusted && report.first_leaf == 0 && report.events > 1_000);
    assert_eq!(report.machines[&machine.id], 1_000);

    let part = auditor
        .get(&format!("export?from={between}"))
        .await
        .text()
        .await
        .unwrap();
    let report = verify_export(BufReader::new(part.as_bytes()), Some(&ledger.public_key)).unwrap();
    assert!(
        report.first_leaf > 600 && report.events >= 300,
        "{report:?}"
    );

    let forged = part.replacen("late 7\"", "late 8\"", 1);
    assert_ne!(forged, part);
    assert!(verify_export(BufReader::new(forged.as_bytes()), Some(&ledger.public_key)).is_err());
    let without: String = part
        .lines()
        .filter(|line| !line.contains("\"late 9\""))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(verify_export(BufReader::new(without.as_bytes()), Some(&ledger.public_key)).is_err());

    let checkpoint = eventually("a checkpoint", || async {
        let view: LedgerView = auditor.get_as("ledger").await;
        view.checkpoint
            .filter(|checkpoint| checkpoint.tree_size > 1_000)
    })
    .await;
    open_checkpoint(&checkpoint, &ledger.public_key).unwrap();
    let empty = auditor
        .get("export?from=2100-01-01")
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(
        verify_export(BufReader::new(empty.as_bytes()), Some(&ledger.public_key))
            .unwrap()
            .events,
        0
    );
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_goes_on_after_a_restart() {
    let plant = plant().await;
    let mut machine = plant.machine("alice").await;
    let event = machine.command("ls", Decision::Allow);
    machine.upload(&[event]).await;
    let before: LedgerView = plant.admin.get_as("ledger").await;
    plant.running.stop().await.unwrap();
    let config = crate::support::config(plant.folder.path());
    let running = cmdai_server::start(config).await.unwrap();
    let admin =
        crate::support::Person::sign_in(running.console_url(), "admin", crate::support::PASSWORD)
            .await;
    let export = admin.get("export").await.text().await.unwrap();
    let report =
        verify_export(BufReader::new(export.as_bytes()), Some(&before.public_key)).unwrap();
    assert!(report.machines.contains_key(&machine.id) && report.machines.contains_key("server"));
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_counts_what_happened() {
    let plant = plant().await;
    let auditor = plant.person("aldo", Role::Auditor, "aldo").await;
    let mut machine = plant.machine("alice").await;
    let events = vec![
        machine.command("ls", Decision::Allow),
        machine.command("pwd", Decision::Allow),
        machine.command("date", Decision::Allow),
        machine.command("rm -rf /", Decision::Deny),
    ];
    machine.upload(&events).await;
    let list: FrameworkList = auditor.get_as("reports/frameworks").await;
    assert!(list.frameworks.len() >= 3);
    for framework in &list.frameworks {
        let report: Report = auditor.get_as(&format!("reports/{}", framework.id)).await;
        assert!(
            !report.controls.is_empty() && report.completeness.verified,
            "{}",
            framework.id
        );
        assert_eq!(
            (report.compliance, report.generated_by.as_str()),
            (7_500, "aldo")
        );
        assert!(report.events >= 4);
        assert!(
            report
                .controls
                .iter()
                .flat_map(|control| &control.evidence)
                .any(|item| item.rows > 0)
        );
    }
    let page = auditor
        .get(&format!("reports/{}/html", list.frameworks[0].id))
        .await;
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.contains("style-src 'sha256-"));
    assert!(page.text().await.unwrap().contains("<html"));
    assert_eq!(
        auditor.get("reports/NOSUCH").await.status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        auditor.get("reports/SOC2?from=yesterday").await.status(),
        StatusCode::BAD_REQUEST
    );
    plant.running.stop().await.unwrap();
}
