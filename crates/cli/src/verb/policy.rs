//! `bary policy ls`: the ways of placing tasks.

use bary_policy::preset::{self, PRESETS};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Value, json};

use crate::args::Face;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::verb;

/// Lists the presets with the parts that they are made of.
pub(crate) fn list(face: Face) -> Result<Exit, Complaint> {
    let parts = |name: &str| preset::parse(name).map(|policy| policy.to_string());
    let mut rows = Vec::new();
    for (name, what) in PRESETS {
        rows.push((*name, parts(name).map_err(Complaint::failed)?, *what));
    }
    let shown = if face.is_data() {
        let each = rows
            .iter()
            .map(|(name, parts, what)| json!({ "name": name, "parts": parts, "what": what }));
        format!(
            "{:#}\n",
            json!({ "schema": "bary.policies/1", "policies": each.collect::<Value>() })
        )
    } else if face.is_quiet() {
        rows.iter().map(|(name, ..)| format!("{name}\n")).collect()
    } else {
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(["POLICY", "WHAT IT DOES", "PARTS"]);
        for (name, parts, what) in &rows {
            table.add_row([*name, what, parts]);
        }
        format!("{}\n", crate::report::plain(&mut table))
    };
    verb::print(&mut Screen::new(face), &shown)?;
    Ok(Exit::OK)
}
