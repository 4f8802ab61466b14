//! One simulated file: what a reader sees, and what of it a crash may take back.

use std::collections::BTreeMap;
use std::ops::Range;

use bary_policy::dice::Dice;

use crate::disk::{Mood, SECTOR};

/// Something that was done since the last sync, with what it replaced.
#[derive(Debug)]
enum Pending {
    /// Bytes were written over `range`; what was there begins at `undo` of the undo bytes.
    Write { range: Range<usize>, undo: usize },
    /// The length changed from `from`; what was cut begins at `undo` of the undo bytes.
    Length { from: usize, undo: usize },
}

/// A file.
#[derive(Debug, Default)]
pub(crate) struct SimFile {
    /// What a reader sees.
    data: Vec<u8>,
    /// Up to where anything was ever written.
    used: usize,
    pending: Vec<Pending>,
    undo: Vec<u8>,
    /// What the last sync made durable.
    fresh: Vec<Range<usize>>,
    /// What the disk may hold in place of a sector whose sync has failed.
    limbo: BTreeMap<usize, Vec<u8>>,
}

impl SimFile {
    /// A file of zeros. Its length is not durable yet.
    pub(crate) fn new(len: usize) -> Self {
        let pending = vec![Pending::Length { from: 0, undo: 0 }];
        Self { data: vec![0; len], pending, ..Self::default() }
    }

    pub(crate) fn len(&self) -> u64 {
        self.data.len() as u64
    }

    pub(crate) fn read_at(&self, offset: usize, into: &mut [u8]) -> usize {
        let from = self.data.get(offset..).unwrap_or_default();
        let read = from.len().min(into.len());
        into[..read].copy_from_slice(&from[..read]);
        read
    }

    pub(crate) fn write_at(&mut self, offset: usize, bytes: &[u8]) {
        let range = offset..offset + bytes.len();
        if range.end > self.data.len() {
            self.truncate(range.end);
        }
        self.used = self.used.max(range.end);
        let undo = self.undo.len();
        self.undo.extend_from_slice(&self.data[range.clone()]);
        self.data[range.clone()].copy_from_slice(bytes);
        self.pending.push(Pending::Write { range, undo });
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        let (from, undo) = (self.data.len(), self.undo.len());
        self.undo.extend_from_slice(self.data.get(len..).unwrap_or_default());
        self.data.resize(len, 0);
        self.pending.push(Pending::Length { from, undo });
    }

    pub(crate) fn sync(&mut self) {
        self.fresh.clear();
        for pending in self.pending.drain(..) {
            let Pending::Write { range, .. } = pending else { continue };
            if !self.limbo.is_empty() {
                // A sector that is written again is written whole.
                let sectors = range.start / SECTOR..range.end.div_ceil(SECTOR);
                self.limbo.retain(|sector, _| !sectors.contains(sector));
            }
            self.fresh.push(range);
        }
        self.undo.clear();
    }

    /// The system reports a failure once and takes the pages for written from then on.
    pub(crate) fn fail_sync(&mut self) {
        let seen = self.data.clone();
        let pending = std::mem::take(&mut self.pending);
        for pending in pending.iter().rev() {
            self.take_back(pending);
        }
        for range in pending.iter().filter_map(written) {
            for sector in range.start / SECTOR..range.end.div_ceil(SECTOR) {
                let old = self.data.get(sector * SECTOR..).unwrap_or_default();
                let old = old[..SECTOR.min(old.len())].to_vec();
                self.limbo.entry(sector).or_insert(old);
            }
        }
        self.data = seen;
        self.undo.clear();
    }

    pub(crate) fn crash(&mut self, mood: Mood, dice: &mut Dice) {
        let pending = std::mem::take(&mut self.pending);
        match mood {
            Mood::KeepAll => {}
            Mood::LoseAll => pending.iter().rev().for_each(|pending| self.take_back(pending)),
            Mood::Draw => self.draw(&pending, dice),
        }
        for (sector, old) in std::mem::take(&mut self.limbo) {
            let at = sector * SECTOR;
            if at + old.len() <= self.data.len() && dice.below(2) == 0 {
                self.data[at..at + old.len()].copy_from_slice(&old);
            }
        }
        self.undo.clear();
    }

    /// The file is finished: what was synced last is as safe as the rest.
    pub(crate) fn finish(&mut self) {
        self.fresh.clear();
    }

    /// Takes back what the dice say. Lengths reach the disk in order; each sector keeps its first
    /// few writes, and of the next one perhaps some first bytes.
    fn draw(&mut self, pending: &[Pending], dice: &mut Dice) {
        let lost_length = pending
            .iter()
            .position(|pending| written(pending).is_none() && dice.below(2) == 0)
            .unwrap_or(pending.len());
        let (kept, lost) = pending.split_at(lost_length);
        lost.iter().rev().for_each(|pending| self.take_back(pending));
        let mut writes: BTreeMap<usize, u64> = BTreeMap::new();
        for range in kept.iter().filter_map(written) {
            for sector in range.start / SECTOR..range.end.div_ceil(SECTOR) {
                *writes.entry(sector).or_default() += 1;
            }
        }
        // How many writes each sector loses, and up to where the first lost one is torn.
        let mut losses: BTreeMap<usize, (u64, usize)> = BTreeMap::new();
        for (sector, writes) in writes {
            let torn = if dice.below(4) == 0 { dice.below(SECTOR as u64) as usize } else { 0 };
            losses.insert(sector, (dice.below(writes + 1), torn));
        }
        for pending in kept.iter().rev() {
            self.take_back_sectors(pending, &mut losses);
        }
    }

    fn take_back_sectors(&mut self, pending: &Pending, losses: &mut BTreeMap<usize, (u64, usize)>) {
        let Pending::Write { range, undo } = pending else { return };
        for sector in range.start / SECTOR..range.end.div_ceil(SECTOR) {
            let Some((lost, torn)) = losses.get_mut(&sector).filter(|(lost, _)| *lost > 0) else {
                continue;
            };
            *lost -= 1;
            let kept = if *lost == 0 { sector * SECTOR + *torn } else { 0 };
            let from = range.start.max(sector * SECTOR).max(kept);
            let to = range.end.min((sector + 1) * SECTOR).min(self.data.len());
            if from < to {
                let old = undo + from - range.start..undo + to - range.start;
                self.data[from..to].copy_from_slice(&self.undo[old]);
            }
        }
    }

    /// Takes back the last thing that was done.
    fn take_back(&mut self, pending: &Pending) {
        match pending {
            Pending::Write { range, undo } => {
                let old = &self.undo[*undo..undo + range.len()];
                self.data[range.clone()].copy_from_slice(old);
            }
            Pending::Length { from, undo } => {
                let cut = from.saturating_sub(self.data.len());
                self.data.truncate(*from);
                self.data.extend_from_slice(&self.undo[*undo..undo + cut]);
            }
        }
    }

    /// Changes one bit of a byte that was written and durable before the last sync.
    pub(crate) fn rot(&mut self, dice: &mut Dice) -> Option<(u64, u8)> {
        const TRIES: usize = 16;
        let used = self.used.min(self.data.len());
        if used == 0 {
            return None;
        }
        for _ in 0..TRIES {
            let at = dice.below(used as u64) as usize;
            let mut unsettled = self.fresh.iter().chain(self.pending.iter().filter_map(written));
            if !unsettled.any(|range| range.contains(&at)) {
                let bit = dice.below(8) as u8;
                self.data[at] ^= 1 << bit;
                return Some((at as u64, bit));
            }
        }
        None
    }
}

fn written(pending: &Pending) -> Option<&Range<usize>> {
    match pending {
        Pending::Write { range, .. } => Some(range),
        Pending::Length { .. } => None,
    }
}
