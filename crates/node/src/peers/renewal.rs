//! Certificates are good for days, and each member has its own renewed while it runs: by itself
//! where it may sign, else by whichever other member may.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bary_identity::audit::Outcome;
use bary_identity::calendar;
use bary_identity::certificate::Certificate;
use bary_model::time::Span;
use bary_transport::mesh::renewal::Renews;
use tokio::sync::watch;

use super::gate::Gate;
use super::papers::{PapersError, serial};
use super::roster::{Peers, lock};
use crate::board::clock;
use crate::serve::log::Level;

/// How long to wait at most until the clock is looked at again, which may have been set.
const LOOK_MAX: Duration = Duration::from_secs(3_600);
/// How long after an attempt the next may follow, at least and at most.
const AGAIN: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(60)];

impl Peers {
    /// Renews the certificate whenever half of its time is over, until `closing` turns true.
    pub(crate) async fn stay_certified(
        self: Arc<Self>,
        span: Span,
        mut closing: watch::Receiver<bool>,
    ) {
        // Whoever would say so may have gone.
        let mut closed = pin!(async { drop(closing.wait_for(|closing| *closing).await) });
        let mut failed = false;
        loop {
            let certificate = self.papers.certificate();
            let now = clock::now();
            let wait = match certificate.renew_at().0.saturating_sub(now.0) {
                0 if failed => Span(certificate.until.0.saturating_sub(now.0) / 8).to_std(),
                left => Span(left).to_std().min(LOOK_MAX),
            };
            let wait = if failed { wait.clamp(AGAIN[0], AGAIN[1]) } else { wait };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = &mut closed => return,
            }
            if clock::now() < certificate.renew_at() {
                continue;
            }
            failed = match self.renew_certificate(span).await {
                Ok(()) => {
                    let until = calendar::text(self.papers.certificate().until);
                    let text = format!("the certificate was renewed; it is good until {until}");
                    self.log.say(Level::Info, &text, &[]);
                    false
                }
                Err(why) => {
                    if !failed {
                        let text = format!("the certificate was not renewed: {why}");
                        self.log.say(Level::Warning, &text, &[]);
                    }
                    true
                }
            };
        }
    }

    async fn renew_certificate(&self, span: Span) -> Result<(), String> {
        let papers = &self.papers;
        if papers.may_admit() {
            papers.sign_own(span).map_err(|error| error.to_string())?;
        } else {
            let request = papers.request().map_err(|error| error.to_string())?;
            let there: Vec<u64> = lock(&self.links).keys().copied().collect();
            let mut why = "no other member is there".to_owned();
            let mut signed = None;
            for member in there {
                match self.mesh.renewed(member, request.clone()).await {
                    Ok(der) => {
                        signed = Some(der);
                        break;
                    }
                    Err(error) => why = error.to_string(),
                }
            }
            papers.renew(signed.ok_or(why)?).map_err(|error| error.to_string())?;
        }
        self.mesh.renew(&papers.credentials()).map_err(|error| error.to_string())
    }
}

impl Renews for Gate {
    fn renew(&self, member: u64, request: Vec<u8>) -> Result<Vec<u8>, String> {
        let renewed = self.certificate_for(member, &request);
        let name = self.peers.member_name(member).unwrap_or_default();
        let (outcome, reason) = match &renewed {
            Ok(_) => (Outcome::Done, ""),
            Err(why) => (Outcome::Refused, why.as_str()),
        };
        let noted = self.note_as("renew", &name, "", outcome, reason);
        noted.map_err(|error| error.to_string())?;
        Ok(renewed?.der)
    }
}

impl Gate {
    fn certificate_for(&self, member: u64, request: &[u8]) -> Result<Certificate, String> {
        let authority = self.papers.admits.as_ref();
        let authority = authority.ok_or("this member may not sign certificates")?;
        if self.peers.revoked.has(member) {
            return Err("it was removed from the cluster".to_owned());
        }
        let words = |error: PapersError| error.to_string();
        let serial = serial().map_err(words)?;
        let signed = authority.sign(request, serial, clock::now(), self.span);
        let signed = signed.map_err(|error| error.to_string())?;
        let named = self.peers.member_name(member);
        if signed.number != member || named.is_none_or(|name| signed.name.as_str() != name) {
            return Err("it asked for another member's certificate".to_owned());
        }
        Ok(signed)
    }
}
