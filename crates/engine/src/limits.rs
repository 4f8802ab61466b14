//! Every limit of the engine, by name. Nothing it holds grows past one of these.

use bary_model::time::Span;

/// The engine's limits and paces. `Default` is what production runs with.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Most specs that a home holds; submissions past it are refused. Defaults to 4,000,000.
    pub home_specs_max: u64,
    /// Most results that one spec may keep for others. Defaults to 10,000,000.
    pub kept_results_max: u32,
    /// Most items in one grant; each is a range. Defaults to 65,536.
    pub grant_items_max: usize,
    /// Most tasks that Push binds to a node at a time. Defaults to 1,000.
    pub push_queue_tasks_max: u64,
    /// Of how many tasks a home keeps in mind how often each was stolen, where that is limited.
    /// Past it others may move more often. Defaults to 100,000.
    pub moves_kept_max: usize,
    /// For how many tasks nodes are asked to keep room at a time, where they are sampled.
    /// Defaults to 65,536.
    pub kept_room_max: u64,
    /// Most words of homes to keep room that a node knows apart. Defaults to 4,096.
    pub reservations_max: usize,
    /// Most tasks that a home has announced and that have not ended; more are announced when half
    /// of them have. Defaults to 8,192: several for each of a thousand nodes.
    pub offers_max: usize,
    /// Most such tasks that a node keeps in mind; it hears no others then. Defaults to 65,536.
    pub offers_known_max: usize,
    /// How long a node waits at least before it starts what it has claimed; a round trip to the
    /// farthest rival where that is longer. Defaults to 1 ms.
    pub claim_settle_min: Span,
    /// Most items of outcomes held back before they are sent. Defaults to 4,096.
    pub outcome_items_max: usize,
    /// How long an outcome that nobody waits for may be held back for a batch. Longer means fewer
    /// messages and later progress. Defaults to 200 ms.
    pub outcome_delay_max: Span,
    /// Most runs of a node at a time, each with a thread. Defaults to 4,096.
    pub runs_max: usize,
    /// Most tasks of one run. Defaults to 16,384.
    pub run_tasks_max: u32,
    /// How long a run of several short functions is meant to take. Defaults to 1 ms.
    pub run_span: Span,
    /// How long a run of several short commands is meant to take: handing each over alone costs
    /// about a fifth of the rate of the shortest ones. Defaults to 4 ms.
    pub command_run_span: Span,
    /// How often other tasks may start before one that waits for more room. Defaults to 16.
    pub passed_over_max: u32,
    /// Shorter round trips are not worth asking ahead for. Defaults to 1 ms.
    pub ask_ahead_min: Span,
    /// How long a node that holds tasks may be silent before its home grants them anew. Longer
    /// than pauses that nodes survive; a late outcome is superseded, never counted twice.
    /// Defaults to 10 s.
    pub lease: Span,
    /// Most messages to one peer that were not acknowledged; past it the link begins anew.
    /// Defaults to 4,096.
    pub link_messages_max: usize,
    /// How long a message may be unacknowledged, at least, before it is sent again; four round
    /// trips where that is longer. Defaults to 200 ms.
    pub resend_min: Span,
    /// The longest wait between two repeats of a message. Defaults to 5 s.
    pub resend_max: Span,
    /// How long an acknowledgement waits for a message to ride along with; less than a repeat
    /// takes. Defaults to 40 ms.
    pub acknowledge_delay: Span,
    /// How long a node waits at most to hear that its outcomes are durable, where no grant says
    /// so. Defaults to 200 ms.
    pub settle_delay: Span,
    /// Most jobs that one job may wait for. Defaults to 10,000.
    pub upstream_jobs_max: usize,
    /// How often a home asks again whether a job that one of its own waits for has finished,
    /// where it has not heard. Defaults to 5 s.
    pub watch_again: Span,
    /// How often nodes are told again of work that waits and that they could run. Longer means
    /// that an ask which was lost with a home is missed for longer. Defaults to 5 s.
    pub remind_every: Span,
    /// How long a node that begins to keep a limit lets homes tell what they use before it lends
    /// anything; longer than a round trip. Defaults to 300 ms.
    pub permit_delay: Span,
    /// Most entries behind the first of a line that are looked at for what may go past it; each is
    /// tasks of one spec. Defaults to 1,000.
    pub backfill_tasks_max: usize,
    /// Most nodes that run one grant at a time under Open binding. Defaults to 2.
    pub open_copies_max: usize,
    /// How often a home tells other homes how it stands, at most. Shorter means that nodes that
    /// wait at one home find work at another sooner. Defaults to 50 ms.
    pub level_delay: Span,
    /// How long ready work waits for nodes that other homes send before every node is told of it.
    /// Longer saves messages under steady load. Defaults to 50 ms.
    pub word_delay: Span,
    /// How often the graph of the cluster is found anew, at most, where a policy looks at it and
    /// nodes have come, gone or moved. Defaults to 5 s.
    pub chart_every: Span,
    /// Most nodes of which the graph is found; it takes about half a second then. Defaults to
    /// 1,000.
    pub chart_nodes_max: usize,
    /// How long nodes are waited for that measure how far others are; longer round trips are not
    /// measured. Defaults to 1 s.
    pub survey_wait: Span,
    /// How often distances are measured anew while there is work, where a policy looks at the
    /// graph. Defaults to 60 s.
    pub survey_every: Span,
    /// How often nodes say how busy their machines are while there is work, where a policy looks at
    /// that. Defaults to 2 s: a longer time misses more of what comes and goes there.
    pub gauge_every: Span,
    /// How long a job waits to be laid out over regions. Defaults to 2 s.
    pub layout_wait: Span,
    /// Most tasks of a job that is laid out; larger ones are spread. Defaults to 2,048, which take
    /// some seconds beside the engine.
    pub layout_tasks_max: usize,
    /// Most dependencies of tasks of a job that is laid out. Defaults to 500,000.
    pub layout_links_max: u64,
    /// Most items of outcomes that a node keeps until homes have answered. Past it the oldest of
    /// the home that owes most answers are forgotten; should it fail too, their tasks run once
    /// more. Defaults to 1,000,000.
    pub unsettled_items_max: u64,
    /// How long a gang waits while others go before it, until nodes that it needs are kept idle for
    /// it. Shorter starts gangs sooner where there is much other work, and wastes more. Defaults to
    /// 2 s.
    pub gang_patience: Span,
    /// For how long nodes are kept for one gang, at most, before others may have them again. With
    /// other homes around it is `gang_patience` at first, and twice as long each time. Defaults to
    /// an hour.
    pub gang_keep_max: Span,
    /// How long a gang rests at least that fell apart without a failure of its own; twice as long
    /// each time. Defaults to 100 ms.
    pub gang_rest: Span,
    /// How long it rests at most. Defaults to 30 s.
    pub gang_rest_max: Span,
    /// Most entries of ready gangs that are looked at for one that has room. Defaults to 64.
    pub gangs_looked_max: usize,
    /// Whether finished jobs stay as they are, so that they can be retried. Defaults to false.
    pub retains_finished: bool,
    /// Whether grants tell what each node scored, which costs a look at every node for each
    /// grant. Defaults to false.
    pub explain: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            home_specs_max: 4_000_000,
            kept_results_max: 10_000_000,
            grant_items_max: 65_536,
            push_queue_tasks_max: 1_000,
            moves_kept_max: 100_000,
            offers_max: 8_192,
            offers_known_max: 65_536,
            claim_settle_min: Span::millis(1),
            kept_room_max: 65_536,
            reservations_max: 4_096,
            outcome_items_max: 4_096,
            outcome_delay_max: Span::millis(200),
            runs_max: 4_096,
            run_tasks_max: 16_384,
            run_span: Span::millis(1),
            command_run_span: Span::millis(4),
            passed_over_max: 16,
            ask_ahead_min: Span::millis(1),
            lease: Span::secs(10),
            link_messages_max: 4_096,
            resend_min: Span::millis(200),
            resend_max: Span::secs(5),
            acknowledge_delay: Span::millis(40),
            settle_delay: Span::millis(200),
            upstream_jobs_max: 10_000,
            watch_again: Span::secs(5),
            remind_every: Span::secs(5),
            permit_delay: Span::millis(300),
            backfill_tasks_max: 1_000,
            open_copies_max: 2,
            level_delay: Span::millis(50),
            word_delay: Span::millis(50),
            chart_every: Span::secs(5),
            chart_nodes_max: 1_000,
            survey_wait: Span::secs(1),
            survey_every: Span::secs(60),
            gauge_every: Span::secs(2),
            layout_wait: Span::secs(2),
            layout_tasks_max: 2_048,
            layout_links_max: 500_000,
            unsettled_items_max: 1_000_000,
            gang_patience: Span::secs(2),
            gang_keep_max: Span::secs(3_600),
            gang_rest: Span::millis(100),
            gang_rest_max: Span::secs(30),
            gangs_looked_max: 64,
            retains_finished: false,
            explain: false,
        }
    }
}

/// The engine's limits as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("home_specs_max", "4,000,000", "specs that a home holds; more are refused (75)"),
    ("kept_results_max", "10,000,000", "results that one spec keeps for others"),
    ("grant_items_max", "65,536", "ranges in one grant"),
    ("push_queue_tasks_max", "1,000", "tasks that Push binds to a node at a time"),
    ("moves_kept_max", "100,000", "tasks of which a home knows how often each was stolen"),
    ("kept_room_max", "65,536", "tasks that nodes keep room for at a time, where sampled"),
    ("reservations_max", "4,096", "words to keep room that a node knows apart"),
    ("offers_max", "8,192", "tasks that a home has announced and that have not ended"),
    ("offers_known_max", "65,536", "such tasks that a node keeps in mind"),
    ("claim_settle_min", "1 ms", "how long a node waits before it starts what it has claimed"),
    ("outcome_items_max", "4,096", "outcomes held back before they are sent"),
    ("outcome_delay_max", "200 ms", "how long an outcome nobody waits for is held back"),
    ("runs_max", "4,096", "runs of a node at a time, each with a thread"),
    ("run_tasks_max", "16,384", "short tasks in one run of an executor"),
    ("run_span", "1 ms", "how long a run of several short functions is meant to take"),
    ("command_run_span", "4 ms", "how long a run of several short commands is meant to take"),
    ("passed_over_max", "16", "starts before a task that waits for more room"),
    ("lease", "10 s", "silence after which a node's tasks are granted anew"),
    ("link_messages_max", "4,096", "unacknowledged messages to one peer"),
    ("resend_min", "200 ms", "shortest wait before a message is sent again (or four round trips)"),
    ("resend_max", "5 s", "longest wait before a message is sent again"),
    ("acknowledge_delay", "40 ms", "how long an acknowledgement waits for company"),
    ("settle_delay", "200 ms", "how long until a node hears that its outcomes are durable"),
    ("upstream_jobs_max", "10,000", "jobs that one job waits for"),
    ("about_bytes_max", "65,536", "bytes of a job's tags and owner"),
    ("reason_bytes_max", "1,024", "bytes of the reason for a cancel or a hold"),
    ("labels_max", "64", "labels that lie over those that a node has itself"),
    ("label_bytes_max", "128", "bytes of a label's name; its value has 1,024"),
    ("decreed_nodes_max", "10,000", "nodes that are drained or have labels by decree"),
    ("watch_again", "5 s", "how often a home asks again about a job that one of its own waits for"),
    ("remind_every", "5 s", "how often nodes are told again of work that waits"),
    ("permit_delay", "300 ms", "how long a new keeper of a limit listens before it lends"),
    ("backfill_tasks_max", "1,000", "entries of a line looked at for what may go past its first"),
    ("open_copies_max", "2", "nodes that run one grant at a time under Open binding"),
    ("level_delay", "50 ms", "how often homes tell each other how they stand, at most"),
    ("word_delay", "50 ms", "how long work waits for other homes' nodes before all are told"),
    ("chart_every", "5 s", "how often the graph of the cluster is found anew, at most"),
    ("chart_nodes_max", "1,000", "nodes of which the graph is found"),
    ("survey_wait", "1 s", "how long nodes are waited for that measure how far others are"),
    ("survey_every", "60 s", "how often distances are measured anew while there is work"),
    ("layout_wait", "2 s", "how long a job waits to be laid out over regions"),
    ("layout_tasks_max", "2,048", "tasks of a job that is laid out"),
    ("layout_links_max", "500,000", "dependencies of tasks of a job that is laid out"),
    ("unsettled_items_max", "1,000,000", "outcomes kept until homes have answered"),
    ("gang_patience", "2 s", "how long a gang waits before nodes are kept idle for it"),
    ("gang_keep_max", "1 h", "for how long nodes are kept for one gang at a time"),
    ("gang_rest", "100 ms", "how long a gang rests that fell apart without a failure of its own"),
    ("gang_rest_max", "30 s", "the longest such rest, as it doubles each time"),
    ("gangs_looked_max", "64", "entries of ready gangs looked at for one that has room"),
    ("gang_tasks_max", "4,096", "tasks of one gang"),
    ("ask_ahead_min", "1 ms", "round trips shorter than this are not asked ahead for"),
];
