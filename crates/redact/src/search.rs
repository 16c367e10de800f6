//! Many short texts looked for at once, in any case of letters.
//!
//! An automaton would find them too, but building it takes longer than most programs' whole start. Here
//! a text can only begin where two bytes say so, by a table of a thousand bits; the few places that
//! remain are compared.

/// Texts with what each of them means.
pub(crate) struct Search<T> {
    /// Sorted by first byte in lower case.
    texts: Vec<(&'static [u8], T)>,
    /// Where the texts of each first byte begin.
    begin: [u16; 257],
    /// By the low five bits of the first byte: which low five bits may follow.
    pairs: [u32; 32],
}

impl<T: Copy> Search<T> {
    /// Empty texts are left out.
    pub(crate) fn new(texts: impl Iterator<Item = (&'static str, T)>) -> Self {
        let first = |text: &[u8]| text.first().map_or(0, u8::to_ascii_lowercase);
        let mut texts: Vec<(&'static [u8], T)> = texts
            .map(|(text, means)| (text.as_bytes(), means))
            .filter(|(text, _)| !text.is_empty())
            .collect();
        texts.sort_by_key(|(text, _)| first(text));
        let mut begin = [0; 257];
        for (byte, place) in begin.iter_mut().enumerate() {
            let before = texts.partition_point(|(text, _)| usize::from(first(text)) < byte);
            *place = u16::try_from(before).unwrap_or(u16::MAX);
        }
        let mut pairs = [0; 32];
        for (text, _) in &texts {
            if let Some(row) = pairs.get_mut(low(first(text))) {
                // One byte alone: anything may follow.
                *row |= text.get(1).map_or(u32::MAX, |next| 1 << low(*next));
            }
        }
        Self {
            texts,
            begin,
            pairs,
        }
    }

    /// Every place where one of the texts stands, from its start to its end, by the end; of several
    /// with one end the longest first.
    pub(crate) fn all(&self, inside: &[u8]) -> Vec<(usize, usize, T)> {
        let mut found = Vec::new();
        for (at, byte) in inside.iter().enumerate() {
            let row = self.pairs.get(low(*byte)).copied().unwrap_or_default();
            let next = inside.get(at + 1).copied().unwrap_or_default();
            if row & 1 << low(next) == 0 {
                continue;
            }
            let rest = inside.get(at..).unwrap_or_default();
            for (text, means) in self.beginning_with(byte.to_ascii_lowercase()) {
                if rest
                    .get(..text.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(text))
                {
                    found.push((at, at + text.len(), *means));
                }
            }
        }
        found.sort_by_key(|(start, end, _)| (*end, *start));
        found
    }

    fn beginning_with(&self, byte: u8) -> &[(&'static [u8], T)] {
        let place = |byte: usize| self.begin.get(byte).map_or(0, |place| usize::from(*place));
        let byte = usize::from(byte);
        self.texts
            .get(place(byte)..place(byte + 1))
            .unwrap_or_default()
    }
}

/// The low five bits: equal for both cases of a letter.
fn low(byte: u8) -> usize {
    usize::from(byte & 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(texts: &[&'static str], inside: &str) -> Vec<(usize, usize, usize)> {
        let texts = texts.iter().enumerate().map(|(n, text)| (*text, n));
        Search::new(texts).all(inside.as_bytes())
    }

    #[test]
    fn overlapping_and_in_any_case() {
        assert_eq!(
            all(&["key", "apikey", "@", "y"], "ApiKEY@"),
            [(0, 6, 1), (3, 6, 0), (5, 6, 3), (6, 7, 2)]
        );
    }

    #[test]
    fn nothing_in_nothing() {
        assert!(all(&["", "a"], "").is_empty());
        assert!(all(&[], "a").is_empty());
        assert!(all(&["ab"], "a").is_empty());
    }

    #[test]
    fn bytes_that_share_low_bits_are_told_apart() {
        assert!(all(&["a@"], "!`").is_empty());
        assert_eq!(all(&["\u{e9}t"], "\u{e9}t"), [(0, 3, 0)]);
    }
}
