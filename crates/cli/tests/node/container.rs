//! The container: built from the program as it is, a node comes up in it and runs a task.

use std::io::Write;
use std::path::Path;
use std::process::Command;

/// What the script ends with where it lacks something.
const SKIPPED: i32 = 77;

#[test]
fn the_container_runs_a_node() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/container.sh");
    let mut command = Command::new("sh");
    command.arg(script).args(["--check", "--binary", env!("CARGO_BIN_EXE_bary")]);
    let ended = command.output().expect("there is a shell");
    let said = String::from_utf8_lossy(&ended.stderr);
    if ended.status.code() == Some(SKIPPED) {
        // Past what the test runner keeps to itself.
        drop(std::io::stderr().write_all(&ended.stderr));
        return;
    }
    let out = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && out.contains("built bary: bary "), "{out}{said}");
}
