//! Flags that stand elsewhere: in lines `#BARY --flag` at the head of a script, or after a job
//! file.

use std::ffi::OsString;
use std::path::Path;

use clap::{Args as _, FromArgMatches};

use crate::args::Face;
use crate::args::submit::SubmitArgs;
use crate::complaint::Complaint;
use crate::verb::remote::submit::work::{self, Meant};

/// What a line of flags begins with.
const MARK: &str = "#BARY";

/// The flags with those that stand after a job file, or that a script brings along; those of the
/// command line win over these.
pub(crate) fn merged(args: &SubmitArgs) -> Result<SubmitArgs, Complaint> {
    let mut args = args.clone();
    let mut line: Vec<OsString> = std::env::args_os().collect();
    args.work.literal = work::is_literal(&args.work, line.iter().cloned());
    // What stands before the verb are flags of all verbs, which are read already.
    let after = line.iter().position(|word| word == "submit").map_or(line.len(), |at| at + 1);
    let mut given = line.split_off(after);
    let words = args.work.words.len();
    match work::meant(&args.work) {
        Meant::JobFile(path) if words > 1 => {
            let file = path.as_os_str().to_owned();
            given.remove(given.len() - words);
            if given.iter().any(|word| word == "--") {
                return Err(Complaint::usage("a job file takes no words after --"));
            }
            reread(given.into_iter().chain([file]), path)
        }
        Meant::Script(path) => {
            let Ok(text) = std::fs::read_to_string(path) else { return Ok(args) };
            let flags = flags(&text, &path.display().to_string())?;
            if flags.is_empty() {
                return Ok(args);
            }
            reread(flags.into_iter().map(OsString::from).chain(given), path)
        }
        _ => Ok(args),
    }
}

fn reread(words: impl Iterator<Item = OsString>, path: &Path) -> Result<SubmitArgs, Complaint> {
    let read = Face::augment_args(command()).try_get_matches_from(words);
    let read = read.and_then(|matches| SubmitArgs::from_arg_matches(&matches));
    read.map_err(|error| {
        let text = error.to_string();
        let said = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Complaint::usage(format!("{}: {said}", path.display()))
    })
}

fn command() -> clap::Command {
    SubmitArgs::augment_args(clap::Command::new("submit").no_binary_name(true))
        .args_override_self(true)
}

/// The flags of the lines before the first that is no comment.
fn flags(text: &str, path: &str) -> Result<Vec<String>, Complaint> {
    let mut flags = Vec::new();
    let head = text.lines().take_while(|line| line.trim().is_empty() || line.starts_with('#'));
    for (number, line) in head.enumerate() {
        let Some(rest) = line.strip_prefix(MARK).filter(|rest| rest.starts_with([' ', '\t']))
        else {
            continue;
        };
        let words = shlex::split(rest).ok_or_else(|| {
            Complaint::usage(format!("{path}:{}: the line has an open quote", number + 1))
        })?;
        if let Some(word) = words.first().filter(|word| !word.starts_with('-')) {
            let text = format!("{path}:{}: `{word}` is no flag", number + 1);
            return Err(Complaint::usage(text).help("write for instance: #BARY --cpus 2"));
        }
        flags.extend(words);
    }
    Ok(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_head_of_a_script_has_flags() {
        let text = "#!/bin/sh\n# a comment\n#BARY --cpus 2 --name 'a b'\n\n#BARY\t--hold\n\
                    #BARYCENTER\necho hi\n#BARY --gpus 1\n";
        let read = flags(text, "x").expect("they are flags");
        assert_eq!(read, ["--cpus", "2", "--name", "a b", "--hold"]);
        assert!(flags("#BARY cpus 2\n", "x").is_err());
        assert!(flags("#BARY --name 'a\n", "x").is_err());
    }

    #[test]
    fn later_flags_win() {
        let matches = command().try_get_matches_from(["--cpus", "2", "--cpus", "4", "x.sh"]);
        let read = matches.and_then(|matches| SubmitArgs::from_arg_matches(&matches));
        assert_eq!(read.expect("it is good").work.task.cpus, Some(4_000));
    }
}
