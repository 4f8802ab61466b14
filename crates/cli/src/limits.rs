//! Every limit of the command, by name; the reference page lists them with those of the engine.

/// Most inputs of a stream that were read and have not ended; the reader waits at it.
pub(crate) const STREAM_PENDING_INPUTS_MAX: u64 = 262_144;
/// Most bytes of such inputs, where no more are needed for [`STREAM_PENDING_BLOCKS_MAX`].
pub(crate) const STREAM_PENDING_BYTES_MAX: u64 = 64 << 20;
/// Most blocks of `--pipe` that were read and have not ended, for each slot, where they are large.
pub(crate) const STREAM_PENDING_BLOCKS_MAX: u64 = 4;
/// Most bytes taken from a stream at a time; what one read gives is submitted together.
pub(crate) const STREAM_READ_BYTES_MAX: usize = 256 << 10;
/// The longest single input, in bytes.
pub(crate) const INPUT_BYTES_MAX: usize = 64 << 20;
/// Most characters of a command that -X fills.
pub(crate) const COMMAND_CHARS_MAX: usize = 128 << 10;
/// Most inputs that -X groups where they are not read from a stream.
pub(crate) const CONTEXT_INPUTS_MAX: u64 = 16_000_000;
/// Most results of one array that a report holds, and most tasks that it has results of.
pub(crate) const RESULTS_SHOWN_MAX: u64 = 100_000;
/// Most failures listed at the end.
pub(crate) const FAILURES_SHOWN_MAX: usize = 10;
/// Most runs kept; older ones are removed.
pub(crate) const RUNS_KEPT_MAX: usize = 20;
/// Most nodes of a simulated world, and most of them that are homes.
pub(crate) const SIM_NODES_MAX: u32 = 100_000;
/// Most tasks that a simulated world is asked for.
pub(crate) const SIM_TASKS_MAX: u32 = 100_000_000;
/// Most nodes that a job is foretold on.
pub(crate) const PLAN_NODES_MAX: u32 = 1_000;
/// Most pairs of nodes of a simulated world that know each other; each costs about a kilobyte.
pub(crate) const SIM_LINKS_MAX: u64 = 1_000_000;

/// The limits as the documentation lists them: name, value and meaning.
pub(crate) const TABLE: &[(&str, &str, &str)] = &[
    ("stream_pending_inputs_max", "262,144", "inputs of a stream read and not ended"),
    ("stream_pending_bytes_max", "64 MiB", "bytes of such inputs; 4 large blocks a slot"),
    ("stream_read_bytes_max", "256 KiB", "bytes taken from a stream at a time"),
    ("input_bytes_max", "64 MiB", "bytes of one input"),
    ("command_chars_max", "128 KiB", "characters of a command that -X fills"),
    ("context_inputs_max", "16,000,000", "inputs that -X groups"),
    ("results_shown_max", "100,000", "results of one array in a report"),
    ("failures_shown_max", "10", "failures listed at the end"),
    ("runs_kept_max", "20", "kept runs; older ones are removed"),
    ("tasks_named_max", "10,000", "tasks that ranges of one word name"),
    ("settings_bytes_max", "1 MiB", "bytes of a file of settings"),
    ("session_queue_max", "1,024", "submissions of a client's session that wait to be sent"),
    ("outcomes_unread_max", "16,384", "outcomes of one job that lie unread in a client's session"),
    ("sim_nodes_max", "100,000", "nodes of a simulated world"),
    ("sim_tasks_max", "100,000,000", "tasks that a simulated world is asked for"),
    ("plan_nodes_max", "1,000", "nodes that a job is foretold on"),
    ("console_servers_max", "1,000", "servers of a console at a time"),
    ("console_tasks_max", "100,000", "tasks of one session of a console"),
    ("console_line_bytes_max", "4,096", "bytes of a line that a console reads"),
    ("console_wait_max", "3,600", "seconds that go by at one command of a console"),
    ("console_log_bytes_max", "1 GiB", "bytes of a console's log; the rest is left out"),
    ("sim_links_max", "1,000,000", "pairs of nodes of a simulated world that know each other"),
];
