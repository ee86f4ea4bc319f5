//! Applies rules to drafts, and returns the resulting categories.

use std::collections::BTreeMap;

use url::Url;

use super::draft::Draft;
use crate::model::item::caps;
use crate::model::text::{clip, clip_bytes, html_to_text, strip_illegal};
use crate::model::{Category, CategoryChoice, CategoryId, Slug, SourceId, Timestamp};
use crate::parse::clean::Cleaner;
use crate::rules::{Rules, Subject, Verdict};
use crate::store::{Result, Store};

/// Name of the counter of items that rules were applied to.
pub const SEEN: &str = "seen";
/// Name of the counter of items that the rules kept.
pub const KEPT: &str = "kept";
/// Name of the counter of items that a rule dropped.
pub const DROPPED: &str = "dropped";
/// Prefix of the name of the counter of a rule's hits.
pub const RULE: &str = "rule.";

/// Returns the fields of a draft that rules are matched against.
pub(super) fn subject(draft: &Draft, age: i64) -> Subject<'_> {
    Subject {
        title: draft.title.as_str().into(),
        html: draft.body.html.as_str().into(),
        link: draft.link.as_deref().unwrap_or_default().into(),
        authors: draft.body.authors.iter().map(|author| author.name.clone()).collect(),
        tags: draft.body.tags.clone(),
        media: draft.media_name.as_deref(),
        language: draft.body.language.as_deref(),
        age,
    }
}

/// Returns how old an item is when it is first seen, in seconds.
pub(super) fn age(published: Option<Timestamp>, now: Timestamp) -> i64 {
    published.map_or(0, |published| now.since(published).max(0))
}

/// Returns the verdict of the rules on an item that is in `categories` without them.
pub(super) fn evaluate(
    rules: &Rules,
    store: &dyn Store,
    subject: &Subject<'_>,
    source: &SourceId,
    categories: &[Category],
) -> Verdict {
    let slugs: Vec<Slug> = categories.iter().map(|category| category.slug.clone()).collect();
    rules.judge(subject, source, &slugs, |choice| Some(slug_of(store, choice)))
}

/// Returns the slug of a category that a rule names; for a new category, the slug that it would get.
pub(super) fn slug_of(store: &dyn Store, choice: &CategoryChoice) -> Slug {
    let known = |name: &str| store.find_category(name).ok().flatten().map(|category| category.slug);
    let by_slug = choice.slug.as_ref().and_then(|slug| known(slug.as_str()));
    by_slug.or_else(|| known(&choice.name)).unwrap_or_else(|| choice.own_slug())
}

/// Copies what rules rewrote into the draft; HTML is cleaned again, because a rule may have broken it.
pub(super) fn rewrite(draft: &mut Draft, verdict: &Verdict, cleaner: &Cleaner) {
    if let Some(title) = verdict.title.as_deref().map(strip_illegal).filter(|t| !t.trim().is_empty()) {
        draft.title = clip_bytes(title.trim(), caps::TITLE);
    }
    let link = verdict.link.as_deref().and_then(|link| Url::parse(link).ok());
    if let Some(link) =
        link.filter(|l| matches!(l.scheme(), "http" | "https") && l.as_str().len() <= caps::URL)
    {
        draft.link = Some(link.to_string());
    }
    if let Some(html) = &verdict.html {
        let base = draft.link.as_deref().and_then(|link| Url::parse(link).ok());
        draft.body.html = cleaner.clean(html, base.as_ref()).html;
        if draft.body.digest.is_none() {
            let text = html_to_text(&draft.body.html);
            draft.excerpt = clip_bytes(&clip(&text, caps::EXCERPT), caps::EXCERPT_BYTES);
        }
    }
    for tag in &verdict.tags {
        if draft.body.tags.len() < caps::LIST && !draft.body.tags.contains(tag) {
            draft.body.tags.push(clip(tag, 100));
        }
    }
}

/// Returns the categories of an item after its verdict, the home category first.
///
/// # Errors
/// Those of the store.
pub(super) fn placements(
    store: &dyn Store,
    verdict: &Verdict,
    mut categories: Vec<Category>,
    now: Timestamp,
) -> Result<Vec<Category>> {
    if let Some(moved) = &verdict.moved {
        categories = vec![ensure(store, moved, now)?];
    }
    for choice in &verdict.added {
        categories.push(ensure(store, choice, now)?);
    }
    let mut seen: Vec<CategoryId> = Vec::new();
    categories.retain(|category| {
        let new = category.id != CategoryId::SITE && !seen.contains(&category.id);
        seen.push(category.id);
        new
    });
    categories.truncate(caps::CATEGORIES);
    Ok(categories)
}

pub(super) fn ensure(store: &dyn Store, choice: &CategoryChoice, now: Timestamp) -> Result<Category> {
    store.ensure_category(&choice.name, choice.slug.as_ref(), now)
}

/// Counts one item that the rules were applied to.
pub(super) fn count(counts: &mut BTreeMap<String, u64>, verdict: &Verdict) {
    let mut one = |name: String| *counts.entry(name).or_default() += 1;
    one(SEEN.to_owned());
    one(if verdict.dropped.is_some() { DROPPED } else { KEPT }.to_owned());
    for rule in verdict.applied.iter().chain(&verdict.dropped) {
        one(format!("{RULE}{rule}"));
    }
}
