//! Entry points for fuzzing the configuration: files given as bytes, not on a disk.

use std::path::Path;

use super::{Files, Loaded};

/// Reads a main file and a drop-in.
#[must_use]
pub fn load(main: &str, drop_in: &str) -> Loaded {
    let mut files = Files::default();
    files.put(Path::new(""), main.to_owned());
    files.put(Path::new("sources.d/a.toml"), drop_in.to_owned());
    files.load()
}
