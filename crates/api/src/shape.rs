//! What the contract says, as tables: its messages, their fields and its calls. What is generated
//! from the contract (JSON's description, the reference page) goes by them.

/// A message.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// Its name, without the package.
    pub name: &'static str,
    /// What the contract says of it; may be empty.
    pub about: &'static str,
    /// Whether it is, or is in, what somebody asks: as JSON, it then takes no unknown fields.
    pub asked: bool,
    /// Its fields, in the contract's order.
    pub fields: &'static [Field],
}

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name, the same in JSON.
    pub name: &'static str,
    /// Its number.
    pub number: u32,
    /// What the contract says of it; may be empty.
    pub about: &'static str,
    /// What its values are.
    pub form: Form,
    /// How often it is there.
    pub times: Times,
    /// The group of which at most one field is there.
    pub oneof: Option<&'static str>,
}

/// What values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// True or false.
    Bool,
    /// A whole number from -2^31 to 2^31 - 1.
    Int32,
    /// A whole number from 0 to 2^32 - 1.
    Uint32,
    /// A whole number from 0 to 2^64 - 1.
    Uint64,
    /// A number.
    Double,
    /// Text.
    Text,
    /// Bytes: base64 in JSON.
    Bytes,
    /// A message of that name.
    Message(&'static str),
}

/// How often a field is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Once; where it was not sent it has its plain value, such as 0.
    One,
    /// Once or not at all.
    Optional,
    /// Any number of times, in order.
    Many,
    /// Once for each key, which is text.
    Map,
}

/// A call of a service.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Its gRPC path.
    pub grpc: &'static str,
    /// What the contract says of it; may be empty.
    pub about: &'static str,
    /// The message that is sent.
    pub request: &'static str,
    /// The message that is answered.
    pub reply: &'static str,
    /// Whether requests are a stream.
    pub up: bool,
    /// Whether replies are a stream.
    pub down: bool,
}

include!(concat!(env!("OUT_DIR"), "/shape.rs"));

impl Message {
    /// The message of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        MESSAGES.iter().find(|message| message.name == name)
    }

    /// The field of a name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Call {
    /// The call at a gRPC path.
    #[must_use]
    pub fn of(grpc: &str) -> Option<&'static Self> {
        CALLS.iter().find(|call| call.grpc == grpc)
    }
}
