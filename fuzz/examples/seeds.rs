//! Writes the seeds of every target as files, for a fuzzer to begin with.
//!
//! Usage: seeds FOLDER; target NAME gets the folder FOLDER/NAME.

use std::path::PathBuf;

use bary_fuzz::target::TABLE;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("which folder?")?);
    for target in TABLE {
        let folder = folder.join(target.name);
        std::fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)().into_iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number:03}")), seed)?;
        }
    }
    Ok(())
}
