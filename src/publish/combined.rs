//! Combined feeds: the newest items of several categories in one feed, such as all papers of a province.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tracing::warn;

use super::error::PublishError;
use super::feeds::{entry, feed_id, frame, in_all_formats};
use super::options::Combined;
use super::pages::{Names, Pages};
use super::run::Run;
use super::select::{self, Candidate};
use crate::model::{Category, InfoCode, Item};
use crate::render::opml::Outline;
use crate::sink::{Directory, FeedFormat, File, OutputKey, Rendered};
use crate::store::{Handle, Store};

/// The prefix of these units' names; no slug begins with it.
const UNIT: &str = "_combined.";

impl Combined {
    fn members<'a>(&self, names: &'a Names) -> Vec<&'a Category> {
        let named = |category: &&Category| {
            self.categories.iter().any(|name| *name == category.name || name == category.slug.as_str())
        };
        names.values().filter(named).collect()
    }
}

/// Returns the slug of the combined feed whose files a unit contains.
pub(super) fn slug_of(unit: &str) -> Option<&str> {
    unit.strip_prefix(UNIT)
}

/// Returns combined feeds as outlines of the list of all feeds.
pub(super) fn outlines(pages: &Pages) -> impl Iterator<Item = Outline> {
    pages.options.combined.iter().map(|combined| Outline {
        title: combined.name.clone(),
        xml_url: pages.url(&OutputKey::Feed(combined.slug.clone(), FeedFormat::Atom)),
        html_url: Some(pages.url(&OutputKey::Home)),
    })
}

impl Run<'_> {
    /// Writes the combined feeds whose categories changed.
    pub(super) fn combined(&mut self, sink: &mut Directory, fingerprint: &str) -> Result<(), PublishError> {
        let names = self.names;
        for combined in &self.pages.options.combined {
            if names.values().any(|category| category.slug == combined.slug) {
                warn!(slug = %combined.slug, "a combined feed is left out: a category has its slug");
                continue;
            }
            let members = combined.members(names);
            let generation = members.iter().map(|category| category.generation).max().unwrap_or_default();
            let name = format!("{UNIT}{}", combined.slug);
            let unit = sink.unit(&name);
            if unit.shows(generation, fingerprint) && (self.since.is_some() || !sink.has_missing_files(&unit))
            {
                self.report.clean += 1;
                continue;
            }
            let files = files(self.pages, self.store, combined, &members, names)?;
            let rendered = Rendered {
                generation,
                fingerprint: fingerprint.to_owned(),
                files,
                kept: Vec::new(),
                changed_at: members.iter().map(|category| category.changed_at).max().unwrap_or_default(),
            };
            self.report.add(sink.put_unit(&name, &unit, &rendered)?);
            self.report.rendered += 1;
        }
        Ok(())
    }
}

fn files(
    pages: &Pages,
    store: &dyn Store,
    combined: &Combined,
    members: &[&Category],
    names: &Names,
) -> Result<Vec<File>, PublishError> {
    let windows = &pages.options.windows;
    let window = windows.site();
    let wide = windows.wide(window);
    let mut found: BTreeMap<Reverse<(crate::model::Timestamp, InfoCode)>, Item> = BTreeMap::new();
    for category in members {
        for item in store.items_in(category.id, wide)? {
            found.insert(Reverse((item.published, item.code.clone())), item);
        }
    }
    let items: Vec<Item> = found.into_values().take(wide.most).collect();
    let chosen = select::fair(items, window.most, windows.per_source).into_iter().map(|item| {
        Handle::article(store, item).map(|article| Candidate { article, in_window: true, unsealed: false })
    });
    let chosen = select::fit(chosen, windows)?;
    let mut feed = frame(pages, &site_like(combined, members));
    feed.id = feed_id(pages, combined.slug.as_str());
    feed.page_url = pages.url(&OutputKey::Home);
    feed.updated = members.iter().map(|category| category.changed_at).max().unwrap_or_default();
    feed.entries = chosen.into_iter().map(|chosen| entry(pages, chosen, names)).collect();
    in_all_formats(&feed, |format| OutputKey::Feed(combined.slug.clone(), format))
}

/// Returns a category with the fields that a feed's frame needs.
fn site_like(combined: &Combined, members: &[&Category]) -> Category {
    Category {
        id: crate::model::CategoryId(u32::MAX),
        slug: combined.slug.clone(),
        name: combined.name.clone(),
        generation: 0,
        changed_at: crate::model::Timestamp::EPOCH,
        newest: members.iter().filter_map(|category| category.newest).max(),
        arrivals: 0,
    }
}
