//! Registers a function of its own, runs an array of tasks that call it, and adds up the results.

/// How many steps the Collatz sequence takes from `n` to 1.
fn collatz(n: u64) -> u64 {
    let mut at = n;
    let mut steps = 0;
    while at > 1 {
        at = if at.is_multiple_of(2) { at / 2 } else { 3 * at + 1 };
        steps += 1;
    }
    steps
}

const JOB: &str = r#"
name = "collatz"

[[task]]
name = "steps"
function = "collatz"
args = "{index}"
array = "1-1000"
reduce = "MAX"
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut node = bary::Node::builder().function("collatz", collatz).start()?;
    let done = node.run_text(JOB)?;
    let longest = done.result("steps.reduce").ok_or("no result")?;
    assert_eq!(longest, "178", "the longest sequence below 1000 starts at 871");
    #[expect(clippy::print_stdout, reason = "an example shows what it found")]
    {
        println!("the longest Collatz sequence up to 1000 takes {longest} steps");
    }
    Ok(())
}
