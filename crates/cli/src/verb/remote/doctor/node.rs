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
        Ok(Exit::OK)
    });
    let mut found = found.into_inner();
    if let Err(error) = asked {
        found.push(silent(&address, &error));
    }
    found
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
