//! The demo: a loopback upstream with sample articles, and the config that mills it.
//!
//! Owns: the samples, their server, the demo's config. Does not own: the mill; the demo runs
//! the real one.

pub mod config;
mod shapes;
pub mod upstream;
