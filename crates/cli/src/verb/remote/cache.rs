//! `bary cache`: how a node's result cache is, and clearing it.

use bary_api::v1::{CacheReply, ClearCacheRequest};

use crate::args::Face;
use crate::args::cache::{CacheArgs, CacheClearArgs, CacheVerb};
use crate::asking;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing;
use crate::listing::amount::{percent, size, span};
use crate::verb::remote::show;

/// The schema of the document about the cache.
pub(crate) const SHOWN: &str = "bary.cache/1";
/// The schema of the document about what was removed.
pub(crate) const CLEARED: &str = "bary.cache-cleared/1";

/// Does what the verb says.
pub(crate) fn run(args: &CacheArgs, face: Face) -> Result<Exit, Complaint> {
    match &args.verb {
        Some(CacheVerb::Clear(args)) => clear(args, face),
        None => look(args, face),
    }
}

fn look(args: &CacheArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let reply = asking.node.cache().await?;
        let mut document = listing::json_of(&reply)?;
        document["schema"] = SHOWN.into();
        let text = match listing::data(&document, face.output) {
            Some(text) if !face.is_quiet() => text,
            _ if face.is_quiet() => format!("{}\n", reply.entries),
            _ => show::block(&lines(&reply)),
        };
        asking.say(&text)?;
        Ok(Exit::OK)
    })
}

fn lines(reply: &CacheReply) -> Vec<(&'static str, String)> {
    let asked = reply.hits + reply.misses;
    let share = match asked {
        0 => String::new(),
        asked => format!(", {}", percent(reply.hits as f64 / asked as f64)),
    };
    vec![
        ("results", format!("{} of {}", reply.entries, reply.entries_max)),
        ("size", format!("{} of {}", size(reply.bytes), size(reply.bytes_max))),
        ("kept for", span(reply.keep_for)),
        ("hits", format!("{} of {asked}{share}", reply.hits)),
        ("put in", reply.kept.to_string()),
        ("too large", nonzero(reply.unkept)),
        ("gone", nonzero(reply.evicted)),
    ]
}

fn nonzero(count: u64) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

fn clear(args: &CacheClearArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let older_than = args.older_than.map_or(0.0, |span| span.as_secs_f64());
        let reply = asking.node.clear_cache(ClearCacheRequest { older_than }).await?;
        let mut document = listing::json_of(&reply)?;
        document["schema"] = CLEARED.into();
        let text = match listing::data(&document, face.output) {
            Some(text) if !face.is_quiet() => text,
            _ if face.is_quiet() => format!("{}\n", reply.entries),
            _ => {
                let results = if reply.entries == 1 { "result" } else { "results" };
                let room = Some(size(reply.bytes)).filter(|_| reply.bytes > 0);
                let room = room.map_or_else(String::new, |size| format!(", {size}"));
                format!("{} {results} removed{room}\n", reply.entries)
            }
        };
        asking.say(&text)?;
        Ok(Exit::OK)
    })
}
