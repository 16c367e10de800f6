//! Bytes of the audit subsystem's netlink protocol (include/uapi/linux/audit.h).

/// Message types of netlink itself.
pub(super) const ERROR: u16 = 2;
pub(super) const DONE: u16 = 3;
/// Requests.
pub(super) const GET: u16 = 1000;
pub(super) const SET: u16 = 1001;
pub(super) const ADD_RULE: u16 = 1011;
pub(super) const DELETE_RULE: u16 = 1012;
pub(super) const LIST_RULES: u16 = 1013;
/// Records of events.
pub(super) const SYSCALL: u16 = 1300;
pub(super) const PATH: u16 = 1302;
pub(super) const CWD: u16 = 1307;
pub(super) const EXECVE: u16 = 1309;
pub(super) const END_OF_EVENT: u16 = 1320;
/// Group of those who only read.
pub(super) const READ_GROUP: u32 = 1;
/// Value of `enabled` where rules cannot be changed.
pub(super) const LOCKED: u32 = 2;

const HEADER: usize = 16;
const REQUEST: u16 = 1;
const ACKNOWLEDGE: u16 = 4;
const MASK_ENABLED: u32 = 1;
const MASK_PID: u32 = 4;
const MASK_BACKLOG: u32 = 0x10;
const FILTER_EXIT: u32 = 4;
const ALWAYS: u32 = 2;
const FIELD_ARCH: u32 = 11;
const FIELD_KEY: u32 = 210;
const EQUAL: u32 = 0x4000_0000;
const KEY: &[u8] = b"cmdai-exec";

/// One message.
pub(super) struct Message {
    pub(super) kind: u16,
    pub(super) sequence: u32,
    pub(super) body: Vec<u8>,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A request that asks for an acknowledgement.
pub(super) fn request(kind: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = HEADER + body.len();
    let mut bytes = Vec::with_capacity(length + 3);
    bytes.extend(u32::try_from(length).unwrap_or(0).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend((REQUEST | ACKNOWLEDGE).to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend(0u32.to_ne_bytes());
    bytes.extend(body);
    bytes.resize(length.next_multiple_of(4), 0);
    bytes
}

/// Messages of one read. The audit subsystem writes the length of a record without the header in
/// some versions; the rest of the buffer is then the body.
pub(super) fn messages(mut bytes: &[u8]) -> Vec<Message> {
    let mut found = Vec::new();
    while bytes.len() >= HEADER {
        let (Some(length), Some(kind), Some(sequence)) =
            (u32_at(bytes, 0), u16_at(bytes, 4), u32_at(bytes, 8))
        else {
            break;
        };
        let length = length as usize;
        let event = (1300..1400).contains(&kind);
        let end = if event || length < HEADER {
            bytes.len()
        } else {
            length.min(bytes.len())
        };
        found.push(Message {
            kind,
            sequence,
            body: bytes.get(HEADER..end).unwrap_or_default().to_vec(),
        });
        let next = end.next_multiple_of(4);
        bytes = bytes.get(next..).unwrap_or_default();
    }
    found
}

/// Positive error number of an acknowledgement; 0 where there is none.
pub(super) fn error_of(body: &[u8]) -> i32 {
    u32_at(body, 0)
        .map_or(0, u32::cast_signed)
        .saturating_neg()
        .max(0)
}

/// State of the subsystem.
#[derive(Debug, Clone, Copy)]
pub(super) struct Status {
    pub(super) enabled: u32,
    pub(super) pid: u32,
    pub(super) lost: u32,
}

impl Status {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        Some(Self {
            enabled: u32_at(body, 4)?,
            pid: u32_at(body, 12)?,
            lost: u32_at(body, 24)?,
        })
    }
}

fn status(mask: u32, enabled: u32, pid: u32, backlog: u32) -> Vec<u8> {
    [mask, enabled, 0, pid, 0, backlog, 0, 0, 0, 0]
        .iter()
        .flat_map(|word| word.to_ne_bytes())
        .collect()
}

/// Makes a process the consumer and switches the subsystem on.
pub(super) fn become_consumer(pid: u32, backlog: u32) -> Vec<u8> {
    status(MASK_ENABLED | MASK_PID | MASK_BACKLOG, 1, pid, backlog)
}

/// Takes that back.
pub(super) fn cease(enabled: u32) -> Vec<u8> {
    status(MASK_ENABLED | MASK_PID, enabled, 0, 0)
}

/// Calls that start a program, in one set of call numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    machine: u32,
    calls: [u32; 2],
}

/// Rules for this architecture and those that its kernel also runs.
pub(super) fn rules_for_exec() -> Vec<Rule> {
    let rule = |machine, calls| Rule { machine, calls };
    if cfg!(target_arch = "x86_64") {
        vec![rule(0xc000_003e, [59, 322]), rule(0x4000_0003, [11, 358])]
    } else if cfg!(target_arch = "aarch64") {
        vec![rule(0xc000_00b7, [221, 281]), rule(0x4000_0028, [11, 387])]
    } else {
        Vec::new()
    }
}

impl Rule {
    pub(super) fn bytes(self) -> Vec<u8> {
        let mut mask = [0u32; 64];
        for call in self.calls {
            if let Some(word) = mask.get_mut(call as usize / 32) {
                *word |= 1 << (call % 32);
            }
        }
        let mut fields = [0u32; 64];
        let mut values = [0u32; 64];
        let mut operators = [0u32; 64];
        let key = u32::try_from(KEY.len()).unwrap_or(0);
        for (place, (field, value)) in [(FIELD_ARCH, self.machine), (FIELD_KEY, key)]
            .into_iter()
            .enumerate()
        {
            for (list, what) in [
                (&mut fields, field),
                (&mut values, value),
                (&mut operators, EQUAL),
            ] {
                if let Some(slot) = list.get_mut(place) {
                    *slot = what;
                }
            }
        }
        let mut bytes: Vec<u8> = [FILTER_EXIT, ALWAYS, 2]
            .iter()
            .chain(&mask)
            .chain(&fields)
            .chain(&values)
            .chain(&operators)
            .chain([&key])
            .flat_map(|word| word.to_ne_bytes())
            .collect();
        bytes.extend(KEY);
        bytes
    }
}

/// Whether a rule, as the kernel lists it, makes events of this architecture's execs.
pub(super) fn asks_for_exec(rule: &[u8]) -> bool {
    let exit = u32_at(rule, 0).is_some_and(|list| list & 0xf == FILTER_EXIT);
    let always = u32_at(rule, 4) == Some(ALWAYS);
    let call = rules_for_exec()
        .first()
        .and_then(|rule| rule.calls.first().copied());
    let Some(call) = call else { return false };
    let word = u32_at(rule, 12 + (call as usize / 32) * 4).unwrap_or(0);
    exit && always && word & (1 << (call % 32)) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_rule_is_known_as_one_for_execs() {
        let rules = rules_for_exec();
        let first = rules.first().unwrap().bytes();
        assert_eq!(first.len(), 12 + 4 * 256 + 4 + KEY.len());
        assert!(asks_for_exec(&first));
        assert!(!asks_for_exec(&first[..16]));
        let mut other = first;
        other[12..12 + 256].fill(0);
        assert!(!asks_for_exec(&other));
    }

    #[test]
    fn damaged_messages_are_read_to_their_end_and_no_further() {
        let whole = request(GET, 7, &[1, 2, 3, 4, 5]);
        for length in 0..whole.len() {
            assert!(messages(&whole[..length]).len() <= 1);
        }
        let found = messages(&whole);
        assert_eq!(found[0].kind, GET);
        assert_eq!(found[0].sequence, 7);
        assert_eq!(found[0].body, [1, 2, 3, 4, 5]);
    }
}
