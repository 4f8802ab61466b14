//! No text makes the reader panic, however near it is to a good file.

use std::path::Path;

use bary_jobfile::files::NoFiles;
use bary_jobfile::read::{ReadOptions, read};
use bary_jobfile::{duration, range, size};
use proptest::prelude::{any, prop_assert, proptest};
use proptest::sample::Index;

/// Files are of no matter to whether a text can be read.
const NO_FILES: NoFiles = NoFiles { why: "there are none in this test" };

const GOOD: &str = r#"
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
where = { disk = "!hdd" }
[[task]]
name = "b"
command = "echo 'a b' {result.a} ${HOME}"
after = ["a", { task = "c", aligned = false }]
env = { A = "{attempt}" }
[[task]]
name = "c"
command = ["x", "{{y}}"]
backoff = { base = "1s", max = 90 }
inputs = ["x", { from = "/y", to = "z" }]
memory = "4GiB"
"#;

/// Reads a text, and shows every fault of it as a person would see it.
fn try_to_read(text: &str) -> bool {
    match read(text, Path::new("job.toml"), &ReadOptions::default(), &NO_FILES) {
        Ok(job) => job.spec.tasks() > 0,
        Err(faults) => {
            faults.iter().all(|fault| !fault.to_string().is_empty()) && !faults.is_empty()
        }
    }
}

#[test]
fn the_good_file_is_good() {
    let job = read(GOOD, Path::new("job.toml"), &ReadOptions::default(), &NO_FILES);
    assert_eq!(job.map(|job| job.spec.tasks()), Ok(6));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        prop_assert!(try_to_read(&text));
        if let Err(error) = duration::parse(&text) {
            prop_assert!(error.to_string().contains("time"));
        }
        if let Err(error) = size::parse(&text) {
            prop_assert!(error.to_string().contains("memory"));
        }
        if let Ok(range) = range::parse(&text) {
            prop_assert!(range.inputs().is_ok());
        }
    }

    #[test]
    fn a_good_file_with_one_piece_replaced_is_read_or_refused(
        at in any::<Index>(),
        len in 0usize..12,
        piece in "[a-z0-9{}\\[\\]=\"'., -]{0,8}",
    ) {
        let letters: Vec<char> = GOOD.chars().collect();
        let at = at.index(letters.len());
        let mut text: String = letters[..at].iter().collect();
        text.push_str(&piece);
        text.extend(&letters[(at + len).min(letters.len())..]);
        prop_assert!(try_to_read(&text));
    }

    #[test]
    fn a_good_file_with_one_value_replaced_is_read_or_refused(
        line in 0usize..26,
        value in "(0|-1|nan|1e400|''|\\[\\]|\\{\\}|'1-2'|true|[0-9]{1,25}|'[a-z{}.0-9]{0,9}')",
    ) {
        let replaced: Vec<String> = GOOD.lines().enumerate().map(|(n, there)| {
            match there.split_once(" = ") {
                Some((key, _)) if n == line => format!("{key} = {value}"),
                _ => there.to_owned(),
            }
        }).collect();
        prop_assert!(try_to_read(&replaced.join("\n")));
    }
}
