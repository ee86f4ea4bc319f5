//! Article pages, and older pages of categories, as files for static hosts; old addresses and the
//! names that readers probe as copies or stubs, for no server redirects there.

use std::collections::BTreeSet;

use super::Sink;
use crate::model::{CategoryId, InfoCode, Timestamp};
use crate::publish::pages::PAGE;
use crate::publish::{PublishError, Run, SITE_UNIT, copies, file};
use crate::sink::{Directory, OutputKey, Packing};

/// Its unit; no slug begins with `_`.
const ARTICLES_UNIT: &str = "_articles";

/// End of the fingerprint where the files have compressed variants.
const PACKED: &str = "+packed";
/// Old paths read at once.
const STEP: usize = 1_000;

pub(super) struct ArticleFiles;

impl Sink for ArticleFiles {
    fn publish(&self, run: &mut Run<'_>, generation: u64) -> Result<(), PublishError> {
        let sink = Directory::open(&run.pages.options.output)?;
        let known = sink.unit(ARTICLES_UNIT);
        let mut print = run.pages.fingerprint(run.store)?;
        // The record of many files does not name them; so it tells whether they have variants.
        let packing = match (run.pages.options.precompress, known.fingerprint.ends_with(PACKED)) {
            (true, _) => Packing::Packed,
            (false, true) => Packing::Unpacked,
            (false, false) => Packing::Plain,
        };
        if packing == Packing::Packed {
            print.push_str(PACKED);
        }
        let mut sink = sink.with(packing);
        let from = (known.fingerprint == print).then_some(known.generation);
        let mut codes = BTreeSet::new();
        let mut months: BTreeSet<(i32, u32)> = BTreeSet::new();
        let mut paging: BTreeSet<(CategoryId, u32)> = BTreeSet::new();
        let whole = run.since.is_none();
        run.each_item(from, whole, |run, item, changed| {
            let gone = changed && run.store.tombstone(&item.code)?.is_some();
            if gone {
                run.report.add(sink.remove(&item.permalink)?);
            } else if changed {
                codes.insert(item.code.clone());
            }
            if changed {
                months.insert(run.pages.month_of(item.published));
                for id in &item.categories {
                    let (older, newer) = run.store.neighbours(*id, &item)?;
                    codes.extend([older, newer].into_iter().flatten().map(|beside| beside.code));
                    paging.extend(pages_of(run, *id, from)?);
                    if let Some(arrival) = run.store.arrival_of(*id, &item)? {
                        paging.insert((*id, arrival.div_ceil(PAGE)));
                        // The page before it gets its link to the newer one.
                        paging.insert((*id, arrival.div_ceil(PAGE).saturating_sub(1)));
                    }
                }
            } else if !sink.has(&item.permalink) {
                codes.insert(item.code);
            }
            Ok(())
        })?;
        if whole {
            for category in run.names.values() {
                let missing =
                    |number: &u32| !sink.has(&OutputKey::CategoryPage(category.slug.clone(), *number).path());
                let numbers = 1..=category.arrivals.div_ceil(PAGE);
                paging.extend(numbers.filter(missing).map(|number| (category.id, number)));
            }
        }
        for code in codes {
            article_file(run, &mut sink, &code)?;
        }
        for (id, number) in paging {
            let Some(category) = run.store.category(id)? else { continue };
            if let Some(html) = run.pages.arrivals(run.store, &category, number)? {
                let key = OutputKey::CategoryPage(category.slug.clone(), number);
                run.put(&mut sink, &file(&key, html), category.changed_at)?;
            }
        }
        sitemaps(run, &mut sink, months)?;
        if whole {
            old_paths(run, &mut sink)?;
        }
        sink.put_record(ARTICLES_UNIT, generation, &print);
        run.show(&mut sink)
    }
}

/// The pages of a category's history that something came to, or went from.
fn pages_of(
    run: &Run<'_>,
    id: CategoryId,
    from: Option<u64>,
) -> Result<Vec<(CategoryId, u32)>, PublishError> {
    let last = run.store.category(id)?.map_or(0, |category| category.arrivals.div_ceil(PAGE));
    let changed = run.store.resealed_since(id, from.unwrap_or_default())?;
    Ok(changed.into_iter().chain([last]).map(|number| (id, number)).collect())
}

/// The sitemaps of months in which something changed, the newest with the lists, and their index.
fn sitemaps(
    run: &mut Run<'_>,
    sink: &mut Directory,
    mut months: BTreeSet<(i32, u32)>,
) -> Result<(), PublishError> {
    let Some(index) = run.pages.sitemap(run.store)? else { return Ok(()) };
    let all = run.pages.months(run.store)?;
    let missing = |(year, month): &&(i32, u32)| !sink.has(&OutputKey::SitemapMonth(*year, *month).path());
    months.extend(all.iter().filter(missing).chain(all.last()));
    // Where a month was the newest until now, it still has the lists.
    months.extend(all.iter().rev().nth(1));
    let at = run.store.category(CategoryId::SITE)?.map(|site| site.changed_at).unwrap_or_default();
    for (year, month) in months {
        if let Some(bytes) = run.pages.sitemap_month(run.store, year, month)? {
            run.put(sink, &file(&OutputKey::SitemapMonth(year, month), bytes), at)?;
        }
    }
    run.put(sink, &file(&OutputKey::Sitemap, index), at)
}

/// Pages at old paths, such as those of an import, that lead to where their articles are now.
fn old_paths(run: &mut Run<'_>, sink: &mut Directory) -> Result<(), PublishError> {
    let site = sink.unit(SITE_UNIT).files;
    let mut after = String::new();
    loop {
        let moved = run.store.redirects(&after, STEP)?;
        let Some((last, _)) = moved.last() else { return Ok(()) };
        after.clone_from(last);
        for (from, to) in &moved {
            if let Some(lead) =
                copies::lead(run.pages, from, to).filter(|lead| !site.contains_key(&lead.path))
            {
                run.put(sink, &lead, Timestamp::EPOCH)?;
            }
        }
    }
}

fn article_file(run: &mut Run<'_>, sink: &mut Directory, code: &InfoCode) -> Result<(), PublishError> {
    let Some(item) = run.store.item(code)? else { return Ok(()) };
    let Some(html) = run.pages.article(run.store, code)? else { return Ok(()) };
    let at = item.updated;
    run.put(sink, &file(&OutputKey::Article(item.permalink), html), at)
}
