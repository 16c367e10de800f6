//! Object mappers and clients of databases: rows that are deleted by a method, not by SQL.
//!
//! A query is followed from where it begins (`User.objects`, `User.where(…)`, `DB::table('users')`) to
//! the method that deletes, with whether something picked a part of the rows on the way.

use cmdai_schema::{Certainty, EffectKind};

use super::{
    run::{Args, Run},
    tree::Language,
    value::Value,
};

/// All rows of a query, and those that something picked.
const ALL: &str = "Rows";
const SOME: &str = "SomeRows";

/// Methods that pick rows.
const PICKS: &[&str] = &[
    "eq",
    "exclude",
    "filter",
    "filter_by",
    "find",
    "find_by",
    "first",
    "get",
    "gt",
    "in_",
    "last",
    "limit",
    "lt",
    "not",
    "match",
    "offset",
    "pick",
    "slice",
    "take",
    "where",
    "whereIn",
];
/// Methods that say by their names alone that rows go.
const DELETES: &[&str] = &[
    "clearObjects",
    "deleteAll",
    "deleteMany",
    "delete_all",
    "delete_many",
    "destroy_all",
    "remove_all",
    "truncate_table",
    "truncate_tables",
];
/// Methods that say by their names alone that a table, an index or a database goes, with what it is.
const DROPS: &[(&str, &str)] = &[
    ("deleteIndex", "search-index"),
    ("dropAllTables", "table"),
    ("dropCollection", "collection"),
    ("dropDatabase", "database"),
    ("dropSchema", "schema"),
    ("dropTable", "table"),
    ("dropTableIfExists", "table"),
    ("drop_all", "table"),
    ("drop_collection", "collection"),
    ("drop_database", "database"),
    ("drop_table", "table"),
    ("drop_tables", "table"),
    ("flushAll", "data"),
    ("flushall", "data"),
    ("flushdb", "data"),
];

impl Run<'_, '_> {
    /// A call that begins, narrows or ends a query; nothing where it is none.
    pub(super) fn mapper(&mut self, name: &str, of: Option<&Value>, args: &Args) -> Option<Value> {
        let (path, last) = name.rsplit_once('.').unwrap_or(("", name));
        let query = match of {
            Some(Value::Object(object)) if matches!(object.class.as_str(), ALL | SOME) => {
                Some((object.class == SOME, object.values.first().cloned()))
            }
            _ => None,
        };
        let first = args.given.first();
        let table = || match &query {
            Some((_, Some(table))) => table.known_text().unwrap_or("").to_owned(),
            _ => path
                .trim_end_matches(".objects")
                .trim_end_matches(".query")
                .rsplit('.')
                .next()
                .unwrap_or("")
                .to_owned(),
        };
        let picked = query.as_ref().is_some_and(|(picked, _)| *picked);
        if let Ok(at) = DROPS.binary_search_by(|(known, _)| (*known).cmp(last)) {
            let kind = DROPS.get(at).map_or("table", |(_, kind)| kind);
            let named = first.and_then(Value::known_text).unwrap_or("all");
            self.rows_go(kind, named, false);
            return Some(Value::Unknown(None));
        }
        if DELETES.contains(&last) {
            let part = picked || first.is_some_and(picks_part);
            self.rows_go("rows", &table(), part);
            return Some(Value::Unknown(None));
        }
        let model = path.starts_with(|c: char| c.is_uppercase()) && !path.contains('.');
        match (self.language, last) {
            // `User.objects.all()`, `session.query(User)`, `User.query.filter_by(…)`
            (Language::Python, _) if path.ends_with(".objects") || path.ends_with(".query") => {
                if last == "delete" {
                    self.rows_go("rows", &table(), false);
                    return Some(Value::Unknown(None));
                }
                Some(rows(&table(), PICKS.contains(&last)))
            }
            (Language::Python, "query") if first.is_some() => {
                let named = match first {
                    Some(Value::Name(name)) => name.rsplit('.').next().unwrap_or("").to_owned(),
                    _ => String::new(),
                };
                Some(rows(&named, false))
            }
            (Language::Ruby, "where" | "all" | "in_batches" | "unscoped" | "order" | "joins")
                if model =>
            {
                Some(rows(path, last == "where"))
            }
            (Language::Php, "truncate") if model && first.is_none() => {
                self.rows_go("rows", path, false);
                Some(Value::Unknown(None))
            }
            (Language::Php, "query" | "where" | "whereIn" | "newQuery" | "withTrashed")
                if path.starts_with(|c: char| c.is_uppercase() || c == '\\') =>
            {
                Some(rows(path, last.starts_with("where")))
            }
            (Language::Php, "table") | (Language::JavaScript, "knex" | "collection") => {
                Some(rows(first.and_then(Value::known_text).unwrap_or(""), false))
            }
            // Sequelize
            (Language::JavaScript, "destroy")
                if args.option("truncate").is_some() || args.option("where").is_some() =>
            {
                let all = args.option("truncate").and_then(Value::truth) == Some(true)
                    || args.option("where").is_some_and(|what| !picks_part(what));
                self.rows_go("rows", &table(), !all);
                Some(Value::Unknown(None))
            }
            (Language::JavaScript, "sync")
                if args.option("force").and_then(Value::truth) == Some(true) =>
            {
                self.rows_go("table", "all", false);
                Some(Value::Unknown(None))
            }
            (_, "delete" | "del" | "truncate" | "drop" | "forceDelete" | "clear" | "destroy")
                if query.is_some() =>
            {
                let kind = if last == "drop" { "collection" } else { "rows" };
                self.rows_go(kind, &table(), picked);
                Some(Value::Unknown(None))
            }
            _ if query.is_some() => Some(rows(&table(), picked || PICKS.contains(&last))),
            _ => None,
        }
    }

    /// Rows, or what holds them, are gone; only a part where something picked one.
    fn rows_go(&mut self, resource: &str, name: &str, part: bool) {
        let (resource, name, provider) =
            (resource.to_owned(), name.to_owned(), "database".to_owned());
        let context = None;
        let kind = if part {
            EffectKind::ResourceChange {
                resource,
                name,
                provider,
                context,
            }
        } else {
            EffectKind::ResourceDestroy {
                resource,
                name,
                provider,
                context,
            }
        };
        self.an.emit(kind, self.span, Certainty::Likely);
    }
}

fn rows(table: &str, picked: bool) -> Value {
    Value::object(if picked { SOME } else { ALL }, vec![Value::text(table)])
}

/// `{}` and `{where: {}}` pick nothing.
fn picks_part(what: &Value) -> bool {
    match what {
        Value::Map(all) => all.iter().any(|(name, value)| {
            name != "where" || !matches!(value, Value::Map(inner) if inner.is_empty())
        }),
        Value::Nothing => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_sorted() {
        assert!(DROPS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
