//! The gRPC door: the calls of the contract handed to the service, one by one.

use std::pin::Pin;
use std::sync::Arc;

use bary_api::problem::{Kind, Refused};
use bary_api::v1;
use bary_api::v1::node_server::Node;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::doors::answer::misread;
use crate::service::beside::Guest;
use crate::service::caller::Caller;
use crate::service::{Service, Streamed};

/// What the generated server calls.
#[derive(Clone)]
pub(crate) struct Grpc {
    pub(crate) service: Service,
}

/// A stream as the generated server takes it.
pub(crate) type Told<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Who asks, and what.
pub(crate) fn asked<T>(request: Request<T>) -> Result<(Arc<Caller>, T), Status> {
    let caller = request.extensions().get::<Arc<Caller>>().cloned();
    let nobody = || Refused::new(Kind::Internal, "the request came past the gate");
    Ok((caller.ok_or_else(nobody)?, request.into_inner()))
}

pub(crate) fn told<T: Send + 'static>(stream: Streamed<T>) -> Told<T> {
    Box::pin(stream.map(|item| item.map_err(Status::from)))
}

/// Makes the server of calls with one answer, and of calls with a stream of them.
macro_rules! node {
    (
        { $($call:ident: $ask:ident => $reply:ident;)* }
        { $($flow:ident: $follow:ident => $item:ident as $stream:ident;)* }
    ) => {
        #[tonic::async_trait]
        impl Node for Grpc {
            $(async fn $call(
                &self,
                request: Request<v1::$ask>,
            ) -> Result<Response<v1::$reply>, Status> {
                let (caller, message) = asked(request)?;
                Ok(Response::new(self.service.$call(&caller, message).await?))
            })*

            $(type $stream = Told<v1::$item>;

            async fn $flow(
                &self,
                request: Request<v1::$follow>,
            ) -> Result<Response<Self::$stream>, Status> {
                let (caller, message) = asked(request)?;
                Ok(Response::new(told(self.service.$flow(&caller, message).await?)))
            })*

            type ExecStream = Told<v1::ExecOutput>;

            async fn exec(
                &self,
                request: Request<Streaming<v1::ExecInput>>,
            ) -> Result<Response<Self::ExecStream>, Status> {
                let guest = request.extensions().get::<Guest>().cloned();
                let (caller, messages) = asked(request)?;
                let messages = messages.map(|message| message.map_err(|status| misread(&status)));
                let messages = Box::pin(messages);
                let said = self.service.exec_beside(&caller, guest.as_ref(), messages).await?;
                Ok(Response::new(told(said)))
            }

            type SessionStream = Told<v1::SessionReply>;

            async fn session(
                &self,
                request: Request<Streaming<v1::SessionRequest>>,
            ) -> Result<Response<Self::SessionStream>, Status> {
                let (caller, messages) = asked(request)?;
                let messages = messages.map(|message| message.map_err(|status| misread(&status)));
                let replies = self.service.session(&caller, Box::pin(messages)).await?;
                Ok(Response::new(told(replies)))
            }
        }
    };
}

node! {
    {
        info: InfoRequest => InfoReply;
        submit: SubmitRequest => SubmitReply;
        begin: BeginRequest => StagedReply;
        chunk: ChunkRequest => StagedReply;
        commit: CommitRequest => SubmitReply;
        extend: ExtendRequest => ExtendReply;
        close: JobsRequest => ChangedReply;
        cancel: CancelRequest => ChangedReply;
        hold: JobsRequest => ChangedReply;
        release: JobsRequest => ChangedReply;
        set_priority: SetPriorityRequest => ChangedReply;
        retry: JobsRequest => ChangedReply;
        prune: PruneRequest => ChangedReply;
        list_jobs: ListJobsRequest => ListJobsReply;
        list_tasks: ListTasksRequest => ListTasksReply;
        wait: WaitRequest => WaitReply;
        why: WhyRequest => WhyReply;
        list_nodes: ListNodesRequest => ListNodesReply;
        graph: GraphRequest => GraphReply;
        scale: ScaleRequest => ScaleReply;
        change_node: ChangeNodeRequest => ChangedReply;
        list_policies: ListPoliciesRequest => ListPoliciesReply;
        set_policy: SetPolicyRequest => SetPolicyReply;
        try_policy: TryPolicyRequest => TryPolicyReply;
        cache: CacheRequest => CacheReply;
        clear_cache: ClearCacheRequest => ClearCacheReply;
        list_tokens: ListTokensRequest => ListTokensReply;
        create_token: CreateTokenRequest => CreateTokenReply;
        revoke_token: RevokeTokenRequest => ChangedReply;
        backup: BackupRequest => BackupReply;
        shutdown: ShutdownRequest => ChangedReply;
        list_settings: ListSettingsRequest => ListSettingsReply;
        set_setting: SetSettingRequest => SetSettingReply;
    }
    {
        events: EventsRequest => Event as EventsStream;
        logs: LogsRequest => LogChunk as LogsStream;
        results: ResultsRequest => TaskResult as ResultsStream;
        audit: AuditRequest => AuditLine as AuditStream;
    }
}
