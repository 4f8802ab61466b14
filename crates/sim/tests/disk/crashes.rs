//! Whatever is done to a log and wherever it crashes: what was acknowledged is there, in order, and
//! nothing is that was never written.

use bary_journal::log::{SnapshotError, WriteError};
use bary_journal::recovery::OpenError;
use bary_model::id::Lsn;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};

use crate::world::World;

#[derive(Clone, Debug)]
enum Act {
    Write(usize),
    Sync,
    Settle,
    Snapshot,
    /// The power fails after so many changes of the disk from now.
    CrashAfter(u64),
    /// The power fails.
    Crash,
    /// The process dies; the system goes on.
    Die,
    FailSync,
    /// Only so many more bytes fit on the disk.
    Fill(u64),
    MakeSpace,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => prop_oneof![8 => 0..300_usize, 1 => 300..6_000_usize].prop_map(Act::Write),
        6 => Just(Act::Sync),
        1 => Just(Act::Settle),
        2 => Just(Act::Snapshot),
        2 => (0..12_u64).prop_map(Act::CrashAfter),
        1 => Just(Act::Crash),
        1 => Just(Act::Die),
        1 => Just(Act::FailSync),
        1 => (0..10_000_u64).prop_map(Act::Fill),
        1 => Just(Act::MakeSpace),
    ]
}

/// A world and what the acts have to remember.
struct Play {
    world: World,
    last_snapshot: Lsn,
    doomed: bool,
}

impl Play {
    fn new(seed: u64) -> Self {
        Self { world: World::new(seed), last_snapshot: Lsn(0), doomed: false }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Write(len) => match self.world.write(*len) {
                Ok(()) | Err(WriteError::Full) => {}
                Err(_) => self.restart(),
            },
            Act::Sync => self.sync(),
            Act::Settle => {
                self.sync();
                let settled = self.world.log.as_mut().expect("it is open").settle();
                if settled.is_err() {
                    self.restart();
                }
            }
            Act::Snapshot => self.snapshot(),
            Act::CrashAfter(changes) => {
                self.world.fuse.set(*changes);
                self.doomed = true;
            }
            Act::Crash => self.crash(),
            Act::Die => self.restart(),
            Act::FailSync => self.world.disk.fail_next_sync(),
            Act::Fill(more) => {
                let used = self.world.disk.used();
                self.world.disk.set_capacity(Some(used + more));
            }
            Act::MakeSpace => {
                self.world.disk.set_capacity(None);
                if self.world.log.as_mut().expect("it is open").make_room().is_err() {
                    self.restart();
                }
            }
        }
    }

    fn sync(&mut self) {
        if !self.world.sync() {
            self.restart();
        }
    }

    fn snapshot(&mut self) {
        if !self.world.has_news(self.last_snapshot) {
            return;
        }
        let lsn = self.world.acknowledged();
        match self.world.snapshot() {
            Ok(()) => self.last_snapshot = lsn,
            Err(SnapshotError::Full { .. }) => {}
            Err(_) => self.restart(),
        }
    }

    /// The log has failed or its process died: it is opened again, after a crash where one was due.
    fn restart(&mut self) {
        if self.doomed {
            return self.crash();
        }
        // A drawn fault may hit the opening; the next one finds the disk well.
        let opened = self.world.open().or_else(|_| self.world.open());
        self.last_snapshot = opened.expect("the disk is well").snapshot.unwrap_or_default();
    }

    fn crash(&mut self) {
        self.world.crash();
        self.doomed = false;
        let opened = self.world.open();
        self.last_snapshot = opened.expect("a crash is mended").snapshot.unwrap_or_default();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_acknowledged_is_lost(
        seed in any::<u64>(),
        acts in proptest::collection::vec(act(), 1..120),
    ) {
        let mut play = Play::new(seed);
        for act in &acts {
            play.act(act);
        }
        play.crash();
        play.crash();
    }

    #[test]
    fn rot_is_found_or_harmless(
        seed in any::<u64>(),
        acts in proptest::collection::vec(act(), 1..120),
        rots in 1..3_u32,
        crashes in any::<bool>(),
    ) {
        let mut play = Play::new(seed);
        for act in &acts {
            play.act(act);
        }
        // The oracle in `open` sees to it that nothing acknowledged is missing.
        if crashes {
            play.world.crash();
        }
        let rotted = (0..rots).filter(|_| play.world.rot()).count();
        play.world.fuse.set(u64::MAX);
        let opened = play.world.open();
        let excused = match &opened {
            Ok(_) => true,
            // A fault that was drawn before may hit the opening.
            Err(OpenError::Disk(_)) => !crashes,
            Err(OpenError::Corrupt { .. } | OpenError::Missing { .. }) => rotted > 0,
            Err(_) => false,
        };
        prop_assert!(excused, "{opened:?}");
    }
}

/// One life of a log with segments that fill, a snapshot that replaces them, and a recycled file.
fn life(play: &mut Play) {
    for round in 0..4 {
        for len in [10, 700, 90, 900, 400] {
            play.act(&Act::Write(len));
            if len % 100 == 0 {
                play.act(&Act::Sync);
            }
            if !play.doomed {
                return;
            }
        }
        play.act(&Act::Sync);
        if round % 2 == 1 && play.doomed {
            play.act(&Act::Snapshot);
        }
    }
}

#[test]
fn every_single_change_of_the_disk_may_be_the_last() {
    let mut crashed = 0;
    for changes in 0..90 {
        for seed in 0..8 {
            let mut play = Play::new(seed);
            play.act(&Act::CrashAfter(changes));
            life(&mut play);
            crashed += u32::from(!play.doomed);
            play.crash();
            play.act(&Act::Write(50));
            play.act(&Act::Sync);
            play.crash();
        }
    }
    assert!(crashed > 300, "most of these crashes hit something: {crashed}");
}

#[test]
fn every_change_of_mending_may_be_the_last() {
    for seed in 0..40 {
        for changes in 0..30 {
            let mut play = Play::new(seed);
            play.act(&Act::CrashAfter(20 + seed));
            life(&mut play);
            play.world.crash();
            play.world.fuse.set(changes);
            play.doomed = false;
            if play.world.open().is_err() {
                assert_eq!(play.world.fuse.left(), 0, "only the death can be the cause");
            }
            play.crash();
            play.act(&Act::Write(50));
            play.act(&Act::Sync);
            play.crash();
        }
    }
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_any_more() {
    let mut world = World::new(1);
    world.write(10).expect("there is space");
    assert!(world.sync(), "the disk is well");
    world.write(10).expect("there is space");
    world.disk.fail_next_sync();
    assert!(!world.sync(), "the drawn fault");
    // The disk would do it now, but what the failed sync lost it would not write.
    assert!(!world.sync(), "a later sync must not pass for the failed one");
    assert!(matches!(world.write(10), Err(WriteError::Poisoned(_))));
    assert!(matches!(world.snapshot(), Err(SnapshotError::Poisoned(_))));
    let log = world.log.as_mut().expect("the log is open");
    assert!(log.settle().is_err() && log.make_room().is_err());
    assert_eq!(log.durable(), Lsn(1));
    world.open().expect("opening it anew tells what is durable");
}
