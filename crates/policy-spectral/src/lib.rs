//! Placement by the eigenvectors and the Laplacian of a cluster's graph: regions, central nodes,
//! level flow, and where the parts of a task graph go. It computes and decides nothing by itself;
//! an engine asks for a plan, and its driver computes it beside the engine.

pub mod bisect;
pub mod closeness;
pub mod dag;
pub mod family;
pub mod flow;
pub mod graph;
mod lanczos;
pub mod laplacian;
pub mod place;
pub mod plan;
pub mod regions;
pub mod solve;
pub mod spectrum;
