//! `bary logs`: what tasks print, as it comes.

use std::io::{IsTerminal, Write};

use bary_api::v1::{LogChunk, LogsRequest};

use crate::args::remote::LogsArgs;
use crate::args::{Face, Form};
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::{self, clean};
use crate::screen::Screen;
use crate::verb;

/// Prints output until there is no more.
pub(crate) fn run(args: &LogsArgs, face: Face) -> Result<Exit, Complaint> {
    if face.is_data() && face.output != Form::Jsonl {
        let complaint = Complaint::usage("output comes in pieces, which are no single document");
        return Err(complaint.help("write -o jsonl"));
    }
    asking::run(&args.reach, face, async |asking| {
        let stream = match (args.stdout, args.stderr) {
            (true, _) => "out",
            (_, true) => "err",
            _ => "",
        };
        for (at, job, tasks) in asking.targets(&args.targets).await? {
            if args.follow {
                asking.come_back(format!("bary logs -f {}", at.called(job)));
            }
            let request = LogsRequest {
                job,
                tasks,
                stream: stream.to_owned(),
                follow: args.follow,
                tail: args.tail.unwrap_or(0),
            };
            print(&at, request, args.tag).await?;
        }
        Ok(Exit::OK)
    })
}

/// Prints the pieces of one job. Standard error goes where it belongs, unless it alone is wanted.
pub(crate) async fn print(
    asking: &Asking,
    request: LogsRequest,
    tag: bool,
) -> Result<(), Complaint> {
    let alone = request.stream == "err";
    let mut pieces = asking.node.logs(request).await?;
    let mut screen = Screen::new(asking.face);
    while let Some(piece) = pieces.next().await? {
        if asking.face.output == Form::Jsonl {
            verb::print(&mut screen, &format!("{}\n", listing::json_of(&piece)?))?;
            continue;
        }
        if !piece.note.is_empty() {
            asking.note(&clean::line(&piece.note));
            continue;
        }
        let to_err = piece.stream == "err" && !alone;
        let terminal = match to_err {
            true => std::io::stderr().is_terminal(),
            false => std::io::stdout().is_terminal(),
        };
        let text = shown(&piece, tag, terminal);
        if to_err {
            screen.err(&text);
        } else {
            screen.out(&text).and_then(|()| screen.flush()).map_err(verb::printing)?;
        }
    }
    Ok(())
}

/// A piece as it is printed; on a terminal nothing in it is obeyed.
fn shown(piece: &LogChunk, tag: bool, terminal: bool) -> Vec<u8> {
    let data = match terminal {
        true => clean::output(&piece.data),
        false => piece.data.to_vec(),
    };
    if !tag {
        return data;
    }
    let name = clean::line(&piece.task);
    let mut text = Vec::with_capacity(data.len() * 2);
    for line in data.split_inclusive(|&byte| byte == b'\n') {
        // Writing to memory cannot fail.
        drop(write!(text, "{name}\t"));
        text.extend_from_slice(line);
    }
    if text.last().is_some_and(|&byte| byte != b'\n') {
        text.push(b'\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_the_name_of_its_task() {
        let piece = LogChunk { task: "a[1]".into(), data: "x\ny".into(), ..LogChunk::default() };
        assert_eq!(shown(&piece, true, false), b"a[1]\tx\na[1]\ty\n");
        assert_eq!(shown(&piece, false, false), b"x\ny");
        let rude = LogChunk { data: "\u{1b}[2J\n".into(), ..piece };
        assert_eq!(shown(&rude, false, true), "\u{fffd}[2J\n".as_bytes());
    }
}
