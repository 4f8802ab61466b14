//! `setup`: installs, by package name, what tests need beyond the Rust toolchain.

use std::process::{Command, Stdio};

use crate::process::capture;

/// Something that tests need, and where it comes from.
struct Need {
    /// A command that succeeds where the need is met.
    probe: &'static [&'static str],
    /// Who installs it.
    manager: Manager,
    /// What the manager calls it.
    package: &'static str,
}

#[cfg_attr(not(test), expect(dead_code, reason = "no need names the others yet"))]
#[derive(Clone, Copy)]
enum Manager {
    Apt,
    Pip,
    Npm,
}

/// What tests need; the toolchain alone does for now.
const NEEDS: &[Need] = &[];

/// The servers of the systems that the bench `peers` measures.
const SERVERS: &[Need] = &[
    Need { probe: &["redis-server", "--version"], manager: Manager::Apt, package: "redis-server" },
    Need { probe: &["nats-server", "--version"], manager: Manager::Apt, package: "nats-server" },
];

/// What networks of several members are made with, where the system lets one make them.
const NETWORKS: &[Need] = &[
    Need { probe: &["ip", "-V"], manager: Manager::Apt, package: "iproute2" },
    Need { probe: &["nft", "--version"], manager: Manager::Apt, package: "nftables" },
    Need { probe: &["python3", "--version"], manager: Manager::Apt, package: "python3" },
];

/// Installs what is missing; says whether everything is there in the end.
pub(crate) fn setup() -> bool {
    let complaints = met(NEEDS);
    complaints.iter().for_each(|complaint| eprintln!("setup: {complaint}"));
    complaints.is_empty()
}

/// Installs the servers of the peers; gives why one could not be had.
pub(crate) fn servers() -> Vec<String> {
    met(SERVERS)
}

/// Installs what networks are made with; gives why something could not be had.
pub(crate) fn networks() -> Vec<String> {
    met(NETWORKS)
}

/// Installs those needs that are not met, and says what went wrong.
fn met(needs: &[Need]) -> Vec<String> {
    let mut complaints = Vec::new();
    for need in missing(needs, answers) {
        println!("setup: installing {}", need.package);
        let mut command = Command::new("sh");
        command.args(["-c", &install(need)]);
        match capture(command) {
            Ok(ended) if ended.ok => {}
            Ok(ended) => complaints.push(format!("{}: {}", need.package, ended.output.trim_end())),
            Err(fault) => complaints.push(format!("{}: {fault}", need.package)),
        }
    }
    complaints
}

fn missing(needs: &[Need], is_met: fn(&[&str]) -> bool) -> Vec<&Need> {
    needs.iter().filter(|need| !is_met(need.probe)).collect()
}

fn answers(probe: &[&str]) -> bool {
    let Some((program, words)) = probe.split_first() else { return false };
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The shell line that installs a need. Only apt asks for rights that a user may lack.
fn install(need: &Need) -> String {
    let package = need.package;
    match need.manager {
        Manager::Apt => format!(
            "if [ \"$(id -u)\" = 0 ]; then as=; else as=sudo; fi; \
             $as env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
             apt-get install --yes --no-install-recommends {package}"
        ),
        Manager::Pip => format!("python3 -m pip install --user {package}"),
        Manager::Npm => format!("npm install --global {package}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Manager, Need, answers, install, missing};

    const SAMPLE: &[Need] = &[
        Need { probe: &["cargo", "--version"], manager: Manager::Apt, package: "cargo" },
        Need { probe: &["no-such-program-here"], manager: Manager::Pip, package: "thing" },
        Need { probe: &[], manager: Manager::Npm, package: "other" },
    ];

    #[test]
    fn only_what_does_not_answer_is_missing() {
        let names: Vec<_> = missing(SAMPLE, answers).iter().map(|need| need.package).collect();
        assert_eq!(names, ["thing", "other"]);
    }

    #[test]
    fn each_manager_is_told_the_package_by_name() {
        let lines: Vec<_> = SAMPLE.iter().map(install).collect();
        assert!(lines[0].ends_with("apt-get install --yes --no-install-recommends cargo"));
        assert_eq!(lines[1], "python3 -m pip install --user thing");
        assert_eq!(lines[2], "npm install --global other");
    }
}
