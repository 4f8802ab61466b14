//! The Python package: its generated part is held against the contract, and its tests run on nodes
//! of the product, CPython's own executor tests among them.
//!
//! What it needs is installed by pip under `target/`. Where that cannot be had, the check says so
//! and is skipped.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::check::Outcome;
use crate::process::capture;
use crate::repo::{Program, Repo};

/// What pip is asked for. The generator's output differs from version to version.
const PACKAGES: &[&str] = &["grpcio==1.85.1", "grpcio-tools==1.85.1", "cloudpickle==3.1.2"];
/// What those are called when they are imported.
const PROBE: &str = "import grpc, grpc_tools.protoc, cloudpickle, google.protobuf";
/// The files of the package that are generated.
const GENERATED: &[&str] = &["bary/v1/node_pb2.py", "bary/v1/node_pb2_grpc.py"];
/// The exit code of a test that was skipped, as Automake has it.
const SKIPPED: i32 = 77;

/// Checks all of it.
pub(crate) fn check(repo: &Repo) -> Outcome {
    let program = match repo.program("dev") {
        Program::Ready(program) => program,
        Program::Absent(why) => return Outcome::Skipped(why.into()),
        Program::Broken(complaint) => return Outcome::failure(complaint),
    };
    let python = Python { root: repo.root.clone(), program };
    if let Err(why) = python.install() {
        return Outcome::Skipped(why);
    }
    let mut findings = python.drift().unwrap_or_else(|fault| vec![fault]);
    let mut notes = Vec::new();
    for test in ["test_bary.py", "test_cpython.py"] {
        match python.test(test) {
            Ok(note) => notes.push(note),
            Err(fault) => findings.push(fault),
        }
    }
    if findings.is_empty() { Outcome::Passed(notes) } else { Outcome::Failed(findings) }
}

struct Python {
    root: PathBuf,
    program: PathBuf,
}

impl Python {
    /// Where pip puts what it installs.
    fn place(&self) -> PathBuf {
        self.root.join("target").join("python")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut path = OsString::from(self.root.join("python"));
        path.push(if cfg!(windows) { ";" } else { ":" });
        path.push(self.place());
        let mut command = Command::new("python3");
        command.args(words).current_dir(&self.root).env("PYTHONPATH", path);
        command.env("BARY_PROGRAM", &self.program).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env_remove("BARY_ADDR").env_remove("BARY_TOKEN");
        command
    }

    /// Runs Python; what it said where it failed.
    fn run(&self, words: &[&str]) -> Result<String, String> {
        let ended = capture(self.command(words)).map_err(|fault| fault.to_string())?;
        if ended.ok { Ok(ended.output) } else { Err(ended.output) }
    }

    fn install(&self) -> Result<(), String> {
        if self.run(&["-c", PROBE]).is_ok() {
            return Ok(());
        }
        let place = self.place();
        let place = place.to_string_lossy();
        let mut words = vec!["-m", "pip", "install", "--quiet", "--upgrade", "--target", &*place];
        words.extend(PACKAGES);
        let installed = self.run(&words).and_then(|_| self.run(&["-c", PROBE]));
        installed.map(drop).map_err(|said| {
            let last = said.trim_end().lines().last().unwrap_or_default().to_owned();
            format!("pip did not install {}: {last}", PACKAGES.join(" "))
        })
    }

    /// What differs between the generated files and what the contract makes now.
    fn drift(&self) -> Result<Vec<String>, String> {
        let fresh = self.root.join("target").join("python-generated");
        fs::create_dir_all(&fresh).map_err(|cause| format!("{}: {cause}", fresh.display()))?;
        let (out, grpc) = (
            format!("--python_out={}", fresh.display()),
            format!("--grpc_python_out={}", fresh.display()),
        );
        let words = ["-m", "grpc_tools.protoc", "-Icrates/api/proto", &out, &grpc];
        self.run(&[&words[..], &["bary/v1/node.proto"]].concat())?;
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|cause| format!("{}: {cause}", path.display()))
        };
        let mut findings = Vec::new();
        for file in GENERATED {
            let kept = self.root.join("python").join(file);
            if read(&kept)? != read(&fresh.join(file))? {
                let line = format!(
                    "PYTHONPATH=target/python python3 {} --python_out=python \
                     --grpc_python_out=python bary/v1/node.proto",
                    words[..3].join(" ")
                );
                findings.push(format!("python/{file} is not what the contract makes: {line}"));
            }
        }
        Ok(findings)
    }

    /// Runs one file of tests; a line about how it went.
    fn test(&self, name: &str) -> Result<String, String> {
        let path = format!("python/tests/{name}");
        let output = self.command(&[&path]).output();
        let output = output.map_err(|cause| format!("{path} did not run: {cause}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.trim_end().lines().last().unwrap_or_default();
        let ran = said.lines().find(|line| line.starts_with("Ran ")).unwrap_or_default();
        match output.status.code() {
            Some(0) => Ok(format!("{name}: {ran}, {last}")),
            Some(SKIPPED) => Ok(format!("{name}: {last}")),
            _ => Err(format!("{path}:\n{}", said.trim_end())),
        }
    }
}
