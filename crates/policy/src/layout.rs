//! How a whole job lies over the regions of a cluster: what is asked, and what the answer is. The
//! plans and their predictions are computed beside the engine, from the graph of the job's tasks.

use std::fmt;

/// Bytes that one task leaves for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Who leaves them.
    pub from: usize,
    /// Who reads them.
    pub to: usize,
    /// How many.
    pub bytes: u64,
}

/// Regions and what lies between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// What each region does in a millisecond, in milliseconds of work of a node of speed 1.
    pub powers: Vec<f64>,
    /// One way between regions, in milliseconds.
    pub latency: f64,
    /// Bytes in a millisecond from one region to another; all that goes there shares them.
    pub bandwidth: f64,
    /// The region from which tasks are granted, where that takes time: word of what a task waits
    /// for goes there, and its grant comes from there, each one way.
    pub home: Option<usize>,
}

/// A job and the regions that it could lie over.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// How long each task takes on a node of speed 1, in milliseconds.
    pub work: Vec<f64>,
    /// What goes between tasks.
    pub links: Vec<Link>,
    /// The regions.
    pub network: Network,
    /// Which plans may be chosen.
    pub plans: Plans,
}

/// Which plans may be chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plans {
    /// Jobs are not laid out at all.
    #[default]
    None,
    /// Whichever would be over first.
    Three,
    /// One region.
    One,
    /// A split along the graph.
    Split,
}

impl Plans {
    /// The words for them in a policy's text.
    pub const WORDS: &[&str] = &["none", "three", "one", "split"];

    /// The plans of a word; none where it is no such word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let at = Self::WORDS.iter().position(|known| *known == word)?;
        [Self::None, Self::Three, Self::One, Self::Split].get(at).copied()
    }
}

/// A way to run a whole job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Each task wherever it could begin first.
    Spread,
    /// All tasks in this region.
    One(usize),
    /// Each task in the region that stands here.
    Split(Vec<usize>),
}

impl Layout {
    /// The region that a task is to run in; none where any will do.
    #[must_use]
    pub fn region(&self, task: usize) -> Option<usize> {
        match self {
            Self::Spread => None,
            Self::One(region) => Some(*region),
            Self::Split(parts) => parts.get(task).copied(),
        }
    }
}

/// A layout and what made it the choice: how long each would take, in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The one that would be over first; of equal ones the simpler.
    pub layout: Layout,
    /// Spread over all.
    pub spread: f64,
    /// All in one region.
    pub one: f64,
    /// Split along the graph.
    pub split: f64,
}

/// For people: what was chosen, and what each would take.
impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.layout {
            Layout::Spread => f.write_str("spread over all regions")?,
            Layout::One(region) => write!(f, "all in region {region}")?,
            Layout::Split(_) => f.write_str("split along its graph")?,
        }
        let Self { spread, one, split, .. } = self;
        write!(f, " (spread {spread:.0} ms, one region {one:.0} ms, split {split:.0} ms)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_says_what_each_plan_would_take() {
        let choice = Choice { layout: Layout::One(1), spread: 900.4, one: 450.0, split: 600.0 };
        let told = "all in region 1 (spread 900 ms, one region 450 ms, split 600 ms)";
        assert_eq!(choice.to_string(), told);
    }

    #[test]
    fn every_word_names_its_plans_and_a_task_has_the_region_of_its_part() {
        let plans: Vec<Plans> = Plans::WORDS.iter().filter_map(|word| Plans::of(word)).collect();
        assert_eq!(plans, [Plans::None, Plans::Three, Plans::One, Plans::Split]);
        assert_eq!(Plans::of("four"), None);
        let split = Layout::Split(vec![1, 0]);
        assert_eq!([split.region(0), split.region(1), split.region(2)], [Some(1), Some(0), None]);
        assert_eq!((Layout::Spread.region(0), Layout::One(3).region(9)), (None, Some(3)));
    }
}
