//! What the tasks of `bary map` share, and the specs that tables of inputs become.

use std::sync::Arc;

use bary_model::inputs::Inputs;
use bary_model::task::{Body, TaskSpec};
use bary_model::template::{Scope, Template};
use bary_model::weight::{Weight, WeightError};

/// What all tasks of a map share.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) body: Arc<Body>,
    pub(crate) weight: TaskWeight,
    /// Whether each input is a task of its own.
    pub(crate) distinct: bool,
    /// How many tasks are one gang; each is alone where 0.
    pub(crate) gang: u16,
}

/// How much work each task is.
#[derive(Clone, Debug)]
pub(crate) enum TaskWeight {
    /// All the same.
    Same(Weight),
    /// Read from each task's inputs.
    Of(Template),
}

/// Why there is no weight. Nothing was submitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum RecipeError {
    #[error("the weight `{text}` of input {number} is not a number")]
    NoNumber { text: String, number: u64 },
    #[error("input {number}: {cause}")]
    Weight { number: u64, cause: WeightError },
}

impl TaskWeight {
    /// Reads the text of a flag: a number, or a text with placeholders.
    pub(crate) fn parse(template: Template) -> Result<Self, RecipeError> {
        match template.literal_bytes() {
            Some(text) => Ok(Self::Same(weight(text, 1)?)),
            None => Ok(Self::Of(template)),
        }
    }
}

fn weight(text: &[u8], number: u64) -> Result<Weight, RecipeError> {
    let text = String::from_utf8_lossy(text);
    let wrong = || RecipeError::NoNumber { text: text.clone().into_owned(), number };
    let units: f64 = text.trim().parse().map_err(|_| wrong())?;
    Weight::new(units).map_err(|cause| RecipeError::Weight { number, cause })
}

impl Recipe {
    /// The specs of a table, whose first row has so many before it: one array, or one spec a row.
    pub(crate) fn specs(
        &self,
        inputs: &Inputs,
        before: u64,
    ) -> Result<Arc<[Arc<TaskSpec>]>, RecipeError> {
        self.specs_from(inputs, 0, before)
    }

    /// The same of the rows from `first` on; those before it count all the same.
    pub(crate) fn specs_from(
        &self,
        inputs: &Inputs,
        first: u64,
        before: u64,
    ) -> Result<Arc<[Arc<TaskSpec>]>, RecipeError> {
        let rows = inputs.rows();
        if let (TaskWeight::Same(weight), false) = (&self.weight, self.distinct) {
            let count = u32::try_from(rows - first).unwrap_or(u32::MAX);
            return Ok([self.spec(inputs, before, first, count, *weight)].into());
        }
        let each = (first..rows).map(|row| {
            let weight = match &self.weight {
                TaskWeight::Same(weight) => *weight,
                TaskWeight::Of(template) => {
                    let number = before + row + 1;
                    let row = inputs.row(row);
                    let scope =
                        Scope { row, index: number - 1, sequence: number, ..Scope::default() };
                    weight(&template.expand(&scope), number)?
                }
            };
            Ok(self.spec(inputs, before, row, 1, weight))
        });
        each.collect()
    }

    fn spec(
        &self,
        inputs: &Inputs,
        before: u64,
        row: u64,
        count: u32,
        weight: Weight,
    ) -> Arc<TaskSpec> {
        Arc::new(TaskSpec {
            inputs: inputs.clone(),
            first_row: row,
            rows_before: before,
            count,
            array: !self.distinct,
            weight,
            gang: self.gang,
            ..TaskSpec::new(Arc::clone(&self.body))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bary_model::action::Action;
    use bary_model::inputs::lines::Lines;
    use bary_model::template::parse::Dialect;

    fn recipe(weight: &str) -> Result<Recipe, RecipeError> {
        let template = Template::parse(weight.as_bytes(), Dialect::Loose, &mut |_| None);
        let weight = TaskWeight::parse(template.expect("the loose dialect refuses nothing"))?;
        let body = Arc::new(Body::new(Action::Command { argv: Vec::new() }));
        Ok(Recipe { body, weight, distinct: false, gang: 0 })
    }

    #[test]
    fn a_weight_with_a_placeholder_makes_distinct_tasks() {
        let inputs = Inputs::lines(Lines::from_iter(["2", "0.5"])).expect("there are two");
        let specs =
            recipe("{}").and_then(|recipe| recipe.specs(&inputs, 0)).expect("both are good");
        let weights: Vec<u64> = specs.iter().map(|spec| spec.weight.thousandths()).collect();
        assert_eq!(weights, [2_000, 500]);
        assert_eq!(specs[1].first_row, 1);
        let one = recipe("3").and_then(|recipe| recipe.specs(&inputs, 7)).expect("it is good");
        assert_eq!((one.len(), one[0].count, one[0].rows_before), (1, 2, 7));
    }

    #[test]
    fn a_bad_weight_names_its_input() {
        let inputs = Inputs::lines(Lines::from_iter(["1", "heavy"])).expect("there are two");
        let error = recipe("{}").and_then(|recipe| recipe.specs(&inputs, 10));
        let error = error.expect_err("the second is no number").to_string();
        assert_eq!(error, "the weight `heavy` of input 12 is not a number");
        assert!(recipe("nan").is_err() && recipe("0").is_err() && recipe("-1").is_err());
    }
}
