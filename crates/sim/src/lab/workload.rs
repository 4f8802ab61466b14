//! What a scenario's tasks are like and when and where they arrive.

use std::sync::Arc;

use bary_jobfile::document::{Document, Section};
use bary_jobfile::fault::Fault;
use bary_model::time::Span;
use bary_policy::adaptive::Adaptive;
use bary_trace::trace::Trace;

use crate::lab::cut::Cut;
use crate::lab::graph::{Family, Graph};
use crate::lab::limits::TASKS_MAX;
use crate::lab::weights::Weights;
use crate::plan::replay::Knowledge;

/// One kind of work.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// How many tasks.
    pub tasks: u32,
    /// How heavy they are.
    pub weights: Weights,
    /// How wrong that is: the sigma of a log-normal factor.
    pub error: f64,
    /// Whether all are said to weigh the mean.
    pub unknown: bool,
    /// When the first may arrive.
    pub at: Span,
    /// How they arrive.
    pub arrivals: Arrivals,
    /// Which share of them arrives at which share of the homes; evenly where absent.
    pub skew: Option<(f64, f64)>,
    /// Among how many owners they are dealt.
    pub owners: u32,
    /// The graphs that they make, if any.
    pub graph: Option<Graph>,
    /// How many of them are one gang, which is a job; each is alone where 0.
    pub gang: u16,
    /// What each needs.
    pub need: Need,
    /// How many bytes each leaves for those that wait for it.
    pub output: u64,
    /// A trace that says all of this instead.
    pub replayed: Option<Replayed>,
    /// What of a trace is known and lived, be it the scenario's or another.
    pub part: (Knowledge, Cut),
}

/// What a task needs of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Thousandths of cores.
    pub milli_cpus: u64,
    /// Memory in bytes.
    pub memory: u64,
    /// GPUs.
    pub gpus: u32,
}

/// What is known beforehand of a trace's tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// The trace.
    pub trace: Arc<Trace>,
    /// What is known of how long its tasks take.
    pub knows: Knowledge,
}

/// How tasks arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrivals {
    /// All at once.
    Batch,
    /// At random moments.
    Poisson(Pace),
    /// One after another.
    Even(Pace),
    /// At random moments, at a rate that rises from a tenth of its peak to the peak within half of
    /// such a period, and falls again.
    Wave(Pace, Span),
    /// Whenever nodes have room for them.
    Adaptive(Making),
}

/// When tasks are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Making {
    /// The rule.
    pub rule: Adaptive,
    /// At how many thousandths of weight a node is loaded to 100 percent.
    pub capacity: u64,
    /// How often it looks.
    pub every: Span,
    /// How long tasks are made.
    pub lasts: Span,
}

/// How fast tasks arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// So long one after another, on average.
    Every(Span),
    /// So fast that all nodes are busy for this share of their time.
    Rho(f64),
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            tasks: 1_000,
            weights: Weights::default(),
            error: 0.0,
            unknown: false,
            at: Span::ZERO,
            arrivals: Arrivals::Batch,
            skew: None,
            owners: 1,
            graph: None,
            gang: 0,
            need: Need { milli_cpus: 1_000, memory: 0, gpus: 0 },
            output: 0,
            replayed: None,
            part: (Knowledge::Declared, Cut::default()),
        }
    }
}

impl Workload {
    pub(crate) fn read(
        document: &Document<'_>,
        from: &Section<'_>,
        traces: &mut Traces<'_>,
    ) -> Result<Self, Box<Fault>> {
        let whole = |key, usual: u32| from.integer(key).map_or(usual, |number| number as u32);
        let number = |key| from.number(key).unwrap_or(0.0);
        let weights = from.section("weights");
        let weights = weights.map(|weights| Weights::read(document, &weights)).transpose()?;
        let skew = from.section("skew");
        let skew = skew.and_then(|skew| Some((skew.number("share")?, skew.number("homes")?)));
        let part = part(from);
        Ok(Self {
            tasks: whole("tasks", 1_000),
            weights: weights.unwrap_or_default(),
            error: number("error"),
            unknown: from.flag("unknown").unwrap_or(false),
            at: from.time("at").unwrap_or_default(),
            arrivals: arrivals(document, from)?,
            skew,
            owners: whole("owners", 1),
            graph: graph(document, from)?,
            gang: gang(document, from)?,
            need: Need {
                milli_cpus: u64::from(whole("cpus", 1)) * 1_000,
                memory: from.size("memory").unwrap_or(0),
                gpus: whole("gpus", 0),
            },
            output: from.size("output").unwrap_or(0),
            replayed: replayed(document, from, part, traces)?,
            part,
        })
    }

    /// How many tasks there will be: whole graphs or gangs, at least one.
    #[must_use]
    pub fn all_tasks(&self) -> u64 {
        if let Some(replayed) = &self.replayed {
            return replayed.trace.tasks() as u64;
        }
        let gang = u64::from(self.gang.max(1));
        let size = self.graph.map_or(gang, |graph| graph.tasks());
        // Of those that are made, this is the most.
        u64::from(self.tasks).div_ceil(size) * size
    }

    /// At most how many dependencies there will be.
    #[must_use]
    pub fn dependencies(&self) -> u64 {
        let of = |graph: Graph| {
            u64::from(self.tasks).div_ceil(graph.tasks()).saturating_mul(graph.dependencies())
        };
        self.graph.map_or(0, of)
    }
}

/// Where the bytes of a trace come from, by the name that a scenario gives.
pub type Traces<'a> = dyn FnMut(&str) -> std::io::Result<Vec<u8>> + 'a;

fn part(from: &Section<'_>) -> (Knowledge, Cut) {
    let knows = match from.text("knows") {
        Some("exact") => Knowledge::Exact,
        Some("nothing") => Knowledge::Nothing,
        _ => Knowledge::Declared,
    };
    let split = from.flag("split").unwrap_or(false);
    let (begin, until) = (from.time("from").unwrap_or_default(), from.time("until"));
    (knows, Cut { from: begin, until, split })
}

fn replayed(
    document: &Document<'_>,
    from: &Section<'_>,
    (knows, cut): (Knowledge, Cut),
    traces: &mut Traces<'_>,
) -> Result<Option<Replayed>, Box<Fault>> {
    let Some(name) = from.text("trace") else { return Ok(None) };
    let wrong = |text: String, fix: &str| document.fault(from.span("trace"), &text, fix);
    let beside = ["tasks", "weights", "graph", "arrivals", "skew", "owners", "cpus"];
    if let Some(key) = beside.into_iter().find(|key| from.has(key)) {
        let text = format!("`trace` says what tasks there are, and `{key}` says it too");
        return Err(wrong(text, "leave one of them out"));
    }
    let bytes = traces(name).map_err(|cause| {
        wrong(format!("cannot read `{name}`: {cause}"), "name a file beside the scenario")
    })?;
    let trace = bary_trace::read::read(name, &bytes, None)
        .map_err(|fault| wrong(format!("`{name}`: {fault}"), ""))?;
    let trace =
        lived(trace, &cut).map_err(|error| wrong(format!("`{name}`: {error}"), error.fix()))?;
    Ok(Some(Replayed { trace: Arc::new(trace), knows }))
}

/// Why a part of a trace cannot be lived. Nothing was made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    /// There would be more tasks than are simulated.
    #[error("{0} tasks are more than scenario_tasks_max = {TASKS_MAX}")]
    Many(u64),
    /// There would be none.
    #[error("nothing of it arrives then")]
    Empty,
}

impl CutError {
    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Many(_) => "live less of it: until = \"14d\", or without split = true",
            Self::Empty => "write another `from` or `until`",
        }
    }
}

/// The part of a trace that is lived.
pub(crate) fn lived(trace: Trace, cut: &Cut) -> Result<Trace, CutError> {
    match cut.tasks(&trace) {
        0 => Err(CutError::Empty),
        many if many > TASKS_MAX => Err(CutError::Many(many)),
        _ => Ok(cut.of(trace)),
    }
}

fn arrivals(document: &Document<'_>, from: &Section<'_>) -> Result<Arrivals, Box<Fault>> {
    let rate = from.number("rate").map(|rate| Pace::Every(Span::from_secs_f64(1.0 / rate)));
    let rho = from.number("rho").map(Pace::Rho);
    let paces = [from.time("every").map(Pace::Every), rate, rho];
    let given: Vec<&str> =
        ["every", "rate", "rho"].into_iter().filter(|key| from.has(key)).collect();
    let pace = paces.into_iter().flatten().next();
    let how = from.text("arrivals").unwrap_or("batch");
    let wrong = |key, text: &str, fix: &str| Err(document.fault(from.span(key), text, fix));
    for (key, of) in [("period", "wave"), ("adaptive", "adaptive")] {
        if from.has(key) && how != of {
            let text = format!("`{key}` is of other arrivals than `{how}`");
            return wrong(key, &text, &format!("write arrivals = \"{of}\", or leave it out"));
        }
    }
    match (how, pace) {
        _ if given.len() > 1 => wrong(
            given[1],
            &format!("`{}` and `{}` both say how fast tasks arrive", given[0], given[1]),
            "leave one of them out",
        ),
        ("batch", None) => Ok(Arrivals::Batch),
        ("batch", Some(_)) => wrong(
            given[0],
            &format!("`{}` says how fast tasks arrive, but all are there at once", given[0]),
            "write arrivals = \"poisson\" or \"even\"",
        ),
        ("adaptive", None | Some(Pace::Every(_))) if !from.has("rate") => {
            making(document, from).map(Arrivals::Adaptive)
        }
        ("adaptive", _) => wrong(
            given[0],
            &format!("`{}` says how fast tasks arrive, but nodes with room decide it", given[0]),
            "write every = \"100ms\", which is how often it is looked",
        ),
        (_, None) => wrong(
            "arrivals",
            "nothing says how fast tasks arrive",
            "add every = \"10ms\", rate = 100 or rho = 0.8",
        ),
        ("even", Some(pace)) => Ok(Arrivals::Even(pace)),
        ("wave", Some(pace)) => {
            Ok(Arrivals::Wave(pace, from.time("period").unwrap_or(Span::secs(86_400))))
        }
        (_, Some(pace)) => Ok(Arrivals::Poisson(pace)),
    }
}

fn gang(document: &Document<'_>, from: &Section<'_>) -> Result<u16, Box<Fault>> {
    let size = from.integer("gang").map_or(0, |size| size as u16);
    let beside = ["graph", "trace"].into_iter().find(|key| from.has(key));
    match beside.filter(|_| size > 0) {
        None => Ok(size),
        Some(key) => {
            let text = format!("`{key}` makes jobs, and so does `gang`");
            Err(document.fault(from.span("gang"), &text, "leave one of them out"))
        }
    }
}

fn making(document: &Document<'_>, from: &Section<'_>) -> Result<Making, Box<Fault>> {
    let beside = ["weights", "graph", "skew", "error", "unknown", "owners", "cpus", "memory"];
    let other = beside.into_iter().chain(["gpus", "output", "gang"]).find(|key| from.has(key));
    if let Some(key) = other {
        let text = format!("`{key}` says nothing of tasks that are made while there is room");
        return Err(document.fault(from.span(key), &text, "leave it out"));
    }
    let of = from.section("adaptive");
    let number = |key, usual| of.as_ref().and_then(|of| of.number(key)).unwrap_or(usual);
    let usual = Adaptive::default();
    let rule = Adaptive {
        target_load: number("target", usual.target_load),
        share: number("share", usual.share),
        weight_max: number("heaviest", usual.weight_max),
        weight_min: number("lightest", usual.weight_min),
    };
    if let Some(fault) = rule.check().first() {
        let fix = "write `lightest` below `heaviest`, and weights from 0.001";
        return Err(document.fault(from.span("adaptive"), &fault.to_string(), fix));
    }
    let lasts = of.as_ref().and_then(|of| of.time("lasts")).unwrap_or(Span::secs(60));
    Ok(Making {
        rule,
        capacity: (number("capacity", 100.0) * 1e3).round() as u64,
        every: from.time("every").unwrap_or(Span::millis(100)),
        lasts,
    })
}

fn graph(document: &Document<'_>, from: &Section<'_>) -> Result<Option<Graph>, Box<Fault>> {
    let size = |key, usual| from.integer(key).map_or(usual, |number| number as u32);
    let alone = ["width", "depth"].into_iter().find(|key| from.has(key));
    match (from.text("graph").and_then(Family::of), alone) {
        (Some(family), _) => {
            Ok(Some(Graph { family, width: size("width", 10), depth: size("depth", 3) }))
        }
        (None, Some(key)) => Err(document.fault(
            from.span(key),
            &format!("`{key}` is of graphs, and these tasks make none"),
            "add graph = \"stencil\", or leave it out",
        )),
        (None, None) => Ok(None),
    }
}
