//! Roots, proofs and notes against independent implementations.

use base64::Engine as _;
use cmdai_ledger::{
    Frontier, Signer, consistency_proof, inclusion_proof, open_checkpoint, origin_of, root_of,
    verify_consistency, verify_inclusion,
};
use cmdai_schema::Hash;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::Sha256;

fn events(count: u32) -> Vec<Hash> {
    (0..count).map(|n| Hash::of(&[&n.to_be_bytes()])).collect()
}

fn bytes(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

#[test]
fn roots_and_proofs_are_those_of_another_implementation() {
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut frontier = Frontier::default();
    let all = events(40);
    for (at, event) in all.iter().enumerate() {
        tree.push(event.0.to_vec());
        frontier.push(*event);
        let now = &all[..=at];
        let root = frontier.root();
        assert_eq!(root.0[..], tree.root().as_bytes()[..]);
        assert_eq!(root, root_of(now));
        for index in 0..now.len() {
            let proof = inclusion_proof(now, index as u64).unwrap();
            assert_eq!(bytes(&proof), tree.prove_inclusion(index).as_bytes());
            verify_inclusion(&now[index], index as u64, now.len() as u64, &root, &proof).unwrap();
        }
        for old in 1..=now.len() {
            let proof = consistency_proof(now, old as u64).unwrap();
            let theirs = tree.prove_consistency(now.len() - old);
            assert_eq!(bytes(&proof), theirs.as_bytes(), "{old} of {}", now.len());
            verify_consistency(
                old as u64,
                &root_of(&now[..old]),
                now.len() as u64,
                &root,
                &proof,
            )
            .unwrap();
        }
    }
}

#[test]
fn wrong_proofs_prove_nothing() {
    let all = events(21);
    let root = root_of(&all);
    let proof = inclusion_proof(&all, 5).unwrap();
    assert!(verify_inclusion(&all[6], 5, 21, &root, &proof).is_err());
    assert!(verify_inclusion(&all[5], 6, 21, &root, &proof).is_err());
    assert!(verify_inclusion(&all[5], 5, 21, &root, &proof[1..]).is_err());
    assert!(verify_inclusion(&all[5], 21, 21, &root, &proof).is_err());
    assert!(inclusion_proof(&all, 21).is_err());
    let grown = consistency_proof(&all, 9).unwrap();
    let old = root_of(&all[..9]);
    verify_consistency(9, &old, 21, &root, &grown).unwrap();
    assert!(verify_consistency(8, &old, 21, &root, &grown).is_err());
    assert!(verify_consistency(9, &root_of(&all[1..10]), 21, &root, &grown).is_err());
    assert!(verify_consistency(9, &old, 21, &old, &grown).is_err());
    assert!(verify_consistency(9, &old, 21, &root, &grown[..grown.len() - 1]).is_err());
    assert!(verify_consistency(21, &old, 9, &root, &grown).is_err());
    assert!(verify_consistency(21, &root, 21, &root, &[]).is_ok());
}

#[test]
fn another_implementation_reads_the_note() {
    use signed_note::{Note, StandardVerifier, VerifierList};
    let mut frontier = Frontier::default();
    for event in events(5) {
        frontier.push(event);
    }
    let signer = Signer::new(origin_of("acme"), &[3; 32]);
    let checkpoint = signer.checkpoint(&frontier, "2026-01-01T00:00:00Z");
    let note = Note::from_bytes(checkpoint.note.as_bytes()).unwrap();
    let verifier = StandardVerifier::new(&signer.verifier_key()).unwrap();
    let (verified, others) = note
        .verify(&VerifierList::new(vec![Box::new(verifier)]))
        .unwrap();
    assert_eq!((verified.len(), others.len()), (1, 0));
    let expected = format!(
        "cmdai/acme\n5\n{}\ntime 2026-01-01T00:00:00Z\n",
        base64::engine::general_purpose::STANDARD.encode(frontier.root().0)
    );
    assert_eq!(note.text(), expected.as_bytes());
}

#[test]
fn checkpoints_are_bound_to_key_and_fields() {
    let signer = Signer::new(origin_of("acme"), &[3; 32]);
    let other = Signer::new(origin_of("acme"), &[4; 32]);
    let good = signer.checkpoint(&Frontier::default(), "2026-01-01T00:00:00Z");
    open_checkpoint(&good, &signer.public_key()).unwrap();
    open_checkpoint(&good, &signer.verifier_key()).unwrap();
    assert!(open_checkpoint(&good, &other.public_key()).is_err());
    assert!(open_checkpoint(&good, "no key").is_err());
    for change in [0, 1, 2, 3] {
        let mut bad = good.clone();
        match change {
            0 => bad.tree_size = 1,
            1 => bad.time = "2026-01-02T00:00:00Z".to_owned(),
            2 => bad.root = bad.root.to_uppercase(),
            _ => bad.note = bad.note.replace("time 2026-01-01", "time 2026-01-02"),
        }
        assert!(open_checkpoint(&bad, &signer.public_key()).is_err());
    }
}
