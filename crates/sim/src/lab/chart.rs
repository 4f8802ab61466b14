//! Charts as SVG that is written here, from data alone: no library draws, no script runs, and the
//! same data give the same bytes. Colours follow the reader's light or dark setting.

pub mod bars;
pub mod cluster;
pub mod gantt;
pub mod lines;
pub mod scatter;

/// The style that every chart needs, in itself or in the page around it.
pub const STYLE: &str = "\
.chart{font-family:system-ui,'DejaVu Sans',sans-serif;font-size:12px;fill:#1d2433}\
.chart .faint{stroke:#d5dae3;stroke-width:1;fill:none}\
.chart .muted{fill:#5b6475}.chart .whisker{stroke:#1d2433;stroke-width:1.5}\
.chart .bold{font-weight:600}\
@media (prefers-color-scheme:dark){.chart{fill:#e4e8f0}.chart .faint{stroke:#3a4254}\
.chart .muted{fill:#9aa4b8}.chart .whisker{stroke:#e4e8f0}}";

/// Colours that are told apart by people who see few of them (Okabe and Ito 2008).
pub const COLOURS: [&str; 7] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7f7f7f"];

/// The colour of the thing of this number.
#[must_use]
pub fn colour(number: usize) -> &'static str {
    COLOURS[number % COLOURS.len()]
}

/// A text that stands for itself in HTML and in SVG, whatever it holds.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

/// At most so many letters of a text, and then dots.
#[must_use]
pub fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A chart that is being drawn.
#[derive(Debug)]
pub struct Chart {
    text: String,
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
}

impl Chart {
    /// An empty chart; the words are for those who do not see it.
    #[must_use]
    pub fn new(width: f64, height: f64, title: &str, words: &str) -> Self {
        let (title, words) = (escaped(title), escaped(words));
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\">\
             <title>{title}</title><desc>{words}</desc>\n"
        );
        Self { text, width, height }
    }

    fn add(&mut self, part: &str) {
        self.text.push_str(part);
        self.text.push('\n');
    }

    /// A bar.
    pub fn bar(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), fill: &str) {
        self.add(&format!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             fill=\"{fill}\"/>"
        ));
    }

    /// A line of a class.
    pub fn line(&mut self, (x, y): (f64, f64), (to_x, to_y): (f64, f64), class: &str) {
        self.add(&format!(
            "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{to_x:.1}\" y2=\"{to_y:.1}\" \
             class=\"{class}\"/>"
        ));
    }

    /// A line through many points.
    pub fn path(&mut self, points: &[(f64, f64)], stroke: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let points = points.join(" ");
        self.add(&format!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"1.8\"/>"
        ));
    }

    /// A dot, with words for whoever points at it.
    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, fill: &str, words: &str) {
        let words = escaped(words);
        self.add(&format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"{fill}\">\
             <title>{words}</title></circle>"
        ));
    }

    /// Words; `anchor` is start, middle or end.
    pub fn words(&mut self, (x, y): (f64, f64), text: &str, anchor: &str, class: &str) {
        let text = escaped(text);
        self.add(&format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{text}\
             </text>"
        ));
    }

    /// It as a part of a page that has the style.
    #[must_use]
    pub fn inline(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }

    /// It as a file of its own.
    #[must_use]
    pub fn alone(self) -> String {
        let styled = format!("<style>{STYLE}</style></svg>\n");
        let mut text = self.text;
        text.push_str(&styled);
        text
    }
}

/// A number with as many digits as tell something.
#[must_use]
pub fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 1_000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 0.01 => format!("{value:.3}"),
        _ => format!("{value:.1e}"),
    }
}

/// The least of 1, 2 and 5 times a power of ten that is no less.
#[must_use]
pub fn round_up(value: f64) -> f64 {
    let mut unit = 1.0;
    while unit < value {
        unit *= 10.0;
    }
    while unit / 10.0 >= value && unit > 1e-12 {
        unit /= 10.0;
    }
    [0.2, 0.5, 1.0].into_iter().map(|part| part * unit).find(|top| *top >= value).unwrap_or(unit)
}

/// Round values from `least` to `most`, about so many that four fit between them.
#[must_use]
pub fn ticks(least: f64, most: f64) -> Vec<f64> {
    let step = round_up((most - least) / 4.0);
    let (first, last) = ((least / step).ceil() as i64, (most / step + 1e-9).floor() as i64);
    (first..=last).map(|at| at as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_marked_at_round_values() {
        assert_eq!(ticks(0.0, 17.16), [0.0, 5.0, 10.0, 15.0]);
        assert_eq!(ticks(85.0, 100.0), [85.0, 90.0, 95.0, 100.0]);
        assert_eq!(ticks(0.0, 5_000.0), [0.0, 2_000.0, 4_000.0]);
    }

    #[test]
    fn nothing_gets_out_of_a_text() {
        let hostile = "</text><script>alert('1')</script>\u{1b}[2J\"&";
        let safe = escaped(hostile);
        assert!(!safe.contains(['<', '>', '"', '\'', '\u{1b}']), "{safe}");
        let mut chart = Chart::new(10.0, 10.0, hostile, hostile);
        chart.words((0.0, 0.0), hostile, "start", "");
        chart.dot((0.0, 0.0), 1.0, "red", hostile);
        assert!(!chart.alone().contains("<script"));
    }

    #[test]
    fn numbers_are_rounded_up_to_round_ones() {
        let table = [(0.0, 1e-12), (1.0, 1.0), (1.1, 2.0), (3.0, 5.0), (72.0, 100.0), (0.03, 0.05)];
        for (value, top) in table.into_iter().skip(1) {
            assert!((round_up(value) - top).abs() < 1e-9, "{value}: {}", round_up(value));
        }
    }
}
