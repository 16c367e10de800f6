//! What holds for any text.

use cmdai_redact::catalogue::survives;
use cmdai_redact::{find, redact};
use proptest::prelude::*;

/// Pieces that the passes react to, put together at random.
fn line() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("mysql -p".to_owned()),
        Just("password=".to_owned()),
        Just("--password ".to_owned()),
        Just("echo ".to_owned()),
        Just(" | sudo -S ".to_owned()),
        Just("'".to_owned()),
        Just("\"".to_owned()),
        Just("$(".to_owned()),
        Just(")".to_owned()),
        Just("${A:-".to_owned()),
        Just("}".to_owned()),
        Just("`".to_owned()),
        Just("<<EOF\n".to_owned()),
        Just("\nEOF\n".to_owned()),
        Just("\\".to_owned()),
        Just(" ".to_owned()),
        Just(";".to_owned()),
        Just("https://a:".to_owned()),
        Just("@host".to_owned()),
        Just("Authorization: Bearer ".to_owned()),
        Just("Cookie: ".to_owned()),
        Just("[redacted:".to_owned()),
        Just("[redacted:password]".to_owned()),
        Just("-----BEGIN PRIVATE KEY-----".to_owned()),
        Just("token: ".to_owned()),
        Just("curl -u a:".to_owned()),
        Just("bash -c ".to_owned()),
        Just("é".to_owned()),
        Just("4111 1111 ".to_owned()),
        "[a-zA-Z0-9]{1,12}",
        "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn findings_are_sorted_ranges_of_the_text(text in line()) {
        let mut end = 0;
        for finding in find(&text) {
            prop_assert!(finding.start >= end && finding.start < finding.end);
            prop_assert!(text.get(finding.start..finding.end).is_some());
            end = finding.end;
        }
    }

    #[test]
    fn a_second_time_changes_nothing(text in line()) {
        let once = redact(&text).into_owned();
        prop_assert_eq!(redact(&once).into_owned(), once.clone(), "{}", text);
    }

    #[test]
    fn no_piece_of_the_secret_survives(
        secret in "[A-Za-z0-9!#%^*_+=.,:/?~-]{5,24}",
        shape in prop::sample::select(vec!["mysql -p'{}' shop", "sshpass -p '{}' ssh h", "export DB_PASSWORD='{}'", "echo '{}' | sudo -S ls", "tool --password '{}' x", "curl -u 'bob:{}' https://h", "bash -c \"redis-cli -a '{}'\""]),
    ) {
        let secret = format!("Qz7{secret}");
        let out = redact(&shape.replace("{}", &secret)).into_owned();
        prop_assert!(!survives(&secret, "", &out), "{}", out);
    }
}

#[test]
fn long_and_deep_texts_end() {
    for piece in [
        "$(",
        "'",
        "\"",
        "`",
        "<<A\n",
        "password=",
        "https://a:b@",
        "[redacted:",
        "-----BEGIN PRIVATE KEY-----",
        "bash -c \"",
        "4111 ",
        "key",
        "a=b@",
        "mysql -p",
    ] {
        let text = piece.repeat(200_000 / piece.len());
        let _ = redact(&text);
    }
}

/// Inputs that broke a promise once.
#[test]
fn markers_are_left_alone() {
    for (text, clean) in [
        (
            "mysql -u rGH_TOKEN=abpython3 -c c x=`bpython3 -c c",
            "mysql -u rGH_TOKEN=[redacted:token] -c c x=`bpython3 -c c",
        ),
        (
            "curl -u a=[redacted:token] u",
            "curl -u a=[redacted:token] u",
        ),
        (
            "x config mpass alpha beta gamma",
            "x config mpass [redacted:password] beta gamma",
        ),
    ] {
        let once = cmdai_redact::redact(text);
        assert_eq!(once, clean);
        assert_eq!(cmdai_redact::redact(&once), once);
    }
}

/// Nested back quotes that read anew each time something in them was replaced.
#[test]
fn a_text_that_never_comes_to_rest_loses_its_rest() {
    let text = "curl ''-u`:liii`))er`>c-u`<iii` deer`>>-u`<iii` 56er`>>>c`<iii`)6er`>l-u`<iii` 56er`>c-u`<iii` untr` cker";
    let once = cmdai_redact::redact(text);
    assert!(once.ends_with("[redacted:unclear]"), "{once}");
    assert_eq!(once, cmdai_redact::redact(&once));
}
