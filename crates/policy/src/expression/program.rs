//! A formula as a flat program over a stack of fixed size: each step takes what it needs from the
//! top and puts its value there, so that a run allocates nothing and follows no pointers.

use crate::expression::VALUES_MAX;
use crate::expression::tree::{Function, Operator, Tree};
use crate::expression::variable::{Facts, Variable};

/// Steps in the order in which they are taken. What occurs more than once is computed once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Program(Vec<Step>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Number(f64),
    Variable(Variable),
    Minus,
    Power(u8),
    Two(Operator),
    /// An operation whose right side is a number or a fact.
    WithNumber(Operator, f64),
    WithVariable(Operator, Variable),
    Min,
    Max,
    Abs,
    Sqrt,
    If,
    /// Writes down what is on top, and puts there what was written down.
    Keep(usize),
    Kept(usize),
}

/// How many parts that occur more than once are written down; others are computed again.
const KEPT_MAX: usize = 8;

impl Program {
    /// The program of a formula that was parsed, and so is within the limit of depth.
    pub(super) fn of(tree: &Tree) -> Self {
        let mut parts = Vec::new();
        count(tree, &mut parts);
        let repeated = parts.into_iter().filter(|(_, times)| *times > 1).map(|(part, _)| part);
        let kept = repeated.take(KEPT_MAX).map(|part| (part, false)).collect();
        let mut compiler = Compiler { kept, steps: Vec::new() };
        compiler.compile(tree);
        Self(compiler.steps)
    }

    pub(super) fn steps(&self) -> usize {
        self.0.len()
    }

    /// How many values it keeps at a time, at most.
    pub(super) fn values(&self) -> usize {
        let (mut now, mut most) = (0_usize, 0);
        for step in &self.0 {
            now = match step {
                Step::Number(_) | Step::Variable(_) | Step::Kept(_) => now + 1,
                Step::Keep(_) => now,
                Step::WithNumber(..) | Step::WithVariable(..) => now,
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
        let (mut stack, mut kept) = ([0.0; VALUES_MAX], [0.0; KEPT_MAX]);
        // The top of the stack is kept beside it, so that most steps touch none of it.
        let (mut top, mut len) = (0.0, 0);
        for step in &self.0 {
            match *step {
                Step::Number(number) => {
                    stack[len % VALUES_MAX] = top;
                    (top, len) = (number, len + 1);
                }
                Step::Variable(variable) => {
                    stack[len % VALUES_MAX] = top;
                    (top, len) = (variable.of(facts), len + 1);
                }
                Step::Keep(slot) => kept[slot % KEPT_MAX] = top,
                Step::Kept(slot) => {
                    stack[len % VALUES_MAX] = top;
                    (top, len) = (kept[slot % KEPT_MAX], len + 1);
                }
                Step::WithNumber(operator, number) => top = two(operator, top, number),
                Step::WithVariable(operator, variable) => {
                    top = two(operator, top, variable.of(facts));
                }
                Step::Two(operator) => {
                    len -= 1;
                    top = two(operator, stack[len % VALUES_MAX], top);
                }
                Step::Minus => top = -top,
                Step::Power(power) => top = raised(top, power),
                Step::Abs => top = top.abs(),
                Step::Sqrt => top = if top > 0.0 { top.sqrt() } else { 0.0 },
                Step::Min => {
                    len -= 1;
                    top = stack[len % VALUES_MAX].min(top);
                }
                Step::Max => {
                    len -= 1;
                    top = stack[len % VALUES_MAX].max(top);
                }
                Step::If => {
                    len -= 2;
                    let (condition, then) =
                        (stack[len % VALUES_MAX], stack[(len + 1) % VALUES_MAX]);
                    // Neither zero nor undefined.
                    top = if condition.abs() > 0.0 { then } else { top };
                }
            }
        }
        top
    }
}

/// Counts how often each part with an operation occurs, but for what is inside a part that
/// occurred before.
fn count<'a>(tree: &'a Tree, parts: &mut Vec<(&'a Tree, usize)>) {
    if matches!(tree, Tree::Number(_) | Tree::Variable(_)) {
        return;
    }
    if let Some((_, times)) = parts.iter_mut().find(|(part, _)| *part == tree) {
        *times += 1;
        return;
    }
    parts.push((tree, 1));
    match tree {
        Tree::Number(_) | Tree::Variable(_) => {}
        Tree::Minus(of) | Tree::Power(of, _) => count(of, parts),
        Tree::Two(_, a, b) => [a, b].into_iter().for_each(|one| count(one, parts)),
        Tree::Call(_, arguments) => arguments.iter().for_each(|one| count(one, parts)),
    }
}

struct Compiler<'a> {
    /// What is written down in each slot, and whether it has been already.
    kept: Vec<(&'a Tree, bool)>,
    steps: Vec<Step>,
}

impl Compiler<'_> {
    fn compile(&mut self, tree: &Tree) {
        let slot = self.kept.iter().position(|(kept, _)| *kept == tree);
        match slot.and_then(|slot| self.kept.get_mut(slot)) {
            Some((_, true)) => self.steps.extend(slot.map(Step::Kept)),
            Some((_, written)) => {
                *written = true;
                self.compile_anew(tree);
                self.steps.extend(slot.map(Step::Keep));
            }
            None => self.compile_anew(tree),
        }
    }

    fn compile_anew(&mut self, tree: &Tree) {
        match tree {
            Tree::Number(number) => self.steps.push(Step::Number(*number)),
            Tree::Variable(variable) => self.steps.push(Step::Variable(*variable)),
            Tree::Minus(of) => {
                self.compile(of);
                self.steps.push(Step::Minus);
            }
            Tree::Two(operator, a, b) => {
                self.compile(a);
                match **b {
                    Tree::Number(number) => self.steps.push(Step::WithNumber(*operator, number)),
                    Tree::Variable(fact) => self.steps.push(Step::WithVariable(*operator, fact)),
                    _ => {
                        self.compile(b);
                        self.steps.push(Step::Two(*operator));
                    }
                }
            }
            Tree::Power(base, power) => {
                self.compile(base);
                self.steps.push(Step::Power(*power));
            }
            Tree::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    fn call(&mut self, function: Function, arguments: &[Tree]) {
        let (step, by_two) = match function {
            Function::Min => (Step::Min, true),
            Function::Max => (Step::Max, true),
            Function::Abs => (Step::Abs, false),
            Function::Sqrt => (Step::Sqrt, false),
            Function::If => (Step::If, false),
        };
        for (at, argument) in arguments.iter().enumerate() {
            self.compile(argument);
            // The least and the greatest are found two by two.
            if by_two && at > 0 {
                self.steps.push(step);
            }
        }
        if !by_two {
            self.steps.push(step);
        }
    }
}

#[inline]
pub(super) fn two(operator: Operator, a: f64, b: f64) -> f64 {
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
pub(super) fn raised(base: f64, power: u8) -> f64 {
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
