//! So many nodes that their price and the price of waiting are least together. For steady load the
//! square-root rule: `R + y sqrt(R)` nodes for an offered load of `R`, with `y(r)^2 = r / (1 + r
//! (sqrt(pi/2) - 1))`, where `r` is what an hour of waiting costs over what an hour of a node does
//! (Borst, Mandelbaum and Reiman, Dimensioning large call centers, 2004; up to r = 10). For what
//! waits, `queued sqrt(r each / 2 bill)` nodes more. Blind spots: it takes arrivals for Poisson's,
//! and every task's wait for equally dear.

use bary_model::time::Span;

use crate::scale::{Rule, ScaleView};

/// Prices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// What an hour of a node costs; above zero, in any currency. Defaults to 1.
    pub node_hour: f64,
    /// What an hour of waiting of one task costs; zero or more. Defaults to 1.
    pub wait_hour: f64,
    /// The shortest time that a node is paid for; what it takes to start included. Not zero.
    /// Defaults to 5 minutes.
    pub bill: Span,
}

impl Default for Cost {
    fn default() -> Self {
        Self { node_hour: 1.0, wait_hour: 1.0, bill: Span::secs(300) }
    }
}

/// Ratios of prices above this count as this in the square-root rule, which is meant for less.
const RATIO_MAX: f64 = 10.0;

impl Cost {
    /// What waiting costs in nodes: an hour of waiting over an hour of a node.
    fn ratio(&self) -> f64 {
        self.wait_hour / self.node_hour
    }

    /// How many standard deviations of the load are kept free, in hundredths.
    fn spare(&self) -> u64 {
        let ratio = self.ratio().min(RATIO_MAX);
        let bend = std::f64::consts::FRAC_PI_2.sqrt() - 1.0;
        ((ratio / (1.0 + ratio * bend)).sqrt() * 100.0).round() as u64
    }

    /// How many nodes more are worth while for each task that waits, in thousandths: renting k of
    /// them for a minimum of `bill` and waiting meanwhile, `k bill + r queued^2 each / 2k`, is
    /// least there.
    fn per_queued(&self, each: Span) -> u64 {
        let worth = self.ratio() * each.as_secs_f64() / (2.0 * self.bill.as_secs_f64());
        (worth.sqrt() * 1e3).round() as u64
    }
}

impl Rule for Cost {
    fn name(&self) -> &'static str {
        "cost"
    }

    fn wanted(&self, view: &ScaleView) -> (u64, String) {
        let deviation = ((view.offered as f64 * 1e3).sqrt()).round() as u64;
        let spare = deviation * self.spare() / 100;
        // More nodes than tasks that wait would find nothing to do.
        let extra = view.queued.saturating_mul(self.per_queued(view.each).min(1_000));
        let wanted = view.offered.saturating_add(spare).saturating_add(extra).div_ceil(1_000);
        let why = format!(
            "work for {:.1} nodes arrives, {:.1} to spare and {:.1} for what waits pay",
            view.offered as f64 / 1e3,
            spare as f64 / 1e3,
            extra as f64 / 1e3,
        );
        (wanted, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::tests::view;

    fn at(wait_hour: f64) -> Cost {
        Cost { wait_hour, ..Cost::default() }
    }

    #[test]
    fn the_spare_part_grows_as_the_root_of_the_load() {
        let spare = |busy: u32| at(1.0).wanted(&view(busy, busy, 0)).0 - u64::from(busy);
        assert_eq!([spare(100), spare(400), spare(10_000)], [9, 18, 89]);
    }

    #[test]
    fn who_minds_no_waiting_pays_for_nothing_to_spare() {
        assert_eq!(at(0.0).wanted(&view(25, 25, 40)).0, 25);
    }

    #[test]
    fn dearer_waits_want_more_nodes_but_never_more_than_there_are_tasks() {
        let wanted = |dear: f64| at(dear).wanted(&view(10, 10, 50)).0;
        assert!(wanted(0.1) < wanted(1.0) && wanted(1.0) < wanted(10.0));
        assert!(wanted(1e9) <= 10 + 50 + 6);
    }
}
