//! Child processes whose whole output is wanted, in the order in which it was written.

use std::fmt;
use std::io::{self, Read as _};
use std::process::Command;

/// A child that ended.
pub(crate) struct Ended {
    /// Whether it exited with 0.
    pub(crate) ok: bool,
    /// Its standard output and standard error, interleaved as they came.
    pub(crate) output: String,
}

/// The child did not start, or its output could not be read.
#[derive(Debug)]
pub(crate) struct SpawnError {
    program: String,
    cause: io::Error,
}

impl fmt::Display for SpawnError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} did not run: {}", self.program, self.cause)
    }
}

/// Runs `command` to its end; both output streams share one pipe, so that they keep their order.
pub(crate) fn capture(mut command: Command) -> Result<Ended, SpawnError> {
    let program = command.get_program().to_string_lossy().into_owned();
    interleaved(&mut command).map_err(|cause| SpawnError { program, cause })
}

fn interleaved(command: &mut Command) -> io::Result<Ended> {
    let (mut reader, writer) = io::pipe()?;
    let mut child = command.stdout(writer.try_clone()?).stderr(writer).spawn()?;
    // The command still holds the pipe's writing ends; the reader sees no end before they go.
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut bytes = Vec::new();
    let read = reader.read_to_end(&mut bytes);
    let status = child.wait()?;
    read?;
    Ok(Ended { ok: status.success(), output: String::from_utf8_lossy(&bytes).into_owned() })
}

/// What `command` printed on standard output; the error names the command and quotes the rest.
pub(crate) fn printed(mut command: Command) -> Result<Vec<u8>, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    let line = format!("{program} {}", words.join(" "));
    let output = command.output().map_err(|cause| format!("`{line}` did not run: {cause}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    // Some say on standard output what they found, and nothing else.
    let spoke = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let said = String::from_utf8_lossy(spoke);
    Err(format!("`{line}` failed ({}):\n{}", output.status, said.trim_end()))
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::{capture, printed};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_come_in_the_order_of_writing() {
        let ended = capture(shell("echo a; echo b >&2; echo c; exit 3")).expect("sh is there");
        assert_eq!((ended.ok, ended.output.as_str()), (false, "a\nb\nc\n"));
    }

    #[test]
    fn a_failure_quotes_what_the_command_said() {
        assert_eq!(printed(shell("echo data")), Ok(b"data\n".to_vec()));
        let complaint = printed(shell("echo broken >&2; exit 1")).expect_err("it exits with 1");
        assert!(complaint.ends_with("broken"), "{complaint}");
        let verdict = printed(shell("echo unsound; exit 1")).expect_err("it exits with 1");
        assert!(verdict.ends_with("unsound"), "{verdict}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let complaint = capture(Command::new("no-such-program-here")).err().map(|e| e.to_string());
        assert!(complaint.is_some_and(|text| text.starts_with("no-such-program-here did not run")));
    }
}
