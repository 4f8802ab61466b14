//! Waiting for what is scarce: open files, processes, memory. Others give it back when they end.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use bary_model::outcome::Failure;

use super::census;
use crate::run::Run;

/// Why a step of a command could not be done.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It cannot be done.
    Final(Failure),
    /// The system has too little of something just now; the failure is for when that stays so.
    Scarce(Failure),
}

/// The first pause between two attempts; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(5);

/// The longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_millis(500);

impl Refusal {
    /// The failure, for whoever does not wait.
    pub(crate) fn failure(self) -> Failure {
        let (Self::Final(failure) | Self::Scarce(failure)) = self;
        failure
    }

    /// The refusal of a step that failed with this error.
    pub(crate) fn of(error: &(dyn Error + 'static), failure: Failure) -> Self {
        if is_scarce(error) { Self::Scarce(failure) } else { Self::Final(failure) }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Final(failure)
    }
}

/// Whether the system had too little of something that others give back.
pub(crate) fn is_scarce(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let code = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        if let Some(libc::EMFILE | libc::ENFILE | libc::EAGAIN | libc::ENOMEM) = code {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Tries a step until it is done, for as long as commands of this process run that can give back
/// what it lacks, and for `most` after the first attempt anyway. None where the run was asked to
/// end meanwhile.
pub(crate) fn patiently<T>(
    run: &Run,
    most: Duration,
    mut step: impl FnMut() -> Result<T, Refusal>,
) -> Option<Result<T, Failure>> {
    let mut first = None;
    let mut pause = PAUSE_MIN;
    loop {
        let failure = match step() {
            Ok(done) => return Some(Ok(done)),
            Err(Refusal::Final(failure)) => return Some(Err(failure)),
            Err(Refusal::Scarce(failure)) => failure,
        };
        let first = *first.get_or_insert_with(Instant::now);
        if !census::any() && first.elapsed() >= most {
            return Some(Err(failure));
        }
        run.linger(pause);
        if run.is_asked() {
            return None;
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}
