//! Finds the modules that a Rust file declares, and the files where they can lie.

use std::path::{Path, PathBuf};

use crate::source::{Source, first_word, places};

/// One `mod` of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Module {
    /// Its name.
    pub(crate) name: String,
    /// The inline modules around it, the outermost first.
    pub(crate) within: Vec<String>,
    /// Whether its body stands in a file of its own.
    pub(crate) in_file: bool,
    /// The file that a `path` attribute names, relative to the declaring file.
    pub(crate) path: Option<String>,
}

/// The modules that `source` declares, in their order.
pub(crate) fn modules(source: &Source) -> Vec<Module> {
    let code = &source.code;
    let mut found = Vec::new();
    let mut open: Vec<Option<String>> = Vec::new();
    let mut starts = places(code, "mod").peekable();
    let mut named = None;
    for (at, byte) in code.bytes().enumerate() {
        if starts.next_if_eq(&at).is_some() {
            let name = first_word(&code[at + 3..]).to_owned();
            let end = code[at..].find([';', '{']).map(|end| at + end);
            named = end.filter(|_| !name.is_empty()).map(|end| (end, name, at));
        }
        let declared = named.take_if(|(end, ..)| *end == at);
        if let Some((_, name, at)) = &declared {
            let within = open.iter().flatten().cloned().collect();
            let path = path_attribute(source, *at);
            found.push(Module { name: name.clone(), within, in_file: byte == b';', path });
        }
        match byte {
            b'{' => open.push(declared.map(|(_, name, _)| name)),
            b'}' => drop(open.pop()),
            _ => {}
        }
    }
    found
}

/// The value of a `path` attribute between the previous item and the `mod` at `at`.
fn path_attribute(source: &Source, at: usize) -> Option<String> {
    let start = source.code[..at].rfind([';', '{', '}']).map_or(0, |end| end + 1);
    let attribute = places(&source.code[start..at], "path").last()? + start;
    let value = source.text[attribute..at].split('"').nth(1)?;
    Some(value.to_owned())
}

/// Where the body of `module`, declared in `file`, can lie. A target's root and a `mod.rs` own
/// their folder; any other file owns the folder that bears its name.
pub(crate) fn bodies(file: &Path, is_root: bool, module: &Module) -> Vec<PathBuf> {
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    if let (Some(path), true) = (&module.path, module.within.is_empty()) {
        return vec![folder.join(path)];
    }
    let owns = is_root || file.file_name().is_some_and(|name| name == "mod.rs");
    let mut base = if owns { folder.to_path_buf() } else { file.with_extension("") };
    base.extend(&module.within);
    vec![base.join(format!("{}.rs", module.name)), base.join(&module.name).join("mod.rs")]
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{bodies, modules};
    use crate::source::Source;

    fn source(text: &str) -> Source {
        Source::new(Path::new("src/a.rs"), text.to_owned())
    }

    #[test]
    fn files_inline_bodies_and_paths_are_told_apart() {
        let text = "pub mod a;\n// mod b;\nmod c {\n  fn f() {}\n  mod d;\n}\n\
                    #[path = \"x/y.rs\"]\nmod e;\n";
        let found = modules(&source(text));
        let names: Vec<_> = found.iter().map(|m| (m.name.as_str(), m.in_file)).collect();
        assert_eq!(names, [("a", true), ("c", false), ("d", true), ("e", true)]);
        assert_eq!(found[2].within, ["c"]);
        assert_eq!(found[3].path.as_deref(), Some("x/y.rs"));
        assert_eq!((&found[0].path, &found[2].path), (&None, &None));
    }

    #[test]
    fn a_root_owns_its_folder_and_others_own_one_of_their_name() {
        let found = modules(&source("mod b;"));
        let root = bodies(Path::new("src/lib.rs"), true, &found[0]);
        assert_eq!(root, ["src/b.rs", "src/b/mod.rs"].map(PathBuf::from));
        let below = bodies(Path::new("src/a.rs"), false, &found[0]);
        assert_eq!(below, ["src/a/b.rs", "src/a/b/mod.rs"].map(PathBuf::from));
    }
}
