//! Where in a script a placeholder stands: outside quotes, inside them, in a here-document. A value
//! is written so that the shell reads it as text there and nothing else.
//!
//! Where that cannot be told, as in `$((…))`, bytes that could mean something become `@`.

use serde::{Deserialize, Serialize};

/// What surrounds a placeholder in a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spot {
    kind: Kind,
    /// Whether backquotes surround it: they take a layer of backslashes away.
    backquoted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Bare,
    Single,
    Double,
    Comment,
    Here(HereDoc),
    Unsure,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct HereDoc {
    end: Vec<u8>,
    quoted: bool,
}

/// What was opened and not yet closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Single,
    Double,
    Paren,
    Brace,
    Backquote,
    Comment,
}

/// Reads the literal parts of a script in order and says where each placeholder stands.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    open: Vec<Open>,
    /// Whether a backslash takes the meaning from what comes next.
    escaped: bool,
    /// Whether the last byte is a dollar sign, which would begin something with a value.
    dollar: bool,
    /// The word so far, as far as it may be a keyword.
    word: Vec<u8>,
    /// Here-documents that begin after this line, and the lines of the first.
    awaited: Vec<HereDoc>,
    line: Option<Vec<u8>>,
    lost: bool,
}

impl Spot {
    /// Whether values are words of their own here, each quoted for itself.
    pub(super) fn is_bare(&self) -> bool {
        self.kind == Kind::Bare && !self.backquoted
    }

    /// Writes a value.
    pub(super) fn put(&self, value: &[u8], text: &mut Vec<u8>) {
        let mut quoted = Vec::with_capacity(value.len() + 2);
        match &self.kind {
            Kind::Bare => word(value, &mut quoted),
            Kind::Single => inside_single(value, &mut quoted),
            Kind::Double => escape(value, b"\\$`\"", &mut quoted),
            Kind::Comment => quoted.extend(value.iter().map(one_line)),
            Kind::Here(here) => here.put(value, &mut quoted),
            Kind::Unsure => quoted.extend(value.iter().map(|byte| match byte {
                byte if is_plain(byte) => *byte,
                _ => b'@',
            })),
        }
        if self.backquoted {
            escape(&quoted, b"\\$`", text);
        } else {
            text.extend_from_slice(&quoted);
        }
    }
}

impl HereDoc {
    /// A value of several lines becomes one, and none is the line that ends the document.
    fn put(&self, value: &[u8], text: &mut Vec<u8>) {
        let line: Vec<u8> = value.iter().map(one_line).collect();
        escape(&line, if self.quoted { b"" } else { b"\\$`" }, text);
        if !line.is_empty() && self.end.windows(line.len()).any(|part| part == line) {
            text.push(b' ');
        }
    }
}

fn one_line(byte: &u8) -> u8 {
    if *byte == b'\n' { b' ' } else { *byte }
}

fn is_plain(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_./:@%+,".contains(byte)
}

/// Writes a value as one word outside quotes. Digits before a redirection would be a file
/// descriptor, so that they are quoted too.
pub(super) fn word(value: &[u8], text: &mut Vec<u8>) {
    let named = value.iter().any(|byte| !byte.is_ascii_digit());
    if named && value.iter().all(is_plain) {
        return text.extend_from_slice(value);
    }
    text.push(b'\'');
    inside_single(value, text);
    text.push(b'\'');
}

fn inside_single(value: &[u8], text: &mut Vec<u8>) {
    for &byte in value {
        match byte {
            b'\'' => text.extend_from_slice(b"'\\''"),
            byte => text.push(byte),
        }
    }
}

fn escape(value: &[u8], special: &[u8], text: &mut Vec<u8>) {
    for byte in value {
        if special.contains(byte) {
            text.push(b'\\');
        }
        text.push(*byte);
    }
}

impl Scanner {
    /// Where what follows stands.
    pub(super) fn spot(&self) -> Spot {
        let backquoted = self.open.contains(&Open::Backquote);
        let kind = match self.open.last() {
            _ if self.lost || (backquoted && (self.escaped || self.dollar)) => Kind::Unsure,
            _ if self.line.is_some() => match self.awaited.first() {
                Some(here) if !backquoted => Kind::Here(here.clone()),
                _ => Kind::Unsure,
            },
            None | Some(Open::Paren | Open::Backquote) => Kind::Bare,
            Some(Open::Single) => Kind::Single,
            Some(Open::Double) => Kind::Double,
            Some(Open::Comment) => Kind::Comment,
            Some(Open::Brace) => Kind::Unsure,
        };
        Spot { kind, backquoted }
    }

    /// Notes that a value stands here. Whether a backslash has to be put before the last byte:
    /// that is `$` or a backslash, which would change what the value begins with.
    pub(super) fn on_value(&mut self) -> bool {
        self.word.push(b'_');
        if let Some(line) = &mut self.line {
            line.push(b' ');
        }
        std::mem::take(&mut self.escaped) | std::mem::take(&mut self.dollar)
    }

    /// Reads a literal part.
    pub(super) fn read(&mut self, text: &[u8]) {
        let mut at = 0;
        while at < text.len() && !self.lost {
            at += self.step(&text[at..]);
        }
    }

    /// Reads what `text` begins with; how many bytes that is.
    fn step(&mut self, text: &[u8]) -> usize {
        let byte = text[0];
        self.dollar = false;
        if self.line.is_some() {
            self.in_here_document(byte, text.get(1));
            return 1;
        }
        if self.escaped {
            self.escaped = false;
            // Backquotes read these before what is inside them does.
            self.lost |= self.open.contains(&Open::Backquote) && b"\\$`\"".contains(&byte);
            self.word.push(b'_');
            return 1;
        }
        match (self.open.last().copied(), byte) {
            (Some(Open::Comment), b'\n') => {
                self.open.pop();
                self.end_line();
            }
            (Some(Open::Single), b'\'') => self.close(),
            (Some(Open::Comment | Open::Single), _) => {}
            (_, b'\\') => self.escaped = true,
            (Some(Open::Double), b'"') | (Some(Open::Brace), b'}') => self.close(),
            (_, b'`') => self.backquote(),
            (_, b'$') => return self.dollar(text),
            (Some(Open::Double), _) => {}
            // Inside "${...}" shells differ on what these mean.
            (Some(Open::Brace), b'"' | b'\'') if self.open.contains(&Open::Double) => {
                self.lost = true;
            }
            (_, b'"') => self.open(Open::Double),
            (_, b'\'') => self.open(Open::Single),
            (Some(Open::Brace), _) => {}
            (_, byte) => return self.bare(byte, text),
        }
        1
    }

    fn bare(&mut self, byte: u8, text: &[u8]) -> usize {
        match byte {
            b'(' if text.starts_with(b"((") => self.lost = true,
            b'(' => self.open(Open::Paren),
            b')' if self.open.last() == Some(&Open::Paren) => self.close(),
            b'#' if self.word.is_empty() => self.open(Open::Comment),
            b'<' if text.starts_with(b"<<<") => return self.blank(3),
            b'<' if text.starts_with(b"<<") => return self.here_document(text),
            b'\n' => self.end_line(),
            b' ' | b'\t' | b';' | b'&' | b'|' | b'<' | b'>' | b')' => return self.blank(1),
            byte => self.word.push(byte),
        }
        1
    }

    /// Ends a word. After `case` inside parentheses a closing one may be that of a pattern.
    fn blank(&mut self, bytes: usize) -> usize {
        self.lost |= self.word == b"case" && !self.open.is_empty();
        self.word.clear();
        bytes
    }

    fn open(&mut self, what: Open) {
        self.open.push(what);
        self.word.clear();
        if matches!(what, Open::Single | Open::Double) {
            self.word.push(b'_');
        }
    }

    fn close(&mut self) {
        self.open.pop();
        self.word.push(b'_');
    }

    fn backquote(&mut self) {
        match self.open.iter().rposition(|open| *open == Open::Backquote) {
            Some(at) if at + 1 == self.open.len() => self.close(),
            Some(_) => self.lost = true,
            None => self.open(Open::Backquote),
        }
    }

    fn dollar(&mut self, text: &[u8]) -> usize {
        let is_double = self.open.last() == Some(&Open::Double);
        match text.get(1) {
            Some(b'(') if text.get(2) == Some(&b'(') => self.lost = true,
            Some(b'(') => self.open(Open::Paren),
            Some(b'{') => self.open(Open::Brace),
            // Some shells read escapes in these quotes, and some do not.
            Some(b'\'') if !is_double => self.lost = true,
            Some(b'#') => self.word.push(b'_'),
            next => {
                self.dollar = next.is_none();
                self.word.push(b'_');
                return 1;
            }
        }
        2
    }

    fn here_document(&mut self, text: &[u8]) -> usize {
        let rest = &text[2..];
        let tabs = usize::from(rest.first() == Some(&b'-'));
        let blanks = rest[tabs..].iter().take_while(|byte| b" \t".contains(byte)).count();
        let name = &rest[tabs + blanks..];
        let len = name.iter().take_while(|byte| !b" \t\n;&|<>()".contains(byte)).count();
        let mut end = name[..len].to_vec();
        end.retain(|byte| !b"'\"\\".contains(byte));
        // Where the name goes on in a placeholder, or has blanks in quotes, it is not known.
        let odd = |quote: u8| name[..len].iter().filter(|byte| **byte == quote).count() % 2 == 1;
        self.lost |= end.is_empty() || len == name.len() || odd(b'\'') || odd(b'"');
        self.awaited.push(HereDoc { quoted: end.len() < len, end });
        self.blank(2 + tabs + blanks + len)
    }

    fn end_line(&mut self) {
        self.blank(1);
        if !self.awaited.is_empty() {
            self.line = Some(Vec::new());
        }
    }

    fn in_here_document(&mut self, byte: u8, next: Option<&u8>) {
        let Some(line) = &mut self.line else { return };
        if self.awaited.first().is_some_and(|here| !here.quoted) {
            let escaped = std::mem::take(&mut self.escaped);
            self.escaped = byte == b'\\' && !escaped;
            self.dollar = byte == b'$' && !escaped && next.is_none();
            let opens = byte == b'`' || (byte == b'$' && matches!(next, Some(b'(' | b'{')));
            // What runs or is joined inside the document is read by other rules.
            self.lost |= (opens && !escaped) || (byte == b'\n' && escaped);
        }
        if byte != b'\n' {
            return line.push(byte);
        }
        let tabs = line.iter().take_while(|byte| **byte == b'\t').count();
        let ended = self.awaited.first().is_some_and(|here| line[tabs..] == here.end);
        line.clear();
        if ended {
            self.awaited.remove(0);
        }
        if self.awaited.is_empty() {
            self.line = None;
        }
    }
}
