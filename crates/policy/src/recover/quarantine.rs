//! When a task is kept from running again: after it has taken down its executor's process, or its
//! node, as often as [`CRASHES_MAX`] says. Its retries do not count here: a task that fails in an
//! orderly way harms nobody. Blind spot: a faulty node can make an innocent task look poisonous.

/// How many crashes a task may cause before it is quarantined.
pub const CRASHES_MAX: u16 = 3;

/// Whether a task that has caused `crashes` crashes is quarantined.
#[must_use]
pub fn is_poison(crashes: u16) -> bool {
    crashes >= CRASHES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_crash_is_the_last() {
        assert_eq!([0, 1, 2, 3, u16::MAX].map(is_poison), [false, false, false, true, true]);
    }
}
