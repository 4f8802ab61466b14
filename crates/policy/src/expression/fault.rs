//! Why a text is no formula, and where.

use std::fmt;

use crate::expression::variable::Variable;
use crate::expression::{BYTES_MAX, DEPTH_MAX, STEPS_MAX, VALUES_MAX};

/// Why a text is no formula. Nothing was changed; the caller gives another text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// The text.
    pub text: String,
    /// Where in it, in bytes.
    pub at: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Something else should stand there; what, in words.
    Expected(&'static str),
    /// A character that means nothing.
    Character(char),
    /// A name that means nothing.
    Name(String),
    /// A function that there is not.
    Function(String),
    /// A function takes another number of arguments: its name, and how many.
    Arguments(&'static str, &'static str),
    /// Operations, functions or parentheses are too deep within each other.
    Depth,
    /// It takes too many steps.
    Steps(usize),
    /// It keeps too many values at a time.
    Values,
    /// It is too long.
    Length,
}

impl ExpressionError {
    pub(super) fn new(text: &str, at: usize, problem: Problem) -> Self {
        Self { text: text.to_owned(), at, problem }
    }

    pub(super) fn steps(text: &str, steps: usize) -> Self {
        Self::new(text, 0, Problem::Steps(steps))
    }

    pub(super) fn values(text: &str) -> Self {
        Self::new(text, 0, Problem::Values)
    }
}

impl std::error::Error for ExpressionError {}

/// What is wrong, and below it the text with a mark under the place.
impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Expected(what) => write!(f, "{what} is expected")?,
            Problem::Character(c) => write!(f, "`{c}` means nothing in a formula")?,
            Problem::Name(name) => {
                let names: Vec<&str> = Variable::ALL.iter().map(|one| one.name()).collect();
                write!(f, "no name `{name}`; there are {}", names.join(", "))?;
            }
            Problem::Function(name) => {
                write!(f, "no function `{name}`; there are min, max, abs, sqrt, if")?;
            }
            Problem::Arguments(name, number) => write!(f, "`{name}` takes {number} arguments")?,
            Problem::Depth => write!(f, "the formula is deeper than {DEPTH_MAX} levels")?,
            Problem::Steps(steps) => {
                return write!(f, "the formula takes {steps} steps; at most {STEPS_MAX} are taken");
            }
            Problem::Values => {
                return write!(f, "the formula keeps more than {VALUES_MAX} values at a time");
            }
            Problem::Length => {
                let bytes = self.text.len();
                return write!(f, "a formula of {bytes} bytes; at most {BYTES_MAX} are read");
            }
        }
        let before = self.text.get(..self.at).unwrap_or(&self.text);
        write!(f, "\n  {}\n  {}^", self.text, " ".repeat(before.chars().count()))
    }
}
