//! How large a trace may be. A file past one of these is refused before it costs more memory.

use bary_model::time::Span;

/// The most bytes of a file, packed or unpacked.
pub const BYTES_MAX: usize = 1 << 29;
/// The most bytes that a byte of a packed file may become; past it, it was made to be a burden.
/// Deflate reaches 1,032.
pub const UNPACKED_PER_BYTE_MAX: usize = 200;
/// So many bytes may come out of a packed file however small it is.
pub const UNPACKED_FREE: usize = 1 << 20;
/// The most files of a zip.
pub const ZIP_FILES_MAX: usize = 1_000;
/// The most jobs.
pub const JOBS_MAX: usize = 4_000_000;
/// The most tasks of all jobs together.
pub const TASKS_MAX: usize = 8_000_000;
/// The most dependencies of all tasks together.
pub const EDGES_MAX: usize = 32_000_000;
/// The most bytes of a name of a job, task, function or owner.
pub const NAME_BYTES_MAX: usize = 4_096;
/// The most thousandths of a processor that a task asks for: a million processors.
pub const MILLI_CPUS_MAX: u64 = 1_000_000_000;
/// The most bytes that a task holds, reads or leaves: an exbibyte.
pub const TASK_BYTES_MAX: u64 = 1 << 60;
/// The longest time: a hundred years of 365 days.
pub const SPAN_MAX: Span = Span::secs(100 * 365 * 86_400);
/// How deep elements of a DAX file may stand in each other.
pub const XML_DEPTH_MAX: usize = 64;
