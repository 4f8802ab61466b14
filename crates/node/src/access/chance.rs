//! Random bytes for tokens, from the system alone.

use std::io;

/// 32 bytes that nobody can guess.
#[cfg(target_os = "linux")]
pub(crate) fn draw() -> io::Result<[u8; 32]> {
    use rustix::rand::{GetRandomFlags, getrandom};

    let mut bytes = [0; 32];
    let mut filled = 0;
    while filled < bytes.len() {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(drawn) => filled += drawn,
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(bytes)
}

/// 32 bytes that nobody can guess.
#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) fn draw() -> io::Result<[u8; 32]> {
    use std::io::Read;

    let mut bytes = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// 32 bytes that nobody can guess.
#[cfg(not(unix))]
pub(crate) fn draw() -> io::Result<[u8; 32]> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn no_two_draws_are_alike() {
        let drawn: BTreeSet<_> = (0..100).map(|_| super::draw().expect("there are some")).collect();
        assert_eq!(drawn.len(), 100);
        let ones: u32 = drawn.iter().flatten().map(|byte| byte.count_ones()).sum();
        assert!((11_800..13_800).contains(&ones), "{ones} of 25,600 bits are set");
    }
}
