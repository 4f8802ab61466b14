//! A formula as a tree, and how it is written.

use std::fmt;

use crate::expression::variable::Variable;

/// A formula or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// A number; finite and not below zero, as a minus is an operation.
    Number(f64),
    /// A fact by its name.
    Variable(Variable),
    /// What is left is subtracted from zero.
    Minus(Box<Self>),
    /// An operation on two.
    Two(Operator, Box<Self>, Box<Self>),
    /// A whole power, from 0 to [`POWER_MAX`].
    Power(Box<Self>, u8),
    /// A function of some.
    Call(Function, Vec<Self>),
}

/// The greatest exponent.
pub const POWER_MAX: u8 = 16;

/// An operation on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Function {
    Min,
    Max,
    Abs,
    Sqrt,
    If,
}

impl Operator {
    /// Every operation.
    pub const ALL: &'static [Self] = &[
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Equal,
        Self::NotEqual,
    ];

    /// How it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }

    /// How tightly it binds; higher is tighter.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Add | Self::Subtract => 2,
            Self::Multiply | Self::Divide => 3,
            _ => 1,
        }
    }
}

impl Function {
    /// Every function.
    pub const ALL: &'static [Self] = &[Self::Min, Self::Max, Self::Abs, Self::Sqrt, Self::If];

    /// How it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Abs => "abs",
            Self::Sqrt => "sqrt",
            Self::If => "if",
        }
    }

    /// How many arguments it takes at least, and at most.
    #[must_use]
    pub fn arguments(self) -> (usize, usize) {
        match self {
            Self::Min | Self::Max => (2, 16),
            Self::Abs | Self::Sqrt => (1, 1),
            Self::If => (3, 3),
        }
    }
}

impl Tree {
    /// How tightly its outermost operation binds.
    fn rank(&self) -> u8 {
        match self {
            Self::Two(operator, ..) => operator.rank(),
            Self::Minus(_) => 4,
            Self::Power(..) => 5,
            Self::Number(_) | Self::Variable(_) | Self::Call(..) => 6,
        }
    }

    /// Writes it, in parentheses where it binds less tightly than `rank`.
    fn write(&self, rank: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rank() < rank { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

/// As text without blanks, with parentheses only where they are needed.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Variable(variable) => f.write_str(variable.name()),
            Self::Minus(of) => {
                f.write_str("-")?;
                of.write(4, f)
            }
            Self::Two(operator, a, b) => {
                // Comparisons do not follow each other, and the others bind to the left.
                let rank = operator.rank();
                a.write(if rank == 1 { 2 } else { rank }, f)?;
                f.write_str(operator.sign())?;
                b.write(rank + 1, f)
            }
            Self::Power(base, power) => {
                base.write(6, f)?;
                write!(f, "^{power}")
            }
            Self::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                for (at, argument) in arguments.iter().enumerate() {
                    f.write_str(if at > 0 { "," } else { "" })?;
                    write!(f, "{argument}")?;
                }
                f.write_str(")")
            }
        }
    }
}
