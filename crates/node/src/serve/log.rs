//! What the node says of itself, a line each on standard error: as text, or as JSON for machines.
//! It never says a token or what tasks are made of.

use std::io::Write;

use bary_identity::calendar;
use bary_model::time::Wall;
use serde_json::{Map, Value, json};

use crate::board::clock;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON document a line.
    Json,
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warning,
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Where lines go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
}

impl Log {
    /// Says something; `fields` are for machines, and people find the same in the text.
    pub(crate) fn say(self, level: Level, text: &str, fields: &[(&str, Value)]) {
        let line = self.line(clock::now(), level, text, fields);
        // Where nobody takes them in, the node goes on without.
        drop(std::io::stderr().write_all(line.as_bytes()));
    }

    fn line(self, at: Wall, level: Level, text: &str, fields: &[(&str, Value)]) -> String {
        match self.format {
            LogFormat::Text if level == Level::Info => format!("bary: {text}\n"),
            LogFormat::Text => format!("bary: {}: {text}\n", level.name()),
            LogFormat::Json => {
                let mut line = Map::new();
                line.insert("at".to_owned(), json!(calendar::text(at)));
                line.insert("level".to_owned(), json!(level.name()));
                line.insert("message".to_owned(), json!(text));
                let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
                line.extend(fields);
                format!("{}\n", Value::Object(line))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_for_people_or_for_machines() {
        let fields = [("running", json!(3))];
        let text = Log { format: LogFormat::Text };
        let said = text.line(Wall(0), Level::Warning, "the disk is full", &fields);
        assert_eq!(said, "bary: warning: the disk is full\n");
        let lines = Log { format: LogFormat::Json };
        let said = lines.line(Wall(0), Level::Info, "drains\n", &fields);
        let read: Value = serde_json::from_str(&said).expect("it is JSON");
        assert_eq!(said.matches('\n').count(), 1, "{said}");
        assert_eq!((&read["running"], &read["message"]), (&json!(3), &json!("drains\n")));
        assert!(read["at"].as_str().is_some_and(|at| at.starts_with("1970-01-01T00:00:00")));
    }
}
