//! A policy while its text is read: parts by name and parameters, put together at the end, when
//! it is known which parts were chosen.

use std::sync::Arc;

use bary_model::time::Span;

use crate::carrying::Carrying;
use crate::flow::Flow;
use crate::force::Force;
use crate::force::user::User;
use crate::layout::Plans;
use crate::parameter::given::Given;
use crate::parameter::{Parameter, Part, Value, table, waiting};
use crate::preset::table::{PARTS_OF, PRESETS};
use crate::preset::{Binding, Policy, PolicyError, items};
use crate::protocol::Protocol;
use crate::pull::PullConfig;
use crate::queue::{Discipline, Queue};
use crate::speculate::Late;
use crate::{force, order, steal};

/// The parts that a text may set, in the order of a draft's own.
const PARTS: [&str; 4] = ["binding", "order", "force", "steal"];
const BINDINGS: [Binding; 5] =
    [Binding::Pull, Binding::Push, Binding::Open, Binding::Sample, Binding::Claims];

/// How long a task that nodes ask for waits for its region where no delay is said.
const LAYOUT_DELAY: Span = Span::secs(1);

/// What has been read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    parts: [Box<str>; 4],
    given: Given,
    queue: Queue,
    /// What the text itself set, not its preset.
    own: Vec<Box<str>>,
}

impl Draft {
    /// What a preset sets.
    pub(super) fn of(preset: &str) -> Result<Self, PolicyError> {
        let mut presets = PRESETS.iter().zip(PARTS_OF);
        let unknown = || PolicyError::Preset {
            given: preset.to_owned(),
            allowed: listed(PRESETS.iter().map(|(name, _)| *name)),
        };
        let named = presets.find(|((name, _), _)| *name == preset);
        let (_, parts) = named.ok_or_else(unknown)?;
        let mut draft = Self::default();
        for item in items(parts)? {
            let (part, value) = item.split_once('=').unwrap_or((item, ""));
            draft.set(part, value)?;
        }
        Ok(draft)
    }

    /// Sets a part or a parameter that the text names.
    pub(super) fn give(&mut self, part: &str, value: &str) -> Result<(), PolicyError> {
        if self.own.iter().any(|own| **own == *part) {
            return Err(PolicyError::Twice { part: part.to_owned() });
        }
        self.set(part, value)?;
        self.own.push(part.into());
        Ok(())
    }

    fn set(&mut self, part: &str, value: &str) -> Result<(), PolicyError> {
        if let Some(at) = PARTS.iter().position(|known| *known == part) {
            self.parts[at] = value.into();
            return Ok(());
        }
        if self.queue.set(part, value)? {
            return Ok(());
        }
        let unknown = || PolicyError::Part {
            given: part.to_owned(),
            allowed: listed(PARTS.into_iter().chain(["queue", "share.OWNER"])),
            parameters: listed(table::ALL.iter().map(|parameter| parameter.key)),
        };
        let parameter = Parameter::named(part).ok_or_else(unknown)?;
        self.given.set(parameter, parameter.read(value)?);
        Ok(())
    }

    /// The policy, called `name`.
    pub(super) fn finish(mut self, name: String) -> Result<Policy, PolicyError> {
        self.drop_foreign()?;
        let [binding, order, force, steal] = &self.parts;
        let given = &self.given;
        let known = BINDINGS.into_iter().find(|known| known.name() == &**binding);
        let allowed = BINDINGS.map(Binding::name);
        let binding = one_of("binding", binding, known, &allowed)?;
        let order = one_of("order", order, order::named(order), order::NAMES)?;
        let force = chosen_force(force, given)?;
        let steal = one_of("steal", steal, steal::named(steal, given), steal::NAMES)?;
        let pull = PullConfig::with(given);
        let giants = match given.value(&table::GIANTS) {
            Value::Number(times) if times.is_finite() => Some(times),
            _ => None,
        };
        let looks = usize::try_from(given.whole(&table::LOOKS)).unwrap_or(usize::MAX);
        let by_job = match given.word(&waiting::JOBS) {
            "arrival" => true,
            "together" => false,
            _ => order.is_within_jobs(),
        };
        let (given, mut queue) = (self.given, self.queue);
        // As with parameters: what only the preset set gives way to what the text chose.
        if binding != Binding::Pull && !self.own.iter().any(|own| &**own == "queue") {
            queue.discipline = Discipline::Any;
        }
        queue.check(binding)?;
        queue.speculate = Late::with(&given);
        queue.learns = given.word(&waiting::WEIGHTS) == "learnt";
        if binding == Binding::Pull {
            // What is bound before a node has room cannot wait for one.
            queue.delay = given.time(&waiting::DELAY);
        }
        let mut carrying = Carrying::with(&given);
        if !matches!(binding, Binding::Pull | Binding::Push) {
            // Nodes there take what they find.
            carrying.layout = Plans::None;
        }
        let laid_out = carrying.layout != Plans::None && binding == Binding::Pull;
        if laid_out && queue.delay == Span::ZERO {
            queue.delay = LAYOUT_DELAY;
        }
        let (protocol, flow) = (Protocol::with(&given), Flow::with(&given));
        Ok(Policy {
            name,
            binding,
            order,
            by_job,
            force,
            steal,
            pull,
            queue,
            giants,
            looks,
            carrying,
            flow,
            protocol,
            given,
        })
    }

    /// Forgets parameters of parts that were not chosen where a preset gave them, and refuses them
    /// where the text did.
    fn drop_foreign(&mut self) -> Result<(), PolicyError> {
        for key in self.given.keys() {
            let Some(parameter) = Parameter::named(key) else { continue };
            let chosen = match parameter.part {
                Part::Pull | Part::Guard | Part::Queue => continue,
                Part::Binding => &self.parts[0],
                Part::Force => &self.parts[2],
                Part::Steal => &self.parts[3],
            };
            if parameter.of.is_empty() || parameter.of.contains(&&**chosen) {
                continue;
            }
            if self.own.iter().any(|own| **own == *key) {
                return Err(PolicyError::Foreign {
                    key,
                    belongs: parameter.belongs_to(),
                    chosen: format!("{}={chosen}", parameter.part.name()),
                });
            }
            self.given.unset(key);
        }
        Ok(())
    }
}

/// The force of a name, or of a user's formula.
fn chosen_force(text: &str, given: &Given) -> Result<Arc<dyn Force>, PolicyError> {
    if let Some(formula) = User::formula_in(text) {
        return Ok(Arc::new(User::parse(formula)?));
    }
    let mut allowed = force::NAMES.to_vec();
    allowed.push("expr(FORMULA)");
    one_of("force", text, force::named(text, given), &allowed)
}

/// What is called `given`, or that there is no such value of the part.
fn one_of<T>(
    part: &'static str,
    given: &str,
    known: Option<T>,
    allowed: &[&'static str],
) -> Result<T, PolicyError> {
    let allowed = || listed(allowed.iter().copied());
    known.ok_or_else(|| PolicyError::Value { part, given: given.to_owned(), allowed: allowed() })
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
