//! So many of something, in words.

/// The count with the word for it: "1 job", "2 batches".
pub(crate) fn counted(count: u64, what: &str) -> String {
    match (count, what) {
        (1, _) => format!("1 {what}"),
        (_, "batch") => format!("{count} batches"),
        _ => format!("{count} {what}s"),
    }
}
