//! The stories, on the embedded engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

use cmdai_schema::Decision;
use cmdai_store::sqlite::Sqlite;
use cmdai_store::{EventStore as _, Head, StoreError, stories};

async fn store() -> (Sqlite, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (
        Sqlite::open(&folder.path().join("cmdai.db")).await.unwrap(),
        folder,
    )
}

macro_rules! run {
    ($($story:ident)*) => {$(
        #[tokio::test]
        async fn $story() {
            let (store, _folder) = store().await;
            stories::$story(&store).await.unwrap();
        }
    )*};
}

run! {
    events_are_stored_once_and_in_order
    searches_find_what_fits
    counts_agree_with_events
    accounts_come_and_go
    machines_enrol_and_obey
    requests_are_decided_once
    second_factors_count_once
    alerts_channels_and_releases
}

#[tokio::test]
async fn what_was_stored_is_there_after_opening_again() {
    let (store, folder) = store().await;
    store
        .append(stories::chain("m-1", Head::default(), &[("ls", Decision::Allow, 0)]).unwrap())
        .await
        .unwrap();
    let head = store.head("m-1").await.unwrap();
    store.close().await;
    let again = Sqlite::open(&folder.path().join("cmdai.db")).await.unwrap();
    assert_eq!(
        (
            again.head("m-1").await.unwrap(),
            again.size().await.unwrap()
        ),
        (head, 1)
    );
}

#[tokio::test]
async fn a_full_disk_stores_nothing_and_says_so() {
    let (store, folder) = store().await;
    store.close().await;
    let path = folder.path().join("cmdai.db");
    let bounded = Sqlite::open_bounded(&path, 160).await.unwrap();
    let long = "x".repeat(4_000);
    let commands: Vec<(&str, Decision, i64)> = (0..500)
        .map(|n| (long.as_str(), Decision::Allow, n))
        .collect();
    let append = stories::chain("m-1", Head::default(), &commands).unwrap();
    assert!(matches!(
        bounded.append(append).await,
        Err(StoreError::Full)
    ));
    assert_eq!(
        (
            bounded.size().await.unwrap(),
            bounded.head("m-1").await.unwrap()
        ),
        (0, Head::default())
    );
    bounded
        .append(stories::chain("m-1", Head::default(), &[("ls", Decision::Allow, 0)]).unwrap())
        .await
        .unwrap();
    assert_eq!(bounded.size().await.unwrap(), 1);
}

#[tokio::test]
async fn machines_renew_and_end() {
    let (store, _folder) = store().await;
    stories::machines_renew_and_end(&store).await.unwrap();
}

#[tokio::test]
async fn data_of_a_newer_version_are_left_alone() {
    let (store, folder) = store().await;
    store.set_schema_version(99).await.unwrap();
    store.close().await;
    let error = Sqlite::open(&folder.path().join("cmdai.db"))
        .await
        .err()
        .unwrap();
    assert!(
        matches!(error, StoreError::TooNew { found: 99, .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_machines_at_once_are_stored_whole() {
    let (store, _folder) = store().await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..60 {
        let store = store.clone();
        tasks.spawn(async move {
            let machine = format!("m-{n}");
            let append = stories::chain(
                &machine,
                Head::default(),
                &[("ls", Decision::Allow, n), ("pwd", Decision::Allow, n)],
            )
            .unwrap();
            let (one, two) = tokio::join!(store.append(append.clone()), store.append(append));
            // The same batch twice at once: one is stored, the other refused.
            assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(store.size().await.unwrap(), 120);
    let rows = store.rows_after(0, 1_000).await.unwrap();
    assert!(
        rows.iter()
            .zip(1..)
            .all(|(row, expected)| row.row == expected)
    );
}
