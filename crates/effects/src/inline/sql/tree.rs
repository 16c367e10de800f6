//! Statements parsed by the grammar of their dialect.
//!
//! The parser runs inside the person's shell, so nothing that it does may overflow the stack: it is
//! given short statements without deep brackets only, and a limit of recursion of its own. Long
//! chains of operators make deep trees too, which is why the number of tokens is bounded.

use sqlparser::{
    ast::{
        AlterTableOperation, FromTable, MergeAction, ObjectName, Query, SetExpr, Statement,
        TableFactor, TableWithJoins,
    },
    dialect::{
        BigQueryDialect, ClickHouseDialect, DatabricksDialect, Dialect, DuckDbDialect,
        GenericDialect, HiveDialect, MsSqlDialect, MySqlDialect, OracleDialect, PostgreSqlDialect,
        SQLiteDialect, SnowflakeDialect,
    },
    parser::{Parser, ParserOptions},
    tokenizer::Tokenizer,
};

use super::{Finding, Language, condition};

/// Longest statement, in bytes and in tokens.
const MAX_BYTES: usize = 8 * 1024;
const MAX_TOKENS: usize = 800;
/// Deepest brackets.
const MAX_BRACKETS: u32 = 12;
/// The parser's own limit.
const RECURSION: usize = 24;

fn dialect(language: Language) -> &'static dyn Dialect {
    match language {
        Language::Postgres => &PostgreSqlDialect {},
        Language::MySql => &MySqlDialect {},
        Language::Sqlite => &SQLiteDialect {},
        Language::DuckDb => &DuckDbDialect {},
        Language::TSql => &MsSqlDialect {},
        Language::Oracle => &OracleDialect {},
        Language::BigQuery => &BigQueryDialect {},
        Language::ClickHouse => &ClickHouseDialect {},
        Language::Snowflake => &SnowflakeDialect {},
        Language::Hive => &HiveDialect {},
        Language::Databricks => &DatabricksDialect {},
        Language::Cql | Language::Other => &GenericDialect {},
    }
}

/// No deeper than the parser may go.
fn shallow(text: &str) -> bool {
    let mut depth = 0u32;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > MAX_BRACKETS {
                    return false;
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

fn parse(text: &str, language: Language) -> Option<Statement> {
    if text.len() > MAX_BYTES || !shallow(text) {
        return None;
    }
    let dialect = dialect(language);
    let tokens = Tokenizer::new(dialect, text).tokenize().ok()?;
    if tokens.len() > MAX_TOKENS * 2 {
        return None;
    }
    let mut parser = Parser::new(dialect)
        .with_options(ParserOptions::new())
        .with_recursion_limit(RECURSION)
        .with_tokens(tokens);
    let statement = parser.parse_statement().ok()?;
    // What follows would not have been read.
    (parser.peek_token().token == sqlparser::tokenizer::Token::EOF).then_some(statement)
}

/// What a statement does; nothing where the grammar does not take it.
pub(super) fn read(text: &str, tokens: usize, language: Language) -> Option<Vec<Finding>> {
    if tokens > MAX_TOKENS {
        return None;
    }
    let statement = parse(text, language)?;
    let mut found = Vec::new();
    look(&statement, &mut found).then_some(found)
}

/// Whether an `ALTER TABLE` loses a column; nothing where the grammar does not take it.
pub(super) fn drops_column(text: &str, language: Language) -> Option<bool> {
    match parse(text, language)? {
        Statement::AlterTable(alter) => Some(
            alter
                .operations
                .iter()
                .any(|operation| matches!(operation, AlterTableOperation::DropColumn { .. })),
        ),
        _ => None,
    }
}

/// False for a statement of another kind than was asked for.
fn look(statement: &Statement, found: &mut Vec<Finding>) -> bool {
    match statement {
        Statement::Delete(delete) => {
            let tables = match &delete.from {
                FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables) => tables,
            };
            let name = delete
                .tables
                .first()
                .map(shown)
                .or_else(|| tables.first().and_then(table))
                .unwrap_or_default();
            // A join without a condition on the rows still picks some.
            let joined = tables.iter().any(|table| !table.joins.is_empty());
            let whole = match &delete.selection {
                Some(selection) => condition::always(selection),
                None => !joined,
            };
            found.push(if whole && delete.limit.is_none() {
                Finding::destroy("rows", name)
            } else {
                Finding::change("rows", name)
            });
        }
        Statement::Update(update) => {
            let name = table(&update.table).unwrap_or_default();
            let joined = !update.table.joins.is_empty();
            let whole = match &update.selection {
                Some(selection) => condition::always(selection),
                None => !joined,
            };
            found.push(if whole && update.limit.is_none() {
                Finding::destroy("every-rows-value", name)
            } else {
                Finding::change("rows", name)
            });
        }
        Statement::Insert(insert) => {
            let name = match &insert.table {
                sqlparser::ast::TableObject::TableName(name) => shown(name),
                _ => String::new(),
            };
            found.push(if insert.overwrite {
                Finding::destroy("rows", name)
            } else {
                Finding::change("table", name)
            });
            if let Some(source) = &insert.source {
                query(source, found);
            }
        }
        Statement::Merge(merge) => {
            let name = match &merge.table {
                TableFactor::Table { name, .. } => shown(name),
                _ => String::new(),
            };
            // Rows that the source does not have are deleted without being looked at.
            let deletes = merge.clauses.iter().any(|clause| {
                matches!(clause.action, MergeAction::Delete { .. })
                    && clause.predicate.is_none()
                    && matches!(
                        clause.clause_kind,
                        sqlparser::ast::MergeClauseKind::NotMatchedBySource
                    )
            });
            found.push(if deletes {
                Finding::destroy("rows", name)
            } else {
                Finding::change("rows", name)
            });
        }
        Statement::Query(inner) => query(inner, found),
        _ => return false,
    }
    true
}

/// Statements inside a query: `WITH gone AS (DELETE …) SELECT …`.
fn query(outer: &Query, found: &mut Vec<Finding>) {
    for part in outer.with.iter().flat_map(|with| &with.cte_tables) {
        query(&part.query, found);
    }
    body(&outer.body, found, 0);
}

fn body(set: &SetExpr, found: &mut Vec<Finding>, depth: u32) {
    match set {
        SetExpr::Query(inner) => query(inner, found),
        SetExpr::SetOperation { left, right, .. } if depth < 1_000 => {
            body(left, found, depth + 1);
            body(right, found, depth + 1);
        }
        SetExpr::Insert(statement)
        | SetExpr::Update(statement)
        | SetExpr::Delete(statement)
        | SetExpr::Merge(statement) => {
            look(statement, found);
        }
        _ => {}
    }
}

fn table(table: &TableWithJoins) -> Option<String> {
    match &table.relation {
        TableFactor::Table { name, alias, .. } => {
            let name = shown(name);
            match alias {
                // `DELETE FROM ONLY t`, which the grammar takes for a table `ONLY` called `t`.
                Some(alias) if name.eq_ignore_ascii_case("only") => Some(alias.name.value.clone()),
                _ => Some(name),
            }
        }
        _ => None,
    }
}

/// A name without its quotes.
fn shown(name: &ObjectName) -> String {
    let mut out = String::new();
    for part in &name.0 {
        if !out.is_empty() {
            out.push('.');
        }
        match part.as_ident() {
            Some(part) => out.push_str(&part.value),
            None => out.push('?'),
        }
    }
    out
}
