//! Submissions in chunks: how a job that is too large for one message becomes bytes, and bytes a
//! job again.

use std::fmt;

use bytes::Bytes;
use prost::Message;

use crate::problem::{Kind, Refused};
use crate::v1::submit_request::Job;
use crate::v1::{SubmitRequest, Tasks};

/// The most bytes of one submission. A journal takes 256 MiB at a time; the rest is for what else
/// happens in that moment.
pub const SUBMISSION_BYTES_MAX: usize = 240 << 20;
/// What to do with a submission that is larger.
pub const IN_PARTS: &str = "say it in less: an array, or one input a line; or say it in parts: \
                            `bary job open NAME`, and `bary job add JOB` for each part";
/// The most bytes of one chunk; as base64 it still fits a JSON request.
pub const CHUNK_BYTES_MAX: usize = 8 << 20;

/// What the bytes of a submission are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A job as the Rust client builds it.
    Spec,
    /// The text of a job file.
    File,
    /// A message [`Tasks`].
    Tasks,
    /// The inputs of tasks that were said before, one a line.
    Lines,
}

impl Format {
    /// Every format with its word.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Spec, "spec"),
        (Self::File, "file"),
        (Self::Tasks, "tasks"),
        (Self::Lines, "lines"),
    ];

    /// Its word in messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The format that a word names.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub fn of_word(word: &str) -> Result<Self, Refused> {
        let found = Self::ALL.iter().find(|(_, known)| *known == word);
        found.map(|(format, _)| *format).ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|(_, word)| *word).collect();
            Refused::new(Kind::Invalid, format!("there is no format `{word}`"))
                .help(format!("there are {}", words.join(", ")))
        })
    }

    /// The job that bytes are; `said` is what was said of it before them.
    ///
    /// # Errors
    /// Where they are none.
    pub fn job(self, bytes: Bytes, said: Option<Job>) -> Result<Job, Refused> {
        match (self, said) {
            (Self::Spec, None) => Ok(Job::Spec(bytes)),
            (Self::File, None) => match String::from_utf8(bytes.into()) {
                Ok(text) => Ok(Job::File(text)),
                Err(_) => Err(invalid("the job file is no text in UTF-8")),
            },
            (Self::Tasks, None) => match Tasks::decode(bytes) {
                Ok(tasks) => Ok(Job::Tasks(tasks)),
                Err(error) => Err(invalid(format!("the bytes are no message Tasks: {error}"))),
            },
            (Self::Lines, Some(Job::Tasks(tasks))) => {
                Ok(Job::Tasks(Tasks { inputs: lines(&bytes), ..tasks }))
            }
            (_, said) => Err(misfit(self, said.is_some())),
        }
    }

    /// Whether what was said of a job before its bytes goes with the format.
    ///
    /// # Errors
    /// Where it does not.
    pub fn check(self, said: Option<&Job>) -> Result<(), Refused> {
        match (self, said) {
            (Self::Lines, Some(Job::Tasks(tasks))) if tasks.inputs.is_empty() => Ok(()),
            (Self::Spec | Self::File | Self::Tasks, None) => Ok(()),
            (_, said) => Err(misfit(self, said.is_some())),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Takes the job out of a submission, as bytes; none where it has none.
#[must_use]
pub fn split(request: &mut SubmitRequest) -> Option<(Format, Bytes)> {
    Some(match request.job.take()? {
        Job::Spec(bytes) => (Format::Spec, bytes),
        Job::File(text) => (Format::File, text.into()),
        Job::Tasks(tasks) => (Format::Tasks, tasks.encode_to_vec().into()),
    })
}

/// How many bytes a message is, such as a submission.
#[must_use]
pub fn bytes(request: &impl Message) -> usize {
    request.encoded_len()
}

/// Each line without its end; what follows the last end is a line where it is anything.
fn lines(bytes: &Bytes) -> Vec<Bytes> {
    let each = bytes.split_inclusive(|&byte| byte == b'\n');
    each.map(|line| bytes.slice_ref(line.strip_suffix(b"\n").unwrap_or(line))).collect()
}

fn misfit(format: Format, said: bool) -> Refused {
    let title = match (format, said) {
        (Format::Lines, _) => {
            "lines are inputs of `submit.tasks`, which has none itself".to_owned()
        }
        (_, true) => format!("the bytes are the job, a {format}: `submit` must have none"),
        (_, false) => format!("the job, a {format}, is missing"),
    };
    invalid(title)
}

fn invalid(title: impl Into<String>) -> Refused {
    Refused::new(Kind::Invalid, title)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(job: Job) -> Result<Job, Refused> {
        let mut request = SubmitRequest { job: Some(job), ..SubmitRequest::default() };
        let (format, bytes) = split(&mut request).expect("it has a job");
        assert_eq!(Format::of_word(format.word()), Ok(format));
        format.check(request.job.as_ref())?;
        format.job(bytes, request.job)
    }

    #[test]
    fn a_job_becomes_bytes_and_a_job_again() {
        let tasks = Tasks {
            function: "f".into(),
            inputs: vec!["a\n".into(), "".into()],
            ..Tasks::default()
        };
        for job in [Job::Spec("x".into()), Job::File("ü".into()), Job::Tasks(tasks)] {
            assert_eq!(whole(job.clone()), Ok(job));
        }
    }

    #[test]
    fn lines_are_the_inputs_of_what_was_said() {
        let said = Job::Tasks(Tasks { function: "f".into(), ..Tasks::default() });
        assert_eq!(Format::Lines.check(Some(&said)), Ok(()));
        let job = Format::Lines.job("a\r\n\nlast".into(), Some(said.clone()));
        let Ok(Job::Tasks(tasks)) = job else { panic!("they are tasks: {job:?}") };
        assert_eq!(
            (&*tasks.function, tasks.inputs),
            ("f", vec!["a\r".into(), "".into(), "last".into()])
        );
        assert!(Format::Lines.check(None).is_err() && Format::Spec.check(Some(&said)).is_err());
    }

    #[test]
    fn bytes_that_are_no_job_are_refused() {
        let file = Format::File.job(Bytes::from_static(b"\xff"), None);
        let tasks = Format::Tasks.job(Bytes::from_static(b"\xff"), None);
        for wrong in [file, tasks, Format::of_word("zip").map(|_| Job::File(String::new()))] {
            assert!(wrong.is_err_and(|refused| refused.kind == Kind::Invalid));
        }
    }
}
