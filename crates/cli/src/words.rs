//! What stands after the flags of `bary map`: the command, then sources after `:::` and its kin.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use bary_jobfile::operator;

/// The words of `bary map`, told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// The command and its arguments.
    pub(crate) command: Vec<Vec<u8>>,
    /// The sources that stand among the words.
    pub(crate) sources: Vec<WordSource>,
}

/// One source of inputs among the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WordSource {
    /// Whether it advances with the source before it rather than being combined with it.
    pub(crate) linked: bool,
    pub(crate) values: WordValues,
}

/// What the values of a source are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WordValues {
    Given(Vec<Vec<u8>>),
    LinesOf(PathBuf),
}

/// Why the words make no sense. Nothing has run; the user writes them otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WordsError {
    #[error("`{0}` links a source to the one before it, and there is none")]
    NothingToLink(String),
    #[error("`{0}` needs a file after it")]
    NoFile(String),
    #[error("the command has an open quote: {0}")]
    OpenQuote(String),
    #[error("`{operator}` means something to a shell only, and none runs: {command}")]
    NeedsShell { operator: String, command: String },
}

/// The bytes of a word; on Unix exactly those that were given.
pub(crate) fn bytes(word: &OsStr) -> Vec<u8> {
    word.as_encoded_bytes().to_vec()
}

/// Tells the command and the sources apart.
pub(crate) fn parse(words: &[OsString]) -> Result<Words, WordsError> {
    let mut made = Words::default();
    let mut mark: Option<String> = None;
    for word in words {
        if let Some(text) = word.to_str().filter(|text| is_mark(text)) {
            if let Some(mark) = mark.take() {
                made.check(&mark)?;
            }
            made.open(text)?;
            mark = Some(text.to_owned());
            continue;
        }
        match (&mark, made.sources.last_mut()) {
            (Some(mark), Some(last)) => match &mut last.values {
                WordValues::Given(values) => values.push(bytes(word)),
                WordValues::LinesOf(file) if file.as_os_str().is_empty() => *file = word.into(),
                WordValues::LinesOf(_) => {
                    let values = WordValues::LinesOf(word.into());
                    made.sources.push(WordSource { linked: mark.ends_with('+'), values });
                }
            },
            _ => made.command.push(bytes(word)),
        }
    }
    if let Some(mark) = mark {
        made.check(&mark)?;
    }
    Ok(made)
}

fn is_mark(word: &str) -> bool {
    matches!(word, ":::" | ":::+" | "::::" | "::::+")
}

impl Words {
    fn open(&mut self, mark: &str) -> Result<(), WordsError> {
        let linked = mark.ends_with('+');
        if linked && self.sources.is_empty() {
            return Err(WordsError::NothingToLink(mark.to_owned()));
        }
        let values = if mark.starts_with("::::") {
            WordValues::LinesOf(PathBuf::new())
        } else {
            WordValues::Given(Vec::new())
        };
        self.sources.push(WordSource { linked, values });
        Ok(())
    }

    fn check(&self, mark: &str) -> Result<(), WordsError> {
        match self.sources.last().map(|source| &source.values) {
            Some(WordValues::LinesOf(file)) if file.as_os_str().is_empty() => {
                Err(WordsError::NoFile(mark.to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// Puts `{}` where the command has `text`.
pub(crate) fn replace(command: &mut [Vec<u8>], text: &[u8]) {
    for word in command {
        let mut made = Vec::with_capacity(word.len());
        let mut rest = word.as_slice();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(text).filter(|_| !text.is_empty()) {
                made.extend_from_slice(b"{}");
                rest = after;
            } else {
                made.push(rest[0]);
                rest = &rest[1..];
            }
        }
        *word = made;
    }
}

/// A flag of ours among the words of a command, which gets it although it may be meant for us.
/// None where `--` stands before the command.
pub(crate) fn stray<'w>(
    command: &'w [Vec<u8>],
    line: &[OsString],
    is_flag: &dyn Fn(&[u8]) -> bool,
    words: usize,
) -> Option<&'w [u8]> {
    let before = line.len().checked_sub(words + 1).and_then(|at| line.get(at));
    if before.is_some_and(|word| word == "--") {
        return None;
    }
    command.iter().map(Vec::as_slice).find(|word| is_flag(word))
}

/// Splits a command of one word as a shell would, without running one. What only a shell
/// understands is refused rather than handed to the program as an argument.
pub(crate) fn split(command: &[u8]) -> Result<Vec<Vec<u8>>, WordsError> {
    let shown = || String::from_utf8_lossy(command).into_owned();
    if let Some(operator) = operator::find(command) {
        return Err(WordsError::NeedsShell { operator, command: shown() });
    }
    let mut words = shlex::bytes::Shlex::new(command);
    let split: Vec<Vec<u8>> = words.by_ref().collect();
    if words.had_error { Err(WordsError::OpenQuote(shown())) } else { Ok(split) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Result<Words, WordsError> {
        let words: Vec<OsString> = words.iter().map(Into::into).collect();
        parse(&words)
    }

    fn given(linked: bool, values: &[&str]) -> WordSource {
        let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        WordSource { linked, values: WordValues::Given(values) }
    }

    #[test]
    fn sources_follow_the_command() {
        let words = of(&["echo", "{}", ":::", "a", "b", ":::+", "1", "2", ":::", "x"]);
        let words = words.expect("they are words");
        assert_eq!(words.command, [b"echo".to_vec(), b"{}".to_vec()]);
        let want = [given(false, &["a", "b"]), given(true, &["1", "2"]), given(false, &["x"])];
        assert_eq!(words.sources, want);
    }

    #[test]
    fn files_are_sources_too() {
        let words = of(&["cat", "::::", "list", "more", "::::+", "-"]).expect("they are words");
        let file =
            |linked, name: &str| WordSource { linked, values: WordValues::LinesOf(name.into()) };
        assert_eq!(words.sources, [file(false, "list"), file(false, "more"), file(true, "-")]);
        assert_eq!(of(&["cat", "::::"]), Err(WordsError::NoFile("::::".into())));
        assert_eq!(of(&["cat", "::::", ":::", "a"]), Err(WordsError::NoFile("::::".into())));
        assert_eq!(of(&["x", ":::+", "a"]), Err(WordsError::NothingToLink(":::+".into())));
    }

    #[test]
    fn one_word_is_split_without_a_shell() {
        let words = split(b"grep -c 'a b' {} \"x\\\"y\" \xff").expect("quotes are closed");
        assert_eq!(words, [&b"grep"[..], b"-c", b"a b", b"{}", b"x\"y", b"\xff"]);
        assert!(matches!(split(b"echo 'a"), Err(WordsError::OpenQuote(_))));
    }

    #[test]
    fn another_text_can_stand_for_the_input() {
        let mut command = vec![b"mv".to_vec(), b"%%".to_vec(), b"x/%%%%.%".to_vec()];
        replace(&mut command, b"%%");
        assert_eq!(command, [b"mv".to_vec(), b"{}".to_vec(), b"x/{}{}.%".to_vec()]);
    }

    #[test]
    fn a_flag_after_the_command_is_seen_unless_it_is_marked_as_a_word() {
        let line = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let command = [b"echo".to_vec(), b"--tag".to_vec()];
        let is_flag = |word: &[u8]| word == b"--tag";
        let plain = line(&["bary", "map", "echo", "--tag", ":::", "a"]);
        assert_eq!(stray(&command, &plain, &is_flag, 4), Some(&b"--tag"[..]));
        let marked = line(&["bary", "map", "--", "echo", "--tag", ":::", "a"]);
        assert_eq!(stray(&command, &marked, &is_flag, 4), None);
        assert_eq!(stray(&command[..1], &plain, &is_flag, 4), None);
    }

    #[test]
    fn what_needs_a_shell_is_told() {
        for command in ["cat {} | wc", "a && b", "sort {} > {}.out", "cd x; ls", "sleep 1 &"] {
            let refused = split(command.as_bytes());
            assert!(matches!(refused, Err(WordsError::NeedsShell { .. })), "{command}");
        }
        for command in ["grep '|' {}", "echo a\\|b", "echo \\| x", "find . -name \"a > b\"", "a;b"]
        {
            assert!(split(command.as_bytes()).is_ok(), "{command}");
        }
    }
}
