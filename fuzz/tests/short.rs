//! Every target, briefly: seeds as they are, seeds with a little damage, and bytes of no meaning.

use std::collections::BTreeSet;

use bary_fuzz::target::{TABLE, Target};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any};
use proptest::sample::{Index, select};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

/// How often each target is tried with each kind of input.
const CASES: u32 = 200;
/// Numbers at whose edges decoders go wrong.
const EDGES: [u8; 5] = [0, 1, 0x7f, 0x80, 0xff];

/// A runner whose dice are the same each time.
fn runner() -> TestRunner {
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..Default::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// A seed of which bytes were changed, a stretch was doubled or left out, or the end was cut off.
fn damaged(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<Index>(), select(&EDGES[..])), 0..4);
    let stretch = (any::<Index>(), any::<Index>(), 0..4_u8);
    (select(seeds), changes, stretch).prop_map(|(mut seed, changes, (from, to, what))| {
        if seed.is_empty() {
            return seed;
        }
        for (at, byte) in changes {
            let at = at.index(seed.len());
            seed[at] = byte;
        }
        let (from, to) = (from.index(seed.len()), to.index(seed.len()));
        let (from, to) = (from.min(to), from.max(to));
        match what {
            0 => seed.truncate(from.max(1)),
            1 => drop(seed.drain(from..to)),
            2 => seed.extend_from_within(from..to),
            _ => {}
        }
        seed
    })
}

fn try_all(target: &Target, inputs: impl Strategy<Value = Vec<u8>>) {
    let tried = runner().run(&inputs, |bytes| {
        (target.run)(&bytes);
        Ok(())
    });
    assert!(
        tried.is_ok(),
        "{}: {}",
        target.name,
        tried.err().map_or(String::new(), |e| e.to_string())
    );
}

#[test]
fn every_target_takes_its_seeds_and_what_is_near_them() {
    for target in TABLE {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        seeds.iter().for_each(|seed| (target.run)(seed));
        try_all(target, damaged(seeds));
    }
}

#[test]
fn every_target_takes_bytes_of_no_meaning() {
    for target in TABLE {
        (target.run)(&[]);
        try_all(target, vec(any::<u8>(), 1..300));
        // Decoders with a version look no further at another.
        try_all(
            target,
            (Just(1_u8), vec(any::<u8>(), 1..300)).prop_map(|(version, mut bytes)| {
                bytes.insert(0, version);
                bytes
            }),
        );
    }
}

#[test]
fn seeds_are_good_where_a_target_tells() {
    use bary_fuzz::{identity, job, wire};
    let all = |seeds: Vec<Vec<u8>>, good: fn(&[u8]) -> bool| seeds.iter().all(|seed| good(seed));
    assert!(all(wire::batch_seeds(), |bytes| bary_wire::batch::decode(bytes).is_ok()));
    assert!(all(wire::frame_seeds(), |bytes| bary_wire::frame::decode(bytes).is_ok()));
    assert!(all(wire::snapshot_seeds(), |bytes| bary_wire::snapshot::decode(bytes).is_ok()));
    assert!(all(job::spec_seeds(), |bytes| bary_api::spec::decode(bytes).is_ok()));
    let verified = |bytes: &[u8]| bary_identity::audit::reader::verify(bytes, None).is_ok();
    assert!(all(identity::audit_seeds(), verified));
}

#[test]
fn each_target_has_a_fuzzer() {
    let manifest = include_str!("../targets/Cargo.toml");
    let named = manifest.split("[[bin]]").skip(1).filter_map(|table| table.split('"').nth(1));
    let names: BTreeSet<&str> = TABLE.iter().map(|target| target.name).collect();
    assert_eq!(named.collect::<BTreeSet<_>>(), names);
}
