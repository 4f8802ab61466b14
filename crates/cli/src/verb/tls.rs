//! `bary tls`: what the member of a state proves itself by. No node is asked.

use bary_identity::calendar;
use bary_identity::certificate::Certificate;
use bary_identity::fingerprint::Fingerprint;
use bary_node::peers::invites::LineError;
use bary_node::peers::papers::Papers;

use crate::args::Face;
use crate::args::auth::StateArgs;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::kinds::{CERTIFICATES, Shown};
use crate::listing::Wish;
use crate::screen::Screen;
use crate::verb::{self, up};

/// Shows the member's certificate and the authority's.
pub(crate) fn run(args: &StateArgs, face: Face) -> Result<Exit, Complaint> {
    let state = up::state_of(args.state.as_deref())?;
    let papers = Papers::of(&state).map_err(Complaint::failed)?;
    let papers = papers.ok_or_else(|| Complaint::not_found(LineError::NoMember(state)))?;
    let own = Shown { signs: papers.may_admit(), ..shown("member", &papers.certificate()) };
    let authority = Shown { signs: true, ..shown("authority", papers.authority_certificate()) };
    let text = CERTIFICATES.text(&[own, authority], &Wish::now(face, None))?;
    verb::print(&mut Screen::new(face), &text)?;
    Ok(Exit::OK)
}

fn shown(whose: &str, certificate: &Certificate) -> Shown {
    Shown {
        whose: whose.to_owned(),
        name: certificate.name.to_string(),
        number: format!("{:010x}", certificate.number),
        from: calendar::text(certificate.from),
        until: calendar::text(certificate.until),
        renewed_from: calendar::text(certificate.renew_at()),
        signs: false,
        fingerprint: Fingerprint::of(&certificate.der).to_string(),
    }
}
