//! The keys of a job file. This one table is what files are checked against and what the
//! reference page and the JSON schema are made from.

use crate::keys::task::TASK;

pub mod parts;
pub mod task;

/// One key of a table.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// Whether its table is incomplete without it.
    pub required: bool,
    /// Whether it may stand at the top of the file as well, as a default for every task.
    pub inherits: bool,
    /// What holds where it is absent, in words; empty where nothing does.
    pub default: &'static str,
    /// What it is for, in one or two sentences.
    pub doc: &'static str,
    /// A line of TOML.
    pub example: &'static str,
}

/// What a value looks like.
#[derive(Debug)]
pub enum Shape {
    /// A string, with the placeholders that its doc names.
    Text,
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number between two bounds, both included.
    Integer(i64, i64),
    /// A number between two bounds, both included.
    Number(f64, f64),
    /// A length of time: text such as `1h30m`, or a number of seconds.
    Time {
        /// Whether no time at all is allowed.
        zero: bool,
    },
    /// An amount of memory: text such as `4GiB`, or a number of bytes; more than zero.
    Size,
    /// An array of values of one shape.
    List(&'static Self),
    /// A table from free names to values of one shape.
    Map(&'static Self),
    /// A table of known keys.
    Record(&'static [Key]),
    /// Any one of these, told apart by their type.
    Either(&'static [Self]),
    /// Any value.
    Any,
}

/// A key that need not be there, without an example.
#[must_use]
pub const fn key(
    name: &'static str,
    shape: Shape,
    default: &'static str,
    doc: &'static str,
) -> Key {
    Key { name, shape, required: false, inherits: false, default, doc, example: "" }
}

impl Key {
    /// Whether it may stand at the top of a file, as a default for every task.
    #[must_use]
    pub const fn top(&self) -> bool {
        self.inherits
    }

    /// The same with a line of TOML that sets it.
    #[must_use]
    pub const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }

    /// The same where its table is incomplete without it.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(crate) const fn inherits(self) -> Self {
        Self { inherits: true, ..self }
    }
}

/// The keys at the top of a file; those of a task that are inherited may stand there too.
pub static TOP: [Key; 5] = [
    key("name", Shape::Text, "the name of the file", "The name of the job, for people.")
        .example("name = \"wordcount\""),
    key(
        "deadline",
        Shape::Time { zero: false },
        "none",
        "By when the job should have ended, counted from its submission. The order \
         `deadline` starts what is due first; nothing is ended that is late.",
    )
    .example("deadline = \"2h\""),
    key(
        "copies",
        Shape::Integer(1, 255),
        "1",
        "At how many members of a cluster results over 256 bytes are kept: 1 is where they were \
         made, 2 the job's home as well, more are others, the nearest first.",
    )
    .example("copies = 2"),
    key(
        "params",
        Shape::Map(&Shape::Either(&[
            Shape::Text,
            Shape::Flag,
            Shape::Integer(i64::MIN, i64::MAX),
            Shape::Number(f64::MIN, f64::MAX),
        ])),
        "",
        "Values that `{name}` stands for in any text of the file. `--set name=value` \
         gives another.",
    )
    .example("params = { n = 1000, dir = \".\" }"),
    key("task", Shape::List(&Shape::Record(&TASK)), "", "The tasks, each under `[[task]]`.")
        .example("[[task]]"),
];

impl Shape {
    /// The shape in words, after "expected".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Text => "a string".into(),
            Self::Choice(names) => names.join(", "),
            Self::Flag => "true or false".into(),
            Self::Integer(i64::MIN, i64::MAX) => "a whole number".into(),
            Self::Integer(least, i64::MAX) => format!("a whole number, at least {least}"),
            Self::Integer(least, most) => format!("a whole number from {least} to {most}"),
            Self::Number(f64::MIN, f64::MAX) => "a number".into(),
            Self::Number(least, f64::MAX) => format!("a number, at least {least}"),
            Self::Number(least, most) => format!("a number from {least} to {most}"),
            Self::Time { zero: true } => "a time such as \"1h30m\", or seconds".into(),
            Self::Time { zero: false } => "a time such as \"1h30m\", or seconds, not zero".into(),
            Self::Size => "a size such as \"4GiB\", or bytes, not zero".into(),
            Self::List(of) => format!("an array (each: {})", of.words()),
            Self::Map(of) => format!("a table (each value: {})", of.words()),
            Self::Record(keys) if keys.len() > 8 => "a table".into(),
            Self::Record(keys) => {
                let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
                format!("a table with {}", names.join(", "))
            }
            Self::Either(shapes) => {
                shapes.iter().map(Self::words).collect::<Vec<_>>().join(", or ")
            }
            Self::Any => "any value".into(),
        }
    }
}
