//! The flags that say what each task needs and how it is treated when it fails.

use bary_model::action::Backoff;
use bary_model::resources::Resources;
use bary_model::task::{Body, Kind, LabelRule};
use bary_model::template::Template;
use bary_model::time::Span;
use clap::ValueEnum;

use crate::args::backoff;
use crate::args::pair::{Countable, Pair, countable, env_pair, label_rule};
use crate::args::value::{milli, milli_or_none, size, some_time, time};

/// What a task is bound by, as a flag takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindArg {
    Compute,
    Communication,
    Io,
    Mixed,
}

/// What each task needs and how it is treated.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
#[command(next_help_heading = "Each task")]
pub(crate) struct TaskArgs {
    /// Run the words as a script of sh -c; values of placeholders reach it quoted
    #[arg(long)]
    pub(crate) shell: bool,
    /// Cores that each task holds; fractions are allowed [default: 1]
    #[arg(long, value_name = "N", value_parser = milli)]
    pub(crate) cpus: Option<u64>,
    /// Memory that each task holds
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) memory: Option<u64>,
    /// GPUs that each task holds; fractions are allowed
    #[arg(long, value_name = "N", value_parser = milli_or_none)]
    pub(crate) gpus: Option<u64>,
    /// Other countable things that each task holds
    #[arg(long, value_name = "NAME=N", value_parser = countable)]
    pub(crate) resource: Vec<Countable>,
    /// Labels that the node must have (L=V) or must not have (L!=V)
    #[arg(long = "where", value_name = "L=V", value_parser = label_rule)]
    pub(crate) place: Vec<LabelRule>,
    /// What the tasks are bound by [default: compute]
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<KindArg>,
    /// The region that the tasks would rather run in
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Higher runs first [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) priority: Option<i32>,
    /// How long one attempt may take; then it is asked to end, and killed with all it started
    /// [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(crate) timeout: Option<Span>,
    /// How long a task has between the request to end and its kill [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) grace: Option<Span>,
    /// How many more attempts a failed task gets [default: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1_000))]
    pub(crate) retries: Option<u16>,
    /// How long a failed task waits: BASE,max=TIME,factor=N,jitter=SHARE
    /// [default: 100ms,max=1m,factor=2,jitter=0.5]
    #[arg(long, value_name = "TIME", value_parser = backoff::parse)]
    pub(crate) backoff: Option<Backoff>,
    /// How long an attempt may print nothing
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(crate) heartbeat_timeout: Option<Span>,
    /// A variable for the environment of the command; NAME alone takes its value from here
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = env_pair)]
    pub(crate) env: Vec<Pair>,
    /// The directory that the command runs in
    #[arg(long, visible_aliases = ["wd", "workdir"], value_name = "DIR")]
    pub(crate) cwd: Option<String>,
}

impl TaskArgs {
    /// Puts what the flags say into a body.
    pub(crate) fn apply(&self, body: &mut Body, template: &dyn Fn(&str) -> Template) {
        let request = &mut body.request;
        let named = |item: &Countable| (item.name.as_str().into(), item.count);
        request.resources = Resources {
            milli_cpus: self.cpus.unwrap_or(request.resources.milli_cpus),
            memory: self.memory.unwrap_or(0),
            milli_gpus: self.gpus.unwrap_or(0),
            named: self.resource.iter().map(named).collect(),
        };
        request.labels.clone_from(&self.place);
        request.region = self.region.as_deref().map(Into::into);
        request.kind = match self.kind {
            None | Some(KindArg::Compute) => Kind::Compute,
            Some(KindArg::Communication) => Kind::Communication,
            Some(KindArg::Io) => Kind::Io,
            Some(KindArg::Mixed) => Kind::Mixed,
        };
        body.priority = self.priority.unwrap_or(body.priority);
        body.timeout = self.timeout.unwrap_or(body.timeout);
        body.grace = self.grace.unwrap_or(body.grace);
        body.retries = self.retries.unwrap_or(body.retries);
        body.backoff = self.backoff.unwrap_or(body.backoff);
        body.heartbeat_timeout = self.heartbeat_timeout;
        let variable = |pair: &Pair| (pair.name.as_str().into(), template(&pair.value));
        body.surroundings.env = self.env.iter().map(variable).collect();
        body.surroundings.cwd = self.cwd.as_deref().map(template);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bary_model::action::Action;

    #[test]
    fn what_is_not_said_stays_as_it_was() {
        let mut body = Body::new(Action::Command { argv: Vec::new() });
        let untouched = body.clone();
        TaskArgs::default().apply(&mut body, &|text| Template::literal(text));
        assert_eq!(body, untouched);
        let args = TaskArgs { gpus: Some(8_000), retries: Some(2), ..TaskArgs::default() };
        args.apply(&mut body, &|text| Template::literal(text));
        assert_eq!(body.request.resources.milli_gpus, 8_000);
        assert_eq!(body.request.resources.milli_cpus, 1_000);
        assert_eq!(body.retries, 2);
    }
}
