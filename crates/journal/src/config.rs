//! The log's limits.

/// What a log may use. The `Default` is for production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// How many bytes a segment file takes when it is made. Small ones are removed sooner after a
    /// snapshot, large ones are changed less often. A batch that needs more gets a segment of its
    /// own. At least 4 KiB; defaults to 8 MiB.
    pub segment_bytes: u64,
    /// How many bytes are set aside for outcomes and cancels when the disk is full. Defaults to
    /// 4 MiB, which is about 40,000 small batches.
    pub reserve_bytes: u64,
    /// The longest batch. Defaults to 256 MiB; less than 4 GiB.
    pub batch_bytes_max: u32,
    /// How many written bytes are held in memory before they are passed on to the disk, which
    /// does not make them durable. Defaults to 1 MiB.
    pub buffer_bytes_max: usize,
    /// A snapshot is wanted when so many bytes were written since the last one, and twice as many
    /// as it had. Replay reads at most about this much. Defaults to 64 MiB.
    pub snapshot_after_bytes: u64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 8 << 20,
            reserve_bytes: 4 << 20,
            batch_bytes_max: 256 << 20,
            buffer_bytes_max: 1 << 20,
            snapshot_after_bytes: 64 << 20,
        }
    }
}

impl LogConfig {
    /// All that is wrong with it, a line each.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.segment_bytes < 4 << 10 {
            faults.push(format!("segment_bytes is {}, below 4096", self.segment_bytes));
        }
        if self.reserve_bytes < 4 << 10 {
            faults.push(format!("reserve_bytes is {}, below 4096", self.reserve_bytes));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::LogConfig;

    #[test]
    fn the_default_is_sound_and_tiny_segments_are_not() {
        assert_eq!(LogConfig::default().check(), Vec::<String>::new());
        let tiny = LogConfig { segment_bytes: 10, reserve_bytes: 10, ..LogConfig::default() };
        assert_eq!(tiny.check().len(), 2);
    }
}
