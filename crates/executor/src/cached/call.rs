//! What a task is called with, once its placeholders are filled in, as the key of its result. What
//! it is called by (its slot, its attempt, its number) is no part of it, unless it asks for that.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bary_model::action::{Action, Arg, FileMove, Stdin};
use bary_model::message::GrantItem;
use bary_model::template::{Scope, Template};
use bary_ports::cache::Key;
use bary_ports::function::UpstreamResults;
use bary_ports::store::Store;
use bytes::Bytes;

use crate::arguments::{read_upstream, scope, texts};
use crate::cached::digest::{Digests, Stamp};

/// Changes with what goes into a key or how.
const CONTEXT: &str = "bary result cache, version 1: what a task is called with";

/// What the tasks of an item are called with.
pub(super) struct Calls<'a> {
    item: &'a GrantItem,
    slot: u32,
    /// The directory of the job.
    job: &'a Path,
    upstream: Vec<UpstreamResults>,
    texts: Vec<(Box<str>, Bytes)>,
}

/// What one task is called with.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) key: Key,
    /// The files that it reads, as they were.
    files: Vec<(PathBuf, Stamp)>,
}

impl Call {
    /// Whether its files are still as they were.
    pub(super) fn holds(&self) -> bool {
        self.files.iter().all(|(path, stamp)| Stamp::of(path).is_ok_and(|now| now == *stamp))
    }
}

impl<'a> Calls<'a> {
    /// What the tasks of an item share; none where that cannot be read.
    pub(super) fn of(
        item: &'a GrantItem,
        slot: u32,
        job: &'a Path,
        store: &dyn Store,
    ) -> Option<Self> {
        let upstream = read_upstream(store, item).ok()?;
        let texts = texts(&upstream);
        Some(Self { item, slot, job, upstream, texts })
    }

    /// What the task at an offset of the item is called with; none where a file that it reads is
    /// not there, or nobody wants to know any more.
    pub(super) fn at(
        &self,
        offset: u32,
        digests: &Digests,
        wanted: &dyn Fn() -> bool,
    ) -> Option<Call> {
        let index = self.item.range.first + offset;
        let scope = scope(self.item, index, self.slot, &self.texts);
        let mut words = Words::default();
        let env = self.item.spec.body.surroundings.env.iter();
        words.count(env.len());
        for (name, value) in env {
            words.say(name.as_bytes());
            words.say(&value.expand(&scope));
        }
        match &self.item.spec.body.action {
            Action::Function { name, args } => self.function(name, args, &scope, &mut words),
            Action::Command { argv } => {
                self.command(argv, &scope, digests, wanted, &mut words)?;
            }
        }
        Some(words.call())
    }

    fn function(&self, name: &str, args: &[Arg], scope: &Scope<'_>, words: &mut Words) {
        words.say(b"function");
        words.say(name.as_bytes());
        words.count(args.len());
        for arg in args {
            words.count(usize::from(arg.name.is_some()));
            words.say(arg.name.as_deref().unwrap_or_default().as_bytes());
            words.say(&arg.value.expand(scope));
        }
        words.count(self.upstream.len());
        for used in &self.upstream {
            words.say(used.name.as_bytes());
            words.count(used.results.len());
            for (index, result) in used.indices.iter().zip(&used.results) {
                words.count(*index as usize);
                words.say(result);
            }
        }
    }

    fn command(
        &self,
        argv: &[Template],
        scope: &Scope<'_>,
        digests: &Digests,
        wanted: &dyn Fn() -> bool,
        words: &mut Words,
    ) -> Option<()> {
        let around = &self.item.spec.body.surroundings;
        words.say(b"command");
        let argv = Template::expand_argv(argv, scope);
        words.count(argv.len());
        argv.iter().for_each(|word| words.say(word));
        let given = around.cwd.as_ref().map(|cwd| path_of(cwd, scope, self.job));
        let files_at = given.as_deref().unwrap_or(self.job);
        words.count(usize::from(given.is_some()));
        words.say(files_at.as_os_str().as_encoded_bytes());
        match &around.stdin {
            Stdin::Null => words.say(b"null"),
            Stdin::Inherit => return None,
            Stdin::Text(text) => {
                words.say(b"text");
                words.say(&text.expand(scope));
            }
            Stdin::File(file) => {
                words.say(b"file");
                words.file(&path_of(file, scope, files_at), digests, wanted)?;
            }
        }
        words.count(around.inputs.len());
        for FileMove { from, to } in &around.inputs {
            words.say(&to.expand(scope));
            words.file(&path_of(from, scope, self.job), digests, wanted)?;
        }
        // A program of one's own changes more often than those that are found by their names.
        let program = argv.first().filter(|name| name.contains(&b'/'));
        if let Some(name) = program {
            words.file(&files_at.join(os(name.clone())), digests, wanted)?;
        }
        Some(())
    }
}

/// What goes into a key, each part with its length so that no two lists of parts are alike.
struct Words {
    hasher: blake3::Hasher,
    files: Vec<(PathBuf, Stamp)>,
}

impl Default for Words {
    fn default() -> Self {
        Self { hasher: blake3::Hasher::new_derive_key(CONTEXT), files: Vec::new() }
    }
}

impl Words {
    fn say(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.hasher.update(bytes);
    }

    fn count(&mut self, count: usize) {
        self.hasher.update(&(count as u64).to_le_bytes());
    }

    /// What a file holds; none where it cannot be read.
    fn file(&mut self, path: &Path, digests: &Digests, wanted: &dyn Fn() -> bool) -> Option<()> {
        let digest = digests.of(path, wanted).ok()?;
        self.say(digest.hash.as_bytes());
        self.files.extend(digest.files);
        Some(())
    }

    fn call(self) -> Call {
        Call { key: Key(*self.hasher.finalize().as_bytes()), files: self.files }
    }
}

fn path_of(template: &Template, scope: &Scope<'_>, at: &Path) -> PathBuf {
    at.join(os(template.expand(scope)))
}

#[cfg(unix)]
fn os(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn os(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}
