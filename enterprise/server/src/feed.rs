//! What is told to those who watch live.

use std::sync::Arc;

use cmdai_api::console::{Alert, Approval};
use tokio::sync::{broadcast, watch};

/// Something besides events.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// An alert is new or has changed.
    Alert(Arc<Alert>),
    /// A request for approval is new or has changed.
    Approval(Arc<Approval>),
}

/// The feed: events by their rows (read from the store, so that nobody misses one), the rest as it
/// comes.
#[derive(Debug)]
pub(crate) struct Feed {
    row: watch::Sender<u64>,
    news: broadcast::Sender<News>,
}

impl Feed {
    pub(crate) fn new(row: u64) -> Self {
        Self {
            row: watch::Sender::new(row),
            news: broadcast::Sender::new(1_024),
        }
    }

    /// Events are stored up to this row.
    pub(crate) fn stored(&self, row: u64) {
        self.row.send_if_modified(|last| {
            let later = row > *last;
            *last = row.max(*last);
            later
        });
    }

    /// Last row stored.
    pub(crate) fn row(&self) -> u64 {
        *self.row.borrow()
    }

    pub(crate) fn rows(&self) -> watch::Receiver<u64> {
        self.row.subscribe()
    }

    pub(crate) fn tell(&self, news: News) {
        // Nobody may be watching; that is no error.
        let _ = self.news.send(news);
    }

    pub(crate) fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }
}
