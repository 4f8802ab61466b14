//! Many tasks that differ by their input only: one spec with one body, whose rows are the inputs.

use std::sync::Arc;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::Tasks;
use bary_jobfile::range;
use bary_model::action::{Action, Arg, Capture};
use bary_model::inputs::Inputs;
use bary_model::inputs::lines::LinesBuilder;
use bary_model::resources::Resources;
use bary_model::task::{Body, TaskSpec};
use bary_model::template::Template;
use bary_model::template::parse::Dialect;
use bary_model::time::Span;

/// The spec that some tasks are; what it runs is a good name for it.
pub(super) fn spec(tasks: Tasks) -> Result<(Box<str>, Arc<TaskSpec>), Refused> {
    let inputs = rows(&tasks)?;
    let name = name(&tasks)?;
    let body = body(&tasks, inputs.is_some())?;
    let mut spec = TaskSpec::new(Arc::new(body));
    if let Some(inputs) = inputs {
        spec.count = u32::try_from(inputs.rows()).unwrap_or(u32::MAX);
        spec.array = true;
        spec.inputs = inputs;
    }
    spec.gang = u16::try_from(tasks.gang).unwrap_or(u16::MAX);
    Ok((name, Arc::new(spec)))
}

fn name(tasks: &Tasks) -> Result<Box<str>, Refused> {
    match (tasks.function.as_str(), tasks.command.first()) {
        ("", Some(program)) if program.is_empty() => {
            Err(invalid("the first word of `command` is empty; it names the program"))
        }
        ("", Some(program)) => Ok(program.as_str().into()),
        (function, None) if !function.is_empty() => Ok(function.into()),
        _ => Err(invalid("tasks have either a function or a command")),
    }
}

fn rows(tasks: &Tasks) -> Result<Option<Inputs>, Refused> {
    match (tasks.inputs.as_slice(), tasks.array.as_str()) {
        ([], "") if tasks.gang > 0 => {
            let ranks = Inputs::numbers(0, 1, tasks.gang.into());
            ranks.map(Some).map_err(|error| invalid(error.to_string()))
        }
        ([], "") => Ok(None),
        ([], array) => {
            let range = match array.parse() {
                Ok(count) => range::first(count),
                Err(_) => range::parse(array),
            };
            let range = range.map_err(|error| invalid(format!("`array`: {error}")))?;
            range.inputs().map(Some).map_err(|error| invalid(error.to_string()))
        }
        (inputs, "") => {
            let mut lines = LinesBuilder::default();
            inputs.iter().for_each(|input| lines.push(input));
            Inputs::lines(lines.finish()).map(Some).map_err(|error| invalid(error.to_string()))
        }
        _ => Err(invalid("tasks have either inputs or an array")),
    }
}

fn body(tasks: &Tasks, has_rows: bool) -> Result<Body, Refused> {
    let mut body = Body::new(action(tasks, has_rows)?);
    let is_command = !tasks.command.is_empty();
    // A command costs more than telling of it alone; functions are told in ranges.
    body.detail = is_command || !has_rows;
    body.retries = u16::try_from(tasks.retries).unwrap_or(u16::MAX);
    if tasks.timeout != 0.0 {
        body.timeout = Span::from_secs_f64(number("timeout", tasks.timeout)?);
    }
    let cpus = if tasks.cpus == 0.0 { 1.0 } else { number("cpus", tasks.cpus)? };
    body.request.resources = Resources {
        milli_cpus: milli(cpus),
        memory: tasks.memory,
        milli_gpus: if tasks.gpus == 0.0 { 0 } else { milli(number("gpus", tasks.gpus)?) },
        ..Resources::default()
    };
    if tasks.cache != 0.0 {
        body.cache = Some(Span::from_secs_f64(number("cache", tasks.cache)?));
    }
    let around = &mut body.surroundings;
    for (name, value) in &tasks.env {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(invalid(format!("`{name}` cannot name a variable")));
        }
        around.env.push((name.as_str().into(), template(value)));
    }
    if !tasks.cwd.is_empty() {
        around.cwd = Some(template(&tasks.cwd));
    }
    if is_command {
        around.capture = Capture::Lines;
    }
    Ok(body)
}

fn action(tasks: &Tasks, has_rows: bool) -> Result<Action, Refused> {
    if !tasks.command.is_empty() {
        let argv = tasks.command.iter().map(|word| template(word)).collect();
        return Ok(Action::Command { argv });
    }
    let arg = Arg { name: None, value: Template::values() };
    let args = if has_rows { vec![arg] } else { Vec::new() };
    Ok(Action::Function { name: tasks.function.as_str().into(), args })
}

/// A text with placeholders; other braces stay as they are.
fn template(text: &str) -> Template {
    // The loose dialect refuses nothing; what it does not know it leaves as it is.
    Template::parse(text.as_bytes(), Dialect::Loose, &mut |_| None)
        .unwrap_or_else(|_| Template::literal(text))
}

/// A number above 0.
fn number(what: &str, given: f64) -> Result<f64, Refused> {
    if given.is_finite() && given > 0.0 {
        Ok(given)
    } else {
        Err(invalid(format!("{what} {given} is not a number above 0")))
    }
}

fn milli(units: f64) -> u64 {
    ((units * 1e3).round() as u64).max(1)
}

fn invalid(title: impl Into<String>) -> Refused {
    Refused::new(Kind::Invalid, title)
}

#[cfg(test)]
mod tests {
    use bary_model::template::Scope;
    use bytes::Bytes;

    use super::*;

    fn call(inputs: &[&'static [u8]]) -> Tasks {
        let inputs = inputs.iter().map(|input| Bytes::from_static(input)).collect();
        Tasks { function: "f".to_owned(), inputs, ..Tasks::default() }
    }

    #[test]
    fn inputs_are_rows_of_one_spec_byte_for_byte() {
        let (name, spec) = spec(call(&[b"a\0b", b"", b"\n"])).expect("they are good");
        assert_eq!((&*name, spec.count, spec.array), ("f", 3, true));
        let Action::Function { args, .. } = &spec.body.action else { panic!("it is a call") };
        let given =
            |row| args[0].value.expand(&Scope { row: spec.inputs.row(row), ..Scope::default() });
        assert_eq!([0, 1, 2].map(given), [b"a\0b".to_vec(), Vec::new(), b"\n".to_vec()]);
    }

    #[test]
    fn an_array_is_a_range_and_a_task_alone_has_no_rows() {
        let array = Tasks { array: "1-1_000_000".to_owned(), ..call(&[]) };
        assert_eq!(spec(array).expect("it is good").1.count, 1_000_000);
        let gang = spec(Tasks { gang: 4, ..call(&[]) }).expect("it is good").1;
        assert_eq!((gang.count, gang.gang, gang.array), (4, 4, true));
        let alone = spec(call(&[])).expect("it is good").1;
        assert!(!alone.array && alone.inputs.rows() == 0);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let both = Tasks { command: vec!["true".to_owned()], ..call(&[]) };
        let neither = Tasks { function: String::new(), ..call(&[]) };
        let nameless = Tasks { function: String::new(), command: vec![String::new()], ..call(&[]) };
        let rows = Tasks { array: "1-2".to_owned(), ..call(&[b"a"]) };
        let cpus = Tasks { cpus: -1.0, ..call(&[]) };
        let array = Tasks { array: "2-1".to_owned(), ..call(&[]) };
        for wrong in [both, neither, nameless, rows, cpus, array] {
            assert!(spec(wrong.clone()).is_err_and(|e| e.kind == Kind::Invalid), "{wrong:?}");
        }
    }
}
