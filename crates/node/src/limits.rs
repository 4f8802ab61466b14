//! The limits of a node and of everything in it, as the documentation lists them.

use bary_policy::recover::quarantine::CRASHES_MAX;

/// A limit: its name, its default and what it limits.
pub type LimitRow = (&'static str, String, &'static str);

/// Every limit, the engine's first.
#[must_use]
pub fn rows() -> Vec<LimitRow> {
    let tables = [
        bary_engine::limits::TABLE,
        bary_executor::config::TABLE,
        bary_store::spill::TABLE,
        bary_store::durable::TABLE,
        bary_store::cache::TABLE,
        bary_executor::cached::desk::TABLE,
        crate::journal::TABLE,
        crate::access::TABLE,
        crate::audit::TABLE,
        crate::doors::limits::TABLE,
        crate::board::limits::TABLE,
        crate::service::options::TABLE,
        crate::service::exec::TABLE,
        crate::worker::TABLE,
        crate::peers::blobs::TABLE,
        crate::scaler::record::TABLE,
        crate::replicas::TABLE,
        bary_replica::limits::TABLE,
        bary_transport::mesh::TABLE,
    ];
    let listed = tables.into_iter().flatten();
    let mut rows: Vec<LimitRow> =
        listed.map(|&(name, most, what)| (name, most.to_owned(), what)).collect();
    let crashes = "attempts that took their process down before a task is quarantined";
    rows.push(("crashes_max", CRASHES_MAX.to_string(), crashes));
    let way = bary_transport::memory::Network::IN_FLIGHT_MAX.to_string();
    rows.push(("in_flight_max", way, "messages on their way between nodes of one process"));
    rows.push(("news_max", "1,024".to_owned(), "batches of news that a listener may be behind"));
    rows
}
