//! A fleet against a small server with real mutual TLS, real releases and real checks of chains.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test by panicking"
)]

mod server;

use std::time::Duration;

use cmdai_schema::{Decision, EventType};
use cmdai_sim::{Faults, Options, Summary};
use server::Server;

async fn run(server: &Server, change: impl FnOnce(&mut Options)) -> Summary {
    let mut options = Options {
        machines: 6,
        server: server.address(),
        token: server.token(),
        rate: 20.0,
        history: Duration::from_secs(12 * 3600),
        commands_per_day: 20,
        checkin: Duration::from_millis(300),
        arrive: Duration::from_millis(200),
        story: false,
        parallel: 8,
        ..Options::default()
    };
    change(&mut options);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let fleet = tokio::spawn(cmdai_sim::run(options, stopped));
    server.until_lived().await;
    stop.send(true).unwrap();
    fleet.await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_lives_and_everything_it_sealed_is_stored_once() {
    let server = Server::start(true).await;
    let summary = run(&server, |_| {}).await;
    assert!(summary.errors.is_empty(), "{:?}", summary.errors);
    assert_eq!(summary.machines, 6);
    assert_eq!(summary.events_produced, summary.acked);
    assert_eq!(summary.events_produced, server.stored());
    assert!(summary.checkins >= 6 && summary.uploads >= 6);
    // Judged by the release that the server published, under its own version.
    let events = server.events();
    let judged: Vec<_> = events
        .iter()
        .filter_map(|event| event.payload.policy_evaluation.as_ref())
        .collect();
    assert!(!judged.is_empty());
    assert!(
        judged
            .iter()
            .all(|policy| policy.policy_version == "3" && policy.policy_id == "acme")
    );
    assert!(
        judged
            .iter()
            .any(|policy| policy.decision == Decision::Allow)
    );
    assert_eq!(
        events
            .iter()
            .filter(|event| event.envelope.event_type == EventType::PolicyUpdated)
            .count(),
        6
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_on_the_way_lose_and_double_nothing() {
    let server = Server::start(true).await;
    let summary = run(&server, |options| {
        options.faults = Faults {
            duplicate: true,
            reorder: true,
        }
    })
    .await;
    assert!(summary.errors.is_empty(), "{:?}", summary.errors);
    assert!(summary.refused >= 6, "{summary:?}");
    assert_eq!(summary.events_produced, server.stored());
    assert_eq!(summary.events_produced, summary.acked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_policy_there_is_no_fleet() {
    let server = Server::start(false).await;
    let options = Options {
        machines: 2,
        server: server.address(),
        token: server.token(),
        ..Options::default()
    };
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let error = cmdai_sim::run(options, stopped).await.unwrap_err();
    assert!(format!("{error:#}").contains("policy"), "{error:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_the_token_does_not_name_is_not_trusted() {
    let server = Server::start(true).await;
    let other = Server::start(true).await;
    let options = Options {
        machines: 1,
        server: server.address(),
        token: other.token(),
        ..Options::default()
    };
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let error = cmdai_sim::run(options, stopped).await.unwrap_err();
    assert!(format!("{error:#}").contains("authority"), "{error:#}");
    assert_eq!(server.stored(), 0);
}
