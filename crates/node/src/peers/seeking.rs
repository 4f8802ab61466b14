//! How a newcomer whose join line has no address finds a member that lets it in: it tries what it
//! hears, many at a time, says nothing to who is not of the cluster, and shows its token to one
//! member after the other.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bary_identity::certificate::MEMBER;
use bary_identity::fingerprint::Fingerprint;
use bary_identity::join_line::JoinLine;
use bary_membership::lan::Reach;
use bary_transport::mesh::MeshLimits;
use bary_transport::mesh::entry::{EnterError, greet};
use bary_transport::tls::Known;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::finding::Finding;
use super::papers::{Papers, PapersError, Who};
use super::search::{Heard, Search};
use super::tries::Tries;
use crate::serve::log::{Level, Log};

/// How many are greeted at a time.
const GREETED_MAX: usize = 16;
/// How long another member is looked for once one has refused, which may not know of the token.
const AFTER_REFUSAL: Duration = Duration::from_secs(5);

/// No member was found, or none that lets this node in.
#[derive(Debug, thiserror::Error)]
#[error("no member of the cluster `{cluster}` was found in {seconds} s; looked {ways}; {heard}")]
pub struct NotFound {
    /// Of which cluster.
    cluster: Box<str>,
    seconds: u64,
    ways: String,
    /// What became of what was heard.
    heard: String,
}

/// A search by a newcomer.
struct Seeker<'a> {
    state: &'a Path,
    line: &'a JoinLine,
    who: &'a Who,
    log: Log,
    tries: Tries,
    greeted: JoinSet<(SocketAddr, Result<(), EnterError>)>,
    /// What the last one said that refused.
    refusal: Option<PapersError>,
    /// How many were not of the cluster, or did not answer.
    strangers: usize,
}

impl Papers {
    /// Looks for a member that lets this node in, and keeps what it gives.
    ///
    /// # Errors
    /// Where none is found in the time that `finding` gives, or all that are refuse.
    pub(crate) async fn seek(
        state: &Path,
        line: &JoinLine,
        finding: &Finding,
        who: &Who,
        log: Log,
    ) -> Result<Self, PapersError> {
        let reach = Reach::of(&who.addresses);
        let mut search = Search::begin(finding, line.fingerprint, reach, None).await;
        let (ways, seconds) = (search.words(), finding.span.as_secs());
        let text = format!(
            "the join line has no address: looking for members of {}, for {seconds} s at most: \
             {ways}",
            line.cluster
        );
        log.say(Level::Info, &text, &[]);
        let (tries, greeted) = (Tries::default(), JoinSet::new());
        let mut seeker =
            Seeker { state, line, who, log, tries, greeted, refusal: None, strangers: 0 };
        match seeker.seek(&mut search, finding.span).await {
            Some(papers) => Ok(papers),
            None => Err(seeker.none_found(ways, seconds)),
        }
    }
}

impl Seeker<'_> {
    async fn seek(&mut self, search: &mut Search, span: Duration) -> Option<Papers> {
        let mut until = Instant::now() + span;
        loop {
            while self.greeted.len() < GREETED_MAX
                && let Some(at) = self.tries.next()
            {
                self.greeted.spawn(shake_hands(at, self.line.fingerprint));
            }
            tokio::select! {
                heard = search.next() => self.hear(&heard),
                Some(greeted) = self.greeted.join_next() => {
                    let Ok((at, Ok(()))) = greeted else {
                        self.strangers += 1;
                        continue;
                    };
                    match Papers::enter(self.state, self.line, &[at], self.who).await {
                        Ok(papers) => return Some(papers),
                        Err(refused) => {
                            self.log.say(Level::Info, &refused.to_string(), &[]);
                            self.refusal = Some(refused);
                            until = until.min(Instant::now() + AFTER_REFUSAL);
                        }
                    }
                }
                () = sleep_until(until) => return None,
            }
        }
    }

    fn hear(&mut self, heard: &Heard) {
        let before = self.tries.heard();
        self.tries.take(heard.from, &heard.addresses);
        if self.tries.heard() > before {
            let at: Vec<String> = heard.addresses.iter().map(ToString::to_string).collect();
            let text = format!("{} says {}: trying {}", heard.from, heard.way, at.join(", "));
            self.log.say(Level::Info, &text, &[]);
        }
    }

    fn none_found(&mut self, ways: String, seconds: u64) -> PapersError {
        if let Some(refusal) = self.refusal.take() {
            return refusal;
        }
        let heard = match (self.tries.heard(), self.strangers) {
            (0, _) => "nobody answered".to_owned(),
            (all, strangers) => {
                format!("of {all} addresses that were heard, {strangers} were of no member of it")
            }
        };
        let cluster = self.line.cluster.as_str().into();
        NotFound { cluster, seconds, ways, heard }.into()
    }
}

/// Finds out whether a member of the cluster is at an address.
async fn shake_hands(at: SocketAddr, print: Fingerprint) -> (SocketAddr, Result<(), EnterError>) {
    let known: Known = Arc::new(move |der: &[u8]| Fingerprint::of(der) == print);
    (at, greet(at, MEMBER, known, &MeshLimits::default()).await)
}
