//! Runs tasks on every machine you can reach: this is the library that programs depend on.
//!
//! A program registers a function of its own in one line and runs jobs that call it:
//!
//! ```
//! fn square(n: u64) -> u64 {
//!     n * n
//! }
//!
//! let mut node = bary::Node::builder().function("square", square).start()?;
//! let done = node.run_text(
//!     r#"
//!     [[task]]
//!     name = "squares"
//!     function = "square"
//!     args = "{index}"
//!     array = "1-4"
//!     reduce = "SUM"
//!     "#,
//! )?;
//! assert_eq!(done.result("squares.reduce").as_deref(), Some("30"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A node that stays, of `bary up` or `bary dev`, is asked through [`client`].

pub mod done;
pub mod functions;
pub mod into_function;
pub mod node;

pub use bary_client as client;
pub use bary_ports::function::{Call, FunctionError, FunctionResult, Rank};
pub use done::Done;
pub use into_function::{IntoFunction, IntoResult};
pub use node::{Node, NodeBuilder};
