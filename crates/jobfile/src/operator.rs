//! Words that only a shell understands. Where none runs, a program would get them as arguments.

/// The first word of a command, outside quotes, that is an operator of a shell.
#[must_use]
pub fn find(command: &[u8]) -> Option<String> {
    const OPERATORS: [&[u8]; 11] =
        [b"|", b"||", b"&", b"&&", b";", b">", b">>", b"<", b"2>", b"2>&1", b"|&"];
    let mut quote = None;
    let mut plain = Vec::with_capacity(command.len());
    let mut bytes = command.iter();
    while let Some(&byte) = bytes.next() {
        match (quote, byte) {
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None | Some(b'"'), b'\\') => {
                // What follows is meant as it is.
                bytes.next();
            }
            (None, _) => {
                plain.push(byte);
                continue;
            }
            (Some(_), _) => {}
        }
        plain.push(b'x');
    }
    let mut words = plain.split(u8::is_ascii_whitespace);
    words.find_map(|word| {
        let word = word.strip_suffix(b";").filter(|rest| !rest.is_empty()).map_or(word, |_| b";");
        OPERATORS.contains(&word).then(|| String::from_utf8_lossy(word).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_words_outside_quotes() {
        assert_eq!(find(b"ls | wc").as_deref(), Some("|"));
        assert_eq!(find(b"cd x; ls").as_deref(), Some(";"));
        assert_eq!(find(b"sort 2>&1").as_deref(), Some("2>&1"));
        assert_eq!(find(b"grep '|' \"a > b\" \\| a;b"), None);
    }
}
