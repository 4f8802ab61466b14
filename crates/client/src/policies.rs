//! Calls about how tasks are placed.

use bary_api::v1::{
    ListPoliciesReply, ListPoliciesRequest, SetPolicyReply, SetPolicyRequest, TryPolicyReply,
    TryPolicyRequest,
};

use crate::call::CallError;
use crate::client::Client;

impl Client {
    /// The placement policies there are, and which one is followed.
    ///
    /// # Errors
    /// Where the node cannot be asked.
    pub async fn list_policies(&self) -> Result<ListPoliciesReply, CallError> {
        self.answer(self.node().list_policies(self.ask(ListPoliciesRequest {})).await)
    }

    /// Follows another policy from now on, while work goes on. Needs an operator.
    ///
    /// # Errors
    /// Where there is no such preset or part; the old one is followed still.
    pub async fn set_policy(&self, request: SetPolicyRequest) -> Result<SetPolicyReply, CallError> {
        self.answer(self.node().set_policy(self.ask(request)).await)
    }

    /// What a force would say of one placement; changes nothing.
    ///
    /// # Errors
    /// Where there is no such force, or a number is none.
    pub async fn try_policy(&self, request: TryPolicyRequest) -> Result<TryPolicyReply, CallError> {
        self.answer(self.node().try_policy(self.ask(request)).await)
    }
}
