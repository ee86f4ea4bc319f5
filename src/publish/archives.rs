//! Archive documents (RFC 5005): the sealed hundreds of a category, each as a file in Atom and in JSON Feed.
//! A file is written once, and again only when one of its items is withdrawn.

use std::collections::{BTreeMap, BTreeSet};

use super::error::PublishError;
use super::feeds::{entry, frame, gone_from};
use super::keys::file;
use super::run::{BATCH, Run};
use super::select::Chosen;
use crate::model::{Category, CategoryId, Slug};
use crate::render::{OutputFeed, atom, json_feed};
use crate::sink::{Directory, FeedFormat, File, OutputKey, Unit};

/// The prefix of these units' names; no slug begins with it.
const UNIT: &str = "_archive.";

/// Returns the slug whose archives a unit contains.
pub(super) fn slug_of(unit: &str) -> Option<&str> {
    unit.strip_prefix(UNIT)
}

impl Run<'_> {
    /// Writes the archive documents of a category that are missing or outdated.
    pub(super) fn archives(
        &mut self,
        sink: &mut Directory,
        category: &Category,
        fingerprint: &str,
    ) -> Result<(), PublishError> {
        if category.id == CategoryId::SITE || category.sealed() == 0 {
            return Ok(());
        }
        let name = format!("{UNIT}{}", category.slug);
        let known = sink.unit(&name);
        if known.shows(category.generation, fingerprint) && self.since.is_some() {
            return Ok(());
        }
        let mut pages: BTreeSet<u32> = if known.fingerprint == fingerprint {
            self.store.resealed_since(category.id, known.generation)?
        } else {
            (1..=category.sealed()).collect()
        };
        if self.since.is_none() {
            let missing = |page: &u32| keys(&category.slug, *page).iter().any(|key| !sink.has(&key.path()));
            pages.extend((1..=category.sealed()).filter(missing));
        }
        let mut record = Unit {
            generation: category.generation,
            upto: None,
            fingerprint: fingerprint.to_owned(),
            files: if known.fingerprint == fingerprint { known.files.clone() } else { BTreeMap::new() },
        };
        for page in pages {
            let feed = self.archive(category, page)?;
            for file in files(&category.slug, page, &feed)? {
                self.report.add(sink.put_unit_file(&mut record, &file, feed.updated)?);
            }
            if sink.pending() >= BATCH {
                self.show(sink)?;
            }
        }
        self.report.add(sink.put_unit_record(&name, &known, &record)?);
        Ok(())
    }

    fn archive(&self, category: &Category, page: u32) -> Result<OutputFeed, PublishError> {
        let found = self.store.sealed_page(category.id, page)?;
        let mut feed = frame(self.pages, category);
        let url = |format| self.pages.url(&OutputKey::Archive(category.slug.clone(), page, format));
        feed.history.current = Some(std::mem::replace(&mut feed.atom_url, url(FeedFormat::Atom)));
        feed.json_url = url(FeedFormat::Json);
        if page > 1 {
            feed.history.earlier(self.pages, &category.slug, page - 1);
        }
        let newest = found.entries.iter().map(|article| article.item.updated).max();
        let went = found.gone.iter().map(|gone| gone.at).max();
        // The times of its own entries, not the category's: it must not change with later ones.
        feed.updated = newest.max(went).unwrap_or_default();
        let whole = |article| Chosen { article, full: true, in_window: true };
        feed.entries =
            found.entries.into_iter().map(|article| entry(self.pages, whole(article), self.names)).collect();
        feed.gone = gone_from(self.pages, found.gone);
        Ok(feed)
    }
}

fn keys(slug: &Slug, page: u32) -> [OutputKey; 2] {
    [FeedFormat::Atom, FeedFormat::Json].map(|format| OutputKey::Archive(slug.clone(), page, format))
}

fn files(slug: &Slug, page: u32, feed: &OutputFeed) -> Result<[File; 2], PublishError> {
    let [atom_key, json_key] = keys(slug, page);
    Ok([file(&atom_key, atom::render(feed)), file(&json_key, json_feed::render(feed)?)])
}
