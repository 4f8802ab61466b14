//! Rows of one kind, printed in any form: a table for people, or exactly the messages of the
//! contract for programs.

use bary_jobfile::suggest;
use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Table};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::listing::moment::Clock;
use crate::report;

pub(crate) mod amount;
pub(crate) mod clean;
pub(crate) mod csv;
pub(crate) mod moment;
pub(crate) mod template;
pub(crate) mod yaml;

/// One column of a table.
pub(crate) struct Column<T: 'static> {
    pub(crate) head: &'static str,
    /// How soon it goes where there is no room: 0 never, 1 last. [`WIDE`] is for -o wide only.
    pub(crate) rank: u8,
    pub(crate) right: bool,
    /// Whether it is left out where it says nothing of any row.
    pub(crate) optional: bool,
    pub(crate) cell: fn(&T, &Clock) -> String,
}

/// The rank of columns that only -o wide shows.
pub(crate) const WIDE: u8 = u8::MAX;

/// What a kind of rows is called and how it is shown.
pub(crate) struct Kind<T: 'static> {
    /// The schema of its documents, `bary.NOUN/VERSION`.
    pub(crate) schema: &'static str,
    /// What its documents call the rows.
    pub(crate) noun: &'static str,
    pub(crate) columns: &'static [Column<T>],
    /// What -q prints of a row.
    pub(crate) id: fn(&T) -> String,
}

/// A column that goes in the order of its rank.
pub(crate) const fn column<T>(
    head: &'static str,
    rank: u8,
    cell: fn(&T, &Clock) -> String,
) -> Column<T> {
    Column { head, rank, right: false, optional: false, cell }
}

/// The same for what few rows have.
pub(crate) const fn optional<T>(
    head: &'static str,
    rank: u8,
    cell: fn(&T, &Clock) -> String,
) -> Column<T> {
    Column { head, rank, right: false, optional: true, cell }
}

/// The same for numbers.
pub(crate) const fn number<T>(
    head: &'static str,
    rank: u8,
    cell: fn(&T, &Clock) -> String,
) -> Column<T> {
    Column { head, rank, right: true, optional: false, cell }
}

/// How rows are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) face: Face,
    /// A template for each row.
    pub(crate) format: Option<&'a str>,
    /// How many characters a line has, where it ends.
    pub(crate) width: Option<usize>,
    pub(crate) clock: Clock,
}

impl<'a> Wish<'a> {
    /// Rows for whoever reads standard output now.
    pub(crate) fn now(face: Face, format: Option<&'a str>) -> Self {
        Self { face, format, width: crate::screen::width(), clock: Clock::now() }
    }
}

/// A document of this schema: one named value, or several.
pub(crate) fn document<const N: usize>(schema: &str, parts: [(&str, Value); N]) -> Value {
    let mut document = json!({ "schema": schema });
    for (name, value) in parts {
        document[name] = value;
    }
    document
}

/// A message as its JSON form.
pub(crate) fn json_of<T: Serialize>(message: &T) -> Result<Value, Complaint> {
    serde_json::to_value(message).map_err(Complaint::failed)
}

/// A document in the form that is wanted, where that is one for programs.
pub(crate) fn data(document: &Value, form: Form) -> Option<String> {
    match form {
        Form::Json => Some(format!("{document:#}\n")),
        Form::Jsonl => Some(format!("{document}\n")),
        Form::Yaml => Some(yaml::text(document)),
        Form::Table | Form::Wide | Form::Csv | Form::Quiet => None,
    }
}

impl<T: Serialize> Kind<T> {
    /// The rows in the form that is wanted.
    pub(crate) fn text(&self, rows: &[T], wish: &Wish<'_>) -> Result<String, Complaint> {
        if let Some(template) = wish.format {
            return self.formatted(rows, template);
        }
        if wish.face.is_quiet() {
            return Ok(rows.iter().map(|row| format!("{}\n", (self.id)(row))).collect());
        }
        let values = || rows.iter().map(json_of).collect::<Result<Vec<Value>, Complaint>>();
        match wish.face.output {
            Form::Jsonl => Ok(values()?.iter().map(|row| format!("{row}\n")).collect()),
            Form::Csv => Ok(csv::text(&values()?)),
            Form::Json | Form::Yaml => {
                let document = document(self.schema, [(self.noun, Value::Array(values()?))]);
                Ok(data(&document, wish.face.output).unwrap_or_default())
            }
            Form::Table | Form::Wide | Form::Quiet => Ok(self.table(rows, wish)),
        }
    }

    fn formatted(&self, rows: &[T], template: &str) -> Result<String, Complaint> {
        let template = template::parse(template).map_err(Complaint::usage)?;
        let mut text = String::new();
        for row in rows {
            let row = json_of(row)?;
            let line = template::fill(&template, &row).map_err(|missing| {
                let names: Vec<&str> = row
                    .as_object()
                    .map_or_else(Vec::new, |fields| fields.keys().map(String::as_str).collect());
                let near = suggest::nearest(&missing.0, names.iter().copied());
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", names.join(", ")),
                };
                Complaint::usage(missing).help(help)
            })?;
            text += &clean::line(&line);
            text.push('\n');
        }
        Ok(text)
    }

    /// A table as wide as there is room for.
    fn table(&self, rows: &[T], wish: &Wish<'_>) -> String {
        let wide = wish.face.output == Form::Wide;
        let mut columns: Vec<&Column<T>> =
            self.columns.iter().filter(|column| wide || column.rank != WIDE).collect();
        let cells: Vec<Vec<String>> = columns
            .iter()
            .map(|column| {
                rows.iter().map(|row| clean::line(&(column.cell)(row, &wish.clock))).collect()
            })
            .collect();
        let says =
            |at: &usize| !columns[*at].optional || cells[*at].iter().any(|cell| !cell.is_empty());
        let mut kept: Vec<usize> = (0..columns.len()).filter(says).collect();
        if let (Some(width), false) = (wish.width, wide) {
            let widths: Vec<usize> = columns.iter().zip(&cells).map(width_of).collect();
            fit(&mut kept, &widths, &columns, width);
        }
        columns = kept.iter().map(|&at| columns[at]).collect();
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(columns.iter().map(|column| column.head));
        let row_at = |at: usize| {
            let cells = kept.iter().zip(&columns).map(|(&which, column)| {
                let cell = Cell::new(&cells[which][at]);
                if column.right { cell.set_alignment(CellAlignment::Right) } else { cell }
            });
            cells.collect::<Vec<_>>()
        };
        table.add_rows((0..rows.len()).map(row_at));
        format!("{}\n", report::plain(&mut table))
    }
}

fn width_of<T>((column, cells): (&&Column<T>, &Vec<String>)) -> usize {
    let widest = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
    widest.max(column.head.len()) + 2
}

/// Takes columns away until the line has room, the least needed first.
fn fit<T>(kept: &mut Vec<usize>, widths: &[usize], columns: &[&Column<T>], width: usize) {
    while kept.iter().map(|&at| widths[at]).sum::<usize>() > width + 2 {
        let least = kept.iter().enumerate().max_by_key(|(_, at)| columns[**at].rank);
        match least {
            Some((place, &at)) if columns[at].rank > 0 => drop(kept.remove(place)),
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind<(u32, &'static str)> = Kind {
        schema: "bary.things/1",
        noun: "things",
        columns: &[
            number("ID", 0, |row, _| row.0.to_string()),
            column("NAME", 1, |row, _| row.1.to_owned()),
            column("LENGTH", 2, |row, _| row.1.len().to_string()),
            column("LOUD", WIDE, |row, _| row.1.to_uppercase()),
        ],
        id: |row| row.0.to_string(),
    };

    fn shown(output: Form, width: Option<usize>) -> String {
        let face = Face { output, ..Face::default() };
        let wish = Wish { face, format: None, width, clock: Clock::at(0) };
        KIND.text(&[(1, "a\u{1b}[2Jb"), (10, "c")], &wish).expect("they can be shown")
    }

    #[test]
    fn a_table_loses_columns_where_there_is_no_room() {
        assert_eq!(shown(Form::Table, None).lines().next(), Some("ID  NAME    LENGTH"));
        assert_eq!(shown(Form::Table, Some(12)).lines().next(), Some("ID  NAME"));
        assert_eq!(shown(Form::Table, Some(3)).lines().next(), Some("ID"));
        assert!(shown(Form::Wide, Some(3)).starts_with("ID  NAME    LENGTH  LOUD"));
    }

    #[test]
    fn a_terminal_obeys_nothing_that_a_name_holds() {
        assert!(shown(Form::Table, None).contains("a\u{fffd}[2Jb"));
        assert!(shown(Form::Json, None).contains("\\u001b"));
    }

    #[test]
    fn programs_get_the_messages_themselves() {
        let json: Value = serde_json::from_str(&shown(Form::Json, None)).expect("it is JSON");
        assert_eq!(json["schema"], "bary.things/1");
        assert_eq!(json["things"][1], json!([10, "c"]));
        assert_eq!(shown(Form::Jsonl, None).lines().nth(1), Some("[10,\"c\"]"));
        assert_eq!(shown(Form::Quiet, None), "1\n10\n");
    }
}
