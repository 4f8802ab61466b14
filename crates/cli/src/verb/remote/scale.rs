//! `bary scale`: what the autoscaler is told, and what it decided.

use bary_api::v1::{ScaleDecision, ScaleReply};

use crate::args::Face;
use crate::args::scale::{ScaleLogArgs, ScaleShowArgs};
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::kinds::DECISIONS;
use crate::listing;

/// The schema of the document.
pub(crate) const SCHEMA: &str = "bary.scale/1";

/// Shows what it is told, and who is there.
pub(crate) fn show(args: &ScaleShowArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let reply = asking.node.scale(1).await?;
        let mut document = listing::json_of(&reply)?;
        document["schema"] = SCHEMA.into();
        let text = match listing::data(&document, face.output) {
            Some(text) => text,
            None => lines(&reply).join("\n"),
        };
        asking.say(&text)?;
        unreached(asking, &reply);
        Ok(Exit::OK)
    })
}

/// Prints what it decided.
pub(crate) fn log(args: &ScaleLogArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let reply = asking.node.scale(args.limit).await?;
        asking.print(&DECISIONS, &reply.decisions, None)?;
        unreached(asking, &reply);
        Ok(Exit::OK)
    })
}

fn unreached(asking: &Asking, reply: &ScaleReply) {
    for other in &reply.unreached {
        asking.note(&format!("what {} decided is not known: {}", other.member, other.why));
    }
}

/// All of it, a line each.
fn lines(reply: &ScaleReply) -> Vec<String> {
    if reply.plan.is_empty() {
        let how = "bary config set autoscale queue,most=8,driver=none";
        return vec![format!("nothing is scaled; begin with: {how}")];
    }
    let line = |key: &str, value: String| format!("{key:<9} {value}");
    let mut lines = vec![line("plan", reply.plan.clone())];
    if !reply.problem.is_empty() {
        lines.push(line("problem", reply.problem.clone()));
        return lines;
    }
    let leader = if reply.leader.is_empty() { "nobody leads" } else { &reply.leader };
    lines.push(line("driver", reply.driver.clone()));
    lines.push(line("leader", leader.to_owned()));
    let there = format!("{} of {} to {}", reply.there, reply.least, reply.most);
    lines.push(line("members", format!("{there}, {} busy", reply.busy)));
    lines.push(line("wanted", reply.wanted.to_string()));
    lines.push(line("tasks", format!("{} have not ended", reply.waiting)));
    for node in &reply.nodes {
        lines.push(line(&node.name, format!("{}, {}/{} busy", node.state, node.busy, node.slots)));
    }
    let decided = reply.decided.iter().map(|one| format!("{} {}", one.act, one.times));
    lines.push(line("decided", decided.collect::<Vec<_>>().join(", ")));
    lines.extend(reply.decisions.last().map(|last| line("last", last_words(last))));
    lines
}

fn last_words(last: &ScaleDecision) -> String {
    let act = format!("{} {}", last.act, last.node);
    let words = [act.trim(), &last.reason, &last.outcome];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use bary_api::v1::{ScaleCount, ScaleDecision, ScaleNode, ScaleReply};

    use super::lines;

    #[test]
    fn what_is_told_and_what_came_of_it_is_a_line_each() {
        assert!(lines(&ScaleReply::default())[0].starts_with("nothing is scaled"));
        let node = ScaleNode { name: "auto-1".into(), state: "up".into(), slots: 2, busy: 1 };
        let last = ScaleDecision {
            act: "add".into(),
            node: "auto-1".into(),
            reason: "queue: 9 tasks".into(),
            ..ScaleDecision::default()
        };
        let count = |(act, times): (&str, u64)| ScaleCount { act: act.to_owned(), times };
        let reply = ScaleReply {
            plan: "queue,most=4,driver=local".into(),
            driver: "local".into(),
            least: 1,
            most: 4,
            leader: "alpha".into(),
            there: 2,
            busy: 1,
            waiting: 9,
            wanted: 3,
            decided: [("add", 2), ("none", 40)].map(count).into(),
            nodes: vec![node],
            decisions: vec![last],
            ..ScaleReply::default()
        };
        let text = lines(&reply).join("\n");
        assert!(
            text.contains("members   2 of 1 to 4, 1 busy\nwanted    3\ntasks     9 have"),
            "{text}"
        );
        let end = "1/2 busy\ndecided   add 2, none 40\nlast      add auto-1; queue: 9 tasks";
        assert!(text.ends_with(end), "{text}");
        let wrong = ScaleReply { problem: "there is no `x`".into(), ..reply };
        assert_eq!(lines(&wrong).len(), 2);
    }
}
