//! Texts out of another process's memory, in pages, each fetched once, all bounded.

use std::collections::BTreeMap;

use super::kernel;

const PAGE: u64 = 4096;
/// The kernel takes at most 6 MiB of arguments and environment together; what lies beyond this many
/// pages could not be started.
const MAX_PAGES: usize = 2_048;
/// Most pointers of one list.
const MAX_POINTERS: usize = 262_144;

/// A view of a process's memory while it waits.
pub(crate) struct Memory {
    process: u32,
    narrow: bool,
    pages: BTreeMap<u64, Vec<u8>>,
}

impl Memory {
    /// Of this thread's process. `narrow` where its pointers have 32 bits.
    pub(crate) fn of(process: u32, narrow: bool) -> Self {
        Self {
            process,
            narrow,
            pages: BTreeMap::new(),
        }
    }

    /// From this address to the end of its page; nothing where it cannot be read.
    fn rest_of_page(&mut self, address: u64) -> Option<&[u8]> {
        let start = address / PAGE * PAGE;
        if !self.pages.contains_key(&start) {
            if self.pages.len() >= MAX_PAGES {
                return None;
            }
            let mut page = vec![0; PAGE as usize];
            let count = kernel::read_memory(self.process, start, &mut page).ok()?;
            page.truncate(count);
            self.pages.insert(start, page);
        }
        let offset = usize::try_from(address - start).ok()?;
        self.pages
            .get(&start)?
            .get(offset..)
            .filter(|rest| !rest.is_empty())
    }

    /// A text that ends in a zero byte, without it.
    pub(crate) fn text(&mut self, address: u64) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut address = address;
        loop {
            let rest = self.rest_of_page(address)?;
            if let Some(end) = rest.iter().position(|byte| *byte == 0) {
                out.extend_from_slice(rest.get(..end)?);
                return Some(out);
            }
            out.extend_from_slice(rest);
            address = address.checked_add(rest.len() as u64)?;
        }
    }

    fn bytes<const N: usize>(&mut self, address: u64) -> Option<[u8; N]> {
        let mut out = [0; N];
        let mut filled = 0;
        while filled < N {
            let rest = self.rest_of_page(address.checked_add(filled as u64)?)?;
            let count = rest.len().min(N - filled);
            out.get_mut(filled..filled + count)?
                .copy_from_slice(rest.get(..count)?);
            filled += count;
        }
        Some(out)
    }

    fn pointer(&mut self, address: u64) -> Option<u64> {
        if self.narrow {
            Some(u64::from(u32::from_ne_bytes(self.bytes(address)?)))
        } else {
            Some(u64::from_ne_bytes(self.bytes(address)?))
        }
    }

    /// The texts of a list of pointers that ends in a null one. A null list is an empty one.
    pub(crate) fn texts(&mut self, list: u64) -> Option<Vec<Vec<u8>>> {
        let mut out = Vec::new();
        if list == 0 {
            return Some(out);
        }
        let step = if self.narrow { 4 } else { 8 };
        let mut at = list;
        loop {
            let pointer = self.pointer(at)?;
            if pointer == 0 {
                return Some(out);
            }
            if out.len() >= MAX_POINTERS {
                return None;
            }
            out.push(self.text(pointer)?);
            at = at.checked_add(step)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Memory {
        Memory::of(std::process::id(), false)
    }

    #[test]
    fn texts_of_this_process_are_read() {
        let long = std::ffi::CString::new("x".repeat(10_000)).unwrap();
        let texts = [c"a".to_owned(), long.clone(), c"".to_owned()];
        let list: Vec<*const i8> = texts
            .iter()
            .map(|text| text.as_ptr().cast())
            .chain([std::ptr::null()])
            .collect();
        let read = own().texts(list.as_ptr() as u64).unwrap();
        assert_eq!(read, [b"a".to_vec(), long.as_bytes().to_vec(), Vec::new()]);
        assert_eq!(own().texts(0), Some(Vec::new()));
    }

    #[test]
    fn what_is_not_there_is_not_read() {
        assert_eq!(own().text(16), None);
        assert_eq!(own().text(u64::MAX - 3), None);
        assert_eq!(Memory::of(u32::MAX, false).text(4096), None);
    }
}
