//! The named limits of scenarios. What is past one is refused by its name.

/// The longest scenario, in bytes.
pub const SCENARIO_BYTES_MAX: u64 = 1 << 20;
/// The most nodes of a scenario.
pub const NODES_MAX: u64 = 100_000;
/// The most tasks of a scenario.
pub const TASKS_MAX: u64 = 4_000_000;
/// The most dependencies of all its tasks.
pub const DEPENDENCIES_MAX: u64 = 20_000_000;
/// The most pairs of nodes that know each other; each costs about a kilobyte.
pub const LINKS_MAX: u64 = 1_000_000;
/// The most nodes that gossip; what it costs grows with the square of their number.
pub const GOSSIP_NODES_MAX: u64 = 300;
/// The most groups of nodes, workloads, faults or policies of a scenario, each.
pub const PARTS_MAX: u64 = 1_000;
/// The most regions.
pub const REGIONS_MAX: u64 = 256;
/// The most seeds that one comparison runs.
pub const SEEDS_MAX: u64 = 1_000;
/// The most cores, and the most slots, of a node.
pub const CORES_MAX: u64 = 4_096;

/// Every limit: its name, its value, and what is counted.
pub static LIMITS: [(&str, u64, &str); 10] = [
    ("scenario_bytes_max", SCENARIO_BYTES_MAX, "bytes of a scenario"),
    ("scenario_nodes_max", NODES_MAX, "nodes of a scenario"),
    ("scenario_tasks_max", TASKS_MAX, "tasks of a scenario"),
    ("scenario_dependencies_max", DEPENDENCIES_MAX, "dependencies of a scenario's tasks"),
    ("scenario_links_max", LINKS_MAX, "pairs of nodes of a scenario that know each other"),
    ("scenario_gossip_nodes_max", GOSSIP_NODES_MAX, "nodes of a scenario that gossips"),
    ("scenario_parts_max", PARTS_MAX, "groups, workloads, faults or policies of a scenario, each"),
    ("scenario_regions_max", REGIONS_MAX, "regions of a scenario"),
    ("scenario_seeds_max", SEEDS_MAX, "seeds of one comparison"),
    ("scenario_cores_max", CORES_MAX, "cores, and slots, of a scenario's node"),
];
