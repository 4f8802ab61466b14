//! Calls about the result cache.

use bary_api::v1::{CacheReply, CacheRequest, ClearCacheReply, ClearCacheRequest};

use crate::call::CallError;
use crate::client::Client;

impl Client {
    /// How the result cache is, and what it did since the node came up.
    ///
    /// # Errors
    /// Where the node cannot be asked.
    pub async fn cache(&self) -> Result<CacheReply, CallError> {
        self.answer(self.node().cache(self.ask(CacheRequest {})).await)
    }

    /// Removes results from the cache, so that equal work runs again. Needs an operator.
    ///
    /// # Errors
    /// Where the age is none, or the node cannot be asked; nothing was removed.
    pub async fn clear_cache(
        &self,
        request: ClearCacheRequest,
    ) -> Result<ClearCacheReply, CallError> {
        self.answer(self.node().clear_cache(self.ask(request)).await)
    }
}
