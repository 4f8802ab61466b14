//! Scenarios: what is read, what is refused, and what policies come to in them.

mod keys;
mod machines;
mod scaled;

use std::path::Path;

use bary_sim::lab::compare::{Row, position};
use bary_sim::lab::keys::fault::KINDS;
use bary_sim::lab::load::load;
use bary_sim::lab::measures::MEASURES;
use bary_sim::lab::page;
use bary_sim::lab::sample::{SAMPLES, named};
use bary_sim::lab::scenario::{Scenario, read};
use bary_sim::lab::trial;

/// A trace in the Standard Workload Format: three jobs of one processor, of 30, 20 and 10 s, the
/// last a minute later; all were said to take 40 s.
const SWF: &str = "; MaxProcs: 4\n\
    1 0 0 30 1 -1 -1 1 40 -1 1 1 1 1 1 -1 -1 -1\n\
    2 0 0 20 1 -1 -1 1 40 -1 1 2 1 1 1 -1 -1 -1\n\
    3 60 0 10 1 -1 -1 1 40 -1 1 1 1 1 1 -1 -1 -1\n";

fn traces(name: &str) -> std::io::Result<Vec<u8>> {
    match name {
        "t.swf" => Ok(SWF.into()),
        "wide.swf" => Ok("1 0 0 30 4 -1 -1 4 40 -1 1 1 1 1 1 -1 -1 -1\n".into()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    }
}

fn scenario(text: &str) -> Scenario {
    match read(text, Path::new("x.toml"), &mut traces) {
        Ok(scenario) => scenario,
        Err(faults) => panic!("{}", faults[0]),
    }
}

fn refused(text: &str) -> String {
    match read(text, Path::new("x.toml"), &mut traces) {
        Ok(_) => String::new(),
        Err(faults) => faults.iter().map(|fault| format!("{fault}\n")).collect(),
    }
}

/// One measure of one run.
fn measured(scenario: &Scenario, policy: &str, measure: &str) -> f64 {
    let load = load(scenario, scenario.seed);
    let trial = trial::run(scenario, &load, policy, scenario.seed);
    let trial = trial.unwrap_or_else(|error| panic!("{error}"));
    let at = position(measure).unwrap_or_else(|| panic!("{measure} is a measure"));
    (MEASURES[at].of)(&trial.measures)
}

fn sample(name: &str) -> Scenario {
    scenario(named(name).map_or("", |sample| sample.text))
}

#[test]
fn every_sample_runs_to_its_end_with_its_first_policies() {
    for one in &SAMPLES {
        let scenario = sample(one.name);
        for policy in scenario.policies.iter().take(2) {
            let left = measured(&scenario, &policy.name, "tasks_left");
            assert!(left < 1.0, "{} with {}: {left} tasks left", one.name, policy.name);
        }
    }
}

#[test]
fn a_burst_and_long_tasks_take_hardly_longer_than_they_must() {
    let (burst, long) = (sample("burst"), sample("long"));
    let took = measured(&burst, "gravity", "makespan_seconds");
    assert!((4.0..=4.2).contains(&took), "burst took {took}");
    let took = measured(&long, "gravity", "makespan_seconds");
    assert!((5.0..=5.3).contains(&took), "long took {took}");
}

/// Four nodes of four slots; other programs keep two of the machines busy.
const BUSY: &str = "unit = \"100ms\"\n\
    [[nodes]]\ncount = 4\nslots = 4\nbusy = [1, 0]\nbusy_noise = 0.1\n\
    [[workload]]\ntasks = 600\narrivals = \"poisson\"\nrho = 0.25\n";

/// The same rule without what is measured: by the tasks that nodes have.
const QUEUES: &str = "least-used,force=shortest-queue";

#[test]
fn what_machines_do_besides_slows_tasks_down_and_is_avoided_by_who_measures_it() {
    let (busy, idle) = (scenario(BUSY), scenario(&BUSY.replace("busy = [1, 0]", "busy = 0")));
    let took = |scenario, policy| measured(scenario, policy, "response_mean_seconds");
    let (used, shortest) = (took(&busy, "least-used"), took(&busy, QUEUES));
    assert!(used < 0.9 * shortest, "least-used {used}, by queues alone {shortest}");
    assert!(used > took(&idle, "least-used"), "what is busy takes longer");
    // Where nothing else runs both go by the tasks that nodes have.
    let quiet = (took(&idle, "least-used"), took(&idle, QUEUES));
    assert!((quiet.0 / quiet.1 - 1.0).abs() < 0.1, "{quiet:?}");
    assert!(measured(&busy, "gravity", "tasks_left") < 1.0);
}

#[test]
fn gravity_balances_better_than_lots_do() {
    let scenario = sample("default");
    let gravity = measured(&scenario, "gravity", "balance");
    let random = measured(&scenario, "random", "balance");
    assert!(gravity > 99.5 && random < 97.0, "{gravity} and {random}");
}

#[test]
fn the_same_seed_gives_the_same_measures_and_another_seed_others() {
    let text =
        "seeds = 1\n[[workload]]\ntasks = 300\nerror = 0.5\narrivals = \"poisson\"\nrho = 0.7";
    let scenario = scenario(text);
    let run = |seed: u64| {
        let drawn = load(&scenario, seed);
        trial::run(&scenario, &drawn, "gravity", seed).map(|trial| trial.measures)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn no_run_ends_before_its_bound() {
    let graph = "[[workload]]\ngraph = \"stencil\"\ntasks = 90\nwidth = 9\ndepth = 5\nerror = 0.4";
    let wild = "[[nodes]]\ncount = 4\nspeed = [0.5, 4]\n[[workload]]\ntasks = 200\n\
                weights = { law = \"pareto\" }";
    let cores = "[[nodes]]\ncount = 3\nslots = 4\n[[workload]]\ntasks = 100\ncpus = 2";
    for text in [graph, wild, cores] {
        for policy in ["gravity", "work-stealing", "random"] {
            let over = measured(&scenario(text), policy, "makespan_over_bound");
            assert!(over >= 1.0 - 1e-9, "{policy}: {over} in {text}");
        }
    }
}

#[test]
fn weights_that_are_wrong_are_known_only_by_what_tasks_take() {
    let text = "[[nodes]]\ncount = 1\n[[workload]]\ntasks = 50\nweights = { law = \"constant\" }\n";
    let exact = measured(&scenario(text), "gravity", "makespan_seconds");
    let wrong = scenario(&format!("{text}error = 1.0"));
    let drawn = load(&wrong, 1);
    let real: f64 = drawn.tasks.iter().map(|task| task.real).sum();
    let took = measured(&wrong, "gravity", "makespan_seconds");
    assert!((took - exact).abs() > 0.01, "{took} and {exact} differ");
    assert!((took - real * 0.01).abs() < 0.1 * took, "{took} is {real} units of 10 ms");
}

#[test]
fn the_tasks_of_a_gang_start_together_whoever_has_room_for_some_of_them() {
    let text = "unit = \"1s\"\n[[nodes]]\ncount = 4\n[[workload]]\ntasks = 11\n\
                weights = { law = \"constant\" }\n";
    let alone = measured(&scenario(text), "gravity", "makespan_seconds");
    assert!(alone < 4.0, "eleven seconds of work take three turns of four nodes: {alone}");
    let gangs = scenario(&format!("{text}gang = 3\nerror = 0.1"));
    let drawn = load(&gangs, 1);
    assert_eq!((drawn.jobs.len(), drawn.tasks.len()), (4, 12), "there are whole gangs");
    let least: f64 = drawn.tasks.iter().map(|task| task.real / 3.0).sum();
    for policy in ["gravity", "work-stealing"] {
        let took = measured(&gangs, policy, "makespan_seconds");
        assert!(took >= least, "{policy}: no two gangs of three fit four nodes: {took}");
        assert!(measured(&gangs, policy, "tasks_left") < 1.0, "{policy}");
    }
}

#[test]
fn what_messages_are_lost_or_processes_end_is_done_all_the_same() {
    let text = "homes = 2\n[[nodes]]\ncount = 6\n[network]\nloss = 0.05\n\
                [[workload]]\ntasks = 200\n\
                [[fault]]\nkind = \"crash\"\nnodes = [2, 4]\nat = \"50ms\"";
    assert!(measured(&scenario(text), "gravity", "tasks_left") < 1.0);
}

/// Six nodes, two of them homes, whose work goes wrong by itself or on the way.
fn unlucky(words: &str) -> Scenario {
    let text = "homes = 2\n[[nodes]]\ncount = 6\ndrift = [-200, 150]\n[[workload]]\ntasks = 200\n";
    scenario(&format!("{text}{words}"))
}

#[test]
fn all_work_is_done_though_messages_come_twice_late_or_not_at_all() {
    let sound = measured(&unlucky(""), "gravity", "messages_per_task");
    for words in ["twice = 0.2", "late = 0.2\nlate_max = \"300ms\"", "loss = 0.1"] {
        let scenario = unlucky(&format!("[network]\n{words}"));
        assert!(measured(&scenario, "gravity", "tasks_left") < 1.0, "{words}");
        let messages = measured(&scenario, "gravity", "messages_per_task");
        assert!((messages - sound).abs() > 1e-9, "{words} changes nothing: {messages}");
    }
}

#[test]
fn attempts_that_go_wrong_are_made_again_and_what_has_no_attempt_left_is_told() {
    let wrong = ["fails = 20", "hangs = 3\ntimeout = \"20s\"", "silent = 10\nheartbeat = \"20ms\""];
    for words in wrong {
        let scenario = unlucky(&format!("[attempts]\nretries = 20\n{words}"));
        assert!(measured(&scenario, "gravity", "tasks_left") < 1.0, "{words}");
        let failed = measured(&scenario, "gravity", "failed_per_task");
        assert!(failed > 0.01, "{words}: {failed}");
    }
    let poison = unlucky("[attempts]\npoison = 2");
    assert!(measured(&poison, "gravity", "tasks_left") < 1.0);
    let sound = measured(&unlucky(""), "gravity", "makespan_seconds");
    assert!(measured(&poison, "gravity", "makespan_seconds") > sound, "nodes were down");
    let hopeless = unlucky("[attempts]\nfails = 100\nretries = 1");
    assert!((measured(&hopeless, "gravity", "tasks_left") - 200.0).abs() < 0.5);
    assert!((measured(&hopeless, "gravity", "failed_per_task") - 2.0).abs() < 0.01);
}

#[test]
fn times_are_the_worlds_whatever_a_nodes_clock_shows() {
    let took = |words: &str| measured(&scenario(words), "gravity", "makespan_seconds");
    let text = "[[nodes]]\ncount = 6\ndrift = 0\n";
    let right = took(text);
    let fast = took(&text.replace("= 0", "= 100_000"));
    assert!((fast / right - 1.0).abs() < 0.01, "{fast} and {right}");
    let jump = "[[fault]]\nkind = \"jump\"\nnodes = [1, 2]\nat = \"1s\"\nahead = \"1h\"\n";
    let jumped = took(&format!("{text}{jump}"));
    assert!((jumped / right - 1.0).abs() < 0.01, "{jumped} and {right}");
}

/// Six nodes, two of them homes, and what goes wrong at 50 ms.
fn troubled(fault: &str) -> Scenario {
    let text = "homes = 2\nsync = \"2ms\"\n[[nodes]]\ncount = 6\n[[workload]]\ntasks = 200\n";
    scenario(&format!("{text}[[fault]]\nat = \"50ms\"\n{fault}"))
}

#[test]
fn every_kind_of_fault_can_be_asked_for_and_all_work_is_done_after_those_that_pass() {
    let table = [
        ("crash", "nodes = 2"),
        ("power", "nodes = 0"),
        ("death", "nodes = 5"),
        ("pause", "nodes = [1, 2]"),
        ("slow", "nodes = 4\nlag = \"5ms\""),
        ("jump", "nodes = 3\nahead = \"1m\""),
        ("partition", "nodes = [0, 1]"),
        ("one-way", "nodes = [0, 1]"),
        ("deaf", "nodes = [2, 3]"),
        ("bridge", "nodes = [0, 1]\nby = 5"),
        ("flap", "nodes = [0, 1]\nperiod = \"100ms\""),
        ("false-left", "nodes = 4\nby = 0"),
        ("eio", "nodes = 0"),
        ("full", "nodes = 3\nroom = \"2kB\""),
        ("slow-disk", "nodes = 0\nsync = \"100ms\""),
        ("takeover", "nodes = 0\nby = 2"),
        ("rot", "nodes = 0"),
    ];
    assert_eq!(table.map(|(kind, _)| kind).len(), KINDS.len());
    for (kind, rest) in table {
        assert!(KINDS.contains(&kind));
        let scenario = troubled(&format!("kind = \"{kind}\"\n{rest}"));
        let left = measured(&scenario, "gravity", "tasks_left");
        assert!(left < 1.0 || kind == "rot", "{kind}: {left} tasks left");
    }
}

#[test]
fn who_gossips_does_the_same_work_and_notices_who_is_gone() {
    let told = "homes = 2\n[[nodes]]\ncount = 30\n[[workload]]\ntasks = 600\n";
    let gossiped = format!("{told}[gossip]\nprobe = \"500ms\"\ntimeout = \"100ms\"\n");
    let took = |text: &str| measured(&scenario(text), "gravity", "makespan_seconds");
    let (told, met) = (took(told), took(&gossiped));
    assert!((met / told - 1.0).abs() < 0.1, "{met} is about {told}: all had met");
    let death = "[[fault]]\nkind = \"death\"\nnodes = [7, 8]\nat = \"100ms\"\n";
    let late = took(&format!("{gossiped}{death}"));
    assert!(late > met + 1.0, "{late}: what died is noticed by probes, after {met}");
}

#[test]
fn a_trace_is_lived_again_whatever_is_known_of_it() {
    for knows in ["exact", "declared", "nothing"] {
        let text =
            format!("[[nodes]]\ncount = 2\n[[workload]]\ntrace = \"t.swf\"\nknows = \"{knows}\"");
        let scenario = scenario(&text);
        let took = measured(&scenario, "gravity", "makespan_seconds");
        assert!((70.0..70.1).contains(&took), "{knows}: {took}");
        let slowdown = measured(&scenario, "gravity", "slowdown_mean");
        assert!((1.0..1.01).contains(&slowdown), "{knows}: {slowdown}");
    }
}

#[test]
fn bytes_are_moved_only_where_a_task_reads_what_another_node_made() {
    let text = |nodes| {
        format!(
            "[[nodes]]\ncount = {nodes}\n[[workload]]\ngraph = \"map-reduce\"\nwidth = 4\n\
                 tasks = 8\noutput = \"1MB\""
        )
    };
    assert!(measured(&scenario(&text(1)), "gravity", "megabytes_moved") < 0.1);
    let moved = measured(&scenario(&text(4)), "gravity", "megabytes_moved");
    assert!((4.0..=16.0).contains(&moved), "{moved}");
}

#[test]
fn a_page_holds_every_policy_and_no_script_whatever_things_are_called() {
    let hostile = "</title><script>alert(1)</script>";
    let text = format!(
        "name = \"{hostile}\"\nseeds = 1\n[[nodes]]\nregion = \"{hostile}\"\ncount = 3\n\
                        [[workload]]\ntasks = 30\nowners = 2"
    );
    let scenario = scenario(&text);
    let drawn = load(&scenario, 1);
    let trial = trial::run(&scenario, &drawn, "gravity", 1).unwrap_or_else(|e| panic!("{e}"));
    let rows = [Row { policy: "gravity".into(), runs: vec![(1, trial.measures.clone())] }];
    let page = page::html(&page::Report {
        scenario: &scenario,
        rows: &rows,
        logs: &[("gravity", &drawn, &trial.log)],
        judged_by: 1,
    });
    assert!(page.contains("gravity") && !page.contains("<script"));
    assert!(!page.contains(" src=") && !page.contains(" href="));
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert_eq!(page.matches("<svg").count(), 5);
}

#[test]
fn a_row_tells_the_median_of_its_runs() {
    let scenario = scenario("seeds = 3\n[[workload]]\ntasks = 40");
    let runs = (1..=3).map(|seed| {
        let drawn = load(&scenario, seed);
        let trial = trial::run(&scenario, &drawn, "gravity", seed);
        (seed, trial.unwrap_or_else(|error| panic!("{error}")).measures)
    });
    let row = Row { policy: "gravity".into(), runs: runs.collect() };
    let makespan = row.middle(position("makespan_seconds").unwrap_or(0));
    assert!(makespan.min <= makespan.median && makespan.median <= makespan.max);
    assert!(makespan.min < makespan.max, "seeds differ");
}
