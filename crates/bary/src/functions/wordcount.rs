//! How often each word is in a file: runs of letters, digits and underscores, in lower case.

use std::collections::BTreeMap;

use bary_ports::function::{Call, FunctionError, FunctionResult};
use bytes::Bytes;

pub(super) fn wordcount(call: &Call) -> FunctionResult {
    let missing = || FunctionError::new("argument `file` is missing");
    let file = call.arg("file", 0).ok_or_else(missing)?;
    let text = std::fs::read(path(file)).map_err(|why| {
        FunctionError::new(format!("cannot read `{}`: {why}", String::from_utf8_lossy(file)))
    })?;
    let counts = count(&String::from_utf8_lossy(&text));
    let encode = |why: serde_json::Error| FunctionError::new(why.to_string());
    serde_json::to_vec(&counts).map(Bytes::from).map_err(encode)
}

fn count(text: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    for word in words.filter(|word| !word.is_empty()) {
        *counts.entry(word.to_lowercase()).or_insert(0) += 1;
    }
    counts
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).into()
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> std::path::PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn words_are_runs_of_letters_digits_and_underscores() {
        let counts = count("A b, a_b; b\nÄ 42 B");
        let pairs: Vec<(&str, u64)> = counts.iter().map(|(w, n)| (w.as_str(), *n)).collect();
        assert_eq!(pairs, [("42", 1), ("a", 1), ("a_b", 1), ("b", 3), ("ä", 1)]);
    }
}
