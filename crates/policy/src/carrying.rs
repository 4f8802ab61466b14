//! What a policy takes carrying and running to cost where nobody has measured it: how fast bytes
//! come to a node, and how long a unit of weight takes.

use bary_model::time::Span;

use crate::layout::Plans;
use crate::parameter::given::Given;
use crate::parameter::network::{BETWEEN, LAYOUT, UNIT};
use crate::parameter::table::BANDWIDTH;

/// How fast bytes come and work goes, and whether whole jobs are laid out by it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Carrying {
    /// Bytes a second from each node of the same region. Defaults to 125 MB/s.
    pub inside: f64,
    /// Bytes a second from another region, all together. Defaults to 25 MB/s.
    pub between: f64,
    /// How long a unit of weight takes at speed 1, until nodes have shown it. Defaults to 1 s.
    pub unit: Span,
    /// By which plans whole jobs are laid out over regions. Defaults to none.
    pub layout: Plans,
}

impl Carrying {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        Self {
            inside: given.number(&BANDWIDTH) * 1e6,
            between: given.number(&BETWEEN) * 1e6,
            unit: given.time(&UNIT),
            layout: Plans::of(given.word(&LAYOUT)).unwrap_or_default(),
        }
    }

    /// How much weight (thousandths) a second comes to at speed 1, where nothing has shown it.
    #[must_use]
    pub fn pace(&self) -> f64 {
        1e3 / self.unit.as_secs_f64().max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset::parse;

    #[test]
    fn a_policy_says_what_carrying_and_running_cost() {
        let text = "topology,between=12.5,bandwidth=1000,unit=10ms";
        let carrying = parse(text).expect("it is a policy").carrying;
        assert_eq!((carrying.inside, carrying.between), (1e9, 12.5e6));
        assert_eq!((carrying.pace(), carrying.layout), (1e5, Plans::Three));
        let usual = parse("gravity").expect("it is a policy").carrying;
        assert_eq!((usual.pace(), usual.layout), (1e3, Plans::None));
    }
}
