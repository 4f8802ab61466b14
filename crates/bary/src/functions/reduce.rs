//! Reduces the results of another spec to one: the built-in end of a map and reduce.

use std::collections::BTreeMap;

use bary_ledger::reduce::Reduction;
use bary_model::id::NodeId;
use bary_ports::function::{Call, FunctionError, FunctionResult, UpstreamResults};
use bytes::Bytes;
use serde_json::Value;

use super::{or, read};

/// What each result weighs in an average.
enum Weights {
    Equal,
    /// Results are `{"value": …, "samples": …}` and weigh their samples.
    Samples,
    /// Each node weighs the same, however many results it gave.
    Nodes,
    Given(Vec<f64>),
}

pub(super) fn reduce(call: &Call) -> FunctionResult {
    let op = String::from_utf8_lossy(call.arg("op", 0).map_or(b"SUM", |op| op)).into_owned();
    let op: String = read("op", op.as_bytes()).unwrap_or(op);
    let reduction = Reduction::parse(&op).map_err(fail)?;
    let nothing = || FunctionError::new("there are no results to reduce");
    let upstream = call.upstream.first().ok_or_else(nothing)?;
    let mut values = upstream.results.iter().map(|bytes| value(bytes)).collect::<Vec<_>>();
    let weights = match weights(call)? {
        Weights::Equal => None,
        Weights::Samples => Some(take_samples(&mut values)?),
        Weights::Nodes => Some(by_node(&upstream.nodes)),
        Weights::Given(all) => Some(given(&all, upstream)?),
    };
    let reduced = reduction.reduce(&values, weights.as_deref()).map_err(fail)?;
    Ok(Bytes::from(reduced.to_string()))
}

/// A result as JSON: what does not parse is a string, without its last line break.
fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| {
        Value::String(String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned())
    })
}

fn weights(call: &Call) -> Result<Weights, FunctionError> {
    match or(call, "weights", 1, Value::Null)? {
        Value::Null => Ok(Weights::Equal),
        Value::String(text) if text == "samples" => Ok(Weights::Samples),
        Value::String(text) if text == "nodes" => Ok(Weights::Nodes),
        other => {
            let text = other.to_string();
            Ok(Weights::Given(read("weights", text.as_bytes())?))
        }
    }
}

fn take_samples(values: &mut [Value]) -> Result<Vec<f64>, FunctionError> {
    let mut weights = Vec::with_capacity(values.len());
    for (index, value) in values.iter_mut().enumerate() {
        let samples = value.get("samples").and_then(Value::as_f64);
        let inner = value.get("value").cloned();
        let (Some(samples), Some(inner)) = (samples, inner) else {
            let text = format!("result {index} has no `value` and `samples` to weigh it by");
            return Err(FunctionError::new(text));
        };
        weights.push(samples);
        *value = inner;
    }
    Ok(weights)
}

fn by_node(nodes: &[NodeId]) -> Vec<f64> {
    let mut gave: BTreeMap<NodeId, f64> = BTreeMap::new();
    for node in nodes {
        *gave.entry(*node).or_insert(0.0) += 1.0;
    }
    nodes.iter().map(|node| 1.0 / gave[node]).collect()
}

/// The weights of the results that are there, by their indices.
fn given(all: &[f64], upstream: &UpstreamResults) -> Result<Vec<f64>, FunctionError> {
    let picked = upstream.indices.iter().map(|&index| all.get(index as usize).copied());
    let missing = || FunctionError::new(format!("{} weights are too few", all.len()));
    picked.collect::<Option<Vec<f64>>>().ok_or_else(missing)
}

fn fail(why: impl std::fmt::Display) -> FunctionError {
    FunctionError::new(why.to_string())
}
