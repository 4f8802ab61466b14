//! What may be asked of a node: every verb with its gRPC path, its place under `/v1`, the least
//! role that may use it, and whether it changes anything. Doors, role checks and reference pages
//! all go by this table.

use std::fmt;

use crate::role::Role;

#[cfg(test)]
mod tests;

/// What may be asked of a node; one for each call of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the table says what each is")]
pub enum Verb {
    Info,
    Submit,
    Begin,
    Chunk,
    Commit,
    Session,
    Extend,
    Close,
    Cancel,
    Hold,
    Release,
    SetPriority,
    Retry,
    Prune,
    ListJobs,
    ListTasks,
    Wait,
    Events,
    Logs,
    Results,
    Why,
    Exec,
    ListNodes,
    Graph,
    Scale,
    ChangeNode,
    ListPolicies,
    SetPolicy,
    TryPolicy,
    Cache,
    ClearCache,
    Audit,
    ListTokens,
    CreateToken,
    RevokeToken,
    Backup,
    Shutdown,
    ListSettings,
    SetSetting,
    Work,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "HTTP says what each is")]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// Where a verb lies over HTTP.
///
/// A name in braces is a field of the request; a list is written with commas: `/v1/jobs/1,2/hold`.
/// The other fields are query parameters where the method is GET or DELETE, a list one for each
/// entry, and else the fields of a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path with its parameters, as `/v1/jobs/{job}/tasks`.
    pub path: &'static str,
}

/// All about one verb.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The verb.
    pub verb: Verb,
    /// Its name, as audit lines have it.
    pub name: &'static str,
    /// Its gRPC path.
    pub grpc: &'static str,
    /// Where it lies over HTTP; nowhere for what needs a stream in both directions.
    pub http: &'static [Route],
    /// The least role that may use it.
    pub role: Role,
    /// Whether it changes anything, so that the audit log has a line for each use.
    pub changes: bool,
    /// Whether it answers with a stream: server-sent events over HTTP.
    pub streams: bool,
    /// What it does, in a few words.
    pub summary: &'static str,
}

const fn get(path: &'static str) -> Route {
    Route { method: Method::Get, path }
}

const fn post(path: &'static str) -> Route {
    Route { method: Method::Post, path }
}

const fn put(path: &'static str) -> Route {
    Route { method: Method::Put, path }
}

const fn delete(path: &'static str) -> Route {
    Route { method: Method::Delete, path }
}

/// A verb that only looks.
const fn looks(
    verb: Verb,
    name: &'static str,
    grpc: &'static str,
    http: &'static [Route],
    role: Role,
    summary: &'static str,
) -> Row {
    Row { verb, name, grpc, http, role, changes: false, streams: false, summary }
}

/// A verb that makes something ready which another one changes something with: nothing of it is
/// visible, so that the audit log needs no line.
const fn stages(
    verb: Verb,
    name: &'static str,
    grpc: &'static str,
    http: &'static [Route],
    summary: &'static str,
) -> Row {
    looks(verb, name, grpc, http, Operator, summary)
}

/// A verb that looks and answers with a stream.
const fn follows(
    verb: Verb,
    name: &'static str,
    grpc: &'static str,
    http: &'static [Route],
    role: Role,
    summary: &'static str,
) -> Row {
    Row { streams: true, ..looks(verb, name, grpc, http, role, summary) }
}

/// A verb that changes something.
const fn does(
    verb: Verb,
    name: &'static str,
    grpc: &'static str,
    http: &'static [Route],
    role: Role,
    summary: &'static str,
) -> Row {
    Row { changes: true, ..looks(verb, name, grpc, http, role, summary) }
}

/// A verb that changes something over a stream in both directions.
const fn talks(
    verb: Verb,
    name: &'static str,
    grpc: &'static str,
    role: Role,
    summary: &'static str,
) -> Row {
    Row { streams: true, ..does(verb, name, grpc, &[], role, summary) }
}

use Role::{Admin, Operator, Viewer};

/// Every verb, in the order of [`Verb`], which is the contract's.
#[rustfmt::skip]
pub static TABLE: [Row; 40] = [
    looks(Verb::Info, "info", "/bary.v1.Node/Info", &[get("/v1/info")], Viewer,
        "who answers, how durable its word is, and what is under way"),
    does(Verb::Submit, "submit", "/bary.v1.Node/Submit", &[post("/v1/jobs")], Operator,
        "takes a job in"),
    stages(Verb::Begin, "begin", "/bary.v1.Node/Begin", &[post("/v1/submissions")],
        "announces a submission that comes in chunks"),
    stages(Verb::Chunk, "chunk", "/bary.v1.Node/Chunk", &[put("/v1/submissions/{id}")],
        "brings a chunk of a submission"),
    does(Verb::Commit, "commit", "/bary.v1.Node/Commit", &[post("/v1/submissions/{id}/commit")],
        Operator, "takes in a submission that came in chunks"),
    talks(Verb::Session, "session", "/bary.v1.Node/Session", Operator,
        "takes many jobs in on one stream, and gives their outcomes"),
    does(Verb::Extend, "extend", "/bary.v1.Node/Extend", &[post("/v1/jobs/{job}/tasks")], Operator,
        "adds tasks to an open job"),
    does(Verb::Close, "close", "/bary.v1.Node/Close", &[post("/v1/jobs/{jobs}/close")], Operator,
        "says that no more tasks will be added"),
    does(Verb::Cancel, "cancel", "/bary.v1.Node/Cancel", &[post("/v1/jobs/{jobs}/cancel")],
        Operator, "ends jobs"),
    does(Verb::Hold, "hold", "/bary.v1.Node/Hold", &[post("/v1/jobs/{jobs}/hold")], Operator,
        "keeps what has not started from starting"),
    does(Verb::Release, "release", "/bary.v1.Node/Release", &[post("/v1/jobs/{jobs}/release")],
        Operator, "lets held jobs go on"),
    does(Verb::SetPriority, "set-priority", "/bary.v1.Node/SetPriority",
        &[put("/v1/jobs/{jobs}/priority")], Operator, "puts jobs ahead of others, or behind"),
    does(Verb::Retry, "retry", "/bary.v1.Node/Retry", &[post("/v1/jobs/{jobs}/retry")], Operator,
        "runs what did not succeed once more"),
    does(Verb::Prune, "prune", "/bary.v1.Node/Prune", &[post("/v1/prune")], Admin,
        "forgets finished jobs"),
    looks(Verb::ListJobs, "list-jobs", "/bary.v1.Node/ListJobs",
        &[get("/v1/jobs"), get("/v1/jobs/{jobs}")], Viewer, "lists jobs"),
    looks(Verb::ListTasks, "list-tasks", "/bary.v1.Node/ListTasks",
        &[get("/v1/jobs/{job}/tasks")], Viewer, "lists the tasks of a job"),
    looks(Verb::Wait, "wait", "/bary.v1.Node/Wait", &[get("/v1/jobs/{jobs}/wait")], Viewer,
        "answers when jobs have ended"),
    follows(Verb::Events, "events", "/bary.v1.Node/Events", &[get("/v1/events")], Viewer,
        "what happens, as it happens"),
    follows(Verb::Logs, "logs", "/bary.v1.Node/Logs", &[get("/v1/jobs/{job}/logs")], Viewer,
        "what tasks print"),
    follows(Verb::Results, "results", "/bary.v1.Node/Results", &[get("/v1/jobs/{job}/results")],
        Viewer, "what tasks gave"),
    looks(Verb::Why, "why", "/bary.v1.Node/Why", &[get("/v1/jobs/{job}/tasks/{task}/why")], Viewer,
        "why a task is where it is"),
    talks(Verb::Exec, "exec", "/bary.v1.Node/Exec", Admin,
        "runs a command beside a task that runs"),
    looks(Verb::ListNodes, "list-nodes", "/bary.v1.Node/ListNodes", &[get("/v1/nodes")], Viewer,
        "lists the nodes that run tasks"),
    looks(Verb::Graph, "graph", "/bary.v1.Node/Graph", &[get("/v1/graph")], Viewer,
        "the graph of the cluster"),
    looks(Verb::Scale, "scale", "/bary.v1.Node/Scale", &[get("/v1/scale")], Viewer,
        "what the autoscaler is told and decided"),
    does(Verb::ChangeNode, "change-node", "/bary.v1.Node/ChangeNode",
        &[post("/v1/nodes/{node}/{action}")], Operator,
        "drains, undrains or labels a node, or has its results copied"),
    looks(Verb::ListPolicies, "list-policies", "/bary.v1.Node/ListPolicies",
        &[get("/v1/policies")], Viewer, "lists the placement policies"),
    does(Verb::SetPolicy, "set-policy", "/bary.v1.Node/SetPolicy", &[put("/v1/policy")], Operator,
        "follows another policy"),
    looks(Verb::TryPolicy, "try-policy", "/bary.v1.Node/TryPolicy",
        &[get("/v1/policies/{policy}/try")], Viewer, "says what a policy would decide"),
    looks(Verb::Cache, "cache", "/bary.v1.Node/Cache", &[get("/v1/cache")], Viewer,
        "says how the result cache is"),
    does(Verb::ClearCache, "clear-cache", "/bary.v1.Node/ClearCache", &[post("/v1/cache/clear")],
        Operator, "removes results from the result cache"),
    follows(Verb::Audit, "audit", "/bary.v1.Node/Audit", &[get("/v1/audit")], Admin,
        "lines of the audit log"),
    looks(Verb::ListTokens, "list-tokens", "/bary.v1.Node/ListTokens", &[get("/v1/tokens")], Admin,
        "lists the access tokens"),
    does(Verb::CreateToken, "create-token", "/bary.v1.Node/CreateToken", &[post("/v1/tokens")],
        Admin, "mints an access token"),
    does(Verb::RevokeToken, "revoke-token", "/bary.v1.Node/RevokeToken",
        &[delete("/v1/tokens/{name}")], Admin, "revokes an access token"),
    does(Verb::Backup, "backup", "/bary.v1.Node/Backup", &[post("/v1/backup")], Admin,
        "writes a copy of the state on the node's machine"),
    does(Verb::Shutdown, "shutdown", "/bary.v1.Node/Shutdown", &[post("/v1/shutdown")], Admin,
        "ends the node"),
    looks(Verb::ListSettings, "list-settings", "/bary.v1.Node/ListSettings",
        &[get("/v1/settings")], Viewer, "lists settings of the whole cluster"),
    does(Verb::SetSetting, "set-setting", "/bary.v1.Node/SetSetting",
        &[put("/v1/settings/{key}")], Admin, "sets a setting of the whole cluster"),
    talks(Verb::Work, "work", "/bary.v1.Worker/Work", Operator,
        "runs tasks for the node, as a worker"),
];

impl Verb {
    /// All about it.
    #[must_use]
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The verb that lies at a gRPC path.
    #[must_use]
    pub fn of_grpc(path: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.grpc == path).map(|row| row.verb)
    }

    /// The verb that lies at a path over HTTP, under a method.
    #[must_use]
    pub fn of_http(method: &str, path: &str) -> Option<Self> {
        let lies = |route: &&Route| route.method.name() == method && route.is(path);
        TABLE.iter().find(|row| row.http.iter().any(|route| lies(&route))).map(|row| row.verb)
    }

    /// The verb that has a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.verb)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.row().name)
    }
}

impl Method {
    /// Its name, as HTTP has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// Whether fields outside the path lie in a JSON body, rather than in the query.
    #[must_use]
    pub fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put)
    }
}

impl Route {
    /// Whether it is the route to a path.
    #[must_use]
    pub fn is(&self, path: &str) -> bool {
        let (mut own, mut parts) = (self.path.split('/'), path.split('/'));
        loop {
            match (own.next(), parts.next()) {
                (None, None) => return true,
                (Some(own), Some(part)) if own == part => {}
                (Some(own), Some(part)) if own.starts_with('{') && !part.is_empty() => {}
                _ => return false,
            }
        }
    }

    /// The names of its parameters, from left to right.
    pub fn params(&self) -> impl Iterator<Item = &'static str> {
        let braced = |part: &'static str| part.strip_prefix('{')?.strip_suffix('}');
        self.path.split('/').filter_map(braced)
    }
}
