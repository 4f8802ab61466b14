//! Asks a node for things from a program: one typed call for each verb, over TCP or a Unix
//! socket, and a pipelined session for many submissions.
//!
//! ```no_run
//! use bary_client::address::Address;
//! use bary_client::client::Client;
//! use bary_client::submission::Submission;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let node = Client::connect(&Address::usual(), None).await?;
//! let work = Submission::command(["echo", "task {}"]).array("1-3").name("greet").cpus(0.5);
//! let job = node.submit(work).await?.job;
//! let ended = node.finish(&[job]).await?;
//! assert_eq!(ended[0].succeeded, 3);
//! let mut results = node.results(job, &["2"]).await?;
//! while let Some(result) = results.next().await? {
//!     print!("{}", String::from_utf8_lossy(&result.data));
//! }
//! # Ok(()) }
//! ```

pub mod access;
pub mod address;
pub mod cache;
pub mod call;
pub mod chunked;
pub mod client;
pub mod exec;
pub mod jobs;
pub mod machine;
pub mod nodes;
pub mod policies;
pub mod session;
pub mod settings;
pub mod streamed;
pub mod submission;
pub mod watching;
