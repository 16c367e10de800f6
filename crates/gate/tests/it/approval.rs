//! Approvals against a small governor on a real socket.

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use cmdai_gate::governor::{Governor, GovernorError, read_frame, write_frame};
use cmdai_gate::{Approval, binding};
use cmdai_schema::governor::{Reply, Request};

use crate::support::{gate, govern, human, person, publish, request};

/// Answers the greeting and then one reply for each request, and gives back what was asked.
fn serve(socket: &Path, replies: Vec<Reply>) -> JoinHandle<Vec<Request>> {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let hello: Request = read_frame(&mut stream).unwrap();
        assert!(matches!(hello, Request::Hello { version: 1, .. }));
        write_frame(
            &mut stream,
            &Reply::Hello {
                version: 1,
                organisation: "acme".to_owned(),
                policy_version: "41".to_owned(),
            },
        )
        .unwrap();
        for reply in replies {
            asked.push(read_frame(&mut stream).unwrap());
            write_frame(&mut stream, &reply).unwrap();
        }
        asked
    })
}

#[test]
fn a_request_is_bound_to_the_command_and_a_grant_lets_it_run() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    publish(&places, "version: \"1.0\"\n");
    let mut gate = gate(&person);
    let who = human();
    let asked = request("deploy --password=Hunter2Hunter2 x", &who);
    let outcome = gate.judge(&asked);
    let bound = binding(&asked, &outcome);
    assert!(!bound.text.contains("Hunter2"), "{}", bound.text);
    assert_eq!(bound.exact, asked.text);
    assert_eq!(
        (bound.cwd.as_str(), bound.origin.as_str()),
        ("/tmp", "human")
    );

    let server = serve(
        &places.socket,
        vec![Reply::Pending {
            request_id: "R7".to_owned(),
        }],
    );
    let approval = gate.approve(&asked, &outcome, "s", Some("release".to_owned()));
    assert!(
        matches!(&approval, Approval::Pending(info) if info.request_id == "R7" && info.status == "pending"),
        "{approval:?}"
    );
    let seen = server.join().unwrap();
    assert!(
        matches!(&seen[0], Request::Approve { binding, reason, .. } if **binding == bound && reason.as_deref() == Some("release"))
    );

    std::fs::remove_file(&places.socket).unwrap();
    let granted = Reply::Granted {
        request_id: "R7".to_owned(),
        grant_id: "G1".to_owned(),
        approver: "eve".to_owned(),
    };
    let server = serve(&places.socket, vec![granted]);
    let approval = gate.approve(&asked, &outcome, "s", None);
    assert!(
        matches!(&approval, Approval::Granted(info) if info.grant_id.as_deref() == Some("G1")),
        "{approval:?}"
    );
    server.join().unwrap();
}

#[test]
fn nobody_there_is_said_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("governor.sock");
    let connect = || Governor::connect(&socket, "test", Duration::from_millis(200));
    assert!(matches!(connect(), Err(GovernorError::Unreachable(_))));
    // A listener that accepts nobody must not hold a prompt.
    let _listener = UnixListener::bind(&socket).unwrap();
    assert!(matches!(connect(), Err(GovernorError::Broken(_))));
}

#[test]
fn too_long_a_frame_is_refused() {
    let mut bytes: &[u8] = &[0x7f, 0xff, 0xff, 0xff, 1, 2, 3];
    assert!(read_frame::<Reply>(&mut bytes).is_err());
    let mut cut: &[u8] = &[0, 0, 0, 9, b'{'];
    assert!(read_frame::<Reply>(&mut cut).is_err());
}

#[test]
fn what_an_approver_could_not_read_cannot_be_approved() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    publish(&places, "version: \"1.0\"\n");
    let mut gate = gate(&person);
    let who = human();
    // What `sudo -S` reads first counts as its password; with a fresh ticket it reads none, and the shell
    // runs that line.
    let asked = request("sudo -S bash <<EOF\nrm -rf /srv/shop\nEOF", &who);
    let outcome = gate.judge(&asked);
    let approval = gate.approve(&asked, &outcome, "s", None);
    assert!(
        matches!(&approval, Approval::Refused(info) if info.reason.as_deref().is_some_and(|why| why.contains("stands where a secret stands"))),
        "{approval:?}"
    );
    let asked = request("PGPASSWORD=hunter22 psql -h db.example.com shop", &who);
    let outcome = gate.judge(&asked);
    let approval = gate.approve(&asked, &outcome, "s", None);
    assert!(matches!(approval, Approval::Unreachable(_)), "{approval:?}");
}
