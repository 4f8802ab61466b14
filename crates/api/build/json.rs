//! How messages look as JSON: attributes for serde, and messages with a choice made flat, so that
//! each alternative is a field of its own, as in `{"file": "..."}`.

use std::fmt::{self, Write};

use protox::prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};
use tonic_prost_build::Builder;

use crate::contract::{asked, choice, messages};

/// Says how each message looks as JSON.
pub(crate) fn attributes(mut builder: Builder, pool: &DescriptorPool) -> Builder {
    let asked = asked(pool);
    for message in messages(pool) {
        let path = format!(".{}", message.full_name());
        let derive = "#[derive(serde::Serialize, serde::Deserialize)]";
        builder = builder.message_attribute(&path, derive);
        if choice(&message).is_some() {
            let flat = format!("crate::oneof::{}", message.name());
            let through = format!("#[serde(try_from = {flat:?}, into = {flat:?})]");
            builder = builder.message_attribute(&path, through);
            continue;
        }
        let strict = if asked.contains(message.full_name()) { ", deny_unknown_fields" } else { "" };
        builder = builder.message_attribute(&path, format!("#[serde(default{strict})]"));
        for field in message.fields() {
            if let Some(attribute) = attribute(&field) {
                builder = builder.field_attribute(format!("{path}.{}", field.name()), attribute);
            }
        }
    }
    builder
}

fn attribute(field: &FieldDescriptor) -> Option<&'static str> {
    match (field.kind(), field.is_list()) {
        (Kind::Bytes, false) => Some("#[serde(with = \"crate::base64\")]"),
        (Kind::Bytes, true) => Some("#[serde(with = \"crate::base64::many\")]"),
        _ if field.supports_presence() => {
            Some("#[serde(skip_serializing_if = \"Option::is_none\")]")
        }
        _ => None,
    }
}

/// The flat forms of messages with a choice, and the ways there and back.
pub(crate) fn flat(pool: &DescriptorPool) -> Result<String, fmt::Error> {
    let asked = asked(pool);
    let mut text = String::new();
    for message in messages(pool) {
        if choice(&message).is_some() {
            let strict = asked.contains(message.full_name());
            structure(&mut text, &message, strict)?;
            there(&mut text, &message)?;
            back(&mut text, &message)?;
        }
    }
    Ok(text)
}

fn structure(text: &mut String, message: &MessageDescriptor, strict: bool) -> fmt::Result {
    let strict = if strict { ", deny_unknown_fields" } else { "" };
    writeln!(text, "#[derive(Default, serde::Serialize, serde::Deserialize)]")?;
    writeln!(text, "#[serde(default{strict})]")?;
    writeln!(text, "pub(crate) struct {} {{", message.name())?;
    for field in message.fields() {
        let absent = "skip_serializing_if = \"Option::is_none\"";
        match (chosen(&field), field.kind()) {
            (true, Kind::Bytes) => {
                writeln!(text, "    #[serde(with = \"crate::base64::maybe\", {absent})]")?;
            }
            (true, _) => writeln!(text, "    #[serde({absent})]")?,
            (false, _) => writeln!(text, "    {}", attribute(&field).unwrap_or_default())?,
        }
        writeln!(text, "    {}: {},", field.name(), rust(&field))?;
    }
    writeln!(text, "}}")
}

fn there(text: &mut String, message: &MessageDescriptor) -> fmt::Result {
    let (name, choice) = (message.name(), choice(message).expect("it has one"));
    writeln!(text, "impl From<crate::v1::{name}> for {name} {{")?;
    writeln!(text, "fn from(message: crate::v1::{name}) -> Self {{")?;
    writeln!(text, "let crate::v1::{name} {{ {} }} = message;", parts(message))?;
    writeln!(text, "let mut flat = Self {{ {} ..Self::default() }};", others(message))?;
    writeln!(text, "match {} {{ None => {{}}", choice.name())?;
    for field in choice.fields() {
        let (name, variant) = (field.name(), variant(message, &field));
        writeln!(text, "Some({variant}(chosen)) => flat.{name} = Some(chosen),")?;
    }
    writeln!(text, "}} flat }} }}")
}

fn back(text: &mut String, message: &MessageDescriptor) -> fmt::Result {
    let (name, choice) = (message.name(), choice(message).expect("it has one"));
    let fields: Vec<FieldDescriptor> = choice.fields().collect();
    let names: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name())).collect();
    writeln!(text, "impl TryFrom<{name}> for crate::v1::{name} {{ type Error = TwoOf;")?;
    writeln!(text, "fn try_from(flat: {name}) -> Result<Self, TwoOf> {{ let all = [")?;
    for field in &fields {
        writeln!(text, "flat.{}.map({}),", field.name(), variant(message, field))?;
    }
    writeln!(text, "]; let {} = only(all, {:?})?;", choice.name(), names.join(", "))?;
    let others = message.fields().filter(|field| !chosen(field));
    let others = others.map(|field| format!("{0}: flat.{0}, ", field.name())).collect::<String>();
    writeln!(text, "Ok(Self {{ {} , {others} }}) }} }}", choice.name())
}

/// Whether a field is one alternative of a choice.
fn chosen(field: &FieldDescriptor) -> bool {
    field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic())
}

/// The names of the Rust fields of a message: the choice, and what stands beside it.
fn parts(message: &MessageDescriptor) -> String {
    let choice = choice(message).map(|choice| choice.name().to_owned());
    choice.map(|name| format!("{name}, ")).unwrap_or_default() + &others(message)
}

/// The names of the fields beside the choice, each with a comma.
fn others(message: &MessageDescriptor) -> String {
    let others = message.fields().filter(|field| !chosen(field));
    others.map(|field| format!("{}, ", field.name())).collect()
}

/// The path of the variant that stands for an alternative.
fn variant(message: &MessageDescriptor, field: &FieldDescriptor) -> String {
    let choice = choice(message).expect("the field is in one");
    let module = snake(message.name());
    format!("crate::v1::{module}::{}::{}", camel(choice.name()), camel(field.name()))
}

fn rust(field: &FieldDescriptor) -> String {
    let one = match field.kind() {
        Kind::Bool => "bool".to_owned(),
        Kind::Int32 => "i32".to_owned(),
        Kind::Uint32 => "u32".to_owned(),
        Kind::Uint64 => "u64".to_owned(),
        Kind::Double => "f64".to_owned(),
        Kind::Bytes => "bytes::Bytes".to_owned(),
        Kind::Message(message) => format!("crate::v1::{}", message.name()),
        _ => "String".to_owned(),
    };
    if field.is_map() {
        "std::collections::BTreeMap<String, String>".to_owned()
    } else if field.is_list() {
        format!("Vec<{one}>")
    } else if field.supports_presence() {
        format!("Option<{one}>")
    } else {
        one
    }
}

fn camel(name: &str) -> String {
    let mut upper = true;
    let mut text = String::new();
    for letter in name.chars() {
        match (letter, upper) {
            ('_', _) => {}
            (_, true) => text.push(letter.to_ascii_uppercase()),
            (_, false) => text.push(letter),
        }
        upper = letter == '_';
    }
    text
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}
