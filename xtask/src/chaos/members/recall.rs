//! What is left of a storm's large results where members keep each other's jobs: all of it is read
//! while each member in turn is away for good, as far as the others know.

use std::time::{Duration, Instant};

use super::company::agree;
use super::land::Land;
use super::resident::Resident;
use super::town::Town;
use crate::door::Door;
use crate::process::printed;

/// Bytes of a large result.
pub(crate) const LARGE_BYTES: usize = 64 << 10;
/// Most jobs whose results are read while one member is away, the last ones.
const JOBS_MAX: usize = 64;
/// How long copies may take, and a job of a member that is away until it is read.
const HANG: Duration = Duration::from_secs(60);
/// How often one looks.
const LOOK: Duration = Duration::from_millis(20);

/// What a task called `name` gives in a job of large results.
fn made(name: &str) -> Vec<u8> {
    let text = format!("{name}\n").into_bytes();
    text.iter().copied().cycle().take(LARGE_BYTES).chain(*b"\n").collect()
}

/// Reads all of it, once with each member away; how many results that is.
pub(crate) fn recall(town: &Town, land: &Land, members: &mut [Resident]) -> Result<u64, String> {
    let jobs: Vec<(String, u8, u64, u64)> = {
        let book = town.book();
        let large = book.entries.iter().filter(|(_, entry)| entry.is_large && entry.ended);
        let told = large.map(|(key, entry)| (key.clone(), entry.home, entry.number, entry.tasks));
        told.rev().take(JOBS_MAX).collect()
    };
    let mut read = 0;
    for away in 0..members.len() {
        members.iter().try_for_each(has_copies)?;
        members[away].kill()?;
        let asked = &members[(away + 1) % members.len()];
        for (key, home, number, tasks) in &jobs {
            let job = format!("{}/{number}", Resident::called(*home));
            let expected: Vec<u8> =
                (1..=*tasks).flat_map(|task| made(&format!("{key}/{task}"))).collect();
            let told = result(asked, &job)?;
            if told != expected {
                let (job, away) = (format!("{key}, {job},"), away + 1);
                let bytes = format!("{} of {} bytes", told.len(), expected.len());
                return Err(format!("of {job} {bytes} are there with m{away} away, or others"));
            }
            read += tasks;
        }
        members[away].start(land, &["up"])?;
        members[away].up()?;
        agree(members)?;
    }
    Ok(read)
}

/// Waits until a member's jobs are kept by as many as are to, and their results as well.
fn has_copies(member: &Resident) -> Result<(), String> {
    let (begun, mut door) = (Instant::now(), Door::at_socket(&member.socket()));
    loop {
        let answer = door.get("/v1/info").ok().filter(|answer| answer.status == 200);
        let info = answer.map(|answer| answer.json()).transpose()?.unwrap_or_default();
        let keepers = info["kept_by"].as_array().map_or(0, Vec::len) as u64;
        let is_kept = info["replicas"] == keepers && info["keepers_away"] == serde_json::json!([]);
        if is_kept && info["results_lacking"] == 0 {
            return Ok(());
        }
        if begun.elapsed() > HANG {
            let (name, seconds) = (member.name(), HANG.as_secs());
            return Err(format!("results of {name} lack copies after {seconds} s: {info}"));
        }
        std::thread::sleep(LOOK);
    }
}

/// What a job's tasks gave, as another member reads it.
fn result(asked: &Resident, job: &str) -> Result<Vec<u8>, String> {
    let begun = Instant::now();
    loop {
        let mut command = asked.program(&["result", job, "--addr"]);
        command.arg(asked.socket());
        match printed(command) {
            Ok(told) => return Ok(told),
            // Another one has to come to stand in first.
            Err(_) if begun.elapsed() < HANG => std::thread::sleep(LOOK),
            Err(fault) => return Err(format!("{} cannot read {job}: {fault}", asked.name())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LARGE_BYTES, made};

    #[test]
    fn a_large_result_is_its_name_again_and_again() {
        let made = made("k0-1/2");
        assert_eq!((made.len(), &made[..14]), (LARGE_BYTES + 1, &b"k0-1/2\nk0-1/2\n"[..]));
    }
}
