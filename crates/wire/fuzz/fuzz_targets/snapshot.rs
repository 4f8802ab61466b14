//! Any bytes are refused, or a snapshot; a ledger that it makes holds together.
#![no_main]

use bary_ledger::ledger::Ledger;
use bary_wire::snapshot;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(read) = snapshot::decode(bytes) else { return };
    let Ok(ledger) = Ledger::restore(read) else { return };
    ledger.check();
    assert_eq!(Ledger::restore(ledger.snapshot()), Ok(ledger));
});
