//! The console as a picture that is drawn anew: servers with what is left of their tasks, the
//! queue, what happened last, and a line to type in.

use std::collections::VecDeque;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span as Piece};
use ratatui::widgets::{Block, Borders, Paragraph, Wrap};

use crate::console::phrases::Phrases;
use crate::console::state::{Server, State, lasting};

/// How many lines of what happened are kept.
const SAID_MAX: usize = 200;
/// How many typed lines are kept.
const TYPED_MAX: usize = 100;
/// The longest line that can be typed, in characters.
const INPUT_CHARS_MAX: usize = 1_024;
/// How wide a bar is.
const BAR: usize = 24;

/// What is on the picture besides the state.
#[derive(Debug, Default)]
pub(crate) struct Board {
    said: VecDeque<(String, Tone)>,
    typed: VecDeque<String>,
    /// Which earlier line was brought back, from the end.
    back: usize,
    pub(crate) input: String,
    pub(crate) paused: bool,
    colored: bool,
}

/// How a line of what happened is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Typed,
    News,
    Wrong,
}

impl Board {
    /// A picture with nothing said yet, in colours or not.
    pub(crate) fn new(colored: bool) -> Self {
        Self { colored, ..Self::default() }
    }

    /// Adds what was said, of one or more lines.
    pub(crate) fn say(&mut self, text: &str, tone: Tone) {
        for line in text.lines() {
            if self.said.len() == SAID_MAX {
                self.said.pop_front();
            }
            self.said.push_back((line.to_owned(), tone));
        }
    }

    /// A character is typed.
    pub(crate) fn put(&mut self, c: char) {
        if self.input.chars().count() < INPUT_CHARS_MAX && !c.is_control() {
            self.input.push(c);
        }
    }

    /// Takes what was typed.
    pub(crate) fn take(&mut self) -> String {
        let line = std::mem::take(&mut self.input);
        self.back = 0;
        if !line.trim().is_empty() && self.typed.back() != Some(&line) {
            if self.typed.len() == TYPED_MAX {
                self.typed.pop_front();
            }
            self.typed.push_back(line.clone());
        }
        line
    }

    /// Brings an earlier line back, or a later one.
    pub(crate) fn recall(&mut self, earlier: bool) {
        let back = if earlier { self.back + 1 } else { self.back.saturating_sub(1) };
        if back == 0 {
            (self.back, self.input) = (0, String::new());
        } else if let Some(at) = self.typed.len().checked_sub(back) {
            (self.back, self.input) = (back, self.typed[at].clone());
        }
    }

    /// Draws everything. The list of servers gives way to the rest where there is little room.
    pub(crate) fn draw(&self, frame: &mut Frame<'_>, state: &State, phrases: &Phrases, head: &str) {
        let servers = state.servers.len().max(1) as u16 + 2;
        let room = frame.area().height.saturating_sub(9);
        let [top, list, queue, said, input, keys] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(servers.min(room.max(3))),
            Constraint::Length(1),
            Constraint::Min(3),
            Constraint::Length(1),
            Constraint::Length(2),
        ])
        .areas(frame.area());
        let bold = Style::default().add_modifier(Modifier::BOLD);
        let pause = if self.paused { " ⏸" } else { "" };
        frame.render_widget(Line::styled(format!("{head}{pause}"), bold), top);
        self.draw_servers(frame, list, state, phrases);
        frame.render_widget(Line::raw(state.queue_line(phrases)), queue);
        self.draw_said(frame, said);
        let typed = format!("{}{}", phrases.prompt, self.input);
        let cursor = Line::raw(typed.as_str()).width() as u16;
        frame.render_widget(Line::raw(typed), input);
        let x = input.x + cursor.min(input.width.saturating_sub(1));
        frame.set_cursor_position(Position { x, y: input.y });
        let dim = Style::default().add_modifier(Modifier::DIM);
        let help = Paragraph::new(phrases.keys).style(dim).wrap(Wrap { trim: true });
        frame.render_widget(help, keys);
    }

    fn draw_servers(&self, frame: &mut Frame<'_>, area: Rect, state: &State, phrases: &Phrases) {
        let block = Block::default().borders(Borders::ALL).title(phrases.state);
        let room = usize::from(area.height.saturating_sub(2));
        let mut lines: Vec<Line<'_>> =
            state.servers.iter().map(|server| self.server(server, phrases)).collect();
        if lines.is_empty() {
            lines.push(Line::raw(phrases.no_servers));
        }
        if lines.len() > room && room > 0 {
            let more = lines.len() - room + 1;
            lines.truncate(room - 1);
            lines.push(Line::raw(format!("… +{more}")));
        }
        frame.render_widget(Paragraph::new(lines).block(block), area);
    }

    fn server<'a>(&self, server: &Server, phrases: &Phrases) -> Line<'a> {
        let bar = match server.running {
            Some(running) => {
                let all = running.takes.as_secs_f64().max(1e-9);
                let done = 1.0 - running.left.as_secs_f64() / all;
                let full = ((done * BAR as f64).round() as usize).min(BAR);
                "█".repeat(full) + &"░".repeat(BAR - full)
            }
            None => "·".repeat(BAR),
        };
        let color = if server.running.is_some() { Color::Green } else { Color::DarkGray };
        let style = if self.colored { Style::default().fg(color) } else { Style::default() };
        let line = server.line(phrases);
        let speed =
            if server.speed == 1.0 { String::new() } else { format!(" ×{}", server.speed) };
        Line::from(vec![Piece::styled(bar, style), Piece::raw(format!(" {line}{speed}"))])
    }

    fn draw_said(&self, frame: &mut Frame<'_>, area: Rect) {
        let block = Block::default().borders(Borders::TOP);
        let room = usize::from(area.height.saturating_sub(1));
        let skipped = self.said.len().saturating_sub(room);
        let lines = self.said.iter().skip(skipped).map(|(line, tone)| {
            let style = match tone {
                Tone::Wrong if self.colored => Style::default().fg(Color::Red),
                Tone::Typed => Style::default().add_modifier(Modifier::BOLD),
                _ => Style::default(),
            };
            Line::styled(line.as_str(), style)
        });
        frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(block), area);
    }
}

/// The line above everything.
pub(crate) fn head(phrases: &Phrases, state: &State, policy: &str) -> String {
    let time = lasting(phrases, state.at.since(bary_model::time::Moment(0)));
    format!("Barycenter · {time} · {policy}")
}

#[cfg(test)]
mod tests {
    use bary_model::time::{Moment, Span};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::{Board, Tone, head};
    use crate::console::language::Language;
    use crate::console::phrases::Phrases;
    use crate::console::state::{Running, Server, State};

    fn state(servers: usize) -> State {
        let running = Running { task: 1, takes: Span::secs(4), left: Span::secs(1) };
        let server = |number| Server {
            number,
            speed: if number == 2 { 0.5 } else { 1.0 },
            running: (number == 1).then_some(running),
            bound: 0,
            done: 0,
            process: None,
        };
        let queue = vec![(2, Span::secs(7))];
        State { at: Moment(3_000_000_000), servers: (1..=servers).map(server).collect(), queue }
    }

    /// What a terminal of this size shows.
    fn shown(board: &Board, state: &State, (width, height): (u16, u16)) -> String {
        let phrases = Phrases::of(Language::Ru);
        let mut terminal =
            Terminal::new(TestBackend::new(width, height)).expect("it has no faults");
        let head = head(phrases, state, "fifo");
        terminal.draw(|frame| board.draw(frame, state, phrases, &head)).expect("nor has drawing");
        terminal.backend().to_string()
    }

    #[test]
    fn servers_queue_news_and_what_is_typed_are_on_the_screen() {
        let mut board = Board::default();
        board.say("Добавлен Сервер 2 (скорость 0.5).", Tone::News);
        "доба".chars().for_each(|c| board.put(c));
        let picture = shown(&board, &state(2), (80, 16));
        for wanted in [
            "Barycenter · 3 сек. · fifo",
            "██████████████████░░░░░░ Сервер 1: выполняет задание (осталось 1 сек.)",
            "························ Сервер 2: пусто ×0.5",
            "Очередь заданий: 7 сек.",
            "Добавлен Сервер 2 (скорость 0.5).",
            "Команда: доба",
        ] {
            assert!(picture.contains(wanted), "{wanted:?} is not in\n{picture}");
        }
    }

    #[test]
    fn a_small_screen_shows_what_it_can() {
        let board = Board::default();
        for size in [(1, 1), (10, 3), (40, 8), (80, 12)] {
            shown(&board, &state(1_000), size);
        }
        assert!(shown(&board, &state(1_000), (80, 24)).contains("… +988"));
    }

    #[test]
    fn earlier_lines_come_back() {
        let mut board = Board::default();
        for line in ["add 5", "wait", "wait"] {
            line.chars().for_each(|c| board.put(c));
            assert_eq!(board.take(), line);
        }
        board.recall(true);
        board.recall(true);
        board.recall(true);
        assert_eq!(board.input, "add 5");
        board.recall(false);
        assert_eq!(board.input, "wait");
        board.recall(false);
        assert_eq!(board.input, "");
    }
}
