//! Import: an old Jekyll site becomes items, without surfacing as new.
//!
//! Owns: reading posts (`post`), and taking them into the store: never over a polled item,
//! old slugs and paths become aliases. Does not own: files of the running site.

mod front_matter;
mod jekyll;
mod outputs;
pub mod post;

pub use jekyll::{ImportError, ImportOptions, ImportReport, jekyll};
pub use outputs::{Published, TakenBack, take_back};
