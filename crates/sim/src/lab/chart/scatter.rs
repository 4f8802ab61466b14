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
    let dots: Vec<(f64, f64)> = points.iter().map(|point| place(*point)).collect();
    let mut labels = Vec::new();
    for (number, (row, &(x, y))) in rows.iter().zip(&dots).enumerate() {
        chart.dot((x, y), 6.0, colour(number), &row.policy);
        let name = short(&row.policy, 24);
        let label = Label { x: x + 10.0, y: y + 4.0, width: 7.0 * name.chars().count() as f64 };
        let label = label.where_free(&dots, &labels);
        chart.words((label.x, label.y), &name, "start", "");
        labels.push(label);
    }
    chart
}

/// Where a name stands: the left end of its base line, and how wide it is.
#[derive(Clone, Copy, Debug)]
struct Label {
    x: f64,
    y: f64,
    width: f64,
}

/// How high a line of text is.
const LINE: f64 = 14.0;

impl Label {
    /// The same, so far up or down that it stands on no dot and on no other name; where it was if
    /// there is no such place near.
    fn where_free(self, dots: &[(f64, f64)], others: &[Self]) -> Self {
        let shifts = [0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 4.0, -4.0];
        let places = shifts.map(|lines| Self { y: self.y + lines * LINE, ..self });
        let is_free = |place: &&Self| {
            !dots.iter().any(|dot| place.covers(*dot)) && !others.iter().any(|one| place.hits(one))
        };
        places.iter().find(is_free).copied().unwrap_or(self)
    }

    fn covers(&self, (x, y): (f64, f64)) -> bool {
        let across = x + 6.0 > self.x && x - 6.0 < self.x + self.width;
        across && (y + 4.0 - self.y).abs() < LINE - 2.0
    }

    fn hits(&self, other: &Self) -> bool {
        let across = self.x < other.x + other.width && other.x < self.x + self.width;
        across && (self.y - other.y).abs() < LINE
    }
}

#[cfg(test)]
mod tests {
    use super::{LINE, Label};

    #[test]
    fn a_name_stands_on_no_dot_and_on_no_other_name() {
        let label = Label { x: 10.0, y: 4.0, width: 50.0 };
        assert_eq!(label.where_free(&[(0.0, 0.0)], &[]).y, 4.0);
        let below = label.where_free(&[(0.0, 0.0), (30.0, 1.0)], &[]);
        assert_eq!(below.y, 4.0 + LINE);
        assert_eq!(label.where_free(&[(30.0, 1.0)], &[below]).y, 4.0 - LINE);
    }
}
