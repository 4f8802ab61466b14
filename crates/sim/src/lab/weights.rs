//! How heavy the tasks of a workload are.

use bary_jobfile::document::{Document, Section};
use bary_jobfile::fault::Fault;
use bary_model::weight::Weight;

use crate::lab::draw;
use crate::lot::Lot;

/// A law of weights, in units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weights {
    /// All the same.
    Constant(f64),
    /// Evenly between two.
    Uniform(f64, f64),
    /// Pareto with an exponent, a least and a greatest weight, at which it is cut.
    Pareto {
        /// The exponent.
        shape: f64,
        /// The least.
        least: f64,
        /// The greatest.
        most: f64,
    },
    /// Light ones evenly between two, and a share of heavy ones within a tenth of their mean.
    Bimodal {
        /// The share of heavy ones.
        heavy: f64,
        /// The lightest and the heaviest of the light ones.
        light: (f64, f64),
        /// The mean of the heavy ones.
        mean: f64,
    },
    /// Log-normal with a median and a greatest weight, at which it is cut.
    Lognormal {
        /// The median.
        median: f64,
        /// The deviation of the logarithm.
        sigma: f64,
        /// The greatest.
        most: f64,
    },
}

impl Default for Weights {
    fn default() -> Self {
        Self::Uniform(1.0, 10.0)
    }
}

impl Weights {
    /// Reads the table `weights`.
    pub(crate) fn read(document: &Document<'_>, from: &Section<'_>) -> Result<Self, Box<Fault>> {
        let number = |key, usual| from.number(key).unwrap_or(usual);
        let least = number("least", 1.0);
        let wrong = |least: f64, most: f64| {
            let text = format!("the least weight is {least}, and the greatest {most}");
            Err(document.fault(from.span("most"), &text, "write `most` above `least`"))
        };
        let (law, most) = match from.text("law") {
            Some("constant") => return Ok(Self::Constant(number("value", 1.0))),
            Some("pareto") => {
                let most = number("most", 1_000.0);
                (Self::Pareto { shape: number("shape", 1.5), least, most }, most)
            }
            Some("bimodal") => {
                let (most, heavy) = (number("most", 2.0), number("heavy", 0.1));
                (Self::Bimodal { heavy, light: (least, most), mean: number("value", 50.0) }, most)
            }
            Some("lognormal") => {
                let (median, most) = (number("value", 1.0), number("most", 1e6));
                return Ok(Self::Lognormal { median, sigma: number("sigma", 1.0), most });
            }
            _ => {
                let most = number("most", 10.0);
                (Self::Uniform(least, most), most)
            }
        };
        if most < least { wrong(least, most) } else { Ok(law) }
    }

    /// Draws one.
    pub(crate) fn draw(&self, lot: &mut Lot) -> Weight {
        let units = match *self {
            Self::Constant(value) => value,
            Self::Uniform(least, most) => draw::even(lot, least, most),
            Self::Pareto { shape, least, most } => (least * draw::pareto(lot, shape)).min(most),
            Self::Bimodal { heavy, light, mean } => {
                let is_heavy = draw::share(lot) < heavy;
                let (least, most) = if is_heavy { (0.9 * mean, 1.1 * mean) } else { light };
                draw::even(lot, least, most)
            }
            Self::Lognormal { median, sigma, most } => {
                (median * draw::lognormal(lot, sigma)).min(most)
            }
        };
        rounded(units)
    }
}

/// The weight next to so many units.
pub(crate) fn rounded(units: f64) -> Weight {
    Weight::new(units.clamp(Weight::MIN.units(), Weight::MAX.units())).unwrap_or(Weight::ONE)
}
