//! The kinds of rows that a node answers with, and their columns.

use bary_api::v1::{
    AuditLine, Event, GraphPlace, Job, LearntTime, NodeStatus, ScaleDecision, Task, TokenInfo,
};

use crate::listing::amount::{percent, plain, size, span};
use crate::listing::moment::{self, Clock};
use crate::listing::{Kind, WIDE, column, number, optional};

/// Jobs.
pub(crate) const JOBS: Kind<Job> = Kind {
    schema: "bary.jobs/1",
    noun: "jobs",
    columns: &[
        number("JOB", 0, |job, _| named(job)),
        column("NAME", 1, |job, _| job.name.clone()),
        column("STATE", 0, |job, _| job.state.clone()),
        number("TASKS", 2, |job, _| job.tasks.to_string()),
        number("DONE", 3, |job, _| percent(job.progress)),
        number("RUNNING", 5, |job, _| count(job.running)),
        number("FAILED", 4, |job, _| count(job.failed)),
        number("PRIORITY", WIDE, |job, _| job.priority.to_string()),
        column("SUBMITTED", 7, |job, clock| clock.ago(&job.submitted)),
        number("TOOK", 6, |job, clock| clock.took(&job.started, &job.finished)),
        number("CPU", WIDE, |job, _| span(job.cpu_seconds)),
        number("PEAK", WIDE, |job, _| size(job.peak_memory)),
        number("ATTEMPTS", WIDE, |job, _| count(job.attempts)),
        column("OWNER", WIDE, |job, _| job.owner.clone()),
        column("TAGS", WIDE, |job, _| pairs(&job.tags)),
        column("REASON", WIDE, |job, _| job.reason.clone()),
    ],
    id: named,
};

/// How a job is named to the node that was asked.
pub(crate) fn named(job: &Job) -> String {
    if job.home.is_empty() { job.id.to_string() } else { format!("{}/{}", job.home, job.id) }
}

/// Tasks of a job.
pub(crate) const TASKS: Kind<Task> = Kind {
    schema: "bary.tasks/1",
    noun: "tasks",
    columns: &[
        column("TASK", 0, |task, _| task_named(task)),
        column("STATE", 0, |task, _| task.state.clone()),
        column("NODE", 3, |task, _| task.node.clone()),
        number("ATTEMPT", 5, |task, _| count(task.attempt.into())),
        number("WAITED", 6, |task, clock| waited(task, *clock)),
        number("RAN", 2, |task, clock| ran(task, *clock)),
        number("CPU", 7, |task, _| time(task.cpu_seconds)),
        number("PEAK", 8, |task, _| size(task.peak_memory)),
        number("EXIT", 1, |task, _| exit(task)),
        column("ERROR", 4, |task, _| task.error.clone()),
        column("SAYS", WIDE, |task, _| task.message.clone()),
        column("COMMAND", WIDE, |task, _| task.command.clone()),
    ],
    id: task_named,
};

/// How a task is named to the node that was asked.
pub(crate) fn task_named(task: &Task) -> String {
    let name = format!("{}/{}", task.job, task.name);
    if task.home.is_empty() { name } else { format!("{}/{name}", task.home) }
}

/// Nodes and workers.
pub(crate) const NODES: Kind<NodeStatus> = Kind {
    schema: "bary.nodes/1",
    noun: "nodes",
    columns: &[
        column("NODE", 0, |node, _| node.name.clone()),
        column("STATE", 0, |node, _| node.state.clone()),
        column("KIND", 4, |node, _| node.kind.clone()),
        number("BUSY", 1, |node, _| format!("{}/{}", node.busy, node.slots)),
        number("HOLDING", 5, |node, _| count(node.holding)),
        number("CPUS", 3, |node, _| plain(node.cpus)),
        number("MEMORY", 3, |node, _| size(node.memory)),
        number("GPUS", 6, |node, _| if node.gpus > 0.0 { plain(node.gpus) } else { String::new() }),
        number("ENDED", 2, |node, _| count(node.tasks_ended)),
        optional("AWAY", 5, |node, _| trip(node)),
        optional("LOAD", 5, |node, _| if_there(node, load)),
        column("SINCE", 7, |node, clock| clock.ago(&node.since)),
        optional("DOUBT", 2, |node, _| node.doubt.clone()),
        optional("ROLE", 4, |node, _| role(&node.role)),
        optional("REGION", 6, |node, _| count(node.region.into())),
        optional("KEY", WIDE, |node, _| yes(node.is_key_node)),
        number("CLOSENESS", WIDE, |node, _| plain(node.closeness)),
        number("FIEDLER", WIDE, |node, _| plain(node.fiedler_score)),
        number("CAPABLE", WIDE, |node, _| if_there(node, |node| format!("{:.1}", node.capability))),
        number("IDLE", WIDE, |node, _| if_there(node, |it| format!("{:.0}%", it.idle * 100.0))),
        number("MHZ", WIDE, |node, _| if_there(node, |node| format!("{:.0}", node.mhz))),
        number("AVAILABLE", WIDE, |node, _| if_there(node, |it| size(it.memory_available))),
        optional("KEPT BY", WIDE, |node, _| {
            if node.replicas > 1 { node.kept_by.join(",") } else { String::new() }
        }),
        optional("STANDS IN", WIDE, |node, _| stands_in(node)),
        optional("MEMBER", WIDE, |node, _| node.member.clone()),
        number("SPEED", WIDE, |node, _| plain(node.speed)),
        column("LABELS", WIDE, |node, _| pairs(&node.labels)),
        column("FUNCTIONS", WIDE, |node, _| node.functions.join(",")),
    ],
    id: |node| node.name.clone(),
};

/// What happened.
pub(crate) const EVENTS: Kind<Event> = Kind {
    schema: "bary.events/1",
    noun: "events",
    columns: &[
        number("NUMBER", WIDE, |event, _| event.number.to_string()),
        column("AT", 0, |event, _| moment::local(&event.at)),
        column("EVENT", 0, |event, _| event.kind.clone()),
        column("WHAT", 0, |event, _| what(event)),
        column("NODE", 2, |event, _| event.node.clone()),
        column("STATE", 1, |event, _| event.state.clone()),
        column("DETAIL", 3, |event, _| event.detail.clone()),
    ],
    id: |event| event.number.to_string(),
};

/// Lines of the audit log.
pub(crate) const AUDIT: Kind<AuditLine> = Kind {
    schema: "bary.audit/1",
    noun: "lines",
    columns: &[
        number("NUMBER", 4, |line, _| line.number.to_string()),
        column("AT", 0, |line, _| moment::local(&line.at)),
        column("WHO", 0, |line, _| line.who.clone()),
        column("ROLE", 3, |line, _| line.role.clone()),
        column("DOOR", 5, |line, _| line.door.clone()),
        column("VERB", 0, |line, _| line.verb.clone()),
        column("TARGET", 1, |line, _| line.target.clone()),
        column("OUTCOME", 0, |line, _| line.outcome.clone()),
        column("REASON", 2, |line, _| line.reason.clone()),
        column("HASH", WIDE, |line, _| line.hash.clone()),
    ],
    id: |line| line.number.to_string(),
};

/// Access tokens.
pub(crate) const TOKENS: Kind<TokenInfo> = Kind {
    schema: "bary.tokens/1",
    noun: "tokens",
    columns: &[
        column("NAME", 0, |token, _| token.name.clone()),
        column("ROLE", 0, |token, _| token.role.clone()),
        column("CREATED", 2, |token, clock| clock.ago(&token.created)),
        column("EXPIRES", 1, |token, clock| clock.ago(&token.expires)),
        column("LAST USED", 3, |token, clock| clock.ago(&token.last_used)),
    ],
    id: |token| token.name.clone(),
};

/// How far a node is, there and back, where it is of another member.
pub(crate) fn trip(node: &NodeStatus) -> String {
    micros(node.round_trip_seconds)
}

/// A way in microseconds, or in milliseconds where it is long.
pub(crate) fn micros(seconds: f64) -> String {
    match (seconds * 1e6).round() as u64 {
        0 => String::new(),
        micros @ 1..10_000 => format!("{micros} µs"),
        micros => format!("{} ms", micros / 1_000),
    }
}

/// What a node is among the others, where that is more than most are.
fn role(role: &str) -> String {
    if role == "leaf" { String::new() } else { role.to_owned() }
}

fn yes(is_so: bool) -> String {
    if is_so { "yes".to_owned() } else { String::new() }
}

/// The places of a cluster's graph.
pub(crate) const PLACES: Kind<GraphPlace> = Kind {
    schema: "bary.places/1",
    noun: "places",
    columns: &[
        column("MEMBER", 0, |place, _| place.name.clone()),
        number("REGION", 1, |place, _| count(place.region.into())),
        column("ROLE", 0, |place, _| place.role.clone()),
        column("KEY", 2, |place, _| yes(place.is_key_node)),
        number("CLOSENESS", 3, |place, _| plain(place.closeness)),
        number("FIEDLER", 4, |place, _| plain(place.fiedler_score)),
        number("SCORE", 5, |place, _| count(place.score)),
        column("NODES", 6, |place, _| place.nodes.join(",")),
    ],
    id: |place| place.name.clone(),
};

/// Decisions of the autoscaler.
pub(crate) const DECISIONS: Kind<ScaleDecision> = Kind {
    schema: "bary.scale-decisions/1",
    noun: "decisions",
    columns: &[
        column("AT", 0, |one, _| moment::local(&one.at)),
        column("BY", 2, |one, _| one.member.clone()),
        column("ACT", 0, |one, _| one.act.clone()),
        column("NODE", 0, |one, _| one.node.clone()),
        number(
            "TIMES",
            3,
            |one, _| if one.times > 1 { count(one.times.into()) } else { String::new() },
        ),
        column("REASON", 0, |one, _| one.reason.clone()),
        column("OUTCOME", 1, |one, _| one.outcome.clone()),
    ],
    id: |one| format!("{} {} {}", one.at, one.act, one.node).trim().to_owned(),
};

/// For whom its member stands in.
pub(crate) fn stands_in(node: &NodeStatus) -> String {
    match node.stands_in_for.as_slice() {
        [] => String::new(),
        homes => format!("for {}", homes.join(",")),
    }
}

/// What is measured of a node, where it is there.
fn if_there(node: &NodeStatus, shown: impl Fn(&NodeStatus) -> String) -> String {
    if node.state == "down" { String::new() } else { shown(node) }
}

/// How many cores of its machine have something to do, where a cluster's members tell.
pub(crate) fn load(node: &NodeStatus) -> String {
    if node.member.is_empty() { String::new() } else { format!("{:.1}", node.load) }
}

/// Invitations to a cluster.
pub(crate) const INVITATIONS: Kind<Invitation> = Kind {
    schema: "bary.invitations/1",
    noun: "invitations",
    columns: &[
        column("NAME", 0, |one, _| one.name.clone()),
        column("CREATED", 2, |one, clock| clock.ago(&one.created)),
        column("EXPIRES", 1, |one, clock| clock.ago(&one.expires)),
        number("USES", 0, |one, _| one.uses.map_or_else(|| "any".into(), |uses| uses.to_string())),
        column("MAY INVITE", 3, |one, _| if one.may_invite { "yes" } else { "no" }.to_owned()),
    ],
    id: |one| one.name.clone(),
};

/// What a member proves itself by.
pub(crate) const CERTIFICATES: Kind<Shown> = Kind {
    schema: "bary.certificates/1",
    noun: "certificates",
    columns: &[
        column("OF", 0, |one, _| one.whose.clone()),
        column("NAME", 0, |one, _| one.name.clone()),
        column("NUMBER", 5, |one, _| one.number.clone()),
        column("UNTIL", 0, |one, _| moment::local(&one.until)),
        column("FROM", WIDE, |one, _| moment::local(&one.from)),
        column("SIGNS", 3, |one, _| if one.signs { "yes" } else { "no" }.to_owned()),
        column("FINGERPRINT", 4, |one, _| one.fingerprint.clone()),
    ],
    id: |one| one.fingerprint.clone(),
};

/// One certificate, as programs read it.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Shown {
    /// Whose it is: the member's or the authority's.
    pub(crate) whose: String,
    pub(crate) name: String,
    /// The number that follows from its key.
    pub(crate) number: String,
    pub(crate) from: String,
    pub(crate) until: String,
    /// From when on a running member has it renewed.
    pub(crate) renewed_from: String,
    /// Whether its owner can sign those of others.
    pub(crate) signs: bool,
    pub(crate) fingerprint: String,
}

/// One invitation to a cluster, as programs read it.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Invitation {
    pub(crate) name: String,
    pub(crate) created: String,
    /// From when on it lets nobody in; empty where it does until revoked.
    pub(crate) expires: String,
    /// How many nodes it lets in still; absent where any number.
    pub(crate) uses: Option<u32>,
    /// Whether who joins may invite others.
    pub(crate) may_invite: bool,
}

/// How long tasks take by what they run.
pub(crate) const LEARNT: Kind<LearntTime> = Kind {
    schema: "bary.learnt/1",
    noun: "learnt",
    columns: &[
        column("FUNCTION", 0, |one, _| one.function.clone()),
        number("TASKS", 2, |one, _| one.tasks.to_string()),
        number("EXPECTED", 0, |one, _| span(one.seconds)),
        number("ERROR", 1, |one, _| error(one)),
        number("PREDICTED", 3, |one, _| count(one.predictions)),
    ],
    id: |one| one.function.clone(),
};

/// How far off predictions were, where there were any.
fn error(one: &LearntTime) -> String {
    if one.predictions > 0 { format!("{:.1}%", one.error * 100.0) } else { String::new() }
}

/// A count, where there is something to count.
fn count(number: u64) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

fn time(seconds: f64) -> String {
    if seconds > 0.0 { span(seconds) } else { String::new() }
}

/// `a=1,b=2`.
pub(crate) fn pairs(tags: &std::collections::BTreeMap<String, String>) -> String {
    let each = tags.iter().map(|(name, value)| format!("{name}={value}"));
    each.collect::<Vec<_>>().join(",")
}

/// How long a task waited before it began, or has waited so far.
pub(crate) fn waited(task: &Task, clock: Clock) -> String {
    match (task.started.is_empty(), task.finished.is_empty()) {
        (true, true) => clock.took(&task.submitted, ""),
        _ => span(task.wait_seconds),
    }
}

/// How long a task ran, or has run so far.
pub(crate) fn ran(task: &Task, clock: Clock) -> String {
    match (task.started.is_empty(), task.finished.is_empty()) {
        (true, _) => String::new(),
        (false, true) => clock.took(&task.started, ""),
        (false, false) => span(task.run_seconds),
    }
}

/// The exit code, of a task that has one.
pub(crate) fn exit(task: &Task) -> String {
    match task.state.as_str() {
        "succeeded" | "failed" | "quarantined" => task.exit.to_string(),
        _ => String::new(),
    }
}

/// What an event is about: a job, a task of it, or several from that one on.
pub(crate) fn what(event: &Event) -> String {
    match (event.job, event.task.is_empty(), event.tasks) {
        (0, ..) => String::new(),
        (job, true, _) => format!("job {job}"),
        (job, false, 0 | 1) => format!("{job}/{}", event.task),
        (job, false, more) => format!("{job}/{} and {} more", event.task, more - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_what_it_is_about() {
        let event =
            |job, task: &str, tasks| Event { job, task: task.into(), tasks, ..Event::default() };
        let table = [
            (event(0, "", 0), ""),
            (event(3, "", 0), "job 3"),
            (event(3, "a", 1), "3/a"),
            (event(3, "a[1]", 5), "3/a[1] and 4 more"),
        ];
        for (event, shown) in table {
            assert_eq!(what(&event), shown);
        }
    }
}
