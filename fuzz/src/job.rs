//! Jobs as people and programs write them: the text of a job file, and the bytes of a submission.

use std::path::Path;

use bary_api::spec as codec;
use bary_jobfile::files::NoFiles;
use bary_jobfile::read::{ReadOptions, read};
use bary_model::action::Action;
use bary_model::job::JobSpec;
use bary_model::task::TaskSpec;
use bary_model::template::{Scope, Template};

/// Job files that between them have most keys.
const EXAMPLES: [&str; 3] = [
    r#"
name = "x"
timeout = "1h30m"
[params]
n = 3
[[task]]
name = "a"
function = "f"
args = { k = ["{index}", 1, { z = "é{n}" }] }
array = "1-{n}"
reduce = { op = "AVERAGE", weights = [1, 2, 3] }
[[task]]
name = "b"
command = "echo 'a b' {result.a} ${HOME}"
after = ["a", { task = "c", aligned = false }]
env = { A = "{attempt}" }
[[task]]
name = "c"
command = ["x", "{{y}}"]
backoff = { base = "1s", max = 90 }
retries = 2
inputs = ["x", { from = "/y", to = "z" }]
memory = "4MiB"
"#,
    r#"
[[task]]
command = "cat {1/.} {2} | wc -l"
shell = true
array = "1-9"
weight = 2.5
priority = 3
stdin-text = "{}"
limit = { name = "licence", most = 2 }
[[task]]
name = "last"
function = "noop"
array = "0-99"
run-if = "always"
"#,
    "[[task]]\nfunction = \"noop\"\narray = \"1-1000000\"\n",
];

/// No file of this machine is a fuzzer's to read.
const NO_FILES: NoFiles = NoFiles { why: "a fuzzer reads none" };

/// Any text is a job file, or has faults that say something; what it makes can be submitted.
///
/// # Panics
/// Where a fault says nothing, or a job that was read is none to the codec.
pub fn file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match read(text, Path::new("job.toml"), &ReadOptions::default(), &NO_FILES) {
        Ok(job) => {
            if let Ok(written) = codec::encode(&job.spec) {
                spec(&written);
                codec::decode(&written).expect("a job file made it");
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "it was refused for nothing");
            assert!(faults.iter().all(|fault| !fault.to_string().is_empty()));
        }
    }
}

/// Any bytes are refused, or a job that is written and read back the same, and whose templates can
/// be filled in for its first and last tasks.
///
/// # Panics
/// Where it is not.
pub fn spec(bytes: &[u8]) {
    let Ok(job) = codec::decode(bytes) else { return };
    let written = codec::encode(&job).expect("what was read can be written");
    let again = codec::decode(&written).expect("it was just written");
    assert_eq!(codec::encode(&again), Ok(written));
    for spec in job.specs.iter().take(16) {
        for index in [0, spec.count - 1] {
            fill_in(spec, index);
        }
    }
}

fn fill_in(spec: &TaskSpec, index: u32) {
    let row = spec.first_row + u64::from(index);
    let place = spec.rows_before + row;
    let scope = Scope {
        row: spec.inputs.row(row),
        index: place,
        sequence: place + 1,
        slot: 1,
        attempt: 1,
        upstream: &[],
    };
    match &spec.body.action {
        Action::Command { argv } => drop(Template::expand_argv(argv, &scope)),
        Action::Function { args, .. } => {
            args.iter().for_each(|arg| drop(arg.value.expand(&scope)));
        }
    }
    let around = &spec.body.surroundings;
    around.env.iter().for_each(|(_, value)| drop(value.expand(&scope)));
    let paths = [&around.cwd, &around.stdout, &around.stderr];
    paths.into_iter().flatten().for_each(|path| drop(path.expand(&scope)));
}

/// Job files, good ones.
#[must_use]
pub fn file_seeds() -> Vec<Vec<u8>> {
    EXAMPLES.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The same as programs send them.
#[must_use]
pub fn spec_seeds() -> Vec<Vec<u8>> {
    let write = |job| codec::encode(&job).expect("a job file made it").to_vec();
    examples().into_iter().map(write).collect()
}

/// The jobs of the good files.
pub(crate) fn examples() -> Vec<JobSpec> {
    let job = |text: &&str| {
        let read = read(text, Path::new("job.toml"), &ReadOptions::default(), &NO_FILES);
        read.expect("it is good").spec
    };
    EXAMPLES.iter().map(job).collect()
}
