//! Tasks that take results of equal work, from the command line and over HTTP.

use serde_json::Value;

use crate::desk::Desk;

impl Desk {
    fn cache(&self) -> Value {
        self.bary(&["cache", "-o", "json"]).json()
    }

    /// How often something ran that leaves a mark.
    fn marks(&self) -> usize {
        self.bench.read("marks").lines().count()
    }
}

#[test]
fn equal_work_is_answered_until_the_cache_is_cleared() {
    let desk = Desk::new();
    let submit = |flag: &str, word: &str| {
        let script = "echo $0 | tee -a marks";
        let words = ["submit", "--wait", flag, "--", "sh", "-c", script, word];
        desk.bary(&words).is(0, &format!("{word}\n"));
    };
    submit("--cache", "a");
    submit("--cache=1h", "a");
    assert_eq!(desk.marks(), 1);
    let shown = desk.bary(&["show", "2", "-o", "json"]).json();
    assert_eq!(shown["jobs"][0]["tasks"][0]["message"], "from the result cache");
    submit("--cache", "b");
    submit("--wait", "a");
    assert_eq!(desk.marks(), 3);
    let cache = desk.cache();
    assert_eq!(
        (&cache["entries"], &cache["hits"], &cache["misses"]),
        (&2.into(), &1.into(), &2.into())
    );
    let told = desk.bary(&["cache"]);
    assert!(told.out.contains("2 of 100000"), "{told:?}");
    desk.bary(&["cache", "clear", "--older-than", "1h"]).is(0, "0 results removed\n");
    let cleared = desk.bary(&["cache", "clear"]);
    assert!(cleared.out.starts_with("2 results removed, "), "{cleared:?}");
    submit("--cache", "a");
    assert_eq!(desk.marks(), 4);
}

#[test]
fn the_cache_is_there_over_http() {
    let desk = Desk::new();
    let tasks = r#"{"function":"fibonacci","inputs":["NTA=","NTA="],"cache":60}"#;
    for _ in 0..2 {
        let job = desk.node.submit(tasks);
        assert_eq!(desk.node.wait(job).value()["jobs"][0]["state"], "succeeded");
    }
    let figures = desk.node.ask("GET", "/v1/cache").send();
    assert_eq!((figures.status, &figures.value()["entries"]), (200, &1.into()), "{figures:?}");
    assert!(figures.value()["hits"].as_u64() >= Some(2), "{figures:?}");
    let cleared = desk.node.ask("POST", "/v1/cache/clear").json("{}").send();
    assert_eq!((cleared.status, &cleared.value()["entries"]), (200, &1.into()), "{cleared:?}");
    let wrong = desk.node.ask("POST", "/v1/cache/clear").json(r#"{"older_than":-1}"#).send();
    assert_eq!(wrong.status, 400, "{wrong:?}");
}

#[test]
fn a_task_that_leaves_files_behind_is_refused() {
    let desk = Desk::new();
    let run = desk.bary(&["submit", "--cache", "--stdout", "x", "--", "echo"]);
    run.says(2, "`echo` takes results from the cache, but leaves files behind");
}
