//! Lines of a reader, none longer than a limit and all of them text.

use std::io::{self, BufRead, Read};

use crate::console::wrong::{CONSOLE_LINE_BYTES_MAX, Wrong};

/// Reads one line without its end; none where there are no more. What is too long is read over
/// to its end.
pub(crate) fn next(from: &mut impl BufRead) -> io::Result<Option<Result<String, Wrong>>> {
    let mut bytes = Vec::new();
    let most = CONSOLE_LINE_BYTES_MAX as u64 + 1;
    if from.by_ref().take(most).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if bytes.len() as u64 == most {
        skip(from)?;
        return Ok(Some(Err(Wrong::TooLong)));
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    Ok(Some(String::from_utf8(bytes).map_err(|_| Wrong::NotText)))
}

fn skip(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let some = from.fill_buf()?;
        let (read, ended) = match some.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (some.len(), some.is_empty()),
        };
        from.consume(read);
        if ended {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::next;
    use crate::console::wrong::{CONSOLE_LINE_BYTES_MAX, Wrong};

    #[test]
    fn a_line_that_is_too_long_does_no_harm_to_the_next() {
        let long = "x".repeat(CONSOLE_LINE_BYTES_MAX + 1);
        let fits = &long[1..];
        let text =
            [b"one\r\n\n", fits.as_bytes(), b"\n", long.as_bytes(), b"\n\xff\nlast"].concat();
        let mut from = &text[..];
        let mut lines = Vec::new();
        while let Some(line) = next(&mut from).expect("bytes can be read") {
            lines.push(line);
        }
        let wanted = [
            Ok("one".to_owned()),
            Ok(String::new()),
            Ok(fits.to_owned()),
            Err(Wrong::TooLong),
            Err(Wrong::NotText),
            Ok("last".to_owned()),
        ];
        assert_eq!(lines, wanted);
    }
}
