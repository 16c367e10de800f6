//! Conditions that hold for every row.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};

/// Deepest nesting that is looked at.
const MAX_DEPTH: u32 = 64;

/// True where a condition leaves no row out, as far as that can be told.
pub(super) fn always(condition: &Expr) -> bool {
    truth(condition, 0) == Some(true)
}

fn truth(expr: &Expr, depth: u32) -> Option<bool> {
    if depth > MAX_DEPTH {
        return None;
    }
    let deeper = |expr: &Expr| truth(expr, depth + 1);
    match expr {
        Expr::Nested(inner) => deeper(inner),
        Expr::Value(value) => match &value.value {
            Value::Boolean(value) => Some(*value),
            Value::Number(number, _) => number.parse::<f64>().ok().map(|number| number != 0.0),
            _ => None,
        },
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => deeper(expr).map(|value| !value),
        Expr::IsTrue(inner) | Expr::IsNotFalse(inner) => deeper(inner),
        Expr::IsFalse(inner) | Expr::IsNotTrue(inner) => deeper(inner).map(|value| !value),
        Expr::IsNotNull(inner) => (is_key(inner) || literal(inner).is_some()).then_some(true),
        Expr::Like {
            negated: false,
            pattern,
            ..
        }
        | Expr::ILike {
            negated: false,
            pattern,
            ..
        } => (literal(pattern)? == "%").then_some(true),
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::And => match (deeper(left), deeper(right)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            BinaryOperator::Or => match (deeper(left), deeper(right)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            _ => compare(left, op, right),
        },
        _ => None,
    }
}

fn compare(left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<bool> {
    if let (Some(left), Some(right)) = (literal(left), literal(right)) {
        let order = match (left.parse::<f64>(), right.parse::<f64>()) {
            (Ok(left), Ok(right)) => left.partial_cmp(&right)?,
            _ => left.cmp(right),
        };
        return Some(match op {
            BinaryOperator::Eq => order.is_eq(),
            BinaryOperator::NotEq => order.is_ne(),
            BinaryOperator::Lt => order.is_lt(),
            BinaryOperator::Gt => order.is_gt(),
            BinaryOperator::LtEq => order.is_le(),
            BinaryOperator::GtEq => order.is_ge(),
            _ => return None,
        });
    }
    // `id = id`
    let reflexive = matches!(
        op,
        BinaryOperator::Eq | BinaryOperator::LtEq | BinaryOperator::GtEq
    );
    if reflexive && column(left).is_some() && column(left) == column(right) {
        return Some(true);
    }
    // `id > 0`, which every key is.
    if is_key(left)
        && let Some(bound) = signed(right)
    {
        let every = match op {
            BinaryOperator::Gt => bound <= 0.0,
            BinaryOperator::GtEq => bound <= 1.0,
            BinaryOperator::NotEq => bound <= 0.0,
            _ => false,
        };
        return every.then_some(true);
    }
    None
}

fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => Some(text),
            Value::SingleQuotedString(text)
            | Value::DoubleQuotedString(text)
            | Value::NationalStringLiteral(text)
            | Value::EscapedStringLiteral(text) => Some(text),
            _ => None,
        },
        Expr::Nested(inner) => literal(inner),
        _ => None,
    }
}

fn signed(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => literal(expr)?.parse::<f64>().ok().map(|value| -value),
        _ => literal(expr)?.parse().ok(),
    }
}

fn column(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(name.value.to_ascii_lowercase()),
        Expr::CompoundIdentifier(parts) => Some(
            parts
                .iter()
                .map(|part| part.value.to_ascii_lowercase())
                .collect::<Vec<_>>()
                .join("."),
        ),
        Expr::Nested(inner) => match inner.as_ref() {
            Expr::Nested(_) => None,
            inner => column(inner),
        },
        _ => None,
    }
}

/// A column that numbers the rows, by its name.
fn is_key(expr: &Expr) -> bool {
    column(expr).is_some_and(|name| {
        let name = name.rsplit('.').next().unwrap_or("");
        matches!(name, "id" | "pk" | "uuid" | "rowid" | "_id" | "key")
    })
}
