//! Reduction of results: one JSON value out of many. Sums and averages go key by key through
//! objects and index by index through arrays, so word counts and matrices reduce as numbers do.

use serde_json::{Map, Number, Value};

/// What many results become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Added up.
    Sum,
    /// The weighted mean.
    Average,
    /// The greatest.
    Max,
    /// The least.
    Min,
    /// One after the other: arrays are joined, other values become an array.
    Concat,
}

/// Why results cannot be reduced. Nothing is changed; the job's author changes one or the other.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReduceError {
    /// There is no such reduction.
    #[error("there is no reduction `{0}`; use SUM, AVERAGE, MAX, MIN or CONCAT")]
    Unknown(Box<str>),
    /// A numeric reduction met something else.
    #[error("result {index} is not a number, or an object or array of numbers: {text}")]
    NotNumeric {
        /// Which result, counted from 0 among those reduced.
        index: usize,
        /// The beginning of its text.
        text: Box<str>,
    },
    /// Two results differ in form.
    #[error("result {index} does not have the form of those before it")]
    Unlike {
        /// Which result.
        index: usize,
    },
    /// There are no results.
    #[error("there are no results to reduce")]
    Empty,
    /// The weights do not fit.
    #[error("{weights} weights for {results} results; each needs one, none below 0, not all 0")]
    Weights {
        /// How many weights there are.
        weights: usize,
        /// How many results.
        results: usize,
    },
}

impl Reduction {
    /// The reduction of this name, in upper or lower case.
    ///
    /// # Errors
    /// Where there is none.
    pub fn parse(name: &str) -> Result<Self, ReduceError> {
        match name.to_ascii_uppercase().as_str() {
            "SUM" => Ok(Self::Sum),
            "AVERAGE" => Ok(Self::Average),
            "MAX" => Ok(Self::Max),
            "MIN" => Ok(Self::Min),
            "CONCAT" => Ok(Self::Concat),
            _ => Err(ReduceError::Unknown(name.into())),
        }
    }

    /// Reduces results in the order given. Weights count for averages only; where there are
    /// none, each result weighs 1.
    ///
    /// # Errors
    /// Where there are no results, a numeric reduction meets text, forms differ or weights do not
    /// fit.
    pub fn reduce(self, results: &[Value], weights: Option<&[f64]>) -> Result<Value, ReduceError> {
        if self == Self::Concat {
            return Ok(concat(results));
        }
        let weights = match weights {
            Some(weights) => checked(weights, results.len())?.to_vec(),
            None => vec![1.0; results.len()],
        };
        let mut all = results.iter().zip(&weights).enumerate();
        let (_, (first, weight)) = all.next().ok_or(ReduceError::Empty)?;
        let mut sum = self.begin(first, *weight).ok_or_else(|| not_numeric(0, first))?;
        for (index, (value, weight)) in all {
            let next = self.begin(value, *weight).ok_or_else(|| not_numeric(index, value))?;
            sum = self.join(sum, next).ok_or(ReduceError::Unlike { index })?;
        }
        let total: f64 = weights.iter().sum();
        Ok(if self == Self::Average { map(&sum, &|n| n.over(total)) } else { map(&sum, &|n| n) })
    }

    fn begin(self, value: &Value, weight: f64) -> Option<Tree> {
        let tree = Tree::of(value)?;
        Some(if self == Self::Average { tree.scale(weight) } else { tree })
    }

    fn join(self, a: Tree, b: Tree) -> Option<Tree> {
        match (a, b) {
            (Tree::Leaf(a), Tree::Leaf(b)) => Some(Tree::Leaf(match self {
                Self::Max => a.max(b),
                Self::Min => a.min(b),
                _ => a.plus(b),
            })),
            (Tree::List(a), Tree::List(b)) if a.len() == b.len() => {
                let pairs = a.into_iter().zip(b);
                pairs.map(|(a, b)| self.join(a, b)).collect::<Option<_>>().map(Tree::List)
            }
            (Tree::Map(mut a), Tree::Map(b)) => {
                for (key, value) in b {
                    let joined = match a.remove(&key) {
                        Some(before) => self.join(before, value)?,
                        None => value,
                    };
                    a.insert(key, joined);
                }
                Some(Tree::Map(a))
            }
            _ => None,
        }
    }
}

/// A JSON value of which every leaf is a number.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Leaf(Sum),
    List(Vec<Self>),
    Map(std::collections::BTreeMap<String, Self>),
}

impl Tree {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number
                .as_i64()
                .map(|n| Self::Leaf(Sum::Whole(n.into())))
                .or_else(|| number.as_f64().map(|n| Self::Leaf(Sum::Real(n, 0.0)))),
            Value::Bool(bool) => Some(Self::Leaf(Sum::Whole((*bool).into()))),
            Value::Array(list) => list.iter().map(Self::of).collect::<Option<_>>().map(Self::List),
            Value::Object(map) => {
                let pairs = map.iter().map(|(key, value)| Some((key.clone(), Self::of(value)?)));
                pairs.collect::<Option<_>>().map(Self::Map)
            }
            Value::Null | Value::String(_) => None,
        }
    }

    fn scale(self, by: f64) -> Self {
        match self {
            Self::Leaf(sum) => Self::Leaf(Sum::Real(sum.value() * by, 0.0)),
            Self::List(list) => Self::List(list.into_iter().map(|tree| tree.scale(by)).collect()),
            Self::Map(map) => {
                Self::Map(map.into_iter().map(|(key, tree)| (key, tree.scale(by))).collect())
            }
        }
    }
}

/// A sum: exact for whole numbers, with a correction term for others (Neumaier, 1974).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sum {
    Whole(i128),
    Real(f64, f64),
}

impl Sum {
    fn value(self) -> f64 {
        match self {
            Self::Whole(n) => n as f64,
            Self::Real(sum, lost) => sum + lost,
        }
    }

    fn plus(self, other: Self) -> Self {
        if let (Self::Whole(a), Self::Whole(b)) = (self, other) {
            return Self::Whole(a.saturating_add(b));
        }
        let (sum, lost) = self.parts();
        let add = other.value();
        let total = sum + add;
        let low = if sum.abs() >= add.abs() { (sum - total) + add } else { (add - total) + sum };
        Self::Real(total, lost + low)
    }

    fn parts(self) -> (f64, f64) {
        match self {
            Self::Whole(n) => (n as f64, 0.0),
            Self::Real(sum, lost) => (sum, lost),
        }
    }

    fn over(self, total: f64) -> Self {
        Self::Real(self.value() / total, 0.0)
    }

    fn max(self, other: Self) -> Self {
        if other.value() > self.value() { other } else { self }
    }

    fn min(self, other: Self) -> Self {
        if other.value() < self.value() { other } else { self }
    }

    fn json(self) -> Value {
        match self {
            Self::Whole(n) => i64::try_from(n).map_or_else(|_| real(n as f64), Value::from),
            Self::Real(..) => real(self.value()),
        }
    }
}

fn real(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn map(tree: &Tree, finish: &impl Fn(Sum) -> Sum) -> Value {
    match tree {
        Tree::Leaf(sum) => finish(*sum).json(),
        Tree::List(list) => list.iter().map(|tree| map(tree, finish)).collect(),
        Tree::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, tree)| (key.clone(), map(tree, finish)));
            Value::Object(pairs.collect::<Map<String, Value>>())
        }
    }
}

fn concat(results: &[Value]) -> Value {
    let mut all = Vec::new();
    for value in results {
        match value {
            Value::Array(list) => all.extend(list.iter().cloned()),
            other => all.push(other.clone()),
        }
    }
    Value::Array(all)
}

fn checked(weights: &[f64], results: usize) -> Result<&[f64], ReduceError> {
    let each = weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0);
    let good = weights.len() == results && each && weights.iter().sum::<f64>() > 0.0;
    if good { Ok(weights) } else { Err(ReduceError::Weights { weights: weights.len(), results }) }
}

fn not_numeric(index: usize, value: &Value) -> ReduceError {
    let text: String = value.to_string().chars().take(40).collect();
    ReduceError::NotNumeric { index, text: text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn word_counts_add_up_key_by_key() {
        let counts = [json!({"a": 1, "b": 2}), json!({"b": 3, "c": 4})];
        let sum = Reduction::Sum.reduce(&counts, None);
        assert_eq!(sum, Ok(json!({"a": 1, "b": 5, "c": 4})));
    }

    #[test]
    fn an_average_is_weighted_by_what_is_given() {
        let values = [json!(3.0), json!(4.0)];
        assert_eq!(Reduction::Average.reduce(&values, Some(&[1.0, 3.0])), Ok(json!(3.75)));
        assert_eq!(Reduction::Average.reduce(&values, None), Ok(json!(3.5)));
        let fault = ReduceError::Weights { weights: 1, results: 2 };
        assert_eq!(Reduction::Average.reduce(&values, Some(&[1.0])), Err(fault));
        assert_eq!(Reduction::Average.reduce(&values, Some(&[0.0, 2.0])), Ok(json!(4.0)));
        for bad in [[0.0, 0.0], [-1.0, 2.0], [f64::NAN, 1.0]] {
            let refused = Reduction::Average.reduce(&values, Some(&bad));
            assert_eq!(refused, Err(ReduceError::Weights { weights: 2, results: 2 }), "{bad:?}");
        }
    }

    #[test]
    fn small_terms_are_not_lost_beside_large_ones() {
        let values = [json!(1e16), json!(1.0), json!(-1e16)];
        assert_eq!(Reduction::Sum.reduce(&values, None), Ok(json!(1.0)));
    }

    #[test]
    fn text_is_no_number_and_forms_must_agree() {
        let text = Reduction::Max.reduce(&[json!(1), json!("x")], None);
        assert!(matches!(text, Err(ReduceError::NotNumeric { index: 1, .. })));
        let forms = Reduction::Sum.reduce(&[json!([1]), json!([1, 2])], None);
        assert_eq!(forms, Err(ReduceError::Unlike { index: 1 }));
        assert_eq!(Reduction::Min.reduce(&[], None), Err(ReduceError::Empty));
        assert_eq!(Reduction::Min.reduce(&[json!(3), json!(2)], None), Ok(json!(2)));
        assert_eq!(Reduction::Concat.reduce(&[json!([1]), json!(2)], None), Ok(json!([1, 2])));
    }
}
