//! Balance against messages: whoever balances well with few of them stands at the top left.

use crate::lab::chart::{Chart, colour, number, round_up, short, ticks};
use crate::lab::compare::{Row, position};

/// A dot for each policy.
#[must_use]
pub fn draw(rows: &[Row]) -> Chart {
    let at = |name| position(name).unwrap_or(0);
    let (balance, messages) = (at("balance"), at("messages_per_task"));
    let points: Vec<(f64, f64)> =
        rows.iter().map(|row| (row.middle(messages).median, row.middle(balance).median)).collect();
    let words = rows.iter().zip(&points).map(|(row, (x, y))| {
        format!("{}: balance {} with {} messages a task.", row.policy, number(*y), number(*x))
    });
    let words = words.collect::<Vec<_>>().join(" ");
    let mut chart = Chart::new(760.0, 340.0, "Balance against messages", &words);
    let most = round_up(points.iter().map(|(x, _)| *x).fold(0.0, f64::max).max(0.01));
    let least = points.iter().map(|(_, y)| *y).fold(100.0, f64::min).max(-100.0);
    let least = (least / 10.0).floor() * 10.0 - 5.0;
    let place = |(x, y): (f64, f64)| {
        let y = y.max(least);
        (70.0 + 560.0 * x / most, 290.0 - 260.0 * (y - least) / (101.0 - least))
    };
    chart.line((70.0, 290.0), (700.0, 290.0), "faint");
    chart.line((70.0, 20.0), (70.0, 290.0), "faint");
    for messages in ticks(0.0, most) {
        let (x, _) = place((messages, 0.0));
        chart.words((x, 308.0), &number(messages), "middle", "muted");
    }
    for balance in ticks(least, 100.0) {
        let (_, y) = place((0.0, balance));
        chart.line((66.0, y), (700.0, y), "faint");
        chart.words((62.0, y + 4.0), &number(balance), "end", "muted");
    }
    chart.words((385.0, 328.0), "messages for each task", "middle", "muted");
    chart.words((14.0, 14.0), "balance in %", "start", "muted");
    for (number, (row, point)) in rows.iter().zip(&points).enumerate() {
        let (x, y) = place(*point);
        chart.dot((x, y), 6.0, colour(number), &row.policy);
        chart.words((x + 10.0, y + 4.0), &short(&row.policy, 24), "start", "");
    }
    chart
}
