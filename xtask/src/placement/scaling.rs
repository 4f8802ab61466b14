//! The tables of `docs/policies/scaling.md`: a row for each scaling of a scenario, with what nodes
//! and waiting came to.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bench::bary;
use crate::repo::Repo;

/// The page that holds the tables.
pub(super) const PAGE: &str = "docs/policies/scaling.md";

/// Where public traces are.
const DATA: &str = "BARY_DATA";

/// One table.
pub(super) struct Table {
    /// Its name in the page's markers, and that of its scenario.
    pub(super) name: &'static str,
    /// The trace that it lives, under `BARY_DATA`.
    trace: Option<&'static str>,
}

/// Every table.
pub(super) const TABLES: &[Table] = &[
    Table { name: "scaling-wave", trace: None },
    Table { name: "scaling-nasa", trace: Some("swf/NASA-iPSC-1993-3.1-cln.swf.zip") },
];

/// The measures of a row, their heads and digits behind the point.
const COLUMNS: [(&str, &str, usize); 5] = [
    ("node_hours", "node-hours", 0),
    ("wait_mean_seconds", "mean wait, s", 1),
    ("wait_p99_seconds", "p99 wait, s", 0),
    ("node_changes", "changes", 0),
    ("cost", "cost", 0),
];

/// The table as Markdown; none where its trace is not there.
pub(super) fn markdown(
    repo: &Repo,
    program: &PathBuf,
    table: &Table,
) -> Result<Option<String>, String> {
    let file = repo.root.join(format!("bench/placement/{}.toml", table.name));
    let file = file.to_string_lossy().into_owned();
    let trace = match table.trace {
        None => None,
        Some(trace) => {
            let Some(data) = std::env::var_os(DATA) else { return Ok(None) };
            Some(Path::new(&data).join(trace).to_string_lossy().into_owned())
        }
    };
    let mut words = vec!["sim", &file, "-j", "1", "-o", "json"];
    words.extend(trace.iter().flat_map(|trace| ["--trace", trace.as_str()]));
    Ok(Some(rows(&bary::told(program, &words)?)))
}

fn rows(told: &Value) -> String {
    let heads = COLUMNS.map(|(_, head, _)| head).join(" | ");
    let mut text = format!("| nodes | {heads} |\n|---|{}\n", "---|".repeat(COLUMNS.len()));
    for row in told["policies"].as_array().into_iter().flatten() {
        let cells = COLUMNS.map(|(name, _, digits)| {
            let median = row["measures"][name]["median"].as_f64();
            median.map_or_else(|| "?".to_owned(), |value| format!("{value:.digits$}"))
        });
        let name = row["scaling"].as_str().unwrap_or("?");
        text += &format!("| {name} | {} |\n", cells.join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_each_measure_and_what_is_missing() {
        let told = serde_json::json!({ "policies": [{
            "scaling": "wait, 120s",
            "measures": { "node_hours": { "median": 12.4 }, "cost": { "median": 2.0 } },
        }]});
        let text = rows(&told);
        assert!(text.ends_with("| wait, 120s | 12 | ? | ? | ? | 2 |\n"), "{text}");
    }

    #[test]
    fn every_table_has_its_scenario() {
        let repo = Repo::open().expect("tests run in the repository");
        for table in TABLES {
            let file = repo.root.join(format!("bench/placement/{}.toml", table.name));
            assert!(file.is_file(), "{}", table.name);
        }
    }
}
