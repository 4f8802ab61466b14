//! Watches over a node that runs: does as signals say, tells the service manager that it lives, and
//! drains it at the end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::board::clock;
use crate::doors::gate::Gate;
use crate::doors::health::Health;
use crate::serve::Served;
use crate::serve::log::{Level, Log};
use crate::serve::notify::{Notify, watchdog_interval};
use crate::serve::signals::{Asked, Signals};
use crate::service::{Ending, Service};

/// What watches over a node.
pub(crate) struct Keeper {
    pub(crate) service: Service,
    pub(crate) gate: Arc<Gate>,
    pub(crate) health: Health,
    pub(crate) log: Log,
    pub(crate) notify: Notify,
    pub(crate) signals: Signals,
}

/// How often to look where nobody wants to hear that the process lives.
const NEVER: Duration = Duration::from_secs(3_600);

impl Keeper {
    /// Says how to reach the node, and returns when it has ended.
    pub(crate) async fn over(mut self, reach: String, drain: Duration) -> Served {
        self.health.set(true).await;
        self.notify.ready(&reach_without_token(&reach));
        self.log.say(Level::Info, &reach, &[]);
        let why = self.until_end().await;
        self.gate.drain();
        self.health.set(false).await;
        self.notify.stopping("drains");
        let served = match why {
            Ending::Drain => self.drain(drain).await,
            Ending::Now => self.end(Ending::Now, Served::Stopped).await,
            Ending::Failed(why) => {
                self.log.say(Level::Error, &format!("the node has failed: {why}"), &[]);
                self.end(Ending::Now, Served::Failed(why)).await
            }
        };
        self.close().await;
        served
    }

    /// Does as signals say until one, or somebody else, wants the end.
    async fn until_end(&mut self) -> Ending {
        let mut beat = interval(watchdog_interval().unwrap_or(NEVER));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let service = self.service.clone();
        let mut ending = std::pin::pin!(service.ending());
        loop {
            tokio::select! {
                ending = &mut ending => return ending,
                asked = self.signals.next() => match asked {
                    Asked::End(_) => return Ending::Drain,
                    Asked::Reload => self.reload().await,
                },
                _ = beat.tick() => self.notify.alive(),
            }
        }
    }

    async fn reload(&self) {
        let access = self.service.access().clone();
        let read = tokio::task::spawn_blocking(move || access.reload(clock::now())).await;
        match read {
            Ok(Ok(())) => self.log.say(Level::Info, "tokens were read again", &[]),
            Ok(Err(error)) => {
                let text = format!("tokens were not read again, and stay as they were: {error}");
                self.log.say(Level::Error, &text, &[]);
            }
            // The panic was printed when it happened.
            Err(_) => {}
        }
    }

    /// Lets what runs end, but no longer than it may.
    async fn drain(&mut self, drain: Duration) -> Served {
        let seconds = json!(drain.as_secs_f64());
        let text = format!("drains: what runs has {} s; a second signal ends it", drain.as_secs());
        self.log.say(Level::Info, &text, &[("drain_seconds", seconds)]);
        let service = self.service.clone();
        let mut drained =
            std::pin::pin!(tokio::task::spawn_blocking(move || service.end(&Ending::Drain)));
        let deadline = Instant::now() + drain;
        let mut served = Served::Drained;
        loop {
            tokio::select! {
                _ = &mut drained => break,
                () = sleep_until(deadline), if served == Served::Drained => {
                    self.log.say(Level::Warning, "what still runs is stopped", &[]);
                    served = Served::Stopped;
                    let service = self.service.clone();
                    tokio::task::spawn_blocking(move || service.cluster().suspend());
                }
                signal = self.signals.end() => {
                    served = Served::Killed(signal);
                    let service = self.service.clone();
                    tokio::task::spawn_blocking(move || service.end(&Ending::Now));
                }
            }
        }
        served
    }

    async fn end(&self, how: Ending, served: Served) -> Served {
        let service = self.service.clone();
        // A panic there was printed when it happened.
        drop(tokio::task::spawn_blocking(move || service.end(&how)).await);
        served
    }

    /// Has what is kept besides the journal written.
    async fn close(&self) {
        let service = self.service.clone();
        let log = self.log;
        let close = move || {
            if let Err(error) = service.access().close() {
                let text = format!("when tokens were last used was not written: {error}");
                log.say(Level::Warning, &text, &[]);
            }
            if let Err(error) = service.audit_log().sync() {
                log.say(Level::Error, &format!("the audit log was not synced: {error}"), &[]);
            }
        };
        drop(tokio::task::spawn_blocking(close).await);
    }
}

/// What the service manager, and whoever asks it, may know.
fn reach_without_token(reach: &str) -> String {
    reach.split("; ").next().unwrap_or_default().to_owned()
}
