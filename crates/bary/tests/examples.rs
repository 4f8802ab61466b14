//! The examples give what a plain program would give.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bary::{Done, Node};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs an example on three nodes, so that results come from several.
fn run(name: &str, set: &[(&str, &str)]) -> Done {
    let mut node = Node::builder().nodes(3).slots(2).start().expect("three nodes start");
    let path = root().join("examples").join(name);
    let done = node.run_file_with(&path, set).expect("the example runs");
    assert!(done.is_good(), "no task fails: {:?}", done.failed);
    done
}

fn json(done: &Done, name: &str) -> Value {
    let text = done.result(name).expect("it has a result");
    serde_json::from_str(&text).expect("the result is JSON")
}

fn count_words(dir: &Path, counts: &mut BTreeMap<String, u64>) {
    for entry in std::fs::read_dir(dir).expect("the directory is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            count_words(&path, counts);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            for word in words.filter(|word| !word.is_empty()) {
                *counts.entry(word.to_lowercase()).or_default() += 1;
            }
        }
    }
}

#[test]
fn wordcount_equals_a_plain_count() {
    let dir = root().join("crates/policy");
    let done = run("wordcount.toml", &[("dir", dir.to_str().expect("a plain path"))]);
    let mut plain = BTreeMap::new();
    count_words(&dir, &mut plain);
    assert!(plain.len() > 500, "there are words to count");
    let counted: BTreeMap<String, u64> =
        serde_json::from_value(json(&done, "count.reduce")).expect("words and counts");
    assert_eq!(counted, plain);
}

#[test]
fn pi_is_close_and_the_same_every_time() {
    let few = [("iterations", "100_000")];
    let pi = json(&run("pi.toml", &few), "pi.reduce").as_f64().expect("a number");
    // Ten times a hundred thousand points: the standard error is 0.0016.
    assert!((pi - std::f64::consts::PI).abs() < 0.008, "{pi}");
    assert_eq!(json(&run("pi.toml", &few), "pi.reduce").as_f64(), Some(pi));
}

/// The entry of a factor, as the documentation of `matrix_multiply` gives it.
fn entry(seed: u64, matrix: u64, row: u64, col: u64) -> i64 {
    let place = (matrix << 60) ^ (row << 30) ^ col;
    let mut z = (seed ^ place).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) % 17) as i64 - 8
}

#[test]
fn the_matrix_product_equals_the_direct_one() {
    let (n, seed) = (120_u64, 7_u64);
    let small = [("n", "120"), ("block", "40"), ("last", "8")];
    let reduced = json(&run("matrix.toml", &small), "product.reduce");
    let (mut sum, mut squares) = (0_i64, 0_i64);
    for row in 0..n {
        for col in 0..n {
            let direct = |k| entry(seed, 0, row, k) * entry(seed, 1, k, col);
            let value: i64 = (0..n).map(direct).sum();
            sum += value;
            squares += value * value;
        }
    }
    assert_eq!(reduced["sum"].as_i64(), Some(sum));
    assert_eq!(reduced["squares"].as_i64(), Some(squares));
}

#[test]
fn the_graph_joins_and_skips_the_branch_that_is_not_needed() {
    let mut node = Node::builder().nodes(2).slots(2).start().expect("two nodes start");
    let done = node.run_file(&root().join("examples/dag.toml")).expect("the example runs");
    assert_eq!(done.result("join").as_deref(), Some("13\n"));
    assert_eq!(json(&done, "double.reduce"), 72);
    assert_eq!((done.failed.len(), done.dropped), (0, 1), "the alarm is skipped");
}
