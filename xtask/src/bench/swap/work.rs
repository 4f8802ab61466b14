//! What is run under one policy and then under another: tasks that wait for as long as they weigh,
//! so that how many cores the machine has does not matter. Always the same.

use serde_json::{Value, json};

/// What comes when, in seconds: job files.
pub(super) type Work = Vec<(f64, Value)>;

/// Draws evenly from 0 to 1, the same for the same seed.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }
}

/// A task that waits for so many milliseconds, and weighs a tenth of them.
fn task(name: String, millis: f64, after: &[String]) -> Value {
    let micros = (millis * 1e3).round();
    json!({
        "name": name,
        "function": "sleep",
        "args": [format!("{:.6}", micros / 1e6)],
        "weight": micros / 1e4,
        "after": after,
    })
}

fn file(tasks: Vec<Value>) -> Value {
    json!({ "task": tasks })
}

/// 240 tasks of 60 ms and more, by Pareto's law of 1.1, none longer than 4 s.
pub(super) fn heavy() -> Work {
    let mut draw = Draw(7);
    let millis = |draw: &mut Draw| (60.0 * (1.0 - draw.next()).powf(-1.0 / 1.1)).min(4_000.0);
    let tasks = (0..240).map(|number| task(format!("t{number}"), millis(&mut draw), &[]));
    vec![(0.0, file(tasks.collect()))]
}

/// 200 short tasks, and behind them a chain of 16 longer ones that takes half of the time.
pub(super) fn graph() -> Work {
    let mut draw = Draw(3);
    let mut tasks: Vec<Value> = (0..200)
        .map(|number| task(format!("s{number}"), 50.0 + 100.0 * draw.next(), &[]))
        .collect();
    for link in 0..16_u32 {
        let after = link.checked_sub(1).map(|before| format!("c{before}"));
        tasks.push(task(format!("c{link}"), 150.0 + 100.0 * draw.next(), after.as_slice()));
    }
    vec![(0.0, file(tasks))]
}

/// 40 jobs one after another, of which every fifth has 16 tasks of half a second and the others
/// 6 tasks of 40 ms.
pub(super) fn bursts() -> Work {
    let (mut draw, mut at) = (Draw(5), 0.0);
    let mut jobs = Vec::new();
    for number in 0..40 {
        let (tasks, least, more) =
            if number % 5 == 2 { (16, 400.0, 200.0) } else { (6, 20.0, 40.0) };
        let tasks =
            (0..tasks).map(|task_no| task(format!("t{task_no}"), least + more * draw.next(), &[]));
        jobs.push((at, file(tasks.collect())));
        at += 0.36 * draw.next();
    }
    jobs
}

#[cfg(test)]
mod tests {
    use super::{bursts, graph, heavy};

    #[test]
    fn work_is_the_same_each_time_and_comes_in_its_order() {
        for work in [heavy, graph, bursts] {
            assert_eq!(work(), work());
            assert!(work().is_sorted_by(|a, b| a.0 <= b.0));
        }
    }

    #[test]
    fn a_link_of_the_chain_waits_for_the_one_before() {
        let work = graph();
        let tasks = work[0].1["task"].as_array().expect("it is a list");
        assert_eq!((tasks.len(), &tasks[201]["after"][0]), (216, &"c0".into()));
        assert!(tasks[200]["after"].as_array().is_some_and(Vec::is_empty));
    }
}
