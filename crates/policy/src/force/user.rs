//! A force that its user wrote as a formula, chosen as `force=expr(...)`: `pull = formula`, and a
//! node claims by itself where that is above zero. Blind spot: what its user did not think of.

use crate::dice::Dice;
use crate::expression::Expression;
use crate::expression::fault::ExpressionError;
use crate::expression::variable::{Facts, Variable};
use crate::force::{Force, Ideal, Pull};
use crate::view::{NodeView, TaskView};

/// A formula as a force; the unit of its pull is what its user had in mind.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    expression: Expression,
    text: String,
}

/// What stands around a formula in a policy's text.
const AROUND: (&str, &str) = ("expr(", ")");

impl User {
    /// The force of a formula.
    ///
    /// # Errors
    /// Where the text is no formula.
    pub fn parse(formula: &str) -> Result<Self, ExpressionError> {
        let expression = Expression::parse(formula)?;
        let text = expression.to_string();
        Ok(Self { expression, text })
    }

    /// The formula in a policy's text for a force; none where the text chooses another force.
    pub(crate) fn formula_in(text: &str) -> Option<&str> {
        text.strip_prefix(AROUND.0)?.strip_suffix(AROUND.1)
    }

    /// Whether the formula has one of these names.
    fn reads(&self, some: [Variable; 2]) -> bool {
        let mut words = self.text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        words.any(|word| some.map(Variable::name).contains(&word))
    }

    fn units(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        self.expression.value(&Facts { task, node })
    }
}

impl Force for User {
    fn name(&self) -> &'static str {
        "expr"
    }

    fn text(&self) -> String {
        format!("{}{}{}", AROUND.0, self.text, AROUND.1)
    }

    fn formula(&self) -> &str {
        &self.text
    }

    fn between(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(self.units(task, node))
    }

    fn claims(&self, task: &TaskView<'_>, node: &NodeView<'_>, _dice: &mut Dice) -> bool {
        self.units(task, node) > 0.0
    }

    fn needs_graph(&self) -> bool {
        self.reads([Variable::Closeness, Variable::Fiedler])
    }

    fn sees_used(&self) -> bool {
        self.reads([Variable::CpuUsed, Variable::MemoryUsed])
    }

    fn ideal(&self) -> Ideal {
        Ideal::Unknown
    }

    fn sees_free(&self) -> bool {
        true
    }

    fn reason(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        format!("own formula, {:.3}", self.units(task, node))
    }
}

#[cfg(test)]
mod tests {
    use crate::preset;
    use crate::world::World;

    #[test]
    fn a_formula_is_a_force_in_a_policy() {
        let text = "least-loaded, force = expr( max(weight, 2) - load ), steal=half";
        let policy = preset::parse(text).expect("it is a policy");
        let shown = "binding=push,order=fifo,force=expr(max(weight,2)-load),steal=half";
        assert_eq!(policy.to_string(), shown);
        assert_eq!(policy.name, "least-loaded,force=expr(max(weight,2)-load),steal=half");
        let mut world = World::default();
        world.node("light").load(1_000);
        world.node("heavy").load(3_000);
        assert_eq!(world.pulls(policy.force.as_ref(), &world.task(1.0)), [1_000, -1_000]);
    }

    #[test]
    fn a_formula_with_a_fault_makes_no_policy() {
        let error = preset::parse("force=expr(laod)").expect_err("a name is wrong").to_string();
        assert!(error.contains("no name `laod`"), "{error}");
        let error = preset::parse("force=expr(load),quarter=1ms").expect_err("it reads none");
        assert!(error.to_string().contains("belongs to force=gravity"), "{error}");
    }
}
