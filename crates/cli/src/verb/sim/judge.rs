//! `bary sim judge`: the invariants on a history that was recorded before.

use std::io::Read;
use std::path::Path;

use bary_model::time::{Moment, Span};
use bary_sim::history;
use bary_sim::invariant::Rules;
use bary_sim::oracle::judge::Judge;
use serde_json::json;

use crate::args::sim::JudgeArgs;
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::verb;

/// Judges a history and prints the first break, if there is one.
pub(crate) fn run(args: &JudgeArgs, face: Face) -> Result<Exit, Complaint> {
    let text = read(&args.file)?;
    let rules = Rules {
        grant_items_max: args.grant_items_max,
        open: args.open,
        // What calendar the homes had is not in a history.
        ahead: Span(u64::MAX),
        fast: 0,
        ranked: true,
    };
    let mut judge = Judge::new(&rules);
    let mut last = Moment(0);
    for entry in history::read(&text) {
        let wrong = |error| Complaint::usage(format!("{}: {error}", named(&args.file)));
        let entry = entry.map_err(wrong)?;
        last = last.max(entry.at);
        judge.on(&entry);
    }
    if judge.facts() == 0 {
        let text = format!("{} holds no fact, so that nothing is proved", named(&args.file));
        return Err(Complaint::usage(text).help("bary journal export DIR prints a history"));
    }
    if args.ended {
        judge.end(last);
    }
    let broken = judge.broken();
    let shown = if face.is_data() {
        let broken = broken
            .map(|broken| json!({ "invariant": &*broken.invariant, "what": broken.to_string() }));
        let document = json!({
            "schema": "bary.sim.judge/1", "facts": judge.facts(), "broken": broken,
        });
        let dense = face.output == Form::Jsonl;
        if dense { format!("{document}\n") } else { format!("{document:#}\n") }
    } else {
        let verdict = broken.map_or_else(
            || "every invariant holds".to_owned(),
            |broken| format!("broken: {broken}"),
        );
        format!("{} facts: {verdict}\n", judge.facts())
    };
    verb::print(&mut Screen::new(face), &shown)?;
    Ok(if broken.is_some() { Exit::FAILED } else { Exit::OK })
}

fn read(path: &Path) -> Result<String, Complaint> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    read.map_err(|cause| {
        let text = format!("cannot read {}: {cause}", named(path));
        match cause.kind() {
            std::io::ErrorKind::NotFound => Complaint::not_found(text),
            std::io::ErrorKind::InvalidData => {
                Complaint::usage(format!("{} is no history: it is not text", named(path)))
            }
            _ => Complaint::failed(text),
        }
    })
}

fn named(path: &Path) -> String {
    match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => format!("`{}`", path.display()),
    }
}
