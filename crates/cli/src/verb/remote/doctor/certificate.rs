//! What the member of a state proves itself by, and how long that is good for still.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bary_identity::calendar;
use bary_identity::certificate::Certificate;
use bary_model::time::{Span, Wall};
use bary_node::peers::papers::Papers;

use super::Check;

/// How long before its end the authority's is to be thought of.
const AHEAD: Span = Span::secs(14 * 86_400);

/// The member's certificate and the authority's; nothing where the state is in no cluster.
pub(super) fn checks(state: &Path) -> Vec<Check> {
    let papers = match Papers::of(state) {
        Ok(Some(papers)) => papers,
        Ok(None) => return Vec::new(),
        Err(error) => {
            let fix = "bring the state back: bary restore";
            return vec![Check::fail("certificate", error.to_string(), fix)];
        }
    };
    // A clock before 1970 is said to be wrong by another check.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Wall(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX));
    vec![member(&papers.certificate(), now), authority(papers.authority_certificate(), now)]
}

/// One that the node renews when half of its time is over.
fn member(own: &Certificate, now: Wall) -> Check {
    let (name, until) = ("certificate", calendar::text(own.until));
    let left = own.until.0.saturating_sub(now.0);
    // Somebody is asked for another one again and again from its half on.
    let is_late = left < own.until.0.saturating_sub(own.renew_at().0) / 2;
    match left {
        0 => Check::fail(
            name,
            format!("it was good until {until}: no member lets this one in"),
            "start the node, which has it renewed; or join again with a join line",
        ),
        _ if is_late => Check::warn(
            name,
            format!("it was to be renewed and was not; it is good until {until}"),
            "see that a member is reached that may let others in: bary node ls, bary tls show",
        ),
        _ => Check::ok(name, format!("it is good until {until}, and is renewed before")),
    }
}

/// The authority's, which nobody renews.
fn authority(of: &Certificate, now: Wall) -> Check {
    let (name, until) = ("authority", calendar::text(of.until));
    let fix = "found a cluster anew and have the members join it: bary up --cluster NAME";
    match of.until.0.saturating_sub(now.0) {
        0 => Check::fail(name, format!("its certificate was good until {until}"), fix),
        left if left < AHEAD.0 => {
            Check::warn(name, format!("its certificate is good until {until} only"), fix)
        }
        _ => Check::ok(name, format!("its certificate is good until {until}")),
    }
}

#[cfg(test)]
mod tests {
    use bary_identity::name::Name;

    use super::*;

    const DAY: u64 = 86_400_000_000_000;

    #[test]
    fn what_ends_soon_and_what_has_ended_is_told() {
        let certificate = Certificate {
            der: Vec::new(),
            name: Name::new("beta").expect("it is one"),
            number: 7,
            from: Wall(100 * DAY),
            until: Wall(120 * DAY),
        };
        let own = |day| member(&certificate, Wall(day * DAY)).state;
        assert_eq!(
            [101, 111, 114, 116, 119, 120, 300].map(own),
            ["ok", "ok", "ok", "warn", "warn", "fail", "fail"]
        );
        let above = |day| authority(&certificate, Wall(day * DAY)).state;
        assert_eq!([101, 105, 107, 119, 120].map(above), ["ok", "ok", "warn", "warn", "fail"]);
    }
}
