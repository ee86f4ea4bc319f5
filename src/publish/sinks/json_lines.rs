//! JSON lines for other programs: a file for each day on which articles were published, with one line for each
//! article, the oldest first.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::Serialize;

use super::hundreds::{Hundreds, Seen};
use super::sink::Sink;
use crate::model::{CategoryId, Cursor, Item, Timestamp};
use crate::publish::error::PublishError;
use crate::publish::feeds::whole_entry;
use crate::publish::fingerprint::fingerprint;
use crate::publish::options::JsonLinesOptions;
use crate::publish::pages::Names;
use crate::publish::run::Run;
use crate::publish::select::Chosen;
use crate::render::OutputEntry;
use crate::sink::{Directory, File, OutputKey};
use crate::store::Handle;

/// Its unit; no slug begins with `_`.
const UNIT: &str = "_lines";

/// One line; its members are written in the order of the fields.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    info_code: String,
    title: &'a str,
    url: &'a str,
    page: String,
    published: String,
    updated: String,
    categories: Vec<&'a str>,
    tags: &'a [String],
    authors: Vec<&'a str>,
    language: Option<&'a str>,
    newspaper: Option<&'a str>,
    source: &'a str,
    rights: Option<&'a str>,
    image: Option<&'a str>,
    attachments: Vec<&'a str>,
    summary: &'a str,
    html: &'a str,
}

pub(super) struct JsonLines<'a>(pub(super) &'a JsonLinesOptions);

impl Sink for JsonLines<'_> {
    fn publish(&self, run: &mut Run<'_>, upto: &Cursor) -> Result<(), PublishError> {
        let mut sink = Directory::open(&self.0.path)?;
        if run.since.is_none() {
            sink.remove_temp_files();
        }
        let print = fingerprint(&["lines", &run.pages.fingerprint(run.identity)]);
        let known = sink.unit(UNIT);
        let from = known.upto.clone().filter(|_| known.fingerprint == print);
        let mut days: BTreeSet<NaiveDate> = BTreeSet::new();
        run.each_touched(from.as_ref(), upto, |_, item| {
            days.insert(day_of(item.published));
            Ok(())
        })?;
        let path_of = |_: &Run<'_>, item: &Item| path(day_of(item.published));
        let hundreds = Hundreds { unit: UNIT, from: from.as_ref(), path: &path_of, page: &|_, _| None };
        hundreds.look(run, &mut sink, &mut |_, _, seen| {
            match seen {
                Seen::Lacking(shown) | Seen::Left(_, shown) => {
                    days.insert(day_of(shown.published));
                }
                Seen::Page(..) => {}
            }
            Ok(())
        })?;
        let names = run.names;
        for day in days {
            let bytes = lines(run, names, day)?;
            if bytes.is_empty() {
                run.report.add(sink.remove(&path(day))?);
            } else {
                let at = start(day);
                run.put(&mut sink, &File { path: path(day), bytes }, at)?;
            }
        }
        sink.flush_hundreds();
        sink.put_record(UNIT, upto, &print);
        run.show(&mut sink)
    }
}

fn day_of(at: Timestamp) -> NaiveDate {
    at.to_utc().date_naive()
}

fn start(day: NaiveDate) -> Timestamp {
    Timestamp::from(day.and_time(chrono::NaiveTime::MIN).and_utc())
}

fn path(day: NaiveDate) -> String {
    day.format("%Y/%m/%d.jsonl").to_string()
}

fn lines(run: &Run<'_>, names: &Names, day: NaiveDate) -> Result<Vec<u8>, PublishError> {
    let from = start(day);
    let mut bytes = Vec::new();
    for item in run.store.items_between(CategoryId::SITE, from, from.plus(86_400))? {
        let line = line(run, names, item)?;
        bytes.extend_from_slice(&line);
        bytes.push(b'\n');
    }
    Ok(bytes)
}

fn line(run: &Run<'_>, names: &Names, item: Item) -> Result<Vec<u8>, PublishError> {
    let pages = run.pages;
    let page = pages.url(&OutputKey::Article(item.permalink.clone()));
    let info_code = item.code.text(pages.options.site.code_space.as_ref());
    let source = item.lead.clone();
    let slugs: Vec<&str> = item
        .categories
        .iter()
        .filter_map(|id| names.get(id))
        .map(|category| category.slug.as_str())
        .collect();
    let article = Handle::article(run.store, item)?;
    let tags = article.body.tags.clone();
    let entry: OutputEntry = whole_entry(pages, Chosen { article, full: true, in_window: true }, names);
    let line = Line {
        id: &entry.id,
        info_code,
        title: &entry.title,
        url: &entry.link,
        page,
        published: entry.published.rfc3339(),
        updated: entry.updated.rfc3339(),
        categories: slugs,
        tags: &tags,
        authors: entry
            .authors
            .iter()
            .map(|author| author.name.as_str())
            .filter(|name| !name.is_empty())
            .collect(),
        language: entry.language.as_deref(),
        newspaper: entry.source_name.as_deref(),
        source: source.as_str(),
        rights: entry.rights.as_deref(),
        image: entry.image.as_deref(),
        attachments: entry.enclosures.iter().map(|file| file.url.as_str()).collect(),
        summary: &entry.summary,
        html: entry.html.as_deref().unwrap_or_default(),
    };
    Ok(serde_json::to_vec(&line).map_err(crate::render::RenderError::from)?)
}
