//! The named limits of a job file. What is past one is refused by its name.

/// One limit, for the page that lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name, as messages give it.
    pub name: &'static str,
    /// The most there may be.
    pub most: u64,
    /// What is counted.
    pub what: &'static str,
}

/// The most indices of one array.
pub const ARRAY_INDICES_MAX: u64 = 1_000_000_000;
/// The most specs of one job.
pub const SPECS_MAX: u64 = 1_000_000;
/// The longest job file, in bytes.
pub const JOB_FILE_BYTES_MAX: u64 = 64 << 20;
/// The longest file that `each-line` reads, in bytes.
pub const EACH_LINE_BYTES_MAX: u64 = 4 << 30;
/// The most files that `each-file` lists.
pub const EACH_FILE_FILES_MAX: u64 = 10_000_000;
/// The most further attempts of a task.
pub const RETRIES_MAX: u64 = 1_000;
/// The most faults that are shown at once.
pub const FAULTS_MAX: u64 = 100;

/// Every limit of a job file.
pub static LIMITS: [Limit; 7] = [
    Limit { name: "array_indices_max", most: ARRAY_INDICES_MAX, what: "indices of one array" },
    Limit { name: "specs_max", most: SPECS_MAX, what: "`[[task]]` entries of one job" },
    Limit { name: "job_file_bytes_max", most: JOB_FILE_BYTES_MAX, what: "bytes of a job file" },
    Limit {
        name: "each_line_bytes_max",
        most: EACH_LINE_BYTES_MAX,
        what: "bytes of the file that `each-line` reads",
    },
    Limit {
        name: "each_file_files_max",
        most: EACH_FILE_FILES_MAX,
        what: "files that `each-file` lists",
    },
    Limit { name: "retries_max", most: RETRIES_MAX, what: "further attempts of a failed task" },
    Limit { name: "faults_max", most: FAULTS_MAX, what: "faults of a job file shown at once" },
];
