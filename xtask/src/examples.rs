//! Runs every job file under `examples/` and holds its result against the expected one, and runs
//! the library's example programs that a person is told to start from, and scripts that end with 0
//! where what they show is so.
//!
//! `examples/expected/NAME.json` says `{"args": [..], "exit": 0, "results": {TASK: VALUE}}`;
//! `args` and `exit` may be left out, and `{"approx": v, "within": e}` stands for a number.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::check::Outcome;
use crate::metadata::list;
use crate::process::printed;
use crate::repo::{Program, Repo};

/// Example programs of the package `bary` that are quick and need no arguments.
const PROGRAMS: &[&str] = &["own_function"];

/// Scripts for a shell that are given the program.
const SCRIPTS: &[&str] = &["examples/cluster.sh"];

/// Runs all of them.
pub(crate) fn check(repo: &Repo) -> Outcome {
    let jobs = match repo.with_extension("toml") {
        Ok(files) => files.into_iter().filter(|file| file.parent() == Some(Path::new("examples"))),
        Err(complaint) => return Outcome::failure(complaint),
    };
    let jobs: Vec<&Path> = jobs.collect();
    let program = match repo.program("dev") {
        Program::Ready(program) => program,
        Program::Absent(why) => return Outcome::Skipped(why.into()),
        Program::Broken(complaint) => return Outcome::failure(complaint),
    };
    if jobs.is_empty() {
        return Outcome::Skipped("there are no job files in examples/".into());
    }
    let mut findings = Vec::new();
    for job in &jobs {
        let faults = faults(repo, &program, job).unwrap_or_else(|complaint| vec![complaint]);
        findings.extend(faults.into_iter().map(|fault| format!("{}: {fault}", job.display())));
    }
    findings.extend(programs(repo));
    findings.extend(scripts(repo, &program));
    if findings.is_empty() {
        let names: Vec<_> = jobs.iter().filter_map(|job| job.file_stem()?.to_str()).collect();
        return Outcome::Passed(vec![format!("ran {}", names.join(", "))]);
    }
    Outcome::Failed(findings)
}

fn programs(repo: &Repo) -> Vec<String> {
    let packages = repo.packages().unwrap_or_default();
    let targets = packages.iter().filter(|package| package.name == "bary");
    let targets = targets.flat_map(|package| &package.targets);
    let examples = targets.filter(|target| target.kinds.iter().any(|kind| kind == "example"));
    let quick = examples.filter(|target| PROGRAMS.contains(&target.name.as_str()));
    let run = |name: &str| {
        let words = ["run", "--quiet", "--package", "bary", "--example", name];
        printed(repo.cargo(&words)).err()
    };
    quick.filter_map(|target| run(&target.name)).collect()
}

fn scripts(repo: &Repo, program: &Path) -> Vec<String> {
    if !cfg!(unix) {
        return Vec::new();
    }
    let run = |script: &&str| {
        let mut shell = Command::new("sh");
        shell.arg(script).arg(program).current_dir(&repo.root);
        printed(shell).err().map(|fault| format!("{script}: {fault}"))
    };
    SCRIPTS.iter().filter_map(run).collect()
}

/// What is wrong with one job's run; the error says why it could not be told.
fn faults(repo: &Repo, program: &Path, job: &Path) -> Result<Vec<String>, String> {
    let name = job.file_stem().map(PathBuf::from).unwrap_or_default();
    let expected = Path::new("examples/expected").join(name).with_extension("json");
    let expected: Value = serde_json::from_str(&repo.read(&expected)?)
        .map_err(|fault| format!("{}: {fault}", expected.display()))?;
    let mut command = Command::new(program);
    command.arg("run").arg(job).args(["-o", "json"]).current_dir(&repo.root);
    command.args(list(&expected, "args").filter_map(Value::as_str));
    let output = command.output().map_err(|cause| format!("did not run: {cause}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let wanted = expected["exit"].as_i64().unwrap_or(0);
    if output.status.code().map(i64::from) != Some(wanted) {
        return Ok(vec![format!("{}, not {wanted}: {}", output.status, said.trim_end())]);
    }
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|fault| format!("its output is not JSON: {fault}"))?;
    let mut faults = Vec::new();
    compare("results", &expected["results"], &report["results"], &mut faults);
    Ok(faults)
}

/// Notes where `found` is not as `wanted`; an object may hold more than is wanted.
fn compare(path: &str, wanted: &Value, found: &Value, faults: &mut Vec<String>) {
    let alike = match (wanted, found) {
        (Value::Object(object), _) if object.contains_key("approx") => is_near(wanted, found),
        (Value::Object(object), Value::Object(_)) => {
            for (key, wanted) in object {
                compare(&format!("{path}.{key}"), wanted, &found[key], faults);
            }
            return;
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            for (index, (wanted, found)) in items.iter().zip(others).enumerate() {
                compare(&format!("{path}[{index}]"), wanted, found, faults);
            }
            return;
        }
        (Value::Number(_), Value::Number(_)) => wanted == found || equal_floats(wanted, found),
        _ => wanted == found,
    };
    if !alike {
        faults.push(format!("{path} is {found}, not {wanted}"));
    }
}

/// 1 and 1.0 are the same number to a reader.
fn equal_floats(wanted: &Value, found: &Value) -> bool {
    (wanted.is_f64() || found.is_f64()) && wanted.as_f64() == found.as_f64()
}

fn is_near(wanted: &Value, found: &Value) -> bool {
    let numbers = (wanted["approx"].as_f64(), wanted["within"].as_f64(), found.as_f64());
    let (Some(wanted), Some(within), Some(found)) = numbers else { return false };
    (found - wanted).abs() <= within
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::compare;

    fn faults(wanted: &Value, found: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        compare("results", wanted, found, &mut faults);
        faults
    }

    #[test]
    fn more_than_is_wanted_is_fine() {
        let found = json!({ "a": 1, "b": [1.0, "x"], "c": 2.504, "d": null });
        let near = json!({ "approx": 2.5, "within": 0.01 });
        assert_eq!(faults(&json!({ "a": 1.0, "b": [1, "x"], "c": near }), &found), [""; 0]);
    }

    #[test]
    fn what_differs_is_named_by_its_path() {
        let found = json!({ "a": { "b": [1, 2] }, "c": 2.6, "d": "4" });
        let near = json!({ "approx": 2.5, "within": 0.01 });
        let wanted = json!({ "a": { "b": [1, 3] }, "c": near, "d": 4, "e": null, "f": 1 });
        let paths = faults(&wanted, &found);
        let paths: Vec<_> = paths.iter().filter_map(|fault| fault.split(' ').next()).collect();
        assert_eq!(paths, ["results.a.b[1]", "results.c", "results.d", "results.f"]);
    }

    #[test]
    fn a_list_of_another_length_differs() {
        assert_eq!(faults(&json!([1]), &json!([1, 2])).len(), 1);
    }
}
