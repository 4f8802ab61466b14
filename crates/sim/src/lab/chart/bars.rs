//! The main chart: for each measure a panel, with a bar for each policy and a whisker from the
//! least to the greatest of its runs.

use crate::lab::chart::{Chart, colour, number, short};
use crate::lab::compare::{Middle, Row};
use crate::lab::measures::{Better, MEASURES};

const LABEL: f64 = 190.0;
const BAR: f64 = 22.0;
const HEAD: f64 = 34.0;
const WIDTH: f64 = 760.0;

/// Bars of these measures, by their positions in the table of measures.
#[must_use]
pub fn draw(title: &str, rows: &[Row], measures: &[usize]) -> Chart {
    let panel = HEAD + BAR * rows.len() as f64 + 14.0;
    let words = words(rows, measures);
    let mut chart = Chart::new(WIDTH, 40.0 + panel * measures.len() as f64, title, &words);
    chart.words((12.0, 24.0), &short(title, 90), "start", "bold");
    for (place, measure) in measures.iter().enumerate() {
        one(&mut chart, 40.0 + panel * place as f64, rows, *measure);
    }
    chart
}

/// The same as a sentence for each measure.
fn words(rows: &[Row], measures: &[usize]) -> String {
    let each = measures.iter().map(|measure| {
        let values = rows
            .iter()
            .map(|row| format!("{} {}", row.policy, number(row.middle(*measure).median)));
        let of = &MEASURES[*measure];
        format!("{} {}: {}.", of.head, of.unit, values.collect::<Vec<_>>().join(", "))
    });
    each.collect::<Vec<_>>().join(" ")
}

fn one(chart: &mut Chart, top: f64, rows: &[Row], measure: usize) {
    let of = &MEASURES[measure];
    let better = match of.better {
        Better::High => "higher is better",
        Better::Low => "lower is better",
    };
    let unit = if of.unit.is_empty() { String::new() } else { format!(" in {}", of.unit) };
    let head = format!("{}{unit} ({better})", of.name.replace('_', " "));
    chart.words((12.0, top + 18.0), &head, "start", "muted");
    let middles: Vec<Middle> = rows.iter().map(|row| row.middle(measure)).collect();
    let most = middles.iter().map(|middle| middle.max).fold(0.0, f64::max);
    // The longest bar fills the room; where all are nothing, none does.
    let most = if of.unit == "%" { 100.0 } else { most.max(1e-12) };
    let room = WIDTH - LABEL - 90.0;
    let x = |value: f64| LABEL + room * (value / most).clamp(0.0, 1.0);
    for (place, (row, middle)) in rows.iter().zip(&middles).enumerate() {
        let y = top + HEAD + BAR * place as f64;
        chart.words((LABEL - 8.0, y + 13.0), &short(&row.policy, 28), "end", "");
        chart.bar((LABEL, y), (x(middle.median) - LABEL, BAR - 6.0), colour(place));
        let across = y + BAR / 2.0 - 3.0;
        chart.line((x(middle.min), across), (x(middle.max), across), "whisker");
        let end = x(middle.max.max(middle.median)) + 6.0;
        chart.words((end, y + 13.0), &number(middle.median), "start", "");
    }
}
