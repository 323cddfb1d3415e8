//! Bodies that pass through: what was read of them already, the rest as it comes, and no longer silence than allowed.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

/// Any error of a body.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a response to the client.
pub type Body = BoxBody<Bytes, BoxError>;

/// How long the end of a body of unknown length is waited for, so that the request can be sent again.
const END_WAIT: Duration = Duration::from_millis(100);

/// The beginning of a body that was read already, and the rest.
pub struct Resumed<B> {
    beginning: Option<Bytes>,
    rest: B,
}

impl<B> Resumed<B> {
    /// Puts `beginning` before what is left of a body.
    pub fn new(beginning: Bytes, rest: B) -> Self {
        Self { beginning: Some(beginning).filter(|bytes| !bytes.is_empty()), rest }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Resumed<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.beginning.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.beginning.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let beginning = self.beginning.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + beginning);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + beginning);
        }
        hint
    }
}

/// The client stopped sending a request's body.
#[derive(Debug)]
pub struct Silence;

impl std::fmt::Display for Silence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the client stopped sending")
    }
}

impl std::error::Error for Silence {}

/// A request's body that ends with an error when the client stops sending it.
pub struct Timely<B> {
    body: B,
    timeout: Duration,
    timer: Pin<Box<Sleep>>,
}

impl<B> Timely<B> {
    /// Limits the time between two parts of a body.
    pub fn new(body: B, timeout: Duration) -> Self {
        Self { body, timeout, timer: Box::pin(sleep(timeout)) }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Timely<B>
where
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let deadline = Instant::now() + self.timeout;
            self.timer.as_mut().reset(deadline);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.timer.as_mut().poll(context));
        Poll::Ready(Some(Err(Box::new(Silence))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body, as far as it was read.
pub enum Collected<B> {
    /// All of it.
    Whole(Bytes),
    /// Its beginning, and the rest.
    Partial(Resumed<B>),
}

/// Reads a request's body of at most `limit` bytes, so that it can be sent again. A longer one, and one of unknown length
/// that does not end soon, is streamed.
///
/// # Errors
/// The body's.
pub async fn collect_small<B>(mut body: B, limit: usize) -> Result<Collected<B>, B::Error>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let hint = body.size_hint();
    let mut bytes = BytesMut::new();
    let is_whole = if hint.lower() > limit as u64 {
        false
    } else if hint.exact().is_some() {
        collect(&mut body, &mut bytes, limit).await?
    } else {
        let read = collect(&mut body, &mut bytes, limit);
        tokio::time::timeout(END_WAIT, read).await.unwrap_or(Ok(false))?
    };
    let bytes = bytes.freeze();
    Ok(if is_whole { Collected::Whole(bytes) } else { Collected::Partial(Resumed::new(bytes, body)) })
}

/// Appends a body to `bytes` until it ends (true), or there are more than `limit` of them (false).
///
/// # Errors
/// The body's.
pub async fn collect<B>(body: &mut B, bytes: &mut BytesMut, limit: usize) -> Result<bool, B::Error>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    while bytes.len() <= limit {
        match body.frame().await {
            None => return Ok(true),
            Some(frame) => {
                if let Ok(data) = frame?.into_data() {
                    bytes.extend_from_slice(&data);
                }
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Frames that come one after another, each after a pause.
    struct Paused(VecDeque<(Duration, &'static str)>, Option<Pin<Box<Sleep>>>);

    impl Paused {
        fn new(frames: &[(u64, &'static str)]) -> Self {
            let pause = |(millis, text): &(u64, &'static str)| (Duration::from_millis(*millis), *text);
            Self(frames.iter().map(pause).collect(), None)
        }
    }

    impl HttpBody for Paused {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            let Some((pause, text)) = self.0.front().copied() else { return Poll::Ready(None) };
            ready!(self.1.get_or_insert_with(|| Box::pin(sleep(pause))).as_mut().poll(context));
            (self.1, _) = (None, self.0.pop_front());
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
        }
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().build().expect("a runtime").block_on(future)
    }

    async fn text<B: HttpBody<Data = Bytes, Error = BoxError>>(body: B) -> String {
        let bytes = body.collect().await.expect("a body").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("UTF-8")
    }

    #[test]
    fn body_that_ends_soon_is_collected_and_any_other_is_resumed() {
        run(async {
            for (frames, limit, is_whole) in [
                (&[(0, "ab"), (1, "cd")][..], 4, true),
                (&[], 4, true),
                (&[(0, "ab"), (1, "cde"), (1, "f")], 4, false),
                (&[(0, "ab"), (400, "cd")], 4, false),
            ] {
                let expected: String = frames.iter().map(|(_, text)| *text).collect();
                match collect_small(Paused::new(frames), limit).await.expect("a body") {
                    Collected::Whole(bytes) => assert!(is_whole && bytes == expected, "{expected}"),
                    Collected::Partial(rest) => {
                        assert!(!is_whole, "{expected}");
                        assert_eq!(
                            rest.size_hint().lower(),
                            rest.beginning.as_ref().map_or(0, Bytes::len) as u64
                        );
                        assert_eq!(text(rest).await, expected);
                    }
                }
            }
        });
    }

    #[test]
    fn silence_ends_a_body_and_slowness_does_not() {
        run(async {
            let timeout = Duration::from_millis(300);
            let slow = Paused::new(&[(150, "a"), (150, "b"), (150, "c")]);
            assert_eq!(text(Timely::new(slow, timeout)).await, "abc");
            let silent = Timely::new(Paused::new(&[(0, "a"), (60_000, "b")]), timeout);
            assert!(silent.collect().await.is_err_and(|error| error.is::<Silence>()));
        });
    }
}
