//! Workers: a program says what it can run, and is given that as long as it stays.

use std::sync::Arc;
use std::time::Duration;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::from_worker::What;
use bary_api::v1::{FromWorker, Register, ToWorker};
use bary_api::verb::Verb;
use bary_identity::audit::Outcome;
use bary_model::id::TaskId;
use tokio::sync::mpsc::{channel, unbounded_channel};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use crate::service::caller::Caller;
use crate::service::{Service, Streamed};
use crate::worker::executor::StreamExecutor;
use crate::worker::node_of;
use crate::worker::talk::{Around, Parting, Talk};

/// How long a worker has to say what it offers.
const REGISTER_TIMEOUT: Duration = Duration::from_secs(20);
/// Messages of one run that may wait: its start, and being asked and made to end.
const PER_SLOT: usize = 3;

impl Service {
    /// Takes a worker in, and gives it tasks until it leaves.
    ///
    /// # Errors
    /// Where the caller may not work, or what the worker says first cannot be; it is none then.
    pub async fn work(
        &self,
        caller: &Caller,
        mut heard: Streamed<FromWorker>,
    ) -> Result<Streamed<ToWorker>, Refused> {
        if caller.role < Verb::Work.row().role {
            // It is refused, with a line in the audit log.
            self.admit(caller, Verb::Work, "")?;
        }
        let register = registration(&mut heard).await?;
        let name = register.name.clone();
        let leave = self.admit(caller, Verb::Work, format!("register {name}"))?;
        let made = node_of(register).and_then(|info| {
            let (orders, wanted) = unbounded_channel();
            let executor = |into| Box::new(StreamExecutor { orders, into }) as Box<_>;
            let slots = info.slots as usize;
            let seat = self.0.cluster.join(info, executor).map_err(|error| {
                Refused::new(Kind::Unavailable, error.to_string()).help("try another node")
            })?;
            Ok((seat, wanted, slots))
        });
        let (seat, wanted, slots) = match made {
            Ok(made) => made,
            Err(refused) => return leave.settle(Err(refused)),
        };
        let permit = leave.begun()?;
        let (told, read) = channel(slots * PER_SLOT + 2);
        let board = Arc::clone(&self.0.board);
        let numbers = move |task: TaskId| {
            if task.spec.0 == 0 {
                return u64::from(task.index) + 1;
            }
            let books = board.read();
            let detail = books.job(task.job).and_then(|row| row.detail.as_ref());
            detail.map_or(0, |detail| detail.roster.number(task))
        };
        let around = Around {
            store: self.0.store(),
            suspects: Arc::clone(&self.0.suspects),
            numbers: Arc::new(numbers),
            addresses: self.0.cluster.addresses(),
        };
        let (service, caller) = (self.clone(), caller.clone());
        tokio::spawn(async move {
            let name = seat.info().name.clone();
            let parting = Talk::new(seat, around, wanted, told).run(heard).await;
            drop(permit);
            service.note_parting(&caller, &name, &parting);
        });
        Ok(Box::pin(ReceiverStream::new(read)))
    }

    fn note_parting(&self, caller: &Caller, name: &str, parting: &Parting) {
        let (outcome, reason) = match parting {
            Parting::Left => (Outcome::Done, ""),
            Parting::Gone(None) => (Outcome::Done, "it has gone"),
            Parting::Gone(Some(refused)) => (Outcome::Refused, refused.title.as_str()),
        };
        // A log that takes no line stops the next change, which needs one.
        drop(self.0.note(caller, Verb::Work, &format!("leave {name}"), outcome, reason));
    }
}

/// The first message of a worker.
async fn registration(heard: &mut Streamed<FromWorker>) -> Result<Register, Refused> {
    let help = "say first which functions there are";
    let invalid = |title: &str| Refused::new(Kind::Invalid, title).help(help);
    match tokio::time::timeout(REGISTER_TIMEOUT, heard.next()).await {
        Ok(Some(Ok(FromWorker { what: Some(What::Register(register)) }))) => Ok(register),
        Ok(Some(Ok(_))) => Err(invalid("a worker registers before anything else")),
        Ok(Some(Err(refused))) => Err(refused),
        Ok(None) => Err(invalid("the worker said nothing")),
        Err(_) => Err(Refused::new(Kind::TimedOut, "the worker did not register").help(help)),
    }
}
