#![no_main]
//! Any body with the codings that its first byte picks, then as text with the charset that its second picks.

#[path = "../../tests/properties/mod.rs"]
mod properties;

use libfuzzer_sys::fuzz_target;

const CODINGS: [&str; 8] =
    ["", "gzip", "br", "zstd", "deflate", "gzip, br", "deflate, zstd", "br, br, br"];
const TYPES: [Option<&str>; 8] = [
    None,
    Some("text/xml"),
    Some("text/xml; charset=utf-8"),
    Some("text/xml; charset=gb2312"),
    Some("text/xml; charset=utf-16"),
    Some("text/xml; charset=big5"),
    Some("text/xml; charset=iso-2022-jp"),
    Some("text/xml; charset=koi8-r"),
];

fuzz_target!(|input: &[u8]| {
    let [coding, kind, bytes @ ..] = input else { return };
    properties::body(bytes, CODINGS[usize::from(coding % 8)], TYPES[usize::from(kind % 8)]);
});
