//! Storing batches together: while one commit is on its way to the disk, others gather and share
//! the next one. Ten thousand machines with a few events each then cost a few commits a second.

use sqlx::sqlite::SqlitePool;
use tokio::sync::{mpsc, oneshot};

use super::append::Prepared;
use crate::{Append, EventRecord, StoreError};

/// Batches that may wait for the writer.
const WAITING: usize = 256;
/// Events after which a commit takes no more batches.
const GROUP: usize = 5_000;

type Answer = Result<Vec<EventRecord>, StoreError>;

struct Job {
    batch: Prepared,
    answer: oneshot::Sender<Answer>,
}

/// The way to the writer.
#[derive(Clone)]
pub(super) struct Appends(mpsc::Sender<Job>);

/// Starts the writer; it ends when the last way to it is gone.
pub(super) fn start(pool: SqlitePool) -> Appends {
    let (sender, mut receiver) = mpsc::channel::<Job>(WAITING);
    tokio::spawn(async move {
        while let Some(job) = receiver.recv().await {
            let mut events = job.batch.len();
            let mut jobs = vec![job];
            while events < GROUP
                && let Ok(job) = receiver.try_recv()
            {
                events += job.batch.len();
                jobs.push(job);
            }
            store(&pool, jobs).await;
        }
    });
    Appends(sender)
}

impl Appends {
    /// Stores a batch; returns when it is durable.
    pub(super) async fn append(&self, append: Append) -> Answer {
        let Some(batch) = Prepared::new(append)? else {
            return Ok(Vec::new());
        };
        let gone = || StoreError::Engine("the writer has stopped".to_owned());
        let (answer, answered) = oneshot::channel();
        self.0
            .send(Job { batch, answer })
            .await
            .map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// Stores batches in one transaction. A batch that does not fit fails alone; trouble with the
/// engine or the disk fails all, and nothing is stored.
async fn store(pool: &SqlitePool, mut jobs: Vec<Job>) {
    let outcome = write(pool, &mut jobs).await;
    for (place, job) in jobs.into_iter().enumerate() {
        let answer = match &outcome {
            Ok(refused) if refused.contains(&place) => Err(StoreError::Conflict(
                "the machine's chain, or an event's id,",
            )),
            Ok(_) => Ok(job.batch.into_records()),
            Err(StoreError::Full) => Err(StoreError::Full),
            Err(other) => Err(StoreError::Engine(other.to_string())),
        };
        // Whoever asked may have gone; what is stored is stored, and an upload may be repeated.
        let _ = job.answer.send(answer);
    }
}

async fn write(pool: &SqlitePool, jobs: &mut [Job]) -> Result<Vec<usize>, StoreError> {
    let mut refused = Vec::new();
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    for (place, job) in jobs.iter_mut().enumerate() {
        sqlx::raw_sql("SAVEPOINT batch").execute(&mut *tx).await?;
        match job.batch.write(&mut tx).await {
            Ok(()) => {}
            Err(StoreError::Conflict(_)) => {
                sqlx::raw_sql("ROLLBACK TO batch").execute(&mut *tx).await?;
                refused.push(place);
            }
            Err(other) => return Err(other),
        }
        sqlx::raw_sql("RELEASE batch").execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(refused)
}
