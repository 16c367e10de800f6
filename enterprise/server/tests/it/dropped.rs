//! Events that a machine dropped: the jump is taken as it is declared, told to people, and proven.

use std::io::BufReader;

use cmdai_api::console::{AlertList, FrameworkList, LedgerView, Report};
use cmdai_api::machine::IngestReply;
use cmdai_ledger::{VerifyError, verify_export};
use cmdai_schema::{Absent, AssertedBy, Decision, DropCause, Dropped, Event, EventType, Payload};
use reqwest::StatusCode;

use crate::support::{Machine, eventually, plant, read};

/// Ten commands of which 4 to 8 are gone.
fn ten(machine: &mut Machine) -> (Vec<Event>, Dropped) {
    let all: Vec<Event> = (1..=10)
        .map(|number| machine.command(&format!("echo {number}"), Decision::Allow))
        .collect();
    let dropped = Dropped {
        from: 4,
        to: 8,
        before: all[2].hash().unwrap(),
        after: all[7].hash().unwrap(),
        kept: 0,
        why: DropCause::Full,
        first_time: all[3].envelope.time.clone(),
        last_time: all[7].envelope.time.clone(),
    };
    (all, dropped)
}

fn gap(machine: &mut Machine, dropped: &Dropped) -> Event {
    let payload = Payload {
        asserted_by: AssertedBy::Sensor,
        detail: dropped.detail(),
        command: None,
        policy_evaluation: None,
        execution: None,
        ..machine.payload("", Decision::Allow)
    };
    machine.seal(EventType::Gap, payload)
}

async fn refused(machine: &Machine, absent: Option<Absent>, events: &[Event]) {
    let answer = machine.send(machine.batch_after(absent, events)).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT, "{absent:?}");
    let reply: IngestReply = answer.json().await.unwrap();
    assert_eq!(reply.acked_seq, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_is_taken_as_it_is_declared_and_people_hear_of_it() {
    let plant = plant().await;
    let mut machine = plant.machine("alice").await;
    let (all, dropped) = ten(&mut machine);
    assert_eq!(machine.upload(&all[..3]).await.acked_seq, 3);
    // The clock of the events goes on in milliseconds.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let until = jiff::Timestamp::now().to_string();
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let told = gap(&mut machine, &dropped);
    let late = machine.command("late", Decision::Allow);
    let rest = [all[8].clone(), all[9].clone(), told];
    let absent = |from, to, told| {
        let told = Some(told);
        Some(Absent { from, to, told })
    };
    refused(&machine, None, &rest).await;
    for wrong in [absent(5, 8, 11), absent(4, 7, 11), absent(4, 8, 10)] {
        refused(&machine, wrong, &rest).await;
    }
    // In two uploads, each of them twice: its answer may have been lost.
    for events in [&rest[..2], &rest[2..]] {
        for _ in 0..2 {
            let bytes = machine.batch_after(absent(4, 8, 11), events);
            let reply: IngestReply = read(machine.send(bytes).await).await;
            let last = events[events.len() - 1].envelope.seq;
            assert_eq!((reply.acked_seq, reply.problem), (last, None));
        }
    }
    assert_eq!(machine.upload(&[late]).await.acked_seq, 12);

    let alert = eventually("the alert", || async {
        let list: AlertList = plant.admin.get_as("alerts?status=open").await;
        let mut alerts = list.alerts.into_iter();
        alerts.find(|alert| alert.detection == "records-dropped")
    })
    .await;
    assert_eq!(
        (alert.machine_id.as_deref(), alert.severity.as_str()),
        (Some(machine.id.as_str()), "high")
    );
    assert!(
        alert.summary.contains("5 events (4 to 8"),
        "{}",
        alert.summary
    );

    // The proof holds, also where the period ends before the gap event.
    let ledger: LedgerView = plant.admin.get_as("ledger").await;
    for query in ["export".to_owned(), format!("export?to={until}")] {
        let export = plant.admin.get(&query).await.text().await.unwrap();
        let verify =
            |text: &str| verify_export(BufReader::new(text.as_bytes()), Some(&ledger.public_key));
        let report = verify(&export).unwrap();
        assert!(report.machines[&machine.id] >= 11 && report.missing_records == 5);
        let more = export.replacen("\"to\":\"8\"", "\"to\":\"7\"", 1);
        assert_ne!(more, export);
        assert!(matches!(verify(&more), Err(VerifyError::Chain { .. })));
    }
    let list: FrameworkList = plant.admin.get_as("reports/frameworks").await;
    let report: Report = (plant.admin)
        .get_as(&format!("reports/{}", list.frameworks[0].id))
        .await;
    assert!(report.completeness.verified);
    assert_eq!(
        (report.completeness.gaps, report.completeness.missing),
        (1, 5)
    );
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_that_is_not_accounted_for_when_it_should_be_ends_there() {
    let plant = plant().await;
    let mut machine = plant.machine("alice").await;
    let (all, dropped) = ten(&mut machine);
    machine.upload(&all[..3]).await;
    let absent = Absent {
        from: 4,
        to: 8,
        told: Some(11),
    };
    let bytes = machine.batch_after(Some(absent), &all[8..]);
    assert_eq!(
        read::<IngestReply>(machine.send(bytes).await)
            .await
            .acked_seq,
        10
    );
    // The event that was to say so says it of less.
    let before = machine.head;
    let less = Dropped {
        to: 7,
        after: all[6].hash().unwrap(),
        ..dropped.clone()
    };
    let lie = gap(&mut machine, &less);
    let answer = machine.send(machine.batch(&[lie])).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    eventually("the alert", || async {
        let list: AlertList = plant.admin.get_as("alerts?status=open").await;
        let mut alerts = list.alerts.into_iter();
        alerts.find(|alert| alert.detection == "tampered-upload")
    })
    .await;
    machine.head = before;
    let told = gap(&mut machine, &dropped);
    assert_eq!(machine.upload(&[told]).await.acked_seq, 11);
    plant.running.stop().await.unwrap();
}
