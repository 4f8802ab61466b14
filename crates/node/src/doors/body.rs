//! The body of a request, read whole within limits: of the request itself, and of all requests
//! that are being read together.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use bary_api::problem::{Kind, Refused};
use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tonic::Status;

use crate::doors::limits::full;

/// Bytes that all requests may hold together.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    held: Arc<AtomicUsize>,
    most: usize,
}

/// What one request holds of a pool, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    pool: Pool,
    mine: AtomicUsize,
}

impl Pool {
    /// A pool of so many bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { held: Arc::default(), most }
    }

    /// A share of nothing so far.
    pub(crate) fn share(&self) -> Arc<Share> {
        Arc::new(Share { pool: self.clone(), mine: AtomicUsize::new(0) })
    }
}

impl Share {
    /// Takes so many more bytes.
    ///
    /// # Errors
    /// Where the pool has none left.
    fn take(&self, bytes: usize) -> Result<(), Refused> {
        let Pool { held, most } = &self.pool;
        self.mine.fetch_add(bytes, Ordering::Relaxed);
        if held.fetch_add(bytes, Ordering::Relaxed) + bytes > *most {
            return Err(full("requests_bytes_max", *most, 1.0));
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.pool.held.fetch_sub(*self.mine.get_mut(), Ordering::Relaxed);
    }
}

/// Reads a body to its end.
///
/// # Errors
/// Where it is larger than `most`, which is known before it is read where its length is said; where
/// the pool is used up; where the connection broke.
pub(crate) async fn read(
    headers: &HeaderMap,
    mut body: Body,
    most: usize,
    share: &Share,
) -> Result<Bytes, Refused> {
    let too_large = || {
        let title = format!("the request has more than the {most} bytes that it may have");
        Refused::new(Kind::TooLarge, title).help("submit in parts, or with gRPC")
    };
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if length.is_some_and(|length| length.parse().is_ok_and(|length: u64| length > most as u64)) {
        return Err(too_large());
    }
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refused::new(Kind::Invalid, "the request broke off"))?;
        // Trailers say nothing here.
        let Ok(data) = frame.into_data() else { continue };
        share.take(data.len())?;
        if first.len() + all.len() + data.len() > most {
            return Err(too_large());
        }
        match (first.is_empty(), all.is_empty()) {
            (true, true) => first = data,
            (true, false) => all.extend_from_slice(&data),
            (false, _) => {
                all.extend_from_slice(&first);
                all.extend_from_slice(&data);
                first.clear();
            }
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// A body that takes from the pool as it is read by somebody else.
#[derive(Debug)]
pub(crate) struct Metered {
    body: Body,
    share: Arc<Share>,
}

impl Metered {
    /// A body that fails with a status once the pool is used up.
    pub(crate) fn over(body: Body, share: Arc<Share>) -> Body {
        Body::new(Self { body, share })
    }
}

impl http_body::Body for Metered {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let frame = frame.map(|frame| {
            let frame = frame?;
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.share.take(bytes).map_err(Status::from)?;
            Ok(frame)
        });
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that keeps something as long as it is sent.
#[derive(Debug)]
pub(crate) struct Keeping<T> {
    body: Body,
    _kept: T,
}

impl<T: Send + Unpin + 'static> Keeping<T> {
    /// The body with what it keeps.
    pub(crate) fn over(body: Body, kept: T) -> Body {
        Body::new(Self { body, _kept: kept })
    }
}

impl<T: Unpin> http_body::Body for Keeping<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done<T>(future: impl Future<Output = T>) -> T {
        let builder = tokio::runtime::Builder::new_current_thread().build();
        builder.expect("a runtime").block_on(future)
    }

    fn chunks(chunks: &[&'static str]) -> Body {
        let chunks: Vec<Result<&'static str, std::io::Error>> =
            chunks.iter().map(|&chunk| Ok(chunk)).collect();
        Body::from_stream(tokio_stream::iter(chunks))
    }

    #[test]
    fn a_body_is_read_whole_and_gives_back_what_it_held() {
        let pool = Pool::new(8);
        for parts in [&["abcdef"][..], &["ab", "cd", "ef"], &["", "abc", "def"]] {
            let share = pool.share();
            let read = done(read(&HeaderMap::new(), chunks(parts), 6, &share));
            assert_eq!(read.expect("it fits"), "abcdef");
            assert_eq!(pool.held.load(Ordering::Relaxed), 6);
            drop(share);
            assert_eq!(pool.held.load(Ordering::Relaxed), 0);
        }
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_held() {
        let pool = Pool::new(1_000);
        let share = pool.share();
        let large = done(read(&HeaderMap::new(), chunks(&["abc", "def"]), 5, &share));
        assert_eq!(large.expect_err("six bytes").kind, Kind::TooLarge);
        let mut said = HeaderMap::new();
        said.insert(CONTENT_LENGTH, "5368709120".parse().expect("it is a value"));
        let never = Body::from_stream(tokio_stream::pending::<Result<Bytes, std::io::Error>>());
        let large = done(read(&said, never, 5, &share));
        assert_eq!(large.expect_err("5 GiB").kind, Kind::TooLarge);
    }

    #[test]
    fn all_requests_together_hold_no_more_than_the_pool() {
        let pool = Pool::new(8);
        let (one, two) = (pool.share(), pool.share());
        done(read(&HeaderMap::new(), chunks(&["abcdef"]), 6, &one)).expect("there is room");
        let full = done(read(&HeaderMap::new(), chunks(&["abcdef"]), 6, &two));
        assert_eq!(full.expect_err("there is no room").kind, Kind::Full);
        let metered = Metered::over(chunks(&["abcdef"]), Arc::clone(&two));
        let error = done(metered.collect()).expect_err("there is no room");
        assert_eq!(Status::from_error(error.into()).code(), tonic::Code::ResourceExhausted);
        drop(two);
        assert_eq!(pool.held.load(Ordering::Relaxed), 6);
    }
}
