//! Grants and orders.

use cmdai_api::machine::{Grant, Order, Signed};
use cmdai_bundle::{SigningKey, StatementError, keys, sign_statement, verify_statement};

fn order() -> Order {
    Order {
        version: 1,
        serial: 3,
        machine_id: "m-1".into(),
        kind: "quarantine".into(),
        subject: None,
        reason: "key found on a forum".into(),
        issued_by: "maya".into(),
        issued: "2026-01-01T00:00:00Z".into(),
    }
}

#[test]
fn a_signed_order_is_believed() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let signed = sign_statement(&key, &order()).unwrap();
    assert_eq!(signed.key_id, keys::key_id(&key.verifying_key()));
    let read: Order =
        verify_statement(&signed, &["not a key".into(), keys::public_base64(&key)]).unwrap();
    assert_eq!(read, order());
}

#[test]
fn changed_text_other_keys_and_other_kinds_are_not() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let other = SigningKey::from_bytes(&[8; 32]);
    let keys = [keys::public_base64(&key)];
    let signed = sign_statement(&key, &order()).unwrap();

    let changed = Signed {
        payload: signed.payload.replace("quarantine", "release"),
        ..signed.clone()
    };
    assert!(matches!(
        verify_statement::<Order>(&changed, &keys),
        Err(StatementError::Signature)
    ));
    let stranger = sign_statement(&other, &order()).unwrap();
    assert!(matches!(
        verify_statement::<Order>(&stranger, &keys),
        Err(StatementError::UnknownKey { .. })
    ));
    let posing = Signed {
        key_id: signed.key_id.clone(),
        ..stranger
    };
    assert!(matches!(
        verify_statement::<Order>(&posing, &keys),
        Err(StatementError::Signature)
    ));
    assert!(matches!(
        verify_statement::<Grant>(&signed, &keys),
        Err(StatementError::Content(_))
    ));
    assert!(matches!(
        verify_statement::<Order>(&signed, &[]),
        Err(StatementError::UnknownKey { .. })
    ));
}

#[test]
fn a_key_file_open_to_others_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys/grant.der");
    let made = keys::load_or_create(&path).unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        keys::load_or_create(&path).unwrap().to_bytes(),
        made.to_bytes()
    );
    assert!(matches!(
        keys::create(&path),
        Err(keys::KeyError::File { .. })
    ));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        keys::load(&path),
        Err(keys::KeyError::Open { mode: 0o644, .. })
    ));
}
