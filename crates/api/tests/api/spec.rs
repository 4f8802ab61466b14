//! Jobs as bytes: read as they were written, and nothing else makes the reader panic.

use std::sync::Arc;

use bary_api::problem::{Kind, Refused};
use bary_api::spec::{BYTES_MAX, DecodeError, EncodeError, VERSION, decode, encode};
use bary_model::action::Action;
use bary_model::job::{About, JobSpec};
use bary_model::task::{Body, Permit, TaskSpec};
use bary_model::time::Span;
use proptest::collection::vec;
use proptest::prelude::{any, proptest};

fn job() -> JobSpec {
    let body = Arc::new(Body::new(Action::Function { name: "noop".into(), args: Vec::new() }));
    let array = TaskSpec { count: 100, array: true, ..TaskSpec::new(Arc::clone(&body)) };
    let specs = vec![Arc::new(array), Arc::new(TaskSpec::new(body))];
    JobSpec {
        name: "two".into(),
        specs: specs.into(),
        open: true,
        halt: None,
        key: None,
        about: About::default(),
    }
}

/// The same job with its first spec changed.
fn changed(change: impl FnOnce(&mut TaskSpec)) -> JobSpec {
    let mut job = job();
    let mut spec = TaskSpec::clone(&job.specs[0]);
    change(&mut spec);
    job.specs = vec![Arc::new(spec)].into();
    job
}

#[test]
fn a_job_comes_back_and_shares_what_it_shared() {
    let bytes = encode(&job()).expect("it is good");
    let read = decode(&bytes).expect("it is ours");
    assert_eq!((&*read.name, read.tasks(), read.open), ("two", 101, true));
    assert_eq!(read.specs, job().specs);
    assert!(Arc::ptr_eq(&read.specs[0].body, &read.specs[1].body));
    assert_eq!(encode(&read).expect("it is good"), bytes);
}

#[test]
fn other_versions_are_named() {
    let mut bytes = encode(&job()).expect("it is good").to_vec();
    for found in [0, VERSION + 1, 255] {
        bytes[0] = found;
        let refused = Refused::from(decode(&bytes).expect_err("it is another version"));
        assert_eq!(refused.kind, Kind::Invalid);
        assert!(refused.title.contains(&format!("version {found},")), "{}", refused.title);
    }
}

#[test]
fn what_ends_early_or_late_is_refused() {
    let mut bytes = encode(&job()).expect("it is good").to_vec();
    for cut in 0..bytes.len() {
        assert!(decode(&bytes[..cut]).is_err(), "{cut}");
    }
    bytes.push(0);
    assert_eq!(decode(&bytes).expect_err("it goes on"), DecodeError::Trailing { bytes: 1 });
    let large = vec![VERSION; BYTES_MAX + 1];
    let refused = Refused::from(decode(&large).expect_err("it is too large"));
    assert_eq!(refused.kind, Kind::TooLarge);
}

#[test]
fn what_no_reader_takes_is_not_written() {
    let empty = changed(|spec| spec.count = 0);
    assert!(matches!(encode(&empty), Err(EncodeError::Refused(_))));
}

#[test]
fn values_of_dishonest_writers_are_refused() {
    let dishonest = [
        changed(|spec| spec.first_row = u64::MAX),
        changed(|spec| (spec.first_row, spec.rows_before) = (1 << 63, 1 << 63)),
        changed(|spec| Arc::make_mut(&mut spec.body).timeout = Span::ZERO),
        changed(|spec| {
            let permit = Permit { name: "gpu".into(), most: 0 };
            Arc::make_mut(&mut spec.body).permit = Some(permit);
        }),
    ];
    for job in &dishonest {
        let bytes = encode(job).expect("it can be written");
        assert!(matches!(decode(&bytes), Err(DecodeError::Unsound { .. })));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..300)) {
        let bytes = [&[VERSION][..], &bytes].concat();
        if let Ok(job) = decode(&bytes) {
            assert!(encode(&job).is_ok());
        }
    }

    #[test]
    fn no_damage_makes_the_reader_panic(places in vec((any::<usize>(), any::<u8>()), 1..6)) {
        let mut bytes = encode(&job()).expect("it is good").to_vec();
        for (place, byte) in places {
            let place = 1 + place % (bytes.len() - 1);
            bytes[place] = byte;
        }
        if let Ok(job) = decode(&bytes) {
            assert!(encode(&job).is_ok());
        }
    }
}
