//! Inputs reach commands as they are: whatever they hold, no shell reads them, and they stay one
//! word.

use serde_json::json;

use crate::bench::Bench;
use crate::standing::Standing;

/// Base64 of what is not text, as JSON carries bytes.
fn coded(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let mut bits = [0; 3];
        bits[..three.len()].copy_from_slice(three);
        let bits = u32::from_be_bytes([0, bits[0], bits[1], bits[2]]);
        for at in 0..4 {
            const LETTERS: &[u8] =
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let letter = char::from(LETTERS[(bits >> (18 - 6 * at)) as usize & 63]);
            write!(text, "{}", if at <= three.len() { letter } else { '=' }).expect("it has room");
        }
    }
    text
}

#[test]
fn what_a_shell_would_read_is_a_word_like_any_other() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let inputs: [&[u8]; 8] = [
        b"two words",
        b"it's \"quoted\"",
        b"line\nline",
        b"$(touch made) `touch made`",
        b"; touch made; &",
        b"-n --help {} {1}",
        b"*?[a]~\\",
        b"\xff\xfe",
    ];
    let given: Vec<String> = inputs.iter().map(|input| coded(input)).collect();
    let cwd = bench.path().to_string_lossy();
    let command = ["printf", "%s|", "a {}", "b"];
    let job = node.submit(&json!({ "command": command, "inputs": given, "cwd": cwd }).to_string());
    let ended = node.wait(job).value();
    assert_eq!(ended["jobs"][0]["succeeded"], inputs.len(), "{ended}");
    let told = node.ask("GET", &format!("/v1/jobs/{job}/results"));
    let told = told.header("Accept", "application/x-ndjson").send().body;
    for line in told.lines() {
        let result: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
        let number = result["number"].as_u64().expect("it has a number") as usize;
        let wanted = [&b"a "[..], inputs[number - 1], b"|b|"].concat();
        assert_eq!(result["data"], coded(&wanted), "{line}");
    }
    assert_eq!(told.lines().count(), inputs.len());
    assert!(!bench.path().join("made").exists());
}

#[test]
fn what_no_command_can_be_given_fails_that_task_alone() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let given = [coded(b"a\0b"), coded(b"good")];
    let job = node.submit(&json!({ "command": ["echo", "{}"], "inputs": given }).to_string());
    let ended = node.wait(job).value();
    let job = &ended["jobs"][0];
    assert_eq!((&job["succeeded"], &job["failed"]), (&1.into(), &1.into()), "{ended}");
}
