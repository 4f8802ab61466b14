//! What a terminal would obey, made harmless: names and output come from anybody.

/// A text for one line: every control character is replaced.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(|c| if is_obeyed(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Output for a terminal: line ends and tabs stay, what else would be obeyed is replaced. Bytes
/// that are no text stay as they are.
pub(crate) fn output(bytes: &[u8]) -> Vec<u8> {
    let mut made = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            let kept = matches!(c, '\n' | '\t') || !is_obeyed(c);
            let c = if kept { c } else { char::REPLACEMENT_CHARACTER };
            made.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        // Half a character at the end of a piece is completed by the next one.
        made.extend_from_slice(chunk.invalid());
    }
    made
}

/// Control characters of both sets, and those that turn the direction of text around.
fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_obey() {
        assert_eq!(line("a\tb\u{9b}1m\u{202e}"), "a\u{fffd}b\u{fffd}1m\u{fffd}");
        assert_eq!(output(b"a\x1b[2J\tb\r\n"), "a\u{fffd}[2J\tb\u{fffd}\n".as_bytes());
        assert_eq!(output("naïve\n".as_bytes()), "naïve\n".as_bytes());
    }

    #[test]
    fn bytes_that_are_no_text_stay() {
        assert_eq!(output(b"\xff\xfe\n"), b"\xff\xfe\n");
    }
}
