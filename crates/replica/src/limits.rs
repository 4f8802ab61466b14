//! What a copy never exceeds, and how patient it is.

use std::time::Duration;

/// Bytes of batches that go as one entry of the log, where there are several: a longer batch goes
/// alone.
pub const ENTRY_BYTES_MAX: usize = 1 << 20;
/// Entries that go to another member as one request.
pub(crate) const ENTRIES_AT_ONCE_MAX: u64 = 16;
/// Entries that are kept before those are left out that every copy has in its journal.
pub(crate) const ENTRIES_MAX: u64 = 1_000;
/// Entries that are kept all the same, for a member that was away for a moment.
pub(crate) const ENTRIES_KEPT: u64 = 200;
/// Bytes of the log's pages that are held in memory.
pub(crate) const CACHE_BYTES_MAX: usize = 8 << 20;
/// Bytes of a whole journal that go to another member as one request.
pub(crate) const PART_BYTES: usize = 4 << 20;
/// Bytes of one question of another member: the longest batch of a journal, and some.
pub const QUESTION_BYTES_MAX: usize = 260 << 20;

/// The limits as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("replica_entry_bytes_max", "1 MiB", "bytes of batches that are agreed on together"),
    (
        "replica_entries_max",
        "1,000",
        "entries of a replicated shard before those that are in its journal are left out",
    ),
];

/// How often the one who writes is heard, and how long nobody misses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often it says that it is there.
    pub beat: Duration,
    /// For how long at least it may be silent before another is chosen.
    pub silence_min: Duration,
    /// For how long at most.
    pub silence_max: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let ms = Duration::from_millis;
        // The others follow it for the longest silence after they have heard it last, and one of
        // them begins to ask for their votes at some time between the two after that.
        Self { beat: ms(120), silence_min: ms(500), silence_max: ms(850) }
    }
}
