//! Making the call of a function for each index, and what a panic said.

use std::any::Any;
use std::cell::Cell;
use std::sync::{Arc, Once};

use bary_model::action::Action;
use bary_model::id::TaskId;
use bary_model::message::GrantItem;
use bary_model::outcome::Failure;
use bary_model::payload::Payload;
use bary_ports::function::{Call, Function, FunctionResult};

use crate::arguments::{Arguments, Unread};
use crate::run::Run;
use crate::shared::Shared;

/// The calls of one item, one for each index. What does not differ between them is made once.
pub(crate) struct Calls<'a> {
    arguments: Arguments<'a>,
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
    ) -> Result<Self, Unread> {
        let mut arguments = Arguments::read(item, run.start.slot, &*shared.store)?;
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
            args: arguments.at(0),
            upstream: arguments.take_upstream(),
            stop: Arc::clone(&run.stop),
            beat,
            rank: shared.config.addresses.rank(item).map_err(Unread::Lost)?,
        };
        Ok(Self { arguments, call })
    }

    /// The call at an offset of the item, in order from 0.
    pub(crate) fn at(&mut self, offset: u32) -> &Call {
        self.call.task.index = self.arguments.first() + offset;
        if !self.arguments.is_constant() && offset > 0 {
            self.call.args = self.arguments.at(offset);
        }
        &self.call
    }

    /// The call at an offset of the item, to be given away.
    pub(crate) fn owned(&self, offset: u32) -> Call {
        let constant = self.arguments.is_constant() || offset == 0;
        Call {
            task: TaskId { index: self.arguments.first() + offset, ..self.call.task },
            args: if constant { self.call.args.clone() } else { self.arguments.at(offset) },
            upstream: self.call.upstream.clone(),
            stop: Arc::clone(&self.call.stop),
            beat: Arc::clone(&self.call.beat),
            ..self.call
        }
    }
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
