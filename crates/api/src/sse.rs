//! How streams look over HTTP, as server-sent events: each message is an event without a name, its
//! JSON the data; then one named event says how the stream ended, so that a browser's `EventSource`
//! can tell an end from a lost connection.

/// What readers call an event without a name.
pub const PLAIN: &str = "message";
/// The event that closes a stream which is complete; its data is `{}`.
pub const END: &str = "end";
/// The event that closes a stream which broke off; its data is a `Problem`.
pub const PROBLEM: &str = "problem";
/// The header with which a client goes on where it was: the `id` of the last event that it has
/// seen. It stands for the field `after` of requests that have one, and goes before it.
pub const LAST_EVENT_ID: &str = "Last-Event-ID";
/// The field of a streamed message that is the `id` of its event, where it has one.
pub const ID: &str = "number";
/// The field of a request that [`LAST_EVENT_ID`] stands for.
pub const AFTER: &str = "after";
