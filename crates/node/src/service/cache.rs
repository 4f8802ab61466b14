//! The result cache: how it is, and clearing it.

use std::sync::Arc;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{CacheReply, CacheRequest, ClearCacheReply, ClearCacheRequest};
use bary_api::verb::Verb;
use bary_model::time::Span;
use tokio::task::spawn_blocking;

use crate::board::clock;
use crate::service::caller::Caller;
use crate::service::{Service, tokens};

impl Service {
    /// How the result cache is, and what it did since the node came up.
    ///
    /// # Errors
    /// Where the caller may not look.
    pub async fn cache(
        &self,
        caller: &Caller,
        _asked: CacheRequest,
    ) -> Result<CacheReply, Refused> {
        let leave = self.admit(caller, Verb::Cache, "")?;
        let cache = Arc::clone(&self.0.cache);
        let figures = spawn_blocking(move || cache.figures(clock::now())).await;
        let figures = leave.settle(figures.map_err(tokens::broken))?;
        let limits = &self.0.limits.cache;
        let bytes_max = match self.0.dir {
            Some(_) => limits.cache_bytes_max,
            None => limits.cache_memory_bytes_max.min(limits.cache_bytes_max),
        };
        Ok(CacheReply {
            entries: figures.entries,
            bytes: figures.bytes,
            entries_max: limits.cache_entries_max,
            bytes_max,
            keep_for: limits.cache_keep_for.as_secs_f64(),
            hits: figures.hits,
            misses: figures.misses,
            kept: figures.kept,
            unkept: figures.unkept,
            evicted: figures.evicted,
        })
    }

    /// Removes results from the cache, so that equal work runs again.
    ///
    /// # Errors
    /// Where the caller may not, or the age is none; nothing is removed then.
    pub async fn clear_cache(
        &self,
        caller: &Caller,
        asked: ClearCacheRequest,
    ) -> Result<ClearCacheReply, Refused> {
        let seconds = asked.older_than;
        let target = match seconds {
            0.0 => "all".to_owned(),
            seconds => format!("older than {seconds} s"),
        };
        let leave = self.admit(caller, Verb::ClearCache, target)?;
        if !(seconds.is_finite() && seconds >= 0.0) {
            let title = format!("older_than {seconds} is no number of seconds");
            return leave.settle(Err(Refused::new(Kind::Invalid, title)));
        }
        let (cache, age) = (Arc::clone(&self.0.cache), Span::from_secs_f64(seconds));
        let cleared = spawn_blocking(move || cache.clear(age, clock::now())).await;
        let (entries, bytes) = leave.settle(cleared.map_err(tokens::broken))?;
        Ok(ClearCacheReply { entries, bytes })
    }
}
