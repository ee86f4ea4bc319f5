//! Makes an item from a draft, with its permalink. Pure.

use chrono_tz::Tz;

use super::draft::Draft;
use super::identity::Listed;
use crate::model::{Article, Category, CodeSpace, Item, Timestamp};
use crate::source::Source;

/// Returns a new item made from a draft. `undated` is the number of new items without a date before it in its
/// document; their dates keep that order (RULES 1.9).
#[must_use]
pub fn new_article(
    source: &Source,
    listed: &Listed,
    draft: Draft,
    home: &Category,
    place: (Tz, Option<&CodeSpace>),
    (now, undated): (Timestamp, i64),
) -> Article {
    let date = listed.entry.published.or(listed.entry.updated);
    let published = date.map_or_else(|| now.plus(-undated), |date| date.min(now));
    let item = Item {
        permalink: permalink(home, published, place.0, &listed.code.file_name(place.1)),
        code: listed.code.clone(),
        title: draft.title,
        link: draft.link,
        excerpt: draft.excerpt,
        media_name: draft.media_name,
        image: draft.image,
        published,
        updated: published,
        first_seen: now,
        home: home.id,
        categories: vec![home.id],
        lead: source.id.clone(),
        rank: source.rank,
        revisions: 0,
        generation: 0,
        touched: 0,
        imported: false,
    };
    Article { item, body: draft.body }
}

/// Returns `slug/2021/12/21/CODE.html`: the day is in the site's zone, and the permalink is set once (RULES
/// 5.3).
#[must_use]
pub fn permalink(home: &Category, published: Timestamp, zone: Tz, file: &str) -> String {
    let day = published.to_utc().with_timezone(&zone).format("%Y/%m/%d");
    format!("{}/{day}/{file}.html", home.slug)
}
