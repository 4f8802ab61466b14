//! The project's own examples are good files.

use std::path::{Path, PathBuf};

use bary_jobfile::fault::Fault;
use bary_jobfile::files::Disk;
use bary_jobfile::read::{ReadOptions, read};

const FUNCTIONS: [&str; 8] = [
    "fibonacci",
    "matrix_multiply",
    "monte_carlo_pi",
    "noop",
    "prime_check",
    "reduce",
    "sleep",
    "wordcount",
];

#[test]
fn every_example_is_good() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let functions = Some(FUNCTIONS.iter().map(|name| (*name).to_owned()).collect());
    let options = ReadOptions { base: root.clone(), functions, ..ReadOptions::default() };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root.join("examples")).expect("the examples are there") {
        let path = entry.expect("the directory can be read").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("an example can be read");
        match read(&text, Path::new(&path), &options, &Disk) {
            Ok(job) => names.push((job.name.to_string(), job.spec.tasks())),
            Err(faults) => {
                let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
                panic!("{}", faults.join("\n"));
            }
        }
    }
    names.sort();
    let tasks = |wanted: &str| names.iter().find(|(name, _)| name == wanted).map(|(_, n)| *n);
    assert_eq!((tasks("pi"), tasks("matrix"), tasks("dag")), (Some(11), Some(101), Some(23)));
    assert!(tasks("wordcount") > Some(100) && tasks("commands") > Some(30), "{names:?}");
}
