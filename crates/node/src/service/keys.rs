//! Idempotency: the key and the content of a submission as the ledger keeps them.

use bary_api::problem::{Kind, Refused};
use bary_api::v1::SubmitRequest;
use bary_api::v1::submit_request::Job;
use bary_model::job::SubmissionKey;
use prost::Message;

/// The most bytes that a key may have.
const KEY_BYTES_MAX: usize = 255;

/// The key of a submission, where it has one. Callers do not meet in their keys. The content is the
/// same however it came, whole or in chunks, and whatever durability was asked for.
pub(super) fn of(
    request: &mut SubmitRequest,
    caller: &str,
) -> Result<Option<SubmissionKey>, Refused> {
    if request.idempotency_key.is_empty() {
        return Ok(None);
    }
    check(&request.idempotency_key)?;
    let key = number(&request.idempotency_key, caller);
    let job = request.job.take();
    let durability = std::mem::take(&mut request.durability);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&request.encode_to_vec());
    (request.job, request.durability) = (hashed(job, &mut hasher), durability);
    let mut content = [0; 8];
    content.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    Ok(Some(SubmissionKey { key, content: u64::from_le_bytes(content) }))
}

/// Whether a text may be a key.
pub(super) fn check(key: &str) -> Result<(), Refused> {
    if (1..=KEY_BYTES_MAX).contains(&key.len()) {
        return Ok(());
    }
    let title = format!("an idempotency key has 1 to {KEY_BYTES_MAX} bytes");
    Err(Refused::new(Kind::Invalid, title))
}

/// The number that stands for a caller's key.
pub(super) fn number(key: &str, caller: &str) -> u128 {
    let mut named = blake3::Hasher::new();
    named.update(&(caller.len() as u64).to_le_bytes());
    named.update(caller.as_bytes()).update(key.as_bytes());
    let mut number = [0; 16];
    number.copy_from_slice(&named.finalize().as_bytes()[..16]);
    u128::from_le_bytes(number)
}

/// Hashes a job without a copy of it, and gives it back.
fn hashed(job: Option<Job>, hasher: &mut blake3::Hasher) -> Option<Job> {
    let mut part = |tag: u8, bytes: &[u8]| {
        hasher.update(&[tag]).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    };
    match job? {
        Job::Spec(bytes) => {
            part(1, &bytes);
            Some(Job::Spec(bytes))
        }
        Job::File(text) => {
            part(2, text.as_bytes());
            Some(Job::File(text))
        }
        Job::Tasks(mut tasks) => {
            let inputs = std::mem::take(&mut tasks.inputs);
            part(3, &tasks.encode_to_vec());
            inputs.iter().for_each(|input| part(4, input));
            tasks.inputs = inputs;
            Some(Job::Tasks(tasks))
        }
    }
}

#[cfg(test)]
mod tests {
    use bary_api::v1::Tasks;

    use super::*;

    fn request(key: &str, name: &str) -> SubmitRequest {
        SubmitRequest {
            idempotency_key: key.to_owned(),
            name: name.to_owned(),
            ..SubmitRequest::default()
        }
    }

    fn key(mut request: SubmitRequest, caller: &str) -> Option<SubmissionKey> {
        let before = request.clone();
        let key = of(&mut request, caller).expect("it is short");
        assert_eq!(request, before, "nothing of it is lost");
        key
    }

    #[test]
    fn a_key_is_of_its_caller_and_its_content() {
        let first = key(request("a", "x"), "me").expect("there is one");
        assert_eq!(key(request("a", "x"), "me"), Some(first));
        let other = key(request("a", "y"), "me").expect("there is one");
        assert!(other.key == first.key && other.content != first.content);
        assert_ne!(key(request("a", "x"), "you").map(|key| key.key), Some(first.key));
        assert_eq!(key(request("", "x"), "me"), None);
        assert!(of(&mut request(&"a".repeat(256), "x"), "me").is_err());
        let durable = SubmitRequest { durability: "memory".to_owned(), ..request("a", "x") };
        assert_eq!(key(durable, "me"), Some(first));
    }

    #[test]
    fn every_part_of_a_job_counts() {
        let tasks = |inputs: &[&'static str]| {
            let inputs = inputs.iter().map(|input| (*input).into()).collect();
            Job::Tasks(Tasks { function: "f".to_owned(), inputs, ..Tasks::default() })
        };
        let jobs = [
            None,
            Some(Job::Spec("x".into())),
            Some(Job::File("x".into())),
            Some(tasks(&["a", "b"])),
            Some(tasks(&["ab"])),
            Some(tasks(&[])),
        ];
        let contents = jobs.map(|job| {
            let of = key(SubmitRequest { job, ..request("k", "") }, "me");
            of.expect("there is one").content
        });
        let mut different = contents.to_vec();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), contents.len());
    }
}
