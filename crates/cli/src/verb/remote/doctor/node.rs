//! Whether a node answers, and as whom it takes the caller.

use std::cell::RefCell;

use bary_client::address::Address;

use super::Check;
use crate::args::Face;
use crate::args::reach::Reach;
use crate::asking;
use crate::complaint::Complaint;
use crate::exit::Exit;

/// The socket, the node, and what it thinks of the caller.
pub(super) fn checks(reach: &Reach, face: Face) -> Vec<Check> {
    let address = reach.addr.clone().unwrap_or_else(Address::usual);
    let found = RefCell::new(Vec::new());
    let asked = asking::run(reach, face, async |asking| {
        let info = asking.node.info().await?;
        let mut found = found.borrow_mut();
        found.push(Check::ok("node", format!("{} at {address}, {}", info.status, info.durability)));
        found.push(match info.version == env!("CARGO_PKG_VERSION") {
            true => Check::ok("node version", info.version),
            false => Check::warn(
                "node version",
                format!("{}, this program is {}", info.version, env!("CARGO_PKG_VERSION")),
                "run the same version on both sides",
            ),
        });
        found.push(match info.role.as_str() {
            "viewer" => Check::warn("role", info.role, "it only looks; name a token for more"),
            _ => Check::ok("role", info.role),
        });
        found.extend(dropped(info.datagrams_forged, info.datagrams_replayed));
        Ok(Exit::OK)
    });
    let mut found = found.into_inner();
    if let Err(error) = asked {
        found.push(silent(&address, &error));
    }
    found
}

/// What came to a member of a cluster that no member said, or said once; nothing where nothing did.
fn dropped(forged: u64, replayed: u64) -> Option<Check> {
    let found = format!(
        "dropped since it started: {forged} that no member made, {replayed} that came again or late"
    );
    let fix = "who sends them learns and changes nothing; see who else reaches the members' port";
    match (forged, replayed) {
        (0, 0) => None,
        // A few come late by themselves, as when a member is restarted.
        (0, _) => Some(Check::ok("datagrams", found)),
        _ => Some(Check::warn("datagrams", found, fix)),
    }
}

fn silent(address: &Address, error: &Complaint) -> Check {
    let text = error.to_string();
    let mut lines = text.lines().map(|line| line.trim_start_matches("bary: "));
    let said = lines.next().unwrap_or_default().to_owned();
    let fix = lines.next().unwrap_or_default().trim_start_matches("help: ").to_owned();
    match address.socket().filter(|path| path.exists()) {
        Some(path) if error.exit == Exit::UNAVAILABLE => Check::warn(
            "node",
            format!("{said}; the socket was left behind"),
            format!("{fix}; it is in nobody's way: {}", path.display()),
        ),
        _ if error.exit == Exit::DENIED => Check::fail("node", said, fix),
        _ => Check::warn("node", said, fix),
    }
}

#[cfg(test)]
mod tests {
    use super::dropped;

    #[test]
    fn what_was_made_up_is_a_warning_and_what_came_late_is_not() {
        assert_eq!(dropped(0, 0), None);
        assert_eq!(dropped(0, 3).map(|check| check.state), Some("ok"));
        let warned = dropped(2, 3).expect("two were made up");
        assert_eq!(warned.state, "warn");
        assert!(warned.found.contains("2 that no member made, 3 that came again"));
    }
}
