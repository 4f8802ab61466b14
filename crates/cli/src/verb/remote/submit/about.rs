//! What is said of a job as a whole: name, tags, what it waits for, when it may begin.

use bary_api::v1::SubmitRequest;
use jiff::tz::TimeZone;

use crate::args::submit::AboutArgs;
use crate::asking::Asking;
use crate::complaint::Complaint;
use crate::listing::moment::Clock;
use crate::selector::Jobs;

/// Adds it to a request. `last` among the jobs to wait for is looked up now.
pub(crate) async fn apply(
    mut request: SubmitRequest,
    about: &AboutArgs,
    priority: i32,
    asking: &Asking,
) -> Result<SubmitRequest, Complaint> {
    if let Some(name) = &about.name {
        request.name.clone_from(name);
    }
    let tags = about.tag.iter().map(|pair| (pair.name.clone(), pair.value.clone()));
    request.tags.extend(tags);
    request.after = after(asking, &about.after).await?;
    request.at = at(about)?;
    request.priority = priority;
    request.hold = about.hold;
    request.copies = about.copies.map_or(0, u32::from);
    request.idempotency_key = about.idempotency_key.clone().unwrap_or_default();
    Ok(request)
}

/// The jobs to wait for, which are of the member that the job is given to.
async fn after(asking: &Asking, named: &[Jobs]) -> Result<Vec<u32>, Complaint> {
    let mut found = asking.jobs(named).await?;
    if let Some((other, _)) = found.iter().find(|(at, _)| at.home != asking.home) {
        let text = format!("a job waits for jobs of its own member, not for {}", other.called("N"));
        return Err(Complaint::usage(text).help("give the job to that member: --home"));
    }
    Ok(found.pop().map(|(_, jobs)| jobs).unwrap_or_default())
}

fn at(about: &AboutArgs) -> Result<String, Complaint> {
    let clock = Clock::now();
    match (&about.at, about.after_span) {
        (Some(text), _) => clock.read(text, &TimeZone::system()).map_err(Complaint::usage),
        (None, Some(span)) => {
            let moment = clock.after(std::time::Duration::from_nanos(span.0));
            moment.ok_or_else(|| Complaint::usage("--in goes past the end of the calendar"))
        }
        (None, None) => Ok(String::new()),
    }
}
