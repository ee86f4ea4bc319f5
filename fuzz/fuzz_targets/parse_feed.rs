#![no_main]
//! Any document, with the `Content-Type` that its first byte picks.

#[path = "../../tests/properties/mod.rs"]
mod properties;

use libfuzzer_sys::fuzz_target;

const TYPES: [Option<&str>; 8] = [
    None,
    Some("text/xml"),
    Some("application/rss+xml; charset=utf-8"),
    Some("text/xml; charset=gbk"),
    Some("text/xml; charset=iso-8859-1"),
    Some("text/xml; charset=utf-16"),
    Some("application/feed+json"),
    Some("text/xml; charset=shift_jis"),
];

fuzz_target!(|input: &[u8]| {
    let Some((kind, bytes)) = input.split_first() else { return };
    properties::feed(bytes, TYPES[usize::from(kind % 8)]);
});
