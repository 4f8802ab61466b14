//! From text to parts. What is not a placeholder stays as it is, so that `awk '{print $1}'`,
//! JSON, `${HOME}` and `a{1..3}b` need no escapes.

use super::path::PathPart;
use super::{Part, Pick, Template};

/// What becomes of braces around a word that is no placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// They stay: for command lines, where people paste any program.
    Loose,
    /// They are refused, so that a misspelt name is found; `{{word}}` stands for `{word}`.
    Strict,
}

/// What a name outside the built-in ones stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// This text, at once.
    Text(Vec<u8>),
    /// The result that the scope of each task has under this name.
    Result(Box<str>),
}

/// Why a text is no template. Nothing was made; the caller shows the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown placeholder {{{word}}}")]
pub struct TemplateError {
    /// The word between the braces.
    pub word: Box<str>,
    /// Where its brace is, in bytes from the start of the text.
    pub at: usize,
}

impl TemplateError {
    /// What to write instead.
    #[must_use]
    pub fn fix(&self) -> String {
        format!("write {{{{{}}}}} for these letters with their braces", self.word)
    }
}

/// The words that are placeholders everywhere.
const WORDS: [(&str, Part); 4] = [
    ("index", Part::Index),
    ("attempt", Part::Attempt),
    ("line", Part::Cells(Pick::All, PathPart::Whole)),
    ("file", Part::Cells(Pick::All, PathPart::Whole)),
];

/// The words that [`Template::parse`] knows without being told, for suggestions.
pub fn known_words() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|(word, _)| *word)
}

pub(super) fn parse(
    text: &[u8],
    dialect: Dialect,
    names: &mut dyn FnMut(&str) -> Option<Named>,
) -> Result<Template, TemplateError> {
    let mut made = Template::default();
    let mut at = 0;
    while let Some(brace) = text[at..].iter().position(|&byte| byte == b'{').map(|n| at + n) {
        made.literal_on(&text[at..brace]);
        let after_dollar = brace > 0 && text[brace - 1] == b'$';
        if dialect == Dialect::Strict
            && let Some(len) = escaped(&text[brace..])
        {
            made.literal_on(&text[brace + 1..brace + len - 1]);
            at = brace + len;
        } else if let Some(content) = content(&text[brace..])
            && (!after_dollar || content.is_empty())
            && let Some(found) = placeholder(content, names, dialect)
                .map_err(|word| TemplateError { word: word.into(), at: brace })?
        {
            match found {
                Found::Part(part) => made.part_on(part),
                Found::Text(text) => made.literal_on(&text),
            }
            at = brace + content.len() + 2;
        } else {
            made.literal_on(b"{");
            at = brace + 1;
        }
    }
    made.literal_on(&text[at..]);
    Ok(made)
}

/// How long `{{word}}` is at the start of `text`. The word must be one a placeholder could be.
fn escaped(text: &[u8]) -> Option<usize> {
    let inner = content(text.strip_prefix(b"{")?)?;
    let closed = text.get(inner.len() + 3) == Some(&b'}');
    let like = inner.is_empty()
        || split(inner).0.is_empty()
        || is_wordlike(split(inner).0)
        || split(inner).0.parse::<i32>().is_ok()
        || ["#", "%"].contains(&inner);
    (closed && like).then_some(inner.len() + 4)
}

/// What stands between the brace that `text` starts with and the next brace, if that closes.
fn content(text: &[u8]) -> Option<&str> {
    let rest = text.strip_prefix(b"{")?;
    let end = rest.iter().position(|byte| b"{}".contains(byte))?;
    if rest[end] == b'}' { str::from_utf8(&rest[..end]).ok() } else { None }
}

/// A word and the part of its value that its suffix asks for.
fn split(content: &str) -> (&str, PathPart) {
    let of = |&(suffix, part): &(&str, PathPart)| Some((content.strip_suffix(suffix)?, part));
    PathPart::SUFFIXES.iter().find_map(of).unwrap_or((content, PathPart::Whole))
}

fn is_wordlike(word: &str) -> bool {
    let starts = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let goes_on = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    starts && word.chars().all(goes_on) && !word.contains("..")
}

enum Found {
    Part(Part),
    Text(Vec<u8>),
}

fn placeholder<'t>(
    content: &'t str,
    names: &mut dyn FnMut(&str) -> Option<Named>,
    dialect: Dialect,
) -> Result<Option<Found>, &'t str> {
    let (word, path) = split(content);
    let part = match content {
        "#" => Some(Part::Sequence),
        "%" => Some(Part::Slot),
        _ if word.is_empty() => Some(Part::Cells(Pick::All, path)),
        _ => match word.parse::<i32>() {
            Ok(n) if n != 0 && !word.starts_with('+') => Some(Part::Cells(Pick::Column(n), path)),
            _ => known(word, path),
        },
    };
    if let Some(part) = part {
        return Ok(Some(Found::Part(part)));
    }
    if !is_wordlike(word) {
        return Ok(None);
    }
    match names(word) {
        Some(Named::Text(text)) => Ok(Some(Found::Text(path.of(&text).to_vec()))),
        Some(Named::Result(name)) => Ok(Some(Found::Part(Part::Result(name, path)))),
        None if dialect == Dialect::Strict => Err(content),
        None => Ok(None),
    }
}

fn known(word: &str, path: PathPart) -> Option<Part> {
    let (_, part) = WORDS.iter().find(|(known, _)| *known == word)?;
    match part {
        Part::Cells(pick, _) => Some(Part::Cells(*pick, path)),
        part if path == PathPart::Whole => Some(part.clone()),
        _ => None,
    }
}
