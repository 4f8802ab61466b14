//! What torments members in a storm: they are killed at drawn instants, stopped, cut off from each
//! other, made to lose what is sent, slowed down, made late, and told again what was said before.

use std::time::{Duration, Instant};

use super::company::{MEMBERS, agree, quiet};
use super::land::Land;
use super::playback::Played;
use super::resident::Resident;
use super::storm::Weather;
use super::town::Town;
use crate::chaos::dice::Dice;

/// How long the quiet before a mishap and a mishap itself are, at most, in milliseconds.
const SPAN_MS: u64 = 4_000;
/// How long after a mishap what it left behind may still come: a session that was cut off begins
/// anew, and what was granted over it is granted again.
const AFTER: Duration = Duration::from_secs(2);
/// Longest that a member stands still, in milliseconds; and at most a fourth of the storm.
const STILL_MS: u64 = 20_000;

/// How long members took to see each other again, after what.
pub(crate) type Agreed = (Duration, String);

/// What happened, and how often.
#[derive(Debug, Default)]
pub(crate) struct Mishaps {
    pub(crate) kills: u64,
    pub(crate) cuts: u64,
    pub(crate) losses: u64,
    pub(crate) slows: u64,
    pub(crate) delays: u64,
    pub(crate) stills: u64,
    pub(crate) played: Played,
    /// How long it took from the end of each until all members saw all others, and what it was.
    pub(crate) agreed: Vec<Agreed>,
}

/// What torments the members.
pub(crate) struct Sky<'a> {
    pub(crate) town: &'a Town,
    pub(crate) land: &'a Land,
    pub(crate) members: &'a mut [Resident],
}

impl Sky<'_> {
    /// Torments until the time is over, and leaves all well.
    pub(crate) fn rage(&mut self, weather: Weather, seen: &mut Mishaps) -> Result<(), String> {
        let (begun, mut dice) = (Instant::now(), Dice::new(weather.seed));
        while begun.elapsed() < weather.length && !self.town.is_troubled() {
            quiet(self.members, Duration::from_millis(dice.below(SPAN_MS)))?;
            let agreed = self.befall(weather, &mut dice, seen)?;
            seen.agreed.push(agreed);
        }
        Ok(())
    }

    /// One of all mishaps; how long it took from its end until all members saw each other.
    fn befall(
        &mut self,
        weather: Weather,
        dice: &mut Dice,
        seen: &mut Mishaps,
    ) -> Result<Agreed, String> {
        let span = Duration::from_millis(100 + dice.below(SPAN_MS));
        let number = 1 + dice.below(u64::from(MEMBERS)) as u8;
        match dice.below(14) {
            0..5 => {
                seen.kills += 1;
                self.kill(number, span, dice)
            }
            5..8 => {
                seen.cuts += 1;
                let other = 1 + dice.below(u64::from(MEMBERS)) as u8;
                let cut = |land: &Land| land.cut(&[number, other]);
                self.disturb(&format!("m{number} and m{other} cut off"), span, cut, None)
            }
            8 => {
                seen.losses += 1;
                let percent = 2 + dice.below(20);
                let lose = |land: &Land| land.lose(number, percent);
                self.disturb(&format!("{percent} % to m{number} lost"), span, lose, None)
            }
            9 => {
                seen.slows += 1;
                let slow = |land: &Land| land.slow(number);
                self.disturb(&format!("m{number} slow"), span, slow, Some(number))
            }
            10 => {
                seen.delays += 1;
                self.delay(number, span, Duration::from_millis(20 + dice.below(200)))
            }
            11 => self.play(&mut seen.played),
            _ => {
                seen.stills += 1;
                let longest = (weather.length.as_millis() as u64 / 4).clamp(1, STILL_MS);
                self.still(number, Duration::from_millis(longest / 20 + dice.below(longest)))
            }
        }
    }

    /// Kills a member, with some luck another one while it is down, and starts them again.
    fn kill(&mut self, number: u8, span: Duration, dice: &mut Dice) -> Result<Agreed, String> {
        let at = self.town.begins(format!("m{number} killed"));
        let mut down = vec![usize::from(number) - 1];
        self.members[down[0]].kill()?;
        let other = dice.below(u64::from(MEMBERS)) as usize;
        if other != down[0] && dice.below(4) == 0 {
            quiet(self.members, span / 2)?;
            self.members[other].kill()?;
            down.push(other);
        }
        quiet(self.members, span)?;
        // Either may wait for the other, where both keep a journal.
        for member in &down {
            self.members[*member].start(self.land, &["up"])?;
        }
        for member in down {
            self.members[member].up()?;
        }
        self.ends(at)
    }

    /// Has the network be as it should not be for a while.
    fn disturb(
        &mut self,
        what: &str,
        span: Duration,
        change: impl FnOnce(&Land) -> Result<(), String>,
        slowed: Option<u8>,
    ) -> Result<Agreed, String> {
        let at = self.town.begins(what.to_owned());
        change(self.land)?;
        quiet(self.members, span)?;
        self.land.heal(slowed)?;
        self.ends(at)
    }

    /// Has all that goes to a member and comes from it be late for a while.
    fn delay(&mut self, number: u8, span: Duration, late: Duration) -> Result<Agreed, String> {
        let at = self.town.begins(format!("m{number} is {} ms late", late.as_millis()));
        let relay = self.land.delay(number, late)?;
        quiet(self.members, span)?;
        drop(relay);
        self.ends(at)
    }

    /// Has a member stand still for a while, and go on then as if nothing had been.
    fn still(&mut self, number: u8, span: Duration) -> Result<Agreed, String> {
        let at = self.town.begins(format!("m{number} stands still"));
        self.members[usize::from(number) - 1].hold()?;
        quiet(self.members, span)?;
        self.members[usize::from(number) - 1].wake()?;
        self.ends(at)
    }

    /// Tells members what was said before, and what nobody said. It is no reason for anything.
    fn play(&mut self, played: &mut Played) -> Result<Agreed, String> {
        played.play(self.land, self.members, &self.town.script.with_file_name("recorded"))?;
        let begun = Instant::now();
        agree(self.members)?;
        Ok((begun.elapsed(), "a playback".to_owned()))
    }

    /// Notes that a mishap is over, once what it left behind has come; how long it took from its
    /// end until all members saw each other.
    fn ends(&mut self, at: usize) -> Result<Agreed, String> {
        let begun = Instant::now();
        agree(self.members)?;
        let agreed = begun.elapsed();
        quiet(self.members, AFTER)?;
        self.town.is_over(at);
        Ok((agreed, self.town.mishaps()[at].what.clone()))
    }
}
