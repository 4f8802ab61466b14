//! The formats: their names, and how each is known by what stands in a file.

use std::str::FromStr;

/// A format that traces are read from, and some written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Our own, `bary.trace/1`: a JSON object a line.
    Bary,
    /// Standard Task Graph Set.
    Stg,
    /// WfCommons' workflow format 1.5.
    Wf,
    /// Estee's task graphs.
    Estee,
    /// Standard Workload Format of the Parallel Workloads Archive.
    Swf,
    /// Pegasus' abstract workflows in XML.
    Dax,
}

/// Why a text names no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no format `{given}`; there are {}", Format::names())]
pub struct FormatError {
    /// What was given.
    pub given: String,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 6] = [Self::Bary, Self::Stg, Self::Wf, Self::Estee, Self::Swf, Self::Dax];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bary => "bary",
            Self::Stg => "stg",
            Self::Wf => "wfformat",
            Self::Estee => "estee",
            Self::Swf => "swf",
            Self::Dax => "dax",
        }
    }

    /// The names of all, for people.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// The format that a file's name says, where it says one.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let bare = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zip")).unwrap_or(&name);
        let ends = |end: &str| bare.ends_with(end);
        match () {
            () if ends(".trace") || ends(".jsonl") => Some(Self::Bary),
            () if ends(".stg") => Some(Self::Stg),
            () if ends(".swf") => Some(Self::Swf),
            () if ends(".dax") || ends(".xml") => Some(Self::Dax),
            () => None,
        }
    }

    /// The format of a text, by what stands at its beginning and then by the file's name.
    #[must_use]
    pub fn of(name: &str, text: &str) -> Option<Self> {
        let begins = text.trim_start_matches('\u{feff}').trim_start();
        let head: String = begins.chars().take(HEAD).collect();
        match begins.chars().next()? {
            '<' => Some(Self::Dax),
            '{' if head.lines().next().is_some_and(|line| line.contains("\"bary.trace/")) => {
                Some(Self::Bary)
            }
            '{' if head.contains("\"graph_name\"") || head.contains("\"graph_id\"") => {
                Some(Self::Estee)
            }
            '{' if text.contains("\"workflow\"") => Some(Self::Wf),
            '{' => Self::of_name(name),
            ';' => Some(Self::Swf),
            _ => Self::of_name(name).or_else(|| by_numbers(begins)),
        }
    }
}

/// How much of a text is looked at.
const HEAD: usize = 4_096;

/// A table of numbers: one number alone begins a task graph, eighteen a line are a log.
fn by_numbers(text: &str) -> Option<Format> {
    let words: Vec<&str> = text.lines().next()?.split_whitespace().collect();
    if !words.iter().all(|word| word.parse::<f64>().is_ok()) {
        return None;
    }
    match words.len() {
        1 => Some(Format::Stg),
        18 => Some(Format::Swf),
        _ => None,
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(given: &str) -> Result<Self, FormatError> {
        let found = Self::ALL.into_iter().find(|format| format.name() == given);
        found.ok_or_else(|| FormatError { given: given.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn a_format_is_known_by_its_text_before_its_name() {
        let table = [
            ("x", "  50\n 0 0 0\n", Some(Format::Stg)),
            ("x.swf", "1 0 -1", Some(Format::Swf)),
            ("x.txt", "; Version: 2.2\n", Some(Format::Swf)),
            ("x.stg", "<?xml version='1.0'?><adag/>", Some(Format::Dax)),
            ("x.json", "{\"schema\":\"bary.trace/1\"}\n", Some(Format::Bary)),
            ("x.json", "{\"graph_name\":{}}", Some(Format::Estee)),
            ("x.json", "{\"name\":\"a\",\n\"workflow\":{}}", Some(Format::Wf)),
            ("x.json", "{}", None),
            ("x", "hello", None),
            ("x", "", None),
        ];
        for (name, text, format) in table {
            assert_eq!(Format::of(name, text), format, "{name} {text}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        assert!("csv".parse::<Format>().is_err());
    }
}
