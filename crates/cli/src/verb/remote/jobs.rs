//! `bary ls`: jobs in rows.

use bary_api::v1::ListJobsRequest;

use crate::args::Face;
use crate::args::remote::LsArgs;
use crate::asking;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::kinds::JOBS;

/// Lists jobs: the last ones, in the order of their numbers, where no other is asked for.
pub(crate) fn list(args: &LsArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let rows = &args.rows;
        let request = ListJobsRequest {
            jobs: asking.jobs(&args.jobs).await?,
            filter: rows.filter.clone(),
            sort: rows.sort.clone().unwrap_or_else(|| "-id".to_owned()),
            limit: rows.limit,
        };
        let mut reply = asking.node.list_jobs(request).await?;
        if rows.sort.is_none() {
            reply.jobs.reverse();
        }
        asking.print(&JOBS, &reply.jobs, rows.format.as_deref())?;
        let left_out = reply.total.saturating_sub(reply.jobs.len() as u64);
        if left_out > 0 && !face.is_data() && rows.format.is_none() {
            asking.note(&format!("{left_out} more; --limit 0 shows all"));
        }
        Ok(Exit::OK)
    })
}
