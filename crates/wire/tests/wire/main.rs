//! What is written is read back, and nothing else makes a decoder panic.

mod golden;
mod hostile;
mod ledger;
mod referring;
mod round_trip;
mod strategy;
mod talk;

#[path = "../../../ledger/tests/history/mod.rs"]
mod history;
