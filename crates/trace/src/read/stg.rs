//! Standard Task Graph Set (Tobita and Kasahara, 2002): a count, and then a task a line: number,
//! time, how many it waits for, and which. The first and the last stand for begin and end; they
//! take no time and are left out. Times are whole units, which are taken as seconds.

use std::collections::BTreeMap;

use bary_model::time::Span;

use crate::draft::Draft;
use crate::fault::{Fault, Reason, shown};
use crate::number::{number, seconds, whole};
use crate::trace::{Task, Trace, weight_of};

/// One line as it stands there.
struct Row<'a> {
    line: usize,
    id: &'a str,
    run: Span,
    after: Vec<&'a str>,
}

pub(crate) fn read(name: &str, text: &str) -> Result<Trace, Fault> {
    let lines = (1..).zip(text.lines());
    let mut lines = lines.filter(|(_, line)| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    });
    let Some((first, count)) = lines.next() else {
        return Err(Fault::whole(Reason::Empty("number of tasks")));
    };
    let count = whole("the number of tasks", count.trim()).map_err(|why| Fault::at(first, why))?;
    let rows = lines.map(|(line, text)| row(line, text)).collect::<Result<Vec<_>, _>>()?;
    if rows.len() as u64 != count.saturating_add(2) {
        let (found, want) = (rows.len() as u64, count.saturating_add(2));
        let last = rows.last().map_or(first, |row| row.line);
        let what = "tasks with those of begin and end";
        return Err(Fault::at(last, Reason::Count { what, found, want }));
    }
    let (begin, end) = (&rows[0], &rows[rows.len() - 1]);
    for row in [begin, end] {
        if row.run != Span::ZERO {
            let given = shown(&row.run.as_secs_f64().to_string());
            let what = "the time of the first or last task, which only stands for begin or end,";
            return Err(Fault::at(row.line, Reason::Number { what, given, want: "0" }));
        }
    }
    drafted(name, &rows)
}

fn row(line: usize, text: &str) -> Result<Row<'_>, Fault> {
    let at = |reason| Fault::at(line, reason);
    let words: Vec<&str> = text.split_whitespace().collect();
    let [id, time, count, after @ ..] = &words[..] else {
        let found = words.len() as u64;
        return Err(at(Reason::Count { what: "numbers of a task", found, want: 3 }));
    };
    whole("a task's number", id).map_err(at)?;
    let count = whole("how many tasks it waits for", count).map_err(at)?;
    if after.len() as u64 != count {
        let found = after.len() as u64;
        return Err(at(Reason::Count { what: "tasks that it waits for", found, want: count }));
    }
    let what = "a task's time";
    let run = number(what, time).and_then(|time| seconds(what, time)).map_err(at)?;
    Ok(Row { line, id, run, after: after.to_vec() })
}

fn drafted(name: &str, rows: &[Row<'_>]) -> Result<Trace, Fault> {
    let mut numbers = BTreeMap::new();
    for (number, row) in (0_u32..).zip(rows) {
        if numbers.insert(row.id, number).is_some() {
            let reason = Reason::Twice { what: "task", name: shown(row.id) };
            return Err(Fault::at(row.line, reason));
        }
    }
    let mut draft = Draft::new(name);
    draft.job(1, name, "", Span::ZERO)?;
    let last = rows.len() as u32 - 1;
    for row in rows {
        let mut after = Vec::new();
        for parent in &row.after {
            match numbers.get(parent) {
                // Who waits for the begin waits for nothing.
                Some(0) if row.id != rows[0].id => {}
                Some(number) if *number < last && *number > 0 => after.push(number - 1),
                _ => {
                    let (task, parent) = (shown(row.id), shown(parent));
                    return Err(Fault::at(row.line, Reason::UnknownParent { task, parent }));
                }
            }
        }
        let number = numbers[row.id];
        if number == 0 || number == last {
            continue;
        }
        let weight = Some(weight_of(row.run, Trace::UNIT));
        let task = Task { name: row.id.into(), weight, after: after.into(), ..Task::new(row.run) };
        draft.task(row.line, task)?;
    }
    draft.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = " 3\n 0 0 0\n 1 9 1 0\n 2 4 1 1\n 3 2 2 1 2\n 4 0 1 3\n# a note\n";

    #[test]
    fn a_graph_is_read_without_its_begin_and_end() {
        let trace = read("g", SAMPLE).expect("it is well written");
        let tasks = &trace.jobs[0].tasks;
        let seen: Vec<_> = tasks.iter().map(|task| (&*task.name, task.run, &*task.after)).collect();
        let (a, b, c) = (Span::secs(9), Span::secs(4), Span::secs(2));
        assert_eq!(seen, [("1", a, &[][..]), ("2", b, &[0][..]), ("3", c, &[0, 1][..])]);
        assert_eq!(tasks[0].weight.map(|weight| weight.units()), Some(9.0));
    }

    #[test]
    fn each_fault_has_its_line() {
        let table = [
            ("", None),
            ("x\n", Some(1)),
            (" 3\n 0 0 0\n 1 9 1 0\n", Some(3)),
            (" 1\n 0 0 0\n 1 -9 1 0\n 2 0 1 1\n", Some(3)),
            (" 1\n 0 0 0\n 1 nan 1 0\n 2 0 1 1\n", Some(3)),
            (" 1\n 0 0 0\n 1 9 2 0\n 2 0 1 1\n", Some(3)),
            (" 1\n 0 0 0\n 1 9\n 2 0 1 1\n", Some(3)),
            (" 1\n 0 0 0\n 1 9 1 7\n 2 0 1 1\n", Some(3)),
            (" 1\n 0 0 0\n 1 9 1 1\n 2 0 1 1\n", Some(3)),
            (" 2\n 0 0 0\n 1 9 0\n 1 9 0\n 3 0 0\n", Some(4)),
            (" 1\n 0 5 0\n 1 9 0\n 2 0 1 1\n", Some(2)),
        ];
        for (text, line) in table {
            let fault = read("g", text).expect_err(text);
            assert_eq!(fault.line, line, "{text:?}: {fault}");
        }
    }
}
