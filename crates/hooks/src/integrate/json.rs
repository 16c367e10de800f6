//! Edits to JSON settings that keep everything else as it stands: order, spacing and, where the
//! program reads them, comments.

use std::path::Path;

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstRootNode};
use serde_json::Value;

use super::IntegrateError;

/// What belongs into a JSON file.
#[derive(Debug, Clone)]
pub(super) struct JsonPart {
    /// Keys at the top with their values, put there where they are missing or different.
    pub(super) top: Vec<(&'static str, Value)>,
    /// Keys at the top that only mean something together with what is ours, and go with it.
    pub(super) goes: &'static [&'static str],
    /// Items of lists: the list's keys from the top, and the item.
    pub(super) items: Vec<(Vec<&'static str>, Value)>,
    /// What our items are recognised by.
    pub(super) mark: String,
    /// The program reads comments and trailing commas.
    pub(super) comments: bool,
}

impl JsonPart {
    /// The text with our part in it. The same text where it is complete.
    pub(super) fn put(&self, file: &Path, text: Option<&str>) -> Result<String, IntegrateError> {
        let before = text.filter(|text| !text.trim().is_empty());
        let root = self.parse(file, before.unwrap_or("{}\n"))?;
        let wrong = |why: &str| IntegrateError::content(file, why);
        let top = root
            .object_value_or_create()
            .ok_or_else(|| wrong("it is not an object"))?;
        let mut changed = before.is_none();
        for (key, value) in &self.top {
            match top.get(key) {
                Some(known) if known.to_serde_value().as_ref() == Some(value) => {}
                Some(known) => {
                    known.set_value(input(value));
                    changed = true;
                }
                None => {
                    top.append(key, input(value));
                    changed = true;
                }
            }
        }
        let lists: Vec<&Vec<&str>> = {
            let mut lists: Vec<_> = self.items.iter().map(|(list, _)| list).collect();
            lists.dedup();
            lists
        };
        for list in lists {
            let array =
                list_at(&top, list).ok_or_else(|| wrong("hooks are not where they belong"))?;
            let wanted: Vec<&Value> = self
                .items
                .iter()
                .filter(|(place, _)| place == list)
                .map(|(_, item)| item)
                .collect();
            let ours = self.ours(&array);
            let same = ours.len() == wanted.len()
                && ours
                    .iter()
                    .zip(&wanted)
                    .all(|(node, item)| node.to_serde_value().as_ref() == Some(item));
            if !same {
                ours.into_iter().for_each(CstNode::remove);
                for item in wanted {
                    array.append(input(item));
                }
                changed = true;
            }
        }
        Ok(match (changed, before) {
            (false, Some(text)) => text.to_owned(),
            _ => ended(root.to_string()),
        })
    }

    /// The text without our part; nothing where nothing is left. The same text where nothing of
    /// ours was in it.
    pub(super) fn take(&self, file: &Path, text: &str) -> Result<Option<String>, IntegrateError> {
        if text.trim().is_empty() {
            return Ok(Some(text.to_owned()));
        }
        let root = self.parse(file, text)?;
        let Some(top) = root.object_value() else {
            return Err(IntegrateError::content(file, "it is not an object"));
        };
        let mut removed = false;
        for (list, _) in &self.items {
            let Some(array) = list_there(&top, list) else {
                continue;
            };
            for node in self.ours(&array) {
                node.remove();
                removed = true;
            }
        }
        if !removed {
            return Ok(Some(text.to_owned()));
        }
        for (list, _) in &self.items {
            drop_empty(&top, list);
        }
        for key in self.goes {
            if let Some(known) = top.get(key) {
                known.remove();
            }
        }
        Ok((!top.properties().is_empty()).then(|| root.to_string()))
    }

    /// The same settings, whatever their spacing.
    pub(super) fn same(&self, file: &Path, one: &str, other: Option<&str>) -> bool {
        let value = |text: &str| self.parse(file, text).ok()?.to_serde_value();
        let empty = Value::Object(serde_json::Map::new());
        let one = if one.trim().is_empty() {
            Some(empty.clone())
        } else {
            value(one)
        };
        one.is_some() && one == other.map_or(Some(empty), value)
    }

    fn parse(&self, file: &Path, text: &str) -> Result<CstRootNode, IntegrateError> {
        if !self.comments {
            serde_json::from_str::<serde::de::IgnoredAny>(text)
                .map_err(|error| IntegrateError::content(file, &error.to_string()))?;
        }
        let options = ParseOptions {
            allow_comments: true,
            allow_trailing_commas: true,
            allow_loose_object_property_names: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        CstRootNode::parse(text, &options)
            .map_err(|error| IntegrateError::content(file, &error.to_string()))
    }

    fn ours(&self, array: &CstArray) -> Vec<CstNode> {
        array
            .elements()
            .into_iter()
            .filter(|node| {
                node.to_serde_value()
                    .is_some_and(|value| is_ours(&value, &self.mark))
            })
            .collect()
    }
}

/// True where a text in it calls our hook.
fn is_ours(value: &Value, mark: &str) -> bool {
    match value {
        Value::String(text) => text.contains("cmdai") && text.contains(mark),
        Value::Array(items) => items.iter().any(|item| is_ours(item, mark)),
        Value::Object(fields) => fields.values().any(|item| is_ours(item, mark)),
        _ => false,
    }
}

/// The list with these keys, made where it is missing. Nothing where something else is there.
fn list_at(top: &CstObject, keys: &[&str]) -> Option<CstArray> {
    let (last, folders) = keys.split_last()?;
    let mut object = top.clone();
    for key in folders {
        object = object.object_value_or_create(key)?;
    }
    object.array_value_or_create(last)
}

fn list_there(top: &CstObject, keys: &[&str]) -> Option<CstArray> {
    let (last, folders) = keys.split_last()?;
    let mut object = top.clone();
    for key in folders {
        object = object.object_value(key)?;
    }
    object.array_value(last)
}

/// Takes a list out where it is empty, and the objects around it that are empty then.
fn drop_empty(top: &CstObject, keys: &[&str]) {
    for length in (1..=keys.len()).rev() {
        let Some((last, folders)) = keys.get(..length).and_then(<[_]>::split_last) else {
            return;
        };
        let holder = folders
            .iter()
            .try_fold(top.clone(), |object, key| object.object_value(key));
        let Some(property) = holder.and_then(|object| object.get(last)) else {
            continue;
        };
        let empty = match property.value() {
            Some(value) => {
                value
                    .as_array()
                    .is_some_and(|array| array.elements().is_empty())
                    || value
                        .as_object()
                        .is_some_and(|object| object.properties().is_empty())
            }
            None => false,
        };
        if !empty {
            return;
        }
        property.remove();
    }
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(known) => CstInputValue::Bool(*known),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(fields) => CstInputValue::Object(
            fields
                .iter()
                .map(|(key, value)| (key.clone(), input(value)))
                .collect(),
        ),
    }
}

fn ended(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
