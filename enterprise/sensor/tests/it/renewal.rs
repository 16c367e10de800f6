//! The machine's next certificate.

use cmdai_schema::Hash;

use crate::world::World;

fn identity(world: &World) -> serde_json::Value {
    let text = std::fs::read(world.places.state.join("identity.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn a_certificate_is_renewed_when_the_server_asks_and_a_wrong_one_is_refused() {
    let world = World::running();
    let before = identity(&world);
    world.known(|known| {
        known.renew = true;
        known.forge = true;
    });
    // The first answer is one of another authority.
    world.until("the wrong certificate is refused", |status| {
        status
            .problems
            .iter()
            .any(|problem| problem.contains("authority"))
    });
    assert_eq!(identity(&world), before, "the old pair stays");
    let renewed = crate::world::eventually("the right one is taken", || {
        let now = identity(&world);
        (now != before).then_some(now)
    });
    assert_ne!(renewed["key_pem"], before["key_pem"]);
    assert_eq!(renewed["machine_id"], before["machine_id"]);
    let given = world.known(|known| known.renewed.clone());
    assert_eq!(renewed["certificate_pem"], given.last().unwrap().as_str());
    let print = renewed["certificate_fingerprint"].as_str().unwrap();
    assert!(Hash::from_hex(print).is_some());
    // A courier with the new pair speaks from then on.
    crate::world::eventually("a contact with the new certificate", || {
        world.known(|known| {
            known
                .checkins
                .iter()
                .any(|checkin| checkin.manifest.certificate_fingerprint == print)
                .then_some(())
        })
    });
    let mut session = world.session("after");
    session.command("w1");
    world.events("an event over the new connection", |event| {
        crate::world::command_id(event) == "w1"
    });
}
