//! Reference pages, made from the tables that the program itself runs by.

use std::fmt::Write;

use bary_api::{openapi, page};
use bary_jobfile::{limits as file_limits, schema};
use clap::{Arg, Command, CommandFactory};

use crate::args::{Args, Face};
use crate::complaint::Complaint;
use crate::exit::{self, Exit};
use crate::limits;
use crate::screen::Screen;
use crate::settings;
use crate::verb;

/// Writes a page.
type Page = fn() -> String;

/// The pages by name.
const PAGES: &[(&str, Page)] = &[
    ("jobfile", schema::markdown),
    ("jobfile-schema", || format!("{:#}\n", schema::json_schema())),
    ("limits", limits_page),
    ("cli", cli_page),
    ("exit-codes", exit_codes_page),
    ("settings", settings::page),
    ("api", page::markdown),
    ("openapi", openapi::text),
];

/// Prints a page, or the names of all.
pub(crate) fn run(page: Option<&str>) -> Result<Exit, Complaint> {
    let names = || PAGES.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let text = match page {
        None => names().iter().map(|name| format!("{name}\n")).collect(),
        Some(wanted) => {
            let found = PAGES.iter().find(|(name, _)| *name == wanted);
            let (_, page) = found.ok_or_else(|| {
                let complaint = Complaint::not_found(format!("there is no page `{wanted}`"));
                complaint.help(format!("there are {}", names().join(", ")))
            })?;
            page()
        }
    };
    verb::print(&mut Screen::new(Face::default()), &text)?;
    Ok(Exit::OK)
}

fn exit_codes_page() -> String {
    let mut page = "# Exit codes\n\nThey are stable.\n\n| code | meaning |\n|---|---|\n".to_owned();
    for (code, meaning) in exit::TABLE {
        put(&mut page, format_args!("| {code} | {meaning} |\n"));
    }
    page
}

fn limits_page() -> String {
    let mut page = "# Limits\n\nNothing grows past one of these. Messages name the limit that was \
                    reached.\n\n| limit | default | of |\n|---|---|---|\n"
        .to_owned();
    let mut row = |name: &str, most: &str, what: &str| {
        put(&mut page, format_args!("| `{name}` | {most} | {what} |\n"));
    };
    for (name, most, what) in bary_node::limits::rows() {
        row(name, &most, what);
    }
    for (name, most, what) in limits::TABLE {
        row(name, most, what);
    }
    for limit in &file_limits::LIMITS {
        row(limit.name, &grouped(limit.most), limit.what);
    }
    page
}

/// A number with its digits in threes.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn cli_page() -> String {
    let mut command = Args::command();
    command.build();
    let mut page = "# The command line\n".to_owned();
    let mut verbs = Vec::new();
    gather(&command, "bary", &mut verbs);
    for (name, verb) in verbs {
        section(&mut page, &name, verb);
    }
    page
}

fn gather<'c>(command: &'c Command, name: &str, into: &mut Vec<(String, &'c Command)>) {
    into.push((name.to_owned(), command));
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        gather(verb, &format!("{name} {}", verb.get_name()), into);
    }
}

fn section(page: &mut String, name: &str, command: &Command) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    put(page, format_args!("\n## `{name}`\n\n{about}.\n\n```text\n{usage}\n```\n"));
    let args = || command.get_arguments().filter(|arg| !arg.is_hide_set());
    // What all verbs take is said once, under the command itself.
    let own = |arg: &&Arg| name == "bary" || !arg.is_global_set();
    let mut headings: Vec<Option<&str>> = Vec::new();
    for arg in args().filter(own) {
        if !headings.contains(&arg.get_help_heading()) {
            headings.push(arg.get_help_heading());
        }
    }
    for heading in headings {
        put(page, format_args!("\n| {} | |\n|---|---|\n", heading.unwrap_or("Arguments")));
        for arg in args().filter(own).filter(|arg| arg.get_help_heading() == heading) {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            put(page, format_args!("| `{}` | {} |\n", shown(arg), help.replace('|', "\\|")));
        }
    }
    if let Some(notes) = command.get_after_help() {
        put(page, format_args!("\n```text\n{notes}\n```\n"));
    }
}

/// An argument as it is written: `-j, --slots N`.
fn shown(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let value = names.first().map(|name| name.as_str()).unwrap_or_default();
    let takes = arg.get_action().takes_values();
    if arg.is_positional() {
        return value.to_owned();
    }
    let mut flags: Vec<String> = Vec::new();
    flags.extend(arg.get_short().map(|short| format!("-{short}")));
    let shorts = arg.get_visible_short_aliases().unwrap_or_default();
    flags.extend(shorts.iter().map(|short| format!("-{short}")));
    flags.extend(arg.get_long().map(|long| format!("--{long}")));
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    flags.extend(aliases.iter().map(|alias| format!("--{alias}")));
    let value = if takes { format!(" {value}") } else { String::new() };
    format!("{}{}", flags.join(", "), value.replace('|', "\\|"))
}

fn put(text: &mut String, args: std::fmt::Arguments<'_>) {
    text.write_fmt(args).expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_page_says_something() {
        for (name, page) in PAGES {
            assert!(page().len() > 100, "{name}");
        }
        assert!(cli_page().contains("## `bary map`"));
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
