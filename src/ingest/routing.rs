//! Routes records to categories (RULES 5.4).

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::model::text::clip_bytes;
use crate::model::{Category, CategoryChoice, CategoryId, Timestamp, item::caps};
use crate::source::Source;
use crate::store::{Result, Store};

/// New categories a day that names of newspapers may create, after a source's first poll.
const NEW_A_DAY: u32 = 50;

/// Policy for a newspaper's name that is no category yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AutoCategories {
    /// Creates a category.
    Yes,
    /// Uses the source's own category; the name waits for an admin.
    #[default]
    Hold,
    /// Uses the source's own category.
    No,
}

/// Routes records by their newspaper's name.
#[derive(Debug)]
pub struct Routing {
    auto: AutoCategories,
    /// (day, categories made on it)
    made: Mutex<(i64, u32)>,
}

/// The route of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The category.
    pub category: Category,
    /// The name, if no category was created for it.
    pub waiting: Option<String>,
}

impl Routing {
    /// Creates a router with a policy for unknown names.
    #[must_use]
    pub fn new(auto: AutoCategories) -> Self {
        Self { auto, made: Mutex::new((0, 0)) }
    }

    /// Returns the category of a record of `source` that names `media_name`.
    ///
    /// # Errors
    /// Those of the store.
    pub fn route(
        &self,
        store: &dyn Store,
        source: &Source,
        media_name: Option<&str>,
        first_poll: bool,
        now: Timestamp,
    ) -> Result<Route> {
        let own = |waiting: Option<String>| {
            let choice = &source.category;
            let category = store.ensure_category(&choice.name, choice.slug.as_ref(), now)?;
            Ok(Route { category, waiting })
        };
        let name = media_name.map(str::trim).filter(|n| source.route_by_media && !n.is_empty());
        let Some(name) = name else { return own(None) };
        if let Some(category) = store.find_category(name)?
            && category.id != CategoryId::SITE
        {
            return Ok(Route { category, waiting: None });
        }
        let fits = name.chars().count() <= caps::NAME && !name.chars().any(char::is_control);
        match self.auto {
            AutoCategories::Yes if fits && (first_poll || self.may_make(now)) => {
                Ok(Route { category: store.ensure_category(name, None, now)?, waiting: None })
            }
            AutoCategories::No => own(None),
            _ => own(Some(clip_bytes(name, 120))),
        }
    }

    /// Returns the categories of a record of `source`, without creating any (RULES 5.4).
    ///
    /// # Errors
    /// Those of the store.
    pub fn choices(
        store: &dyn Store,
        source: &Source,
        media_name: Option<&str>,
    ) -> Result<Vec<CategoryChoice>> {
        let name = media_name.map(str::trim).filter(|name| source.route_by_media && !name.is_empty());
        let by_media = name.map(|name| store.find_category(name)).transpose()?.flatten();
        let first = match by_media.filter(|category| category.id != CategoryId::SITE) {
            Some(category) => CategoryChoice { name: category.name, slug: Some(category.slug) },
            None => source.category.clone(),
        };
        Ok(std::iter::once(first).chain(source.also.iter().cloned()).collect())
    }

    fn may_make(&self, now: Timestamp) -> bool {
        let day = now.unix() / 86_400;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.0 != day {
            *made = (day, 0);
        }
        made.1 += 1;
        made.1 <= NEW_A_DAY
    }
}

/// Returns the waiting names, known ones first, at most 10.
#[must_use]
pub fn waiting(known: &[String], new: &BTreeSet<String>) -> Vec<String> {
    let mut all: Vec<String> = known.to_vec();
    all.extend(new.iter().filter(|name| !known.contains(name)).cloned());
    all.truncate(10);
    all
}
