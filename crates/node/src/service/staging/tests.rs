//! What is staged is bounded in every way, and comes in order.

use bary_api::v1::submit_request::Job;

use super::*;

fn limits() -> ServiceLimits {
    ServiceLimits {
        submissions_bytes_max: 100,
        staged_bytes_max: 250,
        staged_caller_bytes_max: 150,
        staged_max: 5,
        staged_caller_max: 3,
        staged_span: Duration::from_secs(600),
        ..ServiceLimits::default()
    }
}

fn begin(id: &str, bytes: u64) -> BeginRequest {
    let submit = Some(SubmitRequest { name: "n".to_owned(), ..SubmitRequest::default() });
    BeginRequest { id: id.to_owned(), submit, format: "file".to_owned(), bytes, job: 0 }
}

struct Desk {
    staging: Staging,
    limits: ServiceLimits,
    start: Instant,
}

impl Desk {
    fn new() -> Self {
        Self { staging: Staging::default(), limits: limits(), start: Instant::now() }
    }

    fn begin(&self, caller: &str, request: BeginRequest, at: u64) -> Result<(u64, bool), Refused> {
        let now = self.start + Duration::from_secs(at);
        self.staging.begin(caller, request, &self.limits, now)
    }

    fn chunk(&self, id: &str, offset: u64, data: &str) -> Result<u64, Kind> {
        let added = self.staging.chunk("me", id, offset, data.as_bytes(), self.start);
        added.map_err(|refused| refused.kind)
    }

    /// When to look again, in seconds.
    fn look(&self, at: u64) -> Option<u64> {
        let now = self.start + Duration::from_secs(at);
        let due = self.staging.drop_abandoned(self.limits.staged_span, now)?;
        Some(due.duration_since(self.start).as_secs())
    }
}

#[test]
fn chunks_come_in_order_and_may_be_repeated() {
    let desk = Desk::new();
    assert_eq!(desk.chunk("a", 0, "x"), Err(Kind::NotFound));
    assert_eq!(desk.begin("me", begin("a", 6), 0), Ok((0, true)));
    assert_eq!(desk.chunk("a", 0, "abc"), Ok(3));
    assert_eq!(desk.chunk("a", 0, "abc"), Ok(3));
    assert_eq!(desk.chunk("a", 1, "b"), Ok(3));
    assert_eq!(desk.begin("me", begin("a", 6), 0), Ok((3, false)), "it says how much has come");
    assert_eq!(desk.chunk("a", 4, "e"), Err(Kind::Conflict), "that leaves a gap");
    assert_eq!(desk.chunk("a", u64::MAX, "e"), Err(Kind::Conflict));
    assert_eq!(desk.chunk("a", 0, "axc"), Err(Kind::Conflict), "that was another");
    assert_eq!(desk.chunk("a", 2, "cdefg"), Err(Kind::Invalid), "that is too much");
    let staged = desk.staging.find("me", "a").expect("it has begun");
    assert_eq!(staged.whole().map_err(|refused| refused.kind), Err(Kind::Conflict));
    assert_eq!(desk.chunk("a", 2, "cdef"), Ok(6));
    for _ in 0..2 {
        let whole = staged.whole().expect("all has come");
        assert_eq!(whole.job, Some(Job::File("abcdef".to_owned())));
        assert_eq!((&*whole.idempotency_key, &*whole.name), ("a", "n"));
        assert_eq!(desk.chunk("a", 3, "def"), Ok(6), "a chunk may come late");
    }
    assert!(desk.staging.find("you", "a").is_none(), "names of callers do not meet");
}

#[test]
fn an_id_names_one_submission() {
    let desk = Desk::new();
    assert_eq!(desk.begin("me", begin("a", 6), 0), Ok((0, true)));
    let refused = |request| desk.begin("me", request, 0).map_err(|refused| refused.kind);
    assert_eq!(refused(begin("a", 7)), Err(Kind::Conflict));
    assert_eq!(refused(begin("", 7)), Err(Kind::Invalid));
    assert_eq!(refused(BeginRequest { format: "zip".into(), ..begin("b", 7) }), Err(Kind::Invalid));
    let job = Some(Job::File("x".to_owned()));
    let submit = Some(SubmitRequest { job, ..SubmitRequest::default() });
    assert_eq!(refused(BeginRequest { submit, ..begin("b", 7) }), Err(Kind::Invalid));
    let submit = Some(SubmitRequest { idempotency_key: "c".into(), ..SubmitRequest::default() });
    assert_eq!(refused(BeginRequest { submit, ..begin("b", 7) }), Err(Kind::Invalid));
}

#[test]
fn what_is_staged_is_bounded() {
    let desk = Desk::new();
    let begin = |caller, id, bytes| {
        let begun = desk.begin(caller, begin(id, bytes), 0).map(drop);
        begun.map_err(|refused| {
            assert_eq!(refused.kind == Kind::Full, refused.retry_after.is_some());
            refused.title
        })
    };
    let says = |refused: Result<(), String>, limit: &str| {
        assert!(refused.as_ref().is_err_and(|title| title.contains(limit)), "{refused:?}");
    };
    says(begin("me", "a", 101), "submissions_bytes_max");
    says(begin("me", "a", u64::MAX), "submissions_bytes_max");
    assert_eq!(begin("me", "a", 100), Ok(()));
    says(begin("me", "b", 51), "staged_caller_bytes_max");
    assert_eq!(begin("me", "b", 50), Ok(()));
    assert_eq!(begin("you", "a", 100), Ok(()));
    says(begin("them", "a", 1), "staged_bytes_max");
    assert_eq!(begin("me", "c", 0), Ok(()));
    says(begin("me", "d", 0), "staged_caller_max");
    assert_eq!(begin("you", "b", 0), Ok(()));
    says(begin("them", "a", 0), "staged_max");
    desk.staging.remove("me", "a");
    assert_eq!(begin("them", "a", 100), Ok(()));
}

#[test]
fn what_is_abandoned_is_dropped() {
    let desk = Desk::new();
    assert_eq!(desk.begin("me", begin("a", 100), 0), Ok((0, true)));
    assert_eq!(desk.begin("me", begin("b", 50), 300), Ok((0, false)), "somebody watches");
    assert_eq!(desk.look(0), Some(600));
    assert_eq!(desk.look(600), Some(900), "the first was dropped");
    assert_eq!(desk.begin("me", begin("c", 100), 600), Ok((0, false)), "and its room is free");
    let held = desk.staging.find("me", "b").expect("it has begun");
    let turn = held.turn.try_lock().expect("nobody commits it");
    assert_eq!(desk.look(900), Some(901), "one that is committed is not abandoned");
    drop(turn);
    assert_eq!(desk.look(900), Some(1_200));
    assert_eq!(desk.look(1_200), None);
    assert_eq!(desk.begin("me", begin("a", 100), 1_200), Ok((0, true)), "nobody watched");
}
