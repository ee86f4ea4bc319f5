//! A Jekyll site: a post for each article, a page for each category.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Sink;
use crate::model::{Category, CategoryId, Item};
use crate::publish::{PublishError, Run, fingerprint};
use crate::render::jekyll::{self, JekyllPost, JekyllStyle};
use crate::sink::{Directory, File};

/// Its unit; no slug begins with `_`.
const POSTS_UNIT: &str = "_posts";

/// Jekyll output.
#[derive(Debug, Clone)]
pub struct JekyllOptions {
    /// Its own directory; posts go to `_posts`, pages to `category`.
    pub path: PathBuf,
    /// Front matter and footer.
    pub style: JekyllStyle,
    /// Slug → tag, where it is not the name and the suffix.
    pub tags: BTreeMap<String, String>,
}

pub(super) struct Jekyll<'a>(pub(super) &'a JekyllOptions);

impl Sink for Jekyll<'_> {
    fn publish(&self, run: &mut Run<'_>, generation: u64) -> Result<(), PublishError> {
        let options = self.0;
        let mut sink = Directory::open(&options.path)?;
        let style = &options.style;
        let print = fingerprint(&[
            &style.layout,
            &style.tag_suffix,
            &style.footer,
            style.zone.name(),
            &format!("{:?} {:?} {:?}", options.tags, run.store.identity()?, run.pages.options.sources),
        ]);
        let known = sink.unit(POSTS_UNIT);
        let from = (known.fingerprint == print).then_some(known.generation);
        let names = run.names;
        let mut dirty: Vec<Item> = Vec::new();
        run.each_item(from, run.since.is_none(), |run, item, changed| {
            let path = post_path(run, options, &item);
            if run.store.tombstone(&item.code)?.is_some() {
                run.report.add(sink.remove(&path)?);
            } else if changed || !sink.has(&path) {
                dirty.push(item);
            }
            Ok(())
        })?;
        for item in dirty {
            post(run, &mut sink, options, names, &item)?;
        }
        for category in names.values() {
            let tag = options.tags.get(category.slug.as_str()).map(String::as_str);
            let page = jekyll::category_page(&category.name, category.slug.as_str(), tag, style);
            let file = File { path: format!("category/{}.md", category.slug), bytes: page.into_bytes() };
            if from.is_none() || !sink.has(&file.path) {
                run.put(&mut sink, &file, category.changed_at)?;
            }
        }
        sink.put_record(POSTS_UNIT, generation, &print);
        run.show(&mut sink)
    }
}

fn post_path(run: &Run<'_>, options: &JekyllOptions, item: &Item) -> String {
    let name = item.code.file_name(run.pages.options.site.code_space.as_ref());
    format!("_posts/{}", jekyll::file_name(item.published, options.style.zone, &name))
}

fn post(
    run: &mut Run<'_>,
    sink: &mut Directory,
    options: &JekyllOptions,
    names: &BTreeMap<CategoryId, Category>,
    item: &Item,
) -> Result<(), PublishError> {
    // The first category of one that was merged away is where its items went.
    let first = item.categories.first();
    let Some(home) = names.get(&item.home).or_else(|| first.and_then(|id| names.get(id))) else {
        return Ok(());
    };
    let body = run.store.body(&item.code)?;
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
    let path = post_path(run, options, item);
    run.put(sink, &File { path, bytes: post.into_bytes() }, item.updated)
}
