//! How soon every member knows of a change, in `node ls` and in the graph of the cluster: that one
//! is gone, and that one is there.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bench::members::flock::Flock;
use crate::bench::members::get;
use crate::door::Door;

/// Longer than any of it takes.
const HANG: Duration = Duration::from_secs(60);
/// How often one looks.
const LOOK: Duration = Duration::from_millis(2);

/// Seconds from the death of one of three members until the other two show it as gone.
pub(super) fn death(flock: &mut Flock) -> Result<f64, String> {
    let mut doors = [flock.door(1), flock.door(2)];
    until(&mut doors, whole)?;
    let begun = Instant::now();
    flock.kill("node-3")?;
    until(&mut doors, |door| {
        let nodes = get(door, "/v1/nodes")?;
        let mut nodes = nodes["nodes"].as_array().into_iter().flatten();
        let gone = nodes.any(|node| node["name"] == "node-3" && node["state"] == "down");
        Ok(gone && count(&graph(door)?, "places") == 2)
    })?;
    Ok(begun.elapsed().as_secs_f64())
}

/// Seconds from the start of the process of a member that was away until all three know it and how
/// far they are from each other.
pub(super) fn back(flock: &mut Flock) -> Result<f64, String> {
    death(flock)?;
    let begun = Instant::now();
    flock.back(3)?;
    let mut doors = [flock.door(1), flock.door(2), flock.door(3)];
    until(&mut doors, whole)?;
    Ok(begun.elapsed().as_secs_f64())
}

/// Whether a member knows all three and how far they are from each other.
fn whole(door: &mut Door) -> Result<bool, String> {
    let graph = graph(door)?;
    Ok(count(&graph, "places") == 3 && count(&graph, "ways") == 3)
}

fn graph(door: &mut Door) -> Result<Value, String> {
    get(door, "/v1/graph")
}

fn count(graph: &Value, key: &str) -> usize {
    graph[key].as_array().map_or(0, Vec::len)
}

/// Asks all of them until each one says that it is so. One that does not answer has not said so.
fn until(
    doors: &mut [Door],
    mut is_so: impl FnMut(&mut Door) -> Result<bool, String>,
) -> Result<(), String> {
    let begun = Instant::now();
    for door in doors {
        loop {
            let said = is_so(door);
            if said == Ok(true) {
                break;
            }
            if begun.elapsed() > HANG {
                return Err(format!("a member does not know of a change: {said:?}"));
            }
            std::thread::sleep(LOOK);
        }
    }
    Ok(())
}
