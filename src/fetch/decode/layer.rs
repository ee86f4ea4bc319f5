//! What each step of a decoder's chain can do.

use std::io::{self, Write};

/// A step of a chain of decoders, or its end.
pub(super) trait Layer: Write + Send {
    /// Finishes this step and the following ones.
    fn end(self: Box<Self>) -> io::Result<()>;
}
