//! The functions that every node knows, one a file.

mod fibonacci;
mod matrix;
mod noop;
mod pi;
mod prime;
mod reduce;
mod sleep;
mod wordcount;

use std::sync::Arc;

use bary_ports::function::{Call, Function, FunctionError, FunctionResult, Functions};
use serde::de::DeserializeOwned;

use crate::into_function::parse;

/// The built-in functions by name.
#[must_use]
pub fn builtin() -> Functions {
    type Builtin = fn(&Call) -> FunctionResult;
    let table: [(&str, Builtin); 8] = [
        ("fibonacci", fibonacci::fibonacci),
        ("matrix_multiply", matrix::matrix_multiply),
        ("monte_carlo_pi", pi::monte_carlo_pi),
        ("noop", noop::noop),
        ("prime_check", prime::prime_check),
        ("reduce", reduce::reduce),
        ("sleep", sleep::sleep),
        ("wordcount", wordcount::wordcount),
    ];
    let functions = table.into_iter();
    functions.map(|(name, f)| (Box::from(name), Function::Blocking(Arc::new(f)))).collect()
}

/// An argument that must be there, by name or by position.
fn need<T: DeserializeOwned>(call: &Call, name: &str, at: usize) -> Result<T, FunctionError> {
    let missing = || FunctionError::new(format!("argument `{name}` is missing"));
    read(name, call.arg(name, at).ok_or_else(missing)?)
}

/// An argument that may be left out.
fn or<T: DeserializeOwned>(
    call: &Call,
    name: &str,
    at: usize,
    default: T,
) -> Result<T, FunctionError> {
    call.arg(name, at).map_or(Ok(default), |bytes| read(name, bytes))
}

fn read<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, FunctionError> {
    parse(bytes).map_err(|why| {
        let text = String::from_utf8_lossy(bytes);
        FunctionError::new(format!("argument `{name}` cannot be `{text}`: {why}"))
    })
}
