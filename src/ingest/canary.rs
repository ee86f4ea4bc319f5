//! The canary: tries changed settings on the last answers of the sources, before they are used.
//!
//! Nothing is fetched and nothing is stored. Items that would no longer be ingested are a loss that an admin
//! has to accept; items that would change their category are reported.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::apply_rules::{age, slug_of, subject};
use super::draft;
use super::identity::identify;
use super::options::IngestOptions;
use super::routing::{AutoCategories, Routing};
use crate::ingest::answers::LastAnswer;
use crate::model::{CategoryChoice, InfoCode, Slug, Timestamp};
use crate::source::Source;
use crate::store::{Result, Store};

/// Most titles that are shown as examples.
const EXAMPLES: usize = 5;

/// The result of new settings for one source's last answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The source.
    pub source: String,
    /// Number of items that are ingested now and would not be.
    pub vanish: usize,
    /// Titles of some of them.
    pub examples: Vec<String>,
    /// Number of items that would change categories, by the new ones: slugs separated by spaces.
    pub moves: BTreeMap<String, usize>,
    /// Number of items that are not ingested now and would be.
    pub appear: usize,
    /// The reason why the answer was not tried, if it was not.
    pub untried: Option<String>,
}

impl Trial {
    /// Returns whether there is nothing to report.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.vanish + self.appear == 0 && self.moves.is_empty() && self.untried.is_none()
    }
}

/// The outcome for one listed article.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fate {
    title: String,
    /// Its categories, the home category first.
    to: Vec<Slug>,
}

/// Compares `answer` under the settings in use and under new ones; nothing is stored.
///
/// # Errors
/// Those of the store.
pub fn compare(
    store: &dyn Store,
    answer: &LastAnswer,
    (old, old_options): (&Source, &IngestOptions),
    (new, new_options): (&Source, &IngestOptions),
    now: Timestamp,
) -> Result<Trial> {
    let mut trial = Trial { source: new.id.to_string(), ..Trial::default() };
    let Some(before) = fates(store, answer, old, old_options, now)? else {
        trial.untried = Some("its last answer cannot be read".to_owned());
        return Ok(trial);
    };
    // An answer that cannot be read under new settings loses all its items.
    let after = fates(store, answer, new, new_options, now)?.unwrap_or_default();
    for (code, fate) in &before {
        match after.get(code) {
            None => {
                trial.vanish += 1;
                if trial.examples.len() < EXAMPLES {
                    trial.examples.push(fate.title.clone());
                }
            }
            Some(there) if there.to != fate.to => {
                let slugs: Vec<&str> = there.to.iter().map(Slug::as_str).collect();
                *trial.moves.entry(slugs.join(" ")).or_default() += 1;
            }
            Some(_) => {}
        }
    }
    trial.appear = after.keys().filter(|code| !before.contains_key(*code)).count();
    Ok(trial)
}

/// Returns the items that would be ingested, with their categories; `None` for an answer that cannot be read.
fn fates(
    store: &dyn Store,
    answer: &LastAnswer,
    source: &Source,
    options: &IngestOptions,
    now: Timestamp,
) -> Result<Option<BTreeMap<InfoCode, Fate>>> {
    let head = &answer.head;
    let Ok((document, _)) = source.parse(&answer.body, head.content_type.as_deref(), &head.url, true) else {
        return Ok(None);
    };
    let mut fates = BTreeMap::new();
    for listed in identify(store, source, document)?.listed {
        // The text is needed only for rules, and for newspapers' names that are part of it.
        let unnamed = source.route_by_media && listed.entry.media_name.is_none();
        let draft = (!options.rules.is_empty() || unnamed).then(|| draft::draft(source, &listed.entry));
        let named = draft.as_ref().map_or(listed.entry.media_name.as_deref(), |d| d.media_name.as_deref());
        let mut to = routed(store, source, named, options.auto)?;
        if let Some(draft) = draft.filter(|_| !options.rules.is_empty()) {
            let published = listed.entry.published.or(listed.entry.updated);
            let subject = subject(&draft, age(published, now));
            let verdict =
                options.rules.judge(&subject, &source.id, &to, |choice| Some(slug_of(store, choice)));
            if verdict.dropped.is_some() {
                continue;
            }
            if let Some(moved) = &verdict.moved {
                to = vec![slug_of(store, moved)];
            }
            to.extend(verdict.added.iter().map(|choice| slug_of(store, choice)));
        }
        to.dedup();
        fates.insert(listed.code, Fate { title: listed.entry.title, to });
    }
    Ok(Some(fates))
}

/// Returns the categories of a record by the config, before rules.
fn routed(
    store: &dyn Store,
    source: &Source,
    media_name: Option<&str>,
    auto: AutoCategories,
) -> Result<Vec<Slug>> {
    let mut choices = Routing::choices(store, source, media_name)?;
    let name = media_name.map(str::trim).filter(|name| source.route_by_media && !name.is_empty());
    if let (Some(name), AutoCategories::Yes) = (name, auto)
        && store.find_category(name)?.is_none()
        && let Some(first) = choices.first_mut()
    {
        *first = CategoryChoice { name: name.to_owned(), slug: None };
    }
    Ok(choices.iter().map(|choice| slug_of(store, choice)).collect())
}
