//! Reads one file of settings. Unknown keys and values that cannot be are faults with a place.

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bary_client::address::Address;
use bary_jobfile::fault::{Fault, Place};
use bary_jobfile::suggest;
use toml::de::{DeTable, DeValue};

use crate::args::up::dht_nodes;
use crate::args::value;
use crate::args::value::some_time;
use crate::settings::{SETTINGS, Shape};

/// One setting of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: &'static str,
    pub(crate) text: String,
    pub(crate) path: PathBuf,
    /// From 1.
    pub(crate) line: usize,
}

/// The longest file that is read, in bytes.
pub(crate) const SETTINGS_BYTES_MAX: u64 = 1 << 20;

/// Reads a file; one that is not there says nothing.
pub(crate) fn read(path: &Path) -> Result<Vec<Entry>, Vec<Fault>> {
    let whole = |message: String| vec![fault(path, None, message, None)];
    let text = std::fs::File::open(path).and_then(|file| {
        let mut text = String::new();
        file.take(SETTINGS_BYTES_MAX + 1).read_to_string(&mut text)?;
        Ok(text)
    });
    match text {
        Ok(text) if text.len() as u64 > SETTINGS_BYTES_MAX => {
            Err(whole(format!("the file is longer than settings_bytes_max = {SETTINGS_BYTES_MAX}")))
        }
        Ok(text) => parse(&text, path),
        Err(cause) if is_absent(cause.kind()) => Ok(Vec::new()),
        Err(cause) => Err(whole(cause.to_string())),
    }
}

fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Reads the text of a file.
pub(crate) fn parse(text: &str, path: &Path) -> Result<Vec<Entry>, Vec<Fault>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut faults: Vec<Fault> = errors
        .iter()
        .map(|error| {
            let place = error.span().map(|span| Place::of(text, span));
            fault(path, place, error.message().to_owned(), None)
        })
        .collect();
    let mut entries = Vec::new();
    for (name, value) in document.get_ref() {
        let place = |span: Range<usize>| Place::of(text, span);
        match entry(name.get_ref(), value.get_ref(), path) {
            Ok((key, text)) => {
                let line = place(name.span()).line;
                entries.push(Entry { key, text, path: path.to_owned(), line });
            }
            Err(Wrong { in_key, message, fix }) => {
                let span = if in_key { name.span() } else { value.span() };
                faults.push(fault(path, Some(place(span)), message, fix));
            }
        }
    }
    if faults.is_empty() { Ok(entries) } else { Err(faults) }
}

/// What is wrong with one setting.
struct Wrong {
    /// Whether the key is; else the value.
    in_key: bool,
    message: String,
    fix: Option<String>,
}

fn entry(name: &str, value: &DeValue<'_>, path: &Path) -> Result<(&'static str, String), Wrong> {
    let keys = || SETTINGS.iter().map(|setting| setting.key);
    let Some(setting) = SETTINGS.iter().find(|setting| setting.key == name) else {
        let fix = match suggest::nearest(name, keys()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", keys().collect::<Vec<_>>().join(", ")),
        };
        return Err(Wrong {
            in_key: true,
            message: format!("unknown key `{name}`"),
            fix: Some(fix),
        });
    };
    let wrong = |message: String, fix| Wrong { in_key: false, message, fix };
    let DeValue::String(text) = value else {
        return Err(wrong(format!("`{name}` is a string"), Some("write it in quotes".into())));
    };
    match setting.shape {
        Shape::OneOf(words) if !words.contains(&&**text) => {
            let near = suggest::nearest(text, words.iter().copied());
            let fix = near.map(|near| format!("did you mean `{near}`?"));
            let fix = fix.unwrap_or_else(|| format!("there are {}", words.join(", ")));
            Err(wrong(format!("`{name}` cannot be `{text}`"), Some(fix)))
        }
        Shape::OneOf(_) => Ok((setting.key, text.to_string())),
        Shape::Address => match text.parse::<Address>() {
            Ok(_) => Ok((setting.key, text.to_string())),
            Err(error) => Err(wrong(error.to_string(), None)),
        },
        Shape::Count => match text.parse::<usize>() {
            Ok(_) => Ok((setting.key, text.to_string())),
            Err(error) => Err(wrong(format!("`{text}` is no number: {error}"), None)),
        },
        Shape::Time => match some_time(text) {
            Ok(_) => Ok((setting.key, text.to_string())),
            Err(error) => Err(wrong(error.to_string(), None)),
        },
        Shape::Listen => match text.parse::<SocketAddr>() {
            Ok(_) => Ok((setting.key, text.to_string())),
            Err(_) => Err(wrong(format!("`{text}` is no address and port"), Some(LISTEN.into()))),
        },
        Shape::Nodes => match dht_nodes(text) {
            Ok(_) => Ok((setting.key, text.to_string())),
            Err(error) => Err(wrong(error, None)),
        },
        Shape::Wait => match value::time(text) {
            Ok(_) => Ok((setting.key, text.to_string())),
            Err(error) => Err(wrong(error.to_string(), None)),
        },
        Shape::Size => match value::size(text) {
            Ok(_) => Ok((setting.key, text.to_string())),
            Err(error) => Err(wrong(error.to_string(), None)),
        },
        Shape::Path => {
            let at = path.parent().unwrap_or_else(|| Path::new("")).join(&**text);
            Ok((setting.key, at.to_string_lossy().into_owned()))
        }
    }
}

/// How an address is written.
const LISTEN: &str = "write 127.0.0.1:9876 or [::1]:9876";

fn fault(path: &Path, place: Option<Place>, message: String, fix: Option<String>) -> Fault {
    Fault { path: path.display().to_string(), place, message, fix }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let faults = parse(text, Path::new("etc/bary.toml")).expect_err("it is wrong");
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_fault_names_file_line_and_the_nearest_key() {
        let shown = said("output = \"json\"\nadr = \"x\"\n");
        assert!(shown.starts_with("etc/bary.toml:2:1: unknown key `adr`"), "{shown}");
        assert!(shown.contains("did you mean `addr`?"), "{shown}");
        assert!(said("output = \"jsn\"").contains("did you mean `json`?"));
        assert!(said("output = 1").contains("is a string"));
        assert!(said("keep-jobs = \"many\"").contains("is no number"));
        assert!(said("keep-for = \"long\"").starts_with("etc/bary.toml:1:"));
        assert!(said("addr = \"https://x\"").contains("TLS"));
        assert!(said("output = ").contains("etc/bary.toml:1:"));
    }

    #[test]
    fn a_path_starts_from_its_file() {
        let entries = parse("token-file = \"token\"", Path::new("/etc/bary/bary.toml"));
        assert_eq!(entries.expect("it is good")[0].text, "/etc/bary/token");
    }
}
