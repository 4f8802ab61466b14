//! Sessions, events and output, as they come.

use std::collections::BTreeMap;

use bary_api::v1::submit_request::Job;
use bary_api::v1::{self, SubmitRequest};
use bary_node::service::Streamed;
use bytes::Bytes;
use prost::Message;
use tokio_stream::StreamExt;

use crate::world::{World, all, calls, command};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_tells_answers_and_outcomes() {
    let world = World::new();
    let (send, sent) = tokio::sync::mpsc::channel(8);
    let requests: Streamed<v1::SessionRequest> =
        Box::pin(tokio_stream::wrappers::ReceiverStream::new(sent));
    let mut replies = world.service.session(&world.admin, requests).await.expect("an admin may");
    let session = |ticket, submit, staged: &str| {
        Ok(v1::SessionRequest { ticket, submit, outcomes: true, staged: staged.into() })
    };
    let submit = |ticket, request| session(ticket, Some(request), "");
    send.send(submit(7, calls("echo", &["a", "b"]))).await.expect("it is read");
    send.send(submit(8, calls("fail", &["bad"]))).await.expect("it is read");
    send.send(submit(9, SubmitRequest::default())).await.expect("it is read");
    let calls = v1::Tasks { function: "echo".into(), ..v1::Tasks::default() };
    let said = SubmitRequest { job: Some(Job::Tasks(calls)), ..SubmitRequest::default() };
    let (id, format) = ("s".to_owned(), "lines".to_owned());
    let begin = v1::BeginRequest { id, submit: Some(said), format, bytes: 3, job: 0 };
    world.service.begin(&world.admin, begin).await.expect("there is room");
    send.send(session(10, None, "s")).await.expect("it is read");
    send.send(session(11, None, "none")).await.expect("it is read");
    send.send(session(12, Some(SubmitRequest::default()), "s")).await.expect("it is read");
    let (mut accepted, mut refused, mut outcomes) = (BTreeMap::new(), vec![], vec![]);
    let mut send = Some(send);
    while let Some(reply) = replies.next().await {
        let reply = reply.expect("it goes well");
        // What was refused since bytes of it were missing goes on once they are there.
        if let Some(send) = send.take_if(|_| reply.refused.iter().any(|one| one.ticket == 12)) {
            let chunk = v1::ChunkRequest { id: "s".into(), offset: 0, data: "c\nd".into() };
            world.service.chunk(&world.admin, chunk).await.expect("it has begun");
            send.send(session(13, None, "s")).await.expect("it is read");
            send.send(session(14, None, "s")).await.expect("it is read");
        }
        for given in reply.accepted {
            accepted.insert(given.ticket, given.reply.expect("it has one").job);
        }
        refused.extend(reply.refused.into_iter().map(|refused| refused.ticket));
        outcomes.extend(reply.outcomes.into_iter().map(|o| (o.job, o.number, o.state, o.data)));
    }
    assert_eq!((accepted.len(), &*refused), (3, &[9, 10, 11, 12, 14][..]));
    outcomes.sort();
    let told = |job, number, state: &str, data: &'static str| {
        (job, number, state.to_owned(), Bytes::from_static(data.as_bytes()))
    };
    let mut wanted = vec![
        told(accepted[&7], 1, "succeeded", "a"),
        told(accepted[&7], 2, "succeeded", "b"),
        told(accepted[&8], 1, "failed", ""),
        told(accepted[&13], 1, "succeeded", "c"),
        told(accepted[&13], 2, "succeeded", "d"),
    ];
    wanted.sort();
    assert_eq!(outcomes, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_and_output_can_be_followed() {
    let world = World::new();
    let script = "echo one; echo two >&2; read x < /dev/null; exit 3";
    let job = world.submit(command(&["sh", "-c", script])).await;
    let asked = v1::LogsRequest { job, follow: true, ..Default::default() };
    let chunks = all(world.service.logs(&world.admin, asked).await.expect("it is there")).await;
    let printed = |stream: &str| {
        let of = chunks.iter().filter(|chunk| chunk.stream == stream);
        of.flat_map(|chunk| chunk.data.to_vec()).collect::<Vec<u8>>()
    };
    assert_eq!((printed("out"), printed("err")), (b"one\n".to_vec(), b"two\n".to_vec()));
    assert_eq!(world.wait(job).await.exit, 3);
    let asked = v1::EventsRequest { jobs: vec![job], follow: true, ..Default::default() };
    let mut events = world.service.events(&world.admin, asked).await.expect("it is there");
    let mut kinds = Vec::new();
    while let Some(event) = events.next().await {
        let event = event.expect("it is remembered");
        assert!(event.number > 0 && event.job == job);
        kinds.push(event.kind);
        if kinds.last().is_some_and(|kind| kind == "finished") {
            break;
        }
    }
    for kind in ["submitted", "granted", "started", "ended"] {
        assert!(kinds.iter().any(|told| told == kind), "{kind}: {kinds:?}");
    }
    let why = v1::WhyRequest { job, task: "1".to_owned() };
    let why = world.service.why(&world.admin, why).await.expect("it is there");
    assert_eq!(why.answer, "it failed on n0, attempt 1: exit code 3");
    assert!(!why.candidates.is_empty() && why.life.len() >= 4, "{why:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn much_output_comes_in_pieces_and_its_end_alone_where_that_is_wanted() {
    let world = World::new();
    let job = world.submit(command(&["sh", "-c", "seq 1 200000; echo no >&2; echo yes >&2"])).await;
    assert_eq!(world.wait(job).await.succeeded, 1);
    let all: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    for (tail, stream) in [(0, ""), (0, "out"), (300_000, ""), (5, "out"), (4, "err"), (9, "err")] {
        let stream = stream.to_owned();
        let asked = v1::LogsRequest { job, tail, stream, ..Default::default() };
        let told = world.service.logs(&world.admin, asked.clone()).await.expect("it is there");
        let (mut out, mut err) = (Vec::new(), Vec::new());
        for chunk in crate::world::all(told).await {
            assert!((1..=256 << 10).contains(&chunk.data.len()), "{} bytes", chunk.data.len());
            if chunk.stream == "err" { &mut err } else { &mut out }.extend(chunk.data);
        }
        let end = |text: &str| {
            let wanted = if tail == 0 { text.len() } else { text.len().min(tail as usize) };
            text[text.len() - wanted..].to_owned()
        };
        let wants = |stream: &str| asked.stream.is_empty() || asked.stream == stream;
        let wanted = |stream, text| if wants(stream) { end(text) } else { String::new() };
        assert!(out == wanted("out", &all).as_bytes(), "{asked:?}: {} bytes", out.len());
        assert_eq!(err, wanted("err", "no\nyes\n").as_bytes(), "{asked:?}");
    }
}

/// What a stream adds to each message: whether it is compressed, and its length.
const HEAD_BYTES: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_claims_and_outcomes_gets_few_messages_of_at_most_100_bytes() {
    let world = World::new();
    let tasks = v1::Tasks { function: "echo".into(), array: "1-5000".into(), ..Default::default() };
    let job = world.submit(SubmitRequest { job: Some(Job::Tasks(tasks)), ..Default::default() });
    let job = job.await;
    assert_eq!(world.wait(job).await.succeeded, 5_000);
    let kinds = vec!["granted".to_owned(), "ended".to_owned()];
    let asked = v1::EventsRequest { jobs: vec![job], kinds, ..Default::default() };
    let events = all(world.service.events(&world.admin, asked).await.expect("it is there")).await;
    let of = |kind: &str| {
        let told = events.iter().filter(|event| event.kind == kind);
        told.map(|event| event.tasks).sum::<u64>()
    };
    assert_eq!((of("granted"), of("ended")), (5_000, 5_000));
    for event in &events {
        let bytes = event.encoded_len() + HEAD_BYTES;
        assert!(bytes <= 100, "{bytes} bytes: {event:?}");
    }
    assert!(events.len() < 2_500, "{} messages tell of 5,000 tasks", events.len());
}
