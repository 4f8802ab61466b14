//! `bary job open` and `add`: jobs that take more tasks later.

use bary_api::v1::ExtendRequest;
use bary_api::v1::extend_request::More;
use bary_client::submission::Submission;
use bary_model::job::JobSpec;
use serde_json::json;

use crate::args::Face;
use crate::args::remote::{AddArgs, OpenArgs};
use crate::args::submit::WorkArgs;
use crate::asking;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing;
use crate::verb::remote::submit::{self, about, work};

/// The schema of the document after tasks were added.
pub(crate) const ADDED: &str = "bary.added/1";

/// Makes a job without tasks.
pub(crate) fn open(args: &OpenArgs, face: Face) -> Result<Exit, Complaint> {
    let named = args.called.as_ref().or(args.about.name.as_ref());
    let name = named.map_or_else(|| "open".to_owned(), ToOwned::to_owned);
    let job = JobSpec { open: true, ..JobSpec::new(name, []) };
    let submission = Submission::spec(&job)?.open();
    asking::run(&args.reach, face, async |asking| {
        let request = about::apply(submission.clone().into(), &args.about, 0, asking).await?;
        let reply = asking.node.submit(request).await?;
        submit::tell(asking, &reply)?;
        Ok(Exit::OK)
    })
}

/// Adds tasks to an open job.
pub(crate) fn add(args: &AddArgs, face: Face) -> Result<Exit, Complaint> {
    let literal = work::is_literal(&args.work, std::env::args_os());
    let job = work::job(&WorkArgs { literal, ..args.work.clone() }, &[])?;
    let spec = bary_api::spec::encode(&job).map_err(bary_api::problem::Refused::from)?;
    asking::run(&args.reach, face, async |asking| {
        let (at, job) = asking.job(&args.job).await?;
        let request = ExtendRequest { job, more: Some(More::Spec(spec.clone())) };
        let reply = at.node.extend(request).await?;
        let document =
            listing::document(ADDED, [("job", json!(job)), ("tasks", json!(reply.tasks))]);
        match (face.is_quiet(), listing::data(&document, face.output)) {
            (true, _) => asking.say(&format!("{}\n", reply.tasks))?,
            (false, Some(text)) => asking.say(&text)?,
            (false, None) => {
                asking.say(&format!("job {} has {} tasks now\n", at.called(job), reply.tasks))?;
            }
        }
        Ok(Exit::OK)
    })
}
