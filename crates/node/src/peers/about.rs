//! What is known of another member, for people: how busy it is, and what is known against it.

use std::time::{Duration, Instant, SystemTime};

use bary_model::id::NodeId;

use super::load::{Load, machine_milli};
use super::presence::Standing;
use super::roster::{Away, Link, Peers, lock};

/// What is known of a node of a member.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct About {
    /// What the member is called.
    pub(crate) member: String,
    /// How many of its slots are busy; none for a node of this member.
    pub(crate) busy: Option<u32>,
    /// How many cores of its machine have something to do, in thousandths.
    pub(crate) machine_milli: u32,
    /// What is known against it, in words; empty where nothing is.
    pub(crate) doubt: String,
}

/// For how many beats a member may be silent before that is held against it: one may be late, and
/// one lost.
const DOUBTED_AFTER: u32 = 3;

impl Peers {
    /// What is known of a node.
    pub(crate) fn about(&self, node: NodeId) -> About {
        let number = node.member();
        let member = self.member_name(number).unwrap_or_default();
        if number == self.me {
            let machine_milli = machine_milli();
            return About { member, machine_milli, ..About::default() };
        }
        let links = lock(&self.links);
        let link = links.get(&number);
        let load = link.and_then(|link| link.load.as_ref());
        let busy = Some(load.map_or(0, |load| load.busy(node)));
        let machine_milli = load.map_or(0, |load| load.machine_milli);
        let standing = self.standing(number);
        let doubt = match link {
            Some(link) => self.doubt_of(link, standing.as_ref()),
            None => why_away(lock(&self.away).get(&number), standing.as_ref()),
        };
        About { member, busy, machine_milli, doubt }
    }

    /// What is known against a member that there is a stream to.
    fn doubt_of(&self, link: &Link, standing: Option<&Standing>) -> String {
        let silent = self.silence(link.heard);
        if silent > self.pace.beat * DOUBTED_AFTER {
            return format!("it has said nothing for {}", span(silent));
        }
        match standing {
            Some(Standing { phi: Some(phi), since, .. }) => {
                let since = SystemTime::now().duration_since(*since).unwrap_or_default();
                format!("it answers late or not at all since {} (phi {phi:.1})", span(since))
            }
            Some(Standing { here: false, .. }) => "the others do not hear it".to_owned(),
            _ => String::new(),
        }
    }

    /// How busy this member is.
    pub(super) fn load(&self) -> Load {
        let Some(inside) = self.inside.get() else { return Load::default() };
        let (mut busy, mut unfinished) = (Vec::new(), None);
        if let Some(board) = inside.board.get() {
            let books = board.read();
            unfinished = Some(books.unfinished());
            for (info, _) in inside.crew.own() {
                let slots = books.nodes.of(info.id).busy;
                if slots > 0 {
                    busy.push(((info.id.0 % NodeId::OF_MEMBER_MAX) as u16, slots));
                }
            }
        }
        Load { machine_milli: machine_milli(), busy, unfinished }
    }
}

/// Why there is no stream to a member.
fn why_away(away: Option<&Away>, standing: Option<&Standing>) -> String {
    let Some(away) = away else { return String::new() };
    let mut text = format!("{} since {}", away.why, span(Instant::now() - away.since));
    if let Some(cause) = &away.cause {
        text.push_str(&format!("; {cause}"));
    }
    if standing.is_some_and(|standing| standing.here) {
        text.push_str("; gossip has not missed it yet");
    }
    text
}

pub(super) fn span(span: Duration) -> String {
    match span.as_secs() {
        0 => format!("{} ms", span.as_millis()),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Instant, SystemTime};

    use super::{Away, Standing, why_away};

    #[test]
    fn what_is_known_of_one_who_is_away_is_said_in_words() {
        let mut away = Away::new(Instant::now(), "its stream has ended");
        let told = |away: &Away, here| {
            let standing = Standing { here, since: SystemTime::now(), phi: None };
            why_away(Some(away), Some(&standing))
        };
        assert!(told(&away, false).starts_with("its stream has ended since "));
        assert!(told(&away, true).ends_with("; gossip has not missed it yet"));
        away.cause = Some("no connection".into());
        assert!(told(&away, false).ends_with("; no connection"));
        assert_eq!(why_away(None, None), "");
    }
}
