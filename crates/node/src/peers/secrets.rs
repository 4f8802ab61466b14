//! The secrets by which datagrams are sealed. Whoever removes a member draws a new one, which goes
//! over the streams of those who stay: the removed one can then neither read what they say nor make
//! any of it up. The one before is still taken for a while, as not all hear of it at once.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bary_identity::sheet::{Sheet, SheetError};
use bary_membership::seal::Secret;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::envelope;
use super::file;
use super::roster::{Peers, lock};
use crate::access::chance;
use crate::serve::log::Level;

/// The file's name.
const NAME: &str = "secrets";
/// Its kind of text: the last secret, as JSON.
const SHEET: Sheet = Sheet { magic: "bary-secrets", version: 1, what: "list of secrets" };
/// How long datagrams are taken that were sealed with the secret before the last.
pub(super) const BEFORE_SPAN: Duration = Duration::from_secs(10);

/// A secret that came after the first. Of two with one number, drawn at a time by two members, the
/// greater counts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Drawn {
    /// Counts the secrets of the cluster; its first has 1.
    number: u32,
    bytes: [u8; 32],
}

impl std::fmt::Debug for Drawn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Drawn(number {})", self.number)
    }
}

/// The secrets of a member.
#[derive(Debug)]
pub(super) struct Secrets {
    path: PathBuf,
    state: Mutex<State>,
    /// How often there was another one.
    news: watch::Sender<u32>,
}

#[derive(Debug)]
struct State {
    last: Drawn,
    before: Option<Drawn>,
}

/// Why the secrets are not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretsError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Sheet(#[from] SheetError),
    #[error("there is no secret in it")]
    Damaged,
}

impl Secrets {
    /// Those of a directory: the cluster's first, unless there was another one since.
    pub(super) fn open(dir: &Path, first: &[u8]) -> Result<Self, SecretsError> {
        let path = dir.join(NAME);
        let bytes = first.try_into().map_err(|_| SecretsError::Damaged)?;
        let mut last = Drawn { number: 1, bytes };
        if let Some(text) = file::read_text(&path)? {
            for (_, line) in SHEET.lines(&text)? {
                last = serde_json::from_str(line).map_err(|_| SecretsError::Damaged)?;
            }
        }
        let state = Mutex::new(State { last, before: None });
        Ok(Self { path, state, news: watch::Sender::new(0) })
    }

    /// Those that datagrams are sealed and opened with, the one to seal with first.
    pub(super) fn in_use(&self) -> Vec<Secret> {
        let state = self.state();
        let all = std::iter::once(&state.last).chain(&state.before);
        // The sealer counts to 255 and begins anew.
        let secret = |one: &Drawn| Secret { generation: one.number as u8, bytes: one.bytes };
        all.map(secret).collect()
    }

    /// The one before the last is taken no more.
    pub(super) fn forget_before(&self) {
        self.state().before = None;
    }

    /// Tells when there is another one.
    pub(super) fn news(&self) -> watch::Receiver<u32> {
        self.news.subscribe()
    }

    /// The last one, where there was more than the first.
    fn last(&self) -> Option<Drawn> {
        Some(self.state().last.clone()).filter(|last| last.number > 1)
    }

    /// Takes in another one, durably; false where it is no later than the last.
    fn take(&self, next: impl FnOnce(&Drawn) -> Option<Drawn>) -> io::Result<bool> {
        let mut state = self.state();
        let Some(next) = next(&state.last).filter(|next| *next > state.last) else {
            return Ok(false);
        };
        // Nothing in it refuses to be written.
        let line = serde_json::to_string(&next).unwrap_or_default();
        file::write(&self.path, SHEET.print([line]).as_bytes())?;
        state.before = Some(std::mem::replace(&mut state.last, next));
        drop(state);
        self.news.send_modify(|news| *news += 1);
        Ok(true)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peers {
    /// Draws another secret, and tells those who stay. Blocks for the disk.
    pub(super) fn renew_secret(&self) -> io::Result<()> {
        let bytes = chance::draw()?;
        let next = |last: &Drawn| Some(Drawn { number: last.number.checked_add(1)?, bytes });
        self.secrets.take(next)?;
        self.tell_secret();
        Ok(())
    }

    /// Another member says by which secret datagrams are sealed now.
    pub(super) fn on_secret(&self, told: Drawn) {
        match self.secrets.take(|_| Some(told)) {
            Ok(true) => {
                self.log.say(Level::Info, "datagrams are sealed with another secret", &[]);
                self.tell_secret();
            }
            Ok(false) => {}
            Err(error) => {
                let text = format!("the cluster's secret cannot be written: {error}");
                self.log.say(Level::Error, &text, &[]);
            }
        }
    }

    /// The last secret as it is told; none where it is the first, which all have.
    pub(super) fn told_secret(&self) -> Option<Bytes> {
        self.secrets.last().map(|last| envelope::secret(&last))
    }

    fn tell_secret(&self) {
        if let Some(told) = self.told_secret() {
            let there: Vec<u64> = lock(&self.links).keys().copied().collect();
            there.into_iter().for_each(|member| self.mesh.send(member, told.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Drawn, Secrets};

    fn numbers(secrets: &Secrets) -> Vec<u8> {
        secrets.in_use().iter().map(|one| one.generation).collect()
    }

    #[test]
    fn the_later_of_two_secrets_counts_in_whatever_order_they_are_heard_and_after_a_restart() {
        let drawn = |number, byte| Drawn { number, bytes: [byte; 32] };
        for turned in [false, true] {
            let dir = tempfile::tempdir().expect("there is room");
            let secrets = Secrets::open(dir.path(), &[7; 32]).expect("it has 32 bytes");
            assert_eq!((numbers(&secrets), secrets.last()), (vec![1], None));
            let mut told = [drawn(2, 1), drawn(2, 9)];
            if turned {
                told.reverse();
            }
            for one in told.clone() {
                secrets.take(|_| Some(one)).expect("there is room");
            }
            assert_eq!(secrets.last(), Some(drawn(2, 9)));
            assert!(!secrets.take(|_| Some(drawn(1, 99))).expect("nothing is written"));
            secrets.forget_before();
            assert_eq!(numbers(&secrets), [2]);
            let again = Secrets::open(dir.path(), &[7; 32]).expect("it was written");
            assert_eq!((again.last(), numbers(&again)), (Some(drawn(2, 9)), vec![2]));
        }
    }

    #[test]
    fn a_secret_of_another_length_and_a_damaged_file_are_refused() {
        let dir = tempfile::tempdir().expect("there is room");
        assert!(Secrets::open(dir.path(), b"short").is_err());
        std::fs::write(dir.path().join(super::NAME), "bary-secrets 1\nx\n").expect("there is room");
        assert!(Secrets::open(dir.path(), &[7; 32]).is_err());
    }
}
