//! Reads what follows `cargo xtask chaos`.

use std::time::Duration;

use super::{Verb, above_zero, is_json, pairs, whole};
use crate::chaos::KILLS;
use crate::chaos::members::{Flap, MembersOptions, Play, Roll, Weather};
use crate::chaos::node::{NodeOptions, SCENES};

/// Reads the words after `chaos`.
pub(super) fn chaos(rest: &[String]) -> Result<Verb, String> {
    let [name, words @ ..] = rest else { return runs(rest) };
    match name.as_str() {
        "node" => node(words),
        "members" => members(words),
        "rolling" => rolling(words),
        "leader" => leader(words),
        _ if SCENES.iter().any(|(scene, _)| scene == name) => scene(name, words),
        _ => runs(rest),
    }
}

fn runs(rest: &[String]) -> Result<Verb, String> {
    let (mut kills, mut seed, mut json) = (KILLS, 0, false);
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let value = words.next().map(String::as_str).unwrap_or_default();
        let number = || value.parse().map_err(|_| format!("{word} needs a number after it"));
        match word.as_str() {
            "--kills" => kills = number()?,
            "--seed" => seed = number()?,
            "-o" if value == "json" || value == "table" => json = value == "json",
            "-o" => return Err("-o needs `table` or `json` after it".into()),
            _ => return Err(format!("chaos does not know `{word}`")),
        }
    }
    Ok(Verb::Chaos { kills, seed, json })
}

fn node(rest: &[String]) -> Result<Verb, String> {
    let mut options = NodeOptions::default();
    for (flag, value) in pairs(rest)? {
        match flag {
            "--minutes" => options.minutes = above_zero(flag, value)?,
            "--tasks" => options.tasks = whole(flag, value)?,
            "--every" => options.every = above_zero(flag, value.trim_end_matches('s'))?,
            "--seed" => options.seed = whole(flag, value)?,
            "--bary" => options.bary = Some(value.into()),
            "-o" => options.json = is_json(value)?,
            _ => return Err(format!("chaos node does not know `{flag}`")),
        }
    }
    Ok(Verb::ChaosNode(options))
}

fn members(rest: &[String]) -> Result<Verb, String> {
    let (mut options, mut weather) = (MembersOptions::default(), Weather::default());
    for (flag, value) in pairs(rest)? {
        match flag {
            "--minutes" => weather.length = minutes(flag, value)?,
            "--tasks" => weather.tasks = whole(flag, value)?,
            "--seed" => weather.seed = whole(flag, value)?,
            "--replicas" => weather.replicas = replicas(value)?,
            "--bary" => options.bary = Some(value.into()),
            "-o" => options.json = is_json(value)?,
            _ => return Err(format!("chaos members does not know `{flag}`")),
        }
    }
    options.play = Play::Storm(weather);
    Ok(Verb::ChaosMembers(options))
}

fn rolling(rest: &[String]) -> Result<Verb, String> {
    let (mut options, mut roll) = (MembersOptions::default(), Roll::default());
    for (flag, value) in pairs(rest)? {
        match flag {
            "--old" => options.old = Some(value.into()),
            "--minutes" => roll.length = minutes(flag, value)?,
            "--seed" => roll.seed = whole(flag, value)?,
            "--bary" => options.bary = Some(value.into()),
            "-o" => options.json = is_json(value)?,
            _ => return Err(format!("chaos rolling does not know `{flag}`")),
        }
    }
    if options.old.is_none() {
        return Err(
            "chaos rolling needs --old PATH: the command `bary` as an earlier version has \
                    it, which is to run beside the one that is built here"
                .into(),
        );
    }
    options.play = Play::Rolling(roll);
    Ok(Verb::ChaosMembers(options))
}

fn leader(rest: &[String]) -> Result<Verb, String> {
    let (mut options, mut flap) = (MembersOptions::default(), Flap::default());
    for (flag, value) in pairs(rest)? {
        match flag {
            "--minutes" => flap.length = minutes(flag, value)?,
            "--seed" => flap.seed = whole(flag, value)?,
            "--bary" => options.bary = Some(value.into()),
            "-o" => options.json = is_json(value)?,
            _ => return Err(format!("chaos leader does not know `{flag}`")),
        }
    }
    options.play = Play::Leader(flap);
    Ok(Verb::ChaosMembers(options))
}

/// How many members are to keep each one's journal.
fn replicas(value: &str) -> Result<u8, String> {
    match value {
        "1" => Ok(1),
        "3" => Ok(3),
        "5" => Ok(5),
        _ => Err(format!("--replicas is 1, 3 or 5 of the five members, not `{value}`")),
    }
}

/// What the part that runs in a network of its own is given; see `Play::words`.
pub(super) fn inside(rest: &[String]) -> Result<Verb, String> {
    let [folder, form, play, rest @ ..] = rest else { return Err(FOR_ITSELF.into()) };
    let length = |millis: &str| whole("the length", millis).map(Duration::from_millis);
    let seed = |seed: &str| whole("the seed", seed);
    let play = match (play.as_str(), rest) {
        ("storm", [millis, drawn, tasks, kept]) => {
            let (tasks, replicas) = (whole("tasks", tasks)?, replicas(kept)?);
            let (length, seed) = (length(millis)?, seed(drawn)?);
            Play::Storm(Weather { tasks, length, seed, replicas })
        }
        ("rolling", [millis, drawn]) => {
            Play::Rolling(Roll { length: length(millis)?, seed: seed(drawn)? })
        }
        ("leader", [millis, drawn]) => {
            Play::Leader(Flap { length: length(millis)?, seed: seed(drawn)? })
        }
        _ => return Err(FOR_ITSELF.into()),
    };
    Ok(Verb::MembersInside { folder: folder.into(), play, json: is_json(form)? })
}

/// That the caller is nobody's part.
const FOR_ITSELF: &str = "members-inside is for chaos itself";

fn minutes(flag: &str, value: &str) -> Result<Duration, String> {
    above_zero(flag, value).map(|minutes| Duration::from_secs_f64(minutes * 60.0))
}

fn scene(name: &str, rest: &[String]) -> Result<Verb, String> {
    let found = SCENES.iter().find(|(scene, _)| *scene == name);
    let (_, scene) = found.ok_or_else(|| format!("there is no scene `{name}`"))?;
    match rest {
        [] => Ok(Verb::ChaosScene { scene: *scene, bary: None }),
        [flag, bary] if flag == "--bary" => {
            Ok(Verb::ChaosScene { scene: *scene, bary: Some(bary.into()) })
        }
        _ => Err(format!("chaos {name} does not know `{}`", rest.join(" "))),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::arguments::{Verb, parse};
    use crate::chaos::KILLS;
    use crate::chaos::members::{Flap, MembersOptions, Play, Roll, Weather};
    use crate::chaos::node::{NodeOptions, Scene};

    fn read(line: &str) -> Result<Verb, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn chaos_has_a_seed_and_a_number_of_kills() {
        let run = Verb::Chaos { kills: 7, seed: 3, json: true };
        assert_eq!(read("chaos --seed 3 --kills 7 -o json"), Ok(run));
        let plain = Verb::Chaos { kills: KILLS, seed: 0, json: false };
        assert_eq!(read("chaos"), Ok(plain));
    }

    #[test]
    fn chaos_of_a_node_and_scenes_have_flags_of_their_own() {
        let storm = NodeOptions { minutes: 0.5, every: 1.5, seed: 3, ..NodeOptions::default() };
        let line = "chaos node --minutes 0.5 --every 1.5s --seed 3";
        assert_eq!(read(line), Ok(Verb::ChaosNode(storm)));
        let scene = Verb::ChaosScene { scene: Scene::Flood, bary: None };
        assert_eq!(read("chaos flood"), Ok(scene));
    }

    #[test]
    fn chaos_of_members_is_a_storm_a_rolling_restart_or_the_end_of_leaders() {
        let storm =
            |weather| MembersOptions { play: Play::Storm(weather), ..MembersOptions::default() };
        let tasks = storm(Weather { tasks: 300, ..Weather::default() });
        let members = Verb::ChaosMembers(MembersOptions { json: true, ..tasks });
        assert_eq!(read("chaos members --tasks 300 -o json"), Ok(members));
        let kept = Verb::ChaosMembers(storm(Weather { replicas: 3, ..Weather::default() }));
        assert_eq!(read("chaos members --replicas 3"), Ok(kept));
        let roll = Roll { length: Duration::from_secs(30), ..Roll::default() };
        let rolling = Verb::ChaosMembers(MembersOptions {
            play: Play::Rolling(roll),
            old: Some("b".into()),
            ..MembersOptions::default()
        });
        assert_eq!(read("chaos rolling --old b --minutes 0.5"), Ok(rolling));
        let flap = Flap { seed: 3, ..Flap::default() };
        let leader = MembersOptions { play: Play::Leader(flap), ..MembersOptions::default() };
        assert_eq!(read("chaos leader --seed 3"), Ok(Verb::ChaosMembers(leader)));
        let wanted = read("chaos rolling").expect_err("there is nothing to roll from");
        assert!(wanted.contains("--old PATH"), "{wanted}");
    }

    #[test]
    fn the_part_in_a_network_of_its_own_reads_what_it_is_told() {
        let weather = Weather { tasks: 3, seed: 4, replicas: 5, ..Weather::default() };
        let roll = Roll { seed: 7, ..Roll::default() };
        let flap = Flap { length: Duration::from_secs(9), ..Flap::default() };
        for play in [Play::Storm(weather), Play::Rolling(roll), Play::Leader(flap)] {
            let line = format!("members-inside f json {}", play.words().join(" "));
            let inside = Verb::MembersInside { folder: "f".into(), play, json: true };
            assert_eq!(read(&line), Ok(inside));
        }
    }

    #[test]
    fn what_chaos_does_not_know_is_refused() {
        for line in [
            "chaos node --minutes 0",
            "chaos node --kills 3",
            "chaos flood 3",
            "chaos members 3",
            "chaos members --replicas 2",
            "chaos rolling --old",
            "chaos 5",
            "chaos --kills",
            "chaos -o",
            "chaos --seed x",
            "members-inside f json storm 3",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
