//! What a node says of what it ran, as a trace.

use crate::desk::Desk;

const FLOW: &str = "[[task]]\nname = \"a\"\nfunction = \"noop\"\narray = \"1-90\"\nweight = 2\n\
                    [[task]]\nname = \"b\"\nfunction = \"fibonacci\"\nargs = [\"30\"]\n\
                    array = \"1-90\"\n\
                    after = [\"a\"]\n\
                    [[task]]\nname = \"c\"\ncommand = \"head -c 3000 /dev/zero\"\n\
                    after = [\"b\"]\n";

#[test]
fn a_node_tells_the_trace_that_its_journal_has() {
    let desk = Desk::new();
    desk.bench.file("flow.toml", FLOW).file("lines", "alpha\nbeta\n");
    desk.bary(&["submit", "-q", "flow.toml"]).is(0, "1\n");
    desk.bary(&["submit", "-q", "--each-line", "lines", "--", "echo", "{}"]).is(0, "2\n");
    desk.bary(&["job", "open", "stream", "-q"]).is(0, "3\n");
    desk.bary(&["job", "add", "3", "--array", "1-2", "--function", "noop"]).says(0, "");
    desk.bary(&["job", "add", "3", "--function", "noop"]).says(0, "");
    desk.bary(&["job", "close", "3"]).says(0, "");
    desk.bary(&["wait", "all"]).says(0, "");
    desk.bary(&["trace", "export", "--state", "state", "--out", "journal.trace"]).says(0, "");
    desk.bary(&["trace", "export", "--out", "node.trace"]).says(0, "187 tasks of 3 jobs");
    let (journal, node) = (desk.bench.read("journal.trace"), desk.bench.read("node.trace"));
    assert_eq!(node, journal);
    assert!(node.contains("\"output\":3000") && node.contains("\"input\":5"), "{node}");
    let figures = desk.bary(&["trace", "show", "node.trace", "-o", "json"]).json();
    assert_eq!(figures["dependencies"], 90 + 90 + 90, "two whole arrays meet in a task of no time");
    desk.bench
        .file("s.toml", "seeds = 1\n[[nodes]]\nslots = 2\n[[workload]]\ntrace = \"node.trace\"\n");
    let lived = desk.bary(&["sim", "s.toml", "--policy", "gravity,fifo", "-o", "json"]).json();
    assert_eq!(lived["tasks"], 187);
    desk.bary(&["trace", "export", "2", "--out", "-"]).says(0, "");
    desk.bary(&["trace", "export", "9"]).says(3, "9");
}
