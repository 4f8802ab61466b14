//! The console on a terminal: time goes by itself, the picture is drawn anew, and keys are heard in
//! between.

use std::io;
use std::time::{Duration, Instant};

use bary_model::time::{Moment, Span};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use serde_json::json;

use crate::console::board::{self, Board, Tone};
use crate::console::cluster::{Cluster, Trouble};
use crate::console::command::{self, Command};
use crate::console::log::Log;
use crate::console::notice::Notice;
use crate::console::phrases::Phrases;
use crate::console::wrong::{CONSOLE_WAIT_MAX, Wrong};

/// How long keys are waited for before the picture is drawn anew, at most.
const FRAME: Duration = Duration::from_millis(100);

/// A console on a terminal.
pub(crate) struct Live {
    pub(crate) phrases: &'static Phrases,
    pub(crate) log: Log,
    pub(crate) policy: String,
    /// How many virtual seconds go by in one.
    pub(crate) speed: f64,
    pub(crate) board: Board,
    /// Whether the next line says how long the tasks of `add` take.
    pub(crate) times_next: bool,
}

/// Why a console ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LiveError {
    #[error("the terminal: {0}")]
    Terminal(#[from] io::Error),
    #[error(transparent)]
    Still(#[from] bary_sim::session::Still),
}

impl Live {
    /// Goes on until somebody has had enough.
    pub(crate) fn run(
        &mut self,
        terminal: &mut DefaultTerminal,
        cluster: &mut Cluster<'_>,
    ) -> Result<(), LiveError> {
        let mut drawn = Instant::now();
        loop {
            let state = cluster.state();
            let head = board::head(self.phrases, &state, &self.policy);
            terminal.draw(|frame| self.board.draw(frame, &state, self.phrases, &head))?;
            if event::poll(FRAME)?
                && let Event::Key(key) = event::read()?
                && key.kind != KeyEventKind::Release
                && !self.key(cluster, key)?
            {
                return Ok(());
            }
            let now = Instant::now();
            let gone = now.duration_since(std::mem::replace(&mut drawn, now));
            let span = Span::from_secs_f64(gone.as_secs_f64() * self.speed);
            // Processes do not stand still with the picture.
            match cluster.clock() {
                Some(clock) => self.pass(cluster, clock)?,
                None if self.board.paused => {}
                None => self.pass(cluster, cluster.now() + span)?,
            }
        }
    }

    /// Lets time go by, with a record of each whole second.
    fn pass(&mut self, cluster: &mut Cluster<'_>, until: Moment) -> Result<(), LiveError> {
        let second = |at: Moment| at.0 / 1_000_000_000;
        while cluster.now() < until {
            let next = Moment((second(cluster.now()) + 1) * 1_000_000_000);
            let notices = cluster.live_until(next.min(until))?;
            self.tell(&notices);
            if cluster.now() == next && self.log.is_there() {
                self.log.write(&cluster.state().record());
            }
        }
        Ok(())
    }

    /// A key was pressed; whether it goes on.
    fn key(&mut self, cluster: &mut Cluster<'_>, key: KeyEvent) -> Result<bool, LiveError> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if control => return Ok(false),
            KeyCode::Char('u') if control => self.board.input.clear(),
            KeyCode::Char(_) if control => {}
            KeyCode::Char(' ') if self.board.input.is_empty() => {
                self.board.paused = !self.board.paused;
            }
            KeyCode::Char(c) => self.board.put(c),
            KeyCode::Backspace => {
                self.board.input.pop();
            }
            KeyCode::Up => self.board.recall(true),
            KeyCode::Down => self.board.recall(false),
            KeyCode::Esc => {
                self.board.input.clear();
                self.times_next = false;
            }
            KeyCode::Enter => return self.enter(cluster),
            _ => {}
        }
        Ok(true)
    }

    fn enter(&mut self, cluster: &mut Cluster<'_>) -> Result<bool, LiveError> {
        let line = self.board.take();
        if line.trim().is_empty() && !self.times_next {
            return Ok(true);
        }
        self.log.write(&json!({ "event": "line", "text": line }));
        self.board.say(&format!("{}{line}", self.phrases.prompt), Tone::Typed);
        let command = if std::mem::take(&mut self.times_next) {
            let words: Vec<&str> = line.split_whitespace().collect();
            command::times(&words).map(Command::Add)
        } else {
            command::parse(&line)
        };
        let done = match command {
            Ok(Command::Quit) => return Ok(false),
            Ok(command) => self.obey(cluster, command),
            Err(wrong) => Err(wrong.into()),
        };
        match done {
            Ok(()) => Ok(true),
            Err(Trouble::Wrong(wrong)) => {
                self.reject(&wrong);
                Ok(true)
            }
            Err(Trouble::Still(still)) => Err(still.into()),
        }
    }

    fn obey(&mut self, cluster: &mut Cluster<'_>, command: Command) -> Result<(), Trouble> {
        let notices = match command {
            Command::Add(times) => cluster.add(&times)?,
            Command::AddServer(speed) => cluster.add_server(speed)?,
            Command::RemoveServer(word) => cluster.remove_server(&word)?,
            Command::SetSpeed(word, speed) => cluster.set_speed(&word, speed)?,
            Command::Follow(policy) => {
                self.policy.clone_from(&policy.name);
                cluster.follow(&policy)?
            }
            // Time goes by itself then.
            Command::Wait(_) | Command::WaitAll if cluster.clock().is_some() => return Ok(()),
            Command::Wait(seconds) => cluster.live_until(cluster.now() + Span::secs(seconds))?,
            Command::WaitAll => {
                let mut notices = Vec::new();
                for _ in 0..CONSOLE_WAIT_MAX {
                    if !cluster.is_busy() {
                        break;
                    }
                    notices.extend(cluster.live_until(cluster.now() + Span::secs(1))?);
                }
                notices
            }
            Command::Help => {
                self.board.say(self.phrases.help, Tone::News);
                return Ok(());
            }
            Command::AddNext => {
                self.times_next = true;
                self.board.say(self.phrases.times_missing, Tone::News);
                return Ok(());
            }
            Command::State | Command::Quit => return Ok(()),
        };
        self.tell(&notices);
        Ok(())
    }

    fn tell(&mut self, notices: &[Notice]) {
        for notice in notices {
            self.log.write(&notice.record());
            self.board.say(&notice.said(self.phrases), Tone::News);
        }
    }

    fn reject(&mut self, wrong: &Wrong) {
        let said = wrong.said(self.phrases);
        self.log.write(&json!({ "event": "wrong", "what": said }));
        self.board.say(&said, Tone::Wrong);
    }
}
