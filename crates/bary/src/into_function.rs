//! What can be registered as a function: plain Rust functions of a few arguments, functions of
//! the whole call, and async ones.

use std::future::Future;
use std::sync::Arc;

use bary_ports::function::{Call, Function, FunctionError, FunctionResult};
use bytes::Bytes;
use serde::de::DeserializeOwned;

/// Something that tasks can call. `Form` tells the kinds apart and is inferred.
pub trait IntoFunction<Form> {
    /// The function as nodes register it.
    fn into_function(self) -> Function;
}

/// What a function may return.
pub trait IntoResult {
    /// The result as tasks give it.
    ///
    /// # Errors
    /// Where the function failed.
    fn into_result(self) -> FunctionResult;
}

/// The form of functions of the whole call.
#[derive(Debug)]
pub struct OfCall;

/// The form of functions of typed arguments.
#[derive(Debug)]
pub struct OfArgs<A>(std::marker::PhantomData<A>);

impl<F, R> IntoFunction<OfCall> for F
where
    F: Fn(&Call) -> R + Send + Sync + 'static,
    R: IntoResult,
{
    fn into_function(self) -> Function {
        Function::Blocking(Arc::new(move |call| self(call).into_result()))
    }
}

impl<F, R, A> IntoFunction<OfArgs<(A,)>> for F
where
    F: Fn(A) -> R + Send + Sync + 'static,
    R: IntoResult,
    A: DeserializeOwned,
{
    fn into_function(self) -> Function {
        Function::Blocking(Arc::new(move |call| self(argument(call, 0)?).into_result()))
    }
}

impl<F, R, A, B> IntoFunction<OfArgs<(A, B)>> for F
where
    F: Fn(A, B) -> R + Send + Sync + 'static,
    R: IntoResult,
    A: DeserializeOwned,
    B: DeserializeOwned,
{
    fn into_function(self) -> Function {
        Function::Blocking(Arc::new(move |call| {
            self(argument(call, 0)?, argument(call, 1)?).into_result()
        }))
    }
}

impl<F, R, A, B, C> IntoFunction<OfArgs<(A, B, C)>> for F
where
    F: Fn(A, B, C) -> R + Send + Sync + 'static,
    R: IntoResult,
    A: DeserializeOwned,
    B: DeserializeOwned,
    C: DeserializeOwned,
{
    fn into_function(self) -> Function {
        Function::Blocking(Arc::new(move |call| {
            self(argument(call, 0)?, argument(call, 1)?, argument(call, 2)?).into_result()
        }))
    }
}

/// An async function of the whole call.
pub(crate) fn of_future<F, R>(function: impl Fn(Call) -> F + Send + Sync + 'static) -> Function
where
    F: Future<Output = R> + Send + 'static,
    R: IntoResult,
{
    Function::Async(Arc::new(move |call| {
        let running = function(call);
        Box::pin(async move { running.await.into_result() })
    }))
}

fn argument<T: DeserializeOwned>(call: &Call, at: usize) -> Result<T, FunctionError> {
    let missing = || FunctionError::new(format!("argument {} is missing", at + 1));
    let bytes = &call.args.get(at).ok_or_else(missing)?.1;
    parse(bytes).map_err(|why| {
        let text = String::from_utf8_lossy(bytes);
        FunctionError::new(format!("argument {} cannot be `{text}`: {why}", at + 1))
    })
}

/// Reads an argument: as JSON, as a number with underscores, or as plain text.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(bytes).or_else(|why| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let number = text.bytes().all(|b| b.is_ascii_digit() || b"_.-".contains(&b));
        let plain = number.then(|| serde_json::from_str(&text.replace('_', "")));
        if let Some(Ok(value)) = plain {
            return Ok(value);
        }
        serde_json::from_value(serde_json::Value::String(text)).map_err(|_| why)
    })
}

impl IntoResult for () {
    fn into_result(self) -> FunctionResult {
        Ok(Bytes::new())
    }
}

impl IntoResult for Bytes {
    fn into_result(self) -> FunctionResult {
        Ok(self)
    }
}

impl IntoResult for String {
    fn into_result(self) -> FunctionResult {
        Ok(Bytes::from(self))
    }
}

impl IntoResult for serde_json::Value {
    fn into_result(self) -> FunctionResult {
        Ok(Bytes::from(self.to_string()))
    }
}

macro_rules! into_result_as_text {
    ($($kind:ty),*) => {$(
        impl IntoResult for $kind {
            fn into_result(self) -> FunctionResult {
                Ok(Bytes::from(self.to_string()))
            }
        }
    )*};
}

into_result_as_text!(bool, i32, i64, u32, u64, usize, f32, f64, &'static str);

impl<T: IntoResult, E: std::fmt::Display> IntoResult for Result<T, E> {
    fn into_result(self) -> FunctionResult {
        self.map_err(|why| FunctionError::new(why.to_string()))?.into_result()
    }
}
