//! Why something was not done: one kind of problem, with one word, HTTP status, gRPC code and exit
//! code each, so that no door and no client can disagree about it.

use tonic::Code;

use crate::v1::Problem;

/// What kind of problem it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The request itself is wrong. Nothing was changed; the same request fails again.
    Invalid,
    /// It is not known who asks. Nothing was changed.
    Unauthenticated,
    /// Who asks may not do this. Nothing was changed.
    Denied,
    /// There is no such thing. Nothing was changed.
    NotFound,
    /// It does not go with how things are now. Nothing was changed.
    Conflict,
    /// No node could ever run it. Nothing was changed.
    Unplaceable,
    /// The request is larger than a limit. Nothing was changed.
    TooLarge,
    /// A limit is reached. Nothing was changed; trying again later may help.
    Full,
    /// The node does not serve now, or cannot be reached. It is unknown whether it was done, unless
    /// the title says so.
    Unavailable,
    /// It took longer than it may. It is unknown whether it was done.
    TimedOut,
    /// The node is at fault. It is unknown whether it was done.
    Internal,
}

/// What stands for a kind of problem elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The kind.
    pub kind: Kind,
    /// Its word: the `type` of problem+json.
    pub word: &'static str,
    /// The HTTP status.
    pub http: u16,
    /// The gRPC code. Two kinds share one; the details tell them apart.
    pub grpc: Code,
    /// What the command line ends with.
    pub exit: u8,
    /// What it means, in a few words.
    pub summary: &'static str,
}

/// Every kind, in the order of [`Kind`].
#[rustfmt::skip]
pub static TABLE: [Row; 11] = [
    row(Kind::Invalid, "invalid", 400, Code::InvalidArgument, 2, "the request is wrong"),
    row(Kind::Unauthenticated, "unauthenticated", 401, Code::Unauthenticated, 4,
        "there is no valid token"),
    row(Kind::Denied, "denied", 403, Code::PermissionDenied, 4, "the caller's role is too low"),
    row(Kind::NotFound, "not-found", 404, Code::NotFound, 3, "there is no such thing"),
    row(Kind::Conflict, "conflict", 409, Code::FailedPrecondition, 1,
        "it does not go with how things are now"),
    row(Kind::Unplaceable, "unplaceable", 422, Code::FailedPrecondition, 5,
        "no node could ever run it"),
    row(Kind::TooLarge, "too-large", 413, Code::OutOfRange, 2,
        "the request is larger than a limit"),
    row(Kind::Full, "full", 429, Code::ResourceExhausted, 75,
        "a limit is reached; try again later"),
    row(Kind::Unavailable, "unavailable", 503, Code::Unavailable, 69,
        "the node does not serve now, or cannot be reached"),
    row(Kind::TimedOut, "timed-out", 504, Code::DeadlineExceeded, 124,
        "it took longer than it may"),
    row(Kind::Internal, "internal", 500, Code::Internal, 1, "the node is at fault"),
];

const fn row(
    kind: Kind,
    word: &'static str,
    http: u16,
    grpc: Code,
    exit: u8,
    summary: &'static str,
) -> Row {
    Row { kind, word, http, grpc, exit, summary }
}

impl Kind {
    /// What stands for it elsewhere.
    #[must_use]
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The kind that a word names.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.word == word).map(|row| row.kind)
    }

    /// The kind that a bare gRPC code stands for; what no kind has is the nearest one.
    #[must_use]
    pub fn of_code(code: Code) -> Self {
        match code {
            Code::AlreadyExists | Code::Aborted => Self::Conflict,
            Code::Unimplemented => Self::NotFound,
            Code::Cancelled => Self::TimedOut,
            _ => TABLE.iter().find(|row| row.grpc == code).map_or(Self::Internal, |row| row.kind),
        }
    }

    /// The kind that a bare HTTP status stands for; what no kind has is the nearest one.
    #[must_use]
    pub fn of_http(status: u16) -> Self {
        let nearest = || if (400..500).contains(&status) { Self::Invalid } else { Self::Internal };
        TABLE.iter().find(|row| row.http == status).map_or_else(nearest, |row| row.kind)
    }
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{title}")]
pub struct Refused {
    /// What kind of problem it is.
    pub kind: Kind,
    /// What went wrong with what, for people.
    pub title: String,
    /// What would help; empty where nothing can be said.
    pub help: String,
    /// Seconds after which trying again may help.
    pub retry_after: Option<f64>,
}

impl Refused {
    /// A refusal without a hint.
    #[must_use]
    pub fn new(kind: Kind, title: impl Into<String>) -> Self {
        Self { kind, title: title.into(), help: String::new(), retry_after: None }
    }

    /// The same with what would help.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    /// The same with the seconds after which trying again may help.
    #[must_use]
    pub fn retry_after(self, seconds: f64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// It as a message, which is also the body of problem+json.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let Row { word, http, .. } = *self.kind.row();
        Problem {
            r#type: word.to_owned(),
            title: self.title.clone(),
            detail: self.help.clone(),
            status: http.into(),
            retry_after: self.retry_after.unwrap_or(0.0),
        }
    }

    /// What a message says. A word that is not known, as of a later release, goes by its status.
    #[must_use]
    pub fn of_problem(problem: Problem) -> Self {
        let Problem { r#type, title, detail, status, retry_after } = problem;
        let status = || u16::try_from(status).unwrap_or(0);
        Self {
            kind: Kind::of_word(&r#type).unwrap_or_else(|| Kind::of_http(status())),
            title,
            help: detail,
            retry_after: Some(retry_after).filter(|seconds| seconds.is_finite() && *seconds > 0.0),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        refused.problem()
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::{Kind, Refused, TABLE};

    #[test]
    fn the_table_is_in_the_order_of_the_kinds() {
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kind as usize, at);
            assert_eq!(row.kind.row().word, row.word);
            assert_eq!(Kind::of_word(row.word), Some(row.kind));
            assert_eq!(Kind::of_http(row.http), row.kind);
        }
    }

    #[test]
    fn only_two_kinds_share_a_code() {
        for row in &TABLE {
            let shared = row.kind == Kind::Unplaceable;
            assert_eq!(Kind::of_code(row.grpc) == row.kind, !shared, "{}", row.word);
        }
        assert_eq!(Kind::of_code(Code::Unknown), Kind::Internal);
        assert_eq!(Kind::of_http(418), Kind::Invalid);
        assert_eq!(Kind::of_http(0), Kind::Internal);
    }

    #[test]
    fn a_problem_is_read_as_it_was_written() {
        let refused = Refused::new(Kind::Full, "1,000 jobs wait").help("wait").retry_after(2.5);
        assert_eq!(Refused::of_problem(refused.problem()), refused);
        let plain = Refused::new(Kind::NotFound, "there is no job 7");
        assert_eq!(Refused::of_problem(plain.problem()), plain);
    }

    #[test]
    fn a_word_of_a_later_release_goes_by_its_status() {
        let mut problem = Refused::new(Kind::Denied, "no").problem();
        problem.r#type = "forbidden-on-sundays".to_owned();
        problem.retry_after = f64::NAN;
        let read = Refused::of_problem(problem);
        assert_eq!((read.kind, read.retry_after), (Kind::Denied, None));
    }
}
