//! Standing in: the home of another member's shard, here until that member is back. It is a node of
//! its own that runs nothing, with a service of its own, which other members reach through this
//! one.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use bary_model::id::NodeId;
use bary_model::message::Frame;
use bary_model::payload::Payload;
use bary_ports::transport::Inbox;
use bary_replica::group::GroupError;

use super::part::Part;
use super::{Reign, Replicas};
use crate::doors;
use crate::doors::gate::Gate;
use crate::doors::limits::DoorLimits;
use crate::inbox::MessageDoor;
use crate::peers::blobs::Blobs;
use crate::peers::clocks::Clock;
use crate::serve::log::Level;
use crate::service::options::ServiceOptions;
use crate::service::{Ending, Service};

/// What stand-ins are made of.
pub(crate) struct Inside {
    pub(crate) service: Service,
    pub(crate) options: ServiceOptions,
    pub(crate) doors: DoorLimits,
}

/// A home in place of another.
pub(crate) struct StandIn {
    pub(super) service: Service,
    pub(super) router: Router,
    /// The number of its reign.
    pub(super) reign: u64,
}

impl Replicas {
    /// Becomes the home of a shard whose group has chosen this member.
    pub(super) async fn stand_in_for(self: &Arc<Self>, part: &Arc<Part>) -> Result<(), String> {
        let Some(Inside { service, options, doors }) = self.inside.get() else { return Ok(()) };
        let number = match part.group.reign().await {
            Ok(number) => number,
            Err(GroupError::NotLeader | GroupError::Deposed) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        let name = self.peers.member_name(part.home).unwrap_or_default();
        let reign = Reign { part: Arc::clone(part), number, on: self.on.clone() };
        let (begun, primary, options) = (Instant::now(), service.clone(), options.clone());
        let (copy, home) = (Arc::clone(&part.copy), name.clone());
        let opened = tokio::task::spawn_blocking(move || {
            copy.rest();
            Service::stand_in(&options, &primary, reign, &home).map_err(|error| {
                let kept = copy.keep().err();
                let also = kept.map(|why| format!("; its copy is not kept: {why}"));
                format!("{error}{}", also.unwrap_or_default())
            })
        });
        let service = opened.await.map_err(|panic| panic.to_string())??;
        let gate = Arc::new(Gate::new(&service, doors.clone()));
        let (router, health) =
            doors::router(service.clone(), &gate).map_err(|error| error.to_string())?;
        health.set(true).await;
        self.obey(&name, &service).await;
        *part.stand_in() = Some(StandIn { service, router, reign: number });
        self.peers.stands_in_for(part.home, true);
        let text = format!(
            "stands in for {name}, which is away: its jobs go on here after {} ms",
            begun.elapsed().as_millis()
        );
        self.log.say(Level::Info, &text, &[]);
        Ok(())
    }

    /// Has what the cluster's settings say hold for the home of a member's shard.
    pub(super) async fn obey(&self, name: &str, service: &Service) {
        if let Err(refused) = service.obey_settings().await {
            let text = format!("the jobs of {name} do not follow the cluster's policy: {refused}");
            self.log.say(Level::Error, &text, &[]);
        }
        if let Err(refused) = service.follow_decisions().await {
            let text = format!("nodes are not as was decided for the jobs of {name}: {refused}");
            self.log.say(Level::Error, &text, &[]);
        }
    }

    /// Is not the home of a shard any more.
    pub(super) async fn end(&self, part: &Arc<Part>) {
        let Some(StandIn { service, .. }) = part.stand_in().take() else { return };
        self.peers.stands_in_for(part.home, false);
        service.shut();
        let copy = Arc::clone(&part.copy);
        let ended = tokio::task::spawn_blocking(move || {
            service.end(&Ending::Now);
            copy.rest();
            copy.keep()
        });
        let name = self.peers.member_name(part.home).unwrap_or_default();
        let ended = ended.await;
        self.peers.results().into_iter().for_each(|results| results.keep_no_more(part.home));
        match ended {
            Ok(Ok(())) => {
                let text = format!("no longer stands in for {name}");
                self.log.say(Level::Info, &text, &[]);
            }
            Ok(Err(error)) => {
                let text = format!("the copy of the shard of {name} is not kept: {error}");
                self.log.say(Level::Error, &text, &[]);
            }
            // The panic was printed when it happened.
            Err(_) => {}
        }
    }
}

/// Where messages for a stand-in arrive. It goes by the clock of the shard, and has no store: what
/// nodes of this process say of theirs is named as other members name it.
pub(crate) struct StandInDoor {
    pub(crate) door: Arc<MessageDoor>,
    pub(crate) clock: Clock,
    pub(crate) blobs: Option<Arc<Blobs>>,
}

impl Inbox for StandInDoor {
    fn deliver(&self, from: NodeId, frame: Frame) {
        let frame = self.clock.read(frame);
        let refers = |payload: &Payload| matches!(payload, Payload::Stored(_));
        let body = frame.body.as_ref();
        let bare = body.is_some_and(|(_, message)| message.say.any_payload(&mut { refers }));
        match &self.blobs {
            Some(blobs) if bare => blobs.tell_here(from, &frame, Arc::clone(&self.door) as _),
            _ => self.door.deliver(from, frame),
        }
    }
}
