//! What crosses the bridge between members, and whether any of it can be read.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What is being written down. It ends when this is dropped.
pub(crate) struct Capture {
    file: PathBuf,
    process: Child,
}

/// Bytes that are written down; what comes later is as what came before.
const BYTES_MAX: u64 = 256 << 20;
/// Writes down what crosses the interface of a name, until there is enough of it.
const SCRIPT: &str = "
import socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
wire.bind((sys.argv[1], 0))
print('ready', flush=True)
left = int(sys.argv[3])
with open(sys.argv[2], 'wb') as file:
    while left > 0:
        left -= file.write(wire.recv(1 << 16))
        file.flush()
";

impl Capture {
    /// Begins to write down what crosses an interface that hears all.
    pub(crate) fn begin(interface: &str, file: &Path) -> Result<Self, String> {
        let mut command = Command::new("python3");
        command.args(["-c", SCRIPT, interface]).arg(file).arg(BYTES_MAX.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let failed = |cause: std::io::Error| format!("python3: {cause}");
        let mut process = command.spawn().map_err(failed)?;
        let said = process.stdout.take().ok_or("python3 says nothing")?;
        let capture = Self { file: file.to_owned(), process };
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line).map_err(failed)?;
        match line.trim() {
            "ready" => Ok(capture),
            _ => Err("what crosses the bridge cannot be written down".to_owned()),
        }
    }

    /// How many bytes were written down, and which of some texts can be read among them.
    pub(crate) fn read<'a>(&self, texts: &[&'a str]) -> Result<(usize, Vec<&'a str>), String> {
        let bytes = std::fs::read(&self.file).map_err(|cause| format!("the capture: {cause}"))?;
        let is_there = |text: &&&str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        Ok((bytes.len(), texts.iter().filter(is_there).copied().collect()))
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        if let Err(cause) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("the capture was not ended: {cause}");
        }
    }
}
