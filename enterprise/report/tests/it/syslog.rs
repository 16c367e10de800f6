//! Against the grammar of RFC 5424, section 6.

use cmdai_report::Foreign;
use serde_json::Value;

use crate::events::lines;

/// One printable ASCII word of at most so many characters, and the rest behind its blank.
fn word(text: &str, most: usize) -> (&str, &str) {
    let (word, rest) = text.split_once(' ').unwrap();
    assert!(!word.is_empty() && word.len() <= most, "{word}");
    assert!(
        word.bytes().all(|byte| (33..=126).contains(&byte)),
        "{word}"
    );
    (word, rest)
}

/// The parameters of one element, and the rest behind it.
fn element(text: &str) -> (String, Vec<(String, String)>, &str) {
    let text = text.strip_prefix('[').unwrap();
    let end = text.find([' ', ']']).unwrap();
    let (name, mut rest) = text.split_at(end);
    let mut parameters = Vec::new();
    loop {
        if let Some(rest) = rest.strip_prefix(']') {
            return (name.to_owned(), parameters, rest);
        }
        let (key, value) = rest.strip_prefix(' ').unwrap().split_once("=\"").unwrap();
        let end = value.find('"').unwrap();
        assert!(!value[..end].contains(['\\', ']']));
        parameters.push((key.to_owned(), value[..end].to_owned()));
        rest = &value[end + 1..];
    }
}

#[test]
fn messages_follow_the_grammar() {
    for (event, line) in lines(Foreign::Syslog) {
        let (priority, rest) = line.strip_prefix('<').unwrap().split_once('>').unwrap();
        let priority: u8 = priority.parse().unwrap();
        assert_eq!(priority / 8, 13);
        let rest = rest.strip_prefix("1 ").unwrap();
        let (time, rest) = word(rest, 32);
        assert!(time.parse::<jiff::Timestamp>().is_ok() && time.ends_with('Z'));
        let (host, rest) = word(rest, 255);
        assert!(host == "dev_1_" || host == "-");
        let (name, rest) = word(rest, 48);
        let (process, rest) = word(rest, 128);
        let (message_id, mut rest) = word(rest, 32);
        assert_eq!((name, process), ("cmdai", "-"));
        assert_eq!(message_id, event.envelope.event_type.as_str());
        let mut names = Vec::new();
        while rest.starts_with('[') {
            let (name, parameters, behind) = element(rest);
            if name == "meta" {
                let number: u64 = parameters[0].1.parse().unwrap();
                assert!((1..=2_147_483_647).contains(&number), "section 7.3.1");
            }
            names.push(name);
            rest = behind;
        }
        // The elements that the standard itself names.
        assert_eq!(names, ["timeQuality", "origin", "meta"]);
        let message = rest.strip_prefix(" \u{feff}").unwrap();
        let document: Value = serde_json::from_str(message).unwrap();
        assert_eq!(document["event"]["id"], event.envelope.event_id.as_str());
    }
}
