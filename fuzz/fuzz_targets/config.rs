#![no_main]
//! Any files of a configuration: a main one, and a drop-in behind the first zero.

use std::path::Path;

use feedmill::config::{fuzz, reader::Ledger};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let ledger = Ledger::new();
    let is_read = ledger.read(Path::new("feedmill.toml"), input).is_some();
    assert!(is_read || ledger.faults().has_errors());
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (main, drop_in) = text.split_once('\0').unwrap_or((text, ""));
    let loaded = fuzz::load(main, drop_in);
    assert_eq!(loaded.config.is_none(), loaded.faults.has_errors());
    let again = fuzz::load(main, drop_in);
    assert_eq!(again.config, loaded.config);
    assert_eq!(again.faults.records(), loaded.faults.records());
    assert_eq!(again.faults.render(false), loaded.faults.render(false));
});
