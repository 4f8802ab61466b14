//! The gRPC door of workers: the one call of their contract, handed to the service.

use bary_api::v1::worker_server::Worker;
use bary_api::v1::{FromWorker, ToWorker};
use tokio_stream::StreamExt;
use tonic::{Request, Response, Status, Streaming};

use crate::doors::answer::misread;
use crate::doors::grpc::{Grpc, Told, asked, told};

#[tonic::async_trait]
impl Worker for Grpc {
    type WorkStream = Told<ToWorker>;

    async fn work(
        &self,
        request: Request<Streaming<FromWorker>>,
    ) -> Result<Response<Self::WorkStream>, Status> {
        let (caller, messages) = asked(request)?;
        let messages = messages.map(|message| message.map_err(|status| misread(&status)));
        let runs = self.service.work(&caller, Box::pin(messages)).await?;
        Ok(Response::new(told(runs)))
    }
}
