//! The keys of scenarios: that each is told of and good, and what is refused.

use bary_jobfile::keys::{Key, Shape};
use bary_sim::lab::keys::attempts::ATTEMPTS;
use bary_sim::lab::keys::gossip::GOSSIP;
use bary_sim::lab::keys::nodes::NODES;
use bary_sim::lab::keys::scaling::SCALING;
use bary_sim::lab::keys::{NETWORK, TOP, WORKLOAD};
use bary_sim::lab::measures::MEASURES;
use bary_sim::lab::sample::SAMPLES;

use crate::{refused, scenario};

#[test]
fn what_is_wrong_is_told_with_its_line_and_a_fix() {
    let table = [
        ("[[nodes]]\ncuont = 2", "x.toml:2:1", "did you mean `count`"),
        ("seeds = 0", "x.toml:1:9", "from 1 to 1000"),
        ("unit = \"10 parsecs\"", "x.toml:1:8", "10 parsecs"),
        ("policies = [\"gravity\", \"graviti\"]", "x.toml:1:24", "no policy is called"),
        ("[[workload]]\nrho = 0.8", "x.toml:2:7", "write arrivals = \"poisson\""),
        ("[[workload]]\narrivals = \"even\"", "x.toml:2:12", "add every"),
        ("[[workload]]\narrivals = \"poisson\"\nrate = 1\nrho = 0.5", "x.toml:4:7", "leave one"),
        ("[[workload]]\nwidth = 5", "x.toml:2:9", "add graph"),
        ("[[workload]]\ncpus = 2", "x.toml:2:8", "no node has"),
        ("[[workload]]\ngang = 11", "x.toml:2:8", "there is room for 10 at most"),
        ("[[workload]]\ngraph = \"tree\"\ngang = 2", "x.toml:3:8", "leave one of them out"),
        (
            "[[workload]]\nweights = { law = \"uniform\", least = 5, most = 2 }",
            "x.toml:2:48",
            "above",
        ),
        ("[network]\nlatencies = [[\"1ms\", \"2ms\"]]", "x.toml:2:13", "a row for each"),
        ("[network]\nbandwidths = [[\"1MB\", \"2MB\"]]", "x.toml:2:14", "a row for each"),
        ("[network]\nbandwidth = 0", "x.toml:2:13", "not zero"),
        ("[[fault]]\nkind = \"crash\"\nnodes = [10]", "x.toml:3:9", "the nodes are 0 to 9"),
        ("[[fault]]\nkind = \"death\"\nregion = \"mars\"", "x.toml:3:10", "meets no node"),
        ("[[fault]]\nkind = \"slow\"\nnodes = 1\nroom = 5", "x.toml:4:8", "it is of full"),
        ("[[fault]]\nkind = \"eio\"\nnodes = 3", "x.toml:3:9", "the homes are 0"),
        ("[[fault]]\nkind = \"bridge\"\nnodes = 3", "x.toml:2:8", "add by = 0"),
        ("[[fault]]\nkind = \"bridge\"\nnodes = 3\nby = 99", "x.toml:4:6", "the nodes are 0"),
        ("[attempts]\nhangs = 1", "x.toml:2:9", "add timeout"),
        ("[attempts]\nsilent = 1", "x.toml:2:10", "add heartbeat"),
        ("[attempts]\nfails = -1", "x.toml:2:9", "from 0 to 100"),
        ("[network]\nlate_max = \"1s\"", "x.toml:2:12", "add late"),
        ("[[nodes]]\ndrift = 999_999", "x.toml:2:9", "from -200000"),
        ("[gossip]\nprobe = \"1s\"\ntimeout = \"1s\"", "x.toml:3:11", "a longer `probe`"),
        ("[[scaling]]\nrule = \"wait\"\nbill = \"1h\"", "x.toml:3:8", "it is of cost"),
        ("[[scaling]]\nrule = \"fixed\"\nband = 5", "x.toml:3:8", "write rule = \"wait\""),
        ("homes = 3\n[[scaling]]\nrule = \"wait\"\nleast = 2", "x.toml:4:9", "homes stay"),
        ("[[scaling]]\nrule = \"wait\"\nmost = 11", "x.toml:3:8", "from 1 to 10"),
        ("[gossip]\n[[scaling]]\nrule = \"wait\"", "x.toml:1", "leave out gossip or scaling"),
        ("[[workload]]\narrivals = \"adaptive\"\nrho = 1", "x.toml:3:7", "how often it is looked"),
        ("[[workload]]\narrivals = \"adaptive\"\nerror = 1", "x.toml:3:9", "leave it out"),
        ("[[workload]]\nperiod = \"1h\"", "x.toml:2:10", "write arrivals = \"wave\""),
        (
            "[[workload]]\narrivals = \"adaptive\"\nadaptive = { lightest = 20 }",
            "x.toml:3:12",
            "below `heaviest`",
        ),
        ("[gossip]\n[[nodes]]\ncount = 301", "x.toml", "scenario_gossip_nodes_max"),
        ("[[workload]]\ntrace = \"u.swf\"", "x.toml:2:9", "name a file beside"),
        ("[[workload]]\ntrace = \"t.swf\"\ntasks = 3", "x.toml:2:9", "leave one of them out"),
        ("homes = 11", "x.toml:1:9", "more than as many homes"),
        ("[[nodes]]\ncount = 100_000\n[[nodes]]", "x.toml", "scenario_nodes_max"),
        ("[[workload]]\ntasks = 4_000_000\n[[workload]]", "x.toml", "scenario_tasks_max"),
    ];
    for (text, place, fix) in table {
        let told = refused(text);
        assert!(told.contains(place) && told.contains(fix), "{text}\n gives\n{told}");
    }
}

#[test]
fn every_key_and_every_measure_is_on_the_page_of_the_simulator() {
    let page = include_str!("../../../../docs/simulator.md");
    let mut missing = Vec::new();
    keys(&TOP, &mut |key| {
        if !page.contains(&format!("| `{}` |", key.name)) {
            missing.push(key.name);
        }
    });
    let columns = MEASURES.iter().map(|measure| measure.name);
    missing.extend(columns.filter(|name| !page.contains(&format!("`{name}`"))));
    missing
        .extend(SAMPLES.iter().map(|one| one.name).filter(|n| !page.contains(&format!("`{n}`"))));
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn a_scenario_that_is_written_names_every_key_and_is_read_as_its_sample_is() {
    for sample in &SAMPLES {
        let text = sample.with_all_keys();
        keys(&TOP, &mut |key| {
            let line = format!("# {}", key.example);
            let inner = format!("#     {}", key.example);
            assert!(text.contains(&line) || text.contains(&inner), "{}: {}", sample.name, key.name);
        });
        let (short, whole) = (scenario(sample.text), scenario(&text));
        assert_eq!(format!("{short:?}"), format!("{whole:?}"), "{}", sample.name);
    }
}

#[test]
fn every_example_of_a_key_is_good_where_it_stands() {
    keys(&TOP, &mut |key| assert!(!key.example.is_empty(), "{} has no example", key.name));
    let tables: [(&str, &'static [Key]); 6] = [
        ("[attempts]", &ATTEMPTS),
        ("[network]", &NETWORK),
        ("[gossip]", &GOSSIP),
        ("[[nodes]]", &NODES),
        ("[[workload]]", &WORKLOAD),
        ("[[scaling]]", &SCALING),
    ];
    for (head, keys) in tables {
        for key in keys {
            let told = refused(&format!("{head}\n{}\n", key.example));
            let shape =
                ["expected", "unknown key", "not a "].iter().any(|word| told.contains(word));
            assert!(!shape, "{head} {}: {told}", key.example);
        }
    }
}

fn keys(all: &'static [Key], each: &mut impl FnMut(&'static Key)) {
    for key in all {
        each(key);
        inner(&key.shape, each);
    }
}

fn inner(shape: &'static Shape, each: &mut impl FnMut(&'static Key)) {
    match shape {
        Shape::Record(inner) => keys(inner, each),
        Shape::List(of) | Shape::Map(of) => inner(of, each),
        Shape::Either(shapes) => shapes.iter().for_each(|shape| inner(shape, each)),
        _ => {}
    }
}
