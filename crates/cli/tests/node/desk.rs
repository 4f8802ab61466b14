//! A node with the program that asks it.

use crate::bench::{Bench, Run};
use crate::standing::Standing;

/// A node with the program that asks it over its socket.
pub(crate) struct Desk {
    pub(crate) bench: Bench,
    pub(crate) node: Standing,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let bench = Bench::new();
        let node = Standing::up(&bench, &["-j", "2"]);
        Self { bench, node }
    }

    pub(crate) fn bary(&self, words: &[&str]) -> Run {
        let mut command = self.bench.command(words);
        command.env("BARY_ADDR", self.bench.path().join("s"));
        Run::of(command.output().expect("the program is built"))
    }
}
