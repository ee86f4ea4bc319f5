//! The interface of outputs that follow single items.

use crate::model::Cursor;
use crate::publish::error::PublishError;
use crate::publish::run::Run;

/// An output that follows single items.
///
/// It keeps a record beside its files: the cursor up to which they are complete, a fingerprint of what else
/// their bytes depend on, and what it shows of each hundred of a category, so that no file outlives its item
/// ([`hundreds`](super::hundreds)). The cost depends on the items that changed, not on those that are stored.
pub(in crate::publish) trait Sink {
    /// Brings the output up to `upto`.
    ///
    /// # Errors
    /// [`PublishError`]; its files are then complete, old or new, and the next publish continues.
    fn publish(&self, run: &mut Run<'_>, upto: &Cursor) -> Result<(), PublishError>;
}
