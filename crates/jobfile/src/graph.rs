//! How the tasks of a file hang together: names are found, circles refused, reductions added.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::id::SpecNo;
use bary_model::task::{After, TaskSpec, Use};

use crate::after::Named;
use crate::context::Context;
use crate::reduce::SUFFIX;
use crate::suggest;
use crate::task::Draft;

/// What a name stands for.
#[derive(Clone, Copy)]
struct Target {
    /// The spec itself.
    spec: usize,
    /// The spec that stands for it as a whole: the one that reduces it, where there is one.
    whole: usize,
    /// How many indices, where it is an array.
    indices: Option<u32>,
    /// Whether a fault says that its indices are wrong.
    broken: bool,
    /// Which draft it comes from.
    draft: usize,
}

/// The specs of the job, in the order of the file, each reduction after its array.
pub(crate) fn specs(cx: &mut Context<'_>, drafts: Vec<Draft>) -> Vec<Arc<TaskSpec>> {
    let targets = names(cx, &drafts);
    let mut edges: Vec<Vec<(After, usize)>> = Vec::with_capacity(drafts.len());
    for draft in &drafts {
        edges.push(after(cx, draft, &targets));
    }
    refuse_circles(cx, &drafts, &edges);
    let mut kept = vec![false; drafts.len() + drafts.iter().filter(|d| d.reduce.is_some()).count()];
    let mut specs: Vec<TaskSpec> = Vec::with_capacity(kept.len());
    for (mut draft, edges) in drafts.into_iter().zip(edges) {
        let this = SpecNo(specs.len() as u32);
        draft.body.uses = uses(&draft, &targets, &mut kept);
        let reduction = draft.reduce.take().map(|reduction| {
            kept[this.index()] = true;
            reduce(reduction.body(&draft.body, this, &draft.name), this, &draft.name)
        });
        let spec = TaskSpec {
            name: draft.name.into(),
            inputs: draft.rows.inputs,
            count: draft.rows.count,
            array: draft.rows.array,
            weight: draft.weight,
            output: draft.output,
            estimate: draft.estimate,
            gang: draft.gang,
            after: edges.into_iter().map(|(after, _)| after).collect(),
            ..TaskSpec::new(Arc::new(draft.body))
        };
        if let Some((what, fix)) = spec.misformed().filter(|_| !draft.rows.broken) {
            cx.fault_with_fix(draft.span, what, Some(fix.into()));
        }
        specs.push(spec);
        specs.extend(reduction);
    }
    for (spec, _) in specs.iter_mut().zip(kept).filter(|(_, kept)| *kept) {
        Arc::make_mut(&mut spec.body).keep_results = true;
    }
    specs.into_iter().map(Arc::new).collect()
}

fn reduce(body: bary_model::task::Body, of: SpecNo, name: &str) -> TaskSpec {
    TaskSpec {
        name: format!("{name}{SUFFIX}").into(),
        after: [After { spec: of, aligned: false }].into(),
        ..TaskSpec::new(Arc::new(body))
    }
}

fn names(cx: &mut Context<'_>, drafts: &[Draft]) -> BTreeMap<String, Target> {
    let mut targets = BTreeMap::new();
    let mut spec = 0;
    for (n, draft) in drafts.iter().enumerate() {
        let whole = if draft.reduce.is_some() { spec + 1 } else { spec };
        let indices = draft.rows.array.then_some(draft.rows.count);
        let mut add = |name: String, target| {
            if !draft.name.is_empty() && targets.insert(name.clone(), target).is_some() {
                cx.fault_with_fix(
                    draft.span.clone(),
                    format!("there is already a task called `{name}`"),
                    Some("give each task a name of its own".into()),
                );
            }
        };
        let broken = draft.rows.broken;
        add(draft.name.clone(), Target { spec, whole, indices, broken, draft: n });
        if whole > spec {
            let target = Target { spec: whole, whole, indices: None, broken, draft: n };
            add(format!("{}{SUFFIX}", draft.name), target);
        }
        spec = whole + 1;
    }
    targets
}

/// What a draft waits for, each with the draft that it comes from.
fn after(
    cx: &mut Context<'_>,
    draft: &Draft,
    targets: &BTreeMap<String, Target>,
) -> Vec<(After, usize)> {
    let mut found = Vec::new();
    for named in &draft.after {
        let Some(target) = targets.get(&named.name) else {
            let near = suggest::nearest(&named.name, targets.keys().map(String::as_str));
            let fix = near.map(|near| format!("did you mean \"{near}\"?"));
            let message = format!("`after` names `{}`, but there is no such task", named.name);
            cx.fault_with_fix(named.span.clone(), message, fix);
            continue;
        };
        let broken = target.broken || draft.rows.broken;
        if named.aligned && !broken && !aligned(cx, draft, named, *target) {
            continue;
        }
        let spec = if named.aligned { target.spec } else { target.whole };
        let after = After { spec: SpecNo(spec as u32), aligned: named.aligned };
        found.push((after, target.draft));
    }
    found
}

/// Whether two arrays can be followed index by index; a fault is noted where they cannot.
fn aligned(cx: &mut Context<'_>, draft: &Draft, named: &Named, target: Target) -> bool {
    let own = draft.rows.array.then_some(draft.rows.count);
    if own.is_some() && own == target.indices {
        return true;
    }
    let words = |indices: Option<u32>| match indices {
        Some(n) => format!("an array of {n}"),
        None => "no array".into(),
    };
    let (own, other, name) = (words(own), words(target.indices), &named.name);
    cx.fault_with_fix(
        named.span.clone(),
        format!(
            "index by index both must be arrays of one length: this is {own}, `{name}` is {other}"
        ),
        Some(format!("write \"{name}\" alone to wait for all of it")),
    );
    false
}

fn uses(draft: &Draft, targets: &BTreeMap<String, Target>, kept: &mut [bool]) -> Box<[Use]> {
    let mut uses = Vec::new();
    for name in &draft.reads {
        let named = draft.after.iter().find(|named| named.name == *name);
        let (Some(named), Some(target)) = (named, targets.get(name)) else { continue };
        let spec = if named.aligned { target.spec } else { target.whole };
        kept[spec] = true;
        let spec = SpecNo(spec as u32);
        uses.push(Use { spec, name: name.as_str().into(), aligned: named.aligned });
    }
    uses.into()
}

/// Notes a fault for one circle, with the names along it, where tasks wait for each other.
fn refuse_circles(cx: &mut Context<'_>, drafts: &[Draft], edges: &[Vec<(After, usize)>]) {
    let mut waiting: Vec<usize> = edges.iter().map(Vec::len).collect();
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); drafts.len()];
    for (draft, edges) in edges.iter().enumerate() {
        edges.iter().for_each(|(_, before)| followers[*before].push(draft));
    }
    let mut free: Vec<usize> = (0..drafts.len()).filter(|&n| waiting[n] == 0).collect();
    while let Some(done) = free.pop() {
        for &next in &followers[done] {
            waiting[next] -= 1;
            if waiting[next] == 0 {
                free.push(next);
            }
        }
    }
    let Some(mut at) = waiting.iter().position(|&left| left > 0) else { return };
    // Each draft that is left waits for another one that is left, so that walking there comes
    // round after at most as many steps as there are drafts.
    let mut order: BTreeMap<usize, usize> = BTreeMap::new();
    let mut path = Vec::new();
    while !order.contains_key(&at) {
        order.insert(at, path.len());
        path.push(at);
        let before = edges[at].iter().map(|(_, before)| *before).find(|&n| waiting[n] > 0);
        at = before.expect("a draft that is left waits for one that is left");
    }
    let mut circle = path[order[&at]..].to_vec();
    circle.push(at);
    let next = &drafts[circle[1]].name;
    let named = drafts[at].after.iter().find(|named| named.name.starts_with(next.as_str()));
    let span = named.map_or_else(|| drafts[at].span.clone(), |named| named.span.clone());
    cx.fault_with_fix(
        span,
        format!("these tasks wait for each other: {}", shown(&circle, drafts)),
        Some("remove one of these names from an `after`".into()),
    );
}

/// A circle from its start to where it comes round, without the middle where it is long.
fn shown(circle: &[usize], drafts: &[Draft]) -> String {
    const FIRST: usize = 5;
    const LAST: usize = 3;
    let names: Vec<&str> = circle.iter().rev().map(|&n| &*drafts[n].name).collect();
    if names.len() <= FIRST + LAST + 1 {
        return names.join(" -> ");
    }
    let (first, last) = (names[..FIRST].join(" -> "), names[names.len() - LAST..].join(" -> "));
    format!("{first} -> ... -> {last} ({} tasks)", names.len() - 1)
}
