//! The flags of `bary bench`.

use clap::ValueEnum;

/// What stands below the flags.
const NOTES: &str = "\
Nodes are processes of this machine that are one cluster, over states that are gone afterwards.
Beside each figure stands what the published work-stealing system claims of the same scene.

Examples:
  bary bench
  bary bench burst --runs 5
  bary bench burst --policy work-stealing -o json";

/// Scenes of work on real nodes of this machine.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(crate) struct BenchArgs {
    /// Which scenes; all where absent
    #[arg(value_name = "SCENE", value_enum)]
    pub(crate) scenes: Vec<Scene>,
    /// How many nodes there are, each with one slot
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) nodes: u32,
    /// How often each scene is played, by nodes that begin anew; medians are shown
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) runs: u32,
    /// How tasks are placed, as in bary up
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Option<String>,
}

/// A scene of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scene {
    /// Twenty tasks of a second in rapid succession
    Burst,
    /// Ten tasks of a second, one each 1.5 s
    Gradual,
    /// Five tasks of five seconds
    Long,
}
