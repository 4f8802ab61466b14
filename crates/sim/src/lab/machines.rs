//! What the machines of a group of nodes are found to be.

use bary_jobfile::document::Section;
use bary_model::machine::Machine;

/// What a group says of its machines. `Default` is nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Machines {
    /// Frequencies in MHz, which the nodes have one after another.
    pub mhz: Vec<u32>,
    /// The memory of each GPU in bytes; 0 where it is not known.
    pub gpu_memory: u64,
    /// The bytes a second that the network of each may take; 0 where that is not known.
    pub bandwidth: u64,
    /// The thousandths of what each sends that are lost.
    pub lost: u16,
}

impl Machines {
    pub(crate) fn read(from: &Section<'_>) -> Self {
        let thousandths = from.number("lost").unwrap_or(0.0) * f64::from(Machine::LOST_MAX);
        Self {
            mhz: from.numbers("mhz").iter().map(|mhz| *mhz as u32).collect(),
            gpu_memory: from.size("gpu_memory").unwrap_or(0),
            bandwidth: from.size("bandwidth").unwrap_or(0),
            lost: thousandths.round() as u16,
        }
    }

    /// The machine of the group's `own`-th node, which has so many GPUs.
    pub(crate) fn of(&self, own: usize, gpus: u32) -> Machine {
        let amount = |whole: u64| u32::try_from(whole).unwrap_or(u32::MAX);
        let mhz = own.checked_rem(self.mhz.len()).map_or(0, |at| self.mhz[at]);
        let gpu_mib = amount((self.gpu_memory >> 20).saturating_mul(gpus.into()));
        let link_mbit = amount(self.bandwidth / 125_000);
        Machine { mhz, gpu_mib, link_mbit, lost: self.lost }.rounded()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_have_the_frequencies_of_their_group_one_after_another() {
        let group = Machines {
            mhz: vec![2_000, 3_480],
            gpu_memory: 24 << 30,
            bandwidth: 125_000_000,
            lost: 3,
        };
        let machine = |mhz, gpu_mib| Machine { mhz, gpu_mib, link_mbit: 1_000, lost: 3 };
        assert_eq!(group.of(0, 2), machine(2_000, 48 << 10));
        assert_eq!(group.of(3, 0), machine(3_500, 0));
        assert_eq!(Machines::default().of(5, 1), Machine::default());
    }
}
