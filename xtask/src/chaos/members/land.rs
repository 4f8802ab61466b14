//! A network of its own for each member, joined by one bridge: which of them hear each other, how
//! much is lost on the way, how fast it is, and how late.
//!
//! It stands in a network and a file system that nobody else has, and goes with them.

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use super::relay::{Relay, UNMERGED};
use crate::process::printed;

/// The networks of members, which are called by numbers from 1.
pub(crate) struct Land {
    count: u8,
}

/// What joins them.
pub(crate) const BRIDGE: &str = "hub";

/// Where the bridge itself is, who is no member.
pub(crate) const OUTSIDE: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 254);

/// What each member's network refuses: what goes to those it is cut off from or comes from there,
/// and a share of everything that comes in.
const RULES: &str = "table inet storm {
    set cut { type ipv4_addr; }
    chain lossy { }
    chain in { type filter hook input priority 0; ip saddr @cut drop; jump lossy; }
    chain out { type filter hook output priority 0; ip daddr @cut drop; }
}";

/// How fast a slow link is, how much of it goes at once, and how long something waits for it.
const SLOW: [&str; 6] = ["rate", "4mbit", "burst", "32kbit", "latency", "200ms"];

impl Land {
    /// Lays out networks for so many members.
    pub(crate) fn lay(count: u8) -> Result<Self, String> {
        run("mount", "-t tmpfs none /run")?;
        run("mkdir", "/run/netns")?;
        run("ip", "link set lo up")?;
        run("ip", &format!("link add {BRIDGE} type bridge"))?;
        // It hears what goes from one to another.
        run("ip", &format!("link set {BRIDGE} up promisc on"))?;
        run("ip", &format!("addr add {OUTSIDE}/24 dev {BRIDGE}"))?;
        let land = Self { count };
        for number in 1..=count {
            run("ip", &format!("netns add n{number}"))?;
            run("ip", &format!("link add p{number} type veth peer name eth0 netns n{number}"))?;
            run("ip", &format!("link set p{number} master {BRIDGE} up"))?;
            run("ip", &format!("-n n{number} link set lo up"))?;
            let at = address(number);
            run("ip", &format!("-n n{number} addr add {at}/24 dev eth0"))?;
            run("ip", &format!("-n n{number} link set eth0 up"))?;
            let mut unmerged = land.command(number, "python3".as_ref());
            unmerged.args(["-c", UNMERGED, "eth0"]);
            printed(unmerged)?;
            land.rule(number, RULES)?;
        }
        Ok(land)
    }

    /// A command in the network of a member.
    pub(crate) fn command(&self, number: u8, program: &std::path::Path) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/n{number}")).arg(program);
        command
    }

    /// Sends a text from the first member's network to the second's, in the clear and to nobody.
    pub(crate) fn call(&self, text: &str) -> Result<(), String> {
        let mut command = self.command(1, "bash".as_ref());
        command.args(["-c", &format!("echo {text} >/dev/udp/{}/9", address(2))]);
        printed(command).map(drop)
    }

    /// Has those on one side and those on the other not hear each other.
    pub(crate) fn cut(&self, side: &[u8]) -> Result<(), String> {
        for here in 1..=self.count {
            let apart = |there: &u8| side.contains(&here) != side.contains(there);
            let others: Vec<String> =
                (1..=self.count).filter(apart).map(|there| address(there).to_string()).collect();
            if !others.is_empty() {
                let others = others.join(", ");
                self.rule(here, &format!("add element inet storm cut {{ {others} }}"))?;
            }
        }
        Ok(())
    }

    /// Has a share of what comes to a member be lost, in percent.
    pub(crate) fn lose(&self, number: u8, percent: u64) -> Result<(), String> {
        let rule = format!("add rule inet storm lossy numgen random mod 100 < {percent} drop");
        self.rule(number, &rule)
    }

    /// Has what comes to a member come slowly.
    pub(crate) fn slow(&self, number: u8) -> Result<(), String> {
        let words = SLOW.join(" ");
        run("tc", &format!("qdisc replace dev p{number} root tbf {words}"))
    }

    /// Has what goes to a member and what comes from it be late, as long as the relay is there.
    pub(crate) fn delay(&self, number: u8, late: Duration) -> Result<Relay, String> {
        Relay::begin(&format!("p{number}"), BRIDGE, late)
    }

    /// Has everybody hear each other, all of it, and at once.
    pub(crate) fn heal(&self, slowed: Option<u8>) -> Result<(), String> {
        for number in 1..=self.count {
            self.rule(number, "flush set inet storm cut; flush chain inet storm lossy")?;
        }
        match slowed {
            Some(number) => run("tc", &format!("qdisc del dev p{number} root")),
            None => Ok(()),
        }
    }

    fn rule(&self, number: u8, rule: &str) -> Result<(), String> {
        let mut command = self.command(number, "nft".as_ref());
        command.arg(rule);
        printed(command).map(drop)
    }
}

/// Where a member is.
pub(crate) fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, number)
}

fn run(program: &str, words: &str) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(words.split(' '));
    printed(command).map(drop)
}
