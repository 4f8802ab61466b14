//! The house rules that no other tool knows, one a file.

pub(crate) mod dead_files;
pub(crate) mod functions;
pub(crate) mod heads;
pub(crate) mod imports;
pub(crate) mod lengths;
pub(crate) mod links;
pub(crate) mod modules;
pub(crate) mod names;
pub(crate) mod purity;
pub(crate) mod readme;
pub(crate) mod roots;
pub(crate) mod use_paths;
pub(crate) mod words;
