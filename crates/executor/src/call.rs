//! Making the call of a function: its arguments for each index, and what a panic said.

use std::any::Any;
use std::cell::Cell;
use std::sync::{Arc, Once};

use bary_model::action::{Action, Arg};
use bary_model::id::TaskId;
use bary_model::message::GrantItem;
use bary_model::outcome::Failure;
use bary_model::payload::Payload;
use bary_model::template::Scope;
use bary_ports::function::{Call, Function, FunctionResult, UpstreamResults};
use bytes::Bytes;

use crate::run::Run;
use crate::shared::Shared;

/// The calls of one item, one for each index. What does not differ between them is made once.
pub(crate) struct Calls<'a> {
    item: &'a GrantItem,
    args: &'a [Arg],
    constant: bool,
    texts: Vec<(Box<str>, Bytes)>,
    call: Call,
}

/// The function that an item calls; none for a command.
pub(crate) fn function_of<'a>(
    shared: &'a Shared,
    item: &GrantItem,
) -> Option<Result<&'a Function, Failure>> {
    let Action::Function { name, .. } = &item.spec.body.action else { return None };
    Some(shared.functions.get(name).ok_or_else(|| {
        let text = format!("function `{name}` is not known on this node; register it there");
        Failure::NotStarted(text.into())
    }))
}

/// Whether the stretch of a slow node is left to the function itself.
pub(crate) fn scales_itself(item: &GrantItem) -> bool {
    matches!(&item.spec.body.action, Action::Function { name, .. } if &**name == "sleep")
}

impl<'a> Calls<'a> {
    /// Reads what the calls of an item share.
    pub(crate) fn new(
        shared: &Arc<Shared>,
        run: &Arc<Run>,
        item: &'a GrantItem,
    ) -> Result<Self, Failure> {
        let args: &[Arg] = match &item.spec.body.action {
            Action::Function { args, .. } => args,
            Action::Command { .. } => &[],
        };
        let upstream = read_upstream(shared, item)?;
        let texts = texts(&upstream);
        let beat = if item.spec.body.heartbeat_timeout.is_some() {
            let (shared, run) = (Arc::clone(shared), Arc::downgrade(run));
            Arc::new(move || {
                if let Some(run) = run.upgrade() {
                    shared.beat(&run);
                }
            })
        } else {
            Arc::clone(&shared.no_beat)
        };
        let call = Call {
            task: item.range.head(),
            attempt: item.attempt,
            slot: run.start.slot,
            speed: shared.config.speed,
            args: Vec::new(),
            upstream,
            stop: Arc::clone(&run.stop),
            beat,
        };
        let constant = args.iter().all(|arg| arg.value.is_literal());
        let mut calls = Self { item, args, constant, texts, call };
        calls.call.args = calls.expand(0);
        Ok(calls)
    }

    /// The call at an offset of the item, in order from 0.
    pub(crate) fn at(&mut self, offset: u32) -> &Call {
        self.call.task.index = self.item.range.first + offset;
        if !self.constant && offset > 0 {
            self.call.args = self.expand(offset);
        }
        &self.call
    }

    /// The call at an offset of the item, to be given away.
    pub(crate) fn owned(&self, offset: u32) -> Call {
        let constant = self.constant || offset == 0;
        Call {
            task: TaskId { index: self.item.range.first + offset, ..self.call.task },
            args: if constant { self.call.args.clone() } else { self.expand(offset) },
            upstream: self.call.upstream.clone(),
            stop: Arc::clone(&self.call.stop),
            beat: Arc::clone(&self.call.beat),
            ..self.call
        }
    }

    fn expand(&self, offset: u32) -> Vec<(Option<Box<str>>, Bytes)> {
        let index = self.item.range.first + offset;
        let scope = scope(self.item, index, self.call.slot, &self.texts);
        let expanded = |arg: &Arg| (arg.name.clone(), Bytes::from(arg.value.expand(&scope)));
        self.args.iter().map(expanded).collect()
    }
}

/// What placeholders stand for in one task.
pub(crate) fn scope<'a>(
    item: &'a GrantItem,
    index: u32,
    slot: u32,
    upstream: &'a [(Box<str>, Bytes)],
) -> Scope<'a> {
    let row = item.spec.first_row + u64::from(index);
    let place = item.spec.rows_before + row;
    Scope {
        row: item.spec.inputs.row(row),
        index: place,
        sequence: place + 1,
        slot,
        attempt: item.attempt,
        upstream,
    }
}

/// Reads the results that an item uses.
pub(crate) fn read_upstream(
    shared: &Shared,
    item: &GrantItem,
) -> Result<Vec<UpstreamResults>, Failure> {
    let upstream = item.upstream.as_deref().unwrap_or_default();
    let mut read = Vec::with_capacity(upstream.len());
    for used in upstream {
        let bytes = |payload: &Payload| shared.store.read(payload);
        let results =
            used.results.iter().map(bytes).collect::<Result<_, _>>().map_err(|error| {
                let text = format!("the result of `{}` could not be read: {error}", used.name);
                Failure::Error(text.into())
            })?;
        let (indices, nodes) = (used.indices.clone(), used.nodes.clone());
        read.push(UpstreamResults { name: used.name.clone(), results, indices, nodes });
    }
    Ok(read)
}

/// The results as `{result.NAME}` reads them: one without its last line break, as a shell's
/// `$(...)` gives it; several each ending a line.
pub(crate) fn texts(upstream: &[UpstreamResults]) -> Vec<(Box<str>, Bytes)> {
    let text = |used: &UpstreamResults| match used.results.as_slice() {
        [one] => one.strip_suffix(b"\n").map_or_else(|| one.clone(), |line| one.slice_ref(line)),
        several => {
            let mut joined = Vec::with_capacity(several.iter().map(|one| one.len() + 1).sum());
            for one in several {
                joined.extend_from_slice(one);
                if !one.ends_with(b"\n") {
                    joined.push(b'\n');
                }
            }
            Bytes::from(joined)
        }
    };
    upstream.iter().map(|used| (used.name.clone(), text(used))).collect()
}

/// What a function returned, or how its panic is reported, with its bytes kept.
pub(crate) fn outcome(
    shared: &Shared,
    returned: Result<FunctionResult, Box<dyn Any + Send>>,
) -> (Result<(), Failure>, Payload) {
    let failed = |failure| (Err(failure), Payload::Empty);
    match returned {
        Ok(Ok(bytes)) if bytes.is_empty() => (Ok(()), Payload::Empty),
        Ok(Ok(bytes)) => match shared.store.payload(bytes) {
            Ok(payload) => (Ok(()), payload),
            Err(error) => {
                failed(Failure::Error(format!("the result could not be kept: {error}").into()))
            }
        },
        Ok(Err(error)) => failed(Failure::Error(error.0)),
        Err(panic) => failed(Failure::Panicked(panic_text(&*panic))),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> Box<str> {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").into()
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Makes panics on this thread silent: they are reported as their task's failure.
pub(crate) fn quiet_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    QUIET.set(true);
}
