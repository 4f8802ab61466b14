//! Lets tasks that ran wait for those that ran of what their entries wait for.

use std::collections::BTreeMap;

use bary_model::time::Span;

use crate::limits::{EDGES_MAX, TASKS_MAX};
use crate::ran::RanError;
use crate::trace::Task;

/// Two arrays that wait for each other as a whole meet in a task of no time past so many pairs.
const PAIRS_MAX: u64 = 4_096;

/// Tasks that are being joined.
#[derive(Default)]
pub(super) struct Draft {
    tasks: Vec<Task>,
    /// Of each task, those that it waits for.
    waits: Vec<Vec<u32>>,
    /// By entry and index.
    places: BTreeMap<(u32, u32), u32>,
    /// By entry, the task of no time that stands for the end of all of it.
    joints: BTreeMap<u32, u32>,
    edges: usize,
}

impl Draft {
    /// Adds a task of an entry.
    pub(super) fn add(&mut self, place: (u32, u32), task: Task) {
        self.places.insert(place, self.tasks.len() as u32);
        self.tasks.push(task);
        self.waits.push(Vec::new());
    }

    /// Lets the tasks of an entry wait for those of another. All tasks have been added before.
    pub(super) fn wait(&mut self, number: u32, on: u32, aligned: bool) -> Result<(), RanError> {
        let own = self.of(number);
        if aligned {
            for (index, place) in own {
                if let Some(other) = self.places.get(&(on, index)).copied() {
                    self.join(place, &[other])?;
                }
            }
            return Ok(());
        }
        let others: Vec<u32> = self.of(on).into_iter().map(|(_, place)| place).collect();
        let pairs = own.len() as u64 * others.len() as u64;
        let others = match pairs > PAIRS_MAX && own.len() > 1 {
            true => vec![self.joint(on, &others)?],
            false => others,
        };
        own.iter().try_for_each(|(_, place)| self.join(*place, &others))
    }

    /// The tasks of an entry that ran: index and place.
    fn of(&self, entry: u32) -> Vec<(u32, u32)> {
        let own = self.places.range((entry, 0)..=(entry, u32::MAX));
        own.map(|((_, index), place)| (*index, *place)).collect()
    }

    fn joint(&mut self, on: u32, others: &[u32]) -> Result<u32, RanError> {
        if let Some(joint) = self.joints.get(&on) {
            return Ok(*joint);
        }
        let joint = self.tasks.len() as u32;
        self.tasks.push(Task::new(Span::ZERO));
        self.waits.push(Vec::new());
        self.joints.insert(on, joint);
        self.join(joint, others)?;
        Ok(joint)
    }

    fn join(&mut self, place: u32, others: &[u32]) -> Result<(), RanError> {
        self.edges += others.len();
        if self.edges > EDGES_MAX {
            return Err(RanError::Edges);
        }
        self.waits[place as usize].extend(others);
        Ok(())
    }

    /// The tasks, with what each waits for.
    pub(super) fn end(mut self) -> Result<Vec<Task>, RanError> {
        if self.tasks.len() > TASKS_MAX {
            return Err(RanError::Tasks(self.tasks.len() as u64));
        }
        for (task, mut after) in self.tasks.iter_mut().zip(self.waits) {
            after.sort_unstable();
            after.dedup();
            task.after = after.into();
        }
        Ok(self.tasks)
    }
}
