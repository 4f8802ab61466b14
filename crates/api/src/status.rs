//! How a refusal travels over gRPC: its problem lies in the details of the status, in the way that
//! every gRPC library knows (<https://google.aip.dev/193>), with a `RetryInfo` where it has one.

use bytes::Bytes;
use prost::Message;
use tonic::Status;
use tonic::metadata::{MetadataMap, MetadataValue};

use crate::problem::{Kind, Refused};
use crate::v1::Problem;

/// The trailer that says after how many seconds trying again may help.
pub const RETRY_AFTER: &str = "retry-after";

/// The most bytes of a title and of a help that travel. Both go in headers, of which common
/// clients take 8 KiB in all; the title goes twice, once of that with up to three bytes for one.
const TITLE_BYTES_MAX: usize = 1_000;
const HELP_BYTES_MAX: usize = 1_500;

const PROBLEM_URL: &str = "type.googleapis.com/bary.v1.Problem";
const RETRY_URL: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct Details {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl From<Refused> for Status {
    fn from(mut refused: Refused) -> Self {
        shorten(&mut refused.title, TITLE_BYTES_MAX);
        shorten(&mut refused.help, HELP_BYTES_MAX);
        let code = refused.kind.row().grpc;
        let any = |url: &str, value| Any { type_url: url.to_owned(), value };
        let mut details = vec![any(PROBLEM_URL, refused.problem().encode_to_vec())];
        let mut trailers = MetadataMap::new();
        if let Some(seconds) = refused.retry_after {
            details.push(any(RETRY_URL, retry_info(seconds).encode_to_vec()));
            if let Ok(value) = MetadataValue::try_from(seconds.to_string()) {
                trailers.insert(RETRY_AFTER, value);
            }
        }
        let whole = Details { code: code as i32, message: refused.title.clone(), details };
        let bytes = Bytes::from(whole.encode_to_vec());
        Self::with_details_and_metadata(code, refused.title, bytes, trailers)
    }
}

impl Refused {
    /// What a status says: the problem in its details, else what its code, message and
    /// `retry-after` tell.
    #[must_use]
    pub fn of_status(status: &Status) -> Self {
        problem(status.details()).map_or_else(|| bare(status), Self::of_problem)
    }
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self::of_status(&status)
    }
}

fn problem(details: &[u8]) -> Option<Problem> {
    let whole = Details::decode(details).ok()?;
    let found = whole.details.into_iter().find(|any| any.type_url == PROBLEM_URL)?;
    Problem::decode(&*found.value).ok()
}

fn bare(status: &Status) -> Refused {
    let title = match status.message() {
        "" => status.code().description(),
        message => message,
    };
    let seconds = status.metadata().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let seconds = seconds.and_then(|text| text.parse().ok());
    let retry_after = seconds.filter(|seconds: &f64| seconds.is_finite() && *seconds > 0.0);
    Refused { retry_after, ..Refused::new(Kind::of_code(status.code()), title) }
}

fn retry_info(seconds: f64) -> RetryInfo {
    // Casts from floats end at the bounds; a fraction of a second has less than 10^9 nanoseconds.
    let nanos = (seconds.fract() * 1e9) as i32;
    RetryInfo { delay: Some(Delay { seconds: seconds.trunc() as i64, nanos }) }
}

/// Cuts a text to so many bytes, and lets it be seen.
fn shorten(text: &mut String, most: usize) {
    const MARK: &str = "…";
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most - MARK.len()));
        text.push_str(MARK);
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use tonic::{Code, Status};

    use super::{Details, HELP_BYTES_MAX, PROBLEM_URL, RETRY_AFTER, TITLE_BYTES_MAX};
    use crate::problem::{Kind, Refused, TABLE};

    #[test]
    fn every_kind_comes_back_whole() {
        for row in &TABLE {
            let refused = Refused::new(row.kind, "title ü").help("help").retry_after(0.25);
            let status = Status::from(refused.clone());
            assert_eq!((status.code(), status.message()), (row.grpc, "title ü"));
            assert_eq!(status.metadata().get(RETRY_AFTER).expect("it has one"), "0.25");
            assert_eq!(Refused::of_status(&status), refused);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_fits_a_header() {
        let long = Refused::new(Kind::Invalid, "ü".repeat(10_000)).help("é".repeat(10_000));
        let status = Status::from(long);
        let read = Refused::of_status(&status);
        assert!(read.title.len() <= TITLE_BYTES_MAX && read.title.ends_with("ü…"));
        assert!(read.help.len() <= HELP_BYTES_MAX && read.help.ends_with("é…"));
        // As headers they are longer: percent signs for the message, base64 for the details.
        assert!(3 * read.title.len() + status.details().len() * 4 / 3 < 8_000);
    }

    #[test]
    fn a_status_from_elsewhere_goes_by_its_code() {
        let mut status = Status::new(Code::AlreadyExists, "");
        status.metadata_mut().insert(RETRY_AFTER, "3".parse().expect("it is plain text"));
        let read = Refused::of_status(&status);
        assert_eq!((read.kind, read.retry_after), (Kind::Conflict, Some(3.0)));
        assert!(!read.title.is_empty());
    }

    #[test]
    fn damaged_details_are_passed_over() {
        let whole = Status::from(Refused::new(Kind::Unplaceable, "no node has 3 GPUs"));
        let mut bytes = whole.details().to_vec();
        bytes.truncate(bytes.len() - 3);
        let status = Status::with_details(whole.code(), "no node has 3 GPUs", bytes.into());
        assert_eq!(Refused::of_status(&status).kind, Kind::Conflict);
        assert_eq!(Refused::of_status(&status).title, "no node has 3 GPUs");
    }

    #[test]
    fn the_details_name_the_same_code_and_message() {
        let status = Status::from(Refused::new(Kind::Denied, "no").retry_after(1.5));
        let details = Details::decode(status.details()).expect("they are ours");
        assert_eq!((details.code, details.message.as_str()), (Code::PermissionDenied as i32, "no"));
        assert_eq!(details.details[0].type_url, PROBLEM_URL);
        assert_eq!(details.details.len(), 2);
    }
}
