//! A node that gives canned answers and notes what it was asked, for what the verbs make of them.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bary_api::problem::{Kind, Refused};
use bary_api::v1;
use bary_api::v1::node_server::{Node, NodeServer};
use tokio_stream::Stream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request as Ask, Response, Status, Streaming};

use canned::{chosen, graph, node, scale, setting, task, tried, why};

mod canned;

/// What a fake was asked: the verb, and the request as it came.
pub(crate) type Asked = (&'static str, serde_json::Value);

/// A fake node that listens until it is dropped.
pub(crate) struct Fake {
    /// Where it listens.
    pub(crate) addr: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// Its runtime ends with it.
    runtime: Option<tokio::runtime::Runtime>,
}

/// The service behind it.
struct Answers {
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// An answer in pieces.
type Pieces<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;
type Answer<T> = Result<Response<T>, Status>;

/// The only token that is taken; none is taken too.
pub(crate) const TOKEN: &str = "bary_secret";

impl Fake {
    pub(crate) fn start() -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers = Answers { asked: Arc::clone(&asked) };
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build();
        let runtime = runtime.expect("the system has room for a thread");
        let any = "127.0.0.1:0".parse().expect("it is an address");
        let incoming = runtime.block_on(async { TcpIncoming::bind(any) }).expect("a port is free");
        let addr = incoming.local_addr().expect("it listens").to_string();
        runtime.spawn(
            Server::builder().add_service(NodeServer::new(answers)).serve_with_incoming(incoming),
        );
        Self { addr, asked, runtime: Some(runtime) }
    }

    /// How often a verb was asked.
    pub(crate) fn count(&self, verb: &str) -> usize {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|(name, _)| *name == verb).count()
    }

    /// The last request of a verb.
    #[track_caller]
    pub(crate) fn last(&self, verb: &str) -> serde_json::Value {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let found = asked.iter().rev().find(|(name, _)| *name == verb);
        found.unwrap_or_else(|| panic!("{verb} was not asked: {asked:?}")).1.clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn pieces<T: Send + 'static>(pieces: Vec<T>) -> Answer<Pieces<T>> {
    Ok(Response::new(Box::pin(tokio_stream::iter(pieces.into_iter().map(Ok)))))
}

impl Answers {
    /// Notes a request and gives it back, where its token is good.
    fn take<T: serde::Serialize>(&self, verb: &'static str, request: Ask<T>) -> Result<T, Status> {
        let token = request.metadata().get("authorization").map(|value| value.as_bytes());
        if token.is_some_and(|token| token != format!("Bearer {TOKEN}").as_bytes()) {
            return Err(Refused::new(Kind::Unauthenticated, "no such token").into());
        }
        let message = request.into_inner();
        let noted = serde_json::to_value(&message).expect("messages have a JSON form");
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push((verb, noted));
        Ok(message)
    }

    /// What every change of jobs answers.
    fn changed(jobs: &[u32]) -> Answer<v1::ChangedReply> {
        Ok(Response::new(v1::ChangedReply { jobs: chosen(jobs)?, ..Default::default() }))
    }
}

/// No test asks for this.
fn unasked<T>() -> Answer<T> {
    Err(Status::unimplemented("no test asks for this"))
}

#[tonic::async_trait]
impl Node for Answers {
    type SessionStream = Pieces<v1::SessionReply>;
    type ExecStream = Pieces<v1::ExecOutput>;
    type EventsStream = Pieces<v1::Event>;
    type LogsStream = Pieces<v1::LogChunk>;
    type ResultsStream = Pieces<v1::TaskResult>;
    type AuditStream = Pieces<v1::AuditLine>;

    async fn info(&self, request: Ask<v1::InfoRequest>) -> Answer<v1::InfoReply> {
        self.take("info", request)?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let (status, role) = ("ready".to_owned(), "admin".to_owned());
        let durability = "memory".to_owned();
        Ok(Response::new(v1::InfoReply { version, status, role, durability, ..Default::default() }))
    }

    async fn submit(&self, request: Ask<v1::SubmitRequest>) -> Answer<v1::SubmitReply> {
        let submit = self.take("submit", request)?;
        match submit.name.as_str() {
            "full" => Err(Refused::new(Kind::Full, "1 job waits").retry_after(2.5).into()),
            "large" => Err(Refused::new(Kind::Unplaceable, "no node has 99 cores").into()),
            _ => {
                let durability = "disk".to_owned();
                Ok(Response::new(v1::SubmitReply { job: 2, tasks: 1, durability }))
            }
        }
    }

    async fn begin(&self, _: Ask<v1::BeginRequest>) -> Answer<v1::StagedReply> {
        unasked()
    }

    async fn chunk(&self, _: Ask<v1::ChunkRequest>) -> Answer<v1::StagedReply> {
        unasked()
    }

    async fn commit(&self, _: Ask<v1::CommitRequest>) -> Answer<v1::SubmitReply> {
        unasked()
    }

    async fn exec(&self, _: Ask<Streaming<v1::ExecInput>>) -> Answer<Self::ExecStream> {
        unasked()
    }

    async fn session(&self, _: Ask<Streaming<v1::SessionRequest>>) -> Answer<Self::SessionStream> {
        unasked()
    }

    async fn extend(&self, request: Ask<v1::ExtendRequest>) -> Answer<v1::ExtendReply> {
        self.take("extend", request)?;
        Ok(Response::new(v1::ExtendReply { tasks: 4 }))
    }

    async fn close(&self, request: Ask<v1::JobsRequest>) -> Answer<v1::ChangedReply> {
        Self::changed(&self.take("close", request)?.jobs)
    }

    async fn cancel(&self, request: Ask<v1::CancelRequest>) -> Answer<v1::ChangedReply> {
        Self::changed(&self.take("cancel", request)?.jobs)
    }

    async fn hold(&self, request: Ask<v1::JobsRequest>) -> Answer<v1::ChangedReply> {
        Self::changed(&self.take("hold", request)?.jobs)
    }

    async fn release(&self, request: Ask<v1::JobsRequest>) -> Answer<v1::ChangedReply> {
        Self::changed(&self.take("release", request)?.jobs)
    }

    async fn set_priority(&self, request: Ask<v1::SetPriorityRequest>) -> Answer<v1::ChangedReply> {
        Self::changed(&self.take("set_priority", request)?.jobs)
    }

    async fn retry(&self, request: Ask<v1::JobsRequest>) -> Answer<v1::ChangedReply> {
        Self::changed(&self.take("retry", request)?.jobs)
    }

    async fn prune(&self, request: Ask<v1::PruneRequest>) -> Answer<v1::ChangedReply> {
        Self::changed(&self.take("prune", request)?.jobs)
    }

    async fn list_jobs(&self, request: Ask<v1::ListJobsRequest>) -> Answer<v1::ListJobsReply> {
        let asked = self.take("list_jobs", request)?;
        let mut jobs = chosen(&asked.jobs)?;
        let total = jobs.len() as u64;
        if matches!(&*asked.sort, "-id" | "-submitted") {
            jobs.reverse();
        }
        if asked.limit > 0 {
            jobs.truncate(asked.limit as usize);
        }
        Ok(Response::new(v1::ListJobsReply { jobs, total, ..Default::default() }))
    }

    async fn list_tasks(&self, request: Ask<v1::ListTasksRequest>) -> Answer<v1::ListTasksReply> {
        let asked = self.take("list_tasks", request)?;
        let tasks = vec![task(asked.job, 1), task(asked.job, 2)];
        Ok(Response::new(v1::ListTasksReply { tasks, total: 2, ..Default::default() }))
    }

    async fn wait(&self, request: Ask<v1::WaitRequest>) -> Answer<v1::WaitReply> {
        let asked = self.take("wait", request)?;
        let jobs = chosen(&asked.jobs)?;
        let done = jobs.iter().all(|job| !job.finished.is_empty());
        if !done {
            // A long wait outlasts the test; after a short one the client looks at its own clock.
            if asked.timeout >= 1.0 {
                std::future::pending::<()>().await;
            }
        }
        Ok(Response::new(v1::WaitReply { done, jobs }))
    }

    async fn events(&self, request: Ask<v1::EventsRequest>) -> Answer<Self::EventsStream> {
        self.take("events", request)?;
        let at = "2026-01-01T00:00:00Z".to_owned();
        let (kind, task) = ("started".to_owned(), "work[1]".to_owned());
        pieces(vec![v1::Event {
            number: 4,
            at,
            kind,
            job: 3,
            task,
            tasks: 2,
            ..Default::default()
        }])
    }

    async fn logs(&self, request: Ask<v1::LogsRequest>) -> Answer<Self::LogsStream> {
        let asked = self.take("logs", request)?;
        chosen(&[asked.job])?;
        let chunk = |stream: &str, data: &'static str| v1::LogChunk {
            task: "work[1]".into(),
            attempt: 1,
            stream: stream.into(),
            data: data.into(),
            ..v1::LogChunk::default()
        };
        let both = [chunk("out", "hello\n"), chunk("err", "oh\n")];
        let wanted = both
            .into_iter()
            .filter(|chunk| asked.stream.is_empty() || chunk.stream == asked.stream);
        pieces(wanted.collect())
    }

    async fn results(&self, request: Ask<v1::ResultsRequest>) -> Answer<Self::ResultsStream> {
        let asked = self.take("results", request)?;
        let result = |number, state: &str, data: &'static str, more| v1::TaskResult {
            job: asked.job,
            number,
            name: format!("work[{number}]"),
            state: state.into(),
            data: data.into(),
            more,
            ..Default::default()
        };
        let mut all =
            vec![result(1, "succeeded", "o", true), result(1, "succeeded", "ne\n", false)];
        if asked.job == 2 {
            all.push(v1::TaskResult {
                error: "it broke".into(),
                exit: 7,
                ..result(2, "failed", "", false)
            });
        }
        pieces(all)
    }

    async fn why(&self, request: Ask<v1::WhyRequest>) -> Answer<v1::WhyReply> {
        Ok(Response::new(why(self.take("why", request)?.job)))
    }

    async fn scale(&self, request: Ask<v1::ScaleRequest>) -> Answer<v1::ScaleReply> {
        self.take("scale", request)?;
        Ok(Response::new(scale()))
    }

    async fn graph(&self, request: Ask<v1::GraphRequest>) -> Answer<v1::GraphReply> {
        self.take("graph", request)?;
        Ok(Response::new(graph()))
    }

    async fn list_nodes(&self, request: Ask<v1::ListNodesRequest>) -> Answer<v1::ListNodesReply> {
        self.take("list_nodes", request)?;
        Ok(Response::new(v1::ListNodesReply { nodes: vec![node()] }))
    }

    async fn change_node(&self, request: Ask<v1::ChangeNodeRequest>) -> Answer<v1::ChangedReply> {
        self.take("change_node", request)?;
        Ok(Response::new(v1::ChangedReply::default()))
    }

    async fn list_policies(
        &self,
        request: Ask<v1::ListPoliciesRequest>,
    ) -> Answer<v1::ListPoliciesReply> {
        self.take("list_policies", request)?;
        let policy = v1::Policy { name: "gravity".into(), ..Default::default() };
        let (policies, followed, learnt) = (vec![policy], "gravity".into(), vec![<_>::default()]);
        Ok(Response::new(v1::ListPoliciesReply { policies, followed, learnt }))
    }

    async fn set_policy(&self, request: Ask<v1::SetPolicyRequest>) -> Answer<v1::SetPolicyReply> {
        let preset = self.take("set_policy", request)?.preset;
        let policy = v1::Policy { name: preset, ..Default::default() };
        Ok(Response::new(v1::SetPolicyReply { policy: Some(policy), before: "gravity".into() }))
    }

    async fn try_policy(&self, request: Ask<v1::TryPolicyRequest>) -> Answer<v1::TryPolicyReply> {
        self.take("try_policy", request)?;
        Ok(Response::new(tried()))
    }

    async fn cache(&self, request: Ask<v1::CacheRequest>) -> Answer<v1::CacheReply> {
        self.take("cache", request)?;
        Ok(Response::new(v1::CacheReply { entries: 2, hits: 3, misses: 1, ..Default::default() }))
    }

    async fn clear_cache(
        &self,
        request: Ask<v1::ClearCacheRequest>,
    ) -> Answer<v1::ClearCacheReply> {
        self.take("clear_cache", request)?;
        Ok(Response::new(v1::ClearCacheReply { entries: 2, bytes: 300 }))
    }

    async fn audit(&self, request: Ask<v1::AuditRequest>) -> Answer<Self::AuditStream> {
        self.take("audit", request)?;
        pieces(vec![v1::AuditLine { number: 1, who: "ann".into(), ..Default::default() }])
    }

    async fn list_tokens(
        &self,
        request: Ask<v1::ListTokensRequest>,
    ) -> Answer<v1::ListTokensReply> {
        self.take("list_tokens", request)?;
        let token =
            v1::TokenInfo { name: "ci".into(), role: "viewer".into(), ..Default::default() };
        Ok(Response::new(v1::ListTokensReply { tokens: vec![token] }))
    }

    async fn create_token(
        &self,
        request: Ask<v1::CreateTokenRequest>,
    ) -> Answer<v1::CreateTokenReply> {
        let asked = self.take("create_token", request)?;
        let info = v1::TokenInfo { name: asked.name, role: asked.role, ..Default::default() };
        Ok(Response::new(v1::CreateTokenReply { token: "bary_new".into(), info: Some(info) }))
    }

    async fn revoke_token(&self, request: Ask<v1::RevokeTokenRequest>) -> Answer<v1::ChangedReply> {
        self.take("revoke_token", request)?;
        Ok(Response::new(v1::ChangedReply::default()))
    }

    async fn backup(&self, request: Ask<v1::BackupRequest>) -> Answer<v1::BackupReply> {
        let directory = self.take("backup", request)?.directory;
        Ok(Response::new(v1::BackupReply { directory, ..Default::default() }))
    }

    async fn list_settings(
        &self,
        request: Ask<v1::ListSettingsRequest>,
    ) -> Answer<v1::ListSettingsReply> {
        self.take("list_settings", request)?;
        Ok(Response::new(v1::ListSettingsReply { settings: vec![setting("policy", "gravity")] }))
    }

    async fn set_setting(
        &self,
        request: Ask<v1::SetSettingRequest>,
    ) -> Answer<v1::SetSettingReply> {
        let v1::SetSettingRequest { key, value, .. } = self.take("set_setting", request)?;
        let (setting, before) = (Some(setting(&key, &value)), "fifo".to_owned());
        Ok(Response::new(v1::SetSettingReply { setting, before }))
    }

    async fn shutdown(&self, request: Ask<v1::ShutdownRequest>) -> Answer<v1::ChangedReply> {
        self.take("shutdown", request)?;
        Ok(Response::new(v1::ChangedReply::default()))
    }
}
