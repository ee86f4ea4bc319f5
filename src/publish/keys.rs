//! What outputs are called: the keys of feeds, files by their keys, the units of categories.

use crate::model::{Category, CategoryId};
use crate::sink::{FeedFormat, File, OutputKey};

/// Unit of the site's own files; a category can never have this slug.
pub(super) const SITE_UNIT: &str = "index";

/// The key of a feed: a category's, or the whole site's.
pub(super) fn key(category: &Category, format: FeedFormat) -> OutputKey {
    if category.id == CategoryId::SITE {
        OutputKey::SiteFeed(format)
    } else {
        OutputKey::Feed(category.slug.clone(), format)
    }
}

/// Categories and the site by the name of their unit.
pub(super) fn unit_name(category: &Category) -> &str {
    if category.id == CategoryId::SITE { SITE_UNIT } else { category.slug.as_str() }
}

/// An output as a file.
pub(super) fn file(key: &OutputKey, bytes: impl Into<Vec<u8>>) -> File {
    File { path: key.path(), bytes: bytes.into() }
}
