//! A gzip encoding of any body, as a stream, in blocks that are stored rather than compressed (RFC 1951 §3.2.4).

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::{BufMut, Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame};

/// The length of a stored block has 16 bits.
const MAX_BLOCK_LEN: usize = 0xffff;
/// RFC 1952 §2.3: magic number, deflate, no flags, no time, no extra flags, unknown operating system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The body in gzip format.
pub(crate) struct GzipBody {
    inner: Body,
    ready: VecDeque<Bytes>,
    crc: u32,
    length: u32,
    finished: bool,
}

impl GzipBody {
    pub(crate) fn new(inner: Body) -> Self {
        Self { inner, ready: [Bytes::from_static(&HEADER)].into(), crc: !0, length: 0, finished: false }
    }

    fn push(&mut self, data: &[u8]) {
        for block in data.chunks(MAX_BLOCK_LEN) {
            let mut out = BytesMut::with_capacity(block.len() + 5);
            // Casts can't truncate: a block has at most 16 bits of length.
            let length = block.len() as u16;
            out.put_u8(0);
            out.put_u16_le(length);
            out.put_u16_le(!length);
            out.put_slice(block);
            self.ready.push_back(out.freeze());
        }
        self.crc = data.iter().fold(self.crc, |crc, byte| crc_of(crc ^ u32::from(*byte)) ^ (crc >> 8));
        // The length is taken modulo 2^32 (RFC 1952 §2.3.1).
        self.length = self.length.wrapping_add(data.len() as u32);
    }

    fn finish(&mut self) {
        let mut out = BytesMut::with_capacity(13);
        out.put_slice(&[1, 0, 0, 0xff, 0xff]);
        out.put_u32_le(!self.crc);
        out.put_u32_le(self.length);
        self.ready.push_back(out.freeze());
        self.finished = true;
    }
}

/// The CRC-32 (RFC 1952 §8) of one byte.
fn crc_of(byte: u32) -> u32 {
    (0..8).fold(byte & 0xff, |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
}

impl HttpBody for GzipBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            if let Some(data) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            if self.finished {
                return Poll::Ready(None);
            }
            match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => frame.data_ref().into_iter().for_each(|data| self.push(data)),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.finish(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailer_has_crc_and_length() {
        let mut body = GzipBody::new(Body::empty());
        body.push(b"123456789");
        body.finish();
        let trailer = body.ready.pop_back().expect("a trailer");
        // The check value of CRC-32, little-endian.
        assert_eq!(&trailer[5..], [0x26, 0x39, 0xf4, 0xcb, 9, 0, 0, 0]);
    }
}
