//! Watches over a node that runs: does as signals say, tells the service manager that it lives, and
//! drains it at the end.

use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::board::clock;
use crate::doors::health::Health;
use crate::replicas::journal::DEPOSED;
use crate::serve::log::{Level, Log};
use crate::serve::notify::{Notify, watchdog_interval};
use crate::serve::signals::{Asked, Signals};
use crate::serve::{Reload, Reloaded, Served};
use crate::service::{Ending, Service};

/// What watches over a node.
pub(crate) struct Keeper {
    pub(crate) service: Service,
    pub(crate) health: Health,
    pub(crate) log: Log,
    pub(crate) notify: Notify,
    pub(crate) signals: Signals,
    pub(crate) reload: Option<Reload>,
    /// How long a drain may take, and how large the audit log grows, where the cluster says
    /// nothing else.
    pub(crate) drain: Duration,
    pub(crate) audit_max: u64,
}

/// What is said once nothing goes on.
const HANGS: &str = "a node's loop or its journal hangs: the service manager is not told that it \
                     lives";

/// How often to look whether finished jobs were kept for long enough.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);
/// How often to look what this machine is by now.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

impl Keeper {
    /// Says these words, of which the first are how to reach the node, and returns when it has
    /// ended; nothing where it is to begin again.
    pub(crate) async fn over(mut self, words: &[String]) -> Option<Served> {
        self.health.set(true).await;
        self.notify.ready(&reach_without_token(words.first().map_or("", String::as_str)));
        words.iter().for_each(|line| self.log.say(Level::Info, line, &[]));
        let why = self.until_end().await;
        self.service.shut();
        self.health.set(false).await;
        self.notify.stopping("drains");
        let served = match why {
            Ending::Drain => {
                let drain = self.service.cluster_drain().unwrap_or(self.drain);
                Some(self.drain(drain).await)
            }
            Ending::Now => Some(self.end(Ending::Now, Served::Stopped).await),
            Ending::Failed(why) if &*why == DEPOSED => {
                let text = format!("{why}: begins again, as one of those that keep it");
                self.log.say(Level::Warning, &text, &[]);
                let _ended: Served = self.end(Ending::Now, Served::Stopped).await;
                None
            }
            Ending::Failed(why) => {
                self.log.say(Level::Error, &format!("the node has failed: {why}"), &[]);
                Some(self.end(Ending::Now, Served::Failed(why)).await)
            }
        };
        self.close().await;
        served
    }

    /// Does as signals say until one, or somebody else, wants the end.
    async fn until_end(&mut self) -> Ending {
        let heart = watchdog_interval().map(|every| tokio::spawn(self.heart(every)));
        let ending = self.until_asked().await;
        if let Some(heart) = heart {
            heart.abort();
        }
        ending
    }

    /// Tells the service manager that the node goes on, for as long as it does: the doors, the
    /// loops of the nodes, and the journal.
    fn heart(&self, every: Duration) -> impl Future<Output = ()> + Send + 'static {
        let (service, notify, log) = (self.service.clone(), self.notify.clone(), self.log);
        async move {
            let mut beat = interval(every);
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let (mut turns, mut well) = (Vec::new(), true);
            loop {
                beat.tick().await;
                let was_well = well;
                well = timeout(every, service.cluster().goes_on(&mut turns)).await == Ok(true);
                match (well, was_well) {
                    (true, _) => notify.alive(),
                    (false, true) => log.say(Level::Error, HANGS, &[]),
                    (false, false) => {}
                }
            }
        }
    }

    async fn until_asked(&mut self) -> Ending {
        let service = self.service.clone();
        let mut ending = std::pin::pin!(service.ending());
        let mut look = interval(LOOK_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut probe = interval(PROBE_INTERVAL);
        probe.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut news = service.cluster().peers().map(|peers| peers.settings_news());
        self.obey().await;
        loop {
            tokio::select! {
                () = changed(&mut news) => self.obey().await,
                ending = &mut ending => return ending,
                _ = look.tick() => self.service.forget_old(),
                _ = probe.tick() => self.service.cluster().probe(),
                asked = self.signals.next() => match asked {
                    Asked::End(_) => return Ending::Drain,
                    Asked::Reload => self.reload().await,
                },
            }
        }
    }

    /// Has what the cluster's settings say hold here.
    async fn obey(&self) {
        let audit_max = self.service.cluster_audit_max().unwrap_or(self.audit_max);
        self.service.audit_log().bound(audit_max);
        if let Err(refused) = self.service.obey_settings().await {
            let text = format!("the policy of the cluster is not followed: {refused}");
            self.log.say(Level::Error, &text, &[]);
        }
        if let Err(refused) = self.service.follow_decisions().await {
            let text = format!("nodes are not as was decided for all homes: {refused}");
            self.log.say(Level::Error, &text, &[]);
        }
    }

    /// Reads again what may have changed, and says what came of it.
    async fn reload(&mut self) {
        self.reload_tokens().await;
        let Some(Reload(read)) = self.reload.clone() else { return };
        match tokio::task::spawn_blocking(move || read()).await {
            Ok(Ok(Reloaded { drain_timeout, log, audit_bytes_max, at_start })) => {
                self.drain = drain_timeout;
                self.log.format = log;
                self.audit_max = audit_bytes_max;
                self.obey().await;
                let text = match at_start.as_slice() {
                    [] => "settings were read again".to_owned(),
                    keys => format!(
                        "settings were read again; a restart is needed for {}",
                        keys.join(", ")
                    ),
                };
                self.log.say(Level::Info, &text, &[("restart_needed", json!(at_start))]);
            }
            Ok(Err(error)) => {
                let text = format!("settings were not read again, and stay as they were: {error}");
                self.log.say(Level::Error, &text, &[]);
            }
            // The panic was printed when it happened.
            Err(_) => {}
        }
    }

    async fn reload_tokens(&self) {
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

/// Waits until a setting of the cluster has changed; for ever where there is none.
async fn changed(news: &mut Option<watch::Receiver<u64>>) {
    let is_news = match news {
        // Whoever would say so may have gone.
        Some(news) => news.changed().await.is_ok(),
        None => false,
    };
    if !is_news {
        std::future::pending::<()>().await;
    }
}

/// What the service manager, and whoever asks it, may know.
fn reach_without_token(reach: &str) -> String {
    reach.split("; ").next().unwrap_or_default().to_owned()
}
