//! The nodes that a scene is played on: processes of `bary up --local` over states of their own,
//! which are gone when this is dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bary_client::address::Address;
use bary_client::client::Client;
use rustix::process::{Pid, Signal, kill_process};

use crate::complaint::Complaint;

/// The nodes.
pub(crate) struct Stage {
    count: u32,
    folder: PathBuf,
    flock: Child,
}

/// Longer than any nodes take to come up and meet.
const READY_MAX: Duration = Duration::from_secs(60);
/// How often one looks whether they are.
const LOOK: Duration = Duration::from_millis(20);

impl Stage {
    /// Has them come up.
    pub(crate) fn up(count: u32, policy: Option<&str>) -> Result<Self, Complaint> {
        let program = std::env::current_exe().map_err(Complaint::failed)?;
        let folder = std::env::temp_dir().join(format!("bary-bench-{}", std::process::id()));
        let failed = |cause| Complaint::failed(format!("{}: {cause}", folder.display()));
        make(&folder).map_err(failed)?;
        let log = std::fs::File::create(folder.join("log")).map_err(failed)?;
        let mut command = Command::new(program);
        command.args(["up", "--local", &count.to_string(), "-j", "1", "--listen", "127.0.0.1:0"]);
        command.arg("--state").arg(folder.join("states"));
        command.arg("--socket").arg(folder.join("socket"));
        command.args(policy.iter().flat_map(|policy| ["--policy", policy]));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let flock = command.spawn().map_err(Complaint::failed)?;
        Ok(Self { count, folder, flock })
    }

    /// Waits until all are up and know each other; the first of them.
    pub(crate) async fn ready(&self) -> Result<Client, Complaint> {
        let begun = Instant::now();
        let mut at = vec![self.folder.join("socket")];
        let state = |node: u32| self.folder.join(format!("states/node-{node}/bary.sock"));
        at.extend((2..=self.count).map(state));
        for path in &at {
            while !self.knows_all(path).await {
                if begun.elapsed() > READY_MAX {
                    let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                    let last: Vec<&str> = log.lines().rev().take(3).collect();
                    let text = format!(
                        "{} nodes did not come up within {} s",
                        self.count,
                        READY_MAX.as_secs()
                    );
                    return Err(Complaint::failed(text).help(last.join("; ")));
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(Client::connect(&Address::Socket(at[0].clone()), None).await?)
    }

    /// Whether the node at a socket sees all others.
    async fn knows_all(&self, path: &Path) -> bool {
        let Ok(node) = Client::connect(&Address::Socket(path.to_owned()), None).await else {
            return false;
        };
        let told = node.list_nodes(&[]).await;
        let up = |nodes: bary_api::v1::ListNodesReply| {
            nodes.nodes.iter().filter(|node| node.state == "up").count()
        };
        told.is_ok_and(|nodes| up(nodes) == self.count as usize)
    }

    /// Has them end, and removes what they leave.
    pub(crate) fn down(mut self) -> Result<(), Complaint> {
        if let Some(pid) = Pid::from_raw(self.flock.id().cast_signed()) {
            kill_process(pid, Signal::TERM).map_err(Complaint::failed)?;
        }
        let ended = self.flock.wait().map_err(Complaint::failed)?;
        match ended.success() {
            true => Ok(()),
            false => Err(Complaint::failed(format!("the nodes ended with {ended}"))),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The nodes end with it; one that has ended needs no killing.
        drop(self.flock.kill());
        drop(self.flock.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// Makes a directory that nobody else may look into, and that was not there.
fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
