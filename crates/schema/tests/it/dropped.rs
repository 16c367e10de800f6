//! Chains with declared holes, and every way of declaring another one.

use cmdai_schema::{
    Absent, AssertedBy, ChainError, ChainWalk, DropCause, Dropped, Event, EventType, Hash, Payload,
};

fn seal(head: (u64, Hash), kind: EventType, payload: Payload) -> Event {
    let (seq, time) = (head.0 + 1, "2026-01-01T00:00:00.000Z".to_owned());
    Event::seal(
        format!("e{seq}"),
        seq,
        head.1,
        time,
        kind,
        "m-1".into(),
        [1; 16],
        payload,
    )
    .unwrap()
}

fn head(events: &[Event]) -> (u64, Hash) {
    (events.last()).map_or((0, Hash::default()), |event| {
        (event.envelope.seq, event.hash().unwrap())
    })
}

fn range(all: &[Event], from: u64, to: u64) -> Dropped {
    let hash = |seq: u64| match seq {
        0 => Hash::default(),
        seq => all[usize::try_from(seq - 1).unwrap()].hash().unwrap(),
    };
    Dropped {
        from,
        to,
        before: hash(from - 1),
        after: hash(to),
        kept: 0,
        why: DropCause::Full,
        first_time: "2026-01-01T00:00:00.000Z".into(),
        last_time: "2026-01-01T00:00:00.000Z".into(),
    }
}

fn gap(dropped: &Dropped) -> Payload {
    Payload {
        asserted_by: AssertedBy::Sensor,
        detail: dropped.detail(),
        ..Payload::default()
    }
}

/// Ten events, then the gap events of `told`, then one more.
fn chain(told: impl Fn(&[Event]) -> Vec<Payload>) -> Vec<Event> {
    let mut all = Vec::new();
    for _ in 0..10 {
        all.push(seal(
            head(&all),
            EventType::CommandExecuted,
            Payload::default(),
        ));
    }
    for payload in told(&all) {
        all.push(seal(head(&all), EventType::Gap, payload));
    }
    all.push(seal(
        head(&all),
        EventType::CommandExecuted,
        Payload::default(),
    ));
    all
}

/// Follows what is there but for the numbers of `absent`, which are told by `told`.
fn follow(all: &[Event], absent: (u64, u64), told: Option<u64>) -> Result<ChainWalk, ChainError> {
    let mut walk = ChainWalk::default();
    let said = Absent {
        from: absent.0,
        to: absent.1,
        told,
    };
    for event in all {
        let seq = event.envelope.seq;
        if (absent.0..=absent.1).contains(&seq) {
            continue;
        }
        walk.follow(event, (seq == absent.1 + 1).then_some(said))?;
    }
    walk.finish("m-1")?;
    Ok(walk)
}

#[test]
fn a_declared_hole_is_accepted_in_one_piece_or_in_several() {
    let one = chain(|all| vec![gap(&range(all, 4, 7))]);
    assert_eq!(follow(&one, (4, 7), Some(11)).unwrap().head(), head(&one));
    let two = chain(|all| vec![gap(&range(all, 1, 3)), gap(&range(all, 4, 7))]);
    assert_eq!(follow(&two, (1, 7), Some(12)).unwrap().head(), head(&two));
    // The reader had some of it: an acknowledgement was lost.
    let wide = chain(|all| vec![gap(&range(all, 2, 7))]);
    assert!(follow(&wide, (4, 7), Some(11)).is_ok());
    assert!(
        follow(&wide, (2, 7), None).is_ok(),
        "who reads offline knows no number"
    );
}

#[test]
fn nothing_else_is_accepted() {
    let unexplained = |all: &[Event], absent, told| {
        let error = follow(all, absent, told).unwrap_err();
        assert!(matches!(error, ChainError::Unexplained { .. }), "{error}");
    };
    let change = |change: fn(&mut Dropped)| {
        let all = chain(|all| {
            let mut dropped = range(all, 4, 7);
            change(&mut dropped);
            vec![gap(&dropped)]
        });
        unexplained(&all, (4, 7), Some(11));
        unexplained(&all, (4, 7), None);
    };
    change(|dropped| dropped.to = 8);
    change(|dropped| dropped.to = 6);
    change(|dropped| dropped.from = 5);
    change(|dropped| dropped.before = Hash([1; 32]));
    change(|dropped| dropped.after = Hash([1; 32]));
    // No word at all, somebody else's word, a word that says something beside.
    unexplained(&chain(|_| Vec::new()), (4, 7), Some(11));
    unexplained(&chain(|_| Vec::new()), (4, 7), None);
    let hook = chain(|all| {
        let mut payload = gap(&range(all, 4, 7));
        payload.asserted_by = AssertedBy::UserHook;
        vec![payload]
    });
    unexplained(&hook, (4, 7), Some(11));
    let odd = chain(|all| {
        let mut payload = gap(&range(all, 4, 7));
        payload.detail.insert("from".into(), "+4".into());
        vec![payload]
    });
    unexplained(&odd, (4, 7), Some(11));
    // Joined with a hole in between, and with a joint that does not fit.
    let holed = chain(|all| vec![gap(&range(all, 1, 3)), gap(&range(all, 5, 7))]);
    unexplained(&holed, (1, 7), Some(12));
    let torn = chain(|all| {
        let mut second = range(all, 4, 7);
        second.before = Hash([1; 32]);
        vec![gap(&range(all, 1, 3)), gap(&second)]
    });
    unexplained(&torn, (1, 7), Some(12));
    // Too late.
    let late = chain(|all| vec![gap(&range(all, 4, 7))]);
    unexplained(&late, (4, 7), Some(9));
    // A jump that nobody declares, or another one.
    let mut walk = ChainWalk::default();
    let jump = walk.follow(&late[7], None).unwrap_err();
    assert!(matches!(jump, ChainError::Sequence { .. }), "{jump}");
    for (from, to, told) in [(1, 6, 11), (2, 7, 11), (1, 7, 7), (0, 7, 11), (1, 8, 11)] {
        let said = Absent {
            from,
            to,
            told: Some(told),
        };
        let other = walk.follow(&late[7], Some(said)).unwrap_err();
        assert!(matches!(other, ChainError::Absent { .. }), "{other}");
    }
    assert_eq!(walk, ChainWalk::default());
}

#[test]
fn a_word_that_is_dropped_itself_may_come_later() {
    let all = chain(|all| {
        let first = gap(&range(all, 1, 3));
        vec![first]
    });
    // Events 1 to 3 are gone, told by 11; then 8 to 11 are gone as well.
    let mut rest = all.clone();
    let later = head(&rest);
    rest.push(seal(later, EventType::Gap, gap(&range(&all, 1, 3))));
    let later = head(&rest);
    rest.push(seal(later, EventType::Gap, gap(&range(&all, 8, 11))));
    let mut walk = ChainWalk::default();
    let say = |from, to, told| {
        Some(Absent {
            from,
            to,
            told: Some(told),
        })
    };
    for event in &rest {
        match event.envelope.seq {
            1..=3 | 8..=11 => {}
            4 => drop(walk.follow(event, say(1, 3, 11)).unwrap()),
            12 => drop(walk.follow(event, say(8, 11, 14)).unwrap()),
            _ => drop(walk.follow(event, None).unwrap()),
        }
    }
    walk.finish("m-1").unwrap();
}
