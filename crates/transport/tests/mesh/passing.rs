//! Requests that members hand on to each other.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use bary_transport::mesh::pass::PassError;
use tokio_stream::StreamExt;

use crate::running::{Told, pair};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_member_was_asked_ends_once_it_is_forgotten() {
    let (one, mut two) = pair().await;
    let asked = |path: &str| Request::get(path).body(Body::empty()).expect("it can be asked");
    let begun = one.mesh.pass(2, asked("/begun")).await.expect("it begins to answer");
    let mesh = one.mesh.clone();
    let never = tokio::spawn(async move { mesh.pass(2, asked("/never")).await });
    // Both are under way over one connection; the member lives, and so does that.
    let mut body = begun.answer.into_body().into_data_stream();
    let read = tokio::spawn(async move { body.next().await });
    while two.next().await != Told::Asked {}
    one.mesh.forget(2);
    let soon = Duration::from_secs(60);
    let never = tokio::time::timeout(soon, never).await.expect("it has ended");
    let never = never.expect("it does not panic").map(drop);
    assert!(matches!(never, Err(PassError::Gone)), "{never:?}");
    let read = tokio::time::timeout(soon, read).await.expect("it has ended");
    let read = read.expect("it does not panic").expect("it says how");
    assert!(read.is_err(), "{read:?}");
    // Where it is known again it is asked anew.
    one.mesh.place(2, vec![two.at]);
    one.mesh.pass(2, asked("/begun")).await.expect("it begins to answer");
}
