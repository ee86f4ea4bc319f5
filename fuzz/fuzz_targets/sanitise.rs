#![no_main]
//! Any HTML.

#[path = "../../tests/properties/mod.rs"]
mod properties;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|html: &str| properties::html(html));
