//! A formula that a user writes, such as `mean_load - load + weight * capacity`: read, checked, and
//! compiled to a flat program before it is used. It has numbers, names, `+ - * /`, `^` with a whole
//! number, comparisons that are 1 or 0, `min`, `max`, `abs`, `sqrt` and `if(condition, then, else)`.
//! It is total: what is divided by zero is 0, and so is the root of what is below it.

pub mod fault;
mod parse;
mod program;
mod token;
pub mod tree;
pub mod variable;

use std::fmt;

use crate::expression::fault::ExpressionError;
use crate::expression::program::Program;
use crate::expression::tree::Tree;
use crate::expression::variable::Facts;

/// The longest formula that is read, in bytes.
pub const BYTES_MAX: usize = 1_000;
/// How deep operations, functions and parentheses may be within each other.
pub const DEPTH_MAX: usize = 24;
/// How many steps a formula may take.
pub const STEPS_MAX: usize = 256;

/// How many values a formula may keep at a time while it is computed.
pub const VALUES_MAX: usize = 32;

/// A formula that is ready for use.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    tree: Tree,
    program: Program,
}

impl Expression {
    /// The formula that `text` writes.
    ///
    /// # Errors
    /// Where it is none, names what there is not, or is past a limit; the error points at the
    /// place.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let tree = parse::parse(text)?;
        let program = Program::of(&tree);
        if program.steps() > STEPS_MAX {
            return Err(ExpressionError::steps(text, program.steps()));
        }
        if program.values() > VALUES_MAX {
            return Err(ExpressionError::values(text));
        }
        Ok(Self { tree, program })
    }

    /// What it comes to; never NaN.
    #[must_use]
    pub fn value(&self, facts: &Facts<'_>) -> f64 {
        let value = self.program.run(facts);
        if value.is_nan() { 0.0 } else { value }
    }
}

/// The formula as a text that parses to the same one.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tree.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::tree::{Function, Operator};
    use crate::expression::variable::Variable;
    use crate::force::user::User;
    use crate::world::World;
    use bary_model::time::Span;
    use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};
    use proptest::sample::select;

    /// What a formula comes to for a task of weight 2 and a node with a load of 3.
    fn value(text: &str) -> f64 {
        let mut world = World::default();
        world.node("a").load(3_000);
        let (task, node) = (world.task(2.0), world.view(0));
        let facts = Facts { task: &task, node: &node };
        Expression::parse(text).expect("it is a formula").value(&facts)
    }

    fn fault(text: &str) -> String {
        Expression::parse(text).expect_err("it is no formula").to_string()
    }

    #[test]
    fn formulas_are_computed_as_written() {
        let values = [
            ("1+2*3-4/8", 6.5),
            ("-2^2", -4.0),
            ("(-2)^2", 4.0),
            ("2^0", 1.0),
            ("10-4-3", 3.0),
            ("16/4/2", 2.0),
            ("load*weight", 6.0),
            ("min(3,1,2)+max(1,5)", 6.0),
            ("abs(-3)+sqrt(16)", 7.0),
            ("if(load>weight,10,20)", 10.0),
            ("(1<2)+(2<=2)+(3>4)+(4>=5)+(1==1)+(1!=1)", 3.0),
            ("1.5e3", 1_500.0),
            ("- - 1", 1.0),
        ];
        for (text, expected) in values {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_is_undefined() {
        assert_eq!(["1/0", "0/0", "sqrt(-1)", "1/(load-3)"].map(value), [0.0; 4]);
        assert_eq!(value("1e300*1e300-1e300*1e300"), 0.0);
        assert_eq!(value("if(1e300*1e300-1e300*1e300,1,2)"), 2.0);
    }

    #[test]
    fn a_fault_points_at_its_place() {
        let told = fault("load + laod * 2");
        assert!(told.contains("no name `laod`") && told.contains("mean_load"), "{told}");
        assert!(told.ends_with("\n  load + laod * 2\n         ^"), "{told}");
        assert!(fault("load +").contains("a number, a name or ( is expected"));
        assert!(fault("2^load").contains("a whole number from 0 to 16"));
        assert!(fault("min(1)").contains("`min` takes 2 or more"));
        assert!(fault("if(1,2)").contains("`if` takes 3"));
        assert!(fault("(1").contains(") is expected"));
        assert!(fault("1 2").contains("the formula's end is expected"));
        assert!(fault("load # 2").contains("`#` means nothing"));
        assert!(fault("sin(1)").contains("no function `sin`"));
        assert!(fault("1 < 2 < 3").contains("the formula's end is expected"));
        assert!(fault("").contains("is expected"));
    }

    #[test]
    fn what_is_past_a_limit_is_refused() {
        assert!(fault(&"1+".repeat(600)).contains("at most 1000 are read"));
        let deep = format!("{}1{}", "(".repeat(100), ")".repeat(100));
        assert!(fault(&deep).contains("deeper than 24"));
        assert!(fault(&format!("{}1", "-".repeat(100))).contains("deeper than 24"));
        assert!(fault(&format!("1{}", "+1".repeat(300))).contains("steps"));
    }

    fn trees() -> impl Strategy<Value = Tree> {
        let leaf = prop::strategy::Union::new([
            (0.0..1e9_f64).prop_map(Tree::Number).boxed(),
            select(vec![0.0, 1.0, 2.0, 0.5]).prop_map(Tree::Number).boxed(),
            select(Variable::ALL).prop_map(Tree::Variable).boxed(),
        ]);
        leaf.prop_recursive(5, 40, 3, |inner| {
            let some = prop::collection::vec(inner.clone(), 3);
            prop::strategy::Union::new([
                (select(Operator::ALL), inner.clone(), inner.clone())
                    .prop_map(|(operator, a, b)| Tree::Two(operator, Box::new(a), Box::new(b)))
                    .boxed(),
                (select(Function::ALL), some)
                    .prop_map(|(function, mut arguments)| {
                        arguments.truncate(function.arguments().0);
                        Tree::Call(function, arguments)
                    })
                    .boxed(),
                (inner.clone(), 0..=16_u8)
                    .prop_map(|(base, power)| Tree::Power(Box::new(base), power))
                    .boxed(),
                inner.prop_map(|of| Tree::Minus(Box::new(of))).boxed(),
            ])
        })
    }

    /// A formula for a built-in force, and how it is called.
    const ALIKE: [(&str, &str); 4] = [
        ("round-robin", "-granted"),
        ("least-loaded", "-(load+weight)/power*1000000"),
        ("pids-classic", "-load*weight/(1+1)^2"),
        (
            "gravity",
            "if(mean_load-load+weight*capacity>0,\
             (mean_load-load+weight*capacity)/(1+round_trip_ms+50*(1-same_region))^2,\
             (mean_load-load+weight*capacity)*(1+round_trip_ms+50*(1-same_region))^2)",
        ),
    ];

    /// What a tree means, computed from the tree itself.
    fn meaning(tree: &Tree, facts: &Facts<'_>) -> f64 {
        let of = |tree: &Tree| meaning(tree, facts);
        match tree {
            Tree::Number(number) => *number,
            Tree::Variable(variable) => variable.of(facts),
            Tree::Minus(one) => -of(one),
            Tree::Two(operator, a, b) => program::two(*operator, of(a), of(b)),
            Tree::Power(base, power) => program::raised(of(base), *power),
            Tree::Call(Function::Abs, args) => of(&args[0]).abs(),
            Tree::Call(Function::Sqrt, args) => {
                let square = of(&args[0]);
                if square > 0.0 { square.sqrt() } else { 0.0 }
            }
            Tree::Call(Function::If, args) => {
                let holds = of(&args[0]).abs() > 0.0;
                of(if holds { &args[1] } else { &args[2] })
            }
            Tree::Call(Function::Min, args) => args.iter().map(of).reduce(f64::min).unwrap_or(0.0),
            Tree::Call(Function::Max, args) => args.iter().map(of).reduce(f64::max).unwrap_or(0.0),
        }
    }

    proptest! {
        #[test]
        fn a_program_gives_what_its_formula_means(tree in trees(), load in 0..1_000_000_u64) {
            let mut world = World::default();
            world.node("a").load(load).tasks(3);
            let (task, node) = (world.task(2.0), world.view(0));
            let facts = Facts { task: &task, node: &node };
            // Said twice, so that parts occur more than once.
            let twice = Tree::Two(Operator::Add, Box::new(tree.clone()), Box::new(tree));
            if let Ok(expression) = Expression::parse(&twice.to_string()) {
                let meant = meaning(&twice, &facts);
                let meant = if meant.is_nan() { 0.0 } else { meant };
                prop_assert_eq!(expression.value(&facts).to_bits(), meant.to_bits());
            }
        }

        #[test]
        fn a_formula_equal_to_a_force_gives_equal_pulls(
            load in 0..1_000_000_000_u64,
            other in 0..1_000_000_000_u64,
            granted in 0..1_000_000_u64,
            weight in 0.001..1e6,
            power in 0.01..1e4,
            round_trip in 0..1_000_000_000_u64,
            abroad in any::<bool>(),
        ) {
            let mut world = World::default();
            let node = world.node("a").load(load).granted(granted).power(power);
            node.round_trip(Span(round_trip)).region("eu");
            world.node("b").load(other);
            let region = if abroad { "us" } else { "eu" };
            for (name, formula) in ALIKE {
                // The classic rule reads a distance only between regions.
                world.request.region = (name != "pids-classic").then(|| region.into());
                let built_in = crate::force::named(name, &Default::default());
                let built_in = built_in.expect("it is there");
                let user = User::parse(formula).expect("it is a formula");
                let task = world.task(weight);
                let expected = world.pulls(built_in.as_ref(), &task)[0];
                let found = world.pulls(&user, &task)[0];
                // The last bit of a quotient may fall to the other side of a half.
                let near = expected.unsigned_abs() / 1_000_000_000_000 + 1;
                prop_assert!(expected.abs_diff(found) <= near, "{name}: {expected} {found}");
            }
        }

        #[test]
        fn a_formula_parses_from_what_it_shows(tree in trees()) {
            let shown = tree.to_string();
            match Expression::parse(&shown) {
                Ok(parsed) => {
                    prop_assert_eq!(parsed.to_string(), shown);
                    let program = Program::of(&tree);
                    prop_assert_eq!(parsed.program, program, "it means the same");
                }
                // Past a limit it is refused, and nothing else is.
                Err(error) => {
                    let told = error.to_string();
                    let limits = ["steps", "deeper", "are read", "values"];
                    prop_assert!(limits.iter().any(|limit| told.contains(limit)), "{told}");
                }
            }
        }

        #[test]
        fn whatever_is_written_never_panics(text in "[-+*/^()<>=!,. a-z_0-9]{0,60}") {
            if let Ok(expression) = Expression::parse(&text) {
                let mut world = World::default();
                world.node("a");
                let (task, node) = (world.task(1.0), world.view(0));
                let value = expression.value(&Facts { task: &task, node: &node });
                prop_assert!(!value.is_nan());
            }
        }

        #[test]
        fn a_formula_is_never_undefined(tree in trees(), load: u64, weight in 0.001..1e6) {
            let mut world = World::default();
            world.node("a").load(load).power(0.0);
            let (task, node) = (world.task(weight), world.view(0));
            let facts = Facts { task: &task, node: &node };
            if let Ok(expression) = Expression::parse(&tree.to_string()) {
                prop_assert!(!expression.value(&facts).is_nan());
            }
        }
    }
}
