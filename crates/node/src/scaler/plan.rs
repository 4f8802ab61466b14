//! What the autoscaler is told, as one text: the rule, what holds it back, and who starts and stops
//! members, as in `queue,per_node=4,least=1,most=8,driver=local`.

use std::str::FromStr;
use std::sync::Arc;

use bary_jobfile::{duration, suggest};
use bary_model::time::Span;
use bary_policy::scale::Rule;
use bary_policy::scale::bounds::Bounds;
use bary_policy::scale::cost::Cost;
use bary_policy::scale::queue::Queue;
use bary_policy::scale::wait::Wait;

/// What the autoscaler does.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) rule: Arc<dyn Rule>,
    pub(crate) bounds: Bounds,
    /// How often it looks. Defaults to 15 s.
    pub(crate) every: Span,
    /// Over how long it is measured how much work arrives. Defaults to 10 minutes.
    pub(crate) window: Span,
    /// How long a member may take to come once it was started. Defaults to 2 minutes.
    pub(crate) start_up: Span,
    /// How long the driver's command may take. Defaults to 1 minute.
    pub(crate) timeout: Span,
    /// How many tasks a member that is started here runs at a time. Defaults to its share of the
    /// cores.
    pub(crate) slots: Option<u32>,
    pub(crate) driver: Who,
}

/// Who starts and stops members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Nobody: what would be done is told, and not done.
    Nobody,
    /// The leader, as processes of its machine.
    Local,
    /// A command that the user names.
    Command,
}

impl Who {
    /// Its name, as people write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nobody => "none",
            Self::Local => "local",
            Self::Command => "command",
        }
    }
}

/// Why a text is no plan. The caller corrects it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    #[error("`{0}` is no rule: there are queue, wait and cost")]
    Rule(String),
    #[error("`{0}` is no part of it; write KEY=VALUE")]
    NoPair(String),
    #[error("there is no `{key}`{near}; there are {}", KEYS.join(", "))]
    Key { key: String, near: String },
    #[error("`{key}` is of the rule {of}")]
    OfRule { key: &'static str, of: &'static str },
    #[error("`{key}` cannot be `{value}`: {why}")]
    Value { key: String, value: String, why: String },
    #[error("{0}")]
    Bounds(String),
    #[error("with the driver {0} say how many nodes there may be at most, as most=8")]
    NoMost(&'static str),
}

/// The keys of every rule, and then those of one.
const KEYS: [&str; 18] = [
    "driver",
    "least",
    "most",
    "pause_add",
    "pause_remove",
    "steady",
    "band",
    "step_add",
    "step_remove",
    "every",
    "window",
    "start_up",
    "timeout",
    "slots",
    "per_node",
    "target",
    "wait_hour",
    "bill",
];
/// Those that are of one rule.
const OF_RULES: [(&str, &str); 4] =
    [("per_node", "queue"), ("target", "wait"), ("wait_hour", "cost"), ("bill", "cost")];
/// The shortest time between two looks.
const EVERY_MIN: Span = Span::millis(100);

impl FromStr for Plan {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let mut parts = text.split(',').map(str::trim);
        let rule = parts.next().unwrap_or_default();
        if !["queue", "wait", "cost"].contains(&rule) {
            return Err(PlanError::Rule(rule.to_owned()));
        }
        let mut draft = Draft::new();
        for part in parts {
            let pair = part.split_once('=').ok_or_else(|| PlanError::NoPair(part.to_owned()))?;
            draft.take(rule, pair)?;
        }
        draft.finish(rule)
    }
}

/// A plan of which some parts were read.
struct Draft {
    plan: Plan,
    queue: Queue,
    wait: Wait,
    cost: Cost,
    has_most: bool,
}

impl Draft {
    fn new() -> Self {
        let plan = Plan {
            rule: Arc::new(Queue::default()),
            bounds: Bounds::default(),
            every: Span::secs(15),
            window: Span::secs(600),
            start_up: Span::secs(120),
            timeout: Span::secs(60),
            slots: None,
            driver: Who::Nobody,
        };
        let (queue, wait, cost) = (Queue::default(), Wait::default(), Cost::default());
        Self { plan, queue, wait, cost, has_most: false }
    }

    fn take(&mut self, rule: &str, (key, value): (&str, &str)) -> Result<(), PlanError> {
        if let Some((key, of)) = OF_RULES.iter().find(|(of_one, of)| *of_one == key && *of != rule)
        {
            return Err(PlanError::OfRule { key, of });
        }
        let wrong = |why: String| PlanError::Value { key: key.into(), value: value.into(), why };
        let time = || duration::parse(value).map_err(|error| wrong(error.to_string()));
        let some_time = || match time()? {
            Span::ZERO => Err(wrong("it is no time at all".into())),
            time => Ok(time),
        };
        let count = || value.replace('_', "").parse::<u32>().map_err(|e| wrong(e.to_string()));
        let thousandths = || thousandths(value).ok_or_else(|| wrong("it is no number".into()));
        let plan = &mut self.plan;
        match key {
            "driver" => plan.driver = who(value).ok_or_else(|| wrong(WHO.into()))?,
            "least" => plan.bounds.least = count()?,
            "most" => (plan.bounds.most, self.has_most) = (count()?, true),
            "pause_add" => plan.bounds.pause_add = time()?,
            "pause_remove" => plan.bounds.pause_remove = time()?,
            "steady" => plan.bounds.steady = time()?,
            "band" => plan.bounds.band = count()?,
            "step_add" => plan.bounds.step_add = count()?,
            "step_remove" => plan.bounds.step_remove = count()?,
            "every" => plan.every = some_time()?.max(EVERY_MIN),
            "window" => plan.window = some_time()?,
            "start_up" => plan.start_up = some_time()?,
            "timeout" => plan.timeout = some_time()?,
            "slots" => plan.slots = Some(count()?.max(1)),
            "per_node" => self.queue.per_node = thousandths()?.max(1),
            "target" => self.wait.target = some_time()?,
            "wait_hour" => self.cost.wait_hour = thousandths()? as f64 / 1e3,
            "bill" => self.cost.bill = some_time()?,
            other => {
                let near = suggest::nearest(other, KEYS).map(|near| format!(" (`{near}`?)"));
                let near = near.unwrap_or_default();
                return Err(PlanError::Key { key: other.to_owned(), near });
            }
        }
        Ok(())
    }

    fn finish(self, rule: &str) -> Result<Plan, PlanError> {
        let Self { mut plan, queue, wait, cost, has_most } = self;
        plan.rule = match rule {
            "wait" => Arc::new(wait),
            "cost" => Arc::new(cost),
            _ => Arc::new(queue),
        };
        if plan.driver != Who::Nobody && !has_most {
            return Err(PlanError::NoMost(plan.driver.name()));
        }
        let faults: Vec<String> = plan.bounds.check().iter().map(ToString::to_string).collect();
        if faults.is_empty() { Ok(plan) } else { Err(PlanError::Bounds(faults.join("; "))) }
    }
}

/// The drivers there are.
const WHO: &str = "there are none, local and command";

fn who(name: &str) -> Option<Who> {
    [Who::Nobody, Who::Local, Who::Command].into_iter().find(|who| who.name() == name)
}

/// A number that is not negative, in thousandths.
fn thousandths(text: &str) -> Option<u64> {
    let number: f64 = text.replace('_', "").parse().ok()?;
    (number.is_finite() && (0.0..=1e12).contains(&number)).then(|| (number * 1e3).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_rule_bounds_and_driver() {
        let plan: Plan = "wait,target=30s,least=2,most=8,pause_add=5s,every=1s,driver=local"
            .parse()
            .expect("it is a plan");
        assert_eq!(plan.rule.name(), "wait");
        assert_eq!((plan.bounds.least, plan.bounds.most), (2, 8));
        assert_eq!((plan.bounds.pause_add, plan.every), (Span::secs(5), Span::secs(1)));
        assert_eq!((plan.driver, plan.slots), (Who::Local, None));
        let usual: Plan = "queue".parse().expect("all else has a default");
        assert_eq!((usual.driver, usual.bounds), (Who::Nobody, Bounds::default()));
    }

    #[test]
    fn what_is_wrong_is_named_with_the_fix() {
        let wrong = |text: &str| text.parse::<Plan>().expect_err("it is wrong").to_string();
        assert!(wrong("").contains("there are queue, wait and cost"));
        assert!(wrong("queue,most").contains("write KEY=VALUE"));
        assert!(wrong("queue,mots=2").contains("`most`?"));
        assert!(wrong("queue,target=3s").contains("is of the rule wait"));
        assert!(wrong("queue,driver=cloud").contains("there are none, local and command"));
        assert!(wrong("queue,driver=local").contains("most=8"));
        assert!(wrong("queue,least=3,most=2").contains("fewer than at least 3"));
        assert!(wrong("wait,every=0").contains("no time at all"));
        assert!(wrong("queue,per_node=many").contains("no number"));
    }
}
