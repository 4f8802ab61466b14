//! Both doors of a node say the same, and only to those who may hear it.

use crate::bench::Bench;
use crate::http::Ask;
use crate::standing::Standing;

#[test]
fn probes_need_no_token_and_all_else_does() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(Ask::new("GET", path, node.at).send().status, 200, "{path}");
    }
    let contract = Ask::new("GET", "/openapi.json", node.at).send();
    assert_eq!(contract.value()["openapi"].as_str().map(|v| &v[..3]), Some("3.1"));
    for token in [None, Some(""), Some("x"), Some("bary_AAAA"), Some(&node.token[..20])] {
        let ask = Ask::new("GET", "/v1/info", node.at);
        let ask = token.into_iter().fold(ask, Ask::bearer);
        let answer = ask.send();
        assert_eq!(answer.status, 401, "{token:?}");
        assert!(answer.head.contains("application/problem+json"), "{answer:?}");
        assert!(answer.head.contains("www-authenticate: bearer"), "{answer:?}");
        assert_eq!(answer.value()["type"], "unauthenticated");
    }
    let basic = Ask::new("GET", "/v1/info", node.at).header("Authorization", "Basic YTpi");
    assert_eq!(basic.send().status, 401);
    let twice = node.ask("GET", "/v1/info").bearer(&node.token);
    assert_eq!(twice.send().status, 401, "two tokens are none");
    assert_eq!(node.ask("GET", "/v1/info").send().value()["role"], "admin");
    let path = format!("/v1/info?token={}", node.token);
    assert_eq!(Ask::new("GET", &path, node.at).send().status, 401, "no token lies in a path");
}

#[test]
fn the_owner_needs_no_token_at_the_socket_but_may_have_one() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let plain = Ask::new("GET", "/v1/info", node.at).host(Some("anything")).send_to(&node.socket);
    assert_eq!(plain.value()["role"], "admin");
    let viewer = r#"{"name":"eve","role":"viewer"}"#;
    let viewer = node.ask("POST", "/v1/tokens").json(viewer).send().value();
    let token = viewer["token"].as_str().expect("it is shown once");
    let less = Ask::new("GET", "/v1/info", node.at).bearer(token).send_to(&node.socket);
    assert_eq!(less.value()["role"], "viewer");
    let wrong = Ask::new("GET", "/v1/info", node.at).bearer("bary_x").send_to(&node.socket);
    assert_eq!(wrong.status, 401, "a wrong token is worse than none");
}

#[test]
fn pages_get_nothing() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let own = format!("http://{}", node.at);
    assert_eq!(node.ask("GET", "/v1/info").header("Origin", &own).send().status, 200);
    for origin in ["http://evil.example", "null", "http://localhost:1"] {
        let answer = node.ask("GET", "/v1/info").header("Origin", origin).send();
        assert_eq!(answer.status, 403, "{origin}");
        assert!(!answer.head.contains("access-control"), "{answer:?}");
    }
    let flight = Ask::new("OPTIONS", "/v1/jobs", node.at)
        .header("Origin", &own)
        .header("Access-Control-Request-Method", "POST")
        .send();
    assert_eq!(flight.status, 405);
    assert!(!flight.head.contains("access-control"), "{flight:?}");
    for host in [Some("evil.example"), Some("127.0.0.1.nip.io:80"), None] {
        for path in ["/v1/info", "/healthz", "/openapi.json"] {
            assert_eq!(node.ask("GET", path).host(host).send().status, 403, "{host:?} {path}");
        }
    }
    for (method, path) in [("POST", "/v1/jobs"), ("PUT", "/v1/policy"), ("POST", "/v1/shutdown")] {
        let form = node.ask(method, path).header("Content-Type", "text/plain").body(b"{}").send();
        assert_eq!(form.status, 400, "a form is no request: {path}");
    }
    let cookie = Ask::new("DELETE", "/v1/tokens/admin", node.at)
        .header("Cookie", &format!("token={}", node.token));
    assert_eq!(cookie.send().status, 401);
}

#[test]
fn a_job_runs_and_its_events_are_told() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let job = node.submit(r#"{"command":["sh","-c","echo {}"],"inputs":["YQ==","Yg=="]}"#);
    let waited = node.wait(job).value();
    assert_eq!((&waited["done"], &waited["jobs"][0]["succeeded"]), (&true.into(), &2.into()));
    let events = node.ask("GET", &format!("/v1/events?jobs={job}")).send();
    assert!(events.head.contains("text/event-stream"), "{events:?}");
    let told: Vec<&str> = events.body.trim_end().split("\n\n").collect();
    assert_eq!(told.last(), Some(&"event: end\ndata: {}"), "{told:?}");
    let finished = told.iter().position(|event| event.contains("\"kind\":\"finished\""));
    let finished = told[finished.unwrap_or_else(|| panic!("it finished: {told:?}"))];
    let id = finished.lines().find_map(|line| line.strip_prefix("id: ")).expect("it has a number");
    let rest = node.ask("GET", &format!("/v1/events?jobs={job}")).header("Last-Event-ID", id);
    assert!(!rest.send().body.contains("\"kind\":\"finished\""), "it goes on after that");
    for (after, last) in [("after=x", "0"), ("after=0", "x"), ("after=0&after=0", "0")] {
        let wrong = node.ask("GET", &format!("/v1/events?{after}")).header("Last-Event-ID", last);
        assert_eq!(wrong.send().status, 400, "{after} with {last}");
    }
    let logs = node.ask("GET", &format!("/v1/jobs/{job}/logs"));
    let logs = logs.header("Accept", "application/x-ndjson").send();
    let mut printed: Vec<String> = logs
        .body
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("it is JSON"))
        .map(|chunk| chunk["data"].as_str().unwrap_or_default().to_owned())
        .collect();
    printed.sort();
    assert_eq!(printed, ["YQo=", "Ygo="]);
}

#[test]
fn the_same_key_is_the_same_job() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let submit = |key: &str, array: &str| {
        let body = format!(r#"{{"tasks":{{"function":"noop","array":"{array}"}}}}"#);
        node.ask("POST", "/v1/jobs").header("Idempotency-Key", key).json(&body).send()
    };
    let first = submit("k", "1-3").value();
    assert_eq!(submit("k", "1-3").value(), first);
    assert_ne!(submit("other", "1-3").value()["job"], first["job"]);
    assert_eq!(submit("k", "1-4").status, 409);
}

#[test]
fn json_submits_in_chunks_too() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let begin = r#"{"id":"s","format":"lines","bytes":3,"submit":{"tasks":{"function":"noop"}}}"#;
    let begun = node.ask("POST", "/v1/submissions").json(begin).send();
    assert_eq!((begun.status, &begun.value()["bytes"]), (200, &0.into()));
    let gap = node.ask("PUT", "/v1/submissions/s").json(r#"{"offset":2,"data":"Yg=="}"#).send();
    assert_eq!(gap.status, 409, "{gap:?}");
    for _ in 0..2 {
        let chunk = r#"{"offset":0,"data":"YQpi"}"#;
        let came = node.ask("PUT", "/v1/submissions/s").json(chunk).send();
        assert_eq!((came.status, &came.value()["bytes"]), (200, &3.into()));
    }
    for _ in 0..2 {
        let done = node.ask("POST", "/v1/submissions/s/commit").json("{}").send().value();
        assert_eq!((&done["job"], &done["tasks"]), (&1.into(), &2.into()));
    }
    let none = node.ask("POST", "/v1/submissions/t/commit").json("{}").send();
    assert_eq!(none.status, 404, "{none:?}");
}
