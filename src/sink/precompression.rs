//! Compression with gzip and brotli: of files beside the originals, for web servers that look for them
//! (nginx's `gzip_static`, `brotli_static`), and of responses. Equal bytes give equal bytes.

use std::io::{self, Write};

use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::file::File;

/// Whether a directory has compressed variants of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precompression {
    /// It has none and never had any.
    #[default]
    Off,
    /// Each file is written with its variants.
    On,
    /// It had them: variants of files that are written or removed are removed.
    Remove,
}

/// Extensions that variants add to the name of a file.
pub(super) const EXTENSIONS: [&str; 2] = [".gz", ".br"];
/// Extensions of files that compress well.
const TEXT_EXTENSIONS: [&str; 8] = ["html", "xml", "rss", "json", "css", "js", "svg", "txt"];
/// Quality of brotli. From 7 on the encoder allocates tens of megabytes for a file of any size; 11 makes a
/// feed a tenth smaller and takes thirty times as long.
const BROTLI_QUALITY: i32 = 6;

/// Returns whether a file of this path has variants.
pub(super) fn is_compressible(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| TEXT_EXTENSIONS.contains(&extension))
}

/// Compresses a file with gzip and brotli.
pub(super) fn variants(file: &File) -> io::Result<[File; 2]> {
    let variant = |extension, bytes| File { path: format!("{}{extension}", file.path), bytes };
    Ok([variant(EXTENSIONS[0], gzip(&file.bytes)?), variant(EXTENSIONS[1], brotli(&file.bytes)?)])
}

/// Compresses with gzip (RFC 1952), without a name and a time in the header.
pub(crate) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Compresses with brotli (RFC 7932).
pub(crate) fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressed = Vec::with_capacity(bytes.len() / 4);
    let options = BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        size_hint: bytes.len(),
        ..BrotliEncoderParams::default()
    };
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &options)?;
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn variants_decompress_to_the_same_bytes() {
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
        for (path, compressible) in
            [("a.html", true), ("a.png", false), ("CNAME", false), ("a.html.gz", false)]
        {
            assert_eq!(is_compressible(path), compressible, "{path}");
        }
    }
}
