//! Finds functions and counts their lines, from the line of `fn` to that of the closing brace.

use crate::source::{first_word, is_word, line_of, places};

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name; several of one file may share it.
    pub(crate) name: String,
    /// The line of its `fn`, counted from 1.
    pub(crate) line: usize,
    /// Its lines, signature and closing brace counted.
    pub(crate) lines: usize,
}

/// The functions in blanked code, nested ones too.
pub(crate) fn functions(code: &str) -> Vec<Function> {
    places(code, "fn").filter_map(|at| function(code, at)).collect()
}

fn function(code: &str, at: usize) -> Option<Function> {
    let name = name(&code[at + 2..])?;
    let open = body(code, at)?;
    let close = closing(code, open)?;
    let line = line_of(code, at);
    Some(Function { name, line, lines: line_of(code, close) - line + 1 })
}

/// The name after `fn`; none for a function pointer, whose parenthesis comes at once.
fn name(rest: &str) -> Option<String> {
    let rest = rest.trim_start();
    let (sigil, rest) = match rest.strip_prefix("r#") {
        Some(raw) => ("", raw),
        None if rest.starts_with('$') => ("$", &rest[1..]),
        None => ("", rest),
    };
    let name = first_word(rest);
    (rest.bytes().next().is_some_and(is_word)).then(|| format!("{sigil}{name}"))
}

/// Where the body's brace opens; none for a declaration that ends with a semicolon. Braces
/// inside parentheses and brackets, or right after `<`, are const arguments.
fn body(code: &str, at: usize) -> Option<usize> {
    let bytes = code.as_bytes();
    let (mut depth, mut before) = (0_i32, b' ');
    let mut here = at;
    while here < bytes.len() {
        match bytes[here] {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 && before != b'<' => return Some(here),
            b'{' => here = closing(code, here)?,
            b';' if depth == 0 => return None,
            _ => {}
        }
        if !bytes[here].is_ascii_whitespace() {
            before = bytes[here];
        }
        here += 1;
    }
    None
}

/// The brace that closes the one at `open`.
fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::functions;
    use crate::source::blank;

    fn measured(text: &str) -> Vec<(String, usize, usize)> {
        let found = functions(&blank(text));
        found.into_iter().map(|found| (found.name, found.line, found.lines)).collect()
    }

    #[test]
    fn lines_run_from_the_signature_to_the_closing_brace() {
        let text = "/// fn not_me() {\npub fn a(\n  x: u8,\n) -> u8 {\n  x\n}\n\nfn b() {}\n";
        assert_eq!(measured(text), [("a".to_owned(), 2, 5), ("b".to_owned(), 8, 1)]);
    }

    #[test]
    fn braces_in_literals_and_comments_do_not_count() {
        let text = "fn a() {\n  let x = \"}\"; // }\n  let y = '}';\n  let z = r#\"}\"#;\n}\n";
        assert_eq!(measured(text), [("a".to_owned(), 1, 5)]);
    }

    #[test]
    fn pointers_and_declarations_have_no_body() {
        let text = "type F = fn(u8);\ntrait T {\n  fn a(b: [u8; 2]);\n  fn c(&self) {\n  }\n}";
        assert_eq!(measured(text), [("c".to_owned(), 4, 2)]);
    }

    #[test]
    fn const_arguments_and_where_clauses_are_passed_over() {
        let text = "fn a(x: [u8; { 1 + 1 }]) -> B<{ 2 }>\nwhere\n  u8: Copy,\n{\n}\n";
        assert_eq!(measured(text), [("a".to_owned(), 1, 5)]);
    }

    #[test]
    fn nested_functions_and_macro_names_are_found() {
        let text = "fn outer() {\n  fn inner() {\n  }\n}\nmacro_rules! m { () => { fn $x() {} } }";
        let names: Vec<_> = measured(text).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["outer", "inner", "$x"]);
    }
}
