//! Commands that have started and whose end is waited for: what the event of the end repeats.

use std::collections::{HashMap, VecDeque};

use super::draft::Draft;

/// Most commands of one person, and most bytes that they take. Many a start never ends, such as
/// that of a killed shell: the oldest is forgotten first, and its end, should it come, says less.
const MAX_OF_ONE: usize = 1_000;
const MAX_BYTES_OF_ONE: usize = 2 << 20;

/// By person, so that nobody ends another's command and nobody crowds another out.
#[derive(Default)]
pub(crate) struct Running(HashMap<Option<u32>, Commands>);

#[derive(Default)]
struct Commands {
    starts: HashMap<String, (Draft, usize)>,
    /// Oldest first; ids that have ended may still stand here.
    order: VecDeque<String>,
    bytes: usize,
}

impl Running {
    pub(crate) fn insert(&mut self, uid: Option<u32>, id: &str, start: &Draft) {
        let size = serde_json::to_vec(&start.payload).map_or(MAX_BYTES_OF_ONE, |json| json.len());
        self.0.entry(uid).or_default().insert(id, start, size);
    }

    pub(crate) fn remove(&mut self, uid: Option<u32>, id: &str) -> Option<Draft> {
        let commands = self.0.get_mut(&uid)?;
        let start = commands.remove(id);
        if commands.starts.is_empty() {
            self.0.remove(&uid);
        }
        start
    }
}

impl Commands {
    fn insert(&mut self, id: &str, start: &Draft, size: usize) {
        self.remove(id);
        self.bytes += size;
        self.starts.insert(id.to_owned(), (start.clone(), size));
        self.order.push_back(id.to_owned());
        while self.order.len() > MAX_OF_ONE || self.bytes > MAX_BYTES_OF_ONE {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if let Some((_, size)) = self.starts.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(size);
            }
        }
    }

    fn remove(&mut self, id: &str) -> Option<Draft> {
        let (start, size) = self.starts.remove(id)?;
        self.bytes = self.bytes.saturating_sub(size);
        if let Some(place) = self.order.iter().rposition(|known| known == id) {
            self.order.remove(place);
        }
        Some(start)
    }
}

#[cfg(test)]
mod tests {
    use cmdai_schema::EventType;

    use super::*;

    fn start(text: &str) -> Draft {
        Draft::sensor(EventType::CommandExecuted, &[("text", text.to_owned())])
    }

    #[test]
    fn one_person_neither_ends_nor_crowds_out_another() {
        let mut running = Running::default();
        running.insert(Some(1), "a", &start("ls"));
        for number in 0..5_000 {
            running.insert(Some(2), &format!("n{number}"), &start("sleep 1"));
        }
        assert!(running.remove(Some(2), "a").is_none());
        assert!(running.remove(Some(1), "a").is_some());
        assert!(
            running.remove(Some(2), "n0").is_none(),
            "the oldest go first"
        );
        assert!(running.remove(Some(2), "n4999").is_some());
    }

    #[test]
    fn long_commands_take_bounded_room() {
        let mut running = Running::default();
        let long = "x".repeat(200_000);
        for number in 0..100 {
            running.insert(Some(1), &format!("n{number}"), &start(&long));
        }
        let commands = running.0.get(&Some(1)).unwrap();
        assert!(commands.bytes <= MAX_BYTES_OF_ONE);
        assert_eq!(commands.starts.len(), commands.order.len());
    }
}
