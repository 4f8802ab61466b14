//! Prints what rules of topology do on graphs and jobs that anybody can make again:
//! `regions [recovery|central|level|placing|claims|speed|figures]`, all tables without a word.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it is there to print tables and times"
)]

mod central;
mod claims;
mod jobs;
mod level;
mod placing;
mod recovery;
mod schedule;
mod speed;
mod sums;

use std::process::ExitCode;

fn main() -> ExitCode {
    let word = std::env::args().nth(1);
    match word.as_deref() {
        Some("recovery") => recovery::print(),
        Some("central") => central::print(),
        Some("level") => level::print(),
        Some("placing") => placing::print(),
        Some("claims") => claims::print(),
        Some("speed") => speed::print(),
        Some("figures") => figures(),
        None => {
            recovery::print();
            placing::print();
            level::print();
            central::print();
            claims::print();
            speed::print();
        }
        Some(other) => {
            eprintln!(
                "topology: there is no table {other:?}; there are recovery, central, level, \
                 placing, claims, speed and figures"
            );
            return ExitCode::from(64);
        }
    }
    ExitCode::SUCCESS
}

/// The figures that are held against bounds, each a name and a number.
fn figures() {
    let rows = [recovery::figures(), placing::figures(), level::figures(), speed::figures()];
    for (name, value) in rows.into_iter().flatten() {
        println!("{name} {value:.4}");
    }
}
