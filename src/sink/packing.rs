//! Compressed bytes: of variants beside the files that they are of, for servers that look for them
//! (`gzip_static`, `brotli_static`), and of what our own server sends; the same bytes every time.

use std::io::{self, Write};

use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::file::File;

/// Whether a directory has variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Packing {
    /// No, and never had.
    #[default]
    Plain,
    /// Yes.
    Packed,
    /// Not any more: they go with the files that are put.
    Unpacked,
}

/// Endings of the variants' names.
pub(super) const ENDINGS: [&str; 2] = [".gz", ".br"];
/// Endings of what is worth it.
const TEXTS: [&str; 8] = ["html", "xml", "rss", "json", "css", "js", "svg", "txt"];
/// Brotli's level: from 7 on it makes tables of tens of megabytes first, whatever the size of a file; 11
/// makes a feed a tenth smaller and takes thirty times as long.
const BROTLI: i32 = 6;

/// Whether a file of this path has variants.
pub(super) fn packs(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| TEXTS.contains(&ending))
}

/// The variants of a file.
pub(super) fn variants(file: &File) -> io::Result<[File; 2]> {
    let variant = |ending, bytes| File { path: format!("{}{ending}", file.path), bytes };
    Ok([variant(ENDINGS[0], gzip(&file.bytes)?), variant(ENDINGS[1], brotli(&file.bytes)?)])
}

/// RFC 1952, without a name or a time.
pub(crate) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// RFC 7932.
pub(crate) fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::with_capacity(bytes.len() / 4);
    let options =
        BrotliEncoderParams { quality: BROTLI, size_hint: bytes.len(), ..BrotliEncoderParams::default() };
    brotli::BrotliCompress(&mut &*bytes, &mut packed, &options)?;
    Ok(packed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn variants_hold_the_same_bytes() {
        let bytes = "<p>西海都市报</p>\n".repeat(500).into_bytes();
        let file = File { path: "feed/a.xml".to_owned(), bytes };
        let [gz, br] = variants(&file).unwrap();
        assert_eq!((gz.path.as_str(), br.path.as_str()), ("feed/a.xml.gz", "feed/a.xml.br"));
        let mut out = Vec::new();
        flate2::read::GzDecoder::new(&gz.bytes[..]).read_to_end(&mut out).unwrap();
        assert!(out == file.bytes && gz.bytes.len() * 20 < file.bytes.len());
        out.clear();
        brotli::BrotliDecompress(&mut &br.bytes[..], &mut out).unwrap();
        assert!(out == file.bytes && br.bytes.len() < gz.bytes.len());
        assert_eq!(variants(&file).unwrap()[0].bytes, gz.bytes);
        for (path, packed) in [("a.html", true), ("a.png", false), ("CNAME", false), ("a.html.gz", false)] {
            assert_eq!(packs(path), packed, "{path}");
        }
    }
}
