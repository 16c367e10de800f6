//! Roads of a release beside the server, and roads that lead nowhere.

use std::path::Path;
use std::process::Command;

use cmdai_bundle::Bundle;
use cmdai_schema::EventType;
use cmdai_sensor::{Git, Roads};

use crate::world::{POLICY, World, block_on};

/// Writes the newest release into one file, as `policy export` does.
fn export(world: &World, to: &Path) {
    let bytes = block_on(world.publisher.bundle(1)).unwrap();
    let fresh = to.with_extension("new");
    std::fs::write(&fresh, bytes.as_slice()).unwrap();
    std::fs::rename(fresh, to).unwrap();
}

fn git(folder: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// A machine whose server knows release 1 only, whatever is published.
fn cut_off() -> World {
    let mut world = World::running();
    let old = world.dir.path().join("old");
    let copied = Command::new("cp")
        .arg("-r")
        .args([&world.publisher.repo_dir(), &old])
        .status();
    assert!(copied.unwrap().success());
    world.known(|known| known.repo = old);
    world.kill();
    world
}

fn publish(world: &World, version: u64) {
    block_on(
        world
            .publisher
            .publish(POLICY, version, &world.server.authority()),
    )
    .unwrap();
}

#[test]
fn a_folder_a_repository_and_a_hand_bring_what_the_server_does_not() {
    let mut world = cut_off();
    let folder = world.dir.path().join("dropped");
    let repository = world.dir.path().join("policy.git");
    for path in [&folder, &repository] {
        std::fs::create_dir(path).unwrap();
    }
    git(&repository, &["init", "--quiet", "--initial-branch=main"]);
    // What the road carries besides is nobody's business: a hook that would run, a huge file.
    std::fs::write(
        repository.join(".git/hooks/post-checkout"),
        "#!/bin/sh\ntouch /tmp/never\n",
    )
    .unwrap();
    cmdai_sensor::set_roads(
        &world.places,
        &Roads {
            directory: Some(folder.clone()),
            git: Some(Git {
                url: format!("file://{}", repository.display()),
                reference: "refs/heads/main".to_owned(),
            }),
        },
    )
    .unwrap();
    world.start();
    world.until("it says that the repository is empty", |status| {
        status
            .problems
            .iter()
            .any(|problem| problem.contains("git file://"))
    });

    publish(&world, 2);
    export(&world, &folder.join("release.cmdai"));
    let status = world.until("release 2 by the folder", |status| {
        status.policy_version == "2"
    });
    assert_eq!(status.policy_source, "directory");
    assert!(!status.policy_expires.is_empty());

    publish(&world, 3);
    export(&world, &repository.join("release.cmdai"));
    git(&repository, &["add", "release.cmdai"]);
    git(&repository, &["commit", "--quiet", "-m", "release 3"]);
    let status = world.until("release 3 by git", |status| status.policy_version == "3");
    assert_eq!(status.policy_source, "git");

    publish(&world, 4);
    let file = world.dir.path().join("carried");
    export(&world, &file);
    cmdai_sensor::import(&world.places, &file).unwrap();
    let status = world.until("release 4 by hand", |status| status.policy_version == "4");
    assert_eq!(status.policy_source, "file");
    world.drained();
    world.events("told", |event| {
        event.envelope.event_type == EventType::PolicyUpdated
            && event.payload.detail["version"] == "4"
    });
    // The server is behind all of them, and is no attacker for that.
    assert_eq!(world.count(EventType::PolicyRefused), 0);
}

#[test]
fn what_a_road_brings_is_verified_like_any_other() {
    let mut world = cut_off();
    let folder = world.dir.path().join("dropped");
    std::fs::create_dir(&folder).unwrap();
    let roads = Roads {
        directory: Some(folder.clone()),
        git: None,
    };
    cmdai_sensor::set_roads(&world.places, &roads).unwrap();
    world.start();
    publish(&world, 2);
    let file = folder.join("release.cmdai");
    let bytes = block_on(world.publisher.bundle(1)).unwrap();
    let mut bundle = Bundle::parse(&bytes).unwrap();
    for carried in &mut bundle.files {
        if carried.name.ends_with("policy.yaml") {
            *carried = cmdai_bundle::CarriedFile::of(
                &carried.folder,
                &carried.name,
                b"version: \"1.0\"\n",
            );
        }
    }
    std::fs::write(&file, serde_json::to_vec(&bundle).unwrap()).unwrap();
    let refused = world.events("a changed document", |event| {
        event.envelope.event_type == EventType::PolicyRefused
    });
    assert_eq!(refused[0].payload.detail["cause"], "tampered");
    std::fs::write(&file, "nonsense").unwrap();
    world.until("nonsense is named", |status| {
        status
            .problems
            .iter()
            .any(|problem| problem.contains("not a release file"))
    });
    // A link to elsewhere is not followed.
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
    world.until("a link is not followed", |status| {
        status.policy_version == "1"
            && status
                .problems
                .iter()
                .any(|problem| problem.contains("release.cmdai"))
    });
    std::fs::remove_file(&file).unwrap();
    export(&world, &file);
    world.until("the true one", |status| status.policy_version == "2");
}

#[test]
fn slow_and_endless_answers_stop_nothing_but_the_update() {
    let world = World::running();
    world.known(|known| known.drip = Some(false));
    world.publish(2, &POLICY.replace("curl", "wget"));
    world.until("slow data are given up", |status| {
        status.policy_version == "1"
            && status
                .problems
                .iter()
                .any(|problem| problem.contains("did not arrive within"))
    });
    world.known(|known| known.drip = Some(true));
    world.until("endless data are cut off", |status| {
        status.policy_version == "1"
            && status
                .problems
                .iter()
                .any(|problem| problem.contains("is longer than"))
    });
    world.known(|known| known.drip = None);
    world.until("and it goes on", |status| status.policy_version == "2");
}

#[test]
fn roads_that_make_no_sense_are_refused() {
    let world = World::new();
    let with = |url: &str, reference: &str| {
        cmdai_sensor::set_roads(
            &world.places,
            &Roads {
                directory: None,
                git: Some(Git {
                    url: url.to_owned(),
                    reference: reference.to_owned(),
                }),
            },
        )
    };
    assert!(with("ext::sh -c whoami", "refs/heads/main").is_err());
    assert!(with("--upload-pack=whoami", "refs/heads/main").is_err());
    assert!(with("https://git.example/policy", "main").is_err());
    assert!(with("https://git.example/policy", "refs/heads/main").is_ok());
    assert_eq!(
        cmdai_sensor::roads(&world.places)
            .unwrap()
            .git
            .unwrap()
            .reference,
        "refs/heads/main"
    );
}
