//! `bary result`: what tasks gave, one after another.

use std::io::IsTerminal;

use bary_api::v1::{ResultsRequest, TaskResult};

use crate::args::remote::ResultArgs;
use crate::args::{Face, Form};
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::{Kind, WIDE, clean, column, number};
use crate::screen::Screen;
use crate::verb;

/// What tasks gave, as rows.
pub(crate) const RESULTS: Kind<TaskResult> = Kind {
    schema: "bary.results/1",
    noun: "results",
    columns: &[
        column("TASK", 0, |result, _| format!("{}/{}", result.job, result.name)),
        column("STATE", 0, |result, _| result.state.clone()),
        number("EXIT", 1, |result, _| result.exit.to_string()),
        number("BYTES", WIDE, |result, _| result.data.len().to_string()),
        column("ERROR", 2, |result, _| result.error.clone()),
    ],
    id: |result| format!("{}/{}", result.job, result.name),
};

/// Prints results; one that is none is told on standard error, and makes the code 1.
pub(crate) fn run(args: &ResultArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let mut rows = Vec::new();
        let mut good = true;
        let mut desk = Desk { screen: Screen::new(face), open: false };
        for (at, job, tasks) in asking.targets(&args.targets).await? {
            let request = ResultsRequest { job, tasks, follow: args.follow };
            let mut results = at.node.results_of(request).await?;
            while let Some(result) = results.next().await? {
                good &= result.more || result.state == "succeeded";
                match face.is_data() || face.output == Form::Wide {
                    true => gather(&mut rows, result),
                    false => desk.print(&at, &result)?,
                }
            }
        }
        if face.is_data() || face.output == Form::Wide {
            asking.print(&RESULTS, &rows, None)?;
        } else {
            desk.close()?;
        }
        Ok(if good { Exit::OK } else { Exit::FAILED })
    })
}

/// Puts the pieces of one result together.
fn gather(rows: &mut Vec<TaskResult>, result: TaskResult) {
    match rows.last_mut() {
        Some(last) if last.more => {
            let data = [&last.data[..], &result.data[..]].concat();
            *last = TaskResult { data: data.into(), ..result };
        }
        _ => rows.push(result),
    }
}

/// Where raw results go.
struct Desk {
    screen: Screen,
    /// Whether the result before did not end its line.
    open: bool,
}

impl Desk {
    fn print(&mut self, asking: &Asking, result: &TaskResult) -> Result<(), Complaint> {
        if std::mem::take(&mut self.open) {
            self.screen.out(b"\n").map_err(verb::printing)?;
        }
        let terminal = std::io::stdout().is_terminal();
        let data = match terminal {
            true => clean::output(&result.data),
            false => result.data.to_vec(),
        };
        self.screen.out(&data).map_err(verb::printing)?;
        self.open = !result.more && data.last().is_some_and(|&byte| byte != b'\n');
        if !result.more && result.state != "succeeded" {
            let (job, name, state) = (asking.called(result.job), &result.name, &result.state);
            let why = if result.error.is_empty() { "" } else { ": " };
            let line = format!("{job}/{name} {state}{why}{}", result.error);
            self.screen.flush().map_err(verb::printing)?;
            asking.note(&clean::line(&line));
        }
        Ok(())
    }

    /// A single result stays as it is in a pipe; a terminal gets its line end.
    fn close(mut self) -> Result<(), Complaint> {
        let end: &[u8] = if self.open && std::io::stdout().is_terminal() { b"\n" } else { b"" };
        self.screen.out(end).and_then(|()| self.screen.flush()).map_err(verb::printing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_result_are_put_together() {
        let piece = |data: &'static str, more| TaskResult {
            data: data.into(),
            more,
            ..TaskResult::default()
        };
        let mut rows = Vec::new();
        for piece in [piece("a", true), piece("b", false), piece("c", false)] {
            gather(&mut rows, piece);
        }
        let shown: Vec<_> = rows.iter().map(|row| row.data.as_ref()).collect();
        assert_eq!(shown, [&b"ab"[..], b"c"]);
    }
}
