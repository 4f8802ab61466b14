//! The life of a task in words, and as one JSON document.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::why::{Happening, Life, Waits};

/// The life of a task for people. `nodes` are the names of the nodes by number.
pub(crate) fn text(name: &str, run: &str, life: &Life, nodes: &[String]) -> String {
    let mut text = format!("task {name} of run {run}\n");
    let start = life.submitted;
    line(&mut text, 0.0, "submitted");
    for after in &life.after {
        let told = match (after.ended, after.unsuccessful) {
            (None, _) => format!("waited for `{}`, which did not end", after.name),
            (Some(_), 0) => format!("`{}` had succeeded", after.name),
            (Some(_), bad) => {
                let tasks = several(bad, "task");
                format!("`{}` had ended, {tasks} of it without success", after.name)
            }
        };
        line(&mut text, after.ended.unwrap_or(start) - start, &told);
    }
    for step in &life.steps {
        tell(&mut text, step, start, nodes);
    }
    if life.steps.is_empty() {
        line(&mut text, 0.0, "was never granted to a node");
    }
    let waits = life.waits();
    put(&mut text, format_args!("waited {}\n", waited(&waits)));
    text
}

/// For what a task waited, and how long.
pub(crate) fn waited(waits: &Waits) -> String {
    let Waits { dependencies, room, backoff } = waits;
    format!("{dependencies:.3} s for others, {room:.3} s for room, {backoff:.3} s of back-off")
}

/// The same for programs.
pub(crate) fn document(name: &str, run: &str, life: &Life) -> Value {
    let after = life.after.iter().map(|after| {
        json!({ "task": after.name, "ended": after.ended, "unsuccessful": after.unsuccessful })
    });
    let waits = life.waits();
    json!({
        "schema": "bary.why/1",
        "task": name,
        "run": run,
        "submitted": life.submitted,
        "after": after.collect::<Vec<_>>(),
        "ready": life.ready(),
        "waited_seconds": waited_document(&waits),
        "history": life.steps.iter().map(|step| step.event.clone()).collect::<Vec<_>>(),
        "outcome": life.steps.iter().rev().find_map(|step| step.event["outcome"].as_str()),
    })
}

/// The same for programs, in seconds.
pub(crate) fn waited_document(waits: &Waits) -> Value {
    json!({
        "dependencies": waits.dependencies,
        "room": waits.room,
        "backoff": waits.backoff,
    })
}

fn tell(text: &mut String, step: &Happening, start: f64, nodes: &[String]) {
    let event = &step.event;
    let at = step.at - start;
    let node = |value: &Value| match value.as_u64() {
        Some(no) => nodes.get(no as usize).cloned().unwrap_or_else(|| format!("n{no}")),
        None => "?".to_owned(),
    };
    let here = node(&event["node"]);
    match event["event"].as_str().unwrap_or_default() {
        "granted" => {
            let considered = &event["considered"];
            line(text, at, &format!("granted to {here}{}", cause(considered)));
            for candidate in considered["candidates"].as_array().into_iter().flatten() {
                let score = candidate["score"].as_f64().unwrap_or(0.0);
                let reason = candidate["reason"].as_str().unwrap_or_default();
                let name = node(&candidate["node"]);
                put(text, format_args!("{:12}  {name}: score {score:.3}: {reason}\n", ""));
            }
        }
        "retracted" => line(text, at, &format!("{here} gave it back before it started")),
        "retrying" => {
            let until = event["until"].as_f64().unwrap_or(step.at) - start;
            let (attempt, failure) = (&event["attempt"], said(&event["failure"]));
            let again = format!("attempt {attempt} on {here} failed: {failure}");
            line(text, at, &format!("{again}; ready again at {until:.3} s"));
        }
        "ended" => {
            let began = event["began"].as_f64().unwrap_or(0.0) - start;
            let count = event["range"][2].as_u64().unwrap_or(1);
            let together = match count {
                0 | 1 => String::new(),
                count => format!(", with {}", several(count - 1, "other")),
            };
            let (attempt, slot) = (&event["attempt"], &event["slot"]);
            line(text, began, &format!("attempt {attempt} began on {here}, slot {slot}{together}"));
            let mut how = said(&event["outcome"]).to_owned();
            for detail in [&event["failure"], &event["stderr"]].map(said) {
                if !detail.is_empty() {
                    put(&mut how, format_args!(": {detail}"));
                }
            }
            let busy = event["busy"].as_f64().unwrap_or(0.0);
            let all = if count > 1 { " in all" } else { "" };
            line(text, at, &format!("{how}, after {busy:.3} s of work{all}"));
        }
        "dropped" => line(text, at, &format!("{} without having run", said(&event["outcome"]))),
        "superseded" => line(text, at, &format!("a late outcome of {here} was not counted")),
        _ => {}
    }
}

fn cause(considered: &Value) -> String {
    let ready = considered["ready"].as_u64().unwrap_or(0);
    let tasks = several(ready, "task");
    let were = if ready == 1 { "was" } else { "were" };
    match considered["cause"].as_str() {
        Some("asked") => format!(", which asked; {tasks} {were} ready"),
        Some("pushed") => format!(" as soon as it was ready; {tasks} {were}"),
        Some("stolen") => format!(", which had run dry; {tasks} {were} taken back for it"),
        _ => String::new(),
    }
}

/// A count and what is counted.
pub(crate) fn several(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn said(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn line(text: &mut String, at: f64, what: &str) {
    put(text, format_args!("{at:10.3} s  {what}\n"));
}

fn put(text: &mut String, args: std::fmt::Arguments<'_>) {
    text.write_fmt(args).expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_told_from_its_submission() {
        let event = json!({
            "event": "ended", "range": [0, 0, 1], "node": 0, "slot": 1, "attempt": 2,
            "outcome": "failed", "failure": "exit code 3", "stderr": "no luck",
            "began": 2.0, "busy": 0.5, "t": 2.5,
        });
        let life =
            Life { submitted: 1.0, after: Vec::new(), steps: vec![Happening { at: 2.5, event }] };
        let told = text("x", "today", &life, &["n0".into()]);
        assert!(told.contains("1.000 s  attempt 2 began on n0, slot 1"), "{told}");
        let how = "failed: exit code 3: no luck, after 0.500 s of work";
        assert!(told.contains(how), "{told}");
        assert!(!told.contains(", with"), "{told}");
        let score = json!({ "node": 0, "score": 2.0, "reason": "gravity, on this node" });
        let considered = json!({ "cause": "asked", "ready": 1, "candidates": [score] });
        let granted = json!({ "event": "granted", "node": 0, "considered": considered });
        let steps = vec![Happening { at: 1.0, event: granted }];
        let told = text("x", "today", &Life { steps, ..life.clone() }, &["n0".into()]);
        assert!(told.contains("granted to n0, which asked; 1 task was ready"), "{told}");
        assert!(told.contains("n0: score 2.000: gravity, on this node"), "{told}");
        assert_eq!(document("x", "today", &life)["outcome"], "failed");
    }
}
