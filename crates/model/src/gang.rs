//! Gangs: tasks of a spec that are started together, each as one rank of a group that knows where
//! it meets.

use serde::{Deserialize, Serialize};

use crate::id::{NodeId, TaskId, TaskRange};
use crate::task::TaskSpec;

/// Most tasks of one gang.
pub const TASKS_MAX: u16 = 4_096;
/// The ports that gangs meet at: the first one, and how many there are.
pub const PORTS: (u16, u16) = (29_500, 2_000);

/// Where the ranks of a gang meet. It is another at each attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// The node that has rank 0.
    pub first: NodeId,
    /// A port of its machine.
    pub port: u16,
}

impl TaskSpec {
    /// The gang that a task is of, where its spec has gangs.
    #[must_use]
    pub fn gang_of(&self, task: TaskId) -> Option<TaskRange> {
        let (rank, count) = self.rank_of(task.index)?;
        Some(TaskRange { first: task.index - rank, count, ..TaskRange::one(task) })
    }

    /// The rank of a task in its gang, and how many ranks there are; none where its spec has no
    /// gangs.
    #[must_use]
    pub fn rank_of(&self, index: u32) -> Option<(u32, u32)> {
        let size = u32::from(self.gang);
        Some((index.checked_rem(size)?, size))
    }

    /// Why its tasks cannot be gangs of the size that it says, where they cannot: what is wrong,
    /// and what would help.
    #[must_use]
    pub fn misformed(&self) -> Option<(String, &'static str)> {
        let (gang, count, body) = (self.gang, self.count, &self.body);
        if gang == 0 {
            return None;
        }
        let aligned = self.after.iter().any(|one| one.aligned)
            || self.body.uses.iter().any(|one| one.aligned);
        if gang > TASKS_MAX {
            let text = format!("a gang of {gang} tasks is larger than the most, {TASKS_MAX}");
            Some((text, "make gangs smaller"))
        } else if count % u32::from(gang) != 0 {
            let text = format!("{count} tasks cannot be gangs of {gang} each");
            Some((text, "give a number of tasks that is a multiple of the gang's size"))
        } else if body.permit.is_some() {
            let text = "a gang cannot be under a limit of the cluster, which lends one by one";
            Some((text.to_owned(), "leave the limit out"))
        } else if body.cache.is_some() {
            let text = "a gang cannot take results from the cache: its ranks need each other";
            Some((text.to_owned(), "leave the cache out"))
        } else if aligned {
            let text = "a gang cannot wait index by index: its tasks are started together";
            Some((text.to_owned(), "wait for the other tasks as a whole"))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::action::Action;
    use crate::task::{After, Body, Permit};

    fn spec(count: u32, gang: u16) -> TaskSpec {
        let body = Body::new(Action::Command { argv: Vec::new() });
        TaskSpec { count, gang, array: true, ..TaskSpec::new(Arc::new(body)) }
    }

    #[test]
    fn indices_that_follow_each_other_are_a_gang() {
        let task = |index| TaskId { index, ..TaskId::default() };
        let gang = |first| TaskRange { first, count: 4, ..TaskRange::default() };
        assert_eq!(spec(8, 4).gang_of(task(3)), Some(gang(0)));
        assert_eq!(spec(8, 4).gang_of(task(4)), Some(gang(4)));
        assert_eq!(spec(8, 4).rank_of(6), Some((2, 4)));
        assert_eq!((spec(8, 0).gang_of(task(4)), spec(8, 0).rank_of(4)), (None, None));
    }

    #[test]
    fn what_cannot_be_gangs_says_why() {
        assert_eq!(spec(8, 4).misformed(), None);
        assert_eq!(spec(8, 0).misformed(), None);
        let text = |spec: TaskSpec| spec.misformed().expect("it is refused").0;
        assert_eq!(text(spec(10, 4)), "10 tasks cannot be gangs of 4 each");
        assert!(text(spec(5_000, 5_000)).contains("larger than the most, 4096"));
        let mut body = Body::clone(&spec(4, 4).body);
        body.permit = Some(Permit { name: "licence".into(), most: 1 });
        assert!(text(TaskSpec { body: Arc::new(body), ..spec(4, 4) }).contains("limit"));
        let after = [After { spec: crate::id::SpecNo(0), aligned: true }].into();
        assert!(text(TaskSpec { after, ..spec(4, 4) }).contains("index by index"));
    }
}
