//! One life of a run: it is started, and ends by itself or is killed at a drawn instant.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// When a life is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// By itself.
    Natural,
    /// So long after its start.
    After(Duration),
    /// When it has printed so many lines, and so long after that.
    Printed(usize, Duration),
}

/// What came of a life.
#[derive(Debug)]
pub(crate) struct Life {
    /// Its exit; none where it was killed.
    pub(crate) exit: Option<ExitStatus>,
    /// The whole lines that it printed.
    pub(crate) lines: Vec<String>,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

/// Longer than any life that ends by itself.
const HANG: Duration = Duration::from_secs(60);

/// Runs a command for one life.
pub(crate) fn live(mut command: Command, fate: Fate) -> Result<Life, String> {
    let begun = Instant::now();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|cause| format!("bary did not run: {cause}"))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (Some(stdout), Some(mut stderr)) = (stdout, stderr) else {
        return Err("a pipe is missing".to_owned());
    };
    let (lines, reader) = read(stdout);
    let errors = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stderr.read_to_end(&mut bytes);
        read.map(|_| String::from_utf8_lossy(&bytes).into_owned())
    });
    let mut printed = Vec::new();
    let killed = attend(&mut child, fate, begun, &lines, &mut printed)?;
    let status = child.wait().map_err(|cause| format!("bary was not reaped: {cause}"))?;
    let took = begun.elapsed();
    reader.join().map_err(|_| "the reader of standard output failed")?;
    printed.extend(lines.try_iter());
    let stderr = errors.join().map_err(|_| "the reader of standard error failed")?;
    let stderr = stderr.map_err(|cause| format!("standard error: {cause}"))?;
    // What had ended before the signal came was not killed.
    let exit = (!killed || status.code().is_some()).then_some(status);
    Ok(Life { exit, lines: printed, stderr, took })
}

fn read(stdout: ChildStdout) -> (Receiver<String>, JoinHandle<()>) {
    let (sender, lines) = channel();
    let reader = std::thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        let mut line = Vec::new();
        while stdout.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            // A line that was cut off has not been told.
            if line.pop() != Some(b'\n') {
                break;
            }
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
            line.clear();
        }
    });
    (lines, reader)
}

/// Waits for the end that is its fate; whether it was killed.
fn attend(
    child: &mut Child,
    fate: Fate,
    begun: Instant,
    lines: &Receiver<String>,
    printed: &mut Vec<String>,
) -> Result<bool, String> {
    let mut until = match fate {
        Fate::After(wait) => begun + wait,
        Fate::Natural | Fate::Printed(..) => begun + HANG,
    };
    loop {
        if let Fate::Printed(count, wait) = fate
            && printed.len() == count
        {
            until = until.min(Instant::now() + wait);
        }
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => printed.push(line),
            Err(RecvTimeoutError::Disconnected) => {
                // It has closed its output and is about to end. Killing it even then is fair.
                return match fate {
                    Fate::After(_) => wait_until(child, until),
                    Fate::Natural | Fate::Printed(..) => Ok(false),
                };
            }
            Err(RecvTimeoutError::Timeout) => {
                child.kill().map_err(|cause| format!("bary could not be killed: {cause}"))?;
                return if Instant::now() >= begun + HANG {
                    Err(format!("a run did not end within {} s", HANG.as_secs()))
                } else {
                    Ok(true)
                };
            }
        }
    }
}

fn wait_until(child: &mut Child, until: Instant) -> Result<bool, String> {
    while Instant::now() < until {
        let ended = child.try_wait().map_err(|cause| format!("bary was not reaped: {cause}"))?;
        if ended.is_some() {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_micros(50));
    }
    child.kill().map_err(|cause| format!("bary could not be killed: {cause}"))?;
    Ok(true)
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{Fate, live};

    fn shell(text: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", text]);
        command
    }

    #[test]
    fn a_life_ends_by_itself_or_is_killed_where_its_fate_says() {
        let whole = live(shell("echo a; echo b; exit 3"), Fate::Natural).expect("sh is there");
        assert_eq!(whole.lines, ["a", "b"]);
        assert_eq!(whole.exit.and_then(|exit| exit.code()), Some(3));
        let fate = Fate::Printed(1, Duration::ZERO);
        let cut = live(shell("echo a; exec sleep 1000"), fate).expect("sh is there");
        assert_eq!((cut.lines.as_slice(), cut.exit), (["a".to_owned()].as_slice(), None));
        let fate = Fate::After(Duration::from_millis(1));
        let cut = live(shell("printf a; exec sleep 1000"), fate).expect("sh is there");
        assert_eq!((cut.lines.len(), cut.exit), (0, None));
    }
}
