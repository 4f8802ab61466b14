//! The processes of several nodes: begins them, tells what each says under its name, hands on
//! signals, and waits until all have ended.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use bary_model::time::Span;
use bary_node::peers::invites::{Terms, invite};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::called;
use crate::args::up::LogForm;
use crate::complaint::Complaint;
use crate::exit::Exit;

/// How long the nodes have to join once the first one is up.
const JOIN_SPAN: Span = Span::secs(600);
/// How many bytes of a line of a node's log are told at most.
const LINE_BYTES_MAX: u64 = 64 << 10;
/// With what the line begins by which a node says that it is up.
const UP: &str = "up at ";

/// Something that happened.
enum News {
    /// A node said a line.
    Said(usize, String),
    /// It says nothing more.
    Silent(usize),
    /// A signal came.
    Signal(i32),
}

/// One node.
struct One {
    name: String,
    state: PathBuf,
    /// Its process, and what ends it at once when it is dropped.
    process: Option<(Child, ChildStdin)>,
    is_up: bool,
}

/// All nodes.
pub(super) struct Flock {
    nodes: Vec<One>,
    form: LogForm,
    news: Receiver<News>,
    tell: Sender<News>,
    /// Whether they are to end.
    ending: bool,
    /// Whether each did all that it was to.
    well: bool,
}

impl Flock {
    /// Nodes over these states, none of which has begun.
    pub(super) fn new(states: Vec<PathBuf>, form: LogForm) -> Result<Self, Complaint> {
        let (tell, news) = channel();
        let signals = tell.clone();
        let mut heard = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
            .map_err(Complaint::failed)?;
        let listen = move || {
            for signal in heard.forever() {
                if signals.send(News::Signal(signal)).is_err() {
                    return;
                }
            }
        };
        let spawned = std::thread::Builder::new().name("bary-signals".into()).spawn(listen);
        spawned.map_err(Complaint::failed)?;
        let one = |(at, state)| {
            let name = called(at as u32 + 1);
            One { name, state, process: None, is_up: false }
        };
        let nodes = states.into_iter().enumerate().map(one).collect();
        Ok(Self { nodes, form, news, tell, ending: false, well: true })
    }

    /// Begins them, and returns when the last one has ended.
    pub(super) fn over(mut self) -> Result<Exit, Complaint> {
        self.begin(0, "")?;
        while self.nodes.iter().any(|node| node.process.is_some()) {
            // This end of the channel holds one of the others.
            let Ok(news) = self.news.recv() else { break };
            match news {
                News::Said(at, line) => self.on_line(at, &line)?,
                News::Silent(at) => self.on_end(at)?,
                News::Signal(SIGHUP) => self.signal(Signal::HUP),
                News::Signal(_) => {
                    self.ending = true;
                    self.signal(Signal::TERM);
                }
            }
        }
        Ok(if self.well { Exit::OK } else { Exit::FAILED })
    }

    /// Begins a node, which joins by this line where it is no member yet.
    fn begin(&mut self, at: usize, line: &str) -> Result<(), Complaint> {
        let program = std::env::current_exe().map_err(Complaint::failed)?;
        let mut command = Command::new(program);
        command.args(std::env::args_os().skip(1)).arg(format!("--local-node={}", at + 1));
        // What a terminal sends to all comes to this process, which hands it on.
        command.process_group(0).env_remove("NOTIFY_SOCKET");
        command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Complaint::failed)?;
        let (Some(mut input), Some(log)) = (child.stdin.take(), child.stderr.take()) else {
            return Err(Complaint::failed("a node has no log"));
        };
        // One that has ended already says why in its log.
        drop(writeln!(input, "{line}"));
        self.nodes[at].process = Some((child, input));
        let tell = self.tell.clone();
        let read = move || {
            let mut log = BufReader::new(log);
            loop {
                let mut line = Vec::new();
                match log.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {
                        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                        drop(tell.send(News::Said(at, line)));
                    }
                }
            }
            drop(tell.send(News::Silent(at)));
        };
        let spawned = std::thread::Builder::new().name("bary-log".into()).spawn(read);
        spawned.map(drop).map_err(Complaint::failed)
    }

    /// Tells a line of a node; the first one's being up lets the others begin.
    fn on_line(&mut self, at: usize, line: &str) -> Result<(), Complaint> {
        let line = Line::read(line, self.form);
        let says_up = line.text().starts_with(UP) && !self.nodes[at].is_up;
        line.say(&self.nodes[at].name);
        if !says_up {
            return Ok(());
        }
        self.nodes[at].is_up = true;
        if at == 0 && !self.ending {
            self.begin_others()?;
        }
        if self.nodes.iter().all(|node| node.is_up) {
            let text = format!("{} nodes are up; Ctrl-C ends them", self.nodes.len());
            Line::own(&text, self.form).say("");
        }
        Ok(())
    }

    fn begin_others(&mut self) -> Result<(), Complaint> {
        let is_new = |node: &One| !node.state.join("cluster/certificate").exists();
        let new: Vec<bool> = self.nodes.iter().map(is_new).collect();
        let uses = new.iter().filter(|new| **new).count() as u32;
        let line = match uses {
            0 => String::new(),
            uses => {
                let (uses, span) = (Some(uses), Some(JOIN_SPAN));
                let terms = Terms { name: None, uses, span, admits: true };
                invite(&self.nodes[0].state, &terms).map_err(Complaint::failed)?.reveal()
            }
        };
        for (at, is_new) in new.into_iter().enumerate().skip(1) {
            self.begin(at, if is_new { &line } else { "" })?;
        }
        Ok(())
    }

    /// A node has ended: one that never was up takes the others with it.
    fn on_end(&mut self, at: usize) -> Result<(), Complaint> {
        let node = &mut self.nodes[at];
        let Some((mut child, input)) = node.process.take() else { return Ok(()) };
        drop(input);
        let status = child.wait().map_err(Complaint::failed)?;
        self.well &= status.success();
        if !self.ending {
            let text = format!("{} has ended: {}", node.name, how(status));
            let was_up = node.is_up;
            Line::own(&text, self.form).say("");
            if !was_up {
                (self.ending, self.well) = (true, false);
                self.signal(Signal::TERM);
            }
        }
        Ok(())
    }

    /// Sends a signal to all that run.
    fn signal(&self, signal: Signal) {
        for (child, _) in self.nodes.iter().filter_map(|node| node.process.as_ref()) {
            // One that has ended just now is not reaped yet, so that the number is its own.
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            let _: Option<Result<(), Errno>> = pid.map(|pid| kill_process(pid, signal));
        }
    }
}

fn how(status: ExitStatus) -> String {
    match (status.code(), std::os::unix::process::ExitStatusExt::signal(&status)) {
        (Some(code), _) => format!("it exited with {code}"),
        (_, Some(signal)) => format!("signal {signal} killed it"),
        (None, None) => "nobody knows how".to_owned(),
    }
}

/// A line of a log.
enum Line {
    Text(String),
    Json(Value),
}

impl Line {
    /// A line of a node's log; what is no JSON where that is written is text.
    fn read(line: &str, form: LogForm) -> Self {
        let text = || Self::Text(line.strip_prefix("bary: ").unwrap_or(line).to_owned());
        match form {
            LogForm::Text => text(),
            LogForm::Json => serde_json::from_str(line).map_or_else(|_| text(), Self::Json),
        }
    }

    /// A line of this process.
    fn own(text: &str, form: LogForm) -> Self {
        match form {
            LogForm::Text => Self::Text(text.to_owned()),
            LogForm::Json => Self::Json(json!({ "level": "info", "message": text })),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Json(value) => value["message"].as_str().unwrap_or_default(),
        }
    }

    /// Writes it as what a node of this name says; as what this process says where there is none.
    fn say(self, name: &str) {
        let line = match self {
            Self::Text(text) if name.is_empty() => format!("bary: {text}\n"),
            Self::Text(text) => format!("{name}: {text}\n"),
            Self::Json(mut value) => {
                if let (Some(fields), false) = (value.as_object_mut(), name.is_empty()) {
                    fields.insert("node".to_owned(), json!(name));
                }
                format!("{value}\n")
            }
        };
        // Where nobody takes them in, the nodes go on without.
        drop(std::io::stderr().write_all(line.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::Line;
    use crate::args::up::LogForm;

    #[test]
    fn a_line_is_read_in_either_form() {
        let line = Line::read("bary: up at http://127.0.0.1:1", LogForm::Text);
        assert_eq!(line.text(), "up at http://127.0.0.1:1");
        let line = Line::read("{\"message\":\"up at there\"}", LogForm::Json);
        assert_eq!(line.text(), "up at there");
        let line = Line::read("a panic", LogForm::Json);
        assert_eq!(line.text(), "a panic");
    }
}
