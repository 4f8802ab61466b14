//! A run in the words of the contract: each task with its arguments filled in and all that it
//! reads.

use std::collections::BTreeMap;

use bary_api::v1::{Run, RunTask, Upstream};
use bary_executor::arguments::{Arguments, Unread};
use bary_executor::config::Addresses;
use bary_model::action::Action;
use bary_model::id::TaskId;
use bary_model::message::GrantItem;
use bary_model::payload::Payload;
use bary_ports::executor::Start;
use bary_ports::function::Rank;
use bary_ports::store::Store;
use bytes::Bytes;
use serde_json::Value;

/// Most bytes of a run of several tasks; a task that has more goes alone.
const RUN_BYTES_MAX: usize = 4 << 20;

/// The number of a task in its job, from 1; 0 where it is not known yet.
pub(super) type Numbers = dyn Fn(TaskId) -> u64 + Send + Sync;

/// Whether reading what the tasks of a run read may take time.
pub(super) fn is_slow(start: &Start) -> bool {
    let slow = |item: &GrantItem| {
        item.upstream.is_some()
            || matches!(item.checkpoint, Some((_, Payload::Stored(_) | Payload::Kept(_))))
    };
    start.items.iter().any(slow)
}

/// The first tasks of a run, at most so many and as many as one message should have.
///
/// # Errors
/// Where not even the first can be begun, since what it reads cannot be read, now or ever.
pub(super) fn run(
    start: &Start,
    most: usize,
    store: &dyn Store,
    numbers: &Numbers,
    addresses: &Addresses,
) -> Result<Run, Unread> {
    let mut run = Run { run: start.run.0, ..Run::default() };
    if let Some(item) = start.items.first() {
        let body = &item.spec.body;
        if let Action::Function { name, .. } = &body.action {
            run.function = name.to_string();
        }
        run.timeout = body.timeout.as_secs_f64();
    }
    let mut bytes = 0;
    for item in start.items.iter() {
        let read = Arguments::read(item, start.slot, store);
        let arguments = match read {
            Ok(arguments) => arguments,
            Err(unread) if run.tasks.is_empty() => return Err(unread),
            Err(_) => return Ok(run),
        };
        let (step, checkpoint) = match checkpoint(item, store) {
            Ok(checkpoint) => checkpoint,
            Err(unread) if run.tasks.is_empty() => return Err(unread),
            Err(_) => return Ok(run),
        };
        let rank = match addresses.rank(item) {
            Ok(rank) => rank,
            Err(failure) if run.tasks.is_empty() => return Err(Unread::Lost(failure)),
            Err(_) => return Ok(run),
        };
        for offset in 0..item.range.count {
            let index = item.range.first + offset;
            let task = RunTask {
                job: item.range.job.0 + 1,
                number: numbers(TaskId { index, ..item.range.head() }),
                attempt: item.attempt.into(),
                input: input(arguments.at(offset)),
                checkpoint_step: step,
                checkpoint: checkpoint.clone(),
                env: env(&arguments, offset, rank.as_ref()),
                upstream: upstream(&arguments),
            };
            bytes += size(&task);
            let full = bytes > RUN_BYTES_MAX && !run.tasks.is_empty();
            if full || run.tasks.len() >= most {
                return Ok(run);
            }
            run.tasks.push(task);
        }
    }
    Ok(run)
}

fn checkpoint(item: &GrantItem, store: &dyn Store) -> Result<(u64, Bytes), Unread> {
    let Some((step, payload)) = &item.checkpoint else { return Ok((0, Bytes::new())) };
    let read = store.read(payload);
    Ok((*step, read.map_err(|error| Unread::new("the last checkpoint", &error))?))
}

/// What a gang says counts more than what the task says.
fn env(arguments: &Arguments<'_>, offset: u32, rank: Option<&Rank>) -> BTreeMap<String, String> {
    let env = arguments.env(offset).into_iter();
    let own = env.map(|(name, value)| (name.into_string(), value));
    let rank = rank.into_iter().flat_map(Rank::variables);
    own.chain(rank.map(|(name, value)| (name.to_owned(), value))).collect()
}

fn upstream(arguments: &Arguments<'_>) -> Vec<Upstream> {
    let used = arguments.upstream().iter();
    used.map(|used| Upstream { name: used.name.to_string(), results: used.results.clone() })
        .collect()
}

fn size(task: &RunTask) -> usize {
    let upstream = task.upstream.iter().flat_map(|used| &used.results).map(Bytes::len);
    let env = task.env.iter().map(|(name, value)| name.len() + value.len());
    task.input.len() + task.checkpoint.len() + upstream.sum::<usize>() + env.sum::<usize>()
}

/// One argument as it is; none as nothing; several as a JSON array, or as an object under their
/// names, and under their places from 0 where they have none, once one has a name.
fn input(mut args: Vec<(Option<Box<str>>, Bytes)>) -> Bytes {
    match args.as_slice() {
        [] => return Bytes::new(),
        [(None, _)] => return args.remove(0).1,
        _ => {}
    }
    let named = args.iter().any(|(name, _)| name.is_some());
    let json = if named {
        let name = |(place, (name, value)): (usize, (Option<Box<str>>, Bytes))| {
            (name.map_or_else(|| place.to_string(), String::from), value_of(&value))
        };
        Value::Object(args.into_iter().enumerate().map(name).collect())
    } else {
        args.iter().map(|(_, value)| value_of(value)).collect()
    };
    json.to_string().into()
}

/// JSON, or the text where it is none.
fn value_of(bytes: &Bytes) -> Value {
    let json = serde_json::from_slice(bytes);
    json.unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arg(name: Option<&str>, value: &'static str) -> (Option<Box<str>>, Bytes) {
        (name.map(Into::into), Bytes::from_static(value.as_bytes()))
    }

    #[test]
    fn arguments_are_one_input() {
        assert_eq!(input(Vec::new()), "");
        assert_eq!(input(vec![arg(None, "a b")]), "a b");
        assert_eq!(input(vec![arg(None, "a b"), arg(None, "[1]")]), r#"["a b",[1]]"#);
        assert_eq!(input(vec![arg(Some("x"), "1"), arg(None, "y")]), r#"{"1":"y","x":1}"#);
    }
}
