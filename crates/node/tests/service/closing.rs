//! What a node that is ending takes no more, and what the audit log says of what was refused.

use bary_api::problem::Kind;
use bary_api::v1;
use bary_node::service::Streamed;
use tokio_stream::StreamExt;

use crate::world::{World, all, calls, jobs};

/// The lines of the audit log about a verb: outcome and reason of each.
async fn lines(world: &World, verb: &str) -> Vec<(String, String)> {
    let asked = v1::AuditRequest::default();
    let lines = all(world.service.audit(&world.admin, asked).await.expect("an admin may")).await;
    let about = lines.into_iter().filter(|line| line.verb == verb);
    about.map(|line| (line.outcome, line.reason)).collect()
}

fn refused(reason: &str) -> (String, String) {
    ("refused".to_owned(), reason.to_owned())
}

fn done(reason: &str) -> (String, String) {
    ("done".to_owned(), reason.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_change_has_one_line_whatever_came_of_it() {
    let world = World::new();
    let (service, admin) = (&world.service, &world.admin);
    let held = v1::SubmitRequest { hold: true, ..calls("echo", &["a"]) };
    let job = world.submit(held).await;
    service.submit(admin, Default::default()).await.expect_err("it is nothing");
    assert_eq!(
        lines(&world, "submit").await,
        [done(""), refused("a submission has a spec, a file or tasks")]
    );
    service.release(admin, jobs(job)).await.expect("it is held");
    service.release(admin, jobs(99)).await.expect_err("there is none");
    assert_eq!(lines(&world, "release").await, [done("because"), refused("there is no job 99")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_nobody_waits_for_has_a_line_too() {
    let world = World::new();
    let wait = world.submit(calls("wait", &["a"])).await;
    let mut cancel = Box::pin(
        world
            .service
            .cancel(&world.admin, v1::CancelRequest { jobs: vec![wait], ..Default::default() }),
    );
    // It is begun, and then its caller goes away.
    let begun = futures_of(&mut cancel).await;
    drop(cancel);
    let told = lines(&world, "cancel").await;
    let expected = if begun { done("") } else { done("its caller did not wait for the answer") };
    assert_eq!(told, [expected]);
}

/// Whether a future is done when it is asked once.
async fn futures_of<T>(future: &mut (impl Future<Output = T> + Unpin)) -> bool {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_ready())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_open_takes_no_more_once_the_node_is_ending() {
    let world = World::new();
    let (send, sent) = tokio::sync::mpsc::channel(8);
    let requests: Streamed<v1::SessionRequest> =
        Box::pin(tokio_stream::wrappers::ReceiverStream::new(sent));
    let mut replies = world.service.session(&world.admin, requests).await.expect("an admin may");
    let submit = |ticket| {
        let submit = Some(v1::SubmitRequest { name: "s".into(), ..calls("echo", &["a"]) });
        Ok(v1::SessionRequest { ticket, submit, ..v1::SessionRequest::default() })
    };
    send.send(submit(1)).await.expect("it is read");
    let reply = replies.next().await.expect("it answers").expect("it goes well");
    assert_eq!(reply.accepted[0].ticket, 1);
    world.service.shut();
    send.send(submit(2)).await.expect("it is read");
    let reply = replies.next().await.expect("it answers").expect("it goes well");
    let problem = reply.refused[0].problem.clone().expect("it has one");
    assert_eq!((&*problem.r#type, problem.retry_after), ("unavailable", 5.0));
    assert_eq!(problem.r#type, Kind::Unavailable.row().word);
    let told = lines(&world, "submit").await;
    assert_eq!((told.len(), &*told[0].0, &*told[1].0), (2, "done", "refused"));
}
