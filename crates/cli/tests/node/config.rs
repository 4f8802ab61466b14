//! Settings of a whole cluster: set at one member, they hold at all, also at one that was away.

use crate::lab::{Lab, Member};

/// What a member follows.
fn followed(lab: &Lab, at: &Member) -> String {
    let shown = lab.ask(at, &["policy", "show", "-o", "json"]).json();
    shown["policy"]["name"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_is_set_at_one_member_holds_at_all_and_at_one_that_comes_back() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let mut beta = lab.join_at("beta", &line, "127.0.0.2:0");
    alpha.meets(&beta);
    beta.meets(&alpha);
    lab.ask(&alpha, &["config", "set", "policy", "fifo", "--reason", "calm"])
        .says(0, "before it was not set");
    for member in [&alpha, &beta] {
        while followed(&lab, member) != "fifo" {}
    }
    let told = lab.ask(&beta, &["config", "get", "policy", "-o", "json"]).json();
    let told = &told["settings"][0];
    assert_eq!((&told["value"], &told["who"]), (&"fifo".into(), &"admin".into()), "{told}");
    assert_eq!((&told["member"], &told["reason"]), (&"alpha".into(), &"calm".into()), "{told}");
    drop(beta);
    alpha.line("member beta has gone");
    lab.ask(&alpha, &["node", "ls"]).says(0, "1 of 2 nodes are there, of 1 of 2 members");
    lab.ask(&alpha, &["policy", "set", "random", "--cluster"]).says(0, "before it was fifo");
    let mut beta = lab.member("beta", &["up"]);
    beta.meets(&alpha);
    while followed(&lab, &beta) != "random" {}
    let history = lab.ask(&beta, &["config", "history", "policy", "-q"]);
    history.is(0, "policy=fifo\npolicy=random\n");
    lab.ask(&beta, &["config", "unset", "policy"]).says(0, "before it was random");
    // One with parts is shown like any other.
    lab.ask(&beta, &["config", "set", "policy", "gravity,order=fifo"]).says(0, "");
    while followed(&lab, &alpha) != "gravity,order=fifo" {}
    let shown = lab.ask(&alpha, &["policy", "show"]);
    assert!(shown.says(0, "").out.contains("order       fifo"), "{shown:?}");
}

#[test]
fn what_cannot_be_is_not_set_and_only_an_admin_sets() {
    let lab = Lab::new();
    let (alpha, _) = lab.found("alpha");
    let set = |key: &str, value: &str| lab.ask(&alpha, &["config", "set", key, value]);
    set("policy", "nonsense").says(2, "policy cannot be that");
    set("drain-timeout", "soon").says(2, "drain-timeout cannot be that");
    set("drain-timout", "1m").says(3, "did you mean `drain-timeout`?");
    set("drain-timeout", "7s").says(0, "before it was not set");
    let token = lab.ask(&alpha, &["token", "new", "op", "--role", "operator", "-q"]);
    let token = token.says(0, "").out.trim().to_owned();
    let put = alpha.node.ask("PUT", "/v1/settings/audit-max").json(r#"{"value":"1GiB"}"#);
    assert_eq!(put.send().value()["setting"]["version"], 2);
    let denied = crate::http::Ask::new("PUT", "/v1/settings/audit-max", alpha.node.at);
    let denied = denied.bearer(&token).json(r#"{"value":"2GiB"}"#).send();
    assert_eq!(denied.status, 403, "{denied:?}");
    let audit = lab.ask(&alpha, &["audit", "-o", "jsonl"]).out;
    assert!(audit.contains("\"drain-timeout 7s\"") && audit.contains("set-setting"), "{audit}");
    // It is as long as the cluster says that what runs may go on.
    let mut alpha = alpha;
    alpha.node.signal("TERM");
    alpha.line("what runs has 7 s");
}
