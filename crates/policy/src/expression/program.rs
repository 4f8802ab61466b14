//! A formula as a flat program over a stack of fixed size: each step takes what it needs from the
//! top and puts its value there, so that a run allocates nothing and follows no pointers.

use crate::expression::VALUES_MAX;
use crate::expression::tree::{Function, Operator, Tree};
use crate::expression::variable::{Facts, Variable};

/// Steps in the order in which they are taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Program(Vec<Step>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Number(f64),
    Variable(Variable),
    Minus,
    Power(u8),
    Two(Operator),
    Min,
    Max,
    Abs,
    Sqrt,
    If,
}

impl Program {
    /// The program of a formula that was parsed, and so is within the limit of depth.
    pub(super) fn of(tree: &Tree) -> Self {
        let mut steps = Vec::new();
        compile(tree, &mut steps);
        Self(steps)
    }

    pub(super) fn steps(&self) -> usize {
        self.0.len()
    }

    /// How many values it keeps at a time, at most.
    pub(super) fn values(&self) -> usize {
        let (mut now, mut most) = (0_usize, 0);
        for step in &self.0 {
            now = match step {
                Step::Number(_) | Step::Variable(_) => now + 1,
                Step::Minus | Step::Power(_) | Step::Abs | Step::Sqrt => now,
                Step::Two(_) | Step::Min | Step::Max => now - 1,
                Step::If => now - 2,
            };
            most = most.max(now);
        }
        most
    }

    /// What it comes to; the caller has seen that it keeps no more values than it may.
    pub(super) fn run(&self, facts: &Facts<'_>) -> f64 {
        let mut stack = [0.0; VALUES_MAX];
        // The top of the stack is kept beside it, so that most steps touch one value of it.
        let (mut top, mut len) = (0.0, 0);
        for step in &self.0 {
            match *step {
                Step::Number(_) | Step::Variable(_) => {
                    stack[len] = top;
                    len += 1;
                    top = match *step {
                        Step::Number(number) => number,
                        Step::Variable(variable) => variable.of(facts),
                        _ => 0.0,
                    };
                }
                Step::Minus => top = -top,
                Step::Power(power) => top = raised(top, power),
                Step::Abs => top = top.abs(),
                Step::Sqrt => top = if top > 0.0 { top.sqrt() } else { 0.0 },
                Step::Two(operator) => {
                    len -= 1;
                    top = two(operator, stack[len], top);
                }
                Step::Min => {
                    len -= 1;
                    top = stack[len].min(top);
                }
                Step::Max => {
                    len -= 1;
                    top = stack[len].max(top);
                }
                Step::If => {
                    len -= 2;
                    // Neither zero nor undefined.
                    top = if stack[len].abs() > 0.0 { stack[len + 1] } else { top };
                }
            }
        }
        top
    }
}

fn compile(tree: &Tree, steps: &mut Vec<Step>) {
    match tree {
        Tree::Number(number) => steps.push(Step::Number(*number)),
        Tree::Variable(variable) => steps.push(Step::Variable(*variable)),
        Tree::Minus(of) => {
            compile(of, steps);
            steps.push(Step::Minus);
        }
        Tree::Two(operator, a, b) => {
            compile(a, steps);
            compile(b, steps);
            steps.push(Step::Two(*operator));
        }
        Tree::Power(base, power) => {
            compile(base, steps);
            steps.push(Step::Power(*power));
        }
        Tree::Call(function, arguments) => {
            let step = match function {
                Function::Min => Step::Min,
                Function::Max => Step::Max,
                Function::Abs => Step::Abs,
                Function::Sqrt => Step::Sqrt,
                Function::If => Step::If,
            };
            for (at, argument) in arguments.iter().enumerate() {
                compile(argument, steps);
                // The least and the greatest are found two by two.
                if at > 0 && matches!(function, Function::Min | Function::Max) {
                    steps.push(step);
                }
            }
            if !matches!(function, Function::Min | Function::Max) {
                steps.push(step);
            }
        }
    }
}

fn two(operator: Operator, a: f64, b: f64) -> f64 {
    let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
    match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => {
            if b == 0.0 {
                0.0
            } else {
                a / b
            }
        }
        Operator::Less => truth(a < b),
        Operator::LessOrEqual => truth(a <= b),
        Operator::Greater => truth(a > b),
        Operator::GreaterOrEqual => truth(a >= b),
        Operator::Equal => truth(a == b),
        Operator::NotEqual => truth(a != b),
    }
}

/// A whole power by products alone, whose bits are the same everywhere.
fn raised(base: f64, power: u8) -> f64 {
    if power == 2 {
        return base * base;
    }
    let (mut product, mut square, mut left) = (1.0, base, power);
    while left > 0 {
        if left % 2 == 1 {
            product *= square;
        }
        square *= square;
        left /= 2;
    }
    product
}
