//! A token is in its own file and nowhere else, whatever is done with it.

use std::path::Path;

use crate::bench::Bench;
use crate::http::Ask;
use crate::standing::Standing;

/// The files below a directory that hold a text.
fn holding(directory: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("it is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found
}

#[test]
fn a_token_is_written_nowhere_but_in_its_file() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &["--log-format", "json"]);
    let body = r#"{"name":"eve","role":"viewer"}"#;
    let minted = node.ask("POST", "/v1/tokens").json(body).send().value();
    let minted = minted["token"].as_str().expect("it is shown once").to_owned();
    assert_eq!(node.ask("GET", "/v1/info").send().status, 200);
    let path = format!("/v1/info?token={minted}");
    assert_eq!(Ask::new("GET", &path, node.at).send().status, 401);
    assert_eq!(Ask::new("POST", "/v1/jobs", node.at).bearer(&minted).json("{}").send().status, 403);
    let wrong = format!("{minted}x");
    assert_eq!(Ask::new("GET", "/v1/info", node.at).bearer(&wrong).send().status, 401);
    let job = node.submit(r#"{"command":["sh","-c","env; cat /proc/$PPID/cmdline"]}"#);
    node.wait(job);
    let logs = node.ask("GET", &format!("/v1/jobs/{job}/logs")).send().body;
    let admin = node.token.clone();
    node.signal("HUP");
    node.signal("TERM");
    let (code, log) = node.ended();
    assert_eq!(code, Some(0), "{log}");
    for (token, files) in [(&admin, &["token"][..]), (&minted, &[][..])] {
        assert_eq!(holding(bench.path(), token), files);
        assert!(!log.contains(token.as_str()) && !logs.contains(token.as_str()));
    }
}
