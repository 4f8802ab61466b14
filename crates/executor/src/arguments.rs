//! What a task is called with: the placeholders of its arguments filled in, and the results of
//! others that it reads. Whoever runs a task elsewhere calls it with the same.

use bary_model::action::{Action, Arg};
use bary_model::message::GrantItem;
use bary_model::outcome::Failure;
use bary_model::payload::Payload;
use bary_model::template::Scope;
use bary_ports::function::UpstreamResults;
use bary_ports::store::{Store, StoreError};
use bytes::Bytes;

/// The arguments of the tasks of one item. What does not differ between them is read once.
#[derive(Debug)]
pub struct Arguments<'a> {
    item: &'a GrantItem,
    slot: u32,
    args: &'a [Arg],
    constant: bool,
    upstream: Vec<UpstreamResults>,
    texts: Vec<(Box<str>, Bytes)>,
}

impl<'a> Arguments<'a> {
    /// Reads what the tasks of an item share, for a slot; commands have no arguments.
    ///
    /// # Errors
    /// Where a result that they use cannot be read, now or ever.
    pub fn read(item: &'a GrantItem, slot: u32, store: &dyn Store) -> Result<Self, Unread> {
        let args: &[Arg] = match &item.spec.body.action {
            Action::Function { args, .. } => args,
            Action::Command { .. } => &[],
        };
        let upstream = read_upstream(store, item)?;
        let texts = texts(&upstream);
        let constant = args.iter().all(|arg| arg.value.is_literal());
        Ok(Self { item, slot, args, constant, upstream, texts })
    }

    /// The results that the tasks use.
    #[must_use]
    pub fn upstream(&self) -> &[UpstreamResults] {
        &self.upstream
    }

    /// The same, given away.
    pub(crate) fn take_upstream(&mut self) -> Vec<UpstreamResults> {
        std::mem::take(&mut self.upstream)
    }

    /// The index of the first task.
    pub(crate) fn first(&self) -> u32 {
        self.item.range.first
    }

    /// Whether all tasks have the same.
    pub(crate) fn is_constant(&self) -> bool {
        self.constant
    }

    /// The arguments of the task at an offset of the item, each with its name where it has one.
    #[must_use]
    pub fn at(&self, offset: u32) -> Vec<(Option<Box<str>>, Bytes)> {
        let scope = self.scope(offset);
        let expanded = |arg: &Arg| (arg.name.clone(), Bytes::from(arg.value.expand(&scope)));
        self.args.iter().map(expanded).collect()
    }

    /// The variables that the body adds to the environment of the task at an offset; bytes that
    /// are no text are replaced.
    #[must_use]
    pub fn env(&self, offset: u32) -> Vec<(Box<str>, String)> {
        let scope = self.scope(offset);
        let env = self.item.spec.body.surroundings.env.iter();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        env.map(|(name, value)| (name.clone(), text(value.expand(&scope)))).collect()
    }

    fn scope(&self, offset: u32) -> Scope<'_> {
        scope(self.item, self.first() + offset, self.slot, &self.texts)
    }
}

/// What placeholders stand for in one task.
pub(crate) fn scope<'a>(
    item: &'a GrantItem,
    index: u32,
    slot: u32,
    upstream: &'a [(Box<str>, Bytes)],
) -> Scope<'a> {
    let row = item.spec.first_row + u64::from(index);
    let place = item.spec.rows_before + row;
    Scope {
        row: item.spec.inputs.row(row),
        index: place,
        sequence: place + 1,
        slot,
        attempt: item.attempt,
        upstream,
    }
}

/// Why tasks cannot begin.
#[derive(Clone, Debug, PartialEq)]
pub enum Unread {
    /// Something that they read is kept by a member of the cluster that is away: they wait.
    Away,
    /// They fail.
    Lost(Failure),
}

impl Unread {
    /// What cannot be read because of this error, which `what` says.
    #[must_use]
    pub fn new(what: &str, error: &StoreError) -> Self {
        match error {
            StoreError::Away(_) => Self::Away,
            error => {
                Self::Lost(Failure::Error(format!("{what} could not be read: {error}").into()))
            }
        }
    }
}

/// Reads the results that an item uses.
pub(crate) fn read_upstream(
    store: &dyn Store,
    item: &GrantItem,
) -> Result<Vec<UpstreamResults>, Unread> {
    let upstream = item.upstream.as_deref().unwrap_or_default();
    let mut read = Vec::with_capacity(upstream.len());
    for used in upstream {
        let bytes = |payload: &Payload| store.read(payload);
        let results = used
            .results
            .iter()
            .map(bytes)
            .collect::<Result<_, _>>()
            .map_err(|error| Unread::new(&format!("the result of `{}`", used.name), &error))?;
        let (indices, nodes) = (used.indices.clone(), used.nodes.clone());
        read.push(UpstreamResults { name: used.name.clone(), results, indices, nodes });
    }
    Ok(read)
}

/// The results as `{result.NAME}` reads them: one without its last line break, as a shell's
/// `$(...)` gives it; several each ending a line.
pub(crate) fn texts(upstream: &[UpstreamResults]) -> Vec<(Box<str>, Bytes)> {
    let text = |used: &UpstreamResults| match used.results.as_slice() {
        [one] => one.strip_suffix(b"\n").map_or_else(|| one.clone(), |line| one.slice_ref(line)),
        several => {
            let mut joined = Vec::with_capacity(several.iter().map(|one| one.len() + 1).sum());
            for one in several {
                joined.extend_from_slice(one);
                if !one.ends_with(b"\n") {
                    joined.push(b'\n');
                }
            }
            Bytes::from(joined)
        }
    };
    upstream.iter().map(|used| (used.name.clone(), text(used))).collect()
}
