//! A Jekyll site: a post for each article, a page for each category.

use std::collections::BTreeSet;

use super::hundreds::{Hundreds, Seen, is_gone};
use super::sink::Sink;
use crate::model::{Cursor, InfoCode, Item};
use crate::publish::error::PublishError;
use crate::publish::fingerprint::fingerprint;
use crate::publish::options::JekyllOptions;
use crate::publish::run::Run;
use crate::render::jekyll::{self, JekyllPost};
use crate::sink::{Directory, File, Unit};

/// Its unit; no slug begins with `_`.
const POSTS_UNIT: &str = "_posts";
/// The unit of its category pages.
const CATEGORIES_UNIT: &str = "_categories";

pub(super) struct Jekyll<'a>(pub(super) &'a JekyllOptions);

impl Sink for Jekyll<'_> {
    fn publish(&self, run: &mut Run<'_>, upto: &Cursor) -> Result<(), PublishError> {
        let options = self.0;
        let mut sink = Directory::open(&options.path)?;
        if run.since.is_none() {
            sink.remove_temp_files();
        }
        let print = self.fingerprint(run);
        let known = sink.unit(POSTS_UNIT);
        let from = known.upto.clone().filter(|_| known.fingerprint == print);
        let mut due = BTreeSet::new();
        run.each_touched(from.as_ref(), upto, |_, item| {
            due.insert(item.code);
            Ok(())
        })?;
        let path = |run: &Run<'_>, item: &Item| post_path(run, options, item);
        let hundreds = Hundreds { unit: POSTS_UNIT, from: from.as_ref(), path: &path, page: &|_, _| None };
        hundreds.look(run, &mut sink, &mut |run, sink, seen| {
            match seen {
                Seen::Lacking(shown) => {
                    due.insert(shown.code);
                }
                Seen::Left(_, shown) if is_gone(run, &shown, &path)? => {
                    run.report.add(sink.remove(&shown.path)?);
                }
                Seen::Left(..) | Seen::Page(..) => {}
            }
            Ok(())
        })?;
        for code in due {
            post(run, &mut sink, options, &code)?;
        }
        categories(run, &mut sink, options, &print)?;
        sink.flush_hundreds();
        sink.put_record(POSTS_UNIT, upto, &print);
        run.show(&mut sink)
    }
}

impl Jekyll<'_> {
    /// Returns the fingerprint of what the bytes and paths of posts depend on besides the store.
    fn fingerprint(&self, run: &Run<'_>) -> String {
        let JekyllOptions { style, tags, .. } = self.0;
        let (site, sources) = (&run.pages.options.site, &run.pages.options.sources);
        fingerprint(&[
            &style.layout,
            &style.tag_suffix,
            &style.footer,
            style.zone.name(),
            &format!("{tags:?} {:?} {sources:?} {:?}", run.identity, site.code_space),
        ])
    }
}

/// Writes a page for each category, and removes those of slugs that no longer exist.
fn categories(
    run: &mut Run<'_>,
    sink: &mut Directory,
    options: &JekyllOptions,
    print: &str,
) -> Result<(), PublishError> {
    let known = sink.unit(CATEGORIES_UNIT);
    let mut record = Unit { fingerprint: print.to_owned(), ..Unit::default() };
    for category in run.names.values() {
        let path = format!("category/{}.md", category.slug);
        let hash = known.files.get(&path).filter(|_| known.fingerprint == print && sink.has(&path));
        if let Some(hash) = hash {
            record.files.insert(path, hash.clone());
            continue;
        }
        let tag = options.tags.get(category.slug.as_str()).map(String::as_str);
        let page = jekyll::category_page(&category.name, category.slug.as_str(), tag, &options.style);
        let file = File { path, bytes: page.into_bytes() };
        run.report.add(sink.put_unit_file(&mut record, &file, category.changed_at)?);
    }
    run.report.add(sink.put_unit_record(CATEGORIES_UNIT, &known, &record)?);
    Ok(())
}

fn post_path(run: &Run<'_>, options: &JekyllOptions, item: &Item) -> String {
    let name = item.code.file_name(run.pages.options.site.code_space.as_ref());
    format!("_posts/{}", jekyll::file_name(item.published, options.style.zone, &name))
}

fn post(
    run: &mut Run<'_>,
    sink: &mut Directory,
    options: &JekyllOptions,
    code: &InfoCode,
) -> Result<(), PublishError> {
    let Some(item) = run.store.item(code)? else { return Ok(()) };
    if run.store.tombstone(code)?.is_some() {
        return Ok(());
    }
    let names = run.names;
    // The first category of an item from a merged category is the one that it was merged into.
    let first = item.categories.first();
    let Some(home) = names.get(&item.home).or_else(|| first.and_then(|id| names.get(id))) else {
        return Ok(());
    };
    let body = run.store.body(code)?;
    let excerpt = run.pages.options.sources.get(&item.lead).is_some_and(|source| source.excerpt_only);
    let html = if excerpt { String::new() } else { body.html };
    let post = jekyll::render(
        &JekyllPost {
            title: &item.title,
            published: item.published,
            slug: home.slug.as_str(),
            name: &home.name,
            tag: options.tags.get(home.slug.as_str()).map(String::as_str),
            digest: if excerpt { Some(item.excerpt.as_str()) } else { body.digest.as_deref() },
            html: &html,
            link: item.link.as_deref(),
        },
        &options.style,
    );
    let path = post_path(run, options, &item);
    run.put(sink, &File { path, bytes: post.into_bytes() }, item.updated)
}
