//! A Rust file as text and as code: the same bytes with comments, strings and characters blanked,
//! so that a search of the code cannot be fooled by prose. It is a scanner, not a parser: it knows
//! words, braces and where literals end, which is all that the house rules need.

use std::path::{Path, PathBuf};

/// One Rust file.
pub(crate) struct Source {
    /// Its path from the root.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) text: String,
    /// `text` with comments and literals blanked; offsets and line breaks are the same.
    pub(crate) code: String,
}

impl Source {
    /// Blanks `text` once, for all checks.
    pub(crate) fn new(path: &Path, text: String) -> Self {
        let code = blank(&text);
        Self { path: path.to_path_buf(), text, code }
    }
}

/// `text` with the bytes of comments, strings and characters turned into spaces.
pub(crate) fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let after_word = at > 0 && is_word(bytes[at - 1]);
        let hidden = hidden_bytes(&bytes[at..], after_word).min(bytes.len() - at);
        let blanked = bytes[at..at + hidden].iter();
        code.extend(blanked.map(|&byte| if byte == b'\n' { byte } else { b' ' }));
        at += hidden;
        if hidden == 0 {
            code.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// How many bytes from the start of `rest` are a comment or a literal; 0 for code.
fn hidden_bytes(rest: &[u8], after_word: bool) -> usize {
    match rest {
        [b'/', b'/', ..] => rest.iter().take_while(|&&byte| byte != b'\n').count(),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => 1 + until_quote(&rest[1..]),
        [b'\'', ..] => character(rest),
        _ if after_word => 0,
        _ => raw_string(rest),
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn until_quote(rest: &[u8]) -> usize {
    let mut at = 0;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// A character literal's bytes, or 0 when the quote opens a lifetime.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        let close = rest.iter().skip(3).position(|&byte| byte == b'\'');
        return close.map_or(rest.len(), |close| close + 4);
    }
    let width = match rest.get(1) {
        Some(0xF0..) => 4,
        Some(0xE0..) => 3,
        Some(0xC0..) => 2,
        _ => 1,
    };
    if rest.get(1 + width) == Some(&b'\'') { width + 2 } else { 0 }
}

/// A raw string's bytes with its prefix, or 0 when `rest` does not start with one.
fn raw_string(rest: &[u8]) -> usize {
    let prefix = usize::from(matches!(rest.first(), Some(b'b' | b'c')));
    if rest.get(prefix) != Some(&b'r') {
        return 0;
    }
    let open = prefix + 1;
    let hashes = rest[open..].iter().take_while(|&&byte| byte == b'#').count();
    if rest.get(open + hashes) != Some(&b'"') {
        return 0;
    }
    let body = open + hashes + 1;
    let close = [b"\"".as_slice(), "#".repeat(hashes).as_bytes()].concat();
    let end = rest[body..].windows(close.len()).position(|window| window == close);
    end.map_or(rest.len(), |end| body + end + close.len())
}

/// Whether `byte` may stand inside a word. Every byte of a letter beyond ASCII may.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Where `word` stands in `code` as a whole word.
pub(crate) fn places<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> {
    let bytes = code.as_bytes();
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let after = bytes.get(at + word.len()).copied();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The word that `code` starts with, after white space; empty where there is none.
pub(crate) fn first_word(code: &str) -> &str {
    let code = code.trim_start();
    let end = code.bytes().position(|byte| !is_word(byte));
    &code[..end.unwrap_or(code.len())]
}

/// The line, counted from 1, that `offset` stands on.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::{blank, first_word, line_of, places};

    /// Blanked text with its spaces squeezed, so that a case fits on a line.
    fn code(text: &str) -> String {
        let code = blank(text);
        assert_eq!(code.len(), text.len(), "offsets must not move");
        code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_literals_are_blanked_and_nothing_else() {
        let table = [
            ("a // b {\nc", "a c"),
            ("a /* b /* { */ \" */ c", "a c"),
            (r#"a("x \" {", b)"#, "a( , b)"),
            (r##"a(r#"x " {"#, b)"##, "a( , b)"),
            (r#"a(br"\", b)"#, "a( , b)"),
            (r#"a(b"\\", c"{")"#, "a(b , c )"),
            ("a('{', '\\'', '\\u{7D}', 'é', b'}')", "a( , , , , b )"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("let r#type = 1; var\"x\"", "let r#type = 1; var"),
            ("a \"never closed {", "a"),
        ];
        for (text, wanted) in table {
            assert_eq!(code(text), wanted, "{text}");
        }
    }

    #[test]
    fn line_breaks_inside_a_string_are_kept() {
        assert_eq!(blank("\"a\nb\" c"), "  \n   c");
    }

    #[test]
    fn words_are_found_whole() {
        let code = "use reuse; user use";
        assert_eq!(places(code, "use").collect::<Vec<_>>(), [0, 16]);
        assert_eq!(first_word("  name(x)"), "name");
        assert_eq!(line_of("a\nb\nc", 4), 3);
    }
}
