//! The body of a request: read within limits, and decompressed within limits.

use std::{io::Read, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use http::{
    HeaderMap, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Options;

/// Why a body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the body did not arrive in time")]
    Late,
    #[error("the connection ended within the body")]
    Broken,
    #[error("there are too many large bodies at a time")]
    Crowded,
    #[error("the content encoding is not known; expected gzip or deflate")]
    Encoding,
    #[error("the body is not compressed as its content encoding says")]
    Compression,
}

impl BodyError {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            Self::Crowded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Broken | Self::Compression => StatusCode::BAD_REQUEST,
        }
    }
}

/// A body as it was sent. A large one keeps its place while it is needed.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) bytes: Bytes,
    place: Option<OwnedSemaphorePermit>,
}

/// More than this is a large body. What devices usually send is smaller.
const LARGE: usize = 32 * 1024;

/// Reads a body.
pub(super) async fn read(body: Incoming, options: &Options, places: &Arc<Semaphore>) -> Result<Sent, BodyError> {
    if body.size_hint().lower() > options.body_bytes as u64 {
        return Err(BodyError::TooLarge(options.body_bytes));
    }
    if body.is_end_stream() {
        return Ok(Sent::default());
    }
    let limit = Duration::from_millis(options.body_ms);
    tokio::time::timeout(limit, whole(body, options.body_bytes, places)).await.map_err(|_| BodyError::Late)?
}

async fn whole(mut body: Incoming, most: usize, places: &Arc<Semaphore>) -> Result<Sent, BodyError> {
    // Most bodies come in one piece, which is not copied.
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    let mut place = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        let length = first.len().max(more.len()) + data.len();
        if length > most {
            return Err(BodyError::TooLarge(most));
        }
        if length > LARGE && place.is_none() {
            place = Some(taken(places)?);
        }
        if first.is_empty() {
            first = data;
        } else {
            if more.is_empty() {
                more.extend_from_slice(&first);
            }
            more.extend_from_slice(&data);
        }
    }
    Ok(Sent { bytes: if more.is_empty() { first } else { more.freeze() }, place })
}

/// The place of one more large body.
fn taken(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, BodyError> {
    places.clone().try_acquire_owned().map_err(|_| BodyError::Crowded)
}

/// The body as it was before it was compressed. One that was small and is large now takes a place.
pub(super) fn decoded(sent: &mut Sent, headers: &HeaderMap, options: &Options, places: &Arc<Semaphore>) -> Result<Bytes, BodyError> {
    let Sent { bytes: body, place } = sent;
    let Some(encoding) = headers.get(CONTENT_ENCODING) else { return Ok(body.clone()) };
    let encoding = encoding.to_str().map_err(|_| BodyError::Encoding)?.trim().to_ascii_lowercase();
    let mut grows = || {
        if place.is_none() {
            *place = Some(taken(places)?);
        }
        Ok(())
    };
    match encoding.as_str() {
        "" | "identity" => Ok(body.clone()),
        _ if body.is_empty() => Ok(Bytes::new()),
        "gzip" | "x-gzip" => inflate(GzDecoder::new(&body[..]), options.inflated_bytes, &mut grows),
        // The standard means zlib; some senders leave its header out.
        "deflate" if zlib(body) => inflate(ZlibDecoder::new(&body[..]), options.inflated_bytes, &mut grows),
        "deflate" => inflate(DeflateDecoder::new(&body[..]), options.inflated_bytes, &mut grows),
        _ => Err(BodyError::Encoding),
    }
}

fn zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..] if method & 15 == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

/// `grows` is asked before more than a small body is kept.
fn inflate(mut decoder: impl Read, most: usize, grows: &mut dyn FnMut() -> Result<(), BodyError>) -> Result<Bytes, BodyError> {
    let mut inflated = Vec::new();
    let mut more = |upto: usize, inflated: &mut Vec<u8>| {
        let room = upto.saturating_sub(inflated.len()) as u64;
        (&mut decoder).take(room).read_to_end(inflated).map_err(|_| BodyError::Compression)
    };
    more(LARGE.min(most) + 1, &mut inflated)?;
    if inflated.len() > LARGE {
        grows()?;
        more(most + 1, &mut inflated)?;
    }
    if inflated.len() > most { Err(BodyError::TooLarge(most)) } else { Ok(inflated.into()) }
}

/// What the content type says about the character set.
pub(super) fn charset(headers: &HeaderMap) -> Option<&str> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let named = |part: &'_ str| part.trim().get(..8).is_some_and(|name| name.eq_ignore_ascii_case("charset="));
    let part = kind.split(';').skip(1).find(|part| named(part))?;
    let charset = part.trim().get(8..)?.trim().trim_matches(['"', '\'']);
    (!charset.is_empty()).then_some(charset)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };
    use http::HeaderValue;

    use super::*;

    fn headers(encoding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(encoding))])
    }

    fn decoded(body: &Bytes, headers: &HeaderMap, options: &Options) -> Result<Bytes, BodyError> {
        super::decoded(&mut Sent { bytes: body.clone(), place: None }, headers, options, &Arc::new(Semaphore::new(1)))
    }

    #[test]
    fn a_body_that_grows_large_takes_a_place() {
        let packed = |size: usize| {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
            gzip.write_all(&vec![b'x'; size]).unwrap();
            Bytes::from(gzip.finish().unwrap())
        };
        let places = Arc::new(Semaphore::new(1));
        let options = Options::default();
        let inflated = |sent: &mut Sent| super::decoded(sent, &headers("gzip"), &options, &places).map(|body| body.len());
        let [mut small, mut large, mut second] = [LARGE, LARGE + 1, 1 << 20].map(|size| Sent { bytes: packed(size), place: None });
        assert_eq!((inflated(&mut small), places.available_permits()), (Ok(LARGE), 1));
        assert_eq!((inflated(&mut large), places.available_permits()), (Ok(LARGE + 1), 0));
        assert_eq!(inflated(&mut second), Err(BodyError::Crowded));
        assert_eq!(inflated(&mut large), Ok(LARGE + 1), "it has its place");
        drop(large);
        assert_eq!(inflated(&mut second), Ok(1 << 20));
    }

    #[test]
    fn bodies_are_decompressed_within_the_limit() {
        let options = Options { inflated_bytes: 1_000, ..Options::default() };
        let packed = |size: usize| {
            let text = vec![b'x'; size];
            let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
            let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
            let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
            [&mut gzip as &mut dyn Write, &mut zlib, &mut raw].into_iter().for_each(|writer| writer.write_all(&text).unwrap());
            [("gzip", gzip.finish().unwrap()), ("deflate", zlib.finish().unwrap()), ("Deflate", raw.finish().unwrap())]
        };
        for (size, expected) in [(1_000, Ok(1_000)), (1_001, Err(BodyError::TooLarge(1_000))), (10_000_000, Err(BodyError::TooLarge(1_000)))] {
            for (encoding, body) in packed(size) {
                assert_eq!(decoded(&body.into(), &headers(encoding), &options).map(|body| body.len()), expected, "{encoding} of {size}");
            }
        }
        let bytes = Bytes::from_static(b"no archive");
        assert_eq!(decoded(&bytes, &headers("gzip"), &options), Err(BodyError::Compression));
        assert_eq!(decoded(&bytes, &headers("br"), &options), Err(BodyError::Encoding));
        assert_eq!(decoded(&bytes, &headers("identity"), &options), Ok(bytes.clone()));
    }

    #[test]
    fn the_character_set_is_found() {
        for (kind, expected) in [
            ("text/xml; charset=\"utf-8\"", Some("utf-8")),
            ("text/xml;Charset=ISO-8859-1", Some("ISO-8859-1")),
            ("text/xml; charset=; x", None),
            ("text/xml", None),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
            assert_eq!(charset(&headers), expected, "{kind}");
        }
    }
}
