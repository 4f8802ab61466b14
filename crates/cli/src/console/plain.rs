//! The console as lines: it asks, reads and answers. Time goes by only when something was done: a
//! second after each command that changes something, and as long as one is told to wait. So the
//! same lines always give the same answers.

use std::io::{BufRead, IsTerminal, stdin};

use bary_model::time::Span;
use bary_sim::session::Still;
use serde_json::json;

use crate::complaint::Complaint;
use crate::console::cluster::{Cluster, Trouble};
use crate::console::command::{self, Command};
use crate::console::lines;
use crate::console::log::Log;
use crate::console::notice::Notice;
use crate::console::phrases::{Phrases, fill};
use crate::console::wrong::{CONSOLE_WAIT_MAX, Wrong};
use crate::exit::Exit;
use crate::screen::Screen;
use crate::verb;

/// How much at a time of what happened is told.
const NOTICES_SHOWN_MAX: usize = 40;

/// Reads from one side and tells the other.
pub(crate) struct Talk<R> {
    pub(crate) from: R,
    pub(crate) screen: Screen,
    pub(crate) phrases: &'static Phrases,
    pub(crate) log: Log,
    pub(crate) way: Way,
    /// Whether what is read is printed too, as nobody saw it being typed.
    pub(crate) echoes: bool,
    /// How many lines were wrong.
    wrong: u64,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// What people read.
    Words,
    /// A JSON line for each thing that happens.
    Records,
    /// A JSON document at the end.
    Document,
    /// Nothing but the summary.
    Quiet,
}

/// Whether the talk goes on.
enum Next {
    More,
    Over,
}

impl<R: BufRead> Talk<R> {
    pub(crate) fn new(
        from: R,
        screen: Screen,
        (phrases, log, way): (&'static Phrases, Log, Way),
    ) -> Self {
        let echoes = !stdin().is_terminal();
        Self { from, screen, phrases, log, way, echoes, wrong: 0 }
    }

    /// Asks how many servers there are to be, until the answer is a number.
    pub(crate) fn servers(&mut self) -> Result<usize, Complaint> {
        loop {
            self.put(self.phrases.ask_servers)?;
            let servers = match self.line()? {
                Some(line) => line.and_then(|line| command::servers(&line)),
                None => {
                    let complaint = Complaint::usage("the input ended before a number of servers");
                    return Err(complaint.help("write it on the first line, or give --servers N"));
                }
            };
            match servers {
                Ok(servers) => return Ok(servers),
                Err(wrong) => self.reject(&wrong)?,
            }
        }
    }

    /// Does command after command until one says that it is enough, or there are no more.
    pub(crate) fn talk(&mut self, cluster: &mut Cluster<'_>) -> Result<Exit, Complaint> {
        loop {
            self.put(self.phrases.prompt)?;
            let Some(line) = self.line()? else { break };
            let command = line.and_then(|line| command::parse(&line));
            let next = match command {
                Ok(Command::AddNext) => self.add_next(cluster),
                Ok(command) => self.obey(cluster, command),
                Err(wrong) => Err(Trouble::Wrong(wrong)),
            };
            match next {
                Ok(told) => {
                    if let Next::Over = told? {
                        break;
                    }
                }
                Err(Trouble::Wrong(wrong)) => self.reject(&wrong)?,
                Err(Trouble::Still(still)) => return Err(Complaint::failed(still)),
            }
        }
        self.close(cluster)
    }

    /// The next line says how long the tasks take.
    fn add_next(&mut self, cluster: &mut Cluster<'_>) -> Result<Result<Next, Complaint>, Trouble> {
        let line = match self.line() {
            Ok(line) => line,
            Err(complaint) => return Ok(Err(complaint)),
        };
        let Some(line) = line else { return Err(Wrong::TimesMissing.into()) };
        let words = line?;
        let words: Vec<&str> = words.split_whitespace().collect();
        let times = command::times(&words)?;
        self.obey(cluster, Command::Add(times))
    }

    /// Does a command. What cannot be printed ends everything; that is inside.
    fn obey(
        &mut self,
        cluster: &mut Cluster<'_>,
        command: Command,
    ) -> Result<Result<Next, Complaint>, Trouble> {
        let notices = match command {
            Command::Add(times) => cluster.add(&times)?,
            Command::AddServer(speed) => cluster.add_server(speed)?,
            Command::RemoveServer(word) => cluster.remove_server(&word)?,
            Command::SetSpeed(word, speed) => cluster.set_speed(&word, speed)?,
            Command::Follow(policy) => cluster.follow(&policy)?,
            Command::Wait(seconds) => return Ok(self.wait(cluster, seconds, false)?),
            Command::WaitAll => return Ok(self.wait(cluster, CONSOLE_WAIT_MAX, true)?),
            Command::State => return Ok(self.show(cluster).map(|()| Next::More)),
            Command::Help => return Ok(self.say(self.phrases.help).map(|()| Next::More)),
            Command::Quit => return Ok(Ok(Next::Over)),
            Command::AddNext => return Err(Wrong::TimesMissing.into()),
        };
        if let Err(complaint) = self.tell(&notices) {
            return Ok(Err(complaint));
        }
        Ok(self.wait(cluster, 1, false)?)
    }

    /// Lets seconds go by, each with what happened and how things are then.
    fn wait(
        &mut self,
        cluster: &mut Cluster<'_>,
        seconds: u64,
        while_busy: bool,
    ) -> Result<Result<Next, Complaint>, Still> {
        for _ in 0..seconds {
            if while_busy && !cluster.is_busy() {
                return Ok(Ok(Next::More));
            }
            let until = cluster.now() + Span::secs(1);
            let notices = cluster.live_until(until)?;
            if let Err(complaint) = self.tell(&notices).and_then(|()| self.show(cluster)) {
                return Ok(Err(complaint));
            }
        }
        if while_busy && cluster.is_busy() {
            let count = seconds.to_string();
            let long = fill(self.phrases.waited_long, &[("count", &count)]);
            return Ok(self.say(&long).map(|()| Next::More));
        }
        Ok(Ok(Next::More))
    }

    fn close(&mut self, cluster: &Cluster<'_>) -> Result<Exit, Complaint> {
        let summary = cluster.summary();
        let document = summary.document();
        self.log.write(&json!({ "event": "summary", "summary": document }));
        match self.way {
            Way::Records => self.print(&format!("{document}\n"))?,
            Way::Document => self.print(&format!("{document:#}\n"))?,
            Way::Words | Way::Quiet => {
                for line in summary.lines(self.phrases) {
                    self.print(&format!("{line}\n"))?;
                }
            }
        }
        self.log.finish().map_err(Complaint::failed)?;
        // Whoever types sees at once what was wrong; a script has only this.
        Ok(if self.echoes && self.wrong > 0 { Exit::USAGE } else { Exit::OK })
    }

    fn tell(&mut self, notices: &[Notice]) -> Result<(), Complaint> {
        for notice in notices {
            let record = notice.record();
            self.log.write(&record);
            if self.way == Way::Records {
                self.print(&format!("{record}\n"))?;
            }
        }
        for notice in notices.iter().take(NOTICES_SHOWN_MAX) {
            self.say(&notice.said(self.phrases))?;
        }
        if notices.len() > NOTICES_SHOWN_MAX {
            let count = (notices.len() - NOTICES_SHOWN_MAX).to_string();
            self.say(&fill(self.phrases.more, &[("count", &count)]))?;
        }
        Ok(())
    }

    fn show(&mut self, cluster: &mut Cluster<'_>) -> Result<(), Complaint> {
        let state = cluster.state();
        let record = state.record();
        self.log.write(&record);
        if self.way == Way::Records {
            return self.print(&format!("{record}\n"));
        }
        self.say(&state.lines(self.phrases).join("\n"))
    }

    /// Says what is wrong with a line; nothing was changed by it.
    fn reject(&mut self, wrong: &Wrong) -> Result<(), Complaint> {
        self.wrong += 1;
        let said = wrong.said(self.phrases);
        self.log.write(&json!({ "event": "wrong", "what": said }));
        self.screen.flush().map_err(verb::printing)?;
        self.screen.note(&format!("bary: {said}"));
        Ok(())
    }

    /// A line for people.
    fn say(&mut self, text: &str) -> Result<(), Complaint> {
        if self.way == Way::Words { self.print(&format!("{text}\n")) } else { Ok(()) }
    }

    /// Words for people that a line ends.
    fn put(&mut self, text: &str) -> Result<(), Complaint> {
        if self.way != Way::Words {
            return Ok(());
        }
        verb::print(&mut self.screen, text)
    }

    fn print(&mut self, text: &str) -> Result<(), Complaint> {
        self.screen.out(text.as_bytes()).map_err(verb::printing)
    }

    /// The next line, if there is one.
    fn line(&mut self) -> Result<Option<Result<String, Wrong>>, Complaint> {
        self.screen.flush().map_err(verb::printing)?;
        let line = lines::next(&mut self.from)
            .map_err(|cause| Complaint::failed(format!("standard input: {cause}")))?;
        if let Some(Ok(text)) = &line {
            self.log.write(&json!({ "event": "line", "text": text }));
        }
        if self.echoes && self.way == Way::Words {
            // A line that is no text, or none at all, at least ends.
            let seen = line.as_ref().and_then(|line| line.as_deref().ok()).unwrap_or_default();
            let seen: String = seen.chars().filter(|c| !c.is_control()).collect();
            self.print(&format!("{seen}\n"))?;
        }
        Ok(line)
    }
}
