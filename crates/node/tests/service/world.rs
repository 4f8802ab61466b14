//! A service over a real node in memory, and what tests submit to it.

use std::sync::{Arc, Condvar, Mutex};

use bary_api::role::Role;
use bary_api::v1::submit_request::Job;
use bary_api::v1::{self, SubmitRequest, Tasks};
use bary_node::board::limits::BoardLimits;
use bary_node::options::{ClusterOptions, NodeOptions};
use bary_node::service::caller::{Caller, Door};
use bary_node::service::options::{ServiceLimits, ServiceOptions};
use bary_node::service::{Ending, Service, Streamed};
use bary_policy::preset;
use bary_ports::function::{Call, Function, FunctionError, Functions};
use bytes::Bytes;
use tokio_stream::StreamExt;

/// A gate that functions wait at.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().expect("no test panics here") = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let shut = self.0.0.lock().expect("no test panics here");
        drop(self.0.1.wait_while(shut, |open| !*open).expect("no test panics here"));
    }
}

pub(crate) fn functions(gate: &Gate) -> Functions {
    let gate = gate.clone();
    let wait = move |_: &Call| {
        gate.pass();
        Ok(Bytes::new())
    };
    let echo = |call: &Call| Ok(call.arg("", 0).cloned().unwrap_or_default());
    let fail = |call: &Call| match call.arg("", 0) {
        Some(text) if &**text == b"bad" => Err(FunctionError::new("no luck")),
        _ => Ok(Bytes::new()),
    };
    Functions::from([
        ("wait".into(), Function::Blocking(Arc::new(wait))),
        ("echo".into(), Function::Blocking(Arc::new(echo))),
        ("fail".into(), Function::Blocking(Arc::new(fail))),
    ])
}

pub(crate) fn options(gate: &Gate) -> ServiceOptions {
    let policy = preset::parse("gravity").expect("it is the default");
    let mut cluster = ClusterOptions::new(vec![NodeOptions::local("n0", 2)], policy);
    cluster.functions = functions(gate);
    let (limits, board) = (ServiceLimits::default(), BoardLimits::default());
    ServiceOptions { cluster, policy_chosen: false, limits, board, version: "test".into() }
}

pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) gate: Gate,
    pub(crate) admin: Caller,
}

impl World {
    pub(crate) fn new() -> Self {
        let gate = Gate::default();
        let (service, _) = Service::in_memory(options(&gate)).expect("it starts");
        Self { service, gate, admin: caller(Role::Admin) }
    }

    pub(crate) async fn submit(&self, request: SubmitRequest) -> u32 {
        let reply = self.service.submit(&self.admin, request).await;
        reply.expect("it is accepted").job
    }

    pub(crate) async fn wait(&self, job: u32) -> v1::Job {
        let asked = v1::WaitRequest { jobs: vec![job], timeout: 300.0 };
        let reply = self.service.wait(&self.admin, asked).await.expect("it is there");
        assert!(reply.done, "{reply:?}");
        reply.jobs[0].clone()
    }

    pub(crate) async fn job(&self, job: u32) -> v1::Job {
        let asked = v1::ListJobsRequest { jobs: vec![job], ..Default::default() };
        let reply = self.service.list_jobs(&self.admin, asked).await.expect("it is there");
        reply.jobs[0].clone()
    }

    pub(crate) async fn results(&self, job: u32) -> Vec<v1::TaskResult> {
        let asked = v1::ResultsRequest { job, ..Default::default() };
        all(self.service.results(&self.admin, asked).await.expect("it is there")).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.gate.open();
        self.service.end(&Ending::Now);
    }
}

pub(crate) fn caller(role: Role) -> Caller {
    Caller { name: role.name().into(), role, door: Door::Node, consistent: false }
}

pub(crate) async fn all<T>(stream: Streamed<T>) -> Vec<T> {
    stream.map(|item| item.expect("it can be read")).collect().await
}

pub(crate) fn calls(function: &str, inputs: &[&'static str]) -> SubmitRequest {
    let inputs = inputs.iter().map(|input| Bytes::from_static(input.as_bytes())).collect();
    let function = function.to_owned();
    let tasks = Tasks { function, inputs, ..Tasks::default() };
    SubmitRequest { job: Some(Job::Tasks(tasks)), ..SubmitRequest::default() }
}

pub(crate) fn command(words: &[&str]) -> SubmitRequest {
    let command = words.iter().map(ToString::to_string).collect();
    let tasks = Tasks { command, ..Tasks::default() };
    SubmitRequest { job: Some(Job::Tasks(tasks)), ..SubmitRequest::default() }
}

pub(crate) fn jobs(job: u32) -> v1::JobsRequest {
    v1::JobsRequest { jobs: vec![job], reason: "because".to_owned() }
}
