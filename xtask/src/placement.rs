//! `placement`: lives every scenario under `bench/placement` with every rule, and writes the tables
//! of `docs/placement.md` and of `docs/policies/scaling.md` between their markers.

mod scaling;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bench::bary;
use crate::placement::tables::{Cell, TABLES, Table};
use crate::repo::Repo;

/// The page that holds the tables.
const PAGE: &str = "docs/placement.md";

/// What one policy came to in one scenario: measures by name, each with its median.
type Measured = BTreeMap<String, f64>;

/// What has been lived already, by scenario and policy: tables share their worlds.
type Lived = BTreeMap<(String, &'static str), Measured>;

/// Writes the tables called `names`, or all where there are none.
pub(crate) fn write(repo: &Repo, bary: Option<PathBuf>, names: &[String]) -> bool {
    match written(repo, bary, names) {
        Ok(tables) => {
            println!("{tables} tables written to {PAGE} and {}", scaling::PAGE);
            true
        }
        Err(complaint) => {
            eprintln!("placement: {complaint}");
            false
        }
    }
}

fn written(repo: &Repo, bary: Option<PathBuf>, names: &[String]) -> Result<usize, String> {
    let tables = TABLES.iter().map(|table| table.name);
    let all: Vec<&str> = tables.chain(scaling::TABLES.iter().map(|table| table.name)).collect();
    if let Some(unknown) = names.iter().find(|name| !all.contains(&name.as_str())) {
        return Err(format!("there is no table `{unknown}`; there are {}", all.join(", ")));
    }
    let program = bary.map_or_else(|| bary::program(repo), Ok)?;
    let is_wanted = |name: &str| names.is_empty() || names.iter().any(|one| one == name);
    let mut wanted: Vec<&Table> = TABLES.iter().collect();
    wanted.retain(|table| is_wanted(table.name));
    let mut all = Lived::new();
    for table in &wanted {
        eprintln!("living the scenarios of the table `{}`", table.name);
        let text = markdown(repo, &program, table, &mut all)?;
        put(repo, PAGE, table.name, &text)?;
    }
    let mut scaled = 0;
    for table in scaling::TABLES.iter().filter(|table| is_wanted(table.name)) {
        eprintln!("living the scenario of the table `{}`", table.name);
        match scaling::markdown(repo, &program, table)? {
            Some(text) => {
                put(repo, scaling::PAGE, table.name, &text)?;
                scaled += 1;
            }
            None => eprintln!("its trace is not there: set BARY_DATA to have it written"),
        }
    }
    Ok(wanted.len() + scaled)
}

/// Writes a table between its markers of a page.
fn put(repo: &Repo, page: &str, table: &str, text: &str) -> Result<(), String> {
    let path = repo.root.join(page);
    let whole = std::fs::read_to_string(&path).map_err(|cause| format!("{page}: {cause}"))?;
    let whole = between(page, &whole, table, text)?;
    std::fs::write(&path, whole).map_err(|cause| format!("{page}: {cause}"))
}

/// The table as Markdown: a row a rule and a column a scenario, or the other way round.
fn markdown(
    repo: &Repo,
    program: &PathBuf,
    table: &Table,
    all: &mut Lived,
) -> Result<String, String> {
    let mut columns = Vec::new();
    for (scenario, _) in table.columns {
        let file = repo.root.join(format!("bench/placement/{scenario}.toml"));
        let mut column = BTreeMap::new();
        for (policy, _) in table.rows {
            if table.without.contains(&(*policy, *scenario)) {
                continue;
            }
            let key = ((*scenario).to_owned(), *policy);
            if !all.contains_key(&key) {
                all.insert(key.clone(), lived(program, &file, policy)?);
            }
            column.insert(*policy, all[&key].clone());
        }
        columns.push(column);
    }
    Ok(drawn(table, &columns))
}

/// The lines of a table, from what each rule came to in each scenario.
fn drawn(table: &Table, columns: &[BTreeMap<&str, Measured>]) -> String {
    let bold = |number: usize, head: &str| match number {
        0 => format!("**{head}**"),
        _ => head.to_owned(),
    };
    let rules: Vec<(&str, String)> = (0..)
        .zip(table.rows)
        .map(|(number, (policy, head))| (*policy, bold(number, head)))
        .collect();
    let scenarios: Vec<&str> = table.columns.iter().map(|(_, head)| *head).collect();
    let of = |policy: &str, at: usize| cell(columns[at].get(policy), table.cell);
    if table.turned {
        let heads: Vec<&str> = rules.iter().map(|(_, head)| &**head).collect();
        let rows = (0..).zip(&scenarios).map(|(at, head)| {
            let cells = rules.iter().map(|(policy, _)| of(policy, at));
            line(head, &cells.collect::<Vec<String>>())
        });
        return top(&heads) + &rows.collect::<String>();
    }
    let claims = table.claims.iter().map(|(claim, cells)| line(&format!("*{claim}*"), cells));
    let rows = rules.iter().map(|(policy, head)| {
        let cells = (0..scenarios.len()).map(|at| of(policy, at));
        line(head, &cells.collect::<Vec<String>>())
    });
    top(&scenarios) + &claims.chain(rows).collect::<String>()
}

/// The line of heads and the one below it.
fn top(heads: &[&str]) -> String {
    format!("| | {} |\n|---|{}\n", heads.join(" | "), "---|".repeat(heads.len()))
}

/// A line of cells.
fn line<T: AsRef<str>>(head: &str, cells: &[T]) -> String {
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    format!("| {head} | {} |\n", cells.join(" | "))
}

/// What a policy came to in a scenario.
fn lived(program: &PathBuf, file: &Path, policy: &str) -> Result<Measured, String> {
    let file = file.to_string_lossy();
    let words = ["sim", &file, "--policy", policy, "--time", "-j", "1", "-o", "json"];
    let told = bary::told(program, &words)?;
    let told = &told["policies"][0];
    let Value::Object(measures) = &told["measures"] else {
        return Err(format!("bary told no measures of {policy} in {file}"));
    };
    let medians =
        measures.iter().filter_map(|(name, value)| Some((name.clone(), value["median"].as_f64()?)));
    let mut medians: Measured = medians.collect();
    for name in ["host", "homes"] {
        let micros = told[format!("{name}_microseconds_per_task")].as_f64();
        medians.extend(micros.map(|micros| (name.to_owned(), micros)));
    }
    Ok(medians)
}

fn cell(measured: Option<&Measured>, cell: Cell) -> String {
    let Some(measured) = measured else { return "–".into() };
    let parts = cell.iter().map(|(name, factor, digits)| {
        measured
            .get(*name)
            .map_or_else(|| "?".into(), |value| format!("{:.*}", digits, value * factor))
    });
    parts.collect::<Vec<String>>().join(" / ")
}

/// The page with `text` between the markers of a table; it is called `path` where it has none.
fn between(path: &str, page: &str, name: &str, text: &str) -> Result<String, String> {
    let (begin, end) = (format!("<!-- table {name} -->\n"), format!("<!-- end of {name} -->"));
    let missing = || format!("{path} has no place for the table `{name}`");
    let (before, rest) = page.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    Ok(format!("{before}{begin}{text}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_replaces_the_one_before() {
        let page = "a\n<!-- table x -->\nold\n<!-- end of x -->\nb\n";
        let new = between(PAGE, page, "x", "new\n");
        assert_eq!(new, Ok(page.replace("old", "new")));
        assert!(between(PAGE, page, "y", "new\n").is_err());
    }

    #[test]
    fn every_table_has_its_scenarios_and_its_place() {
        let repo = Repo::open().expect("tests run in the repository");
        let page = std::fs::read_to_string(repo.root.join(PAGE)).expect("the page is there");
        for table in TABLES {
            assert!(between(PAGE, &page, table.name, "").is_ok(), "{}", table.name);
            for (scenario, _) in table.columns {
                let file = repo.root.join(format!("bench/placement/{scenario}.toml"));
                assert!(file.is_file(), "{scenario}");
            }
            for (_, cells) in table.claims {
                assert_eq!(cells.len(), table.columns.len(), "{}", table.name);
                assert!(!table.turned, "{} would not show its claims", table.name);
            }
        }
    }

    #[test]
    fn a_turned_table_has_a_row_for_each_scenario() {
        let table = Table {
            name: "x",
            columns: &[("one", "1 node"), ("two", "2 nodes")],
            rows: &[("a", "A"), ("b", "B")],
            cell: &[("balance", 1.0, 0)],
            claims: &[],
            without: &[("b", "two")],
            turned: true,
        };
        let of = |value| Measured::from([("balance".to_owned(), value)]);
        let columns =
            [BTreeMap::from([("a", of(1.0)), ("b", of(2.0))]), BTreeMap::from([("a", of(3.0))])];
        let text = "| | **A** | B |\n|---|---|---|\n| 1 node | 1 | 2 |\n| 2 nodes | 3 | – |\n";
        assert_eq!(drawn(&table, &columns), text);
    }

    #[test]
    fn a_rule_that_was_left_out_has_no_cell() {
        assert_eq!(cell(None, &[("balance", 1.0, 2)]), "–");
        let measured = Measured::from([("balance".to_owned(), 99.944)]);
        assert_eq!(cell(Some(&measured), &[("balance", 1.0, 2), ("x", 1.0, 0)]), "99.94 / ?");
    }
}
