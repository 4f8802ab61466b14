//! `fix`: writes what `verify` would ask for, as far as a program can know it.

use crate::drift;
use crate::process::printed;
use crate::ratchet;
use crate::repo::Repo;
use crate::tidy::lengths;

/// Formats, regenerates pages and lowers ratchets; says whether each step went well. A step that
/// fails leaves the others to run.
pub(crate) fn fix(repo: &Repo, clippy: bool) -> bool {
    let mut steps = Vec::new();
    if clippy {
        let words =
            ["clippy", "--fix", "--allow-dirty", "--allow-staged", "--workspace", "--all-targets"];
        steps.push(("clippy", printed(repo.cargo(&words)).map(|_| Vec::new())));
    }
    steps.push(("fmt", printed(repo.cargo(&["fmt", "--all"])).map(|_| Vec::new())));
    steps.push(("docs", drift::write(repo)));
    steps.push(("ratchet", lower(repo)));
    let mut well = true;
    for (name, step) in steps {
        match step {
            Ok(notes) => println!("{name}: {}", if notes.is_empty() { "done" } else { &notes[0] }),
            Err(complaint) => {
                well = false;
                eprintln!("{name}: {complaint}");
            }
        }
    }
    well
}

fn lower(repo: &Repo) -> Result<Vec<String>, String> {
    let tables = lengths::lowered(repo)?;
    let written = ratchet::write(repo, &tables)?;
    Ok(if written { vec![format!("wrote {}", ratchet::PATH)] } else { Vec::new() })
}
