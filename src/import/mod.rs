//! Import: the posts of an old Jekyll site become items, without appearing as new.
//!
//! Owns: reading posts (`post`) and storing them: polled items are never overwritten, and old slugs and
//! paths become aliases; restoring items from the outputs (`outputs`). Does not own: files of the running
//! site.

mod front_matter;
mod jekyll;
mod outputs;
pub mod post;

pub use jekyll::{ImportError, ImportOptions, ImportReport, jekyll};
pub use outputs::{Published, TakenBack, take_back};
