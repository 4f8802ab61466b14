//! Which tables there are: which rules, in which scenarios, and what was claimed elsewhere.

/// What a cell shows: measures, what each is multiplied by, and digits behind the point.
pub(crate) type Cell = &'static [(&'static str, f64, usize)];

/// One table.
pub(crate) struct Table {
    /// Its name in the page's markers.
    pub(crate) name: &'static str,
    /// The scenarios and their heads.
    pub(crate) columns: &'static [(&'static str, &'static str)],
    /// The policies and their heads; the first is the default.
    pub(crate) rows: &'static [(&'static str, &'static str)],
    /// What a cell shows.
    pub(crate) cell: Cell,
    /// What was claimed elsewhere, a cell a column.
    pub(crate) claims: &'static [(&'static str, &'static [&'static str])],
    /// Rules that are left out in a scenario.
    pub(crate) without: &'static [(&'static str, &'static str)],
    /// Whether a scenario is a row, and a rule a column; such a table has no claims.
    pub(crate) turned: bool,
}

/// Balance in percent, and messages that placing took, a task.
const PLACING: Cell = &[("balance", 1.0, 2), ("claims_per_task", 1.0, 3)];
/// Balance in percent, and the makespan over the lower bound.
const SPREAD: Cell = &[("balance", 1.0, 2), ("makespan_over_bound", 1.0, 3)];
/// The same, and the makespan over the lower bound.
const CLUSTER: Cell =
    &[("balance", 1.0, 2), ("claims_per_task", 1.0, 3), ("makespan_over_bound", 1.0, 4)];
/// Mean wait in milliseconds, and that of one task in a hundred.
const WAITING: Cell = &[("wait_mean_seconds", 1e3, 1), ("wait_p99_seconds", 1e3, 0)];
/// Mean response in milliseconds, and that of one task in a hundred.
const RESPONDING: Cell = &[("response_mean_seconds", 1e3, 0), ("response_p99_seconds", 1e3, 0)];
/// Microseconds of this machine for each task, all engines together.
const TIME: Cell = &[("host", 1.0, 1)];
/// The same of homes only: what deciding takes.
const DECIDING: Cell = &[("homes", 1.0, 1)];

const SIZES: &[(&str, &str)] = &[
    ("lan-5", "5 nodes, 100 tasks"),
    ("lan-10", "10, 1,000"),
    ("lan-20", "20, 10⁴"),
    ("lan-50", "50, 10⁵"),
    ("lan-1000", "1,000, 10⁶"),
];

/// The sizes that take long enough to be timed.
const TIMED: &[(&str, &str)] = &[
    ("lan-10", "10 nodes, 1,000 tasks"),
    ("lan-20", "20, 10⁴"),
    ("lan-50", "50, 10⁵"),
    ("lan-1000", "1,000, 10⁶"),
];

const FOUR: &[(&str, &str)] = &[
    ("gravity", "`gravity`, the default"),
    ("work-stealing", "`work-stealing`"),
    ("least-loaded", "`least-loaded`"),
    ("random", "`random`"),
];

const FIVE: &[(&str, &str)] = &[
    ("gravity", "`gravity`, the default"),
    ("broadcast", "`broadcast`: claims by zones"),
    ("work-stealing", "`work-stealing`"),
    ("least-loaded", "`least-loaded`"),
    ("random", "`random`"),
];

/// Rules that look at every node for every task, or tell every node of every claim, take minutes
/// there.
const MANY: &[(&str, &str)] = &[
    ("work-stealing", "lan-1000"),
    ("least-loaded", "lan-1000"),
    ("power-of-two", "lan-1000"),
    ("work-stealing-classic", "lan-1000"),
    ("sparrow", "lan-1000"),
    ("broadcast", "lan-1000"),
    ("broadcast", "lan-50"),
    ("pids-broadcast", "lan-20"),
    ("pids-broadcast", "lan-50"),
    ("pids-broadcast", "lan-1000"),
    ("pids-as-written", "lan-5"),
    ("pids-as-written", "lan-20"),
    ("pids-as-written", "lan-50"),
    ("pids-as-written", "lan-1000"),
    ("pids-classic", "lan-1000"),
    ("quantum", "lan-1000"),
    ("resource-aware", "lan-1000"),
    ("round-robin", "lan-1000"),
    ("random", "lan-1000"),
];

/// Every table, in the order of the page.
pub(crate) const TABLES: &[Table] = &[
    Table {
        name: "sizes",
        columns: SIZES,
        rows: RULES,
        cell: PLACING,
        claims: &[
            ("PIDS, as published", &["95.1 / 5", "94.2 / 10", "93.8 / 20", "93.2 / 50", "–"]),
            ("least-loaded, as published", &["–", "91.5", "–", "–", "–"]),
            ("round-robin, as published", &["–", "82.4", "–", "–", "–"]),
            ("random, as published", &["–", "76.8", "–", "–", "–"]),
            (
                "pull, as simulated before",
                &[
                    "99.82 / 1.24",
                    "99.94 / 0.33",
                    "99.99 / 0.078",
                    "100.00 / 0.022",
                    "100.00 / 0.042",
                ],
            ),
            (
                "steal half, as simulated before",
                &[
                    "98.0 / 0.19",
                    "99.56 / 0.086",
                    "99.90 / 0.031",
                    "99.97 / 0.009",
                    "99.94 / 0.028",
                ],
            ),
            (
                "claims by zones, as simulated before",
                &[
                    "99.64 / 0.33",
                    "99.94 / 0.15",
                    "99.99 / 0.062",
                    "100.00 / 0.040",
                    "100.00 / 2.0",
                ],
            ),
        ],
        without: MANY,
        turned: false,
    },
    Table {
        name: "time",
        columns: TIMED,
        rows: RULES,
        cell: TIME,
        claims: &[("PIDS, as published", &["1,200", "2,100", "3,500", "–"])],
        without: MANY,
        turned: false,
    },
    Table {
        name: "deciding",
        columns: TIMED,
        rows: RULES,
        cell: DECIDING,
        claims: &[("PIDS, as published", &["1,200", "2,100", "3,500", "–"])],
        without: MANY,
        turned: false,
    },
    Table {
        name: "clusters",
        columns: &[
            ("lan-10", "small: 10 nodes, 1,000 tasks"),
            ("lan-100", "medium: 100 nodes, 10⁵ tasks"),
            ("lan-1000", "large: 1,000 nodes, 10⁶ tasks"),
            ("lan-10000", "massive: 10,000 nodes, 10⁶ tasks"),
        ],
        rows: FOUR,
        cell: CLUSTER,
        claims: &[],
        without: &[
            ("work-stealing", "lan-1000"),
            ("least-loaded", "lan-1000"),
            ("random", "lan-1000"),
            ("work-stealing", "lan-10000"),
            ("least-loaded", "lan-10000"),
            ("random", "lan-10000"),
        ],
        turned: true,
    },
    Table {
        name: "regions",
        columns: &[
            ("regions-5", "5 nodes, 100 tasks"),
            ("regions-10", "10, 1,000"),
            ("regions-20", "20, 10⁴"),
            ("regions-50", "50, 10⁵"),
        ],
        rows: FIVE,
        cell: SPREAD,
        claims: &[(
            "pull, as simulated before",
            &["93.7 / 1.085", "98.6 / 1.019", "99.7 / 1.003", "99.93 / 1.001"],
        )],
        without: &[("broadcast", "regions-50")],
        turned: false,
    },
    Table {
        name: "cold",
        columns: &[
            ("cold-5", "5 nodes, 100 tasks"),
            ("cold-10", "10, 1,000"),
            ("cold-20", "20, 10⁴"),
            ("cold-50", "50, 10⁵"),
        ],
        rows: &[("gravity", "`gravity`, the default"), ("broadcast", "`broadcast`")],
        cell: SPREAD,
        claims: &[],
        without: &[("broadcast", "cold-50")],
        turned: false,
    },
    Table {
        name: "speeds",
        columns: &[
            ("speeds-5", "5 nodes, 100 tasks"),
            ("speeds-10", "10, 1,000"),
            ("speeds-20", "20, 10⁴"),
            ("speeds-50", "50, 10⁵"),
        ],
        rows: FOUR,
        cell: SPREAD,
        claims: &[("pull, as simulated before", &["99.65", "99.87", "99.98", "99.99"])],
        without: &[],
        turned: false,
    },
    Table {
        name: "both",
        columns: &[
            ("both-5", "5 nodes, 100 tasks"),
            ("both-10", "10, 1,000"),
            ("both-20", "20, 10⁴"),
            ("both-50", "50, 10⁵"),
        ],
        rows: FOUR,
        cell: SPREAD,
        claims: &[("pull, as simulated before", &["88.7", "97.0", "99.4", "99.9"])],
        without: &[],
        turned: false,
    },
    Table {
        name: "giants",
        columns: &[
            ("giants-5", "5 nodes, 100 tasks"),
            ("giants-10", "10, 1,000"),
            ("giants-20", "20, 10⁴"),
            ("giants-50", "50, 10⁵"),
        ],
        rows: &[
            ("gravity", "`gravity`, the default"),
            ("gravity,giants=1.1", "with `giants=1.1`"),
            ("gravity,speculate=late", "with `speculate=late`"),
            ("gravity,giants=1.1,speculate=late", "with both"),
        ],
        cell: SPREAD,
        claims: &[("pull, as simulated before", &["66.5", "82.6", "95.6", "99.8"])],
        without: &[
            ("gravity,giants=1.1", "giants-50"),
            ("gravity,speculate=late", "giants-50"),
            ("gravity,giants=1.1,speculate=late", "giants-50"),
        ],
        turned: false,
    },
    Table {
        name: "homes",
        columns: &[
            ("homes-5", "5 nodes, 5 homes, 100 tasks"),
            ("homes-10", "10, 10 homes, 1,000"),
            ("homes-20", "20, 10 homes, 10⁴"),
            ("homes-50", "50, 10 homes, 10⁵"),
        ],
        rows: &[("gravity", "`gravity`, the default"), ("work-stealing", "`work-stealing`")],
        cell: PLACING,
        claims: &[(
            "pull, as simulated before",
            &["99.59 / 1.34", "99.91 / 0.58", "99.90 / 0.22", "99.97 / 0.055"],
        )],
        without: &[("work-stealing", "homes-50")],
        turned: false,
    },
    Table {
        name: "hard",
        columns: &[
            ("pareto-5", "few heavy tasks, 5 nodes"),
            ("pareto-10", "the same, 10"),
            ("pareto-20", "the same, 20"),
            ("wrong-03", "weights wrong, σ 0.3"),
            ("wrong-10", "weights wrong, σ 1"),
            ("unknown", "weights unknown"),
            ("small", "tasks of 0.55 ms"),
        ],
        rows: FOUR,
        cell: SPREAD,
        claims: &[(
            "pull, as simulated before",
            &["95.5", "98.0", "–", "99.93", "99.77", "99.61", "99.86 / 1.010"],
        )],
        without: &[],
        turned: false,
    },
    Table {
        name: "arrivals",
        columns: &[
            ("arrivals-05", "load 0.5"),
            ("arrivals-08", "0.8"),
            ("arrivals-095", "0.95"),
            ("arrivals-speeds", "0.8, unequal speeds"),
            ("arrivals-regions", "0.8, two regions"),
            ("arrivals-skew", "0.8, 4/5 at one of 4 homes"),
        ],
        rows: FOUR,
        cell: WAITING,
        claims: &[(
            "pull, as simulated before",
            &["1.9 / 3", "2.6 / 14", "13 / 71", "2.4 / 8", "3.8 / 34", "13 / 42"],
        )],
        without: &[],
        turned: false,
    },
    Table {
        name: "busy",
        columns: &[
            ("busy", "a third busy"),
            ("busy-turns", "another third every 30 s, noise 0.1"),
            ("busy-full", "a third busy, load 0.9"),
        ],
        rows: &[
            ("gravity", "`gravity`, the default"),
            ("gravity,force=least-used", "the same by `least-used`"),
            ("work-stealing", "`work-stealing`"),
            ("least-loaded", "`least-loaded`"),
            ("least-used", "`least-used`"),
            ("least-used,force=shortest-queue", "the same by `shortest-queue`"),
            ("capability", "`capability`"),
            ("random", "`random`"),
        ],
        cell: RESPONDING,
        claims: &[],
        without: &[],
        turned: false,
    },
    Table {
        name: "gossip",
        columns: &[
            ("arrivals-skew", "no gossip"),
            ("gossip-20", "every 20 ms"),
            ("gossip-100", "100 ms"),
            ("gossip-500", "500 ms"),
            ("gossip-1000", "1 s"),
        ],
        rows: FOUR,
        cell: WAITING,
        claims: &[(
            "level flow of gossiped loads, as simulated before",
            &["–", "14", "55", "400", "–"],
        )],
        without: &[],
        turned: false,
    },
    Table {
        name: "small-cluster",
        columns: &[
            ("burst", "20 tasks of 1 s"),
            ("gradual", "10 tasks, one by one"),
            ("long", "5 tasks of 5 s"),
        ],
        rows: &[
            ("gravity", "`gravity`, the default"),
            ("work-stealing", "`work-stealing`"),
            ("work-stealing-classic", "`work-stealing-classic`, as the document has it"),
            ("random", "`random`"),
        ],
        cell: &[("makespan_seconds", 1.0, 2)],
        claims: &[
            ("work-stealing, as published", &["25.3", "15.8", "28.5"]),
            ("wanted", &["≤ 4.2", "–", "≤ 5.3"]),
        ],
        without: &[],
        turned: false,
    },
];

const RULES: &[(&str, &str)] = &[
    ("gravity", "`gravity`, the default"),
    ("gravity,steal=none", "the same without stealing"),
    ("work-stealing", "`work-stealing`"),
    ("least-loaded", "`least-loaded`"),
    ("power-of-two", "`power-of-two`"),
    ("work-stealing-classic", "`work-stealing-classic`"),
    ("sparrow", "`sparrow`"),
    ("broadcast", "`broadcast`: claims by zones"),
    ("pids-broadcast", "`pids-broadcast`: the rule with ≤, by claims"),
    ("pids-as-written", "`pids-as-written`: after its timeout of 60 s"),
    ("pids-classic", "`pids-classic`: its force, least first"),
    ("quantum", "`quantum`"),
    ("resource-aware", "`resource-aware`"),
    ("round-robin", "`round-robin`"),
    ("random", "`random`"),
];
