//! `bary man`: manual pages, made from the same definitions as the help texts.

use std::io::Write;
use std::path::Path;

use clap::{Command, CommandFactory};

use crate::args::{Args, Face};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::verb;

/// Prints the page of the command, or writes a page for each verb into a directory.
pub(crate) fn run(directory: Option<&Path>) -> Result<Exit, Complaint> {
    let mut command = Args::command();
    command.build();
    let Some(directory) = directory else {
        let page = String::from_utf8_lossy(&page(command, "bary")?).into_owned();
        verb::print(&mut Screen::new(Face::default()), &page)?;
        return Ok(Exit::OK);
    };
    let failed = |path: &Path, cause| Complaint::failed(format!("{}: {cause}", path.display()));
    std::fs::create_dir_all(directory).map_err(|cause| failed(directory, cause))?;
    let mut pages = Vec::new();
    gather(&command, "bary", &mut pages);
    for (name, command) in pages {
        let path = directory.join(format!("{name}.1"));
        let text = page(command, &name)?;
        let written = std::fs::File::create(&path).and_then(|mut file| file.write_all(&text));
        written.map_err(|cause| failed(&path, cause))?;
    }
    Ok(Exit::OK)
}

fn gather(command: &Command, name: &str, into: &mut Vec<(String, Command)>) {
    into.push((name.to_owned(), command.clone()));
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        gather(verb, &format!("{name}-{}", verb.get_name()), into);
    }
}

fn page(command: Command, name: &str) -> Result<Vec<u8>, Complaint> {
    let mut text = Vec::new();
    let page = clap_mangen::Man::new(command).title(name.to_uppercase());
    page.render(&mut text).map_err(Complaint::failed)?;
    Ok(text)
}
