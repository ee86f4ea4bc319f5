//! Reads `[site]`: its address, its theme, and the settings that never change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;

use super::faults::{Fault, Place};
use super::reader::Reader;
use super::values::tidy;
use super::{FIXED_FILE, is_loopback};
use crate::publish::read_theme;
use crate::render::html::{Theme, ThemeError, ThemeParts};

/// Reads the site's address, with a path that ends in a slash, and its place; loopback if none is set.
pub(super) fn site_url(site: &mut Reader) -> (Url, Option<Place>) {
    let given = site.parsed("url", |s| match Url::parse(s) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none() => {
            Ok(url)
        }
        _ => Err(format!("must be the site's address like `https://news.example.org/`, not `{s}`")),
    });
    let place = given.as_ref().map(|v| v.place.clone());
    let mut url = given.map_or_else(loopback, |v| v.value);
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    (url, place)
}

/// Reads the theme's folder and files; a fault in the theme is a fault of the config.
pub(super) fn theme(
    site: &mut Reader,
    folder: &Path,
    language: &str,
    kept: Option<&Arc<ThemeParts>>,
) -> Option<(PathBuf, Arc<ThemeParts>)> {
    let given = site.string("theme").filter(|given| !given.value.trim().is_empty())?;
    let folder = tidy(&folder.join(&given.value));
    if let Some(kept) = kept {
        return Some((folder, Arc::clone(kept)));
    }
    let read = read_theme(&folder).and_then(|parts| Theme::with(&parts, language).map(|_| parts));
    match read {
        Ok(parts) => Some((folder, Arc::new(parts))),
        Err(error) => {
            let place = match &error {
                ThemeError::Unreadable { .. } => String::new(),
                _ => format!("{}/", folder.display()),
            };
            let message = format!("the theme cannot be used: {place}{}", crate::model::chain(&error));
            site.push(
                Fault::error(&given.place, message).help("the theme in use stays until this is mended"),
            );
            None
        }
    }
}

fn loopback() -> Url {
    Url::parse("http://127.0.0.1:8640/").expect("a constant address")
}

/// The settings that never change once the store has them, and their place.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) id_authority: String,
    place: Place,
    /// Whether the authority was not chosen and the site is on loopback: a trial, which fixes nothing.
    pub(super) trial: bool,
}

/// Reads `host,year`, the authority of tag ids (RFC 4151, 2.1); derived from the site's host if not set.
pub(super) fn id_authority(site: &mut Reader, url: &Url, url_place: Option<Place>) -> Fixed {
    let given = site.parsed("id_authority", |s| {
        let good = s.split_once(',').is_some_and(|(name, day)| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.@_".contains(&b))
                && matches!(day.len(), 4 | 7 | 10)
                && day.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        });
        if good {
            Ok(s.to_owned())
        } else {
            Err(format!("must be a domain of yours and a year like `news.example.org,2026`, not `{s}`"))
        }
    });
    if let Some(given) = given {
        return Fixed { id_authority: given.value, place: given.place, trial: false };
    }
    let host = url.host_str().unwrap_or("localhost").trim_matches(['[', ']']);
    Fixed {
        id_authority: format!("{host},2026"),
        place: url_place.unwrap_or_else(|| site.place().clone()),
        trial: is_loopback(url),
    }
}

/// Checks the settings that never change against those of the store (RULES 3.3). It reads a file beside the
/// store, since the store itself may be in use, and checks nothing if that is missing.
pub(super) fn check_fixed(main: &Reader, store: &Path, fixed: &Fixed, code_space: &str) {
    let Ok(bytes) = std::fs::read(store.join(FIXED_FILE)) else { return };
    let Ok(stored) = serde_json::from_slice::<BTreeMap<String, String>>(&bytes) else { return };
    for (key, asked) in [("id_authority", fixed.id_authority.as_str()), ("code_space", code_space)] {
        if let Some(stored) = stored.get(key).filter(|stored| *stored != asked) {
            let message = format!(
                "`site.{key}` is set once for ever: the store has `{stored}`, the config now means `{asked}`"
            );
            let help = format!("write `{key} = \"{stored}\"` into `[site]`; readers know the articles by it");
            main.push(Fault::error(&fixed.place, message).help(help));
        }
    }
}

/// Returns the default user agent of requests to newspapers, with the contact if there is one.
pub(super) fn user_agent(contact: Option<&str>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    match contact {
        Some(contact) => format!("feedmill/{version} (+{contact})"),
        None => format!("feedmill/{version}"),
    }
}
