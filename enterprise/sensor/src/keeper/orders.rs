//! Orders: quarantine and release, signed, each carried out once and in order.

use cmdai_api::machine::{Order, Signed};
use cmdai_bundle::verify_statement;
use serde::{Deserialize, Serialize};

/// Most exceptions taken back that are remembered: all have ended by then.
const MOST_REVOKED: usize = 1_000;

/// What orders have made of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Ordered {
    /// Highest number carried out.
    pub(crate) serial: u64,
    /// In quarantine, with the reason.
    pub(crate) quarantine: Option<String>,
    /// Who gave the last order.
    pub(crate) issued_by: String,
    /// When.
    pub(crate) issued: String,
    /// Exceptions that were taken back.
    pub(crate) revoked: Vec<String>,
}

/// The state after orders, and what is wrong with those that were not believed.
pub(crate) fn carry_out(
    state: &Ordered,
    orders: &[Signed],
    keys: &[String],
    machine_id: &str,
) -> (Ordered, Vec<String>) {
    let mut problems = Vec::new();
    let mut good: Vec<Order> = Vec::new();
    for signed in orders {
        match verify_statement::<Order>(signed, keys) {
            Ok(order) if order.machine_id != machine_id => problems.push(format!(
                "an order for machine {} came to this one",
                order.machine_id
            )),
            Ok(order)
                if order.version != 1
                    || !matches!(
                        order.kind.as_str(),
                        "quarantine" | "release" | "revoke-exception"
                    ) =>
            {
                problems.push(format!(
                    "order {} is of an unknown kind: update the sensor",
                    order.serial
                ));
            }
            Ok(order) => good.push(order),
            Err(error) => problems.push(format!("an order is not believed: {error}")),
        }
    }
    good.sort_by_key(|order| order.serial);
    let mut state = state.clone();
    for order in good.into_iter().filter(|order| order.serial > 0) {
        if order.serial > state.serial {
            let mut revoked = state.revoked;
            let quarantine = match order.kind.as_str() {
                "quarantine" => Some(order.reason),
                "release" => None,
                _ => {
                    revoked.extend(order.subject);
                    let surplus = revoked.len().saturating_sub(MOST_REVOKED);
                    revoked.drain(..surplus);
                    state.quarantine
                }
            };
            state = Ordered {
                serial: order.serial,
                quarantine,
                issued_by: order.issued_by,
                issued: order.issued,
                revoked,
            };
        }
    }
    (state, problems)
}

#[cfg(test)]
mod tests {
    use cmdai_bundle::{SigningKey, keys, sign_statement};

    use super::*;

    fn order(serial: u64, kind: &str, machine: &str) -> Order {
        Order {
            version: 1,
            serial,
            machine_id: machine.into(),
            kind: kind.into(),
            subject: None,
            reason: "lost laptop".into(),
            issued_by: "maya".into(),
            issued: "2026-01-01T00:00:00Z".into(),
        }
    }

    #[test]
    fn only_new_signed_orders_for_this_machine_count() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let trusted = [keys::public_base64(&key)];
        let sign = |order: &Order| sign_statement(&key, order).unwrap();
        let (state, problems) = carry_out(
            &Ordered::default(),
            &[
                sign(&order(2, "release", "m")),
                sign(&order(1, "quarantine", "m")),
            ],
            &trusted,
            "m",
        );
        assert_eq!(
            (state.serial, state.quarantine.as_deref(), problems.len()),
            (2, None, 0)
        );
        // The same order again, an older one, and one for somebody else change nothing.
        let again = [
            sign(&order(1, "quarantine", "m")),
            sign(&order(9, "quarantine", "other")),
        ];
        let (after, problems) = carry_out(&state, &again, &trusted, "m");
        assert_eq!((after, problems.len()), (state.clone(), 1));
        let mut revoke = order(3, "revoke-exception", "m");
        revoke.subject = Some("7F3KQ2MA".into());
        let (after, problems) = carry_out(&state, &[sign(&revoke)], &trusted, "m");
        assert_eq!((after.serial, problems.len()), (3, 0));
        assert_eq!(after.revoked, ["7F3KQ2MA"]);
        let stranger = SigningKey::from_bytes(&[2; 32]);
        let forged = sign_statement(&stranger, &order(5, "release", "m")).unwrap();
        let (after, problems) = carry_out(&state, &[forged], &trusted, "m");
        assert_eq!((after, problems.len()), (state, 1));
    }
}
