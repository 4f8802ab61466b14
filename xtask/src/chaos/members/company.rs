//! The members of a cluster together, and those who call at them: brought up, waited for until they
//! see each other, kept busy, and judged once all has ended.

use std::path::Path;
use std::time::{Duration, Instant};

use super::hand::Hand;
use super::land::Land;
use super::resident::Resident;
use super::town::Town;
use crate::door::Door;
use crate::process::printed;

/// How many members there are.
pub(crate) const MEMBERS: u8 = 5;
/// Callers at a time.
const HANDS: u64 = 8;
/// How long members may take until they see each other again before that is a fault; how long they
/// do take is told.
const AGREED_MAX: Duration = Duration::from_secs(60);
/// How often one looks.
const LOOK: Duration = Duration::from_millis(10);

/// Brings up all members: the first founds the cluster, the others join it by its line.
pub(crate) fn settle(
    folder: &Path,
    land: &Land,
    program: &Path,
    replicas: u8,
) -> Result<Vec<Resident>, String> {
    let mut members: Vec<Resident> = Vec::new();
    let mut line = String::new();
    for number in 1..=MEMBERS {
        let mut member = Resident::new(folder, program, number, replicas)?;
        let founds = ["up", "--cluster", "storm"];
        let joins = ["join", &line];
        member.start(land, if number == 1 { &founds } else { &joins })?;
        member.up()?;
        if number == 1 {
            let words = ["auth", "join-line", "--uses", "100", "--state"];
            line = String::from_utf8_lossy(&printed(member.command(&words))?).trim().to_owned();
        }
        members.push(member);
    }
    Ok(members)
}

/// Waits until every member sees every other one.
pub(crate) fn agree(members: &[Resident]) -> Result<(), String> {
    let begun = Instant::now();
    for member in members {
        let mut door = Door::at_socket(&member.socket());
        loop {
            // One that begins again closes its doors for a moment.
            let answer = door.get("/v1/nodes").ok().filter(|answer| answer.status == 200);
            let told = answer.map(|answer| answer.json()).transpose()?.unwrap_or_default();
            let nodes = told["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
            if nodes.iter().filter(|node| node["state"] == "up").count() == members.len() {
                break;
            }
            if begun.elapsed() > AGREED_MAX {
                return Err(format!(
                    "{} does not see all members within {} s: {told}",
                    member.name(),
                    AGREED_MAX.as_secs()
                ));
            }
            std::thread::sleep(LOOK);
        }
    }
    Ok(())
}

/// Has callers ask for tasks and for answers while something is done to the members, and until all
/// that they asked for has ended.
pub(crate) fn with_callers(town: &Town, seed: u64, torment: impl FnOnce() -> Result<(), String>) {
    std::thread::scope(|scope| {
        let hands: Vec<_> = (0..HANDS)
            .map(|number| {
                let hand = Hand::new(town, number, seed);
                scope.spawn(|| hand.work())
            })
            .collect();
        if let Err(fault) = torment() {
            town.book().fault(fault);
        }
        for hand in hands {
            if hand.join().is_err() {
                town.book().fault("a caller panicked");
            }
        }
    });
}

/// Waits, and sees to it that nobody ends by himself.
pub(crate) fn quiet(members: &mut [Resident], span: Duration) -> Result<(), String> {
    let begun = Instant::now();
    while begun.elapsed() < span {
        members.iter_mut().try_for_each(Resident::check)?;
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// Judges all lives together, once everything has ended.
pub(crate) fn close(members: &mut [Resident]) -> Result<(), String> {
    for member in members.iter() {
        let mut door = Door::at_socket(&member.socket());
        let info = door.get("/v1/info").map_err(|broke| format!("info: {broke}"))?.json()?;
        if info["tasks_waiting"] != 0 || info["tasks_running"] != 0 {
            return Err(format!("{}: all has ended, and something is left: {info}", member.name()));
        }
    }
    for member in members.iter_mut() {
        member.drain()?;
        printed(member.command(&["journal", "verify"]))?;
        let history = printed(member.command(&["journal", "export"]))?;
        let path = member.state().join("history");
        std::fs::write(&path, history).map_err(|cause| format!("{}: {cause}", path.display()))?;
        let mut judge = member.program(&["sim", "judge", "--ended"]);
        judge.arg(path);
        printed(judge).map_err(|fault| format!("{}: {fault}", member.name()))?;
    }
    Ok(())
}
