//! What the console says, a file for each language. Names in braces stand for what is filled in;
//! every language has the same.

mod en;
mod ru;
mod zh;

use bary_model::time::Span;

use crate::console::language::Language;
use crate::console::seconds;

/// The phrases of one language.
#[derive(Debug)]
pub(crate) struct Phrases {
    pub(crate) language: Language,
    pub(crate) ask_servers: &'static str,
    pub(crate) prompt: &'static str,
    pub(crate) server: &'static str,
    /// How a task is called that takes one second, several, or a fraction.
    pub(crate) task: [&'static str; 3],
    /// Whether 21 is said as 1 is.
    pub(crate) by_last_digit: bool,
    pub(crate) sent: &'static str,
    pub(crate) queued: &'static str,
    pub(crate) finished: &'static str,
    pub(crate) returned: &'static str,
    pub(crate) joined: &'static str,
    pub(crate) left: &'static str,
    pub(crate) speed_set: &'static str,
    pub(crate) policy_set: &'static str,
    pub(crate) more: &'static str,
    pub(crate) state: &'static str,
    pub(crate) busy: &'static str,
    pub(crate) idle: &'static str,
    pub(crate) bound: &'static str,
    pub(crate) no_servers: &'static str,
    pub(crate) queue_none: &'static str,
    pub(crate) queue: &'static str,
    pub(crate) left_of: &'static str,
    pub(crate) between: &'static str,
    pub(crate) and_more: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) means: &'static str,
    pub(crate) share: &'static str,
    pub(crate) waited_long: &'static str,
    pub(crate) help: &'static str,
    pub(crate) unknown: &'static str,
    pub(crate) did_you_mean: &'static str,
    pub(crate) see_help: &'static str,
    pub(crate) no_time: &'static str,
    pub(crate) times_missing: &'static str,
    pub(crate) no_count: &'static str,
    pub(crate) no_such_server: &'static str,
    pub(crate) no_speed: &'static str,
    pub(crate) no_wait: &'static str,
    pub(crate) missing: &'static str,
    pub(crate) too_much: &'static str,
    pub(crate) too_long: &'static str,
    pub(crate) not_text: &'static str,
    pub(crate) too_many_tasks: &'static str,
    pub(crate) too_many_servers: &'static str,
    pub(crate) without_servers: &'static str,
    pub(crate) refused: &'static str,
}

impl Phrases {
    /// Those of a language.
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &en::PHRASES,
            Language::Ru => &ru::PHRASES,
            Language::Zh => &zh::PHRASES,
        }
    }

    /// A server's name.
    pub(crate) fn server(&self, number: usize) -> String {
        fill(self.server, &[("number", &number.to_string())])
    }

    /// How a task of so much work is called.
    pub(crate) fn task(&self, work: Span) -> String {
        let seconds = seconds::shown(work);
        let form = match seconds.parse::<u64>() {
            Err(_) => 2,
            Ok(1) => 0,
            Ok(whole) if self.by_last_digit && whole % 10 == 1 && whole % 100 != 11 => 0,
            Ok(_) => 1,
        };
        fill(self.task[form], &[("seconds", &seconds)])
    }
}

/// Fills a phrase in.
pub(crate) fn fill(phrase: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(phrase.len() + 16);
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let value = values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        filled.push_str(value.unwrap_or(name));
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use bary_model::time::Span;

    use super::{Phrases, fill};
    use crate::console::language::Language;

    /// The names in braces of every phrase, as its debug form has them, in order.
    fn names(language: Language) -> Vec<Vec<String>> {
        let text = format!("{:#?}", Phrases::of(language));
        let phrases = text.lines().map(|line| {
            let line = line.split_once(": ").map_or(line, |(_, phrase)| phrase);
            let inside = line.split('{').skip(1).filter_map(|part| part.split_once('}'));
            let mut names: Vec<String> = inside.map(|(name, _)| name.to_owned()).collect();
            names.sort_unstable();
            names
        });
        phrases.collect()
    }

    #[test]
    fn all_languages_say_the_same() {
        let english = names(Language::En);
        assert!(english.iter().flatten().count() > 40, "{english:?}");
        assert_eq!(names(Language::Ru), english);
        assert_eq!(names(Language::Zh), english);
    }

    #[test]
    fn tasks_are_counted_as_the_language_does() {
        let said = |language, millis| Phrases::of(language).task(Span::millis(millis));
        let russian = [1_000, 2_000, 5_000, 11_000, 21_000, 2_500];
        let russian = russian.map(|millis| said(Language::Ru, millis));
        let wanted = ["1 секундой", "2 секундами", "5 секундами", "11 секундами", "21 секундой"];
        assert_eq!(russian[..5], wanted);
        assert_eq!(russian[5], "2.5 секунды");
        assert_eq!(said(Language::En, 1_000), "1 second");
        assert_eq!(said(Language::En, 21_000), "21 seconds");
    }

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        assert_eq!(fill("{a} and {b}", &[("a", "{b}"), ("b", "2")]), "{b} and 2");
    }
}
