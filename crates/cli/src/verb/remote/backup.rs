//! `bary backup`: has a node copy its state, once or again and again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bary_api::v1::BackupReply;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use crate::args::backup::BackupArgs;
use crate::args::{Face, Form};
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::amount;
use crate::screen::Screen;
use crate::verb;

/// Copies.
pub(crate) fn run(args: &BackupArgs, face: Face) -> Result<Exit, Complaint> {
    let face = face.without_rows()?;
    let directory = absolute(&args.directory)?;
    asking::run(&args.reach, face, async |asking| match args.every {
        None => {
            tell(asking, &asking.node.backup(&directory).await?)?;
            Ok(Exit::OK)
        }
        Some(every) => again_and_again(asking, &directory, Duration::from_nanos(every.0)).await,
    })
}

/// A directory as the node has it, wherever that was started.
fn absolute(directory: &Path) -> Result<String, Complaint> {
    let absolute: PathBuf = std::path::absolute(directory).map_err(Complaint::usage)?;
    let text = absolute.into_os_string().into_string();
    text.map_err(|_| Complaint::usage("the name of the directory is not UTF-8"))
}

/// Copies until Ctrl-C. What went wrong is said, and does not keep the next copy from being made.
async fn again_and_again(
    asking: &Asking,
    directory: &str,
    every: Duration,
) -> Result<Exit, Complaint> {
    let mut rounds = interval(every);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        match asking.node.backup(directory).await {
            Ok(reply) => tell(asking, &reply)?,
            Err(error) => {
                let complaint = Complaint::from(error);
                asking.note(&format!("{complaint}\nbary: tries again in {}", span(every)));
            }
        }
    }
}

fn span(every: Duration) -> String {
    amount::span(every.as_secs_f64())
}

fn tell(asking: &Asking, reply: &BackupReply) -> Result<(), Complaint> {
    let BackupReply { directory, bytes, until, copied } = reply;
    if asking.face.is_data() {
        let document = json!({
            "schema": "bary.backup/1",
            "directory": directory,
            "bytes": bytes,
            "copied": copied,
            "until": until,
        });
        let dense = asking.face.output == Form::Jsonl;
        let text = if dense { format!("{document}\n") } else { format!("{document:#}\n") };
        return verb::print(&mut Screen::new(asking.face), &text);
    }
    let (bytes, copied) = (amount::size(*bytes), amount::size(*copied));
    asking.note(&format!(
        "{directory} holds all that was acknowledged by {until}: {bytes}, of which {copied} are new"
    ));
    Ok(())
}
