//! Searching events. Every read is an event itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use cmdai_api::console::{EventPage, Histogram, HistogramBucket};
use cmdai_store::{Cursor, Search, query};
use serde_json::value::RawValue;

use super::convert::event_row;
use crate::app::App;
use crate::body::Parameters;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::trail::{self, Entry};

/// Matches are counted up to here.
const BOUND: u32 = 10_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The search that the parameters `q`, `from` and `to` ask for.
pub(super) fn search_of(parameters: &Parameters) -> Answer<Search> {
    let query = query::parse(parameters.text("q").unwrap_or(""));
    let since_ms = query
        .since_ms
        .map(|since| clock::now_ms().saturating_sub(i64::try_from(since).unwrap_or(i64::MAX)));
    let from_ms = parameters.moment("from")?.max(since_ms);
    Ok(Search {
        query,
        from_ms,
        to_ms: parameters.moment("to")?,
    })
}

fn cursor(text: &str) -> Option<Cursor> {
    let (time_ms, row) = text.split_once('.')?;
    Some(Cursor {
        time_ms: time_ms.parse().ok()?,
        row: row.parse().ok()?,
    })
}

pub(super) async fn search(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Answer<Json<EventPage>> {
    let search = search_of(&parameters)?;
    let limit = parameters.number("limit", 1..=500, 100)?;
    let after = match parameters.text("cursor") {
        Some(text) => Some(
            cursor(text).ok_or_else(|| Failure::invalid("the cursor is not one of this server"))?,
        ),
        None => None,
    };
    let page = app.store.search(&search, after, limit).await?;
    let count = app.store.count(&search, BOUND).await?;
    // After looking, so that a search does not find itself; before answering, so that none goes unrecorded.
    let asked = parameters.text("q").unwrap_or("");
    let entry = Entry::action("events.search", format!("{} searched events", caller.login))
        .with("query", asked);
    trail::record_read(&app, &caller, entry).await?;
    Ok(Json(EventPage {
        rows: page.rows.into_iter().map(event_row).collect(),
        cursor: page
            .next
            .map(|next| format!("{}.{}", next.time_ms, next.row)),
        total: count.total,
        total_is_bound: count.bounded,
        problems: search.query.problems,
    }))
}

pub(super) async fn histogram(
    State(app): State<Arc<App>>,
    parameters: Parameters,
) -> Answer<Json<Histogram>> {
    let search = search_of(&parameters)?;
    let buckets = parameters.number("buckets", 1..=200, 48)?;
    let to_ms = search.to_ms.unwrap_or_else(|| clock::now_ms() + 1);
    let from_ms = search
        .from_ms
        .unwrap_or_else(|| to_ms.saturating_sub(DAY_MS));
    if from_ms >= to_ms {
        return Err(Failure::invalid("`from` lies after `to`"));
    }
    let (from_ms, to_ms, width_ms) = aligned(from_ms, to_ms, i64::from(buckets));
    let mut list: Vec<HistogramBucket> = Vec::new();
    let mut at = from_ms;
    while at < to_ms {
        list.push(HistogramBucket {
            from: clock::rfc3339(at),
            counts: BTreeMap::new(),
        });
        at = at.saturating_add(width_ms);
    }
    for (bucket, decision, count) in app
        .store
        .histogram(&search, from_ms, to_ms, width_ms)
        .await?
    {
        if let Some(bucket) = list.get_mut(bucket as usize) {
            *bucket
                .counts
                .entry(decision.unwrap_or("none").to_owned())
                .or_insert(0) += count;
        }
    }
    Ok(Json(Histogram { buckets: list }))
}

/// Long spans fall on whole hours, so that the roll-up tables can answer.
fn aligned(from_ms: i64, to_ms: i64, buckets: i64) -> (i64, i64, i64) {
    const HOUR: i64 = 3_600_000;
    let width = ((to_ms - from_ms) / buckets).max(1);
    if width < HOUR {
        return (
            from_ms,
            to_ms,
            width + i64::from((to_ms - from_ms) % buckets != 0),
        );
    }
    let width = (width + HOUR - 1) / HOUR * HOUR;
    let from = from_ms.div_euclid(HOUR) * HOUR;
    let to = (to_ms + HOUR - 1).div_euclid(HOUR) * HOUR;
    (from, to, width)
}

pub(super) async fn event(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer<Json<Box<RawValue>>> {
    let json = app
        .store
        .event(&id)
        .await?
        .ok_or_else(|| Failure::not_found("event"))?;
    trail::record_read(
        &app,
        &caller,
        Entry::action(
            "events.read",
            format!("{} read the event {id}", caller.login),
        )
        .with("event", &id),
    )
    .await?;
    RawValue::from_string(json)
        .map(Json)
        .map_err(|error| Failure::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_the_span_and_long_ones_fall_on_hours() {
        let (from, to, width) = aligned(5, 105, 10);
        assert_eq!((from, to, width), (5, 105, 10));
        let (from, to, width) = aligned(0, 103, 10);
        assert!(from + width * 10 >= to);
        let (from, to, width) = aligned(1, 48 * 3_600_000 + 1, 24);
        assert_eq!((from, width % 3_600_000), (0, 0));
        assert!(to > 48 * 3_600_000 && to % 3_600_000 == 0);
    }

    #[test]
    fn cursors_round_trip() {
        assert_eq!(
            cursor("12.34"),
            Some(Cursor {
                time_ms: 12,
                row: 34
            })
        );
        assert_eq!(cursor("x"), None);
    }
}
