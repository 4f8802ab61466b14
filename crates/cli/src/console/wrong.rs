//! What is wrong with a line, and how to mend it.

use crate::console::command::Verb;
use crate::console::phrases::{Phrases, fill};

/// Why a line was not done. Nothing was changed by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// There is no such command, but perhaps one that is spelt alike.
    Unknown { word: String, near: Option<&'static str> },
    /// Something is not how long a task takes.
    NoTime(String),
    /// It was not said how long a task takes.
    TimesMissing,
    /// Something is not how many servers there can be.
    NoCount(String),
    /// There is no such server; there are these.
    NoSuchServer { word: String, servers: Vec<usize> },
    /// Something is not a speed.
    NoSpeed(String),
    /// Something is not how long to wait.
    NoWait(String),
    /// A command needs more words.
    Missing(Verb),
    /// A command has a word too many.
    TooMuch { word: String, verb: Verb },
    /// A line is too long.
    TooLong,
    /// A line is no text.
    NotText,
    /// There were as many tasks as there may be.
    TooManyTasks,
    /// There are as many servers as there may be.
    TooManyServers,
    /// There is nobody to run a task.
    WithoutServers,
    /// Somebody else refused it, in these words.
    Refused(String),
}

/// Most servers at a time.
pub(crate) const CONSOLE_SERVERS_MAX: usize = 1_000;
/// Most tasks of a session.
pub(crate) const CONSOLE_TASKS_MAX: usize = 100_000;
/// The longest line, in bytes.
pub(crate) const CONSOLE_LINE_BYTES_MAX: usize = 4_096;
/// Most seconds that go by at one command.
pub(crate) const CONSOLE_WAIT_MAX: u64 = 3_600;
/// How much of a word that is wrong is shown, in characters.
const WORD_SHOWN_MAX: usize = 40;
/// How many servers are listed.
const SERVERS_SHOWN_MAX: usize = 12;

impl Wrong {
    /// In the words of a language.
    pub(crate) fn said(&self, phrases: &Phrases) -> String {
        let with = |phrase, word: &str| fill(phrase, &[("word", &clipped(word))]);
        let most = |phrase, most: usize| fill(phrase, &[("most", &most.to_string())]);
        match self {
            Self::Unknown { word, near } => {
                let near = near.map(|near| fill(phrases.did_you_mean, &[("near", near)]));
                let fix = near.unwrap_or_else(|| phrases.see_help.to_owned());
                fill(phrases.unknown, &[("word", &clipped(word)), ("fix", &fix)])
            }
            Self::NoTime(word) => with(phrases.no_time, word),
            Self::TimesMissing => phrases.times_missing.to_owned(),
            Self::NoCount(word) => {
                let most = CONSOLE_SERVERS_MAX.to_string();
                fill(phrases.no_count, &[("word", &clipped(word)), ("most", &most)])
            }
            Self::NoSuchServer { word, servers } => {
                let servers = listed(servers);
                let values = [("word", &*clipped(word)), ("servers", &servers)];
                fill(phrases.no_such_server, &values)
            }
            Self::NoSpeed(word) => with(phrases.no_speed, word),
            Self::NoWait(word) => {
                let most = CONSOLE_WAIT_MAX.to_string();
                fill(phrases.no_wait, &[("word", &clipped(word)), ("most", &most)])
            }
            Self::Missing(verb) => fill(phrases.missing, &[("example", verb.example(phrases))]),
            Self::TooMuch { word, verb } => {
                let values = [("word", &*clipped(word)), ("example", verb.example(phrases))];
                fill(phrases.too_much, &values)
            }
            Self::TooLong => most(phrases.too_long, CONSOLE_LINE_BYTES_MAX),
            Self::NotText => phrases.not_text.to_owned(),
            Self::TooManyTasks => most(phrases.too_many_tasks, CONSOLE_TASKS_MAX),
            Self::TooManyServers => most(phrases.too_many_servers, CONSOLE_SERVERS_MAX),
            Self::WithoutServers => phrases.without_servers.to_owned(),
            Self::Refused(why) => fill(phrases.refused, &[("why", why)]),
        }
    }
}

/// A word without what would disturb a terminal, and not too long.
fn clipped(word: &str) -> String {
    let plain = word.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let mut shown: String = plain.take(WORD_SHOWN_MAX).collect();
    if word.chars().count() > WORD_SHOWN_MAX {
        shown.push('…');
    }
    shown
}

fn listed(servers: &[usize]) -> String {
    let mut shown: Vec<String> =
        servers.iter().take(SERVERS_SHOWN_MAX).map(ToString::to_string).collect();
    if servers.len() > SERVERS_SHOWN_MAX {
        shown.push("…".to_owned());
    }
    if shown.is_empty() { "—".to_owned() } else { shown.join(", ") }
}
