//! What every output that follows single items can do.

use crate::model::Cursor;
use crate::publish::error::PublishError;
use crate::publish::run::Run;

/// An output that follows single items.
///
/// It keeps a record beside its files: up to where they show what changed, a fingerprint of what else their bytes
/// depend on, and what it shows of each hundred of a category, so that nothing outlives its item
/// ([`hundreds`](super::hundreds)). Cost follows the items that changed, not those that are stored.
pub(in crate::publish) trait Sink {
    /// Brings it up to all that was stored by `upto`.
    ///
    /// # Errors
    /// [`PublishError`]; its files are then whole, old or new, and the next publish goes on.
    fn publish(&self, run: &mut Run<'_>, upto: &Cursor) -> Result<(), PublishError>;
}
