//! `bench`: measures, and prints each figure with its bound and its peer.

mod balance;
pub(crate) mod bary;
mod blob;
mod commands;
mod durable;
mod engine;
mod figure;
mod functions;
mod gossip;
mod graphs;
mod loading;
mod members;
mod memory;
mod node;
mod peers;
mod placing;
mod sim;
mod start;
mod swap;
mod topology;
mod traces;
mod trial;

use crate::bench::figure::Row;
use crate::repo::Repo;

/// One benchmark.
pub(crate) struct Bench {
    /// What `cargo xtask bench` calls it.
    name: &'static str,
    /// What it measures, in a few words.
    what: &'static str,
    /// Measures; the error says why it could not.
    run: fn(&Repo) -> Result<Vec<Row>, String>,
}

/// All benchmarks.
const BENCHES: &[Bench] = &[
    Bench { name: "array", what: "a million no-op functions, one array", run: functions::array },
    Bench {
        name: "distinct",
        what: "a million no-op functions, each its own",
        run: functions::distinct,
    },
    Bench {
        name: "durable",
        what: "the same with --state, and how fast a state is read again",
        run: durable::run,
    },
    Bench { name: "engine", what: "task lives of the engine alone", run: engine::run },
    Bench {
        name: "commands",
        what: "programs that do nothing, two at a time, against xargs",
        run: commands::run,
    },
    Bench { name: "start", what: "from the command typed to the first result", run: start::run },
    Bench { name: "memory", what: "resident memory, idle and with a huge array", run: memory::run },
    Bench { name: "balance", what: "a thousand sleeps over ten nodes", run: balance::run },
    Bench { name: "node", what: "a node that stays, under load", run: node::run },
    Bench {
        name: "members",
        what: "members of a cluster: PIDS' run, the wire, a killed one's tasks",
        run: members::run,
    },
    Bench {
        name: "peers",
        what: "functions beside process pools, Celery, Dask, Ray and JetStream",
        run: peers::run,
    },
    Bench {
        name: "swap",
        what: "a policy swapped on a node, beside what the simulator foretold",
        run: swap::run,
    },
    Bench { name: "sim", what: "the simulator, and the placement that it shows", run: sim::run },
    Bench {
        name: "gossip",
        what: "a thousand members that gossip: bytes, joins, churn, false suspicions",
        run: gossip::run,
    },
    Bench {
        name: "topology",
        what: "regions, jobs between them, and level flow",
        run: topology::run,
    },
    Bench {
        name: "graphs",
        what: "public task graphs (BARY_DATA): beside optimal schedules and bounds",
        run: graphs::run,
    },
    Bench {
        name: "traces",
        what: "public logs of clusters (BARY_DATA): waits, slowdowns, utilisation",
        run: traces::run,
    },
    Bench { name: "loading", what: "how fast large traces are read", run: loading::run },
    Bench {
        name: "placing",
        what: "what a task costs its home with a thousand nodes, under every preset",
        run: placing::run,
    },
    Bench {
        name: "blob",
        what: "a large result between two members, beside a plain copy over TLS",
        run: blob::run,
    },
    Bench { name: "makespan", what: "a thousand sleeps on four slots", run: balance::makespan },
];

/// The benchmarks called `name`; all of them for `all` or for no name.
pub(crate) fn chosen(name: Option<&str>) -> Result<Vec<&'static Bench>, String> {
    let wanted = |bench: &&Bench| name.is_none_or(|name| name == "all" || name == bench.name);
    let benches: Vec<_> = BENCHES.iter().filter(wanted).collect();
    if benches.is_empty() {
        return Err(format!("there is no benchmark `{}`", name.unwrap_or_default()));
    }
    Ok(benches)
}

/// Prints the names.
pub(crate) fn list() -> bool {
    BENCHES.iter().for_each(|bench| println!("{:<12} {}", bench.name, bench.what));
    true
}

/// Runs `benches` and prints their figures; says whether all of them could be measured. A bound
/// that is missed is printed, and is not a failure: a busy machine misses bounds.
pub(crate) fn bench(repo: &Repo, benches: &[&Bench], json: bool) -> bool {
    let mut well = true;
    let mut measured = Vec::new();
    for bench in benches {
        eprintln!("measuring {}: {}", bench.name, bench.what);
        match (bench.run)(repo) {
            Ok(rows) => measured.push((bench.name, rows)),
            Err(complaint) => {
                well = false;
                eprintln!("{}: {complaint}", bench.name);
            }
        }
    }
    print!("{}", if json { figure::json(&measured) } else { figure::table(&measured) });
    well
}

#[cfg(test)]
mod tests {
    use super::{BENCHES, chosen};

    #[test]
    fn benches_are_chosen_by_name_or_all() {
        assert_eq!(chosen(Some("commands")).map(|found| found.len()), Ok(1));
        assert_eq!(chosen(Some("all")).map(|found| found.len()), Ok(BENCHES.len()));
        assert!(chosen(Some("nothing")).is_err());
    }
}
