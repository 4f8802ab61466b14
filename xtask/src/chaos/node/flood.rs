//! More than a node can take: callers that ask as fast as they can, and many that come at once. It
//! says to whom it has no room when to come back, answers the others, and does not grow.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::door::Door;
use crate::node::{Node, burden};

/// Connections that ask as fast as they can.
const CALLERS: u64 = 64;
/// Submissions of each of them.
const SUBMISSIONS: u64 = 150;
/// Connections that come at once; more than a node takes.
const ARRIVALS: usize = 1_200;
/// How much memory a flood may take, in bytes.
const GROWTH_MAX: u64 = 256 << 20;
/// How often somebody else asks something meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// Plays the scene in a folder; what came of it in words.
pub(crate) fn scene(bary: &Path, folder: &Path) -> Result<String, String> {
    let mut node = Node::new(bary, folder)?;
    let mut door = node.begin(&["-j", "2"], &[])?;
    let token = std::fs::read_to_string(node.token()).map_err(|cause| cause.to_string())?;
    let token = token.trim();
    let (before, _) = burden(node.pid())?;
    let begun = Instant::now();
    let (taken, shed, mut asked) = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| scope.spawn(|| submit(&mut Door::new(node.address(), token))))
            .collect();
        let mut asked = Vec::new();
        while callers.iter().any(|caller| !caller.is_finished()) {
            let begun = Instant::now();
            let answer = door.get("/v1/info").map_err(|broke| format!("info: {broke}"))?;
            if answer.status != 200 {
                return Err(format!("info: {} {}", answer.status, answer.text()));
            }
            asked.push(begun.elapsed());
            std::thread::sleep(ASK_EVERY);
        }
        let (mut taken, mut shed) = (0, 0);
        for caller in callers {
            let counts = caller.join().map_err(|_| "a caller panicked")??;
            (taken, shed) = (taken + counts.0, shed + counts.1);
        }
        Ok::<_, String>((taken, shed, asked))
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let (answered, sent_away) = arrive(node.address(), token)?;
    let told = door.get("/v1/jobs?limit=1").map_err(|broke| format!("a list: {broke}"))?;
    if told.json()?["total"] != taken {
        return Err(format!("{taken} jobs were acknowledged: {}", told.text()));
    }
    let (after, _) = burden(node.pid())?;
    let growth = after.saturating_sub(before);
    if growth > GROWTH_MAX {
        return Err(format!("it grew by {} MiB", growth >> 20));
    }
    node.drain()?;
    asked.sort_unstable();
    let p99 = asked.get(asked.len() * 99 / 100).copied().unwrap_or_default();
    Ok(format!(
        "{taken} submissions of {CALLERS} callers taken ({:.0}/s), {shed} told to come back; {} \
         questions meanwhile, p99 {:.1} ms; of {ARRIVALS} connections at once {answered} answered, \
         {sent_away} told to come back; grew by {} MiB",
        taken as f64 / seconds,
        asked.len(),
        p99.as_secs_f64() * 1e3,
        growth >> 20,
    ))
}

/// Submits as fast as it can; how many were taken, and how many were to come back.
fn submit(door: &mut Door) -> Result<(u64, u64), String> {
    let body = json!({ "tasks": { "function": "noop", "array": "1-10" } });
    let (mut taken, mut shed) = (0, 0);
    while taken + shed < SUBMISSIONS {
        let answer = door.post("/v1/jobs", &body);
        let answer = answer.map_err(|broke| format!("a submission: {broke}"))?;
        match (answer.status, answer.retry_after) {
            (200, _) => taken += 1,
            (429 | 503, Some(seconds)) if seconds > 0.0 => shed += 1,
            _ => return Err(format!("a submission: {} {}", answer.status, answer.text())),
        }
    }
    Ok((taken, shed))
}

/// Opens many connections at once and asks over each; how many were answered, and how many were
/// told to come back. Each gets one of the two.
fn arrive(address: &str, token: &str) -> Result<(usize, usize), String> {
    let failed = |what: &str, cause: std::io::Error| format!("a connection {what}: {cause}");
    let mut open = Vec::new();
    for _ in 0..ARRIVALS {
        let stream = TcpStream::connect(address).map_err(|cause| failed("was refused", cause))?;
        let patience = Some(crate::door::PATIENCE);
        stream.set_read_timeout(patience).map_err(|cause| failed("has no clock", cause))?;
        open.push(stream);
    }
    let request = format!(
        "GET /v1/info HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\n\r\n"
    );
    for stream in &mut open {
        // One that was sent away may have been closed by now; what it was told can still be read.
        drop(stream.write_all(request.as_bytes()));
    }
    let (mut answered, mut sent_away) = (0, 0);
    for mut stream in open {
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        if text.starts_with("HTTP/1.1 200") {
            answered += 1;
        } else if text.starts_with("HTTP/1.1 503") && text.contains("Retry-After") {
            sent_away += 1;
        } else if bytes.is_empty() && read.is_err() {
            // It was closed with the request unread; the reset drops what it was told.
            sent_away += 1;
        } else {
            return Err(format!("a connection was told `{text}` ({read:?})"));
        }
    }
    if answered == 0 || sent_away == 0 {
        return Err(format!("{answered} were answered and {sent_away} sent away"));
    }
    Ok((answered, sent_away))
}
