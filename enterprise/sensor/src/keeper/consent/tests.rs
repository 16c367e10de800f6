//! Grants under security keys: good ones, and each way of cheating.

use std::path::Path;
use std::time::Duration;

use cmdai_api::machine::{Approvers, Assent, CONSENT_FORMAT, Consent, Grant, Proof};
use cmdai_bundle::assertion::{EDDSA, ES256};
use cmdai_bundle::soft_key::SoftKey;
use cmdai_bundle::{SigningKey, keys, sign_statement};
use cmdai_policy::Factor;
use cmdai_schema::canonical_bytes;
use cmdai_schema::governor::{Binding, ExceptionRequest, Reply};

use super::super::approvals::{Approvals, Asker, Limits};
use super::Trust;

const SITE: &str = "console.example.com";
const ORIGIN: &str = "https://console.example.com";
const LATE: &str = "2999-01-01T00:00:00Z";

fn server() -> SigningKey {
    SigningKey::from_bytes(&[6; 32])
}

struct World {
    table: Approvals,
    maya: SoftKey,
    sami: SoftKey,
    approvers: Approvers,
    limits: Limits,
    _folder: tempfile::TempDir,
}

fn table(folder: &Path) -> Approvals {
    let file = |name: &str| folder.join(name);
    Approvals::open(
        file("approvals.json"),
        file("serial"),
        &file("salt"),
        Duration::from_secs(600),
        0,
    )
    .unwrap()
    .0
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let maya = SoftKey::new(SITE, ES256).unwrap();
        let sami = SoftKey::new(SITE, EDDSA).unwrap();
        let approvers = Approvers {
            version: 1,
            rp_id: SITE.into(),
            origins: vec![ORIGIN.into()],
            keys: vec![maya.approver("maya", &["sre"]), sami.approver("sami", &[])],
        };
        Self {
            table: table(folder.path()),
            maya,
            sami,
            approvers,
            limits: Limits {
                factor: Factor::Webauthn,
                ..Limits::default()
            },
            _folder: folder,
        }
    }

    fn ask(&mut self, text: &str) -> Reply {
        self.ask_for(text, None)
    }

    fn ask_for(&mut self, text: &str, exception: Option<ExceptionRequest>) -> Reply {
        let asker = Asker {
            uid: 1000,
            login: "ann".into(),
        };
        let binding = Binding {
            text: text.into(),
            exact: text.into(),
            rules: vec!["acme.deploy".into()],
            ..Binding::default()
        };
        let (bound, hash) = self
            .table
            .bind(binding, &asker, Default::default(), exception)
            .unwrap();
        self.table.ask(bound, hash, None, "s".into(), None).unwrap()
    }

    /// What an approver is asked to sign about the newest request.
    fn consent(&self, login: &str) -> Consent {
        let open = &self.table.entries().last().unwrap().open;
        Consent {
            format: CONSENT_FORMAT.into(),
            organisation: "acme".into(),
            request_id: open.request_id.clone(),
            machine_id: "m-1".into(),
            user: "ann".into(),
            binding_hash: open.binding_hash.clone(),
            rules: vec!["acme.deploy".into()],
            login: login.into(),
            person: login.into(),
            uses: 1,
            expires: LATE.into(),
            until: None,
            nonce: "n".into(),
        }
    }

    fn grant(&self, assents: Vec<Assent>) -> Grant {
        let open = &self.table.entries().last().unwrap().open;
        let weakest = assents
            .iter()
            .map(|assent| assent.factor.as_str())
            .min_by_key(|factor| Factor::of(factor));
        Grant {
            version: 1,
            grant_id: "g-1".into(),
            request_id: open.request_id.clone(),
            granted: true,
            machine_id: "m-1".into(),
            user: "ann".into(),
            binding_hash: open.binding_hash.clone(),
            approver: "maya".into(),
            factor: weakest.unwrap_or("webauthn").to_owned(),
            reason: "go".into(),
            issued: "2026-01-01T00:00:00Z".into(),
            expires: LATE.into(),
            uses: 1,
            approvers: assents,
            until: None,
        }
    }

    fn decide(&mut self, grant: &Grant) -> Vec<String> {
        let keys = [keys::public_base64(&server())];
        let trust = Trust {
            grant_keys: &keys,
            approvers: &self.approvers,
            organisation: "acme",
            machine_id: "m-1",
        };
        let signed = [sign_statement(&server(), grant).unwrap()];
        self.table.decide(&signed, &trust, &self.limits).unwrap()
    }

    fn maya(&mut self, consent: &Consent) -> Assent {
        assent(&mut self.maya, consent, ORIGIN)
    }

    fn sami(&mut self, consent: &Consent) -> Assent {
        assent(&mut self.sami, consent, ORIGIN)
    }

    /// Refused for the reason, and the request still waits.
    fn refused(&mut self, grant: &Grant, why: &str) {
        let problems = self.decide(grant);
        assert_eq!(problems.len(), 1, "{why}: {problems:?}");
        assert!(problems[0].contains(why), "{why}: {problems:?}");
        assert!(
            matches!(self.ask("make deploy"), Reply::Pending { .. }),
            "{why}"
        );
    }

    fn granted(&mut self, grant: &Grant) {
        let problems = self.decide(grant);
        assert!(problems.is_empty(), "{problems:?}");
        assert!(matches!(self.ask("make deploy"), Reply::Granted { .. }));
    }
}

fn assent(key: &mut SoftKey, consent: &Consent, origin: &str) -> Assent {
    let text = String::from_utf8(canonical_bytes(consent).unwrap()).unwrap();
    Assent {
        login: consent.login.clone(),
        person: consent.person.clone(),
        factor: "webauthn".into(),
        time: "2026-01-01T00:00:00Z".into(),
        proof: Some(key.assert(&text, origin).unwrap()),
    }
}

#[test]
fn a_grant_under_either_kind_of_key_is_used_once() {
    for who in ["maya", "sami"] {
        let mut world = World::new();
        world.ask("make deploy");
        let consent = world.consent(who);
        let assent = match who {
            "maya" => world.maya(&consent),
            _ => world.sami(&consent),
        };
        let grant = world.grant(vec![assent]);
        world.granted(&grant);
        assert!(matches!(world.ask("make deploy"), Reply::Pending { .. }));
        // Shown again it fits no request.
        assert!(world.decide(&grant).is_empty());
        assert!(matches!(world.ask("make deploy"), Reply::Pending { .. }));
    }
}

#[test]
fn the_servers_key_alone_approves_nothing() {
    let mut world = World::new();
    world.ask("make deploy");
    let consent = world.consent("maya");
    let claimed = |factor: &str, proof: Option<Proof>| Assent {
        login: "maya".into(),
        person: "maya".into(),
        factor: factor.into(),
        time: "2026-01-01T00:00:00Z".into(),
        proof,
    };
    let grant = world.grant(vec![claimed("webauthn", None)]);
    world.refused(&grant, "signature is missing");
    // As older servers name one approver.
    let grant = world.grant(Vec::new());
    world.refused(&grant, "0 approved by a security key");
    for factor in ["password", "totp"] {
        let grant = world.grant(vec![claimed(factor, None)]);
        world.refused(&grant, "the policy takes webauthn");
    }
    // A key that the server made up, under a person's name.
    let mut stranger = SoftKey::new(SITE, ES256).unwrap();
    let forged = assent(&mut stranger, &consent, ORIGIN);
    let grant = world.grant(vec![forged.clone()]);
    world.refused(&grant, "not among those that may approve");
    // The same under the id of a key that counts.
    let mut proof = forged.proof.unwrap();
    proof.credential_id = world.maya.id();
    let grant = world.grant(vec![claimed("webauthn", Some(proof))]);
    world.refused(&grant, "signature does not fit");
}

#[test]
fn what_was_signed_is_what_is_granted() {
    let mut world = World::new();
    world.ask("rm -rf build");
    let other = world.consent("maya");
    world.ask("make deploy");
    let good = world.consent("maya");
    let later = |change: fn(&mut Consent)| {
        let mut consent = good.clone();
        change(&mut consent);
        consent
    };
    let wrong: [(Consent, &str); 9] = [
        (other, "another request"),
        (later(|it| it.binding_hash = "00".into()), "another command"),
        (later(|it| it.machine_id = "m-2".into()), "another machine"),
        (later(|it| it.organisation = "x".into()), "another organis"),
        (later(|it| it.user = "bob".into()), "another person"),
        (later(|it| it.rules = vec!["x".into()]), "other rules"),
        (
            later(|it| it.expires = "2998-01-01T00:00:00Z".into()),
            "ends before",
        ),
        (later(|it| it.login = "sami".into()), "somebody else's name"),
        (
            later(|it| it.format = "cmdai.act/1".into()),
            "is no approval",
        ),
    ];
    for (consent, why) in wrong {
        let assent = world.maya(&consent);
        let grant = world.grant(vec![assent]);
        world.refused(&grant, why);
    }
    let assent = world.maya(&good);
    let more = Grant {
        uses: 2,
        ..world.grant(vec![assent.clone()])
    };
    world.limits.uses = 5;
    world.refused(&more, "permits fewer uses");
    // The text that was signed cannot be changed afterwards.
    let mut changed = assent.clone();
    if let Some(proof) = &mut changed.proof {
        proof.statement = proof.statement.replace("\"uses\":1", "\"uses\":2");
    }
    let grant = Grant {
        uses: 2,
        ..world.grant(vec![changed])
    };
    world.refused(&grant, "given for something else");
    let grant = world.grant(vec![assent]);
    world.granted(&grant);
}

#[test]
fn site_presence_and_verification_count() {
    let mut world = World::new();
    world.ask("make deploy");
    let consent = world.consent("maya");
    for origin in [
        "https://console.example.com.evil.org",
        "http://console.example.com",
        "https://console.example.com:8443",
    ] {
        let assent = assent(&mut world.maya, &consent, origin);
        let grant = world.grant(vec![assent]);
        world.refused(&grant, "which is not the console");
    }
    for (flags, why) in [(0x04, "nobody touched"), (0x01, "PIN or fingerprint")] {
        world.maya.flags = flags;
        let assent = world.maya(&consent);
        let grant = world.grant(vec![assent]);
        world.refused(&grant, why);
    }
    world.maya.flags = 0x05;
    // A key of another site, under a known id, is not even asked for its signature.
    world.approvers.rp_id = "other.example.com".into();
    let assent = world.maya(&consent);
    let grant = world.grant(vec![assent.clone()]);
    world.refused(&grant, "bound to another site");
    world.approvers.rp_id = SITE.into();
    // A registration's answer is no assertion.
    let registered = world.maya.register("AAAA", ORIGIN);
    let mut odd = assent.clone();
    if let Some(proof) = &mut odd.proof {
        proof.client_data_json = registered.client_data_json;
    }
    let grant = world.grant(vec![odd]);
    world.refused(&grant, "webauthn.create");
    let grant = world.grant(vec![assent]);
    world.granted(&grant);
}

#[test]
fn a_key_that_a_new_release_names_no_more_approves_nothing() {
    let mut world = World::new();
    world.ask("make deploy");
    let consent = world.consent("maya");
    let assent = world.maya(&consent);
    let grant = world.grant(vec![assent]);
    let known = world.approvers.clone();
    world
        .approvers
        .keys
        .retain(|key| key.credential_id != world.maya.id());
    world.refused(&grant, "not among those that may approve");
    world.approvers = known;
    world.granted(&grant);
}

#[test]
fn the_policy_says_who_and_how_many() {
    let mut world = World::new();
    world.ask("make deploy");
    world.limits.approvers = vec!["sre".into()];
    let (by_maya, by_sami) = (world.consent("maya"), world.consent("sami"));
    let sami = world.sami(&by_sami);
    let grant = world.grant(vec![sami.clone()]);
    world.refused(&grant, "not among those who may approve");
    world.limits.approvers = Vec::new();
    world.limits.people = 2;
    let maya = world.maya(&by_maya);
    let grant = world.grant(vec![maya.clone()]);
    world.refused(&grant, "2 different people");
    // Two keys of one person are one person.
    let mut second = SoftKey::new(SITE, ES256).unwrap();
    world.approvers.keys.push(second.approver("maya", &["sre"]));
    let again = assent(&mut second, &by_maya, ORIGIN);
    let grant = world.grant(vec![maya.clone(), again]);
    let problems = world.decide(&grant);
    assert_eq!(problems.len(), 1, "{problems:?}");
    // One with a key and one without, where the policy wants keys.
    let mut bare = sami.clone();
    bare.proof = None;
    let grant = world.grant(vec![maya.clone(), bare]);
    world.refused(&grant, "signature is missing");
    let grant = world.grant(vec![maya, sami]);
    world.granted(&grant);
}

#[test]
fn a_rule_may_take_less_or_more_than_the_rest() {
    let by_password = |world: &World| {
        let assent = Assent {
            login: "maya".into(),
            person: "maya".into(),
            factor: "password".into(),
            time: "2026-01-01T00:00:00Z".into(),
            proof: None,
        };
        world.grant(vec![assent])
    };
    let mut world = World::new();
    world.ask("make deploy");
    world
        .limits
        .factors
        .insert("acme.deploy".into(), Factor::Password);
    let grant = by_password(&world);
    world.granted(&grant);

    let mut world = World::new();
    world.ask("make deploy");
    world.limits.factor = Factor::Password;
    world
        .limits
        .factors
        .insert("acme.deploy".into(), Factor::Webauthn);
    let grant = by_password(&world);
    world.refused(&grant, "the policy takes webauthn");
    let consent = world.consent("maya");
    let assent = world.maya(&consent);
    let grant = world.grant(vec![assent]);
    world.granted(&grant);
}

#[test]
fn an_exception_ends_when_its_approver_said() {
    let mut world = World::new();
    let asked = ExceptionRequest {
        rules: vec!["acme.deploy".into()],
        duration_s: 3_600,
        reason: "migration".into(),
        ..ExceptionRequest::default()
    };
    world.ask_for("", Some(asked));
    let until = |text: &str| Some(text.to_owned());
    let consent = Consent {
        until: until("2026-01-01T00:30:00Z"),
        ..world.consent("maya")
    };
    let assent = world.maya(&consent);
    let long = Grant {
        until: until("2026-01-01T01:00:00Z"),
        ..world.grant(vec![assent.clone()])
    };
    let problems = world.decide(&long);
    assert!(problems[0].contains("at another time"), "{problems:?}");
    let good = Grant {
        until: until("2026-01-01T00:30:00Z"),
        ..long
    };
    assert!(world.decide(&good).is_empty());
}

#[test]
fn a_key_that_counts_backwards_is_told_of() {
    let mut world = World::new();
    for (counter, told) in [(7, 0), (8, 0), (3, 1), (9, 0)] {
        world.ask("make deploy");
        world.maya.counter = counter;
        let consent = world.consent("maya");
        let assent = world.maya(&consent);
        let grant = world.grant(vec![assent]);
        let problems = world.decide(&grant);
        assert_eq!(problems.len(), told, "{problems:?}");
        assert!(matches!(world.ask("make deploy"), Reply::Granted { .. }));
    }
}
