//! The member as one of those that keep a shard: it waits to be the home of its own jobs, and keeps
//! those of others.

use std::sync::Arc;

use bary_transport::mesh::accept::Doors;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Member, MemberError};
use crate::replicas::stand_in::Inside;
use crate::replicas::{Reign, wire};
use crate::serve::ServeOptions;
use crate::serve::late::Late;
use crate::serve::log::Level;
use crate::serve::signals::Signals;
use crate::service::Service;

/// What answers others while the node comes up.
pub(super) struct Early {
    pub(super) members: Late,
    pub(super) newcomers: Late,
    pub(super) serving: JoinHandle<()>,
}

/// What came of waiting to be the home of the own jobs.
pub(in crate::serve) enum Waited {
    /// It is; there is no reign where nobody else keeps them.
    Reigns(Option<Reign>),
    /// Somebody wants the node to end.
    Ended,
}

impl Member {
    /// Waits until this member is the one to be home of its own jobs, where others keep them too.
    ///
    /// # Errors
    /// Where its copy cannot be opened.
    pub(in crate::serve) fn reign(
        &mut self,
        runtime: &Runtime,
        (signals, over): (&mut Signals, impl Future<Output = ()>),
        closing: &watch::Receiver<bool>,
    ) -> Result<Waited, MemberError> {
        let is_wanted = self.wanted.is_some_and(|wanted| wanted > 1);
        if !is_wanted && !self.replicas.has_own() {
            return Ok(Waited::Reigns(None));
        }
        self.let_in_early(runtime, closing);
        // The others hear where it is by now.
        self.living = Some(runtime.spawn(Arc::clone(&self.peers).live(closing.clone())));
        let replicas = Arc::clone(&self.replicas);
        let waited = runtime.block_on(async {
            let reigning = async {
                replicas.open().await?;
                replicas.reign(is_wanted).await
            };
            tokio::select! {
                reign = reigning => reign.map(Waited::Reigns),
                _ = signals.end() => {
                    replicas.close().await;
                    Ok(Waited::Ended)
                }
                // Whoever began the node has gone.
                () = over => {
                    replicas.close().await;
                    Ok(Waited::Ended)
                }
            }
        })?;
        if let Waited::Reigns(reign) = &waited {
            self.reign.clone_from(reign);
        }
        Ok(waited)
    }

    /// Lets the others ask of the shards that it keeps with them, before there is more.
    pub(super) fn let_in_early(&mut self, runtime: &Runtime, closing: &watch::Receiver<bool>) {
        let Some(listener) = self.listener.take() else { return };
        let (members, newcomers) = (Late::default(), Late::default());
        let doors = Doors {
            members: wire::router(members.router(), Arc::clone(&self.replicas)),
            newcomers: newcomers.router(),
        };
        let mesh = self.peers.mesh().clone();
        let serving = runtime.spawn(mesh.serve(listener, doors, closing.clone()));
        self.early = Some(Early { members, newcomers, serving });
    }

    /// Keeps the shards of others, and has others keep the own one, until `closing` turns true.
    pub(super) fn keep_shards(
        &mut self,
        runtime: &Runtime,
        service: &Service,
        options: &ServeOptions,
        closing: &watch::Receiver<bool>,
    ) -> Vec<JoinHandle<()>> {
        let (mut made_of, doors) = (options.service.clone(), options.doors.clone());
        made_of.cluster = service.cluster().options().clone();
        let parts = Inside { service: service.clone(), options: made_of, doors };
        self.replicas.serve(parts);
        let mut keeping = Vec::new();
        if let Some(reign) = self.reign.take() {
            reign.part.want(self.wanted);
            let replicas = Arc::clone(&self.replicas);
            let keep = replicas.keep_own(reign, service.clone(), closing.clone());
            keeping.push(runtime.spawn(keep));
        }
        let (replicas, mut closing) = (Arc::clone(&self.replicas), closing.clone());
        let log = self.scaling.2;
        keeping.push(runtime.spawn(async move {
            if let Err(error) = replicas.open().await {
                let text = format!("copies of shards are not kept: {error}");
                log.say(Level::Error, &text, &[]);
            }
            // Whoever would say so lives as long as the node.
            drop(closing.wait_for(|closing| *closing).await);
            replicas.close().await;
        }));
        keeping
    }
}
