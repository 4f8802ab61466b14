//! Tells of flags of `bary map` that stand after the command, which then gets them.

use std::io::IsTerminal;

use crate::args::Face;
use crate::args::map::{MapArgs, is_flag};
use crate::screen::Screen;
use crate::words;

/// Tells of one such flag, where a person is likely to sit and nothing is piped in.
pub(crate) fn stray_flag(args: &MapArgs, face: Face) {
    if face.is_quiet() || !is_stdin_idle() {
        return;
    }
    let line: Vec<_> = std::env::args_os().collect();
    let command = args.words.iter().map(|word| words::bytes(word));
    let command: Vec<_> = command.take_while(|word| !word.starts_with(b":::")).collect();
    if let Some(flag) = words::stray(&command, &line, &is_flag, args.words.len()) {
        let flag = String::from_utf8_lossy(flag);
        let text = format!(
            "bary: the command gets `{flag}`; flags of bary map come before the command, and -- \
             before it silences this"
        );
        Screen::new(face).note(&text);
    }
}

/// Whether standard input is a terminal, the null device or an empty file.
fn is_stdin_idle() -> bool {
    let stdin = std::io::stdin();
    stdin.is_terminal() || is_empty(&stdin)
}

#[cfg(unix)]
fn is_empty(stdin: &std::io::Stdin) -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileTypeExt;

    let Ok(owned) = stdin.as_fd().try_clone_to_owned() else { return false };
    let Ok(of) = std::fs::File::from(owned).metadata() else { return false };
    of.file_type().is_char_device() || (of.is_file() && of.len() == 0)
}

#[cfg(not(unix))]
fn is_empty(_: &std::io::Stdin) -> bool {
    false
}
