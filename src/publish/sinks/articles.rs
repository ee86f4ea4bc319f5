//! Article pages and older pages of categories as files for static hosts. Old addresses become pages that
//! redirect, since a static host does not.

use std::collections::BTreeSet;

use super::hundreds::{Hundreds, Seen, is_gone};
use super::sink::Sink;
use crate::model::{Category, CategoryId, Cursor, InfoCode, Item, Timestamp};
use crate::publish::copies;
use crate::publish::error::PublishError;
use crate::publish::keys::file;
use crate::publish::run::Run;
use crate::sink::{Directory, OutputKey, Precompression, Shown, Unit};

/// Its unit, with the sitemaps; no slug begins with `_`.
const ARTICLES_UNIT: &str = "_articles";
/// The unit of pages at old paths.
const OLD_UNIT: &str = "_old_paths";

/// The suffix of the fingerprint if the files have compressed variants.
const PACKED: &str = "+packed";
/// Old paths read at once.
const STEP: usize = 1_000;

pub(super) struct ArticleFiles;

impl Sink for ArticleFiles {
    fn publish(&self, run: &mut Run<'_>, upto: &Cursor) -> Result<(), PublishError> {
        let sink = Directory::open(&run.pages.options.output)?;
        let known = sink.unit(ARTICLES_UNIT);
        let mut print = run.pages.fingerprint(run.identity);
        // The records of hundreds do not list variants, so the fingerprint records whether there are any.
        let packing = match (run.pages.options.precompress, known.fingerprint.ends_with(PACKED)) {
            (true, _) => Precompression::On,
            (false, true) => Precompression::Remove,
            (false, false) => Precompression::Off,
        };
        if packing == Precompression::On {
            print.push_str(PACKED);
        }
        let mut sink = sink.with_precompression(packing);
        let from = known.upto.clone().filter(|_| known.fingerprint == print);
        let mut due = Due::default();
        run.each_touched(from.as_ref(), upto, |run, item| due.touched(run, &item))?;
        let hundreds = Hundreds { unit: ARTICLES_UNIT, from: from.as_ref(), path: &path, page: &page };
        hundreds.look(run, &mut sink, &mut |run, sink, seen| due.seen(run, sink, seen))?;
        due.put(run, &mut sink)?;
        let mut record = Unit {
            upto: Some(upto.clone()),
            fingerprint: print,
            files: known.files.clone(),
            ..Unit::default()
        };
        sitemaps(run, &mut sink, due.months, from.is_none(), &mut record)?;
        if run.since.is_none() || from.is_none() {
            old_paths(run, &mut sink)?;
        }
        sink.flush_hundreds();
        run.report.add(sink.put_unit_record(ARTICLES_UNIT, &known, &record)?);
        run.show(&mut sink)
    }
}

/// Removes the files of articles that an earlier config had written: pages are rendered on request.
pub(super) struct NoFiles;

impl Sink for NoFiles {
    fn publish(&self, run: &mut Run<'_>, _: &Cursor) -> Result<(), PublishError> {
        let sink = Directory::open(&run.pages.options.output)?;
        let known = sink.unit(ARTICLES_UNIT);
        if run.since.is_some() || known == Unit::default() {
            return Ok(());
        }
        let packed = known.fingerprint.ends_with(PACKED);
        let mut sink =
            sink.with_precompression(if packed { Precompression::Remove } else { Precompression::Off });
        for at in sink.hundreds(ARTICLES_UNIT) {
            let hundred = sink.hundred(ARTICLES_UNIT, at).unwrap_or_default();
            for path in hundred.pages.iter().chain(hundred.items.iter().map(|shown| &shown.path)) {
                run.report.add(sink.remove(path)?);
            }
            sink.drop_hundred(ARTICLES_UNIT, at);
        }
        for unit in [ARTICLES_UNIT, OLD_UNIT] {
            run.report.add(sink.drop_unit(unit)?);
        }
        run.show(&mut sink)
    }
}

fn path(_: &Run<'_>, item: &Item) -> String {
    item.permalink.clone()
}

#[expect(clippy::unnecessary_wraps, reason = "other sinks have no such pages")]
fn page(category: &Category, number: u32) -> Option<String> {
    Some(OutputKey::CategoryPage(category.slug.clone(), number).path())
}

/// The files to render.
#[derive(Default)]
struct Due {
    articles: BTreeSet<InfoCode>,
    pages: BTreeSet<(CategoryId, u32)>,
    months: BTreeSet<(i32, u32)>,
}

impl Due {
    /// Adds an item that changed: its page, those of its neighbours, and the page of its hundred.
    fn touched(&mut self, run: &Run<'_>, item: &Item) -> Result<(), PublishError> {
        self.months.insert(run.pages.month_of(item.published));
        self.articles.insert(item.code.clone());
        for id in &item.categories {
            self.beside(run, *id, (item.published, &item.code))?;
            let arrival = run.store.arrival_of(*id, item)?;
            self.pages.extend(arrival.map(|number| (*id, number.div_ceil(Category::HUNDRED))));
        }
        Ok(())
    }

    fn seen(&mut self, run: &mut Run<'_>, sink: &mut Directory, seen: Seen) -> Result<(), PublishError> {
        match seen {
            Seen::Lacking(shown) => {
                self.articles.insert(shown.code);
            }
            Seen::Left(id, shown) => self.left(run, sink, id, shown)?,
            Seen::Page(id, number) => {
                self.pages.insert((id, number));
            }
        }
        Ok(())
    }

    /// Handles an item that left a category, whose former neighbours are neighbours of each other now.
    fn left(
        &mut self,
        run: &mut Run<'_>,
        sink: &mut Directory,
        id: CategoryId,
        shown: Shown,
    ) -> Result<(), PublishError> {
        if is_gone(run, &shown, &path)? {
            run.report.add(sink.remove(&shown.path)?);
        }
        self.months.insert(run.pages.month_of(shown.published));
        self.beside(run, id, (shown.published, &shown.code))?;
        self.articles.insert(shown.code);
        Ok(())
    }

    fn beside(
        &mut self,
        run: &Run<'_>,
        id: CategoryId,
        at: (Timestamp, &InfoCode),
    ) -> Result<(), PublishError> {
        let (older, newer) = run.store.neighbours(id, at)?;
        self.articles.extend([older, newer].into_iter().flatten().map(|beside| beside.code));
        Ok(())
    }

    /// Renders the files.
    fn put(&self, run: &mut Run<'_>, sink: &mut Directory) -> Result<(), PublishError> {
        for code in &self.articles {
            article_file(run, sink, code)?;
        }
        for (id, number) in &self.pages {
            let Some(category) = run.store.category(*id)? else { continue };
            if let Some(html) = run.pages.arrivals(run.store, &category, *number)? {
                let key = OutputKey::CategoryPage(category.slug.clone(), *number);
                run.put(sink, &file(&key, html), category.changed_at)?;
            }
        }
        Ok(())
    }
}

/// Writes the sitemaps of months in which something changed, the newest with the lists, and their index;
/// months without articles are removed from the record.
fn sitemaps(
    run: &mut Run<'_>,
    sink: &mut Directory,
    mut months: BTreeSet<(i32, u32)>,
    anew: bool,
    record: &mut Unit,
) -> Result<(), PublishError> {
    let path = |(year, month): &(i32, u32)| OutputKey::SitemapMonth(*year, *month).path();
    let Some(index) = run.pages.sitemap(run.store)? else {
        record.files.clear();
        return Ok(());
    };
    let all = run.pages.months(run.store)?;
    let stay: BTreeSet<String> = all.iter().map(path).collect();
    record.files.retain(|known, _| !anew && stay.iter().any(|path| known.starts_with(path)));
    months.extend(all.iter().filter(|month| anew || !sink.has(&path(month))).chain(all.last()));
    // The previous newest month may still contain the lists.
    months.extend(all.iter().rev().nth(1));
    let at = run.store.category(CategoryId::SITE)?.map(|site| site.changed_at).unwrap_or_default();
    for (year, month) in months {
        if let Some(bytes) = run.pages.sitemap_month(run.store, year, month)? {
            let applied =
                sink.put_unit_file(record, &file(&OutputKey::SitemapMonth(year, month), bytes), at)?;
            run.report.add(applied);
        }
    }
    run.report.add(sink.put_unit_file(record, &file(&OutputKey::Sitemap, index), at)?);
    Ok(())
}

/// Writes pages at old paths, such as those of an import, that redirect to their articles.
fn old_paths(run: &mut Run<'_>, sink: &mut Directory) -> Result<(), PublishError> {
    let known = sink.unit(OLD_UNIT);
    let taken = copies::taken(run.names, run.old_slugs);
    let mut record = Unit::default();
    let mut after = String::new();
    loop {
        let moved = run.store.redirects(&after, STEP)?;
        let Some((last, _)) = moved.last() else { break };
        after.clone_from(last);
        for (from, to) in &moved {
            if let Some(lead) = copies::lead(run.pages, from, to).filter(|lead| !taken.contains(&lead.path)) {
                run.report.add(sink.put_unit_file(&mut record, &lead, Timestamp::EPOCH)?);
            }
        }
    }
    run.report.add(sink.put_unit_record(OLD_UNIT, &known, &record)?);
    Ok(())
}

fn article_file(run: &mut Run<'_>, sink: &mut Directory, code: &InfoCode) -> Result<(), PublishError> {
    let Some(item) = run.store.item(code)? else { return Ok(()) };
    let Some(html) = run.pages.article(run.store, code)? else { return Ok(()) };
    let at = item.updated;
    run.put(sink, &file(&OutputKey::Article(item.permalink), html), at)
}
