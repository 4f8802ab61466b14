//! Traces of work: packed or not, of any format.

use bary_trace::format::Format;
use bary_trace::read::read;
use bary_trace::write::write;

/// A task, and one that waits for it, in each format that text is read from.
const EXAMPLES: [&str; 6] = [
    r#"{"schema":"bary.trace/1","jobs":1,"tasks":2}
{"job":"a","owner":"o","at_ns":5}
{"task":"x","run_ns":7,"cpus":1.5,"weight":2,"output":9}
{"task":"y","run_ns":8,"after":[0]}
"#,
    "2\n0 0 0\n1 9 1 0\n2 4 1 1\n3 0 1 2\n",
    "; Version: 2.2\n1 0 -1 9 4 -1 2 4 20 -1 1 7 1 3 -1 -1 -1 -1\n",
    r#"{"name":"w","schemaVersion":"1.5","workflow":{"specification":{
"tasks":[{"id":"a","children":["b"],"outputFiles":["f"]},
{"id":"b","parents":["a"],"inputFiles":["f"]}],
"files":[{"id":"f","sizeInBytes":9}]},
"execution":{"tasks":[{"id":"a","runtimeInSeconds":1},{"id":"b","runtimeInSeconds":2.5}]}}}"#,
    concat!(
        r#"{"graph_name":{"0":"g"},"graph":{"0":"[{\"d\":1,\"cpus\":1,\"outputs\":"#,
        r#"[{\"s\":1}],\"inputs\":[]},{\"d\":2,\"cpus\":1,\"outputs\":[],"#,
        r#"\"inputs\":[[0,0]]}]"}}"#,
    ),
    r#"<adag name="d"><job id="a" runtime="1"><uses file="f" link="output" size="9"/></job>
<job id="b" runtime="2"/><child ref="b"><parent ref="a"/></child></adag>"#,
];

/// Any bytes are a trace, or have a fault that says something; our own format loses nothing of a
/// trace, and what other formats can hold is read again.
///
/// # Panics
/// Where that does not hold.
pub fn file(bytes: &[u8]) {
    let forced = Format::ALL.into_iter().map(Some);
    for from in forced.chain([None]) {
        let trace = match read("x", bytes, from) {
            Ok(trace) => trace,
            Err(fault) => {
                assert!(!fault.to_string().is_empty(), "a fault says something");
                continue;
            }
        };
        for to in Format::ALL {
            let Ok(written) = write(&trace, to) else { continue };
            let again = read("x", written.text.as_bytes(), Some(to));
            match again {
                Ok(again) => assert!(to != Format::Bary || again == trace, "nothing is lost"),
                Err(fault) => panic!("what was written as {} is not read: {fault}", to.name()),
            }
        }
    }
}

/// A small trace in each format.
#[must_use]
pub fn file_seeds() -> Vec<Vec<u8>> {
    EXAMPLES.iter().map(|text| text.as_bytes().to_vec()).collect()
}
