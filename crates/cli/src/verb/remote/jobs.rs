//! `bary ls`: jobs in rows.

use bary_api::v1::{Job, ListJobsRequest, Unreached};
use serde_json::Value;

use crate::args::remote::LsArgs;
use crate::args::{Face, Form};
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::kinds::JOBS;
use crate::listing::{self, amount, clean};

/// Lists jobs: the last ones, in the order of their submission, where no other is asked for.
pub(crate) fn list(args: &LsArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let rows = &args.rows;
        let mut homes = asking.jobs(&args.jobs).await?;
        let all = homes.is_empty();
        if all {
            homes.push((asking.clone(), Vec::new()));
        }
        let everywhere = all && !args.here && asking.home.is_none();
        let usual = if everywhere { "-submitted" } else { "-id" };
        let (mut found, mut total, mut missing) = (Vec::new(), 0, Vec::new());
        for (at, jobs) in homes {
            let request = ListJobsRequest {
                jobs,
                filter: rows.filter.clone(),
                sort: rows.sort.clone().unwrap_or_else(|| usual.to_owned()),
                limit: rows.limit,
                offset: 0,
                everywhere,
            };
            let mut reply = at.node.list_jobs(request).await?;
            if rows.sort.is_none() {
                reply.jobs.reverse();
            }
            total += reply.total;
            found.extend(at.shown_by(reply.jobs, &reply.home));
            missing.extend(reply.unreached);
        }
        print(asking, &found, &missing, rows.format.as_deref())?;
        let left_out = total.saturating_sub(found.len() as u64);
        if left_out > 0 && !face.is_data() && rows.format.is_none() {
            asking.note(&format!("{left_out} more; --limit 0 shows all"));
        }
        Ok(Exit::OK)
    })
}

/// Prints jobs, and says whose are missing.
fn print(
    asking: &Asking,
    jobs: &[Job],
    missing: &[Unreached],
    format: Option<&str>,
) -> Result<(), Complaint> {
    let whole = matches!(asking.face.output, Form::Json | Form::Yaml) && format.is_none();
    if whole && !missing.is_empty() && !asking.face.is_quiet() {
        let jobs = jobs.iter().map(listing::json_of).collect::<Result<_, _>>()?;
        let unreached = missing.iter().map(listing::json_of).collect::<Result<_, _>>()?;
        let parts = [(JOBS.noun, Value::Array(jobs)), ("unreached", Value::Array(unreached))];
        let document = listing::document(JOBS.schema, parts);
        asking.say(&listing::data(&document, asking.face.output).unwrap_or_default())?;
    } else {
        asking.print(&JOBS, jobs, format)?;
    }
    missing.iter().for_each(|member| asking.note(&clean::line(&waiting(member))));
    Ok(())
}

/// What is known of a member that gave no answer, and of its jobs.
fn waiting(member: &Unreached) -> String {
    let Unreached { member, why, away_seconds, known, jobs, tasks } = member;
    let many = |count: &u64, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let away = match *away_seconds > 0.0 {
        true => format!("{member} has been away for {}", amount::span(*away_seconds)),
        false => format!("{member} did not answer ({why})"),
    };
    match (known, jobs) {
        (true, 1..) => {
            let (jobs, tasks) = (many(jobs, "job"), many(tasks, "task"));
            format!("{away}: {jobs} of it ({tasks}) wait for it to come back")
        }
        (true, 0) => format!("{away}: none of its jobs was unfinished"),
        (false, _) => format!("{away}: its jobs are not shown"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_lost_home_is_said_plainly() {
        let away = Unreached {
            member: "beta".into(),
            why: "it is silent".into(),
            away_seconds: 12.3,
            known: true,
            jobs: 3,
            tasks: 40,
        };
        let text = waiting(&away);
        assert_eq!(
            text,
            "beta has been away for 12.3s: 3 jobs of it (40 tasks) wait for it to come back"
        );
        let late = Unreached { away_seconds: 0.0, why: "it is late".into(), jobs: 1, ..away };
        let text = waiting(&late);
        assert!(text.starts_with("beta did not answer (it is late): 1 job of it"), "{text}");
        let unknown = Unreached { known: false, ..late };
        assert!(waiting(&unknown).ends_with("its jobs are not shown"));
    }
}
