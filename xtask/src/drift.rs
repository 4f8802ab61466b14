//! The reference pages are printed by the program itself; this holds the files against it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::check::Outcome;
use crate::process::printed;
use crate::repo::{Program, Repo};

/// Each generated file, and the name under which `bary docs` prints it.
const PAGES: &[(&str, &str)] = &[
    ("docs/reference/jobfile.md", "jobfile"),
    ("docs/reference/limits.md", "limits"),
    ("docs/reference/cli.md", "cli"),
    ("docs/reference/exit-codes.md", "exit-codes"),
    ("docs/reference/settings.md", "settings"),
    ("docs/reference/jobfile.schema.json", "jobfile-schema"),
    ("docs/reference/api.md", "api"),
    ("docs/reference/openapi.json", "openapi"),
];

/// Compares every page with what the program prints.
pub(crate) fn check(repo: &Repo) -> Outcome {
    let program = match repo.program("dev") {
        Program::Ready(program) => program,
        Program::Absent(why) => return Outcome::Skipped(why.into()),
        Program::Broken(complaint) => return Outcome::failure(complaint),
    };
    let compare = |&(file, name): &(&str, &str)| match page(repo, &program, name) {
        Ok(wanted) => difference(file, repo.read(file).ok().as_deref(), &wanted),
        Err(complaint) => Some(complaint),
    };
    Outcome::of(PAGES.iter().filter_map(compare).collect())
}

/// Writes every page that differs; the notes say which, or why there was nothing to do.
pub(crate) fn write(repo: &Repo) -> Result<Vec<String>, String> {
    let program = match repo.program("dev") {
        Program::Ready(program) => program,
        Program::Absent(why) => return Ok(vec![format!("skipped: {why}")]),
        Program::Broken(complaint) => return Err(complaint),
    };
    let mut written = Vec::new();
    for (file, name) in PAGES {
        let wanted = page(repo, &program, name)?;
        if repo.read(file).is_ok_and(|found| found == wanted) {
            continue;
        }
        let path = repo.root.join(file);
        let folder = path.parent().unwrap_or(&repo.root);
        fs::create_dir_all(folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
        fs::write(&path, wanted).map_err(|cause| format!("{file}: {cause}"))?;
        written.push(*file);
    }
    let note = || format!("wrote {}", written.join(", "));
    Ok(if written.is_empty() { Vec::new() } else { vec![note()] })
}

fn page(repo: &Repo, program: &Path, name: &str) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(["docs", name]).current_dir(&repo.root);
    let bytes = printed(command)?;
    String::from_utf8(bytes).map_err(|_| format!("`bary docs {name}` printed no UTF-8"))
}

fn difference(file: &str, found: Option<&str>, wanted: &str) -> Option<String> {
    let Some(found) = found else {
        return Some(format!("{file} is missing; `cargo xtask fix` writes it"));
    };
    if found == wanted {
        return None;
    }
    let same = found.lines().zip(wanted.lines()).take_while(|(found, wanted)| found == wanted);
    let line = same.count() + 1;
    Some(format!("{file}:{line} is not what the program prints; `cargo xtask fix` writes it"))
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(difference("a.md", Some("x\ny\n"), "x\ny\n"), None);
        let finding = difference("a.md", Some("x\nz\n"), "x\ny\n").expect("they differ");
        assert!(finding.starts_with("a.md:2 "), "{finding}");
        let shorter = difference("a.md", Some("x\n"), "x\ny\n").expect("they differ");
        assert!(shorter.starts_with("a.md:2 "), "{shorter}");
        assert!(difference("a.md", None, "x").is_some_and(|finding| finding.contains("missing")));
    }
}
