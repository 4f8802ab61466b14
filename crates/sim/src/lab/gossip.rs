//! How the nodes of a scenario learn of each other by gossip over its network, rather than from
//! the world.

use bary_gossip::config::{ConfigFault, GossipConfig};
use bary_jobfile::document::{Document, Section};
use bary_jobfile::fault::Fault;
use bary_model::time::Span;

use crate::lab::network::Web;
use crate::lab::nodes::{self, Group};
use crate::plan::presence::PresencePlan;

/// Reads the table `gossip`.
///
/// # Errors
/// Where periods do not fit each other, or a node says more of itself than gossip carries.
pub(crate) fn read(
    document: &Document<'_>,
    from: &Section<'_>,
    (web, groups): (&Web, &[Group]),
) -> Result<PresencePlan, Box<Fault>> {
    let usual = GossipConfig::default();
    let whole = |key, usual: u32| from.integer(key).map_or(usual, |number| number as u32);
    let far = far(web);
    let timeout = from.time("timeout").unwrap_or_else(|| usual.probe_timeout.max(far.times(3)));
    let slow = Span(timeout.0.saturating_mul(5) / 2);
    let sync_period = from.time("sync").unwrap_or(usual.sync_period);
    let config = GossipConfig {
        probe_period: from.time("probe").unwrap_or_else(|| usual.probe_period.max(slow)),
        probe_timeout: timeout,
        probe_helpers: whole("helpers", usual.probe_helpers),
        suspicion_periods: whole("suspicion", usual.suspicion_periods),
        sync_period,
        sync_period_min: usual.sync_period_min.min(sync_period),
        heal_period: from.time("heal").unwrap_or(usual.heal_period),
        join_period: usual.join_period.max(far.times(3)),
        echo_period: usual.echo_period.max(far.times(3)),
        ..usual
    };
    if let Some(fault) = config.check().first() {
        let fix = match fault {
            ConfigFault::Shorter { .. } => "write a longer `probe` or a shorter `timeout`",
            _ => "leave it out to have what is usual",
        };
        return Err(document.fault(from.span("timeout"), &fault.to_string(), fix));
    }
    said(document, from, groups, config.value_bytes_max)?;
    let seeds = whole("asked", 3) as usize;
    let suspects_leave = from.flag("drop_suspects").unwrap_or(false);
    Ok(PresencePlan { config, seeds, suspects_leave })
}

/// Refuses a node that says more of itself than gossip carries of one.
fn said(
    document: &Document<'_>,
    from: &Section<'_>,
    groups: &[Group],
    most: u32,
) -> Result<(), Box<Fault>> {
    for (id, node) in nodes::plans(groups, &[]).iter().enumerate() {
        let bytes = serde_json::to_vec(&node.info).map_or(usize::MAX, |said| said.len());
        if bytes > most as usize {
            let text = format!("node {id} says more of itself than gossip carries: {most} bytes");
            let fix = "give its group fewer or shorter labels, or a shorter region";
            return Err(document.fault(from.span(""), &text, fix));
        }
    }
    Ok(())
}

fn far(web: &Web) -> Span {
    web.latencies.iter().flatten().max().copied().unwrap_or_default()
}

/// How long so many nodes need until all know each other, the first asking the seeds: a few joins,
/// and then comparisons that each double what is known.
pub(crate) fn meeting(plan: &PresencePlan, nodes: usize, web: &Web) -> Span {
    let doublings = u64::from(nodes.max(2).ilog2()) + 2;
    let GossipConfig { join_period, sync_period, .. } = plan.config;
    join_period.times(4) + sync_period.times(doublings) + far(web).times(20)
}
