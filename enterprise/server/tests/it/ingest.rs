//! Uploads: stored once, in order, unaltered, or not at all.

use std::time::Duration;

use cmdai_api::console::{
    AlertList, EventPage, Histogram, Machine as MachineView, MachineList, Overview,
};
use cmdai_api::machine::IngestReply;
use cmdai_schema::{Decision, Event, EventType, Payload};
use futures::StreamExt as _;
use reqwest::StatusCode;

use crate::support::{Machine, ca_pem, eventually, plant, plant_with, read, tls};

#[tokio::test(flavor = "multi_thread")]
async fn events_are_found_again_and_counted() {
    let plant = plant().await;
    let mut machine = plant.machine("alice").await;
    let events = vec![
        machine.command("git status", Decision::Allow),
        machine.command("terraform apply -auto-approve", Decision::Allow),
        machine.command("rm -rf / --no-preserve-root", Decision::Deny),
    ];
    assert_eq!(
        machine.upload(&events).await,
        IngestReply {
            acked_seq: 3,
            problem: None
        }
    );

    let rows = |query: &'static str| {
        let admin = &plant.admin;
        async move {
            admin
                .get_as::<EventPage>(&format!("events?q={query}"))
                .await
        }
    };
    let found = rows("terraform").await;
    assert_eq!(
        (found.total, found.rows[0].text.as_str(), found.rows[0].seq),
        (1, "terraform apply -auto-approve", 2)
    );
    assert_eq!(
        rows("APPLY%20raform").await.total,
        1,
        "words are separate conditions"
    );
    assert_eq!(rows("%22APPLY%20raform%22").await.total, 0);
    assert_eq!(
        rows("%22RAFORM%20APP%22").await.total,
        1,
        "any part of the text, whatever its case"
    );
    assert_eq!(rows("user:alice%20decision:deny").await.total, 1);
    assert_eq!(rows("user:alice%20-decision:deny").await.total, 2);
    assert_eq!(rows("program:git").await.total, 1);
    assert_eq!(rows("rule:fs.delete-root").await.total, 1);
    assert_eq!(
        rows("machine:host-alice%20team:platform%20since:1h")
            .await
            .total,
        3
    );
    assert_eq!(rows("user:bob").await.total, 0);
    assert_eq!(
        rows("100%25").await.total,
        0,
        "wildcards of the engine are plain text"
    );
    assert!(rows("colour:red").await.problems[0].contains("not a field"));

    let page: EventPage = plant.admin.get_as("events?q=user:alice&limit=2").await;
    let next: EventPage = plant
        .admin
        .get_as(&format!(
            "events?q=user:alice&limit=2&cursor={}",
            page.cursor.unwrap()
        ))
        .await;
    assert_eq!(
        (page.rows.len(), next.rows.len(), next.cursor),
        (2, 1, None)
    );
    assert!(
        page.rows
            .iter()
            .all(|row| row.event_id != next.rows[0].event_id)
    );

    let full: Event = plant
        .admin
        .get_as(&format!("events/{}", events[1].envelope.event_id))
        .await;
    assert_eq!(full, events[1]);
    let histogram: Histogram = plant
        .admin
        .get_as("events/histogram?q=user:alice&buckets=24")
        .await;
    let denied: u64 = histogram
        .buckets
        .iter()
        .filter_map(|bucket| bucket.counts.get("deny"))
        .sum();
    assert_eq!(denied, 1);
    let overview: Overview = plant.admin.get_as("overview").await;
    assert_eq!(
        (
            overview.commands.now,
            overview.blocked.now,
            overview.machines
        ),
        (3, 1, 1)
    );
    assert_eq!(overview.compliance.now, 6_666);
    assert_eq!(overview.top_rules[0].name, "fs.delete-root");
    // What was read here is itself on record.
    assert!(
        rows("type:admin_action%20user:admin%20searched")
            .await
            .total
            > 3
    );
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_may_be_repeated() {
    let plant = plant().await;
    let mut machine = plant.machine("alice").await;
    let events: Vec<Event> = (0..50)
        .map(|n| machine.command(&format!("echo {n}"), Decision::Allow))
        .collect();
    assert_eq!(machine.upload(&events[..30]).await.acked_seq, 30);
    assert_eq!(machine.upload(&events[..30]).await.acked_seq, 30);
    assert_eq!(machine.upload(&events[10..]).await.acked_seq, 50);
    assert_eq!(machine.upload(&events[40..]).await.acked_seq, 50);
    let page: EventPage = plant.admin.get_as("events?q=user:alice").await;
    assert_eq!(page.total, 50);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_altered_is_refused_and_raises_an_alert() {
    let plant = plant().await;
    let mut machine = plant.machine("alice").await;
    let first = machine.command("ls", Decision::Allow);
    assert_eq!(
        machine.upload(std::slice::from_ref(&first)).await.acked_seq,
        1
    );
    let second = machine.command("curl evil.example", Decision::Allow);
    let third = machine.command("pwd", Decision::Allow);

    let mut altered = second.clone();
    altered.payload.command.as_mut().unwrap().text = "ls".to_owned();
    let mut relinked = second.clone();
    relinked.envelope.prev_hash = cmdai_schema::Hash::of(&[b"other"]);
    for wrong in [
        vec![altered, third.clone()],
        vec![third.clone()],
        vec![relinked],
    ] {
        let answer = machine.send(machine.batch(&wrong)).await;
        assert_eq!(answer.status(), StatusCode::CONFLICT);
        let reply: IngestReply = answer.json().await.unwrap();
        assert_eq!(reply.acked_seq, 1);
        assert!(reply.problem.is_some());
    }
    // A different first event than the stored one: the chain has forked.
    let mut fork = Machine {
        head: (0, cmdai_schema::Hash::default()),
        ..machine
    };
    let other = fork.command("something else", Decision::Allow);
    assert_eq!(
        fork.send(fork.batch(&[other])).await.status(),
        StatusCode::CONFLICT
    );

    let alert = eventually("the alert", || async {
        let list: AlertList = plant.admin.get_as("alerts?status=open").await;
        list.alerts
            .into_iter()
            .find(|alert| alert.detection == "tampered-upload")
    })
    .await;
    assert_eq!(
        (alert.machine_id.as_deref(), alert.severity.as_str()),
        (Some(fork.id.as_str()), "critical")
    );
    // Nothing of it was stored, and the true events still fit.
    assert_eq!(fork.upload(&[second, third]).await.acked_seq, 3);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_speaks_for_itself_only() {
    let plant = plant().await;
    let mut alice = plant.machine("alice").await;
    let bob = plant.machine("bob").await;
    let event = alice.command("ls", Decision::Allow);
    assert_eq!(
        bob.send(alice.batch(std::slice::from_ref(&event)))
            .await
            .status(),
        StatusCode::BAD_REQUEST
    );
    let stranger = tls(&ca_pem(&plant), None);
    let answer = stranger
        .post(alice.url("/v1/ingest"))
        .body(alice.batch(&[event]))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    // A certificate of another authority does not even shake hands.
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::default()
        .self_signed(&key)
        .unwrap();
    let forged = tls(&ca_pem(&plant), Some((&own.pem(), &key)));
    assert!(
        forged
            .post(alice.url("/v1/ingest"))
            .body("")
            .send()
            .await
            .is_err()
    );
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_are_kept() {
    let plant = plant_with(|config| {
        config.machine_rate = 1;
        config.machine_burst = 100;
    })
    .await;
    let mut machine = plant.machine("alice").await;
    let events: Vec<Event> = (0..150)
        .map(|n| machine.command(&format!("echo {n}"), Decision::Allow))
        .collect();
    assert_eq!(machine.upload(&events[..100]).await.acked_seq, 100);
    let busy = machine.send(machine.batch(&events[100..])).await;
    assert_eq!(busy.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(
        busy.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
    let huge = zstd::encode_all(vec![b' '; 32 * 1024 * 1024].as_slice(), 3).unwrap();
    assert_eq!(
        machine.send(huge).await.status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(
        machine.send(b"not zstd".to_vec()).await.status(),
        StatusCode::BAD_REQUEST
    );
    // The server may hang up before such a body is through, and with it the connection.
    let body = machine
        .http
        .post(machine.url("/v1/ingest"))
        .body(vec![0; 5 * 1024 * 1024]);
    assert!(body.send().await.map_or(true, |answer| answer.status()
        == StatusCode::PAYLOAD_TOO_LARGE));
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_critical_command_is_an_alert_and_shows_live() {
    let plant = plant().await;
    let mut machine = plant.machine("alice").await;
    let live = plant.admin.get("live").await;
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    let mut live = live.bytes_stream();
    let event = machine.command("rm -rf /", Decision::Deny);
    machine.upload(std::slice::from_ref(&event)).await;
    let mut text = String::new();
    tokio::time::timeout(Duration::from_secs(10), async {
        while !(text.contains(&event.envelope.event_id) && text.contains("event: alert")) {
            text += &String::from_utf8_lossy(&live.next().await.unwrap().unwrap());
        }
    })
    .await
    .unwrap();
    // Who was away gets what came in between.
    let row: EventPage = plant.admin.get_as("events?q=user:alice").await;
    let again = plant
        .admin
        .request(reqwest::Method::GET, "live")
        .header("last-event-id", (row.rows[0].row - 1).to_string());
    let mut again = again.send().await.unwrap().bytes_stream();
    let first = tokio::time::timeout(Duration::from_secs(10), again.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(String::from_utf8_lossy(&first).contains(&event.envelope.event_id));
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_and_state_show_on_the_machine() {
    let plant = plant().await;
    let mut machine = plant.machine("alice").await;
    let mut payload = Payload::default();
    payload.detail.insert("from".to_owned(), "3".to_owned());
    payload.detail.insert("to".to_owned(), "7".to_owned());
    let gap = machine.seal(EventType::Gap, payload);
    machine.upload(&[gap]).await;
    let view: MachineView = read(plant.admin.get(&format!("machines/{}", machine.id)).await).await;
    assert_eq!(
        (
            view.state.as_str(),
            view.gaps,
            view.acked_seq,
            view.person.as_str()
        ),
        ("active", 1, 1, "alice")
    );
    let list: MachineList = plant.admin.get_as("machines").await;
    assert_eq!(list.machines.len(), 1);
    plant.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_told_and_a_rule_may_quarantine() {
    use std::sync::{Arc, Mutex};
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = Arc::clone(&heard);
    let hook = axum::Router::new().fallback(move |body: String| {
        told.lock().unwrap().push(body);
        async { StatusCode::NO_CONTENT }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let receiver = tokio::spawn(async move { axum::serve(listener, hook).await });

    let plant = plant_with(|config| {
        let text = "alerts:\n  - id: blocked-critical\n    name: \"Blocked\"\n    condition: \"event_type == command_blocked\"\n    severity: high\n    actions: [quarantine]\n";
        std::fs::write(config.data_dir.join("detections.yaml"), text).unwrap();
    })
    .await;
    let channel = serde_json::json!({"id": "chat", "kind": "webhook", "url": url, "min_severity": "high", "secret": "whsec", "enabled": true});
    let put = plant
        .admin
        .request(reqwest::Method::PUT, "channels/chat")
        .header("x-cmdai", "1")
        .json(&channel);
    let kept = put.send().await.unwrap().text().await.unwrap();
    assert!(
        kept.contains("\"secret\":null"),
        "a secret is never given back: {kept}"
    );
    let mut machine = plant.machine("alice").await;
    let event = machine.command("rm -rf /", Decision::Deny);
    machine.upload(&[event]).await;
    eventually("the alert is told", || async {
        let list: AlertList = plant.admin.get_as("alerts").await;
        list.alerts
            .into_iter()
            .find(|alert| alert.notified.is_some())
    })
    .await;
    assert!(heard.lock().unwrap()[0].contains("alice"));
    let deliveries: cmdai_api::console::DeliveryList = plant.admin.get_as("deliveries").await;
    assert_eq!(
        (
            deliveries.deliveries[0].channel.as_str(),
            deliveries.deliveries[0].status
        ),
        ("chat", Some(204))
    );
    let view: MachineView = plant
        .admin
        .get_as(&format!("machines/{}", machine.id))
        .await;
    assert_eq!(view.state, "quarantined");
    plant.running.stop().await.unwrap();
    receiver.abort();
}
