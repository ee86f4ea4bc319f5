#![no_main]
//! Any bytes as a file of texts and as a packed body, and what they are with the checksums that no
//! fuzzing finds.

use feedmill::store::fuzz;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    frame(input);
    body(input);
    if let Some((head, rest)) = input.split_at_checked(6) {
        let length = u32::try_from(rest.len().saturating_sub(usize::from(head[5]))).unwrap_or_default();
        let start = [&[0xF5, b'T', b'x', 0xE3, 0, head[5]][..], &length.to_be_bytes()].concat();
        frame(&[&start, &crc32fast::hash(rest).to_be_bytes()[..], rest].concat());
    }
    let length = u32::try_from(input.len()).unwrap_or_default();
    let start = [&[1, 0, 0, 0, 0, 0][..], &length.to_be_bytes()].concat();
    body(&[&start, &crc32fast::hash(input).to_be_bytes()[..], input].concat());
});

/// A frame that is read is written as the same bytes.
fn frame(bytes: &[u8]) {
    if let Some(written) = fuzz::frame(bytes) {
        assert!(bytes.starts_with(&written));
    }
}

/// A body that is read is packed in one way.
fn body(packed: &[u8]) {
    if let Some(written) = fuzz::body(packed) {
        assert_eq!(fuzz::body(&written), Some(written));
    }
}
