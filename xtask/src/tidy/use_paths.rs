//! Finds the paths that a Rust file imports or names, with groups spread out.

use std::ops::Range;

use crate::source::{first_word, is_word, places};

/// One path, such as `bary_model::task::TaskSpec`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UsePath {
    /// Where the statement or the path starts.
    pub(crate) at: usize,
    /// Its segments without renaming; a wildcard is `*`.
    pub(crate) segments: Vec<String>,
}

/// The paths of all `use` statements in blanked code, and of all mentions elsewhere whose first
/// segment starts with `prefix`. A macro's path is left out: macros live at a crate's root.
pub(crate) fn use_paths(code: &str, prefix: &str) -> Vec<UsePath> {
    let mut paths = Vec::new();
    let statements = statements(code);
    for Range { start, end } in &statements {
        let tree = &code[start + 3..*end];
        spread(tree, &mut Vec::new(), &mut |segments| {
            paths.push(UsePath { at: *start, segments });
        });
    }
    for (at, _) in code.match_indices(prefix) {
        let inside = statements.iter().any(|statement| statement.contains(&at));
        let starts = at == 0 || !is_word(code.as_bytes()[at - 1]);
        if starts && !inside {
            paths.extend(mention(code, at));
        }
    }
    paths
}

/// The ranges of `use` statements; `use<..>` in a bound is none.
fn statements(code: &str) -> Vec<Range<usize>> {
    let starts = places(code, "use").filter(|at| !code[at + 3..].trim_start().starts_with('<'));
    starts.filter_map(|at| code[at..].find(';').map(|end| at..at + end)).collect()
}

/// Calls `found` with every leaf of a tree such as `a::{b, c::{self, D as E}}`.
fn spread(tree: &str, trunk: &mut Vec<String>, found: &mut impl FnMut(Vec<String>)) {
    let length = trunk.len();
    let (path, group) = match (tree.find('{'), tree.rfind('}')) {
        (Some(open), Some(close)) if open < close => (&tree[..open], Some(&tree[open + 1..close])),
        _ => (tree, None),
    };
    let path = path.split(" as ").next().unwrap_or(path);
    let segments = path.split("::").map(str::trim).filter(|part| !part.is_empty());
    trunk.extend(segments.filter(|part| *part != "self").map(str::to_owned));
    match group {
        Some(group) => branches(group).iter().for_each(|branch| spread(branch, trunk, found)),
        None => found(trunk.clone()),
    }
    trunk.truncate(length);
}

/// The parts of a group between the commas of its own level.
fn branches(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (at, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The path that stands at `at` in an expression or a type; none for a single word or a macro.
fn mention(code: &str, at: usize) -> Option<UsePath> {
    let mut segments = vec![first_word(&code[at..]).to_owned()];
    let mut rest = &code[at + segments[0].len()..];
    while let Some(after) = rest.strip_prefix("::") {
        let word = first_word(after);
        if word.is_empty() || !after.starts_with(word) {
            break;
        }
        segments.push(word.to_owned());
        rest = &after[word.len()..];
    }
    (segments.len() > 1 && !rest.starts_with('!')).then_some(UsePath { at, segments })
}

#[cfg(test)]
mod tests {
    use super::use_paths;

    fn found(code: &str) -> Vec<String> {
        use_paths(code, "bary_").into_iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn groups_are_spread_out() {
        let code = "use bary_a::{b::{self, C as D}, E, f::*};\nuse x;";
        assert_eq!(found(code), ["bary_a::b", "bary_a::b::C", "bary_a::E", "bary_a::f::*", "x"]);
    }

    #[test]
    fn mentions_outside_a_use_are_found_and_macros_left_out() {
        let code = "fn f(x: bary_a::B) -> my_bary_c::D { bary_a::e::g::<u8>(x); bary_a::m!() }";
        assert_eq!(found(code), ["bary_a::B", "bary_a::e::g"]);
    }

    #[test]
    fn a_bound_that_captures_is_no_import() {
        assert_eq!(found("fn f<'a>() -> impl Sized + use<'a> {}"), Vec::<String>::new());
    }
}
