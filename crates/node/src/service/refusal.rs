//! What a home refuses, as callers hear it: jobs are counted from 1 there.

use bary_api::problem::{Kind, Refused};
use bary_engine::input::Refusal;

use crate::service::jobs;

/// Seconds after which a home that was full may have room.
const FULL: f64 = 1.0;
/// Seconds after which a disk that was full may have space.
const NO_ROOM: f64 = 5.0;

/// A refusal of the home.
pub(super) fn told(refusal: &Refusal) -> Refused {
    let plain = |kind| Refused::new(kind, refusal.to_string());
    match refusal {
        Refusal::Unplaceable { .. } => {
            plain(Kind::Unplaceable).help("ask for less, or add a node that has it")
        }
        Refusal::Graph(_)
        | Refusal::Policy(_)
        | Refusal::BadLabel { .. }
        | Refusal::Misformed { .. } => plain(Kind::Invalid),
        Refusal::TooManyNodes { .. } => {
            plain(Kind::TooLarge).help("undrain nodes that are gone for good, or take their labels")
        }
        Refusal::Closed(job) => {
            let no = jobs::shown_no(*job);
            let title = format!("job {no} is closed: no tasks are added to it");
            Refused::new(Kind::Conflict, title).help("submit another job")
        }
        Refusal::Full { .. } => plain(Kind::Full).retry_after(FULL),
        Refusal::NoRoom => plain(Kind::Full).retry_after(NO_ROOM),
        Refusal::TooManyResults { .. }
        | Refusal::TooManyUpstream { .. }
        | Refusal::TooManyLabels { .. }
        | Refusal::TooLong { .. } => plain(Kind::TooLarge),
        Refusal::NoSuchJob(job) => {
            let title = format!("there is no job {}", jobs::shown_no(*job));
            Refused::new(Kind::NotFound, title).help("bary ls lists the jobs")
        }
        Refusal::KeyReused { job, .. } => {
            let no = jobs::shown_no(*job);
            let title = format!("the idempotency key was used for another submission, job {no}");
            Refused::new(Kind::Conflict, title).help("give each submission a key of its own")
        }
        Refusal::NoSuchKey(_) => {
            Refused::new(Kind::NotFound, "there is no such submission").help("begin it again")
        }
        Refusal::AlreadyOver(job) => {
            let title = format!("job {} has finished", jobs::shown_no(*job));
            Refused::new(Kind::Conflict, title)
        }
        Refusal::NotOver(job) => {
            let title = format!("job {} has not finished", jobs::shown_no(*job));
            Refused::new(Kind::Conflict, title).help("cancel it first, or wait for it")
        }
        Refusal::NotRetryable(job) => {
            let no = jobs::shown_no(*job);
            let title = format!("job {no} has not finished, or is no longer kept");
            Refused::new(Kind::Conflict, title).help("wait for it, or submit it again")
        }
        Refusal::NoHome => plain(Kind::Unavailable).retry_after(FULL),
    }
}
