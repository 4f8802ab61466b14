//! `bary why JOB/TASK`: why a task of a node waits, runs where it runs, or ended as it did.

use bary_api::v1::WhyReply;

use crate::args::Face;
use crate::args::reach::Reach;
use crate::asking;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::amount::plain;
use crate::listing::moment::Clock;
use crate::listing::{self, clean};
use crate::selector::Target;
use crate::verb::remote::{events, show};

/// The schema of the document.
pub(crate) const SCHEMA: &str = "bary.why/2";

/// Tells why.
pub(crate) fn run(target: &Target, reach: &Reach, face: Face) -> Result<Exit, Complaint> {
    asking::run(reach, face, async |asking| {
        let job = asking.job(&target.jobs).await?;
        for task in &target.tasks {
            let reply = asking.node.why(job, task).await?;
            let mut document = listing::json_of(&reply)?;
            document["schema"] = SCHEMA.into();
            match listing::data(&document, face.output) {
                Some(document) if !face.is_quiet() => asking.say(&document)?,
                _ => asking.say(&text(&reply, face))?,
            }
        }
        Ok(Exit::OK)
    })
}

fn text(reply: &WhyReply, face: Face) -> String {
    let mut text = format!("{}\n", clean::line(&reply.answer));
    if face.is_quiet() {
        return text;
    }
    if let Some(task) = &reply.task {
        text.push('\n');
        text += &show::block(&show::task_lines(task, Clock::now()));
    }
    if !reply.candidates.is_empty() {
        text += "\nwhere it could go, the best first:\n";
        for candidate in &reply.candidates {
            let (node, score) = (&candidate.node, plain(candidate.score));
            let line = clean::line(&format!("{node:12}  {score:>10}  {}", candidate.reason));
            text += &format!("  {}\n", line.trim_end());
        }
    }
    if !reply.life.is_empty() {
        text += "\nwhat happened to it:\n";
        for event in &reply.life {
            text += &format!("  {}", events::line(event, false));
        }
    }
    text
}
