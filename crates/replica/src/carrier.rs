//! The network of a group, as it is given.

use std::pin::Pin;

use bytes::Bytes;

/// An answer that comes, or why none does.
pub type Answer = Pin<Box<dyn Future<Output = Result<Bytes, String>> + Send>>;

/// Asks other members. Questions and answers are of this crate's making.
pub trait Carrier: Send + Sync + 'static {
    /// Has a member's [`Group::answer`](crate::group::Group::answer) answer a question. It may
    /// be lost, or come twice.
    fn ask(&self, member: u64, question: Bytes) -> Answer;
}
