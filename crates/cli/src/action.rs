//! From the words of a command to what runs: argv, a script for the shell, or a function.

use bary_model::action::{Action, Arg};
use bary_model::template::Template;
use bary_model::template::parse::{Dialect, Named};

use crate::words::{self, WordsError};

/// How words become an action.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading<'a> {
    /// Run the words as a script of `sh -c`.
    pub(crate) shell: bool,
    /// Call this function; the words are its arguments.
    pub(crate) function: Option<&'a str>,
    /// Whether the values of the row are added where no word reads them.
    pub(crate) append: bool,
    /// What `{name}` stands for.
    pub(crate) params: &'a [(String, String)],
}

impl Reading<'_> {
    /// The action that the words of a command mean.
    pub(crate) fn action(&self, command: &[Vec<u8>]) -> Result<Action, WordsError> {
        match (self.function, command) {
            (Some(name), words) => Ok(self.call(name, words)),
            // Without a command each input is a command line of its own, as with GNU parallel.
            (None, []) => Ok(script(Template::values())),
            (None, words) if self.shell => Ok(script(self.text(words).for_shell())),
            (None, [one]) => Ok(self.command(&words::split(one)?)),
            (None, words) => Ok(self.command(words)),
        }
    }

    /// A text with placeholders; other braces stay as they are.
    pub(crate) fn template(&self, text: &[u8]) -> Template {
        let mut names = |word: &str| {
            let (_, value) = self.params.iter().rev().find(|(name, _)| name == word)?;
            Some(Named::Text(value.clone().into_bytes()))
        };
        // The loose dialect refuses nothing; what it does not know it leaves as it is.
        Template::parse(text, Dialect::Loose, &mut names)
            .unwrap_or_else(|_| Template::literal(text))
    }

    fn command(&self, words: &[Vec<u8>]) -> Action {
        let mut argv: Vec<Template> = words.iter().map(|word| self.template(word)).collect();
        if self.append && argv.iter().all(Template::is_literal) {
            argv.push(Template::values());
        }
        Action::Command { argv }
    }

    fn text(&self, words: &[Vec<u8>]) -> Template {
        let text = self.template(&words.join(&b' '));
        if self.append && text.is_literal() {
            return text.then(&Template::literal(" ")).then(&Template::values());
        }
        text
    }

    fn call(&self, name: &str, words: &[Vec<u8>]) -> Action {
        let mut args: Vec<Arg> = words.iter().map(|word| self.arg(word)).collect();
        if args.is_empty() && self.append {
            args.push(Arg { name: None, value: Template::values() });
        }
        Action::Function { name: name.into(), args }
    }

    fn arg(&self, word: &[u8]) -> Arg {
        let at = word.iter().position(|&byte| byte == b'=').unwrap_or(0);
        let named = str::from_utf8(&word[..at]).ok().filter(|name| is_name(name));
        match named {
            Some(name) => Arg { name: Some(name.into()), value: self.template(&word[at + 1..]) },
            None => Arg { name: None, value: self.template(word) },
        }
    }
}

fn is_name(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(letter) && text.chars().all(|c| letter(c) || c.is_ascii_digit() || c == '-')
}

fn script(text: Template) -> Action {
    let word = |text: &str| Template::literal(text);
    Action::Command { argv: vec![word("sh"), word("-c"), text] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bary_model::command::quoted;
    use bary_model::inputs::Inputs;
    use bary_model::inputs::lines::Lines;
    use bary_model::template::Scope;

    fn words(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    fn shown(reading: &Reading<'_>, command: &[&str], input: &str) -> String {
        let action = reading.action(&words(command)).expect("the words are good");
        let inputs = Inputs::lines(Lines::from_iter([input])).expect("there is one");
        let scope = Scope { row: inputs.row(0), sequence: 1, slot: 1, ..Scope::default() };
        match action {
            Action::Command { argv } => {
                String::from_utf8_lossy(&quoted(&Template::expand_argv(&argv, &scope))).into_owned()
            }
            Action::Function { name, args } => {
                let each = args.iter().map(|arg| {
                    let value = String::from_utf8_lossy(&arg.value.expand(&scope)).into_owned();
                    format!("{}={value}", arg.name.as_deref().unwrap_or_default())
                });
                format!("{name} {}", each.collect::<Vec<_>>().join(" "))
            }
        }
    }

    #[test]
    fn values_are_added_where_no_word_reads_them() {
        let reading = Reading { append: true, ..Reading::default() };
        assert_eq!(shown(&reading, &["wc", "-l"], "a b"), "wc -l 'a b'");
        assert_eq!(shown(&reading, &["wc -l"], "a"), "wc -l a");
        assert_eq!(shown(&reading, &["echo", "{#}"], "a"), "echo 1");
        let params = [("n".to_owned(), "7".to_owned())];
        let reading = Reading { params: &params, ..reading };
        assert_eq!(shown(&reading, &["head", "-{n}", "{}"], "a"), "head -7 a");
        let piped = Reading { append: false, ..reading };
        assert_eq!(shown(&piped, &["wc", "-l"], "a"), "wc -l");
    }

    #[test]
    fn a_script_gets_its_values_quoted() {
        let reading = Reading { shell: true, append: true, ..Reading::default() };
        assert_eq!(shown(&reading, &["cat {} | wc"], "a b"), r#"sh -c "cat 'a b' | wc""#);
        assert_eq!(shown(&reading, &["ls"], "it's"), r#"sh -c "ls 'it'\\''s'""#);
        assert_eq!(shown(&Reading::default(), &[], "echo hi"), "sh -c 'echo hi'");
    }

    #[test]
    fn a_function_gets_the_words_or_the_input() {
        let reading = Reading { function: Some("f"), append: true, ..Reading::default() };
        assert_eq!(shown(&reading, &[], "5"), "f =5");
        assert_eq!(shown(&reading, &["n={}", "3", "=x"], "5"), "f n=5 =3 ==x");
    }
}
