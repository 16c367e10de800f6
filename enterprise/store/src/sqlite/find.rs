//! Searching: a query becomes SQL with bound values.

use sqlx::sqlite::{Sqlite as Engine, SqliteRow};
use sqlx::{QueryBuilder, Row as _};

use super::{Sqlite, int, nat};
use crate::events::{decision_number, decision_word, risk_number, risk_word};
use crate::query::{Clause, Field};
use crate::{Count, Cursor, EventRecord, Page, Search, StoreError};

/// A text with at most so many matches is looked up in the index first; a commoner one is met soon
/// enough by walking back in time.
const RARE: i64 = 20_000;

pub(super) const COLUMNS: &str = "e.row, e.event_id, e.machine_id, e.seq, e.time_ms, e.received_ms, e.event_type, e.hostname, \
     e.user, e.team, e.origin, e.agent, e.session_id, e.text, e.decision, e.risk, e.rule, e.reason, e.exit_code";

/// Where a search begins.
enum Plan {
    /// In the text index, with this pattern.
    Text(String),
    /// At this tag.
    Tag(String),
    /// In the events; the engine picks an index.
    Events,
}

pub(super) fn record(row: &SqliteRow) -> Result<EventRecord, StoreError> {
    Ok(EventRecord {
        row: nat(row.try_get("row")?),
        event_id: row.try_get("event_id")?,
        machine_id: row.try_get("machine_id")?,
        seq: nat(row.try_get("seq")?),
        time_ms: row.try_get("time_ms")?,
        received_ms: row.try_get("received_ms")?,
        event_type: row.try_get("event_type")?,
        hostname: row.try_get("hostname")?,
        user: row.try_get("user")?,
        team: row.try_get("team")?,
        origin: row.try_get("origin")?,
        agent: row.try_get("agent")?,
        session_id: row.try_get("session_id")?,
        text: row.try_get("text")?,
        decision: decision_word(row.try_get("decision")?),
        risk: risk_word(row.try_get("risk")?),
        rule: row.try_get("rule")?,
        reason: row.try_get("reason")?,
        exit_code: row.try_get("exit_code")?,
    })
}

pub(super) async fn search(
    store: &Sqlite,
    search: &Search,
    after: Option<Cursor>,
    limit: u32,
) -> Result<Page, StoreError> {
    let plan = plan(store, search).await?;
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(COLUMNS);
    from(&mut sql, search, &plan);
    if let Some(cursor) = after {
        sql.push(" AND e.time_ms <= ").push_bind(cursor.time_ms);
        sql.push(" AND (e.time_ms, e.row) < (")
            .push_bind(cursor.time_ms)
            .push(", ")
            .push_bind(int(cursor.row))
            .push(")");
    }
    sql.push(match plan {
        Plan::Tag(_) => " ORDER BY t.time_ms DESC, t.row DESC LIMIT ",
        _ => " ORDER BY e.time_ms DESC, e.row DESC LIMIT ",
    });
    sql.push_bind(i64::from(limit) + 1);
    let found = sql.build().fetch_all(&store.read).await?;
    let mut rows = found.iter().map(record).collect::<Result<Vec<_>, _>>()?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|last| Cursor {
        time_ms: last.time_ms,
        row: last.row,
    });
    Ok(Page { rows, next })
}

pub(super) async fn scan(
    store: &Sqlite,
    search: &Search,
    after: Option<Cursor>,
    limit: u32,
) -> Result<Vec<(EventRecord, cmdai_schema::Hash)>, StoreError> {
    let plan = plan(store, search).await?;
    let mut sql = QueryBuilder::new("SELECT e.hash, ");
    sql.push(COLUMNS);
    from(&mut sql, search, &plan);
    if let Some(cursor) = after {
        sql.push(" AND e.time_ms >= ").push_bind(cursor.time_ms);
        sql.push(" AND (e.time_ms, e.row) > (")
            .push_bind(cursor.time_ms)
            .push(", ")
            .push_bind(int(cursor.row))
            .push(")");
    }
    sql.push(match plan {
        Plan::Tag(_) => " ORDER BY t.time_ms, t.row LIMIT ",
        _ => " ORDER BY e.time_ms, e.row LIMIT ",
    });
    sql.push_bind(limit);
    let found = sql.build().fetch_all(&store.read).await?;
    found
        .iter()
        .map(|row| {
            let bytes: Vec<u8> = row.try_get("hash")?;
            Ok((record(row)?, super::hash(&bytes)?))
        })
        .collect()
}

pub(super) async fn count(
    store: &Sqlite,
    search: &Search,
    bound: u32,
) -> Result<Count, StoreError> {
    let plan = plan(store, search).await?;
    let mut sql = QueryBuilder::new("SELECT count(*) FROM (SELECT 1");
    from(&mut sql, search, &plan);
    sql.push(" LIMIT ")
        .push_bind(i64::from(bound) + 1)
        .push(")");
    let total: i64 = sql.build_query_scalar().fetch_one(&store.read).await?;
    Ok(Count {
        total: nat(total.min(i64::from(bound))),
        bounded: total > i64::from(bound),
    })
}

pub(super) async fn histogram(
    store: &Sqlite,
    search: &Search,
    from_ms: i64,
    to_ms: i64,
    width_ms: i64,
) -> Result<Vec<(u32, Option<&'static str>, u64)>, StoreError> {
    const HOUR: i64 = 3_600_000;
    let width_ms = width_ms.max(1);
    let whole_hours = from_ms % HOUR == 0 && to_ms % HOUR == 0 && width_ms % HOUR == 0;
    let wide_open = search.query.clauses.is_empty()
        && search.from_ms.is_none_or(|from| from <= from_ms)
        && search.to_ms.is_none_or(|to| to >= to_ms);
    let mut sql;
    if whole_hours && wide_open {
        sql = QueryBuilder::new("SELECT (hour * 3600000 - ");
        sql.push_bind(from_ms).push(") / ").push_bind(width_ms);
        sql.push(" AS bucket, nullif(decision, -1) AS decision, sum(count) AS count FROM rollup WHERE dimension = 'all' AND hour >= ");
        sql.push_bind(from_ms / HOUR)
            .push(" AND hour < ")
            .push_bind(to_ms / HOUR)
            .push(" GROUP BY 1, 2");
    } else {
        let plan = plan(store, search).await?;
        sql = QueryBuilder::new("SELECT (e.time_ms - ");
        sql.push_bind(from_ms).push(") / ").push_bind(width_ms);
        sql.push(" AS bucket, e.decision AS decision, count(*) AS count");
        from(&mut sql, search, &plan);
        sql.push(" AND e.time_ms >= ")
            .push_bind(from_ms)
            .push(" AND e.time_ms < ")
            .push_bind(to_ms)
            .push(" GROUP BY 1, 2");
    }
    let rows = sql.build().fetch_all(&store.read).await?;
    rows.iter()
        .map(|row| {
            let bucket: i64 = row.try_get("bucket")?;
            Ok((
                u32::try_from(bucket).unwrap_or(0),
                decision_word(row.try_get("decision")?),
                nat(row.try_get("count")?),
            ))
        })
        .collect()
}

/// The text with the wildcards of LIKE made harmless: `_` stands for any one letter, and the exact
/// text is checked again.
fn pattern(text: &str) -> String {
    format!("%{}%", text.replace('%', "_"))
}

async fn plan(store: &Sqlite, search: &Search) -> Result<Plan, StoreError> {
    let longest = search
        .query
        .clauses
        .iter()
        .filter_map(|clause| match clause {
            Clause::Text(text, true) if text.chars().count() >= 3 => Some(text),
            _ => None,
        })
        .max_by_key(|text| text.len());
    if let Some(text) = longest {
        let pattern = pattern(text);
        let met: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT 1 FROM event_text WHERE text LIKE ? LIMIT ?)",
        )
        .bind(&pattern)
        .bind(RARE)
        .fetch_one(&store.read)
        .await?;
        if met < RARE {
            return Ok(Plan::Text(pattern));
        }
    }
    let tag = search.query.clauses.iter().find_map(|clause| match clause {
        Clause::Field(field, values, true) => match values.as_slice() {
            [value] => tag(*field, value),
            _ => None,
        },
        _ => None,
    });
    Ok(tag.map_or(Plan::Events, Plan::Tag))
}

fn tag(field: Field, value: &str) -> Option<String> {
    match field {
        Field::Program => Some(format!("p:{value}")),
        Field::Rule => Some(format!("r:{value}")),
        Field::Agent => Some(format!("a:{value}")),
        _ => None,
    }
}

/// `FROM … WHERE …` of a search; more conditions may follow. CROSS JOIN fixes the order of joins.
fn from(sql: &mut QueryBuilder<Engine>, search: &Search, plan: &Plan) {
    match plan {
        Plan::Text(pattern) => {
            sql.push(" FROM (SELECT rowid AS r FROM event_text WHERE text LIKE ")
                .push_bind(pattern.clone());
            sql.push(") c CROSS JOIN events e ON e.row = c.r WHERE 1");
        }
        Plan::Tag(tag) => {
            sql.push(" FROM event_tag t CROSS JOIN events e ON e.row = t.row WHERE t.tag = ")
                .push_bind(tag.clone());
        }
        Plan::Events => {
            sql.push(" FROM events e WHERE 1");
        }
    }
    if let Some(from) = search.from_ms {
        sql.push(" AND e.time_ms >= ").push_bind(from);
    }
    if let Some(to) = search.to_ms {
        sql.push(" AND e.time_ms < ").push_bind(to);
    }
    for clause in &search.query.clauses {
        condition(sql, clause);
    }
}

fn condition(sql: &mut QueryBuilder<Engine>, clause: &Clause) {
    match clause {
        Clause::Text(text, wanted) => {
            sql.push(" AND instr(lower(e.text), lower(")
                .push_bind(text.clone());
            sql.push(if *wanted { ")) > 0" } else { ")) = 0" });
        }
        Clause::Field(field, values, wanted) => {
            let column = match field {
                Field::User => "e.user",
                Field::Decision => "e.decision",
                Field::Risk => "e.risk",
                Field::Type => "e.event_type",
                Field::Origin => "e.origin",
                Field::Session => "e.session_id",
                Field::Team => "e.team",
                Field::Machine => {
                    sql.push(if *wanted {
                        " AND e.machine_id IN ("
                    } else {
                        " AND e.machine_id NOT IN ("
                    });
                    sql.push("SELECT machine_id FROM chains WHERE ");
                    among(sql, "machine_id", values);
                    sql.push(" OR ");
                    among(sql, "hostname", values);
                    sql.push(")");
                    return;
                }
                Field::Program | Field::Rule | Field::Agent => {
                    let tags: Vec<String> = values
                        .iter()
                        .filter_map(|value| tag(*field, value))
                        .collect();
                    sql.push(if *wanted {
                        " AND e.row IN ("
                    } else {
                        " AND e.row NOT IN ("
                    });
                    sql.push("SELECT row FROM event_tag WHERE ");
                    among(sql, "tag", &tags);
                    sql.push(")");
                    return;
                }
            };
            sql.push(if *wanted {
                " AND ("
            } else {
                " AND NOT coalesce("
            });
            match field {
                Field::Decision => among_numbers(
                    sql,
                    column,
                    values.iter().filter_map(|value| decision_number(value)),
                ),
                Field::Risk => among_numbers(
                    sql,
                    column,
                    values.iter().filter_map(|value| risk_number(value)),
                ),
                _ => among(sql, column, values),
            }
            sql.push(if *wanted { ")" } else { ", 0)" });
        }
    }
}

fn among(sql: &mut QueryBuilder<Engine>, column: &str, values: &[String]) {
    sql.push(column).push(" IN (");
    let mut list = sql.separated(", ");
    for value in values {
        list.push_bind(value.clone());
    }
    sql.push(")");
}

fn among_numbers(sql: &mut QueryBuilder<Engine>, column: &str, values: impl Iterator<Item = i64>) {
    sql.push(column).push(" IN (");
    let mut list = sql.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    sql.push(")");
}
