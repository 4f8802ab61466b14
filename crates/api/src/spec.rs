//! Jobs as `SubmitRequest.spec` carries them: one byte of version, then postcard
//! (<https://postcard.jamesmunns.com/wire-format>). Bytes of strangers are safe to read: they take
//! memory in proportion to their number, and what is read is good inside.

use bary_model::job::JobSpec;
use bary_model::task::TaskSpec;
use bary_model::time::Span;
use bytes::Bytes;

use crate::chunks::{IN_PARTS, SUBMISSION_BYTES_MAX};
use crate::problem::{Kind, Refused};

/// The only version that is written and read; the one before it was never released.
pub const VERSION: u8 = 2;
/// The most bytes that are read: what one submission may have.
pub const BYTES_MAX: usize = SUBMISSION_BYTES_MAX;

/// Why a job cannot be written. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// It holds a value that no reader would take, such as a spec without tasks.
    #[error("the job holds a value that no reader takes")]
    Refused(#[source] postcard::Error),
    /// No node would read so many bytes; the job may be submitted in parts.
    #[error(
        "the job has {bytes} bytes, of {BYTES_MAX} that a submission may have \
             (submissions_bytes_max)"
    )]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
}

/// Why bytes are no job. Nothing was made of them; the same bytes fail again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// There are too many bytes to begin with.
    #[error(
        "the job has {bytes} bytes, of {BYTES_MAX} that a submission may have \
             (submissions_bytes_max)"
    )]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// There are none.
    #[error("the job is empty")]
    Empty,
    /// Another release wrote them; this one does not know how.
    #[error("the job has version {found}, this release reads version {VERSION}")]
    Version {
        /// The version that they have.
        found: u8,
    },
    /// They end early, or hold a value that no constructor makes.
    #[error("the job is damaged")]
    Malformed(#[source] postcard::Error),
    /// A task has a value that no honest writer gives, and that is not refused elsewhere.
    #[error("`{name}` {what}")]
    Unsound {
        /// The name of its spec.
        name: Box<str>,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Something follows the job.
    #[error("{bytes} bytes follow the end of the job")]
    Trailing {
        /// How many bytes.
        bytes: usize,
    },
}

/// Writes a job.
///
/// # Errors
/// Where no node would read it.
pub fn encode(job: &JobSpec) -> Result<Bytes, EncodeError> {
    let bytes = postcard::to_extend(job, vec![VERSION]).map_err(EncodeError::Refused)?;
    match bytes.len() {
        0..=BYTES_MAX => Ok(bytes.into()),
        bytes => Err(EncodeError::TooLarge { bytes }),
    }
}

/// How many bytes [`encode`] would make of a job; none where it would make none.
#[must_use]
pub fn bytes(job: &JobSpec) -> Option<usize> {
    let size = postcard::ser_flavors::Size::default();
    postcard::serialize_with_flavor::<_, _, usize>(job, size).ok()
}

/// Reads a job.
///
/// # Errors
/// Where the bytes are none, or of another version.
pub fn decode(bytes: &[u8]) -> Result<JobSpec, DecodeError> {
    if bytes.len() > BYTES_MAX {
        return Err(DecodeError::TooLarge { bytes: bytes.len() });
    }
    let (&found, rest) = bytes.split_first().ok_or(DecodeError::Empty)?;
    if found != VERSION {
        return Err(DecodeError::Version { found });
    }
    let (job, rest): (JobSpec, _) =
        postcard::take_from_bytes(rest).map_err(DecodeError::Malformed)?;
    if !rest.is_empty() {
        return Err(DecodeError::Trailing { bytes: rest.len() });
    }
    for spec in job.specs.iter() {
        if let Some(what) = fault(spec) {
            return Err(DecodeError::Unsound { name: spec.name.clone(), what });
        }
    }
    Ok(job)
}

/// What is wrong with a spec; dependencies are the home's to judge.
fn fault(spec: &TaskSpec) -> Option<&'static str> {
    let rows = spec.first_row.checked_add(spec.rows_before);
    if rows.and_then(|rows| rows.checked_add(spec.count.into())).is_none() {
        return Some("begins at a row that cannot be");
    }
    if spec.body.timeout == Span::ZERO {
        return Some("has a timeout of nothing");
    }
    let useless = spec.body.permit.as_ref().is_some_and(|permit| permit.most == 0);
    useless.then_some("has a limit that lets nothing run")
}

impl From<EncodeError> for Refused {
    fn from(error: EncodeError) -> Self {
        match &error {
            EncodeError::Refused(cause) => Self::new(Kind::Invalid, format!("{error}: {cause}")),
            EncodeError::TooLarge { .. } => {
                Self::new(Kind::TooLarge, error.to_string()).help(IN_PARTS)
            }
        }
    }
}

impl From<DecodeError> for Refused {
    fn from(error: DecodeError) -> Self {
        let invalid = |help| Self::new(Kind::Invalid, error.to_string()).help(help);
        match &error {
            DecodeError::TooLarge { .. } => {
                Self::new(Kind::TooLarge, error.to_string()).help(IN_PARTS)
            }
            DecodeError::Version { .. } => invalid("use a client and a node of the same release"),
            DecodeError::Unsound { .. } => invalid(""),
            DecodeError::Empty | DecodeError::Malformed(_) | DecodeError::Trailing { .. } => {
                invalid("programs in other languages send `file` or `tasks` instead of `spec`")
            }
        }
    }
}
