//! Every relative link in a Markdown file leads to a file that exists, and to a heading of it.

use std::path::{Component, Path, PathBuf};

use crate::check::Outcome;
use crate::markdown::{Link, anchors, links};
use crate::repo::Repo;

/// Checks the links of every tracked Markdown file.
pub(crate) fn check(repo: &Repo) -> Outcome {
    let files = match repo.with_extension("md") {
        Ok(files) => files,
        Err(complaint) => return Outcome::failure(complaint),
    };
    let mut findings = Vec::new();
    for file in files {
        match repo.read(file) {
            Ok(text) => findings.extend(broken(repo, file, &text)),
            Err(complaint) => findings.push(complaint),
        }
    }
    Outcome::of(findings)
}

fn broken(repo: &Repo, file: &Path, text: &str) -> Vec<String> {
    let fault = |link: &Link| fault(repo, file, text, &link.target).map(|why| (link.line, why));
    let faults = links(text);
    let faults = faults.iter().filter_map(fault);
    faults.map(|(line, why)| format!("{}:{line}: {why}", file.display())).collect()
}

fn fault(repo: &Repo, file: &Path, text: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let wanted = if path.is_empty() { file.to_path_buf() } else { resolve(file, path) };
    if !repo.root.join(&wanted).exists() {
        return Some(format!("`{target}` leads to nothing"));
    }
    let is_markdown = wanted.extension().is_some_and(|extension| extension == "md");
    if anchor.is_empty() || !is_markdown {
        return None;
    }
    let other = if wanted == file { text.to_owned() } else { repo.read(&wanted).ok()? };
    let found = anchors(&other).iter().any(|heading| heading == anchor);
    (!found).then(|| format!("`{target}` leads to no heading"))
}

/// The link's path from the root; a leading `/` means the root itself.
fn resolve(file: &Path, path: &str) -> PathBuf {
    let path = path.replace("%20", " ");
    let from = file.parent().unwrap_or_else(|| Path::new(""));
    let joined = match path.strip_prefix('/') {
        Some(from_root) => PathBuf::from(from_root),
        None => from.join(path),
    };
    let mut resolved = PathBuf::new();
    for part in joined.components() {
        match part {
            Component::ParentDir if resolved.pop() => {}
            Component::CurDir => {}
            other => resolved.push(other),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{broken, resolve};
    use crate::repo::Repo;

    #[test]
    fn each_link_that_leads_nowhere_is_named_with_its_line() {
        let root = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(root.path().join("docs")).expect("a new directory");
        fs::write(root.path().join("docs/b.md"), "# Here it is\n").expect("a new file");
        let repo = Repo::at(root.path().to_path_buf());
        let text = "# Top\n[a](#top) [b](docs/b.md) [c](docs/b.md#here-it-is)\n\
                    [d](https://example.org/x)\n[e](#bottom)\n[f](docs/c.md)\n[g](docs/b.md#no)\n";
        fs::write(root.path().join("a.md"), text).expect("a new file");
        let found = broken(&repo, Path::new("a.md"), text);
        let wanted = [
            "a.md:4: `#bottom` leads to no heading",
            "a.md:5: `docs/c.md` leads to nothing",
            "a.md:6: `docs/b.md#no` leads to no heading",
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn paths_are_taken_from_the_files_folder() {
        assert_eq!(resolve(Path::new("docs/a.md"), "../b.md"), Path::new("b.md"));
        assert_eq!(resolve(Path::new("docs/a.md"), "./b%20c.md"), Path::new("docs/b c.md"));
        assert_eq!(resolve(Path::new("docs/a.md"), "/b.md"), Path::new("b.md"));
    }
}
