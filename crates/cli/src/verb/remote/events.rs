//! `bary events`: what happens, a line for each.

use bary_api::v1::{Event, EventsRequest};

use crate::args::remote::EventsArgs;
use crate::args::{Face, Form};
use crate::asking;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::kinds::{self, EVENTS};
use crate::listing::{self, clean, moment};
use crate::screen::Screen;
use crate::verb;

/// Prints events until there are no more.
pub(crate) fn run(args: &EventsArgs, face: Face) -> Result<Exit, Complaint> {
    let whole = matches!(face.output, Form::Json | Form::Yaml | Form::Csv) && !face.is_quiet();
    if whole && args.follow {
        let complaint = Complaint::usage("events that go on are no single document");
        return Err(complaint.help("write -o jsonl"));
    }
    asking::run(&args.reach, face, async |asking| {
        let (at, jobs) = match asking.jobs(&args.jobs).await?.as_slice() {
            [] => (asking.clone(), Vec::new()),
            [(at, jobs)] => (at.clone(), jobs.clone()),
            _ => {
                let complaint = Complaint::usage("events of several members are no single stream");
                return Err(complaint.help("ask for those of one member at a time"));
            }
        };
        let request = EventsRequest {
            jobs,
            kinds: args.kind.clone(),
            follow: args.follow,
            after: args.after,
        };
        let mut events = at.node.events(request).await?;
        if whole {
            let all = events.all().await?;
            asking.print(&EVENTS, &all, None)?;
            return Ok(Exit::OK);
        }
        let mut screen = Screen::new(face);
        while let Some(event) = events.next().await? {
            let line = match (face.is_quiet(), face.output) {
                (true, _) => format!("{}\n", event.number),
                (false, Form::Jsonl) => format!("{}\n", listing::json_of(&event)?),
                (false, form) => line(&event, form == Form::Wide),
            };
            if args.follow {
                verb::print(&mut screen, &line)?;
            } else {
                screen.out(line.as_bytes()).map_err(verb::printing)?;
            }
        }
        screen.flush().map_err(verb::printing)?;
        Ok(Exit::OK)
    })
}

/// An event for people.
pub(crate) fn line(event: &Event, wide: bool) -> String {
    let mut line = if wide { format!("{:>8}  ", event.number) } else { String::new() };
    line += &format!("{:23}  {:10}  {}", moment::local(&event.at), event.kind, kinds::what(event));
    for (lead, text) in [("on", &event.node), ("", &event.state), ("", &event.detail)] {
        match (lead, text.is_empty()) {
            (_, true) => {}
            ("", false) => line += &format!("  {text}"),
            (lead, false) => line += &format!("  {lead} {text}"),
        }
    }
    format!("{}\n", clean::line(&line))
}
