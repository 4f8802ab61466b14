//! `bary config show`: the settings, and where each value comes from.

use serde::Serialize;

use crate::args::Face;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::{Kind, Wish, column};
use crate::screen::Screen;
use crate::settings::{SETTINGS, Settings};
use crate::verb;

/// One setting as it holds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Held {
    key: &'static str,
    value: String,
    origin: String,
}

/// Settings with where they come from.
pub(crate) const HELD: Kind<Held> = Kind {
    schema: "bary.config/1",
    noun: "settings",
    columns: &[
        column("KEY", 0, |held: &Held, _| held.key.to_owned()),
        column("VALUE", 0, |held, _| held.value.clone()),
        column("ORIGIN", 0, |held, _| held.origin.clone()),
    ],
    id: |held| format!("{}={}", held.key, held.value),
};

/// The same for who does not ask.
const VALUES: Kind<Held> = Kind {
    columns: &[
        column("KEY", 0, |held: &Held, _| held.key.to_owned()),
        column("VALUE", 0, |held, _| held.value.clone()),
    ],
    ..HELD
};

/// Shows them.
pub(crate) fn show(origin: bool, face: Face) -> Result<Exit, Complaint> {
    let settings = Settings::load()?;
    let held: Vec<Held> = SETTINGS
        .iter()
        .map(|setting| match settings.value(setting) {
            Some(value) => Held { key: setting.key, value: value.text, origin: value.origin },
            None => Held {
                key: setting.key,
                value: setting.default.to_owned(),
                origin: "default".to_owned(),
            },
        })
        .collect();
    let kind = if origin { &HELD } else { &VALUES };
    let text = kind.text(&held, &Wish::now(face, None))?;
    verb::print(&mut Screen::new(face), &text)?;
    Ok(Exit::OK)
}
