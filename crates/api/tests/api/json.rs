//! Every message there and back, as JSON and as protobuf.

use bary_api::shape::{MESSAGES, Message, Times};
use bary_api::v1;
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::random::{self, Draw};

/// Calls one generic function for the message of a name.
macro_rules! messages {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        fn check(name: &str, bytes: &[u8]) {
            match name {
                $(stringify!($name) => there_and_back::<v1::$name>(name, bytes),)*
                _ => panic!("{name} is not in the list"),
            }
        }
    };
}

messages! {
    InfoRequest InfoReply SubmitRequest BeginRequest ChunkRequest CommitRequest StagedReply
    Tasks SubmitReply SessionRequest SessionReply Accepted Refused Problem ExtendRequest
    ExtendReply JobsRequest CancelRequest SetPriorityRequest PruneRequest ChangedReply
    ListJobsRequest ListJobsReply Unreached Job ListTasksRequest ListTasksReply JobEntry
    RanTasks Task WaitRequest WaitReply EventsRequest Event LogsRequest LogChunk ResultsRequest
    TaskResult WhyRequest WhyReply Candidate ExecInput ExecStart WindowSize ExecOutput
    ExecStarted ExecEnded ListNodesRequest ListNodesReply NodeStatus GraphRequest GraphReply
    GraphMove GraphPlace GraphWay ChangeNodeRequest ListPoliciesRequest ListPoliciesReply LearntTime
    Policy SetPolicyRequest SetPolicyReply TryPolicyRequest TryPolicyReply CacheRequest
    CacheReply ClearCacheRequest ClearCacheReply AuditRequest AuditLine ListTokensRequest
    ListTokensReply TokenInfo CreateTokenRequest CreateTokenReply RevokeTokenRequest
    BackupRequest BackupReply ListSettingsRequest ListSettingsReply Setting SetSettingRequest
    SetSettingReply ScaleRequest ScaleReply ScaleCount ScaleNode ScaleDecision ShutdownRequest
    FromWorker Register ToWorker Registered Run RunTask Upstream StopRun RunsEnded RunEnded
    TaskEnded Progress Checkpoint Output Leave
}

fn there_and_back<T>(name: &str, bytes: &[u8])
where
    T: prost::Message + Default + PartialEq + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let message = T::decode(bytes).expect("it was drawn by the contract");
    let text = serde_json::to_string(&message).expect("it is plain data");
    let read: T = serde_json::from_str(&text).expect("it is our own text");
    assert_eq!(read, message, "{text}");
    assert_eq!(read.encode_to_vec(), message.encode_to_vec(), "{text}");

    let mut value: Value = serde_json::from_str(&text).expect("it is our own text");
    let shape = Message::of(name).expect("it is in the contract");
    looks_as_promised(shape, &value);

    let object = value.as_object_mut().expect("messages are objects");
    object.insert("nobody_knows_this".to_owned(), Value::Null);
    let refused = serde_json::from_value::<T>(value).err().map(|fault| fault.to_string());
    match refused {
        Some(fault) => assert!(shape.asked && fault.contains("`nobody_knows_this`"), "{fault}"),
        None => assert!(!shape.asked, "{name} took an unknown field"),
    }
}

/// Fields that are always there are there, and the others only as themselves.
fn looks_as_promised(shape: &Message, value: &Value) {
    let object = value.as_object().expect("messages are objects");
    for (name, value) in object {
        assert!(shape.field(name).is_some(), "{}.{name}", shape.name);
        assert!(!value.is_null(), "{}.{name}", shape.name);
    }
    for field in shape.fields.iter().filter(|field| field.times != Times::Optional) {
        assert!(object.contains_key(field.name), "{}.{}", shape.name, field.name);
    }
}

#[test]
fn the_list_has_every_message() {
    let wanted: Vec<&str> = MESSAGES.iter().map(|message| message.name).collect();
    assert_eq!(NAMES, wanted);
}

#[test]
fn empty_messages_come_back() {
    for name in NAMES {
        check(name, &[]);
    }
}

proptest! {
    #[test]
    fn every_message_comes_back(bytes in vec(any::<u8>(), 0..200)) {
        for shape in MESSAGES {
            check(shape.name, &random::message(shape, &mut Draw(&bytes)));
        }
    }
}

#[test]
fn a_job_is_written_as_people_would() {
    let text = r#"{"file": "[[task]]", "tags": {"team": "x"}, "after": [1]}"#;
    let request: v1::SubmitRequest = serde_json::from_str(text).expect("it is whole");
    assert_eq!(request.job, Some(v1::submit_request::Job::File("[[task]]".to_owned())));
    let json = serde_json::to_value(&request).expect("it is plain data");
    assert_eq!(json["file"], "[[task]]");
    assert_eq!((json.get("spec"), json.get("tasks"), json.get("job")), (None, None, None));

    let run: v1::ToWorker =
        serde_json::from_str(r#"{"run": {"run": 7, "tasks": [{"input": "aGk="}]}}"#)
            .expect("it is whole");
    let Some(v1::to_worker::What::Run(run)) = run.what else { panic!("it is a run") };
    assert_eq!((run.run, &run.tasks[0].input[..]), (7, &b"hi"[..]));
}

#[test]
fn a_reader_takes_fields_that_a_later_release_answers_with() {
    let text = r#"{"job": 3, "colour": "red"}"#;
    let reply: v1::SubmitReply = serde_json::from_str(text).expect("the rest is known");
    assert_eq!(reply.job, 3);
}
