//! What tasks of both drivers run: a script that writes down that it started, and a graph of it.
//! The results of either are known beforehand.

/// The script that each command is, called as `NAME MODE [READ]`. It writes down that it started,
/// some leave a process behind that goes on writing, or one that hides whose it is, some take a
/// little longer, and all print their name and what they read.
///
/// Whose life it is of is told by `CHAOS_LIFE` where the driver sets it, and else by the fence.
pub(crate) const SCRIPT: &str = r#"
life=${CHAOS_LIFE:-$BARY_FENCE}
echo "s $1 $life $BARY_ATTEMPT $BARY_JOB_ID" >>"$CHAOS_MARKS"
case $2 in
flaky) [ "$BARY_ATTEMPT" -gt 1 ] || exit 3 ;;
failing) [ -e "$CHAOS_OK/${1%%/*}" ] || exit 4 ;;
long) exec sleep 1000 ;;
esac
case $1 in
*[16]) setsid sh -c 'while :; do echo "z - $1" >>"$CHAOS_MARKS"; sleep 0.02; done' sh "$life" \
    >/dev/null 2>&1 </dev/null & sleep 0.01 ;;
*[27]) sleep 0.02 ;;
*[38]) env -u CHAOS_LIFE -u BARY_FENCE setsid sleep 1000 >/dev/null 2>&1 </dev/null & ;;
esac
echo "$1$3"
"#;

/// A job file of four specs.
const GRAPH: &str = r#"[[task]]
name = "a"
array = "1-COUNT"
command = ["sh", "SCRIPT", "KEY/a{index}", "plain"]

[[task]]
name = "b"
after = [{ task = "a", aligned = true }]
array = "1-COUNT"
command = ["sh", "SCRIPT", "KEY/b{index}", "plain", "{result.a}"]

[[task]]
name = "c"
after = [{ task = "b", aligned = true }]
array = "1-COUNT"
command = ["sh", "SCRIPT", "KEY/c{index}", "plain", "{result.b}"]

[[task]]
name = "d"
after = "b"
command = ["sh", "SCRIPT", "KEY/d", "plain"]
"#;

/// A job file in which `b` reads what `a` gave and `c` what `b` gave, index by index up to `count`;
/// `d` waits for all of `b`. Its tasks are called `KEY/a1` and so on.
pub(crate) fn graph(script: &str, key: &str, count: u64) -> String {
    GRAPH.replace("COUNT", &count.to_string()).replace("SCRIPT", script).replace("KEY", key)
}

/// The names of the tasks of a graph, in the order of their numbers.
pub(crate) fn graph_names(key: &str, count: u64) -> Vec<String> {
    let rows = ["a", "b", "c"].into_iter();
    let rows = rows.flat_map(|row| (1..=count).map(move |index| format!("{row}{index}")));
    rows.chain(["d".to_owned()]).map(|name| format!("{key}/{name}")).collect()
}

/// What a task of a graph prints: its name, after it what it read, and so on.
pub(crate) fn chain(name: &str) -> String {
    let Some((key, task)) = name.split_once('/') else { return name.to_owned() };
    let index = task.get(1..).unwrap_or_default();
    let rows: &[&str] = match task.get(..1) {
        Some("b") => &["b", "a"],
        Some("c") => &["c", "b", "a"],
        _ => return name.to_owned(),
    };
    rows.iter().map(|row| format!("{key}/{row}{index}")).collect()
}

/// What the function of this name gives.
pub(crate) fn fibonacci(n: u64) -> u128 {
    let (mut this, mut next) = (0_u128, 1_u128);
    for _ in 0..n {
        (this, next) = (next, this.saturating_add(next));
    }
    this
}

#[cfg(test)]
mod tests {
    use super::{chain, fibonacci, graph, graph_names};

    #[test]
    fn a_graph_names_its_tasks_and_each_prints_what_it_read() {
        let names = graph_names("k", 2);
        assert_eq!(names, ["k/a1", "k/a2", "k/b1", "k/b2", "k/c1", "k/c2", "k/d"]);
        let printed: Vec<String> = names.iter().map(|name| chain(name)).collect();
        assert_eq!(printed[..3], ["k/a1", "k/a2", "k/b1k/a1"]);
        assert_eq!(printed[5..], ["k/c2k/b2k/a2", "k/d"]);
        let file = graph("s.sh", "k", 2);
        assert!(file.contains(r#"array = "1-2""#) && file.contains(r#""s.sh", "k/c{index}""#));
        assert_eq!((fibonacci(1), fibonacci(10)), (1, 55));
    }
}
