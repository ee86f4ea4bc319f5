//! Documents that are gzip files themselves, such as `sitemap.xml.gz`, apart from any `Content-Encoding`.

use std::io::Read;

use flate2::read::MultiGzDecoder;

const MAGIC: [u8; 3] = [0x1F, 0x8B, 0x08];
/// Bytes that are unpacked at most; the rest is dropped.
const MOST: u64 = 32 << 20;

/// Unpacks a gzip file as far as it can be read; returns `None` for any other document.
pub(super) fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(&MAGIC) {
        return None;
    }
    let mut document = Vec::new();
    // The data before a fault is valid.
    let _ = MultiGzDecoder::new(bytes).take(MOST).read_to_end(&mut document);
    (!document.is_empty()).then_some(document)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_packed_document_is_unpacked_once() {
        let pack = |bytes: &[u8]| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let packed = pack(b"<urlset></urlset>");
        assert_eq!(unpacked(&packed).as_deref(), Some(&b"<urlset></urlset>"[..]));
        let long = pack(&(0..99_999_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>());
        assert!(unpacked(&long[..long.len() / 2]).unwrap().len() > 1_000, "a cut one as far as it goes");
        for other in [&b"<urlset/>"[..], b"\x1f\x8b\x08", b""] {
            assert_eq!(unpacked(other), None);
        }
    }
}
