//! The results of a job: of every plain task, and of arrays that nothing depends on. People are
//! shown only what nothing depends on.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::event::{Ended, Event, EventKind};
use bary_model::id::SpecNo;
use bary_model::outcome::{End, Results};
use bary_model::payload::Payload;
use bary_model::roster::Roster;
use bary_model::task::TaskSpec;
use bary_ports::executor::Stream;
use bary_ports::store::{Store, StoreError};
use serde_json::{Map, Value};

use crate::outlet::{Outlet, ShowError};
use crate::screen::Screen;
use crate::{limits, record};

/// Gathers results until the job has ended.
pub(crate) struct Harvest {
    store: Arc<dyn Store>,
    /// For each spec whether others depend on it.
    inner: Vec<bool>,
    kept: BTreeMap<SpecNo, Kept>,
}

/// Results of one spec by index.
#[derive(Debug, Default)]
struct Kept {
    results: BTreeMap<u32, Payload>,
    /// How many results there were, these included.
    all: u64,
}

impl Harvest {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, inner: Vec::new(), kept: BTreeMap::new() }
    }

    /// Folds an event in; what nobody reads any more is released.
    pub(crate) fn on_event(&mut self, event: &Event, roster: &Roster) {
        match &event.kind {
            EventKind::Submitted { specs, .. } => self.on_specs(specs, roster),
            EventKind::Ended(ended) => self.on_ended(ended, roster),
            _ => {}
        }
    }

    fn on_specs(&mut self, specs: &[Arc<TaskSpec>], roster: &Roster) {
        self.inner.resize(roster.specs(), false);
        for after in specs.iter().flat_map(|spec| spec.after.iter()) {
            if let Some(inner) = self.inner.get_mut(after.spec.index()) {
                *inner = true;
            }
        }
    }

    fn on_ended(&mut self, ended: &Ended, roster: &Roster) {
        self.store.release_payload(&ended.stderr);
        let Results::Each(each) = &ended.results else { return };
        let no = ended.range.spec;
        let Some(spec) = roster.spec(no) else { return };
        let good = ended.end == End::Succeeded;
        let wanted = good && (!spec.array || !self.is_inner(no));
        for (index, payload) in (ended.range.first..).zip(each) {
            let mut held = good && spec.body.keep_results;
            if wanted && !payload.is_empty() {
                held |= self.keep(no, index, payload);
            }
            if !held {
                self.store.release_payload(payload);
            }
        }
    }

    /// Keeps a result, up to the limit; whether it was kept.
    fn keep(&mut self, spec: SpecNo, index: u32, payload: &Payload) -> bool {
        let room = (self.kept.len() as u64) < limits::RESULTS_SHOWN_MAX;
        if !room && !self.kept.contains_key(&spec) {
            return false;
        }
        let kept = self.kept.entry(spec).or_default();
        kept.all += 1;
        let room = (kept.results.len() as u64) < limits::RESULTS_SHOWN_MAX;
        if room {
            kept.results.insert(index, payload.clone());
        }
        room
    }

    fn is_inner(&self, spec: SpecNo) -> bool {
        self.inner.get(spec.index()).copied().unwrap_or(false)
    }

    /// The results by the names of their specs: a value, or an array of values. The second part
    /// names the specs of which some are missing.
    pub(crate) fn values(&self, roster: &Roster) -> Result<(Value, Vec<String>), StoreError> {
        let mut values = Map::new();
        let mut cut = Vec::new();
        for (no, kept) in &self.kept {
            let Some(spec) = roster.spec(*no) else { continue };
            let name = name(spec, *no);
            if kept.all > kept.results.len() as u64 {
                cut.push(name.clone());
            }
            let value = if spec.array {
                // An index without a result, since it failed or gave nothing, is null.
                let read = |index| match kept.results.get(&index) {
                    Some(payload) => Ok(record::value(&self.store.read(payload)?)),
                    None => Ok(Value::Null),
                };
                let shown = spec.count.min(limits::RESULTS_SHOWN_MAX as u32);
                (0..shown).map(read).collect::<Result<Value, StoreError>>()?
            } else {
                let payload = kept.results.first_key_value().map(|(_, payload)| payload);
                let bytes = payload.map(|payload| self.store.read(payload)).transpose()?;
                record::value(&bytes.unwrap_or_default())
            };
            values.insert(name, value);
        }
        Ok((Value::Object(values), cut))
    }

    /// Prints the results as they are; where there are several specs, each under its name.
    pub(crate) fn print(&self, roster: &Roster, screen: &mut Screen) -> Result<(), ShowError> {
        let outer = || self.kept.iter().filter(|(no, _)| !self.is_inner(**no));
        let several = outer().count() > 1;
        for (no, kept) in outer() {
            let Some(spec) = roster.spec(*no) else { continue };
            let name = name(spec, *no);
            if several && spec.array {
                screen.out(format!("{name}:\n").as_bytes())?;
            }
            for payload in kept.results.values() {
                if several && !spec.array {
                    let one_line = self.is_one_line(payload)?;
                    let label = if one_line { format!("{name}: ") } else { format!("{name}:\n") };
                    screen.out(label.as_bytes())?;
                }
                let open = Outlet::new(screen, Stream::Out, None).show(&*self.store, payload)?;
                if open || payload.is_empty() {
                    screen.out(b"\n")?;
                }
            }
            let more = kept.all - kept.results.len() as u64;
            if more > 0 {
                let limit = limits::RESULTS_SHOWN_MAX;
                let text = "results are not shown (limit results_shown_max";
                screen.note(&format!("bary: {more} more of `{name}`'s {text} = {limit})"));
            }
        }
        Ok(screen.flush()?)
    }

    /// Whether a result fits a line; a long one is not looked at.
    fn is_one_line(&self, payload: &Payload) -> Result<bool, StoreError> {
        const BYTES_MAX: u64 = 4 << 10;
        if payload.len() > BYTES_MAX {
            return Ok(false);
        }
        let bytes = self.store.read(payload)?;
        Ok(!bytes.strip_suffix(b"\n").unwrap_or(&bytes).contains(&b'\n'))
    }
}

fn name(spec: &TaskSpec, no: SpecNo) -> String {
    if spec.name.is_empty() { no.0.to_string() } else { spec.name.to_string() }
}
