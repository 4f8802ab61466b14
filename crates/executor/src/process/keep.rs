//! Handing what a command printed to the store, and saying what of it is not there.

use bary_model::outcome::Failure;
use bary_model::payload::Payload;

use super::capture::{Captured, Kept};
use super::command::{Done, Task};
use super::kernel::Status;
use super::patience::{Refusal, patiently};
use super::pump::{Tap, Taps};

/// Hands what was captured to the store. Where some of it was cut, standard error begins with a
/// line that says so, so that the command's own last line stays the last.
pub(super) fn keep(
    task: &Task<'_>,
    taps: Taps,
    mut end: Result<(), Failure>,
    status: Option<Status>,
) -> Done {
    let config = &task.shared.config;
    // The pipes are closed first, so that the store finds descriptors to use.
    let captured = |tap: Option<Tap>| tap.map(|tap| tap.captured);
    let (out, err) = (captured(taps.out), captured(taps.err));
    let is_cut = |stream: &Option<Captured>| stream.as_ref().is_some_and(Captured::is_cut);
    let mut note = Vec::new();
    if is_cut(&out) || is_cut(&err) {
        note = format!("[bary: output cut at {}]\n", size(config.output_bytes_max)).into_bytes();
    }
    let lost = |stream: &Option<Captured>| stream.as_ref()?.lost().map(ToString::to_string);
    let lost = lost(&out).or_else(|| lost(&err)).map(|error| {
        let dir = config.scratch_dir.display();
        format!("the output could not be kept in `{dir}`: {error}; free space there or set TMPDIR")
    });
    if let Some(text) = &lost {
        end = Err(Failure::Error(text.as_str().into()));
    }
    let out = out.map(|out| out.finish(Vec::new()));
    let err = match err {
        Some(err) => Some(err.finish(note)),
        None => Some(Kept::only(note)),
    };
    let mut payload = |kept: Option<Kept>| match kept.map(|kept| stored(task, &kept)) {
        None => Payload::Empty,
        Some(Ok(payload)) => payload,
        Some(Err(failure)) => {
            if lost.is_none() {
                end = Err(failure);
            }
            Payload::Empty
        }
    };
    let (output, stderr) = (payload(out), payload(err));
    Done { end, output, stderr, status }
}

fn stored(task: &Task<'_>, kept: &Kept) -> Result<Payload, Failure> {
    let text = |cause: &dyn std::fmt::Display| {
        Failure::Error(format!("the output could not be kept: {cause}").into())
    };
    let put = || {
        let put = kept.payload(&*task.shared.store);
        put.map_err(|error| Refusal::of(&error, text(&error)))
    };
    patiently(task.run, task.shared.config.start_wait_max, put)
        .unwrap_or_else(|| Err(text(&"the task was stopped")))
}

/// A number of bytes as people write it.
fn size(bytes: u64) -> String {
    match bytes {
        n if n >= 1 << 20 && n % (1 << 20) == 0 => format!("{} MiB", n >> 20),
        n if n >= 1 << 10 && n % (1 << 10) == 0 => format!("{} KiB", n >> 10),
        n => format!("{n} bytes"),
    }
}
