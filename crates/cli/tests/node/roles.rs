//! The table of verbs and roles, on every door: who has the role gets past it, and nobody else.

use bary_api::role::Role;
use bary_api::verb::{Row, TABLE, Verb};
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tonic_prost::ProstCodec;

use crate::bench::Bench;
use crate::http::Ask;
use crate::standing::Standing;

/// A token of each role.
fn tokens(node: &Standing) -> Vec<(Role, String)> {
    let mint = |&role: &Role| {
        let body = format!(r#"{{"name":"the-{role}","role":"{role}"}}"#);
        let minted = node.ask("POST", "/v1/tokens").json(&body).send().value();
        (role, minted["token"].as_str().expect("it is shown once").to_owned())
    };
    Role::ALL.iter().map(mint).collect()
}

/// The verbs that can be used without harm to who may; the end of the node is tried last, and by
/// those only who may not.
fn harmless(row: &Row, role: Role) -> bool {
    row.verb != Verb::Shutdown || role < row.role
}

/// A path of the table with something that is not there for each parameter.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{job}" | "{jobs}" => "4000000000",
        "{action}" => "undrain",
        "{policy}" => "gravity",
        other if other.starts_with('{') => "nothing",
        other => other,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn http_goes_by_the_table() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let tokens = tokens(&node);
    for row in &TABLE {
        for route in row.http {
            let path = filled(route.path);
            let ask = Ask::new(route.method.name(), &path, node.at);
            let ask = if route.method.has_body() { ask.json("{}") } else { ask };
            // Those who try often are told to wait.
            assert!(matches!(ask.send().status, 401 | 429), "{} without a token", row.name);
            for (role, token) in tokens.iter().filter(|(role, _)| harmless(row, *role)) {
                let status = ask.clone().bearer(token).send().status;
                let refused = matches!(status, 401 | 403 | 405);
                assert_eq!(refused, *role < row.role, "{} as {role}: {status}", row.name);
            }
        }
    }
}

/// What a call with an empty message comes to.
async fn call(channel: &Channel, row: &Row, token: Option<&str>) -> Code {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.expect("it listens");
    let (codec, path) = (ProstCodec::<(), ()>::default(), row.grpc.parse().expect("it is a path"));
    let mut request = Request::new(());
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().expect("it is plain text");
        request.metadata_mut().insert("authorization", value);
    }
    let talks = row.streams && row.http.is_empty();
    let outcome = if talks {
        let request = request.map(|()| tokio_stream::empty());
        grpc.streaming(request, path, codec).await.map(drop)
    } else if row.streams {
        grpc.server_streaming(request, path, codec).await.map(drop)
    } else {
        grpc.unary(request, path, codec).await.map(drop)
    };
    outcome.map_or_else(|status| status.code(), |()| Code::Ok)
}

#[test]
fn grpc_goes_by_the_table() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let tokens = tokens(&node);
    let builder = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    builder.expect("a runtime").block_on(async {
        let endpoint = Endpoint::from_shared(format!("http://{}", node.at)).expect("an address");
        let channel = endpoint.connect().await.expect("it listens");
        // Workers have no service at this door.
        for row in TABLE.iter().filter(|row| row.verb != Verb::Work) {
            let unknown = call(&channel, row, None).await;
            // Those who try often are told to wait.
            let refused = matches!(unknown, Code::Unauthenticated | Code::ResourceExhausted);
            assert!(refused, "{} without a token: {unknown}", row.name);
            for (role, token) in tokens.iter().filter(|(role, _)| harmless(row, *role)) {
                let code = call(&channel, row, Some(token)).await;
                let refused = matches!(
                    code,
                    Code::Unauthenticated | Code::PermissionDenied | Code::Unimplemented
                );
                assert_eq!(refused, *role < row.role, "{} as {role}: {code}", row.name);
            }
        }
    });
}

#[test]
fn each_refusal_and_each_change_is_in_the_audit_log() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let tokens = tokens(&node);
    let (_, viewer) = &tokens[0];
    let hold = Ask::new("POST", "/v1/jobs/1/hold", node.at).json("{}");
    assert_eq!(hold.clone().bearer(viewer).send().status, 403);
    assert_eq!(hold.bearer("bary_wrong").send().status, 401);
    node.submit(r#"{"function":"noop"}"#);
    let lines = node.ask("GET", "/v1/audit").header("Accept", "application/x-ndjson").send().body;
    let told = |verb: &str, who: &str, outcome: &str| {
        lines.lines().any(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
            line["verb"] == verb && line["who"] == who && line["outcome"] == outcome
        })
    };
    assert!(told("hold", "the-viewer", "refused"), "{lines}");
    assert!(told("submit", "admin", "done"), "{lines}");
    assert!(told("create-token", "admin", "done"), "{lines}");
    assert!(lines.contains("\"who\":\"\""), "who is not known is told too: {lines}");
    for (_, token) in &tokens {
        assert!(!lines.contains(token.as_str()), "no token is ever told");
    }
}

#[test]
fn probes_may_ask_without_a_token_and_the_contract_is_for_callers() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let row = |grpc: &'static str, streams: bool| Row { grpc, streams, ..*Verb::Session.row() };
    let health = row("/grpc.health.v1.Health/Check", false);
    let reflection = row("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", true);
    let builder = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    builder.expect("a runtime").block_on(async {
        let endpoint = Endpoint::from_shared(format!("http://{}", node.at)).expect("an address");
        let channel = endpoint.connect().await.expect("it listens");
        assert_eq!(call(&channel, &health, None).await, Code::Ok);
        assert_eq!(call(&channel, &reflection, None).await, Code::Unauthenticated);
        assert_eq!(call(&channel, &reflection, Some(&node.token)).await, Code::Ok);
    });
}

#[test]
fn a_message_that_cannot_be_read_is_no_fault_of_the_node() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let builder = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    builder.expect("a runtime").block_on(async {
        let endpoint = Endpoint::from_shared(format!("http://{}", node.at)).expect("an address");
        let mut grpc = Grpc::new(endpoint.connect().await.expect("it listens"));
        grpc.ready().await.expect("it listens");
        // Its second field is a number, where a submission has a text.
        let wait = bary_api::v1::WaitRequest { timeout: 1.0, ..Default::default() };
        let mut request = Request::new(wait);
        let value = format!("Bearer {}", node.token).parse().expect("it is plain text");
        request.metadata_mut().insert("authorization", value);
        let path = Verb::Submit.row().grpc.parse().expect("it is a path");
        let codec = ProstCodec::<bary_api::v1::WaitRequest, ()>::default();
        let refused = grpc.unary(request, path, codec).await.expect_err("it is no submission");
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    });
}
