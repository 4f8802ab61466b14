//! Compiles the contract, without any program that would have to be installed: into messages and
//! services, into how those look as JSON, and into tables of what it says.

#[path = "build/contract.rs"]
mod contract;
#[path = "build/json.rs"]
mod json;
#[path = "build/tables.rs"]
mod tables;

use std::error::Error;
use std::path::PathBuf;

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_source_info(true).include_imports(true).open_files(["bary/v1/node.proto"])?;
    let (files, pool) = (compiler.file_descriptor_set(), compiler.descriptor_pool());
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("bary.bin"), files.encode_to_vec())?;
    std::fs::write(out.join("shape.rs"), tables::text(&pool)?)?;
    std::fs::write(out.join("oneof.rs"), json::flat(&pool)?)?;
    let builder = tonic_prost_build::configure().bytes(".").btree_map(".");
    json::attributes(builder, &pool).compile_fds(files)?;
    Ok(())
}
