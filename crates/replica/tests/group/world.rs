//! Members with journals in memory, their logs on a disk, and a network between them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bary_model::id::Lsn;
use bary_replica::carrier::{Answer, Carrier};
use bary_replica::copy::Copy;
use bary_replica::group::{Group, GroupError, GroupOptions, Standing};
use bary_replica::limits::Patience;
use bary_replica::proposal::Proposal;
use bytes::Bytes;
use tempfile::TempDir;

/// A journal in memory, which outlives the part in a group that writes to it.
#[derive(Clone, Default)]
pub(crate) struct Pages(Arc<Mutex<Vec<Bytes>>>);

impl Pages {
    fn all(&self) -> MutexGuard<'_, Vec<Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read(&self) -> Vec<Bytes> {
        self.all().clone()
    }
}

impl Copy for Pages {
    fn next(&self) -> Lsn {
        Lsn(self.all().len() as u64 + 1)
    }

    fn append(&self, lsn: Lsn, batch: &Bytes) -> io::Result<()> {
        assert_eq!(lsn, self.next(), "batches come in order");
        self.all().push(batch.clone());
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn pack(&self, into: &Path) -> io::Result<()> {
        let mut bytes = Vec::new();
        for page in &*self.all() {
            bytes.extend_from_slice(&(page.len() as u32).to_le_bytes());
            bytes.extend_from_slice(page);
        }
        std::fs::write(into, bytes)
    }

    fn unpack(&self, from: &Path) -> io::Result<()> {
        let bytes = std::fs::read(from)?;
        let (mut rest, mut pages) = (&bytes[..], Vec::new());
        while let Some((len, behind)) = rest.split_first_chunk::<4>() {
            let (page, behind) = behind.split_at(u32::from_le_bytes(*len) as usize);
            pages.push(Bytes::copy_from_slice(page));
            rest = behind;
        }
        *self.all() = pages;
        Ok(())
    }
}

/// Who hears whom.
#[derive(Default)]
pub(crate) struct Net {
    there: Mutex<BTreeMap<u64, Arc<Group>>>,
    /// Members that nobody hears, and that hear nobody.
    apart: Mutex<BTreeSet<u64>>,
}

struct Wire {
    from: u64,
    net: Arc<Net>,
}

impl Carrier for Wire {
    fn ask(&self, member: u64, question: Bytes) -> Answer {
        let (from, net) = (self.from, Arc::clone(&self.net));
        Box::pin(async move {
            let hears = || {
                let apart = net.apart.lock().expect("nobody panics");
                !apart.contains(&from) && !apart.contains(&member)
            };
            let group = net.there.lock().expect("nobody panics").get(&member).cloned();
            let group = group.filter(|_| hears()).ok_or("it is not there")?;
            let answer = group.answer(&question).await;
            if hears() { Ok(answer) } else { Err("it is not heard".to_owned()) }
        })
    }
}

/// Members by their numbers.
pub(crate) struct World {
    pub(crate) net: Arc<Net>,
    dirs: BTreeMap<u64, TempDir>,
    pub(crate) pages: BTreeMap<u64, Pages>,
}

/// How long something may take that has to happen.
const WAIT: Duration = Duration::from_secs(60);

pub(crate) fn patience() -> Patience {
    let ms = Duration::from_millis;
    Patience { beat: ms(60), silence_min: ms(400), silence_max: ms(700) }
}

impl World {
    pub(crate) fn new(members: u64) -> Self {
        let dirs = (1..=members).map(|at| (at, tempfile::tempdir().expect("there is room")));
        let pages = (1..=members).map(|at| (at, Pages::default())).collect();
        Self { net: Arc::default(), dirs: dirs.collect(), pages }
    }

    /// A group of all, for which member 1 writes.
    pub(crate) async fn of_three() -> Self {
        let world = Self::new(3);
        world.unite().await;
        world
    }

    /// Has the first three be a group, for which member 1 writes.
    pub(crate) async fn unite(&self) {
        for member in 1..=3 {
            self.begin(member).await;
        }
        let first = self.member(1);
        first.found().await.expect("it is in none");
        self.until(1, |standing| standing.leads).await;
        first.reign().await.expect("it is alone");
        for other in [2, 3] {
            first.send_to(other).await.expect("it is there");
        }
        first.count(BTreeSet::from([1, 2, 3])).await.expect("all are there");
    }

    pub(crate) fn options(&self, member: u64) -> GroupOptions {
        GroupOptions {
            dir: self.dirs[&member].path().to_owned(),
            me: member,
            carrier: Arc::new(Wire { from: member, net: Arc::clone(&self.net) }),
            copy: Arc::new(self.pages[&member].clone()),
            patience: patience(),
        }
    }

    pub(crate) async fn begin(&self, member: u64) {
        let group = Group::open(self.options(member)).await.expect("there is room");
        self.net.there.lock().expect("nobody panics").insert(member, Arc::new(group));
    }

    /// Ends a member as a crash does: nobody is told.
    pub(crate) async fn end(&self, member: u64) {
        let group = self.net.there.lock().expect("nobody panics").remove(&member);
        group.expect("it is there").close().await;
    }

    pub(crate) fn member(&self, member: u64) -> Arc<Group> {
        Arc::clone(&self.net.there.lock().expect("nobody panics")[&member])
    }

    /// Cuts a member off, or lets it back in.
    pub(crate) fn cut(&self, member: u64, off: bool) {
        let mut apart = self.net.apart.lock().expect("nobody panics");
        if off {
            apart.insert(member);
        } else {
            apart.remove(&member);
        }
    }

    /// Waits until a member stands in some way.
    pub(crate) async fn until(&self, member: u64, is_so: impl Fn(&Standing) -> bool) {
        let group = self.member(member);
        let mut changes = group.changes();
        let waiting = async {
            while !is_so(&group.standing()) {
                assert!(changes.next().await, "it goes on");
            }
        };
        let waited = tokio::time::timeout(WAIT, waiting).await;
        assert!(waited.is_ok(), "member {member} stands as {:?}", group.standing());
    }

    /// The member of these that comes to write.
    pub(crate) async fn leader_of(&self, [one, other]: [u64; 2]) -> u64 {
        let groups = [self.member(one), self.member(other)];
        let [mut first, mut second] = groups.each_ref().map(|group| group.changes());
        let waiting = async {
            loop {
                for (group, member) in groups.iter().zip([one, other]) {
                    if group.standing().leads {
                        return member;
                    }
                }
                tokio::select! {
                    there = first.next() => assert!(there, "it goes on"),
                    there = second.next() => assert!(there, "it goes on"),
                }
            }
        };
        tokio::time::timeout(WAIT, waiting).await.expect("one of them comes to write")
    }

    /// Waits until a journal has so many batches.
    pub(crate) async fn until_has(&self, member: u64, batches: usize) {
        let group = self.member(member);
        let mut changes = group.changes();
        let waiting = async {
            while self.pages[&member].read().len() < batches {
                assert!(changes.next().await, "it goes on");
            }
        };
        let waited = tokio::time::timeout(WAIT, waiting).await;
        assert!(waited.is_ok(), "it has {}", self.pages[&member].read().len());
    }
}

/// Batches of a reign.
pub(crate) fn batches(reign: u64, first: u64, texts: &[&str]) -> Proposal {
    let batches = texts.iter().map(|text| Bytes::copy_from_slice(text.as_bytes()));
    Proposal::Batches { reign, first: Lsn(first), batches: batches.collect() }
}

pub(crate) async fn agree(
    group: &Group,
    reign: u64,
    first: u64,
    texts: &[&str],
) -> Result<u64, GroupError> {
    group.propose(batches(reign, first, texts)).await
}
