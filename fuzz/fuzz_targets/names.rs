#![no_main]
//! Any address: a path, and a query behind the first question mark.

use feedmill::serve::fuzz;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|address: &str| {
    let (path, query) = match address.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (address, None),
    };
    let Some((path, query)) = fuzz::address(path, query) else { return };
    assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."), "{path}");
    assert_eq!(fuzz::address(&path, query.as_deref()), Some((path, query)));
});
