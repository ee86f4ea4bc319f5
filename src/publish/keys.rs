//! Names of outputs: the keys of feeds, files by their keys, the units of categories.

use crate::model::{Category, CategoryId};
use crate::sink::{FeedFormat, File, OutputKey};

/// The unit of the site's own files; a category can never have this slug.
pub(super) const SITE_UNIT: &str = "index";

/// Returns the key of a feed: a category's, or the whole site's.
pub(super) fn key(category: &Category, format: FeedFormat) -> OutputKey {
    if category.id == CategoryId::SITE {
        OutputKey::SiteFeed(format)
    } else {
        OutputKey::Feed(category.slug.clone(), format)
    }
}

/// Returns the name of the unit of a category or of the site.
pub(super) fn unit_name(category: &Category) -> &str {
    if category.id == CategoryId::SITE { SITE_UNIT } else { category.slug.as_str() }
}

/// Creates the file of an output.
pub(super) fn file(key: &OutputKey, bytes: impl Into<Vec<u8>>) -> File {
    File { path: key.path(), bytes: bytes.into() }
}
