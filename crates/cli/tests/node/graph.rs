//! The graph of the cluster, as any member knows it: who is there, how far apart all are, and who
//! leads.

use serde_json::Value;

use crate::lab::{Lab, Member};

/// The graph as a member shows it, once it shows this.
fn graph(lab: &Lab, at: &Member, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let shown = lab.ask(at, &["graph", "-o", "json"]).json();
        if wanted(&shown) {
            return shown;
        }
        std::thread::yield_now();
    }
}

#[test]
fn every_member_knows_all_ways_and_the_leader() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let beta = lab.join("beta", &line);
    let gamma = lab.join("gamma", &line);
    alpha.meets(&beta);
    alpha.meets(&gamma);
    // Ways between the other two are told by them.
    let whole = |shown: &Value| {
        let leads = shown["leader"] != "";
        leads && shown["ways"].as_array().is_some_and(|ways| ways.len() == 3)
    };
    let shown = [&alpha, &beta, &gamma].map(|member| graph(&lab, member, whole));
    for shown in &shown {
        let places = shown["places"].as_array().expect("a list");
        let names: Vec<&str> = places.iter().filter_map(|place| place["name"].as_str()).collect();
        assert_eq!(names.len(), 3, "{shown}");
        let is = |role: &str| places.iter().filter(|place| place["role"] == role).count();
        assert_eq!((is("leader"), is("leaf") + is("home")), (1, 2), "{shown}");
        assert!(shown["lambda_2"].as_f64().is_some_and(|lambda| lambda > 0.0), "{shown}");
    }
    let nodes = lab.ask(&gamma, &["node", "ls", "-o", "json"]).json();
    let node = &nodes["nodes"][0];
    assert_eq!(node["region"], 1, "{node}");
    assert!(node["capability"].as_f64().is_some_and(|score| score > 0.0), "{node}");
    lab.ask(&gamma, &["graph", "--svg", "lab.svg"]).says(0, "");
    let svg = std::fs::read_to_string(lab.bench.path().join("lab.svg")).expect("it was drawn");
    assert_eq!(svg.matches("<line ").count(), 3);
}

#[test]
fn another_member_leads_when_the_leader_is_gone() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let beta = lab.join("beta", &line);
    alpha.meets(&beta);
    // Both may lead until they have heard of each other.
    let same = |shown: &Value| {
        let other = lab.ask(&alpha, &["graph", "-o", "json"]).json();
        let is_one = shown["leader"] != "" && shown["places"].as_array().map(Vec::len) == Some(2);
        is_one && (&shown["leader"], &shown["term"]) == (&other["leader"], &other["term"])
    };
    let led = graph(&lab, &beta, same);
    let (alpha_leads, term) = (led["leader"] == "alpha", led["term"].as_u64());
    // Whoever leads goes; the other one does then, in a later term.
    let (gone, mut left) = if alpha_leads { (alpha, beta) } else { (beta, alpha) };
    drop(gone);
    left.line("has gone");
    let name = left.name;
    let now = graph(&lab, &left, |shown| shown["leader"] == name);
    assert!(now["term"].as_u64() > term, "{now}");
}
