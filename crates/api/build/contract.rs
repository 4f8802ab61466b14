//! What is asked of the contract's descriptor in more than one place.

use std::collections::BTreeSet;

use protox::prost_reflect::{DescriptorPool, MessageDescriptor, OneofDescriptor};

/// The messages of the contract, in its order.
pub(crate) fn messages(pool: &DescriptorPool) -> impl Iterator<Item = MessageDescriptor> {
    pool.files().flat_map(|file| file.messages().collect::<Vec<_>>())
}

/// The oneof of a message; no message has two.
pub(crate) fn choice(message: &MessageDescriptor) -> Option<OneofDescriptor> {
    let mut real = message.oneofs().filter(|oneof| !oneof.is_synthetic());
    let found = real.next();
    assert!(real.next().is_none(), "{} has two oneofs", message.name());
    found
}

/// The names of all messages that are, or are in, what somebody asks.
pub(crate) fn asked(pool: &DescriptorPool) -> BTreeSet<String> {
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let mut open: Vec<MessageDescriptor> = methods.map(|method| method.input()).collect();
    let mut asked = BTreeSet::new();
    while let Some(message) = open.pop() {
        if asked.insert(message.full_name().to_owned()) {
            let kinds = message.fields().map(|field| field.kind());
            open.extend(kinds.filter_map(|kind| kind.as_message().cloned()));
        }
    }
    asked
}
