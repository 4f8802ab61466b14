//! Runs the built program the way a person does, in a directory of its own.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A directory with the program at hand.
pub(crate) struct Bench {
    directory: TempDir,
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().expect("the system has room for a directory") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path().join(name), text).expect("the directory takes files");
        self
    }

    /// Reads a file.
    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path().join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The program, with nothing of this environment that changes what it prints.
    pub(crate) fn command<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bary"));
        command.args(words).current_dir(self.path()).stdin(Stdio::null());
        command.env_remove("BARY_OUTPUT").env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1");
        for name in ["BARY_ADDR", "BARY_TOKEN", "BARY_TOKEN_FILE", "XDG_RUNTIME_DIR"] {
            command.env_remove(name);
        }
        for name in ["BARY_STATE", "BARY_LISTEN", "BARY_SOCKET", "BARY_DRAIN_TIMEOUT"] {
            command.env_remove(name);
        }
        command.env("XDG_STATE_HOME", self.path().join("state"));
        command.env("XDG_CONFIG_HOME", self.path().join("config"));
        command
    }

    /// Runs the program with these words.
    pub(crate) fn bary(&self, words: &[&str]) -> Run {
        Run::of(self.command(words).output().expect("the program is built"))
    }

    /// Runs the program with a text as its standard input.
    pub(crate) fn fed(&self, words: &[&str], input: impl AsRef<[u8]>) -> Run {
        let mut child = self.spawn(words);
        let mut stdin = child.stdin.take().expect("it is piped");
        let input = input.as_ref().to_vec();
        let writer = std::thread::spawn(move || {
            // A program that reads no more ends the writing; the run itself is judged.
            drop(stdin.write_all(&input));
        });
        let output = child.wait_with_output().expect("the program ends");
        writer.join().expect("writing does not panic");
        Run::of(output)
    }

    /// Starts the program with all its streams piped.
    pub(crate) fn spawn(&self, words: &[&str]) -> Child {
        let mut command = self.command(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program is built")
    }
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Holds what was printed and the exit code against what is wanted.
    #[track_caller]
    pub(crate) fn is(&self, code: i32, out: &str) -> &Self {
        assert_eq!(self.out, out, "{self:?}");
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// Holds the exit code against what is wanted, and looks for a text in standard error.
    #[track_caller]
    pub(crate) fn says(&self, code: i32, text: &str) -> &Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.err.contains(text), "{text} is not in {self:?}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
