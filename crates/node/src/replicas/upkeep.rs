//! Keeping groups as they should be: enough members keep a copy, who is chosen is the home, and it
//! gives that back when the member whose shard it is has come again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bary_replica::group::{GroupError, Standing};
use bary_replica::limits::Patience;
use tokio::sync::watch;

use super::journal::DEPOSED;
use super::part::Part;
use super::{LOOK, Reign, Replicas};
use crate::serve::log::Level;
use crate::service::{Ending, Service};

/// How many entries of the log a member may be behind that a shard is given back to.
const BEHIND_MAX: u64 = 50;
/// How long a member may take until it has a shard, before another may be asked.
const SEND_SPAN: Duration = Duration::from_secs(120);
/// How often jobs of a shard are looked at that were kept for long enough.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);

impl Replicas {
    /// Looks after the part in the group of another member's shard, until it is closed.
    pub(super) async fn watch_over(self: Arc<Self>, part: Arc<Part>) {
        let mut changes = part.group.changes();
        let mut settings = self.peers.settings_news();
        let mut forgot = tokio::time::Instant::now();
        loop {
            // Some things change that the group says nothing of.
            if let Ok(false) = tokio::time::timeout(LOOK, changes.next()).await {
                return;
            }
            if let (Some(results), Some(releases)) = (self.peers.results(), part.copy.releases()) {
                results.give_back_of(&releases);
            }
            let standing = part.group.standing();
            let stands_in = part.stand_in().as_ref().map(|it| (it.service.clone(), it.reign));
            match (standing.leads, stands_in) {
                (true, None) => {
                    if let Err(error) = self.stand_in_for(&part).await {
                        let name = self.peers.member_name(part.home).unwrap_or_default();
                        let text = format!("cannot stand in for {name}: {error}");
                        self.log.say(Level::Error, &text, &[]);
                        self.give_away(&part).await;
                    }
                }
                (true, Some((service, reign))) => {
                    if service.has_ended() || standing.reign > reign {
                        self.end(&part).await;
                    } else if self.is_back(&part) {
                        self.end(&part).await;
                        self.hand_over(&part, part.home).await;
                    } else if settings.has_changed().unwrap_or(false) {
                        settings.mark_unchanged();
                        let name = self.peers.member_name(part.home).unwrap_or_default();
                        self.obey(&name, &service).await;
                    } else if forgot.elapsed() >= FORGET_INTERVAL {
                        forgot = tokio::time::Instant::now();
                        service.forget_old();
                    }
                }
                (false, Some(_)) => self.end(&part).await,
                (false, None) => {}
            }
        }
    }

    /// Whether the member whose shard it is has come again, and has nearly all of it.
    fn is_back(&self, part: &Part) -> bool {
        let standing = part.group.standing();
        let behind = standing.behind.get(&part.home);
        answers(&standing, part.home) && behind.is_some_and(|behind| *behind <= BEHIND_MAX)
    }

    /// Lets another one be chosen.
    async fn give_away(&self, part: &Part) {
        let standing = part.group.standing();
        let mut others = standing.voters.iter().filter(|voter| **voter != self.me);
        let other = others.find(|voter| answers(&standing, **voter));
        if let Some(other) = other {
            self.hand_over(part, *other).await;
        }
    }

    /// Hands over, and waits until that is done, or has come to nothing.
    async fn hand_over(&self, part: &Part, to: u64) {
        if let Err(error) = part.group.hand_over(to).await {
            self.log.say(Level::Warning, &format!("a shard is not handed over: {error}"), &[]);
        }
        let mut changes = part.group.changes();
        let handed = async { while part.group.standing().leads && changes.next().await {} };
        // Where it was not taken, this member goes on.
        drop(tokio::time::timeout(Patience::default().silence_max, handed).await);
    }

    /// Looks after the own group until `closing` turns true: so many members are to keep a copy.
    /// Where another member has taken over, the service ends.
    pub(crate) async fn keep_own(
        self: Arc<Self>,
        reign: Reign,
        service: Service,
        mut closing: watch::Receiver<bool>,
    ) {
        let part = Arc::clone(&reign.part);
        let mut last: Option<String> = None;
        loop {
            tokio::select! {
                _ = closing.wait_for(|closing| *closing) => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            let standing = part.group.standing();
            let other_leads = standing.leader.is_some_and(|leader| leader != self.me);
            // It may have been given back what another had meanwhile.
            if other_leads || standing.reign > reign.number {
                return service.want(Ending::Failed(DEPOSED.into()));
            }
            if !standing.leads {
                continue;
            }
            match self.enough(&part, part.keepers().wanted, &standing.voters).await {
                Ok(()) => last = None,
                // Said once.
                Err(error) => {
                    let text = error.to_string();
                    if last.as_ref() != Some(&text) {
                        let text = format!("copies of the shard: {text}");
                        self.log.say(Level::Warning, &text, &[]);
                    }
                    last = Some(text);
                }
            }
        }
    }

    /// Has as many members keep a copy as are wanted, where they are there. A group of two would be
    /// stuck without either: it grows from one member to all that are wanted.
    async fn enough(
        &self,
        part: &Part,
        wanted: usize,
        voters: &BTreeSet<u64>,
    ) -> Result<(), GroupError> {
        let known = |member: &u64| *member == self.me || self.peers.has_member(*member);
        let mut keep: BTreeSet<u64> = voters.iter().copied().filter(known).collect();
        if keep.len() > wanted {
            let others = keep.iter().copied().filter(|member| *member != self.me);
            keep = others.take(wanted - 1).chain([self.me]).collect();
        } else {
            let near = self.peers.nearest().into_iter().filter(|member| !keep.contains(member));
            let near: Vec<u64> = near.take(wanted - keep.len()).collect();
            keep.extend(near);
        }
        if keep.len() < wanted || keep == *voters {
            return Ok(());
        }
        for member in keep.difference(voters) {
            let sent = tokio::time::timeout(SEND_SPAN, part.group.send_to(*member)).await;
            sent.map_err(|_| {
                let name = self.peers.member_name(*member).unwrap_or_default();
                GroupError::Members(format!("{name} has not taken it in {SEND_SPAN:?}"))
            })??;
        }
        part.group.count(keep.clone()).await?;
        let names = keep.iter().filter_map(|member| self.peers.member_name(*member));
        let names: Vec<String> = names.collect();
        let text = format!("its shard is kept by {}", names.join(", "));
        self.log.say(Level::Info, &text, &[]);
        Ok(())
    }
}

/// Whether a member that keeps a copy has answered of late.
fn answers(standing: &Standing, member: u64) -> bool {
    let most = Patience::default().silence_min;
    standing.silent.get(&member).is_some_and(|silent| *silent < most)
}
