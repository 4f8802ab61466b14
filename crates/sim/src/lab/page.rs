//! The report: one HTML file that needs nothing else, with the table, all charts, and words for
//! those who do not see them.

use crate::lab::chart::{self, bars, cluster, escaped, gantt, lines, number, scatter};
use crate::lab::compare::{Row, position};
use crate::lab::log::Log;
use crate::lab::measures::MEASURES;
use crate::lab::scenario::Scenario;
use crate::lab::shape::Load;

/// All that a report tells of.
#[derive(Debug)]
pub struct Report<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// A row for each policy.
    pub rows: &'a [Row],
    /// What each policy's run of the first seed looked like, and what there was to do.
    pub logs: &'a [(&'a str, &'a Load, &'a Log)],
    /// What policies are judged by, by its position in the table of measures.
    pub judged_by: usize,
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d2433;--soft:#5b6475;--line:#d5dae3;--paper:#fff}\
@media (prefers-color-scheme:dark){:root{--ink:#e4e8f0;--soft:#9aa4b8;--line:#3a4254;\
--paper:#12161f}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);\
max-width:1100px;margin:2rem auto;padding:0 1rem}\
h1,h2{line-height:1.2}p,figcaption,dd{color:var(--soft)}\
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}\
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}\
th:first-child,td:first-child{text-align:left}svg{max-width:100%;height:auto}\
figure{margin:1.5rem 0}dt{font-weight:600;margin-top:.5rem}dd{margin:0}";

/// The main chart: what policies are judged by, their balance and their messages.
#[must_use]
pub fn comparison(scenario: &Scenario, rows: &[Row], judged_by: usize) -> chart::Chart {
    let others = ["balance", "claims_per_task"].into_iter().filter_map(position);
    let measures: Vec<usize> = [judged_by].into_iter().chain(others).collect();
    let title =
        format!("{}: {} tasks on {} nodes", scenario.name, scenario.tasks(), scenario.count());
    bars::draw(&title, rows, &measures)
}

/// The whole file.
#[must_use]
pub fn html(report: &Report<'_>) -> String {
    let Report { scenario, rows, logs, judged_by } = report;
    let name = escaped(&scenario.name);
    let (tasks, nodes, seeds) = (scenario.tasks(), scenario.count(), scenario.seeds);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none';style-src 'unsafe-inline'\">\
         <title>{name}</title><style>{STYLE}{}</style></head><body><main>\n\
         <h1>{name}</h1>\n<p>{tasks} tasks on {nodes} nodes, seeds {} to {}, in virtual \
         time. Each number is the median of its runs, with the least and the greatest.</p>\n",
        chart::STYLE,
        scenario.seed,
        scenario.seed.saturating_add(u64::from(seeds).saturating_sub(1)),
    );
    table(&mut page, rows);
    let mut figure = |title: &str, drawn: chart::Chart, words: &str| {
        let (title, words, drawn) = (escaped(title), escaped(words), drawn.inline());
        page += &format!(
            "<h2>{title}</h2>\n<figure>{drawn}<figcaption>{words}</figcaption></figure>\n"
        );
    };
    let bars = comparison(scenario, rows, *judged_by);
    figure("Comparison", bars, "Whiskers go from the least to the greatest of all runs.");
    let words = "Good balance for few messages stands at the top left.";
    figure("Balance against messages", scatter::draw(rows), words);
    let words = "Tasks that could begin and have not, in the first seed's run.";
    figure("Load over time", lines::draw(logs), words);
    for (policy, load, log) in *logs {
        let words = "A lane for each slot, a bar for each task of the first seed's run, coloured \
                     by owner; very short tasks next to each other are drawn as one.";
        figure(&format!("What ran where: {policy}"), gantt::draw(policy, load, log), words);
    }
    let words = "A dot for each node, its area by its power, its colour by its region.";
    figure("The cluster", cluster::draw(scenario), words);
    page += "<h2>Columns</h2>\n<dl>\n";
    for measure in &MEASURES {
        let doc = escaped(measure.doc);
        page += &format!("<dt>{}</dt><dd>{doc}</dd>\n", measure.name.replace('_', " "));
    }
    page += "</dl>\n</main></body></html>\n";
    page
}

fn table(page: &mut String, rows: &[Row]) {
    *page += "<div class=\"scroll\"><table><caption>What each policy came to</caption><thead><tr>\
              <th scope=\"col\">policy</th>";
    for measure in &MEASURES {
        let unit =
            if measure.unit.is_empty() { String::new() } else { format!(" {}", measure.unit) };
        let head = measure.head.to_lowercase();
        *page += &format!("<th scope=\"col\">{head}{unit}</th>");
    }
    *page += "</tr></thead><tbody>\n";
    for row in rows {
        *page += &format!("<tr><th scope=\"row\">{}</th>", escaped(&row.policy));
        for at in 0..MEASURES.len() {
            let middle = row.middle(at);
            let (median, min, max) =
                (number(middle.median), number(middle.min), number(middle.max));
            *page += &format!("<td title=\"{min} to {max}\">{median}</td>");
        }
        *page += "</tr>\n";
    }
    *page += "</tbody></table></div>\n";
}
