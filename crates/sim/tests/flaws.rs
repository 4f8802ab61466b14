//! The alarm rings: each bug that is put back is found within a thousand seeds, in a world in
//! which nothing is found without it.

use std::panic;

use bary_engine::flaw::Flaw;
use bary_sim::hunt;
use bary_sim::hunt::case::Case;

/// So many seeds a hunt may need.
const SEEDS: u64 = 1_000;

/// Hunts from the seed that is known to find the bug first, and then through all others.
fn rings(flaw: Flaw, known: u64) {
    rings_as(flaw, known, |_| true);
}

/// The same, where it has to be found by an invariant that is meant.
fn rings_as(flaw: Flaw, known: u64, meant: impl Fn(&str) -> bool) {
    panic::set_hook(Box::new(|_| {}));
    let finds = |seed: &u64| {
        let with = Case { flaw: Some(flaw), ..Case::of(*seed) };
        let finding = hunt::run(&with.plan()).finding;
        let found = finding.is_some_and(|finding| meant(finding.name()));
        found && hunt::run(&Case::of(*seed).plan()).finding.is_none()
    };
    let first = (known..SEEDS).chain(0..known).find(finds);
    drop(panic::take_hook());
    assert!(first.is_some(), "{flaw:?} was not found in {SEEDS} seeds");
}

#[test]
fn a_dropped_fence_check_is_found() {
    rings(Flaw::NoFenceCheck, 1);
}

#[test]
fn an_early_acknowledgement_is_found() {
    rings(Flaw::EarlyAcknowledgement, 0);
}

#[test]
fn a_forgotten_lease_is_found() {
    rings(Flaw::LeaseForgotten, 8);
}

#[test]
fn a_retract_beside_a_start_is_found() {
    rings(Flaw::RetractNotSerialised, 5);
}

#[test]
fn a_replay_that_calls_a_policy_is_found() {
    rings(Flaw::ReplayCallsPolicy, 8);
}

#[test]
fn a_stale_incarnation_is_found() {
    rings(Flaw::StaleIncarnation, 0);
}

#[test]
fn a_gate_that_is_left_open_is_found() {
    rings(Flaw::GateLeftOpen, 0);
}

#[test]
fn a_forgotten_drain_is_found() {
    rings(Flaw::DrainForgotten, 0);
}

#[test]
fn a_forgotten_checkpoint_is_found() {
    rings(Flaw::CheckpointForgotten, 0);
}

#[test]
fn a_gang_that_is_granted_by_parts_is_found() {
    rings(Flaw::GangByParts, 0);
}

#[test]
fn a_forgotten_farewell_is_found_as_one() {
    rings_as(Flaw::FarewellForgotten, 258, |invariant| invariant == "farewell");
}

#[test]
fn a_forgotten_decree_is_found() {
    rings(Flaw::DecreeForgotten, 0);
}
