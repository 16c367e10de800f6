//! Long lists that the tables point into by number, as `src/pool.rs` reads them.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
};

use super::Outcome;

/// Everything that the tables hold.
#[derive(Default)]
pub(crate) struct Pools {
    texts: String,
    words: HashMap<String, usize>,
    /// By type: its items.
    lists: BTreeMap<&'static str, Vec<String>>,
    /// Lists that stand there already, by type and items.
    known: HashMap<(&'static str, Vec<String>), usize>,
}

impl Pools {
    /// A text, as source.
    pub(crate) fn word(&mut self, text: &str) -> Outcome<String> {
        let at = match self.words.get(text) {
            Some(at) => *at,
            None => {
                let at = self.texts.find(text).unwrap_or_else(|| {
                    let at = self.texts.len();
                    self.texts.push_str(text);
                    at
                });
                self.words.insert(text.to_owned(), at);
                at
            }
        };
        Ok(format!(
            "Word::at({}, {})",
            u32::try_from(at)?,
            u16::try_from(text.len())?
        ))
    }

    /// A list of items of one type, all as source.
    pub(crate) fn list(&mut self, of: &'static str, items: Vec<String>) -> Outcome<String> {
        let len = u16::try_from(items.len())?;
        let all = self.lists.entry(of).or_default();
        let at = if items.is_empty() {
            0
        } else if let Some(at) = self.known.get(&(of, items.clone())) {
            *at
        } else {
            let at = all.len();
            all.extend(items.iter().cloned());
            self.known.insert((of, items), at);
            at
        };
        Ok(format!("List::at({}, {len})", u32::try_from(at)?))
    }

    pub(crate) fn words<'t>(
        &mut self,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Outcome<String> {
        let items = texts
            .into_iter()
            .map(|text| self.word(text))
            .collect::<Outcome<Vec<_>>>()?;
        self.list("Word", items)
    }

    /// Writes the pools behind the tables.
    pub(crate) fn write(&self, out: &mut String) -> Outcome<()> {
        writeln!(
            out,
            "/// Every text of the tables.\npub(crate) static TEXTS: &str = {:?};",
            self.texts
        )?;
        for (of, items) in &self.lists {
            writeln!(
                out,
                "impl Pooled for {of} {{ const ALL: &'static [Self] = {{ static ALL: [{of}; {}] = [{}]; &ALL }}; }}",
                items.len(),
                items.join(",")
            )?;
        }
        Ok(())
    }
}
