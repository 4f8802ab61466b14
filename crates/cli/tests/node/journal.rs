//! The journal of a node, as the commands show it that look into one.

use crate::bench::Bench;
use crate::standing::Standing;

#[test]
fn the_journal_of_a_node_is_shown_verified_and_judged() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let body = r#"{"tasks":{"function":"noop","array":"1-20"}}"#;
    let submit = node.ask("POST", "/v1/jobs").header("Idempotency-Key", "k").json(body);
    assert_eq!(submit.send().status, 200);
    assert_eq!(node.wait(1).value()["jobs"][0]["succeeded"], 20);
    let look = |words: &[&str]| bench.bary(&[&["journal"], words, &["state"]].concat());
    assert_eq!(look(&["verify"]).code, Some(0));
    for form in ["table", "json", "jsonl"] {
        let dump = look(&["dump", "-o", form]);
        assert_eq!(dump.code, Some(0), "{dump:?}");
        assert!(dump.out.to_lowercase().contains("submitted"), "{form}: {dump:?}");
    }
    drop(node);
    let history = look(&["export"]);
    assert_eq!(history.code, Some(0), "{history:?}");
    bench.file("history", history.out);
    let judged = bench.bary(&["sim", "judge", "--ended", "history"]);
    assert!(judged.out.ends_with("every invariant holds\n"), "{judged:?}");
}
