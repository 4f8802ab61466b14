//! What machines are found to be, in scenarios: `capability` places by it, and others do not.

use bary_sim::lab::load::load;
use bary_sim::lab::trial;

use super::{measured, refused, scenario};

/// Which share of the tasks the last node ran.
fn share_of_last(text: &str, policy: &str) -> f64 {
    let scenario = scenario(text);
    let load = load(&scenario, scenario.seed);
    let trial = trial::run(&scenario, &load, policy, scenario.seed);
    let tasks = trial.unwrap_or_else(|error| panic!("{error}")).log.tasks;
    let last = tasks.iter().map(|task| task.node).max().unwrap_or(0);
    assert!(last <= 1, "there are two nodes");
    tasks.iter().filter(|task| task.node == 1).count() as f64 / tasks.len() as f64
}

/// Tasks that come one by one to two nodes of one size, of which the first takes them in.
fn two(first: &str, second: &str) -> String {
    format!(
        "unit = \"10ms\"\n\
         [network]\nlatency = \"10us\"\n\
         [[nodes]]\nslots = 8\n{first}\n\
         [[nodes]]\nslots = 8\n{second}\n\
         [[workload]]\ntasks = 200\narrivals = \"poisson\"\nrho = 0.1\n"
    )
}

#[test]
fn of_two_nodes_of_one_size_the_better_machine_gets_the_tasks() {
    let gpu = |memory: &str| format!("gpus = 1\ngpu_memory = \"{memory}\"");
    for (worse, better) in [
        ("mhz = 1500".to_owned(), "mhz = 4500".to_owned()),
        (gpu("8GiB"), gpu("80GiB")),
        ("bandwidth = \"12.5MB\"".to_owned(), "bandwidth = \"1250MB\"".to_owned()),
        ("lost = 0.2".to_owned(), String::new()),
    ] {
        let (ahead, behind) = (two(&worse, &better), two(&better, &worse));
        for policy in ["capability", "mixed"] {
            let shares = [&ahead, &behind].map(|text| share_of_last(text, policy));
            // What a node holds counts as well, so that it does not get all.
            assert!(shares[0] > 0.6 && shares[1] < 0.3, "{policy}, {better}: {shares:?}");
        }
        let shares =
            [&ahead, &behind].map(|text| share_of_last(text, "least-used,force=shortest-queue"));
        assert_eq!(shares[0], shares[1], "{better}: who does not look goes by the tasks alone");
    }
}

#[test]
fn what_a_machine_is_found_to_be_says_nothing_of_how_long_tasks_take() {
    let took = |text: &str| measured(&scenario(text), "gravity", "makespan_seconds");
    assert_eq!(took(&two("mhz = 1500", "")), took(&two("", "mhz = [4500, 900]")));
}

#[test]
fn machines_that_cannot_be_are_refused() {
    for (wrong, told) in
        [("mhz = 10", "mhz"), ("lost = 2", "lost"), ("bandwidth = -1", "bandwidth")]
    {
        let fault = refused(&two(wrong, ""));
        assert!(fault.contains(told), "{wrong}: {fault}");
    }
}
