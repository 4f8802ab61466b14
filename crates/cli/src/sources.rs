//! Where the inputs of `bary map` come from, and the table that they make where all are at hand.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bary_jobfile::files::{Disk, Files};
use bary_jobfile::glob::{self, Search, SearchError};
use bary_jobfile::limits::EACH_LINE_BYTES_MAX;
use bary_jobfile::range::Range;
use bary_model::inputs::lines::Lines;
use bary_model::inputs::{Column, Grouping, Inputs, InputsError};

use crate::args::map::InputArgs;
use crate::limits;
use crate::sources::cut::{Cut, Rows};
use crate::words::{WordSource, WordValues};

pub(crate) mod chunk;
pub(crate) mod cut;
pub(crate) mod stream;

/// One source of inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// Whether it advances with the source before it.
    linked: bool,
    kind: SourceKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SourceKind {
    Given(Vec<Vec<u8>>),
    /// The lines of a file; `-` is standard input.
    LinesOf(PathBuf),
    Numbers(Range),
    FilesBelow(PathBuf),
}

/// Why sources give no inputs. Nothing has run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("{path}: {cause}")]
    Read { path: String, cause: std::io::Error },
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error(transparent)]
    Inputs(#[from] InputsError),
    #[error(
        "{count} inputs are more than -X groups (limit context_inputs_max = {})",
        limits::CONTEXT_INPUTS_MAX
    )]
    Context { count: u64 },
}

/// All sources in their order: those of flags, then those among the words.
pub(crate) fn of(args: &InputArgs, words: &[WordSource]) -> Vec<Source> {
    let own = |kind| Source { linked: false, kind };
    let mut sources: Vec<Source> =
        args.each_line.iter().map(|path| own(SourceKind::LinesOf(path.clone()))).collect();
    sources.extend(args.each_file.iter().map(|path| own(SourceKind::FilesBelow(path.clone()))));
    sources.extend(args.array.map(|range| own(SourceKind::Numbers(range))));
    sources.extend(words.iter().map(|word| Source {
        linked: word.linked,
        kind: match &word.values {
            WordValues::Given(values) => SourceKind::Given(values.clone()),
            WordValues::LinesOf(path) => SourceKind::LinesOf(path.clone()),
        },
    }));
    sources
}

/// Standard input, line by line.
pub(crate) fn standard_input() -> Source {
    Source { linked: false, kind: SourceKind::LinesOf("-".into()) }
}

impl Source {
    /// The file to read as a stream; none for values that are at hand.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.kind {
            SourceKind::LinesOf(path) => Some(path),
            _ => None,
        }
    }

    fn columns(&self, cut: &Cut) -> Result<Vec<Column>, SourceError> {
        let lines = match &self.kind {
            SourceKind::Numbers(range) => return Ok(vec![range.column()]),
            SourceKind::Given(values) => {
                values.iter().filter(|value| cut.wants(value)).collect::<Lines>()
            }
            SourceKind::LinesOf(path) => cut.lines(&whole(path)?),
            SourceKind::FilesBelow(path) => {
                let found = files_below(path)?;
                let names = found.iter().map(|path| path.as_os_str().as_encoded_bytes());
                names.collect::<Lines>()
            }
        };
        Ok(cut.columns(lines))
    }
}

/// The rows of all sources: the product of groups, each of columns that advance together.
pub(crate) fn table(sources: &[Source], cut: &Cut, slots: u32) -> Result<Inputs, SourceError> {
    let mut groups: Vec<Vec<Column>> = Vec::new();
    for source in sources {
        let columns = source.columns(cut)?;
        match groups.last_mut() {
            Some(group) if source.linked => group.extend(columns),
            _ => groups.push(columns),
        }
    }
    match cut.rows {
        Rows::Single | Rows::Blocks(_) => Ok(Inputs::new(groups, Grouping::Single)?),
        Rows::Every(size) => Ok(Inputs::new(groups, Grouping::Every(size))?),
        Rows::Fit(fit) => {
            let single = Inputs::new(groups.clone(), Grouping::Single)?;
            if single.rows() > limits::CONTEXT_INPUTS_MAX {
                return Err(SourceError::Context { count: single.rows() });
            }
            let lengths = (0..single.rows())
                .map(|n| single.row(n).values().map(|value| value.len() + 1).sum::<usize>());
            let ends: Arc<[u32]> = fit.ends(lengths, Some(slots)).into();
            Ok(Inputs::new(groups, Grouping::Ends(ends))?)
        }
    }
}

/// Opens a file, or standard input for `-`.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read + Send>, SourceError> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(std::io::stdin()));
    }
    let file = std::fs::File::open(path);
    let file = file.and_then(|file| match file.metadata()?.is_dir() {
        true => Err(std::io::ErrorKind::IsADirectory.into()),
        false => Ok(file),
    });
    Ok(Box::new(file.map_err(|cause| read_error(path, cause))?))
}

pub(crate) fn read_error(path: &Path, cause: std::io::Error) -> SourceError {
    let name = if path.as_os_str() == "-" { Path::new("standard input") } else { path };
    SourceError::Read { path: name.display().to_string(), cause }
}

fn whole(path: &Path) -> Result<Vec<u8>, SourceError> {
    let failed = |cause| read_error(path, cause);
    let mut bytes = Vec::new();
    let most = EACH_LINE_BYTES_MAX;
    open(path)?.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        let text = format!("it is longer than each_line_bytes_max = {most}");
        return Err(failed(std::io::Error::new(std::io::ErrorKind::FileTooLarge, text)));
    }
    Ok(bytes)
}

fn files_below(path: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let Some(text) = path.to_str() else {
        let cause = std::io::Error::new(std::io::ErrorKind::InvalidInput, "its name is not UTF-8");
        return Err(read_error(path, cause));
    };
    let search = Search { path: text.to_owned(), base: PathBuf::new(), name: None, text: false };
    let files: &dyn Files = &Disk;
    Ok(glob::find(&search, files)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    fn rows(words: &[&str], cut: &Cut) -> Vec<String> {
        let words: Vec<std::ffi::OsString> = words.iter().map(Into::into).collect();
        let words = words::parse(&words).expect("they are words");
        let sources = of(&InputArgs::default(), &words.sources);
        let inputs = table(&sources, cut, 2).expect("they are inputs");
        let row = |n| {
            let values: Vec<_> = inputs.row(n).values().map(|v| v.into_owned()).collect();
            String::from_utf8_lossy(&values.join(&b' ')).into_owned()
        };
        (0..inputs.rows()).map(row).collect()
    }

    #[test]
    fn sources_are_combined_or_linked_as_with_gnu_parallel() {
        let cut = Cut::lines_of(b'\n');
        let product = rows(&["x", ":::", "a", "b", ":::", "1", "2"], &cut);
        assert_eq!(product, ["a 1", "a 2", "b 1", "b 2"]);
        assert_eq!(rows(&["x", ":::", "a", "b", ":::+", "1", "2"], &cut), ["a 1", "b 2"]);
    }

    #[test]
    fn values_are_cut_into_columns_and_blank_ones_left_out() {
        let cut = Cut { colsep: Some(b",".to_vec()), skip_blank: true, ..Cut::lines_of(b'\n') };
        assert_eq!(rows(&["x", ":::", "a,b", " ", "c,d"], &cut), ["a b", "c d"]);
    }

    #[test]
    fn many_inputs_are_grouped() {
        let cut = Cut { rows: Rows::Every(2), ..Cut::lines_of(b'\n') };
        assert_eq!(rows(&["x", ":::", "a", "b", "c"], &cut), ["a b", "c"]);
    }
}
