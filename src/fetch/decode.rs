//! Decodes bodies piece by piece: gzip (all its members), deflate, brotli and zstd, up to two layers
//! of them, under one cap on what comes out and one on how much more that is than what came in. A coding that
//! is none (`utf-8`, `none`, `aws-chunked`) is passed over where what comes out is plain text.

mod gzip;
mod layer;

use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Mutex, PoisonError};

use brotli_decompressor::DecompressorWriter;
use bytes::Bytes;
use flate2::write::{DeflateDecoder, ZlibDecoder};
use zstd::stream::raw::{DParameter, Decoder as RawZstd, InBuffer, Operation as _, OutBuffer};

use gzip::{GZIP_MAGIC, Gzip};
use layer::Layer;

/// The value of `Accept-Encoding`.
pub(super) const OFFERED: &str = "zstd, br, gzip, deflate";
/// Layers of codings that are decoded at most.
const MOST_LAYERS: usize = 2;
/// Decoded bytes for each received byte, at most; articles compress to a tenth, bombs to a thousandth.
const RATIO: u64 = 200;
/// Decoded bytes that are accepted whatever the ratio.
const FREE: u64 = 1 << 20;
/// The largest window of zstd, as a power of two: 8 MiB (RFC 9659).
const ZSTD_WINDOW: u32 = 23;
/// Bytes that a decoder passes on at once.
const PIECE: usize = 16 * 1024;
/// Codings whose streams begin with any byte.
const NAMELESS: [&str; 2] = ["br", "deflate"];
/// Bytes that show whether a body is text.
const LOOKED_AT: usize = 1 << 10;

/// A fault of a coded body.
#[derive(Debug)]
pub enum Fault {
    /// It is larger than the limit, or far larger than what was received.
    TooLarge,
    /// It ends early.
    Truncated(io::Error),
    /// It does not have the declared coding.
    Malformed(io::Error),
    /// This coding is not known, and what came is no plain text.
    Unknown(String),
}

/// The decoder of one body.
pub struct Decoder {
    chain: Box<dyn Layer>,
    out: Arc<Mutex<Out>>,
    /// The first bytes where one coding or none was said, until there are enough to tell.
    sniffed: Option<Vec<u8>>,
    /// A coding that is not known.
    unknown: Option<String>,
    wire: u64,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("wire", &self.wire).finish_non_exhaustive()
    }
}

struct Out {
    body: Vec<u8>,
    limit: u64,
    full: bool,
}

impl Decoder {
    /// Creates a decoder for a body of these codings, in the order in which they were applied (RFC 9110, 8.4).
    ///
    /// # Errors
    /// All codings where they are too many.
    pub fn new(codings: &[String], limit: u64) -> Result<Self, String> {
        let out = Arc::new(Mutex::new(Out { body: Vec::new(), limit, full: false }));
        let mut chain: Box<dyn Layer> = Box::new(Sink(Arc::clone(&out)));
        if codings.len() > MOST_LAYERS {
            return Err(codings.join(", "));
        }
        let (known, unknown): (Vec<&String>, Vec<&String>) = codings.iter().partition(|name| is_known(name));
        for coding in &known {
            chain = layer(coding, chain).ok_or_else(|| codings.join(", "))?;
        }
        // Brotli and deflate have no first bytes of their own.
        let sniffs =
            matches!(known[..], [] | [_]) && !known.iter().any(|name| NAMELESS.contains(&name.as_str()));
        let unknown = unknown.first().map(|name| (*name).clone());
        Ok(Self { chain, out, sniffed: sniffs.then(Vec::new), unknown, wire: 0 })
    }

    /// Decodes a received piece; returns the number of decoded bytes so far.
    ///
    /// # Errors
    /// [`Fault`]; the decoder cannot be used any more then.
    pub fn feed(&mut self, piece: &[u8]) -> Result<u64, Fault> {
        self.wire += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let fed = match self.sniffed.take() {
            None => self.chain.write_all(piece),
            Some(mut head) => {
                head.extend_from_slice(piece);
                if head.len() < GZIP_MAGIC.len() {
                    self.sniffed = Some(head);
                    return Ok(0);
                }
                self.begin(&head)
            }
        };
        let length = self.judge(fed)?;
        if length > FREE + self.wire.saturating_mul(RATIO) {
            return Err(Fault::TooLarge);
        }
        Ok(length)
    }

    /// Goes by the first bytes where they say something else than the header: a web server may not know what
    /// a file of its holds, or name a coding that it did not apply.
    fn begin(&mut self, head: &[u8]) -> io::Result<()> {
        let sink: Box<dyn Layer> = Box::new(Sink(Arc::clone(&self.out)));
        if head.starts_with(&GZIP_MAGIC) {
            self.chain = Box::new(Gzip::new(sink));
        } else if begins_as_text(head) {
            self.chain = sink;
        }
        self.chain.write_all(head)
    }

    /// Returns the whole body.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn end(mut self) -> Result<Bytes, Fault> {
        if let Some(head) = self.sniffed.take() {
            let begun = self.begin(&head);
            self.judge(begun)?;
        }
        let chain = std::mem::replace(&mut self.chain, Box::new(Sink(Arc::clone(&self.out))));
        // An empty body is valid in every coding.
        let ended = if self.wire == 0 { Ok(()) } else { chain.end() };
        self.judge(ended)?;
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match self.unknown.take().filter(|_| !is_text(&out.body)) {
            Some(coding) => Err(Fault::Unknown(coding)),
            None => Ok(Bytes::from(std::mem::take(&mut out.body))),
        }
    }

    fn judge(&self, done: io::Result<()>) -> Result<u64, Fault> {
        let out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match done {
            _ if out.full => Err(Fault::TooLarge),
            Ok(()) => Ok(u64::try_from(out.body.len()).unwrap_or(u64::MAX)),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(Fault::Truncated(error)),
            Err(error) => Err(Fault::Malformed(error)),
        }
    }
}

fn is_known(coding: &str) -> bool {
    matches!(coding, "gzip" | "x-gzip" | "zstd") || NAMELESS.contains(&coding)
}

/// Returns whether a body begins as documents do: with a sign of XML, HTML or JSON.
fn begins_as_text(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    matches!(head.first(), Some(b'<' | b'{' | b'['))
}

/// Returns whether the first bytes are text in some encoding: none is a control character, unless two bytes
/// make a character (UTF-16 with its byte order mark).
fn is_text(body: &[u8]) -> bool {
    let head = body.get(..LOOKED_AT).unwrap_or(body);
    let wide = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    // ISO-2022-JP changes its character sets by escapes.
    wide || !head.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace() && *byte != 0x1b)
}

fn layer(coding: &str, next: Box<dyn Layer>) -> Option<Box<dyn Layer>> {
    Some(match coding {
        "gzip" | "x-gzip" => Box::new(Gzip::new(next)),
        "deflate" => Box::new(Deflate::Unknown(Vec::new(), Some(next))),
        "br" => Box::new(Brotli(DecompressorWriter::new(next, PIECE))),
        "zstd" => Box::new(Zstd::new(next)?),
        _ => return None,
    })
}

struct Sink(Arc<Mutex<Out>>);

impl Write for Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let length = u64::try_from(out.body.len() + piece.len()).unwrap_or(u64::MAX);
        if out.full || length > out.limit {
            out.full = true;
            return Err(io::Error::other("the cap is reached"));
        }
        out.body.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Sink {
    fn end(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

/// The format of `deflate`: zlib according to RFC 9110, raw deflate from many servers.
enum Deflate {
    Unknown(Vec<u8>, Option<Box<dyn Layer>>),
    Zlib(ZlibDecoder<Box<dyn Layer>>),
    Bare(DeflateDecoder<Box<dyn Layer>>),
}

impl Deflate {
    /// Chooses the format by the first two bytes (RFC 1950, 2.2).
    fn decide(&mut self) -> io::Result<()> {
        let Self::Unknown(head, next) = self else { return Ok(()) };
        let Some(next) = next.take() else { return Ok(()) };
        let head = std::mem::take(head);
        let zlib = matches!(head[..], [cmf, flg, ..]
            if cmf & 0x0f == 8 && (u16::from(cmf) << 8 | u16::from(flg)) % 31 == 0);
        *self = if zlib { Self::Zlib(ZlibDecoder::new(next)) } else { Self::Bare(DeflateDecoder::new(next)) };
        self.write_all(&head)
    }
}

impl Write for Deflate {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match self {
            Self::Zlib(inner) => inner.write(piece),
            Self::Bare(inner) => inner.write(piece),
            Self::Unknown(head, _) => {
                head.extend_from_slice(piece);
                if head.len() >= 2 {
                    self.decide()?;
                }
                Ok(piece.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Deflate {
    fn end(mut self: Box<Self>) -> io::Result<()> {
        self.decide()?;
        match *self {
            Self::Zlib(inner) => inner.finish()?.end(),
            Self::Bare(inner) => inner.finish()?.end(),
            Self::Unknown(..) => Ok(()),
        }
    }
}

struct Brotli(DecompressorWriter<Box<dyn Layer>>);

impl Write for Brotli {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Brotli {
    fn end(self: Box<Self>) -> io::Result<()> {
        match self.0.into_inner() {
            Ok(next) => next.end(),
            Err(_) => Err(io::Error::new(ErrorKind::UnexpectedEof, "the brotli stream is cut")),
        }
    }
}

struct Zstd {
    decoder: RawZstd<'static>,
    next: Box<dyn Layer>,
    piece: Vec<u8>,
    /// Bytes that the frame still needs; 0 at its end.
    wants: usize,
}

impl Zstd {
    fn new(next: Box<dyn Layer>) -> Option<Self> {
        let mut decoder = RawZstd::new().ok()?;
        decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW)).ok()?;
        Some(Self { decoder, next, piece: vec![0; PIECE], wants: 1 })
    }
}

impl Write for Zstd {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut input = InBuffer::around(piece);
        loop {
            let mut output = OutBuffer::around(&mut self.piece[..]);
            self.wants = self.decoder.run(&mut input, &mut output)?;
            let made = output.pos();
            self.next.write_all(&self.piece[..made])?;
            // A full buffer may mean that more output is pending.
            if input.pos() == piece.len() && made < PIECE {
                return Ok(piece.len());
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Zstd {
    fn end(self: Box<Self>) -> io::Result<()> {
        if self.wants > 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the zstd frame is cut"));
        }
        self.next.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"<rss><channel><title>text that is long enough to be coded</title></channel></rss>";

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    /// Decodes in pieces of `size` bytes.
    fn decode(codings: &[&str], coded: &[u8], size: usize, limit: u64) -> Result<Bytes, &'static str> {
        let codings: Vec<String> = codings.iter().map(|&coding| coding.to_owned()).collect();
        let word = |fault: Fault| match fault {
            Fault::TooLarge => "too_large",
            Fault::Truncated(_) => "truncated",
            Fault::Malformed(_) => "malformed",
            Fault::Unknown(_) => "coding",
        };
        let mut decoder = Decoder::new(&codings, limit).map_err(|_| "coding")?;
        for piece in coded.chunks(size) {
            decoder.feed(piece).map_err(word)?;
        }
        decoder.end().map_err(word)
    }

    #[test]
    fn codings_in_pieces_of_any_size() {
        let zstd = zstd::encode_all(TEXT, 3).unwrap();
        // Without header and checksum.
        let wrapped = zlib(TEXT);
        let bare = wrapped[2..wrapped.len() - 4].to_vec();
        let members = [gzip(&TEXT[..40]), gzip(&TEXT[40..])].concat();
        let twice = gzip(&zlib(TEXT));
        // The output of the `brotli` program for TEXT.
        let brotli = b"\x1b\x50\x00\x20\x9c\x09\x76\x8c\x64\x32\x44\xdb\xb8\xd5\x2f\x3c\x65\x72\x4a\x2c\
            \xad\x40\xc8\xca\x67\xce\x6d\x6c\xec\x2b\x1e\x41\x50\x7e\xb3\xf1\x1b\x3f\xf0\x18\
            \x3e\x8f\xb4\xd7\x23\x39\x3e\xa1\x30\x79\x14\xea\x15\xa2\xb2\x74\x04\x7e\x77\x05\
            \x85\x87\xd8\x07"
            .to_vec();
        for (codings, coded) in [
            (&[][..], TEXT.to_vec()),
            (&["gzip"], gzip(TEXT)),
            (&["x-gzip"], members),
            (&["deflate"], zlib(TEXT)),
            (&["deflate"], bare),
            (&["zstd"], [zstd.clone(), zstd::encode_all(&b""[..], 3).unwrap()].concat()),
            (&["deflate", "gzip"], twice),
            (&["br"], brotli),
            (&[], gzip(TEXT)),
        ] {
            for size in [1, 7, 10_000] {
                let decoded = decode(codings, &coded, size, 1 << 20);
                assert_eq!(decoded.as_deref(), Ok(TEXT), "{codings:?} by {size}");
            }
            if !codings.is_empty() {
                let cut = decode(codings, &coded[..coded.len() - 5], 10_000, 1 << 20);
                assert!(matches!(cut, Err("truncated" | "malformed")), "{codings:?}: {cut:?}");
            }
        }
    }

    #[test]
    fn padding_and_codings_that_are_none() {
        let members = [gzip(&TEXT[..40]), gzip(&TEXT[40..])].concat();
        for (codings, coded) in [
            (&["gzip"][..], [gzip(TEXT), vec![0; 300]].concat()),
            (&["x-gzip"], [members, b"\x1f".to_vec()].concat()),
            (&["gzip"], [gzip(TEXT), b"\x1f\x8bno".to_vec()].concat()),
            (&["utf-8"], TEXT.to_vec()),
            (&["aws-chunked", "gzip"], gzip(TEXT)),
            (&["none"], gzip(TEXT)),
            (&["gzip"], TEXT.to_vec()),
            (&["zstd"], TEXT.to_vec()),
        ] {
            for size in [1, 7, 10_000] {
                let decoded = decode(codings, &coded, size, 1 << 20);
                assert_eq!(decoded.as_deref(), Ok(TEXT), "{codings:?} by {size}");
            }
        }
    }

    #[test]
    fn bombs_and_nonsense() {
        let zeros = vec![0_u8; 8 << 20];
        let bomb = gzip(&zeros);
        assert_eq!(decode(&["gzip"], &bomb, 1_000, 1 << 16), Err("too_large"));
        assert_eq!(decode(&["gzip"], &bomb, 1_000, 1 << 30), Err("too_large"), "by its ratio");
        assert_eq!(decode(&["gzip", "gzip"], &gzip(&bomb), 1_000, 1 << 16), Err("too_large"));
        assert_eq!(
            decode(&["zstd"], &zstd::encode_all(&zeros[..], 3).unwrap(), 99, 1 << 16),
            Err("too_large")
        );
        assert_eq!(decode(&["gzip"], b"no text: \x00\x01", 100, 1 << 16), Err("malformed"));
        assert_eq!(decode(&["gzip", "gzip", "gzip"], TEXT, 100, 1 << 16), Err("coding"));
        assert_eq!(decode(&["odd"], b"\x00\x01\x02odd", 100, 1 << 16), Err("coding"));
        assert_eq!(decode(&["gzip"], b"", 1, 10).as_deref(), Ok(&b""[..]));
        assert_eq!(decode(&[], TEXT, 100, 20), Err("too_large"));
    }
}
