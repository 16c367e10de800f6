//! The edit to Codex's `requirements.toml`, which keeps everything else as it stands.

use std::path::Path;

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::IntegrateError;

/// One hook: event, tools, command, seconds.
#[derive(Debug, Clone)]
pub(super) struct TomlHook {
    pub(super) event: &'static str,
    pub(super) matcher: Option<&'static str>,
    pub(super) command: String,
    pub(super) timeout: i64,
}

/// What belongs into the file.
#[derive(Debug, Clone)]
pub(super) struct TomlPart {
    pub(super) hooks: Vec<TomlHook>,
    pub(super) folder: String,
    pub(super) mark: String,
}

impl TomlPart {
    /// The text with our part in it. The same text where it is complete.
    pub(super) fn put(&self, file: &Path, text: Option<&str>) -> Result<String, IntegrateError> {
        let mut document = parse(file, text.unwrap_or(""))?;
        let wrong = || IntegrateError::content(file, "hooks are not where they belong");
        let only = keep(&document, "allow_managed_hooks_only", true);
        document.insert("allow_managed_hooks_only", only);
        let features = table(document.as_table_mut(), "features").ok_or_else(wrong)?;
        if features.get("hooks").and_then(Item::as_bool) != Some(true) {
            features.insert("hooks", value(true));
        }
        let hooks = table(document.as_table_mut(), "hooks").ok_or_else(wrong)?;
        if hooks.get("managed_dir").and_then(Item::as_str) != Some(&self.folder) {
            hooks.insert("managed_dir", value(self.folder.as_str()));
        }
        for hook in &self.hooks {
            let groups = hooks
                .entry(hook.event)
                .or_insert(Item::ArrayOfTables(ArrayOfTables::new()))
                .as_array_of_tables_mut()
                .ok_or_else(wrong)?;
            let wanted = group(hook);
            let ours: Vec<_> = groups
                .iter()
                .filter(|group| self.is_ours(group))
                .map(fields)
                .collect();
            if ours != [fields(&wanted)] {
                groups.retain(|group| !self.is_ours(group));
                groups.push(wanted);
            }
        }
        Ok(document.to_string())
    }

    /// The text without our part; nothing where nothing is left.
    pub(super) fn take(&self, file: &Path, text: &str) -> Result<Option<String>, IntegrateError> {
        let mut document = parse(file, text)?;
        let mut removed = false;
        if let Some(hooks) = document.get_mut("hooks").and_then(Item::as_table_mut) {
            for hook in &self.hooks {
                if let Some(groups) = hooks
                    .get_mut(hook.event)
                    .and_then(Item::as_array_of_tables_mut)
                {
                    let count = groups.len();
                    groups.retain(|group| !self.is_ours(group));
                    removed |= groups.len() < count;
                    if groups.is_empty() {
                        hooks.remove(hook.event);
                    }
                }
            }
            if removed {
                hooks.remove("managed_dir");
            }
        }
        if !removed {
            return Ok(Some(text.to_owned()));
        }
        document.remove("allow_managed_hooks_only");
        if let Some(features) = document.get_mut("features").and_then(Item::as_table_mut) {
            features.remove("hooks");
        }
        for name in ["hooks", "features"] {
            let empty = document
                .get(name)
                .and_then(Item::as_table)
                .is_some_and(Table::is_empty);
            if empty {
                document.remove(name);
            }
        }
        Ok((!document.as_table().is_empty()).then(|| document.to_string()))
    }

    /// The same settings, whatever their spacing and comments.
    pub(super) fn same(&self, file: &Path, one: &str, other: Option<&str>) -> bool {
        let plain = |text: &str| {
            let mut document = parse(file, text).ok()?;
            document.sort_values();
            let plain: Vec<String> = document
                .to_string()
                .lines()
                .map(|line| line.split('#').next().unwrap_or("").trim().to_owned())
                // The head of a table that holds nothing but other tables.
                .filter(|line| !matches!(line.as_str(), "" | "[hooks]" | "[features]"))
                .collect();
            Some(plain)
        };
        plain(one).is_some() && plain(one) == plain(other.unwrap_or(""))
    }

    fn is_ours(&self, group: &Table) -> bool {
        commands(group).any(|hook| {
            hook.get("command")
                .and_then(Item::as_str)
                .is_some_and(|text| text.contains("cmdai") && text.contains(&self.mark))
        })
    }
}

fn parse(file: &Path, text: &str) -> Result<DocumentMut, IntegrateError> {
    text.parse()
        .map_err(|error: toml_edit::TomlError| IntegrateError::content(file, error.message()))
}

/// The value that is there, where it says the same.
fn keep(document: &DocumentMut, key: &str, wanted: bool) -> Item {
    match document.get(key) {
        Some(known) if known.as_bool() == Some(wanted) => known.clone(),
        _ => value(wanted),
    }
}

fn table<'a>(holder: &'a mut Table, key: &str) -> Option<&'a mut Table> {
    holder
        .entry(key)
        .or_insert_with(|| Item::Table(Table::new()))
        .as_table_mut()
}

fn commands(group: &Table) -> impl Iterator<Item = &Table> {
    group
        .get("hooks")
        .and_then(Item::as_array_of_tables)
        .into_iter()
        .flatten()
}

/// What a group says, whatever its spacing.
fn fields(group: &Table) -> Vec<String> {
    let plain = |table: &Table| -> Vec<String> {
        let mut found: Vec<String> = table
            .iter()
            .filter_map(|(key, item)| {
                let value = item.as_value()?;
                Some(match value.as_str() {
                    Some(text) => format!("{key}={text}"),
                    None => format!("{key}={}", value.to_string().trim()),
                })
            })
            .collect();
        found.sort();
        found
    };
    let mut found = plain(group);
    for hook in commands(group) {
        found.push("hook".to_owned());
        found.extend(plain(hook));
    }
    found
}

fn group(hook: &TomlHook) -> Table {
    let mut command = Table::new();
    command.insert("type", value("command"));
    command.insert("command", value(hook.command.as_str()));
    command.insert("timeout", value(hook.timeout));
    let mut commands = ArrayOfTables::new();
    commands.push(command);
    let mut group = Table::new();
    if let Some(matcher) = hook.matcher {
        group.insert("matcher", value(matcher));
    }
    group.insert("hooks", Item::ArrayOfTables(commands));
    group
}
