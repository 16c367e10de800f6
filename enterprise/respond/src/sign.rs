//! Signatures of webhooks (Standard Webhooks, scheme `v1`).

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A delivery that the receiver should not believe.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Too old, or from the future.
    #[error("the webhook's time is more than {0} seconds away: it may be a replay")]
    Time(u64),
    /// Not signed with this secret.
    #[error("the webhook's signature does not fit its body")]
    Signature,
}

/// `whsec_` and base64 as the standard writes it, or any other text as it is.
fn key(secret: &str) -> Vec<u8> {
    let decoded = secret
        .strip_prefix("whsec_")
        .and_then(|text| BASE64.decode(text).ok());
    decoded.unwrap_or_else(|| secret.as_bytes().to_vec())
}

fn mac(secret: &str, id: &str, timestamp: u64, body: &[u8]) -> Hmac<Sha256> {
    // HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret))
        .unwrap_or_else(|_| Hmac::new(&Default::default()));
    mac.update(id.as_bytes());
    mac.update(b".");
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

/// Value of `webhook-signature` for a body sent at `timestamp` (seconds since 1970).
pub fn sign(secret: &str, id: &str, timestamp: u64, body: &[u8]) -> String {
    format!(
        "v1,{}",
        BASE64.encode(mac(secret, id, timestamp, body).finalize().into_bytes())
    )
}

/// Checks a delivery as a receiver should: the time is at most `tolerance` seconds from `now`, and
/// one of the signatures in the header fits. Compares in constant time.
///
/// # Errors
/// Where one of both is not so.
pub fn verify(
    secret: &str,
    id: &str,
    timestamp: u64,
    body: &[u8],
    header: &str,
    now: u64,
    tolerance: u64,
) -> Result<(), SignatureError> {
    if now.abs_diff(timestamp) > tolerance {
        return Err(SignatureError::Time(tolerance));
    }
    let fits = header.split(' ').any(|part| {
        let given = part
            .strip_prefix("v1,")
            .and_then(|text| BASE64.decode(text).ok());
        given.is_some_and(|given| {
            mac(secret, id, timestamp, body)
                .verify_slice(&given)
                .is_ok()
        })
    });
    if fits {
        Ok(())
    } else {
        Err(SignatureError::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example that the Standard Webhooks libraries share.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIME: u64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn signs_as_the_standard_says() {
        assert_eq!(sign(SECRET, ID, TIME, BODY), SIGNATURE);
    }

    #[test]
    fn verifies_and_refuses() {
        let header = format!("v1a,other {SIGNATURE}");
        assert_eq!(
            verify(SECRET, ID, TIME, BODY, &header, TIME + 5, 300),
            Ok(())
        );
        assert_eq!(
            verify(SECRET, ID, TIME, BODY, &header, TIME + 301, 300),
            Err(SignatureError::Time(300))
        );
        assert_eq!(
            verify(SECRET, ID, TIME, b"{}", &header, TIME, 300),
            Err(SignatureError::Signature)
        );
        assert_eq!(
            verify("other", ID, TIME, BODY, &header, TIME, 300),
            Err(SignatureError::Signature)
        );
        assert_eq!(
            verify(SECRET, ID, TIME, BODY, "", TIME, 300),
            Err(SignatureError::Signature)
        );
        let plain = sign("a plain secret", ID, TIME, BODY);
        assert_eq!(
            verify("a plain secret", ID, TIME, BODY, &plain, TIME, 300),
            Ok(())
        );
    }
}
