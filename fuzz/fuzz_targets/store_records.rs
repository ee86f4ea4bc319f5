#![no_main]
//! Any record of the store, of the kind that its first byte picks.

use feedmill::model::{CodeSpace, InfoCode};
use feedmill::store::fuzz;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((kind, record)) = input.split_first() else { return };
    match kind % 7 {
        0 => lasting(record, |record| fuzz::item(&key("NW000000000000000042"), record)),
        1 => lasting(record, |record| fuzz::item(&key("a-code"), record)),
        2 => lasting(record, fuzz::listing),
        3 => lasting(record, fuzz::slot),
        4 => lasting(record, fuzz::entered),
        5 => exact(record, fuzz::aliases),
        _ => exact(record, |record| fuzz::slots(&[0, 0, 0, 7, 0, 0, 0, 1], record)),
    }
});

fn key(code: &str) -> Vec<u8> {
    CodeSpace::new("s").map(|space| InfoCode::new(space, code).key()).unwrap_or_default()
}

/// What is read is written as the same bytes.
fn exact(record: &[u8], again: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    if let Some(written) = again(record) {
        assert_eq!(written, record);
    }
}

/// What is written of what was read is read, and written as the same bytes: the same number may be
/// written in several ways, and what follows a record is not read.
fn lasting(record: &[u8], again: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    if let Some(written) = again(record) {
        assert_eq!(again(&written), Some(written));
    }
}
