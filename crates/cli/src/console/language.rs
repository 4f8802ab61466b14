//! Languages of the console, and which of them the environment asks for.

use clap::ValueEnum;

/// A language that the console speaks. It understands all of them at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// English
    En,
    /// Russian
    Ru,
    /// Chinese
    Zh,
}

impl Language {
    /// What the environment says, as programs usually read it; English where it says nothing that
    /// is known here.
    pub(crate) fn of_environment() -> Self {
        let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
        let said = names.iter().filter_map(|name| std::env::var(name).ok());
        said.into_iter().find(|text| !text.is_empty()).map_or(Self::En, |text| Self::of(&text))
    }

    /// The language of a locale such as `ru_RU.UTF-8`.
    fn of(locale: &str) -> Self {
        let name = locale.split(['_', '.', '-', '@']).next().unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "ru" => Self::Ru,
            "zh" => Self::Zh,
            _ => Self::En,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn a_locale_names_its_language_first() {
        let locales = ["ru_RU.UTF-8", "RU", "zh_CN", "zh-Hans", "en_GB.UTF-8", "C", "", "rue_UA"];
        let languages = locales.map(Language::of);
        let (en, ru, zh) = (Language::En, Language::Ru, Language::Zh);
        assert_eq!(languages, [ru, ru, zh, zh, en, en, en, en]);
    }
}
