//! A measured figure: its value, the bound it has to keep and the peer it was measured beside.

use serde_json::{Value, json};

/// One line of a benchmark's outcome.
pub(crate) struct Row {
    /// What was measured.
    pub(crate) figure: &'static str,
    /// What the runs gave, in their order; the value is their median.
    pub(crate) runs: Vec<f64>,
    /// What it is measured in.
    pub(crate) unit: &'static str,
    /// What it has to keep.
    pub(crate) bound: Option<Bound>,
    /// Who did the same beside it, and their median.
    pub(crate) peer: Option<(&'static str, f64)>,
}

/// The side of a number on which a figure has to stay.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    /// The number or more.
    AtLeast(f64),
    /// The number or less.
    AtMost(f64),
}

impl Bound {
    fn is_kept_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {}", number(bound)),
            Self::AtMost(bound) => format!("≤ {}", number(bound)),
        }
    }
}

impl Row {
    fn value(&self) -> f64 {
        median(&self.runs)
    }

    /// How many of the peer's it is.
    fn ratio(&self) -> Option<f64> {
        self.peer.map(|(_, theirs)| self.value() / theirs)
    }

    fn is_kept(&self) -> Option<bool> {
        self.bound.map(|bound| bound.is_kept_by(self.value()))
    }
}

/// The middle of `runs`, or the mean of the two middle ones; NaN for none.
pub(crate) fn median(runs: &[f64]) -> f64 {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

/// Figures by benchmark.
type Measured = [(&'static str, Vec<Row>)];

/// The figures as aligned columns, one line each.
pub(crate) fn table(measured: &Measured) -> String {
    let head = ["bench", "figure", "value", "unit", "bound", "", "peer", "ratio", "runs"];
    let mut lines = vec![head.map(str::to_owned)];
    for (bench, row) in rows(measured) {
        let kept = row.is_kept().map_or("", |kept| if kept { "kept" } else { "MISSED" });
        let peer = row.peer.map(|(name, value)| format!("{name} {}", number(value)));
        let runs: Vec<_> = row.runs.iter().map(|&run| number(run)).collect();
        lines.push([
            bench.to_owned(),
            row.figure.to_owned(),
            number(row.value()),
            row.unit.to_owned(),
            row.bound.map(Bound::text).unwrap_or_default(),
            kept.to_owned(),
            peer.unwrap_or_default(),
            row.ratio().map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            runs.join(" "),
        ]);
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// The figures as a JSON list.
pub(crate) fn json(measured: &Measured) -> String {
    let rows = rows(measured).map(|(bench, row)| {
        let (at_least, at_most) = match row.bound {
            Some(Bound::AtLeast(bound)) => (Some(bound), None),
            Some(Bound::AtMost(bound)) => (None, Some(bound)),
            None => (None, None),
        };
        json!({
            "bench": bench,
            "figure": row.figure,
            "value": row.value(),
            "unit": row.unit,
            "bound": { "at_least": at_least, "at_most": at_most, "kept": row.is_kept() },
            "peer": row.peer.map(|(name, value)| json!({ "name": name, "value": value })),
            "ratio": row.ratio(),
            "median_of": row.runs.len(),
            "runs": row.runs,
        })
    });
    format!("{:#}\n", Value::Array(rows.collect()))
}

fn rows(measured: &Measured) -> impl Iterator<Item = (&'static str, &Row)> {
    measured.iter().flat_map(|(bench, rows)| rows.iter().map(move |row| (*bench, row)))
}

/// Whole where large, with three digits after the point where small.
fn number(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Bound, Row, json, median, table};

    fn row(runs: &[f64], bound: Option<Bound>) -> Row {
        let peer = Some(("peer", 950.4));
        Row { figure: "rate", runs: runs.to_vec(), unit: "1/s", bound, peer }
    }

    #[test]
    fn the_median_is_the_middle_of_the_sorted_runs() {
        assert!((median(&[5.0, 1.0, 3.0]) - 3.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_missed_bound_is_shown_in_the_table() {
        let rows = vec![
            row(&[2000.0], Some(Bound::AtLeast(1000.0))),
            row(&[0.5], Some(Bound::AtMost(0.4))),
            row(&[1.0], None),
        ];
        let text = table(&[("b", rows)]);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].contains("≥ 1000   kept"), "{text}");
        assert!(lines[2].contains("≤ 0.400  MISSED"), "{text}");
        assert!(!lines[3].contains("kept") && lines[3].contains("peer 950"), "{text}");
    }

    #[test]
    fn json_says_the_same() {
        let text = json(&[("b", vec![row(&[1.0, 3.0, 2.0], Some(Bound::AtLeast(2.5)))])]);
        let found: Value = serde_json::from_str(&text).expect("it is our own text");
        assert_eq!(found[0]["value"], 2.0);
        assert_eq!(found[0]["bound"]["kept"], false);
        assert_eq!(found[0]["peer"]["name"], "peer");
        assert_eq!(found[0]["median_of"], 3);
    }
}
