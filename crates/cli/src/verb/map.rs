//! `bary map`: one command or function for each of many inputs.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use bary_jobfile::suggest;
use bary_model::action::{Capture, Stdin};
use bary_model::command;
use bary_model::inputs::Inputs;
use bary_model::job::Halt;
use bary_model::task::Body;
use bary_model::template::{Scope, Template};
use bary_model::weight::Weight;

use crate::action::Reading;
use crate::args::cluster::cores;
use crate::args::map::{MapArgs, PrintArgs};
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::desk::Desk;
use crate::exit::Exit;
use crate::hint;
use crate::joblog::JobLog;
use crate::printer::{Order, Printer, Shape};
use crate::progress::Progress;
use crate::recipe::{Recipe, TaskWeight};
use crate::results::ResultsDir;
use crate::resume::Resume;
use crate::screen::Screen;
use crate::session::{Ending, Session};
use crate::sources::chunk::Chunker;
use crate::sources::cut::{self, Cut, Fit, Rows};
use crate::sources::stream::Stream;
use crate::sources::{self, Source, SourceError};
use crate::tally::Tally;
use crate::verb::{self, Closing};
use crate::words::{self, Words};

use feeding::Feeding;

mod feeding;

/// What is to be mapped over what.
struct Plan {
    name: Box<str>,
    recipe: Recipe,
    cut: Cut,
    feed: FeedOf,
    slots: u32,
    halt: Option<Halt>,
}

/// Where the inputs are.
enum FeedOf {
    /// At hand, however many.
    Table(Inputs),
    /// In a stream that is read as it comes.
    Stream(Source),
    /// There are none.
    Nothing,
}

/// Runs the map to its end.
pub(crate) fn run(args: &MapArgs, face: Face) -> Result<Exit, Complaint> {
    let plan = plan(args)?;
    hint::stray_flag(args, face);
    if args.print.dry_run {
        return dry_run(&plan, face);
    }
    let mut options = args.cluster.options(cores())?;
    options.limits.explain = args.keep.keep;
    if args.print.results.is_some() && args.cluster.output_max.is_none() {
        // What goes to files is as long as it is.
        options.executor.output_bytes_max = u64::MAX;
    }
    if let FeedOf::Nothing = plan.feed {
        return Ok(Exit::OK);
    }
    let (resume, feeding) = feeding::ready(&plan, args)?;
    if let Feeding::Whole(job) = &feeding {
        verb::gangs_fit(&job.specs, &options.nodes)?;
    }
    let keeper = verb::keeper(&args.keep, &plan.name)?;
    let trail = verb::trail(&args.keep)?;
    let began = std::time::SystemTime::now();
    let (state, recalled) = resume.map(Resume::parts).unzip();
    let mut session = Session::start(options, state)?;
    let tally = Tally::new(session.cluster.nodes());
    let mut desk = Desk::new(session.cluster.store(), Screen::new(face), tally);
    desk.keeper = keeper;
    desk.trail = trail;
    desk.streams = matches!(plan.feed, FeedOf::Stream(_));
    set_up(&mut desk, args, &session, face)?;
    let closing = Closing {
        schema: "bary.map/1",
        name: &plan.name.clone(),
        report: args.keep.report || face.verbose,
        halt: plan.halt,
        alone: false,
        face,
        began,
        state: args.keep.state.as_deref(),
    };
    recalled.iter().for_each(|recalled| recalled.note(face, &mut desk.screen));
    let ending =
        session.run(&mut desk, recalled, |session, desk| feeding.submit(plan, session, desk))?;
    if ending == Ending::Nothing {
        session.close(&mut desk);
        return Ok(Exit::OK);
    }
    verb::close(session, desk, ending, &closing)
}

fn plan(args: &MapArgs) -> Result<Plan, Complaint> {
    let mut words = words::parse(&args.words).map_err(Complaint::usage)?;
    if let Some(text) = &args.input.replace {
        words::replace(&mut words.command, text.as_bytes());
    }
    let params = args.keep.params();
    let input = &args.input;
    if let Some(name) = &input.function {
        check_function(name)?;
    }
    let reading = Reading {
        shell: args.task.shell,
        function: input.function.as_deref(),
        append: !input.pipe,
        params: &params,
    };
    let action = reading.action(&words.command).map_err(|error| {
        let complaint = Complaint::usage(&error);
        match error {
            words::WordsError::NeedsShell { .. } => {
                complaint.help("add --shell to run it with sh -c, or quote what is meant as it is")
            }
            _ => complaint,
        }
    })?;
    let mut body = Body::new(action);
    args.task.apply(&mut body, &|text| reading.template(text.as_bytes()));
    if input.pipe {
        body.surroundings.stdin = Stdin::Text(Template::values());
    }
    if args.print.line_buffer {
        body.surroundings.capture = Capture::Lines;
    }
    body.detail = args.print.joblog.is_some();
    let weight = match &input.weight {
        Some(text) => {
            TaskWeight::parse(reading.template(text.as_bytes())).map_err(Complaint::usage)?
        }
        None => TaskWeight::Same(Weight::ONE),
    };
    let (distinct, gang) = (input.distinct, input.gang.unwrap_or(0));
    let recipe = Recipe { body: Arc::new(body), weight, distinct, gang };
    let cut = cut_of(args, &words);
    let slots = args.cluster.all_slots(cores());
    let feed = feed_of(args, &words, &cut, slots)?;
    let name = words.command.first().map(|word| String::from_utf8_lossy(word));
    let name = input.function.clone().or_else(|| name.map(|name| name.into_owned()));
    let name = name.unwrap_or_else(|| "map".to_owned());
    let name = name.split_whitespace().next().unwrap_or("map").into();
    Ok(Plan { name, recipe, cut, feed, slots, halt: args.print.halt.rule })
}

fn check_function(name: &str) -> Result<(), Complaint> {
    let known = bary::functions::builtin();
    if known.contains_key(name) {
        return Ok(());
    }
    let names: Vec<&str> = known.keys().map(|name| &**name).collect();
    let complaint = Complaint::usage(format!("there is no function `{name}`"));
    Err(match suggest::nearest(name, names.iter().copied()) {
        Some(near) => complaint.help(format!("did you mean `{near}`?")),
        None => complaint.help(format!("there are {}", names.join(", "))),
    })
}

fn cut_of(args: &MapArgs, words: &Words) -> Cut {
    let input = &args.input;
    let rows = match (input.inputs, input.context, input.pipe) {
        (Some(count), ..) => Rows::Every(count),
        (None, true, _) => Rows::Fit(fit(&words.command)),
        (None, false, true) => Rows::Blocks(usize::try_from(input.block).unwrap_or(usize::MAX)),
        (None, false, false) => Rows::Single,
    };
    Cut {
        end: if input.null { 0 } else { input.delimiter.unwrap_or(b'\n') },
        colsep: input.colsep.as_deref().map(cut::separator),
        skip_blank: input.no_run_if_empty,
        rows,
    }
}

/// How much of a command each input takes: its own length for each word that reads it.
fn fit(command: &[Vec<u8>]) -> Fit {
    let reads = |word: &&Vec<u8>| word.contains(&b'{');
    let around: usize = command.iter().filter(reads).map(|word| word.len() + 1).sum();
    let times = command.iter().filter(reads).count().max(1);
    let fixed = command.iter().map(|word| word.len() + 1).sum();
    Fit { fixed, around: around + times, times }
}

fn feed_of(args: &MapArgs, words: &Words, cut: &Cut, slots: u32) -> Result<FeedOf, Complaint> {
    let mut sources = sources::of(&args.input, &words.sources);
    if sources.is_empty() {
        if std::io::stdin().is_terminal() {
            let complaint = Complaint::usage("there are no inputs");
            return Err(
                complaint.help("write ::: VALUE..., -a FILE or --array 1-10, or pipe lines in")
            );
        }
        sources.push(sources::standard_input());
    }
    // A stream is cut where it comes, which may be inside a gang.
    if let [only] = sources.as_slice()
        && let Some(path) = only.file()
        && args.input.gang.is_none()
    {
        // A file that is not there is told before anything runs.
        if path.as_os_str() != "-" {
            drop(sources::open(path)?);
        }
        return Ok(FeedOf::Stream(only.clone()));
    }
    if args.input.pipe {
        return Err(Complaint::usage("--pipe reads standard input or one file, not other inputs"));
    }
    match sources::table(&sources, cut, slots) {
        Ok(inputs) => Ok(FeedOf::Table(inputs)),
        Err(SourceError::Inputs(bary_model::inputs::InputsError::Empty)) => Ok(FeedOf::Nothing),
        Err(error) => Err(error.into()),
    }
}

fn set_up(desk: &mut Desk, args: &MapArgs, session: &Session, face: Face) -> Result<(), Complaint> {
    let print = &args.print;
    let store = session.cluster.store();
    desk.verbose = face.verbose;
    desk.printer = Some(Printer::new(store, order(print), shape(print, face)));
    let unwanted = args.keep.no_progress || face.is_quiet();
    desk.progress = Progress::new(args.keep.progress, unwanted);
    let failed = |path: &Path| {
        let name = path.display().to_string();
        move |cause| Complaint::failed(format!("{name}: {cause}"))
    };
    if let Some(path) = &print.joblog {
        desk.joblog = Some(JobLog::create(path, session.origin).map_err(failed(path))?);
    }
    if let Some(path) = &print.results {
        desk.results = Some(ResultsDir::create(path).map_err(failed(path))?);
    }
    Ok(())
}

fn order(print: &PrintArgs) -> Order {
    match (print.line_buffer, print.unordered) {
        (true, _) => Order::Lines,
        (false, true) => Order::Ends,
        (false, false) => Order::Inputs,
    }
}

fn shape(print: &PrintArgs, face: Face) -> Shape {
    match face.output {
        Form::Json | Form::Yaml => Shape::Gathered(Vec::new()),
        Form::Jsonl => Shape::Line,
        Form::Table | Form::Wide | Form::Csv | Form::Quiet => {
            let text = print.tagstring.as_deref();
            let tag = text.map(|text| Reading::default().template(text.as_bytes()));
            Shape::Raw(if print.tag { Some(Template::values()) } else { tag })
        }
    }
}

/// Prints the commands and runs none.
fn dry_run(plan: &Plan, face: Face) -> Result<Exit, Complaint> {
    let mut screen = Screen::new(face);
    let mut before = 0;
    match &plan.feed {
        FeedOf::Nothing => {}
        FeedOf::Table(inputs) => print_commands(plan, inputs, &mut before, &mut screen)?,
        FeedOf::Stream(source) => {
            let path = source.file().unwrap_or_else(|| Path::new("-"));
            let chunker = Chunker::new(plan.cut.clone());
            let from = sources::open(path)?;
            let mut stream = Stream::new(from, chunker, path.to_owned(), plan.slots);
            while let Some(part) = stream.next()? {
                print_commands(plan, &part.chunk.inputs, &mut before, &mut screen)?;
            }
        }
    }
    verb::print(&mut screen, "")?;
    Ok(Exit::OK)
}

fn print_commands(
    plan: &Plan,
    inputs: &Inputs,
    before: &mut u64,
    screen: &mut Screen,
) -> Result<(), Complaint> {
    for n in 0..inputs.rows() {
        let (row, index) = (inputs.row(n), *before + n);
        let scope = Scope { row, index, sequence: index + 1, slot: 1, attempt: 1, upstream: &[] };
        let mut line = command::line(&plan.recipe.body.action, &scope);
        line.push(b'\n');
        screen.out(&line).map_err(verb::printing)?;
    }
    *before += inputs.rows();
    Ok(())
}
