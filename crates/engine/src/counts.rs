//! What placing came to beyond grants: steals, probes and claims, as homes count them.

/// Counts since an engine was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How often a home asked a node for tasks that another was to run.
    pub steals_tried: u64,
    /// How often it gave some back.
    pub steals_successful: u64,
    /// How many tasks moved by that.
    pub tasks_stolen: u64,
    /// For how many tasks nodes were asked to keep room.
    pub probes: u64,
    /// Claims of tasks.
    pub claims: u64,
    /// Claims of tasks that another node had claimed.
    pub claims_doubled: u64,
}

impl Counts {
    /// Adds what another engine has counted.
    pub fn add(&mut self, other: Self) {
        self.steals_tried += other.steals_tried;
        self.steals_successful += other.steals_successful;
        self.tasks_stolen += other.tasks_stolen;
        self.probes += other.probes;
        self.claims += other.claims;
        self.claims_doubled += other.claims_doubled;
    }
}
