//! How specs are written where many share bodies and inputs: each of those once. For use as
//! `#[serde(with = "bary_model::sharing::specs")]`, and `grants` likewise.

pub mod grants;
pub mod specs;
