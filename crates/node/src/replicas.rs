//! Shards whose journals several members keep: this one's own, where that is wanted, and those of
//! others that have asked it. When a member is gone, one of those that keep its journal is chosen
//! to be the home of its jobs until it is back.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use bary_replica::group::{Group, GroupError, GroupOptions};
use bary_replica::limits::Patience;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::peers::roster::Peers;
use crate::serve::log::{Level, Log};
use crate::service::Service;

pub(crate) mod copying;
pub(crate) mod journal;
pub(crate) mod part;
pub(crate) mod stand_in;
pub(crate) mod wire;

mod archive;
mod upkeep;

use copying::ShardCopy;
use part::Part;
use stand_in::Inside;
use wire::Asking;

/// The directory of the own group's log in a state.
const OWN: &str = "group";
/// The directory of the shards of others in a state, each under the number of its member.
const OTHERS: &str = "replicas";
/// How many shards of others a member keeps.
pub(crate) const PARTS_MAX: usize = 64;
/// How many members may keep a shard.
pub const REPLICAS_MAX: u8 = 7;

/// The limits of replicas as the documentation lists them: name, default and meaning.
pub(crate) const TABLE: &[(&str, &str, &str)] =
    &[("replicas_of_others_max", "64", "shards of other members that a member keeps copies of")];

/// All parts of a member in groups.
pub(crate) struct Replicas {
    pub(super) me: u64,
    pub(super) peers: Arc<Peers>,
    pub(super) log: Log,
    state: PathBuf,
    after_bytes: u64,
    on: Handle,
    parts: Mutex<BTreeMap<u64, Arc<Part>>>,
    /// What stand-ins are made of, once the own home is there.
    inside: OnceLock<Inside>,
}

impl std::fmt::Debug for Replicas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replicas").field("me", &self.me).finish_non_exhaustive()
    }
}

/// A home whose shard is replicated: the part, and the number of its reign.
#[derive(Clone, Debug)]
pub(crate) struct Reign {
    pub(crate) part: Arc<Part>,
    pub(crate) number: u64,
    pub(crate) on: Handle,
}

/// How long one who is not chosen waits before it looks again.
const LOOK: Duration = Duration::from_millis(200);

impl Replicas {
    pub(crate) fn new(
        peers: Arc<Peers>,
        state: PathBuf,
        after_bytes: u64,
        log: Log,
        on: Handle,
    ) -> Arc<Self> {
        let me = peers.me();
        Arc::new(Self {
            me,
            peers,
            log,
            state,
            after_bytes,
            on,
            parts: Mutex::default(),
            inside: OnceLock::new(),
        })
    }

    /// Whether this member's own shard is replicated.
    pub(crate) fn has_own(&self) -> bool {
        Group::is_in(&self.state.join(OWN))
    }

    /// Whether it keeps shards of others.
    fn others(&self) -> Vec<u64> {
        let Ok(entries) = std::fs::read_dir(self.state.join(OTHERS)) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.filter_map(|name| name.parse().ok()).collect()
    }

    /// Opens all parts that there are.
    pub(crate) async fn open(self: &Arc<Self>) -> Result<(), GroupError> {
        for home in self.others() {
            if let Err(error) = self.part_for(home).await {
                let text = format!("the copy of the shard of a member is not kept: {error}");
                self.log.say(Level::Error, &text, &[]);
            }
        }
        if self.has_own() {
            self.begin(self.me).await?;
        }
        Ok(())
    }

    /// The part in the group of a member's shard; a new one where there is none.
    async fn part_for(self: &Arc<Self>, home: u64) -> Result<Arc<Part>, String> {
        if let Some(part) = self.parts.lock().await.get(&home) {
            return Ok(Arc::clone(part));
        }
        if home == self.me {
            return Err("it is not replicated, or about to be".to_owned());
        }
        self.begin(home).await.map_err(|error| error.to_string())
    }

    /// The part in a group, where there is one.
    pub(crate) async fn part(&self, home: u64) -> Option<Arc<Part>> {
        self.parts.lock().await.get(&home).cloned()
    }

    async fn begin(self: &Arc<Self>, home: u64) -> Result<Arc<Part>, GroupError> {
        let mut parts = self.parts.lock().await;
        if let Some(part) = parts.get(&home) {
            return Ok(Arc::clone(part));
        }
        if parts.len() > PARTS_MAX {
            let text =
                format!("{PARTS_MAX} shards are kept already (limit replicas_of_others_max)");
            return Err(GroupError::Members(text));
        }
        let own = home == self.me;
        let other = self.state.join(OTHERS).join(home.to_string());
        let dir = if own { self.state.join(OWN) } else { other.clone() };
        let at = if own { self.state.clone() } else { other };
        let after_bytes = self.after_bytes;
        let copy = tokio::task::spawn_blocking(move || ShardCopy::open(&at, after_bytes)).await;
        let copy = Arc::new(copy.map_err(std::io::Error::other)??);
        let carrier = Arc::new(Asking { mesh: self.peers.mesh().clone(), home });
        let (me, patience) = (self.me, Patience::default());
        let options = GroupOptions { dir, me, carrier, copy: Arc::clone(&copy) as _, patience };
        let group = Group::open(options).await?;
        let part = Arc::new(Part::new(home, group, copy));
        parts.insert(home, Arc::clone(&part));
        if !own {
            drop(self.on.spawn(Arc::clone(self).watch_over(Arc::clone(&part))));
        }
        Ok(part)
    }

    /// Waits until this member is the one to write its own shard; tells once what it waits for.
    /// Nothing where its shard is not replicated and need not be.
    pub(crate) async fn reign(self: &Arc<Self>, wanted: bool) -> Result<Option<Reign>, GroupError> {
        if !wanted && !self.has_own() {
            return Ok(None);
        }
        let is_new = !self.has_own();
        let part = self.begin(self.me).await?;
        // Nothing where it was founded before.
        part.group.found().await?;
        let mut told = false;
        loop {
            let standing = part.group.standing();
            if let Some(why) = standing.failed {
                return Err(GroupError::Failed(why));
            }
            match part.group.reign().await {
                Ok(number) => {
                    // The home opens it anew.
                    let copy = Arc::clone(&part.copy);
                    let rested = tokio::task::spawn_blocking(move || copy.rest()).await;
                    rested.map_err(std::io::Error::other)?;
                    let on = self.on.clone();
                    return Ok(Some(Reign { part, number, on }));
                }
                Err(GroupError::NotLeader | GroupError::Deposed) => {}
                Err(error) => return Err(error),
            }
            if !std::mem::replace(&mut told, true) && !is_new {
                let text = match standing.leader.filter(|leader| *leader != self.me) {
                    Some(leader) => {
                        let name = self.peers.member_name(leader).unwrap_or_default();
                        format!("{name} stands in for this member; waits until it hands over")
                    }
                    None => "waits for members that keep copies of its shard".to_owned(),
                };
                self.log.say(Level::Info, &text, &[]);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Stand-ins can be made from now on.
    pub(crate) fn serve(&self, inside: Inside) {
        // There is one in a process, which says so once.
        drop(self.inside.set(inside));
    }

    /// The service of this member, for those that stand in here; none before it is open.
    pub(crate) fn service(&self) -> Option<Service> {
        self.inside.get().map(|inside| inside.service.clone())
    }

    /// The doors of the home of another member's shard, where this member stands in for it.
    pub(crate) async fn doors_of(&self, home: u64) -> Option<Router> {
        let part = self.part(home).await?;
        let stand_in = part.stand_in();
        stand_in.as_ref().map(|stand_in| stand_in.router.clone())
    }

    /// Ends all parts.
    pub(crate) async fn close(&self) {
        let parts = std::mem::take(&mut *self.parts.lock().await);
        for part in parts.into_values() {
            self.end(&part).await;
            part.group.close().await;
            let copy = Arc::clone(&part.copy);
            // A panic there was printed when it happened.
            drop(tokio::task::spawn_blocking(move || copy.shut()).await);
        }
    }
}
