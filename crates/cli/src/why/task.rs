//! Which task is meant: `NAME`, `NAME[INDEX]`, or its number from 1.

use bary_jobfile::suggest;
use serde_json::Value;

/// A task by the number of its spec and its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) spec: u64,
    pub(crate) index: u64,
}

/// Why no task is meant. The user names another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TaskError {
    #[error("no task is called `{name}`")]
    Unknown { name: String, near: Option<String> },
    #[error("`{name}` has no index {index}")]
    Index { name: String, index: i64 },
}

impl Place {
    /// Whether it is in a range as events tell it: spec, first index, count.
    pub(crate) fn is_in(self, range: &Value) -> bool {
        let part = |n: usize| range[n].as_u64();
        let (Some(spec), Some(first), Some(count)) = (part(0), part(1), part(2)) else {
            return false;
        };
        spec == self.spec && (first..first + count).contains(&self.index)
    }
}

/// What a text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Task(Place),
    /// All tasks of the array that is the spec of this number.
    Array(u64),
}

/// The index of a task that people see.
pub(crate) fn shown_index(spec: &Value, at: u64) -> i64 {
    let (first, step) = numbering(spec);
    i64::try_from(at).unwrap_or(i64::MAX).saturating_mul(step).saturating_add(first)
}

fn numbering(spec: &Value) -> (i64, i64) {
    (spec["first_index"].as_i64().unwrap_or(0), spec["index_step"].as_i64().unwrap_or(1))
}

/// Finds the task or array that a text means among all specs of a run.
pub(crate) fn find(text: &str, specs: &[Value]) -> Result<Found, TaskError> {
    let (name, index) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        Some((name, index)) => (name, index.replace('_', "").parse::<i64>().ok()),
        None => (text, None),
    };
    if let Some(spec) = specs.iter().find(|spec| spec["name"] == name && !name.is_empty()) {
        return indexed(name, index, spec);
    }
    let number = text.replace('_', "").parse::<u64>().ok();
    let numbered = number.and_then(|number| {
        let before = |spec: &&Value| spec["number"].as_u64().is_some_and(|first| first <= number);
        let spec = specs.iter().rev().find(before)?;
        let index = number - spec["number"].as_u64()?;
        (index < spec["count"].as_u64()?).then(|| Found::Task(place(spec, index)))
    });
    numbered.ok_or_else(|| {
        let names = specs.iter().filter_map(|spec| spec["name"].as_str());
        let near = suggest::nearest(name, names.filter(|name| !name.is_empty()));
        TaskError::Unknown { name: text.to_owned(), near: near.map(ToOwned::to_owned) }
    })
}

fn place(spec: &Value, index: u64) -> Place {
    Place { spec: spec["spec"].as_u64().unwrap_or(0), index }
}

fn indexed(name: &str, index: Option<i64>, spec: &Value) -> Result<Found, TaskError> {
    let count = spec["count"].as_u64().unwrap_or(1);
    let (first, step) = numbering(spec);
    let Some(index) = index else {
        let array = spec["array"].as_bool().unwrap_or(false);
        let whole = place(spec, 0);
        return Ok(if array { Found::Array(whole.spec) } else { Found::Task(whole) });
    };
    let wrong = || TaskError::Index { name: name.to_owned(), index };
    let distance = index.checked_sub(first).ok_or_else(wrong)?;
    let steps = distance.checked_div(step).filter(|steps| steps * step == distance);
    let at = steps.and_then(|steps| u64::try_from(steps).ok()).filter(|at| *at < count);
    at.map(|at| Found::Task(place(spec, at))).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn specs() -> Vec<Value> {
        let split = json!({ "spec": 0, "name": "split", "count": 1, "number": 1, "array": false });
        let count = json!({
            "spec": 1, "name": "count", "count": 10, "number": 2, "array": true,
            "first_index": 5, "index_step": 5,
        });
        let unnamed = json!({ "spec": 2, "name": "", "count": 100, "number": 12, "array": true });
        vec![split, count, unnamed]
    }

    #[test]
    fn tasks_are_found_by_name_index_and_number() {
        let find = |text| find(text, &specs());
        let task = |spec, index| Ok(Found::Task(Place { spec, index }));
        assert_eq!(find("split"), task(0, 0));
        assert_eq!(find("count[10]"), task(1, 1));
        assert_eq!(find("2"), task(1, 0));
        assert_eq!(find("111"), task(2, 99));
        assert_eq!(find("count"), Ok(Found::Array(1)));
        assert_eq!(shown_index(&specs()[1], 3), 20);
        assert_eq!(find("count[11]"), Err(TaskError::Index { name: "count".into(), index: 11 }));
        assert_eq!(find("count[55]"), Err(TaskError::Index { name: "count".into(), index: 55 }));
        let near = Some("count".to_owned());
        assert_eq!(find("conut"), Err(TaskError::Unknown { name: "conut".into(), near }));
        assert!(find("112").is_err() && find("0").is_err());
    }
}
