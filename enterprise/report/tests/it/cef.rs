//! Against the Common Event Format, implementation standard revision 26: read back as a receiver would.

use std::collections::BTreeMap;

use cmdai_report::Foreign;

use crate::events::{HOSTILE, lines};

/// Keys of the extension dictionary that are used, with the longest value in bytes.
const KEYS: &[(&str, usize)] = &[
    ("rt", 32),
    ("externalId", 40),
    ("dvchost", 100),
    ("deviceExternalId", 255),
    ("dvc", 45),
    ("suser", 1023),
    ("suid", 1023),
    ("act", 63),
    ("outcome", 63),
    ("cn1", 20),
    ("cn1Label", 1023),
    ("sproc", 1023),
    ("reason", 1023),
    ("msg", 1023),
    ("cnt", 20),
    ("cs1", 4000),
    ("cs1Label", 1023),
    ("cs2", 4000),
    ("cs2Label", 1023),
    ("cs3", 4000),
    ("cs3Label", 1023),
    ("cs4", 4000),
    ("cs4Label", 1023),
    ("cs5", 4000),
    ("cs5Label", 1023),
    ("cs6", 4000),
    ("cs6Label", 1023),
];

/// Seven header fields and the rest, split at bars that are not escaped.
fn header(line: &str) -> (Vec<String>, &str) {
    let mut fields = vec![String::new()];
    let mut characters = line.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => fields
                .last_mut()
                .unwrap()
                .push(characters.next().unwrap().1),
            '|' if fields.len() == 7 => return (fields, &line[at + 1..]),
            '|' => fields.push(String::new()),
            other => fields.last_mut().unwrap().push(other),
        }
    }
    panic!("too few fields: {line}");
}

/// `key=value` pairs: a value goes on until the blank before the next key with an equals sign of its own.
fn pairs(extension: &str) -> BTreeMap<String, String> {
    let bytes = extension.as_bytes();
    let mut signs = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'=' => signs.push(at),
            _ => {}
        }
        at += 1;
    }
    let key_from = |sign: usize| extension[..sign].rfind(' ').map_or(0, |blank| blank + 1);
    let mut pairs = BTreeMap::new();
    for (number, sign) in signs.iter().enumerate() {
        let key = &extension[key_from(*sign)..*sign];
        let end = signs
            .get(number + 1)
            .map_or(extension.len(), |next| key_from(*next) - 1);
        let mut value = String::new();
        let mut characters = extension[sign + 1..end].chars();
        while let Some(character) = characters.next() {
            value.push(match character {
                '\\' => match characters.next().unwrap() {
                    'n' => '\n',
                    'r' => '\r',
                    other => other,
                },
                other => other,
            });
        }
        assert!(pairs.insert(key.to_owned(), value).is_none(), "{key} twice");
    }
    pairs
}

#[test]
fn a_receiver_reads_back_what_was_there() {
    for (event, line) in lines(Foreign::Cef) {
        let (fields, extension) = header(&line);
        assert_eq!(fields[0], "CEF:0");
        assert_eq!(fields[4], event.envelope.event_type.as_str());
        assert!(fields[6].parse::<u8>().unwrap() <= 10);
        let pairs = pairs(extension);
        for (key, value) in &pairs {
            let longest = KEYS.iter().find(|(known, _)| known == key);
            let longest = longest
                .unwrap_or_else(|| panic!("{key} is not in the dictionary"))
                .1;
            assert!(value.len() <= longest, "{key} has {} bytes", value.len());
            if let Some(own) = key.strip_suffix("Label") {
                assert!(pairs.contains_key(own), "{key} without {own}");
            }
        }
        assert_eq!(pairs["rt"], "1767225600250");
        if let Some(command) = &event.payload.command
            && command.text == HOSTILE
        {
            let plain = |text: &str| -> String {
                text.chars()
                    .map(|one| match one {
                        '\n' | '\r' | '\t' => one,
                        other if other.is_control() => ' ',
                        other => other,
                    })
                    .collect()
            };
            assert_eq!(pairs["cs1"], plain(HOSTILE));
            assert_eq!(fields[5], plain(HOSTILE).replace(['\n', '\r', '\t'], " "));
        }
    }
}
