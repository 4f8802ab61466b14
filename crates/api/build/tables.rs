//! What the contract says, as tables for `shape.rs`.

use std::error::Error;
use std::fmt::Write;

use protox::prost_reflect::{Cardinality, DescriptorPool, FieldDescriptor, FileDescriptor, Kind};

use crate::contract::{asked, messages};

/// The text of the tables.
pub(crate) fn text(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let asked = asked(pool);
    let mut text = "/// Every message, in the order of the contract.\n\
                    pub static MESSAGES: &[Message] = &[\n"
        .to_owned();
    for message in messages(pool) {
        let (name, about) = (message.name(), comment(&message.parent_file(), message.path()));
        let strict = asked.contains(message.full_name());
        writeln!(text, "Message {{ name: {name:?}, about: {about:?}, asked: {strict}, fields: &[")?;
        for field in message.fields() {
            writeln!(text, "    {},", field_row(&field)?)?;
        }
        text.push_str("] },\n");
    }
    text.push_str("];\n/// Every call, in the order of the contract.\n");
    text.push_str("pub static CALLS: &[Call] = &[\n");
    for service in pool.services() {
        for method in service.methods() {
            let grpc = format!("/{}/{}", service.full_name(), method.name());
            let about = comment(&service.parent_file(), method.path());
            let (request, reply) = (method.input(), method.output());
            let (request, reply) = (request.name(), reply.name());
            let (up, down) = (method.is_client_streaming(), method.is_server_streaming());
            writeln!(
                text,
                "Call {{ grpc: {grpc:?}, about: {about:?}, request: {request:?}, \
                 reply: {reply:?}, up: {up}, down: {down} }},"
            )?;
        }
    }
    text.push_str("];\n");
    Ok(text)
}

fn field_row(field: &FieldDescriptor) -> Result<String, String> {
    let (name, number) = (field.name(), field.number());
    let about = comment(&field.parent_message().parent_file(), field.path());
    let times = match field.cardinality() {
        _ if field.is_map() => "Map",
        Cardinality::Repeated => "Many",
        _ if field.supports_presence() => "Optional",
        _ => "One",
    };
    let form = match field.kind() {
        _ if field.is_map() => "Text".to_owned(),
        Kind::Bool => "Bool".to_owned(),
        Kind::Int32 => "Int32".to_owned(),
        Kind::Uint32 => "Uint32".to_owned(),
        Kind::Uint64 => "Uint64".to_owned(),
        Kind::Double => "Double".to_owned(),
        Kind::String => "Text".to_owned(),
        Kind::Bytes => "Bytes".to_owned(),
        Kind::Message(message) => format!("Message({:?})", message.name()),
        other => return Err(format!("{name}: the JSON form of {other:?} is not settled")),
    };
    let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
    let oneof = oneof.map(|oneof| oneof.name().to_owned());
    Ok(format!(
        "Field {{ name: {name:?}, number: {number}, about: {about:?}, form: Form::{form}, \
         times: Times::{times}, oneof: {oneof:?} }}"
    ))
}

/// What stands above a thing in the file, in one line.
fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let mut places = info.into_iter().flat_map(|info| &info.location);
    let found =
        places.find(|place| place.path == path).and_then(|place| place.leading_comments.as_deref());
    found.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}
