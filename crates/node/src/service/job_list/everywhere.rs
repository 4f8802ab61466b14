//! The jobs of all members as one list.

use bary_api::problem::{Kind as Problem, Refused};
use bary_api::v1::{Job, ListJobsReply, ListJobsRequest};
use bary_identity::calendar;
use serde_json::Value;

use crate::service::Inner;
use crate::service::caller::Caller;
use crate::service::cell::{Cell, Cells, Kind};
use crate::service::filter::Sort;
use crate::service::job_list::JobView;

/// In which order jobs of several members are where none is asked for.
const USUAL_SORT: &str = "submitted";

/// Seconds after which a member that is away may be back.
const AWAY_SECONDS: f64 = 1.0;

/// A job as another member tells it, for sorting.
struct Told(Value);

impl Inner {
    /// Jobs of all members that are there: as many of each as are wanted in all, so that the first
    /// ones of all are among them.
    ///
    /// # Errors
    /// As for one member; where jobs are named by their numbers, which are each member's own; where
    /// there are more than one answer has.
    pub(in crate::service) async fn list_everywhere(
        &self,
        caller: &Caller,
        asked: ListJobsRequest,
    ) -> Result<ListJobsReply, Refused> {
        if !asked.jobs.is_empty() {
            let refused = Refused::new(Problem::Invalid, "jobs are named, of all members");
            return Err(refused.help("a number is a job of one member: name that one"));
        }
        let mut ask = ListJobsRequest { everywhere: false, offset: 0, ..asked.clone() };
        if ask.sort.is_empty() {
            ask.sort = USUAL_SORT.to_owned();
        }
        if asked.limit > 0 {
            ask.limit = asked.limit.saturating_add(asked.offset);
        }
        let mut reply = self.list_jobs(&ask)?;
        let one = ask.clone();
        let others = self.ask_others(caller, move |mut calls| {
            let ask = one.clone();
            async move { calls.list_jobs(ask).await.map(tonic::Response::into_inner) }
        });
        let (others, unreached) = others.await;
        for (home, other) in others {
            reply.total += other.total;
            reply
                .jobs
                .extend(other.jobs.into_iter().map(|job| Job { home: home.to_string(), ..job }));
        }
        if let (true, Some(missing)) = (caller.consistent, unreached.first()) {
            let title = format!("the jobs of {} cannot be read: {}", missing.member, missing.why);
            let refused = Refused::new(Problem::Unavailable, title).retry_after(AWAY_SECONDS);
            return Err(refused.help("leave --consistent out to see those of the others"));
        }
        let limit = self.entries(asked.limit);
        if asked.limit == 0 && reply.jobs.len() > limit {
            let title = format!(
                "{} jobs are more than one answer has (limit list_entries_max)",
                reply.total
            );
            return Err(Refused::new(Problem::TooLarge, title).help("set a limit, or a filter"));
        }
        let offset = usize::try_from(asked.offset).unwrap_or(usize::MAX);
        let jobs = sorted(reply.jobs, &ask.sort)?.into_iter().skip(offset).take(limit).collect();
        Ok(ListJobsReply { jobs, unreached, ..reply })
    }
}

/// Jobs in the order of a column.
fn sorted(jobs: Vec<Job>, column: &str) -> Result<Vec<Job>, Refused> {
    let Some(sort) = Sort::parse::<Told>(column)? else { return Ok(jobs) };
    let keyed = jobs.into_iter().map(|job| {
        let told = Told(serde_json::to_value(&job).unwrap_or_default());
        (sort.key(&told), job)
    });
    let mut keyed: Vec<(Cell<'static>, Job)> = keyed.collect();
    keyed.sort_by(|a, b| sort.order(&a.0, &b.0));
    Ok(keyed.into_iter().map(|(_, job)| job).collect())
}

impl Cells for Told {
    const COLUMNS: &'static [(&'static str, Kind)] = JobView::<'static>::COLUMNS;

    fn cell(&self, column: usize) -> Cell<'_> {
        let Some((name, kind)) = Self::COLUMNS.get(column) else { return Cell::Absent };
        match (kind, &self.0[*name]) {
            (Kind::Time, Value::String(text)) => {
                Cell::number(calendar::parse(text).map(|at| at.0 as f64 / 1e9))
            }
            (_, Value::String(text)) => Cell::text(text),
            (_, Value::Bool(is)) => Cell::Number(f64::from(u8::from(*is))),
            (_, value) => Cell::number(value.as_f64()),
        }
    }

    fn tag(&self, name: &str) -> Cell<'_> {
        match &self.0["tags"][name] {
            Value::String(text) => Cell::text(text),
            _ => Cell::Absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_of_members_are_sorted_as_those_of_one() {
        let job = |id, submitted: &str, tasks| Job {
            id,
            submitted: submitted.to_owned(),
            tasks,
            tags: [("team".to_owned(), format!("t{id}"))].into(),
            open: id == 2,
            ..Job::default()
        };
        let jobs = [
            job(1, "2026-01-01T00:00:01.5Z", 5),
            job(2, "2026-01-01T00:00:01Z", 40),
            job(3, "2026-01-01T00:00:00Z", 7),
        ];
        let order = |column: &str| {
            let sorted = sorted(jobs.to_vec(), column).expect("there is such a column");
            sorted.into_iter().map(|job| job.id).collect::<Vec<u32>>()
        };
        assert_eq!(order("submitted"), [3, 2, 1]);
        assert_eq!(order("-submitted"), [1, 2, 3]);
        assert_eq!(order("tasks"), [1, 3, 2]);
        assert_eq!(order("-tag.team"), [3, 2, 1]);
        assert_eq!(order("-open")[0], 2);
        assert!(sorted(jobs.to_vec(), "nothing").is_err());
    }
}
