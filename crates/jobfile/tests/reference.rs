//! The reference page and the schema in the repository are those that the code makes. With
//! `BARY_WRITE=1` in the environment they are written anew instead.

use std::fs;
use std::path::PathBuf;

use bary_jobfile::schema;

#[test]
fn the_page_and_the_schema_are_current() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let json = serde_json::to_string_pretty(&schema::json_schema()).expect("a schema is JSON");
    let wanted = [("jobfile.md", schema::markdown()), ("jobfile.schema.json", json + "\n")];
    for (name, text) in wanted {
        let path = directory.join(name);
        if std::env::var_os("BARY_WRITE").is_some() {
            fs::create_dir_all(&directory).expect("the directory can be made");
            fs::write(&path, &text).expect("the file can be written");
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        let write = "BARY_WRITE=1 cargo test -p bary-jobfile --test reference";
        assert!(there == text, "docs/reference/{name} is not current; write it with: {write}");
    }
}
