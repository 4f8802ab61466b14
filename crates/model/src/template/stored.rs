//! Templates as serde writes them. A placeholder in a script is written beside its spot rather
//! than inside it, so that no part holds another and reading has a bound to its depth.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::path::PathPart;
use super::shell::Spot;
use super::{Part, Pick, Quoting, Template};

/// A template's parts and quoting.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    parts: Vec<StoredPart>,
    quoting: Quoting,
}

#[derive(Serialize, Deserialize)]
enum StoredPart {
    Literal(Bytes),
    Bare(Placeholder),
    Quoted(Placeholder, Spot),
}

#[derive(Serialize, Deserialize)]
enum Placeholder {
    Cells(Pick, PathPart),
    Index,
    Sequence,
    Slot,
    Attempt,
    Result(Box<str>, PathPart),
}

/// Why parts are not a template. Nothing was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum StoredError {
    /// A literal is empty, or follows another one.
    #[error("literal parts are not joined")]
    Literals,
    /// Columns count from 1.
    #[error("there is no column 0")]
    Column,
}

impl From<Template> for Stored {
    fn from(template: Template) -> Self {
        let parts = template.parts.into_iter().map(StoredPart::from).collect();
        Self { parts, quoting: template.quoting }
    }
}

impl From<Part> for StoredPart {
    fn from(part: Part) -> Self {
        let bare = match part {
            Part::Literal(bytes) => return Self::Literal(bytes.into()),
            Part::Quoted(part, spot) => {
                return match Self::from(*part) {
                    Self::Bare(placeholder) => Self::Quoted(placeholder, spot),
                    other => other,
                };
            }
            Part::Cells(pick, path) => Placeholder::Cells(pick, path),
            Part::Index => Placeholder::Index,
            Part::Sequence => Placeholder::Sequence,
            Part::Slot => Placeholder::Slot,
            Part::Attempt => Placeholder::Attempt,
            Part::Result(name, path) => Placeholder::Result(name, path),
        };
        Self::Bare(bare)
    }
}

impl TryFrom<Stored> for Template {
    type Error = StoredError;

    fn try_from(stored: Stored) -> Result<Self, StoredError> {
        let mut made = Self { parts: Vec::with_capacity(stored.parts.len()), ..Self::default() };
        made.quoting = stored.quoting;
        for part in stored.parts {
            let part = match part {
                StoredPart::Literal(bytes) => {
                    let joined = matches!(made.parts.last(), Some(Part::Literal(_)));
                    if joined || bytes.is_empty() {
                        return Err(StoredError::Literals);
                    }
                    Part::Literal(Vec::from(bytes).into())
                }
                StoredPart::Bare(placeholder) => placeholder.part()?,
                StoredPart::Quoted(placeholder, spot) => {
                    Part::Quoted(Box::new(placeholder.part()?), spot)
                }
            };
            made.parts.push(part);
        }
        Ok(made)
    }
}

impl Placeholder {
    fn part(self) -> Result<Part, StoredError> {
        Ok(match self {
            Self::Cells(Pick::Column(0), _) => return Err(StoredError::Column),
            Self::Cells(pick, path) => Part::Cells(pick, path),
            Self::Index => Part::Index,
            Self::Sequence => Part::Sequence,
            Self::Slot => Part::Slot,
            Self::Attempt => Part::Attempt,
            Self::Result(name, path) => Part::Result(name, path),
        })
    }
}
