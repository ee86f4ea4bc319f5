//! Sitemaps, if search engines may index the site (RULES 6.8): an index, and one file a month (RULES 4.5).

use chrono::{DateTime, Datelike, NaiveDate, TimeZone, Utc};

use super::error::PublishError;
use super::pages::{Names, Pages};
use crate::model::{CategoryId, Item, Timestamp};
use crate::render::sitemap::{self, Location, MOST};
use crate::sink::OutputKey;
use crate::store::{Store, Window};

impl Pages {
    /// Renders `robots.txt`, which allows everything. If search engines may not index the site, the pages say
    /// so, and only robots that may read a page see its `noindex` (RFC 9309 has no such directive).
    #[must_use]
    pub fn robots(&self) -> Vec<u8> {
        let sitemap = if self.options.site.indexing {
            format!("Sitemap: {}\n", self.url(&OutputKey::Sitemap))
        } else {
            String::new()
        };
        format!("User-agent: *\nDisallow:\n{sitemap}").into_bytes()
    }

    /// Renders the index of all sitemaps; `None` if search engines may not index the site.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn sitemap(&self, store: &dyn Store) -> Result<Option<Vec<u8>>, PublishError> {
        if !self.options.site.indexing {
            return Ok(None);
        }
        let months = self.months(store)?.into_iter().map(|(year, month)| Location {
            url: self.url(&OutputKey::SitemapMonth(year, month)),
            changed: None,
        });
        Ok(Some(sitemap::index(&months.collect::<Vec<_>>())))
    }

    /// Renders the sitemap of a month's articles, in the newest month with the categories; `None` if it would
    /// be empty.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn sitemap_month(
        &self,
        store: &dyn Store,
        year: i32,
        month: u32,
    ) -> Result<Option<Vec<u8>>, PublishError> {
        let Some((from, to)) = self.month(year, month).filter(|_| self.options.site.indexing) else {
            return Ok(None);
        };
        let mut pages = Vec::new();
        if self.months(store)?.last() == Some(&(year, month)) {
            pages.extend(self.lists(&self.names(store)?));
        }
        let items = store.items_between(CategoryId::SITE, from, to)?;
        let left_out = items.len().saturating_sub(MOST - pages.len().min(MOST));
        // The newest, if a month has more than one file may list.
        pages.extend(items.into_iter().skip(left_out).map(|item| Location {
            changed: Some(self.machine(item.updated)),
            url: self.url(&OutputKey::Article(item.permalink)),
        }));
        Ok((!pages.is_empty()).then(|| sitemap::pages(&pages)))
    }

    /// Returns the home page, the index, the page about subscribing, and the categories.
    fn lists(&self, names: &Names) -> Vec<Location> {
        let plain = [OutputKey::Home, OutputKey::Index, OutputKey::Subscribe]
            .map(|key| Location { url: self.url(&key), changed: None });
        let categories = names.values().map(|category| Location {
            url: self.url(&OutputKey::Category(category.slug.clone())),
            changed: Some(self.machine(category.changed_at)),
        });
        plain.into_iter().chain(categories).collect()
    }

    /// Returns all months with articles, the oldest first. Costs two lookups for each month.
    pub(super) fn months(&self, store: &dyn Store) -> Result<Vec<(i32, u32)>, PublishError> {
        let newest = Window { items: 1, age: -1, most: 1, archived: true };
        let mut item: Option<Item> = store.items_in(CategoryId::SITE, newest)?.pop();
        let mut months = Vec::new();
        while let Some(found) = item {
            let (year, month) = self.month_of(found.published);
            months.push((year, month));
            let Some((from, _)) = self.month(year, month) else { break };
            // `neighbours` takes any position in the order: here the beginning of the month.
            item = store.neighbours(CategoryId::SITE, (from.plus(-1), &found.code))?.0;
        }
        months.reverse();
        Ok(months)
    }

    /// Returns the year and month of an instant in the site's time zone.
    pub(super) fn month_of(&self, at: Timestamp) -> (i32, u32) {
        let local = at.to_utc().with_timezone(&self.options.site.zone);
        (local.year(), local.month())
    }

    /// Returns the beginning of a month and of the next one in the site's time zone.
    fn month(&self, year: i32, month: u32) -> Option<(Timestamp, Timestamp)> {
        let begin = |year, month| {
            let midnight = NaiveDate::from_ymd_opt(year, month, 1)?.and_hms_opt(0, 0, 0)?;
            let local = self.options.site.zone.from_local_datetime(&midnight).earliest();
            // If midnight falls in a gap of local time, midnight in UTC stands in; it is the same every time.
            let utc: DateTime<Utc> = local.map_or_else(|| midnight.and_utc(), |local| local.to_utc());
            Some(Timestamp::from(utc))
        };
        let (next_year, next) = if month == 12 { (year.checked_add(1)?, 1) } else { (year, month + 1) };
        Some((begin(year, month)?, begin(next_year, next)?))
    }
}
