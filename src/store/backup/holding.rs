//! Searching a backup for articles.

use std::collections::BTreeSet;
use std::path::Path;

use super::file::read;
use super::format::Line;
use crate::model::InfoCode;
use crate::store::{Progress, Result, StoreError};

/// Returns whether a backup contains the text of one of these items. With `shown`, withdrawn items do not
/// count, because an import would not show them. Reads up to the first match.
///
/// # Errors
/// If it cannot be read to its end.
pub fn holds(path: &Path, codes: &BTreeSet<InfoCode>, shown: bool, progress: Progress<'_>) -> Result<bool> {
    let mut found = false;
    let read = read(path, progress, |line| match line {
        Line::Item(item) if codes.contains(&item.item.code) && !(shown && item.tombstone.is_some()) => {
            found = true;
            Err(StoreError::Unusable { detail: "read far enough".to_owned() })
        }
        _ => Ok(()),
    });
    if found { Ok(true) } else { read.map(|()| false) }
}
