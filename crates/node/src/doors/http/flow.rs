//! Streams over HTTP: server-sent events, or one JSON document a line where that is asked for.
//! Nothing is taken from a stream before the reader has room for it.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, Response};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use bary_api::problem::{Kind, Refused};
use bary_api::{sse, v1};
use bytes::Bytes;
use serde::Serialize;
use tokio_stream::StreamExt;

use crate::doors::answer::{bytes, caution};
use crate::service::Streamed;

/// How often a stream on which nothing happens says that it is alive.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// What asks for lines.
const LINES: &str = "application/x-ndjson";

/// How a stream is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As server-sent events.
    Events,
    /// One document a line.
    Lines,
}

impl Form {
    /// What a request asks for.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let is_lines = accepted.flat_map(|value| value.split(',')).any(|kind| {
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(LINES))
        });
        if is_lines { Self::Lines } else { Self::Events }
    }
}

/// What a stream is made of.
pub(super) trait Item: Serialize + Send + 'static {
    /// Its number, with which a reader that was cut off goes on.
    fn number(&self) -> Option<u64> {
        None
    }
}

impl Item for v1::Event {
    fn number(&self) -> Option<u64> {
        Some(self.number)
    }
}

impl Item for v1::AuditLine {
    fn number(&self) -> Option<u64> {
        Some(self.number)
    }
}

impl Item for v1::LogChunk {}

impl Item for v1::TaskResult {}

/// A stream as an answer.
pub(super) fn answer<T: Item>(stream: Streamed<T>, form: Form) -> Response<Body> {
    match form {
        Form::Lines => {
            let lines = stream.map(|item| Ok::<_, Infallible>(line(item)));
            bytes(200, LINES, Body::from_stream(lines))
        }
        Form::Events => {
            let mut broken = false;
            let end = tokio_stream::once(None);
            let events = stream.map(Some).chain(end).filter_map(move |item| match item {
                _ if broken => None,
                None => Some(Event::default().event(sse::END).data("{}")),
                Some(item) => {
                    broken = item.is_err();
                    Some(event(item))
                }
            });
            let events = events.map(Ok::<_, Infallible>);
            let sse = Sse::new(events);
            let alive = KeepAlive::new().interval(KEEP_ALIVE_INTERVAL);
            let mut answer = sse.keep_alive(alive).into_response();
            caution(answer.headers_mut());
            answer
        }
    }
}

fn line<T: Item>(item: Result<T, Refused>) -> Bytes {
    let written = match item {
        Ok(item) => serde_json::to_vec(&item),
        Err(refused) => serde_json::to_vec(&refused.problem()),
    };
    // Messages of the contract have text for keys, the only thing that JSON may lack.
    let mut line = written.unwrap_or_default();
    line.push(b'\n');
    line.into()
}

fn event<T: Item>(item: Result<T, Refused>) -> Event {
    match item {
        Ok(item) => {
            let event = match item.number() {
                Some(number) => Event::default().id(number.to_string()),
                None => Event::default(),
            };
            event.json_data(item).unwrap_or_else(|error| {
                problem(&Refused::new(Kind::Internal, format!("the item is no JSON: {error}")))
            })
        }
        Err(refused) => problem(&refused),
    }
}

fn problem(refused: &Refused) -> Event {
    let event = Event::default().event(sse::PROBLEM);
    event.json_data(refused.problem()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    fn text(form: Form) -> String {
        let first = v1::Event { number: 7, kind: "ended".to_owned(), ..v1::Event::default() };
        written(form, vec![Ok(first), Err(Refused::new(Kind::Full, "too slow"))])
    }

    fn written(form: Form, items: Vec<Result<v1::Event, Refused>>) -> String {
        let builder = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let body = builder.expect("a runtime").block_on(async {
            let answer = answer(Box::pin(tokio_stream::iter(items)), form);
            answer.into_body().collect().await
        });
        String::from_utf8(body.expect("it ends").to_bytes().to_vec()).expect("it is text")
    }

    #[test]
    fn events_have_their_numbers_and_an_end() {
        let text = text(Form::Events);
        let events: Vec<&str> = text.trim_end().split("\n\n").collect();
        assert_eq!(events.len(), 2, "{text}");
        assert!(events[0].contains("id: 7") && events[0].contains("\"kind\":\"ended\""), "{text}");
        assert!(events[1].contains("event: problem") && events[1].contains("full"), "{text}");
        let whole = written(Form::Events, vec![Ok(v1::Event::default())]);
        assert!(whole.ends_with("event: end\ndata: {}\n\n"), "{whole}");
    }

    #[test]
    fn lines_are_documents() {
        let text = text(Form::Lines);
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["type"], "full");
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, "text/html, application/x-ndjson;q=0.9".parse().expect("a value"));
        assert_eq!(Form::of(&headers), Form::Lines);
        assert_eq!(Form::of(&HeaderMap::new()), Form::Events);
    }
}
