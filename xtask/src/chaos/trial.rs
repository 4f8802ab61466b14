//! One trial: a run that is killed some times and then ends, and what must hold of all its lives.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::chaos::dice::Dice;
use crate::chaos::evidence::{self, Marks, Promised};
use crate::chaos::life::{Fate, Life, live};
use crate::chaos::work::{KINDS, Kind, Work};
use crate::process::printed;

/// How long one undisturbed run of each kind takes, about.
pub(crate) type Lengths = BTreeMap<Kind, Duration>;

/// What a trial came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// How many lives were killed.
    pub(crate) kills: u64,
    /// How many of those had started no task yet.
    pub(crate) early: u64,
    /// How many of those had nothing left to start.
    pub(crate) late: u64,
    /// How many tasks were started once more.
    pub(crate) repeated: u64,
    /// What must not be.
    pub(crate) faults: Vec<String>,
}

/// Most kills of one trial.
const KILLS_MAX: u64 = 12;

/// Measures an undisturbed run of each kind, which must be right.
pub(crate) fn lengths(bary: &Path, scratch: &Path) -> Result<Lengths, String> {
    let mut lengths = Lengths::new();
    for (number, kind) in KINDS.into_iter().enumerate() {
        let folder = scratch.join(format!("length-{number}"));
        let work = Work::draw(kind, folder, &mut Dice::new(number as u64))?;
        let life = live(work.command(bary, 0)?, Fate::Natural)?;
        let faults = end(&work, &life);
        if let Some(fault) = faults.first() {
            return Err(format!("an undisturbed run of {kind:?}: {fault}"));
        }
        lengths.insert(kind, life.took);
        remove(&work.folder)?;
    }
    Ok(lengths)
}

/// Runs the trial of a seed in a folder, which is kept only where something is wrong.
pub(crate) fn run(bary: &Path, folder: PathBuf, seed: u64, lengths: &Lengths) -> Report {
    let mut report = Report::default();
    let judged = Trial::new(bary, folder, seed, lengths)
        .and_then(|mut trial| trial.run(&mut report).map(|()| trial.work.folder));
    match judged {
        Ok(folder) if report.faults.is_empty() => report.faults.extend(remove(&folder).err()),
        Ok(_) => {}
        Err(fault) => report.faults.push(fault),
    }
    report
}

struct Trial<'a> {
    bary: &'a Path,
    work: Work,
    dice: Dice,
    length: Duration,
    /// Which part of the tasks has not ended, as far as is known.
    left: f64,
    promised: Promised,
}

impl<'a> Trial<'a> {
    fn new(bary: &'a Path, folder: PathBuf, seed: u64, lengths: &Lengths) -> Result<Self, String> {
        let mut dice = Dice::new(seed);
        let kind = KINDS[dice.below(KINDS.len() as u64) as usize];
        let work = Work::draw(kind, folder, &mut dice)?;
        let length = lengths.get(&kind).copied().unwrap_or_default();
        Ok(Self { bary, work, dice, length, left: 1.0, promised: Promised::new() })
    }

    fn run(&mut self, report: &mut Report) -> Result<(), String> {
        let kills = 1 + self.dice.below(KILLS_MAX);
        for number in 0.. {
            let fate = if number < kills { self.fate() } else { Fate::Natural };
            let life = live(self.work.command(self.bary, number as usize)?, fate)?;
            if life.exit.is_some() {
                report.faults.extend(end(&self.work, &life));
                break;
            }
            report.kills += 1;
            self.killed(number as usize, &life, report)?;
            if !report.faults.is_empty() {
                return Ok(());
            }
        }
        self.close(report)
    }

    /// Near the start, anywhere, or when some lines have been printed.
    fn fate(&mut self) -> Fate {
        let micros = (self.length.as_micros() as f64 * self.left) as u64 + 10_000;
        match self.dice.below(4) {
            0 => Fate::After(Duration::from_micros(self.dice.below(15_000))),
            1 => {
                let lines = self.work.results().len() as u64;
                let wait = Duration::from_micros(self.dice.below(3_000));
                Fate::Printed(1 + self.dice.below(lines) as usize, wait)
            }
            _ => Fate::After(Duration::from_micros(self.dice.below(micros))),
        }
    }

    /// Notes what a life that was killed had promised.
    fn killed(&mut self, number: usize, life: &Life, report: &mut Report) -> Result<(), String> {
        let state = self.work.folder.join("state/journal");
        // A life that was killed before it had made a segment has promised nothing.
        let begun = fs::read_dir(&state).is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.path().extension() == Some("log".as_ref())))
        });
        let durable = if begun { evidence::durable(&self.history()?)? } else { BTreeSet::new() };
        self.left = 1.0 - durable.len() as f64 / self.work.tasks() as f64;
        for line in &life.lines {
            let task = self.work.task_of(line);
            if let Some(task) = task.filter(|task| !durable.contains(task)) {
                report.faults.push(format!("`{line}` was printed, but task {task} is not durable"));
            }
        }
        let marks = Marks::read(&self.work)?;
        report.early += u64::from(marks.starts.is_empty());
        report.late += u64::from(durable.len() as u64 == self.work.tasks());
        for task in durable {
            self.promised.entry(task).or_insert(number);
        }
        for lost in self.promised.keys().filter(|_| !begun) {
            report
                .faults
                .push(format!("the end of task {lost} was durable, and the journal is gone"));
        }
        Ok(())
    }

    /// The journal as a history; an error where it is not sound.
    fn history(&self) -> Result<Vec<u8>, String> {
        printed(self.work.journal(self.bary, &["export"]))
    }

    /// Judges all lives together.
    fn close(&self, report: &mut Report) -> Result<(), String> {
        let marks = Marks::read(&self.work)?;
        report.repeated = marks.repeated();
        report.faults.extend(marks.unwanted(&self.promised));
        report.faults.extend(marks.faults);
        report.faults.extend(evidence::left(&self.work.marks()));
        let history = self.history()?;
        let ended = evidence::durable(&history)?;
        for lost in self.promised.keys().filter(|task| !ended.contains(task)) {
            report.faults.push(format!("the end of task {lost} was durable and is lost"));
        }
        printed(self.work.journal(self.bary, &["verify"]))?;
        let path = self.work.folder.join("history");
        fs::write(&path, history).map_err(|cause| format!("{}: {cause}", path.display()))?;
        let mut judge = Command::new(self.bary);
        judge.args(["sim", "judge", "--ended"]).arg(path);
        printed(judge)?;
        Ok(())
    }
}

/// What is wrong with how a run ended by itself.
fn end(work: &Work, life: &Life) -> Vec<String> {
    let mut faults = Vec::new();
    if life.exit.and_then(|exit| exit.code()) != Some(0) {
        let said = life.stderr.trim_end();
        faults.push(format!("it ended with {:?}: {said}", life.exit));
        return faults;
    }
    let mut wanted = work.results();
    for line in &life.lines {
        if !wanted.remove(line) {
            faults.push(format!("`{line}` was printed twice, or is no result"));
        }
    }
    faults.extend(wanted.iter().map(|line| format!("`{line}` was not printed")));
    faults.truncate(5);
    faults
}

fn remove(folder: &Path) -> Result<(), String> {
    fs::remove_dir_all(folder).map_err(|cause| format!("{}: {cause}", folder.display()))
}
