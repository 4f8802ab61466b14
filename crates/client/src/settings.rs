//! Calls about settings of the whole cluster.

use bary_api::v1::{ListSettingsReply, ListSettingsRequest, SetSettingReply, SetSettingRequest};

use crate::call::CallError;
use crate::client::Client;

impl Client {
    /// Settings of the whole cluster, as they hold now or with each change that is kept.
    ///
    /// # Errors
    /// Where the node is in no cluster, or there is no setting of a name.
    pub async fn list_settings(
        &self,
        request: ListSettingsRequest,
    ) -> Result<ListSettingsReply, CallError> {
        self.answer(self.node().list_settings(self.ask(request)).await)
    }

    /// Sets a setting of the whole cluster, or takes it back. Needs an admin.
    ///
    /// # Errors
    /// Where there is no such setting, or it cannot be that; nothing was changed.
    pub async fn set_setting(
        &self,
        request: SetSettingRequest,
    ) -> Result<SetSettingReply, CallError> {
        self.answer(self.node().set_setting(self.ask(request)).await)
    }
}
