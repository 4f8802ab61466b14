//! Commands and how they are read: the words of all languages are known at any time.

use bary_jobfile::suggest;
use bary_policy::preset::{self, Policy};

use crate::console::phrases::Phrases;
use crate::console::seconds;
use crate::console::wrong::{CONSOLE_SERVERS_MAX, CONSOLE_TASKS_MAX, CONSOLE_WAIT_MAX, Wrong};

/// What a line asks for.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Tasks that take so many thousandths of a second each.
    Add(Vec<u64>),
    /// Tasks, of which the next line says how long they take.
    AddNext,
    AddServer(f64),
    /// The server as it was named; whether there is such a one is not known here.
    RemoveServer(String),
    SetSpeed(String, f64),
    Follow(Box<Policy>),
    /// So many seconds go by.
    Wait(u64),
    /// Seconds go by while there are tasks.
    WaitAll,
    State,
    Help,
    Quit,
}

/// The kinds of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Add,
    AddServer,
    RemoveServer,
    Speed,
    Policy,
    Wait,
    State,
    Help,
    Quit,
}

/// The words of each command. Those of English, Russian and Chinese that help shows come first.
const WORDS: &[(Verb, &[&str])] = &[
    (Verb::Add, &["add", "добавить", "添加", "task", "задание", "任务", "добавь", "加", "+"]),
    (Verb::AddServer, &["add-server", "добавить-сервер", "添加服务器"]),
    (
        Verb::RemoveServer,
        &[
            "remove",
            "удалить",
            "删除",
            "удали",
            "убрать",
            "remove-server",
            "удалить-сервер",
            "删除服务器",
        ],
    ),
    (Verb::Speed, &["speed", "скорость", "速度"]),
    (Verb::Policy, &["policy", "политика", "策略"]),
    (Verb::Wait, &["wait", "ждать", "等待", "жди", "等"]),
    (Verb::State, &["state", "состояние", "状态", "status", "статус"]),
    (Verb::Help, &["help", "помощь", "帮助", "?", "h"]),
    (Verb::Quit, &["quit", "выход", "退出", "exit", "q", "выйти", "quit()", "离开"]),
];

/// What a server is called behind `add` and `remove`.
const SERVER: &[&str] = &["server", "сервер", "服务器", "servers", "сервера"];
/// Behind `wait`: while there are tasks.
const ALL: &[&str] = &["all", "все", "всё", "全部"];
/// What stands between a count and how long each task takes.
const TIMES: [char; 4] = ['x', 'X', 'х', '×'];

impl Verb {
    /// How it may be written.
    pub(crate) fn example(self, phrases: &Phrases) -> &'static str {
        let examples = match self {
            Self::Add => ["add 5", "добавить 5", "添加 5"],
            Self::AddServer => ["add server 2", "добавить сервер 2", "添加 服务器 2"],
            Self::RemoveServer => ["remove server 2", "удалить сервер 2", "删除 服务器 2"],
            Self::Speed => ["speed 2 0.5", "скорость 2 0.5", "速度 2 0.5"],
            Self::Policy => ["policy gravity", "политика gravity", "策略 gravity"],
            Self::Wait => ["wait 10", "ждать 10", "等待 10"],
            Self::State => ["state", "состояние", "状态"],
            Self::Help => ["help", "помощь", "帮助"],
            Self::Quit => ["quit", "выход", "退出"],
        };
        examples[phrases.language as usize]
    }
}

/// Reads a line; an empty one lets a second go by.
pub(crate) fn parse(line: &str) -> Result<Command, Wrong> {
    let mut words = line.split_whitespace();
    let Some(first) = words.next() else { return Ok(Command::Wait(1)) };
    let rest: Vec<&str> = words.collect();
    let (verb, rest) = match (verb(first)?, rest.split_first()) {
        (Verb::Add, Some((second, rest))) if is_one_of(second, SERVER) => (Verb::AddServer, rest),
        (Verb::RemoveServer, Some((second, rest))) if is_one_of(second, SERVER) => {
            (Verb::RemoveServer, rest)
        }
        (verb, _) => (verb, &rest[..]),
    };
    let most = match verb {
        Verb::Add => usize::MAX,
        Verb::Speed => 2,
        Verb::AddServer | Verb::RemoveServer | Verb::Policy | Verb::Wait => 1,
        Verb::State | Verb::Help | Verb::Quit => 0,
    };
    if let Some(word) = rest.get(most) {
        return Err(Wrong::TooMuch { word: (*word).to_owned(), verb });
    }
    of(verb, rest)
}

fn of(verb: Verb, words: &[&str]) -> Result<Command, Wrong> {
    Ok(match (verb, words) {
        (Verb::Add, []) => Command::AddNext,
        (Verb::Add, _) => Command::Add(times(words)?),
        (Verb::AddServer, []) => Command::AddServer(1.0),
        (Verb::AddServer, [speed, ..]) => Command::AddServer(speed_of(speed)?),
        (Verb::RemoveServer, [server, ..]) => Command::RemoveServer((*server).to_owned()),
        (Verb::Speed, [server, speed, ..]) => {
            Command::SetSpeed((*server).to_owned(), speed_of(speed)?)
        }
        (Verb::Policy, [text, ..]) => {
            let policy = preset::parse(text);
            let policy = policy.map_err(|error| Wrong::Refused(error.to_string()))?;
            Command::Follow(Box::new(policy))
        }
        (Verb::Wait, []) => Command::Wait(1),
        (Verb::Wait, [all, ..]) if is_one_of(all, ALL) => Command::WaitAll,
        (Verb::Wait, [seconds, ..]) => Command::Wait(wait_of(seconds)?),
        (Verb::State, _) => Command::State,
        (Verb::Help, _) => Command::Help,
        (Verb::Quit, _) => Command::Quit,
        (Verb::RemoveServer | Verb::Speed | Verb::Policy, _) => return Err(Wrong::Missing(verb)),
    })
}

/// The command that a word names, in whatever language and letters.
fn verb(word: &str) -> Result<Verb, Wrong> {
    let lower = word.to_lowercase();
    let mut named = WORDS.iter().filter(|(_, words)| words.contains(&&*lower));
    if let Some((verb, _)) = named.next() {
        return Ok(*verb);
    }
    let known = || WORDS.iter().flat_map(|(_, words)| words.iter().copied());
    // One letter is near to any other.
    let known = known().filter(|known| known.chars().count() > 2);
    let near = suggest::nearest(&lower, known);
    Err(Wrong::Unknown { word: word.to_owned(), near })
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.contains(&&*word.to_lowercase())
}

/// Reads how long tasks take: `5`, or `10x5` for ten of them.
pub(crate) fn times(words: &[&str]) -> Result<Vec<u64>, Wrong> {
    let mut times = Vec::new();
    for word in words {
        let wrong = || Wrong::NoTime((*word).to_owned());
        let (count, each) = word.split_once(TIMES).unwrap_or(("1", word));
        let count = whole(count, CONSOLE_TASKS_MAX as u64);
        let (count, each) = (count.ok_or_else(wrong)?, seconds::thousandths(each));
        let each = each.ok_or_else(wrong)?;
        if times.len() as u64 + count > CONSOLE_TASKS_MAX as u64 {
            return Err(Wrong::TooManyTasks);
        }
        times.extend(std::iter::repeat_n(each, count as usize));
    }
    if times.is_empty() { Err(Wrong::TimesMissing) } else { Ok(times) }
}

/// Reads how many servers there are to be.
pub(crate) fn servers(text: &str) -> Result<usize, Wrong> {
    let text = text.trim();
    let count = whole(text, CONSOLE_SERVERS_MAX as u64);
    count.map(|count| count as usize).ok_or_else(|| Wrong::NoCount(text.to_owned()))
}

fn speed_of(word: &str) -> Result<f64, Wrong> {
    let wrong = || Wrong::NoSpeed(word.to_owned());
    let thousandths = seconds::thousandths(word).filter(|speed| *speed <= 1_000_000);
    thousandths.map(|speed| speed as f64 / 1e3).ok_or_else(wrong)
}

fn wait_of(word: &str) -> Result<u64, Wrong> {
    whole(word, CONSOLE_WAIT_MAX).ok_or_else(|| Wrong::NoWait(word.to_owned()))
}

/// A whole number from 1 to `most`.
pub(crate) fn whole(text: &str, most: u64) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 9;
    let number = text.parse().ok().filter(|_| digits)?;
    (1..=most).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{Command, WORDS, parse};
    use crate::console::wrong::Wrong;

    fn read(line: &str) -> String {
        match parse(line) {
            Ok(Command::Follow(policy)) => format!("follow {}", policy.name),
            Ok(command) => format!("{command:?}"),
            Err(wrong) => format!("{wrong:?}"),
        }
    }

    #[test]
    fn commands_are_known_in_every_language() {
        for line in ["add 5 2.5", "Добавить 5 2.5", "添加 5 2.5", "+ 5 2.5"] {
            assert_eq!(read(line), "Add([5000, 2500])", "{line}");
        }
        for line in ["add server 2", "добавить сервер 2", "添加 服务器 2", "添加服务器 2"]
        {
            assert_eq!(read(line), "AddServer(2.0)", "{line}");
        }
        for line in ["remove 3", "remove server 3", "удалить сервер 3", "删除 3"] {
            assert_eq!(read(line), "RemoveServer(\"3\")", "{line}");
        }
        assert_eq!(read("скорость 2 0.5"), "SetSpeed(\"2\", 0.5)");
        assert_eq!(read("策略 fifo"), "follow fifo");
        assert_eq!(
            ["wait", "", "ждать все", "等待 7"].map(read),
            ["Wait(1)", "Wait(1)", "WaitAll", "Wait(7)"]
        );
        assert_eq!(
            ["add", "state", "помощь", "退出"].map(read),
            ["AddNext", "State", "Help", "Quit"]
        );
        assert_eq!(read("add 3x2 1"), "Add([2000, 2000, 2000, 1000])");
    }

    #[test]
    fn no_word_means_two_commands() {
        let mut words: Vec<&str> =
            WORDS.iter().flat_map(|(_, words)| words.iter().copied()).collect();
        let all = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all);
    }

    #[test]
    fn what_is_wrong_with_a_line_is_told() {
        let wrong = |line: &str| parse(line).expect_err("the line is wrong");
        assert_eq!(wrong("addd 5"), Wrong::Unknown { word: "addd".into(), near: Some("add") });
        assert_eq!(wrong("xyzzy"), Wrong::Unknown { word: "xyzzy".into(), near: None });
        assert_eq!(wrong("add 5 -1"), Wrong::NoTime("-1".into()));
        assert_eq!(wrong("add 2,5"), Wrong::NoTime("2,5".into()));
        assert_eq!(wrong("add 999999x1 5"), Wrong::NoTime("999999x1".into()));
        assert_eq!(wrong("add 100000x1 5"), Wrong::TooManyTasks);
        assert_eq!(wrong("add server 0"), Wrong::NoSpeed("0".into()));
        assert_eq!(wrong("wait 0"), Wrong::NoWait("0".into()));
        assert!(matches!(wrong("speed 2"), Wrong::Missing(_)));
        assert!(matches!(wrong("state 2"), Wrong::TooMuch { .. }));
        assert!(matches!(wrong("policy nothing"), Wrong::Refused(_)));
    }
}
