//! From tokens to a tree, by recursive descent. Loosest first: comparison (at most one), sum,
//! product, minus, power, and what stands alone.

use crate::expression::fault::{ExpressionError, Problem};
use crate::expression::token::{Token, tokens};
use crate::expression::tree::{Function, Operator, POWER_MAX, Tree};
use crate::expression::variable::Variable;
use crate::expression::{BYTES_MAX, DEPTH_MAX};

/// The formula that a text writes.
pub(super) fn parse(text: &str) -> Result<Tree, ExpressionError> {
    if text.len() > BYTES_MAX {
        return Err(ExpressionError::new(text, 0, Problem::Length));
    }
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0 };
    let tree = parser.comparison()?;
    match parser.peek() {
        Token::End => Ok(tree),
        _ => Err(parser.expected("the formula's end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(_, token)| token)
    }

    fn fault(&self, problem: Problem) -> ExpressionError {
        let at = self.tokens.get(self.next).map_or(self.text.len(), |(at, _)| *at);
        ExpressionError::new(self.text, at, problem)
    }

    fn expected(&self, what: &'static str) -> ExpressionError {
        self.fault(Problem::Expected(what))
    }

    /// Takes the next token where it is this sign.
    fn takes(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Token::Sign(next) if *next == sign);
        self.next += usize::from(there);
        there
    }

    /// Takes the next token where it is an operation that binds so tightly.
    fn operator(&mut self, rank: u8) -> Option<Operator> {
        let Token::Sign(sign) = self.peek() else { return None };
        let mut all = Operator::ALL.iter().copied();
        let operator = all.find(|one| one.sign() == *sign && one.rank() == rank)?;
        self.next += 1;
        Some(operator)
    }

    /// Reads what is one level deeper.
    fn deeper(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Tree, ExpressionError>,
    ) -> Result<Tree, ExpressionError> {
        if self.depth == DEPTH_MAX {
            return Err(self.fault(Problem::Depth));
        }
        self.depth += 1;
        let tree = read(self);
        self.depth -= 1;
        tree
    }

    fn comparison(&mut self) -> Result<Tree, ExpressionError> {
        let left = self.chain(2)?;
        match self.operator(1) {
            Some(operator) => Ok(two(operator, left, self.chain(2)?)),
            None => Ok(left),
        }
    }

    /// Operations of one rank, one after the other from the left.
    fn chain(&mut self, rank: u8) -> Result<Tree, ExpressionError> {
        let part = |parser: &mut Self| match rank {
            2 => parser.chain(3),
            _ => parser.minus(),
        };
        let mut tree = part(self)?;
        while let Some(operator) = self.operator(rank) {
            tree = two(operator, tree, part(self)?);
        }
        Ok(tree)
    }

    fn minus(&mut self) -> Result<Tree, ExpressionError> {
        if self.takes("-") {
            let of = self.deeper(Self::minus)?;
            return Ok(Tree::Minus(Box::new(of)));
        }
        let base = self.alone()?;
        if !self.takes("^") {
            return Ok(base);
        }
        const WHOLE: &str = "a whole number from 0 to 16";
        match *self.peek() {
            Token::Number(power) if power.fract() == 0.0 && power <= f64::from(POWER_MAX) => {
                self.next += 1;
                Ok(Tree::Power(Box::new(base), power as u8))
            }
            _ => Err(self.expected(WHOLE)),
        }
    }

    fn alone(&mut self) -> Result<Tree, ExpressionError> {
        match self.peek().clone() {
            Token::Number(number) => {
                self.next += 1;
                Ok(Tree::Number(number))
            }
            Token::Name(name) => self.named(name),
            Token::Sign("(") => {
                self.next += 1;
                let tree = self.deeper(Self::comparison)?;
                if self.takes(")") { Ok(tree) } else { Err(self.expected(")")) }
            }
            _ => Err(self.expected("a number, a name or (")),
        }
    }

    /// A name is a function where a parenthesis follows, and a fact where not.
    fn named(&mut self, name: String) -> Result<Tree, ExpressionError> {
        let calls = self.tokens.get(self.next + 1).map(|(_, token)| token);
        if calls == Some(&Token::Sign("(")) {
            return self.call(name);
        }
        let variable = Variable::ALL.iter().find(|one| one.name() == name).copied();
        let variable = variable.ok_or_else(|| self.fault(Problem::Name(name)))?;
        self.next += 1;
        Ok(Tree::Variable(variable))
    }

    fn call(&mut self, name: String) -> Result<Tree, ExpressionError> {
        let function = Function::ALL.iter().find(|one| one.name() == name).copied();
        let function = function.ok_or_else(|| self.fault(Problem::Function(name)))?;
        let (least, most) = function.arguments();
        let told = match (least, most) {
            (1, 1) => "1",
            (3, 3) => "3",
            _ => "2 or more, up to 16,",
        };
        let wrong = self.fault(Problem::Arguments(function.name(), told));
        self.next += 2;
        let mut arguments = vec![self.deeper(Self::comparison)?];
        while self.takes(",") {
            arguments.push(self.deeper(Self::comparison)?);
        }
        if !self.takes(")") {
            return Err(self.expected(", or )"));
        }
        let fits = (least..=most).contains(&arguments.len());
        if fits { Ok(Tree::Call(function, arguments)) } else { Err(wrong) }
    }
}

fn two(operator: Operator, a: Tree, b: Tree) -> Tree {
    Tree::Two(operator, Box::new(a), Box::new(b))
}
