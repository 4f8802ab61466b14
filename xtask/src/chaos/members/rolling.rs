//! A rolling restart: the members of a cluster are replaced one by one by those of another program,
//! there and back and there again, while tasks flow that may not fail.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::book::at;
use super::company::{MEMBERS, agree, close, quiet, settle, with_callers};
use super::judge::judge;
use super::land::Land;
use super::resident::Resident;
use super::town::{Flow, Town};
use super::{OLD_PROGRAM, PROGRAM, Said};
use crate::chaos::dice::Dice;
use crate::process::printed;

/// How a rolling restart is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Roll {
    /// How long all of it takes, about.
    pub(crate) length: Duration,
    pub(crate) seed: u64,
}

impl Default for Roll {
    fn default() -> Self {
        Self { length: Duration::from_secs(180), seed: 0 }
    }
}

/// Each time that all members are replaced: by the new program or by the old one, and whether they
/// are killed for it or asked to end.
const ROUNDS: [Round; 3] = [
    Round { program: PROGRAM, kills: false },
    Round { program: OLD_PROGRAM, kills: false },
    Round { program: PROGRAM, kills: true },
];
/// Tasks a second that are asked for: about half of what the members can run.
const TASKS_PER_SECOND: f64 = 50.0;
/// How long after a kill what it left behind may still come.
const AFTER: Duration = Duration::from_secs(2);

/// All members are replaced.
#[derive(Clone, Copy, Debug)]
struct Round {
    program: &'static str,
    kills: bool,
}

/// One member was replaced.
#[derive(Clone, Copy, Debug)]
struct Replaced {
    number: u8,
    round: Round,
    /// How long it took from the signal until all members saw all others.
    agreed: Duration,
}

/// Rolls over members in a folder that holds both programs, in a network that nobody else has.
pub(crate) fn roll(folder: &Path, roll: Roll) -> Result<Said, String> {
    let land = Land::lay(MEMBERS)?;
    let old = folder.join(OLD_PROGRAM);
    let mut members = settle(folder, &land, &old, 1)?;
    let town = Town::lay(folder, &members, Flow::steady(TASKS_PER_SECOND))?;
    agree(&members)?;
    let mut replaced = Vec::new();
    with_callers(&town, roll.seed, || {
        let mut wheel = Wheel { town: &town, land: &land, members: &mut members, folder };
        let turned = wheel.turn(roll, &mut replaced);
        town.close();
        turned
    });
    let mut faults = town.book().faults.clone();
    if faults.is_empty() {
        let judged = close(&mut members).and_then(|()| verify(&mut members, &old));
        faults.extend(judged.err());
    }
    let marks = std::fs::read(&town.marks).unwrap_or_default();
    let book = town.book();
    let judged = judge(&String::from_utf8_lossy(&marks), &book.entries, &town.mishaps());
    faults.extend(judged.faults);
    let mut agreed: Vec<Duration> = replaced.iter().map(|one| one.agreed).collect();
    agreed.sort_unstable();
    let (tasks, jobs, requests) = (book.tasks, book.entries.len(), book.waits.len());
    let line = format!(
        "{MEMBERS} members, {} times replaced: by the new program, by the old one, and killed and \
         by the new one; {tasks} tasks of {jobs} jobs, none of which failed, {} started again, {} \
         submissions repeated; {requests} requests, {:.3} % answered within 1 s; all saw all {:.0} \
         ms after the signal, at most {:.0} ms; both programs find the journals sound; seed {}",
        replaced.len(),
        judged.again,
        book.repeated,
        book.availability(),
        at(&agreed, 50),
        at(&agreed, 100),
        roll.seed,
    );
    let json = json!({
        "schema": "bary.chaos.rolling/1", "seed": roll.seed, "members": MEMBERS, "jobs": jobs,
        "tasks": tasks, "started_again": judged.again, "submitted_again": book.repeated,
        "requests": requests, "availability_percent": book.availability(),
        "agreed_p50_ms": at(&agreed, 50), "agreed_max_ms": at(&agreed, 100),
        "replaced": replaced.iter().map(Replaced::json).collect::<Vec<_>>(),
    });
    Ok(Said { faults, line, json })
}

/// What replaces the members.
struct Wheel<'a> {
    town: &'a Town,
    land: &'a Land,
    members: &'a mut [Resident],
    folder: &'a Path,
}

impl Wheel<'_> {
    /// Replaces each member in each round, in an order that is drawn.
    fn turn(&mut self, roll: Roll, replaced: &mut Vec<Replaced>) -> Result<(), String> {
        let turns = ROUNDS.len() as u32 * u32::from(MEMBERS) + 1;
        let (begun, mut dice) = (Instant::now(), Dice::new(roll.seed));
        for round in ROUNDS {
            let mut left: Vec<u8> = (1..=MEMBERS).collect();
            while !left.is_empty() && !self.town.is_troubled() {
                let until = roll.length / turns * (replaced.len() as u32 + 1);
                quiet(self.members, until.saturating_sub(begun.elapsed()))?;
                let number = left.swap_remove(dice.below(left.len() as u64) as usize);
                let agreed = self.replace(number, round)?;
                replaced.push(Replaced { number, round, agreed });
            }
        }
        quiet(self.members, roll.length / turns)
    }

    /// Ends a member and starts it as another program; only a kill is a reason for a task to start
    /// twice.
    fn replace(&mut self, number: u8, round: Round) -> Result<Duration, String> {
        let begun = Instant::now();
        let kill = round.kills.then(|| self.town.begins(format!("m{number} killed")));
        let member = &mut self.members[usize::from(number) - 1];
        if round.kills {
            member.kill()?
        } else {
            member.drain()?
        }
        member.turns_into(&self.folder.join(round.program));
        member.start(self.land, &["up"])?;
        member.up()?;
        agree(self.members)?;
        let agreed = begun.elapsed();
        if let Some(kill) = kill {
            quiet(self.members, AFTER)?;
            self.town.is_over(kill);
        }
        Ok(agreed)
    }
}

impl Replaced {
    fn json(&self) -> Value {
        json!({
            "member": self.number,
            "by": if self.round.program == PROGRAM { "new" } else { "old" },
            "killed": self.round.kills,
            "agreed_ms": self.agreed.as_secs_f64() * 1e3,
        })
    }
}

/// Has another program look through the journals, too.
fn verify(members: &mut [Resident], program: &Path) -> Result<(), String> {
    for member in members {
        member.turns_into(program);
        let verified = printed(member.command(&["journal", "verify"]));
        verified.map_err(|fault| format!("{}: {fault}", member.name()))?;
    }
    Ok(())
}
