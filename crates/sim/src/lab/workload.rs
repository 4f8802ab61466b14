//! What a scenario's tasks are like and when and where they arrive.

use std::sync::Arc;

use bary_jobfile::document::{Document, Section};
use bary_jobfile::fault::Fault;
use bary_model::time::Span;
use bary_trace::trace::Trace;

use crate::lab::graph::{Family, Graph};
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
    /// What each needs.
    pub need: Need,
    /// How many bytes each leaves for those that wait for it.
    pub output: u64,
    /// A trace that says all of this instead.
    pub replayed: Option<Replayed>,
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
            need: Need { milli_cpus: 1_000, memory: 0, gpus: 0 },
            output: 0,
            replayed: None,
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
            need: Need {
                milli_cpus: u64::from(whole("cpus", 1)) * 1_000,
                memory: from.size("memory").unwrap_or(0),
                gpus: whole("gpus", 0),
            },
            output: from.size("output").unwrap_or(0),
            replayed: replayed(document, from, traces)?,
        })
    }

    /// How many tasks there will be: whole graphs, at least one.
    #[must_use]
    pub fn all_tasks(&self) -> u64 {
        if let Some(replayed) = &self.replayed {
            return replayed.trace.tasks() as u64;
        }
        let size = self.graph.map_or(1, |graph| graph.tasks());
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

fn replayed(
    document: &Document<'_>,
    from: &Section<'_>,
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
    let knows = match from.text("knows") {
        Some("exact") => Knowledge::Exact,
        Some("nothing") => Knowledge::Nothing,
        _ => Knowledge::Declared,
    };
    Ok(Some(Replayed { trace: Arc::new(trace), knows }))
}

fn arrivals(document: &Document<'_>, from: &Section<'_>) -> Result<Arrivals, Box<Fault>> {
    let rate = from.number("rate").map(|rate| Pace::Every(Span::from_secs_f64(1.0 / rate)));
    let rho = from.number("rho").map(Pace::Rho);
    let paces = [from.time("every").map(Pace::Every), rate, rho];
    let given = ["every", "rate", "rho"].into_iter().filter(|key| from.has(key));
    let given: Vec<&str> = given.collect();
    let pace = paces.into_iter().flatten().next();
    match (from.text("arrivals").unwrap_or("batch"), pace) {
        _ if given.len() > 1 => Err(document.fault(
            from.span(given[1]),
            &format!("`{}` and `{}` both say how fast tasks arrive", given[0], given[1]),
            "leave one of them out",
        )),
        ("batch", None) => Ok(Arrivals::Batch),
        ("batch", Some(_)) => Err(document.fault(
            from.span(given[0]),
            &format!("`{}` says how fast tasks arrive, but all are there at once", given[0]),
            "write arrivals = \"poisson\" or \"even\"",
        )),
        (_, None) => Err(document.fault(
            from.span("arrivals"),
            "nothing says how fast tasks arrive",
            "add every = \"10ms\", rate = 100 or rho = 0.8",
        )),
        ("even", Some(pace)) => Ok(Arrivals::Even(pace)),
        (_, Some(pace)) => Ok(Arrivals::Poisson(pace)),
    }
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
