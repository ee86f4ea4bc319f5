//! Outputs that are one file an item: article pages for static hosts, Jekyll posts. Their
//! cost follows the items that changed, not those that are stored.

use std::collections::{BTreeMap, BTreeSet};

use super::pages::PAGE;
use super::{BATCH, JekyllOptions, PublishError, Run, file, fingerprint};
use crate::model::{Category, CategoryId, InfoCode, Item, Timestamp};
use crate::render::jekyll::{self, JekyllPost};
use crate::sink::{Directory, File, OutputKey};

use super::Articles;

/// Units of these outputs; no slug begins with `_`.
const ARTICLES_UNIT: &str = "_articles";
const POSTS_UNIT: &str = "_posts";
/// Items read at once.
const STEP: u32 = 200;

impl Run<'_> {
    /// Brings the files of single items up to `generation`.
    pub(super) fn items(&mut self, generation: u64) -> Result<(), PublishError> {
        if self.pages.options.articles == Articles::Files {
            self.article_files(generation)?;
        }
        if let Some(jekyll) = &self.pages.options.jekyll {
            self.jekyll(jekyll, generation)?;
        }
        Ok(())
    }

    fn article_files(&mut self, generation: u64) -> Result<(), PublishError> {
        let mut sink = Directory::open(&self.pages.options.output)?;
        let print = self.pages.fingerprint(self.store)?;
        let known = sink.unit(ARTICLES_UNIT);
        let from = (known.fingerprint == print).then_some(known.generation);
        let mut codes = BTreeSet::new();
        let mut paging: BTreeSet<(CategoryId, u32)> = BTreeSet::new();
        let whole = self.since.is_none();
        self.each_item(from, whole, |run, item, changed| {
            let gone = changed && run.store.tombstone(&item.code)?.is_some();
            if gone {
                run.report.add(sink.remove(&item.permalink)?);
            } else if changed {
                codes.insert(item.code.clone());
            }
            if changed {
                for id in &item.categories {
                    let (older, newer) = run.store.neighbours(*id, &item)?;
                    codes.extend([older, newer].into_iter().flatten().map(|beside| beside.code));
                    paging.extend(run.pages_of(*id, from)?);
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
            for category in self.pages.names(self.store)?.into_values() {
                let missing =
                    |number: &u32| !sink.has(&OutputKey::CategoryPage(category.slug.clone(), *number).path());
                let numbers = 1..=category.arrivals.div_ceil(PAGE);
                paging.extend(numbers.filter(missing).map(|number| (category.id, number)));
            }
        }
        for code in codes {
            self.article_file(&mut sink, &code)?;
        }
        for (id, number) in paging {
            let Some(category) = self.store.category(id)? else { continue };
            if let Some(html) = self.pages.arrivals(self.store, &category, number)? {
                let key = OutputKey::CategoryPage(category.slug.clone(), number);
                self.put(&mut sink, &file(&key, html), category.changed_at)?;
            }
        }
        sink.put_record(ARTICLES_UNIT, generation, &print);
        Ok(sink.commit()?)
    }

    /// The pages of a category's history that something came to, or went from.
    fn pages_of(&self, id: CategoryId, from: Option<u64>) -> Result<Vec<(CategoryId, u32)>, PublishError> {
        let last = self.store.category(id)?.map_or(0, |category| category.arrivals.div_ceil(PAGE));
        let changed = self.store.resealed_since(id, from.unwrap_or_default())?;
        Ok(changed.into_iter().chain([last]).map(|number| (id, number)).collect())
    }

    fn article_file(&mut self, sink: &mut Directory, code: &InfoCode) -> Result<(), PublishError> {
        let Some(item) = self.store.item(code)? else { return Ok(()) };
        let Some(html) = self.pages.article(self.store, code)? else { return Ok(()) };
        let at = item.updated;
        self.put(sink, &file(&OutputKey::Article(item.permalink), html), at)
    }

    fn put(&mut self, sink: &mut Directory, file: &File, at: Timestamp) -> Result<(), PublishError> {
        self.report.add(sink.put(file, at)?);
        if sink.pending() >= BATCH {
            sink.commit()?;
        }
        Ok(())
    }

    fn jekyll(&mut self, options: &JekyllOptions, generation: u64) -> Result<(), PublishError> {
        let mut sink = Directory::open(&options.path)?;
        let style = &options.style;
        let print = fingerprint(&[
            &style.layout,
            &style.tag_suffix,
            &style.footer,
            style.zone.name(),
            &format!("{:?} {:?}", options.tags, self.store.identity()?),
        ]);
        let known = sink.unit(POSTS_UNIT);
        let from = (known.fingerprint == print).then_some(known.generation);
        let names = self.pages.names(self.store)?;
        let mut dirty: Vec<Item> = Vec::new();
        self.each_item(from, self.since.is_none(), |run, item, changed| {
            let path = run.post_path(options, &item);
            if run.store.tombstone(&item.code)?.is_some() {
                run.report.add(sink.remove(&path)?);
            } else if changed || !sink.has(&path) {
                dirty.push(item);
            }
            Ok(())
        })?;
        for item in dirty {
            self.post(&mut sink, options, &names, &item)?;
        }
        for category in names.values() {
            let tag = options.tags.get(category.slug.as_str()).map(String::as_str);
            let page = jekyll::category_page(&category.name, category.slug.as_str(), tag, style);
            let file = File { path: format!("category/{}.md", category.slug), bytes: page.into_bytes() };
            if from.is_none() || !sink.has(&file.path) {
                self.put(&mut sink, &file, category.changed_at)?;
            }
        }
        sink.put_record(POSTS_UNIT, generation, &print);
        Ok(sink.commit()?)
    }

    fn post_path(&self, options: &JekyllOptions, item: &Item) -> String {
        let name = item.code.file_name(self.pages.options.site.code_space.as_ref());
        format!("_posts/{}", jekyll::file_name(item.published, options.style.zone, &name))
    }

    fn post(
        &mut self,
        sink: &mut Directory,
        options: &JekyllOptions,
        names: &BTreeMap<CategoryId, Category>,
        item: &Item,
    ) -> Result<(), PublishError> {
        let Some(home) = names.get(&item.home) else { return Ok(()) };
        let body = self.store.body(&item.code)?;
        let post = jekyll::render(
            &JekyllPost {
                title: &item.title,
                published: item.published,
                slug: home.slug.as_str(),
                name: &home.name,
                tag: options.tags.get(home.slug.as_str()).map(String::as_str),
                digest: body.digest.as_deref(),
                html: &body.html,
                link: item.link.as_deref(),
            },
            &options.style,
        );
        let path = self.post_path(options, item);
        self.put(sink, &File { path, bytes: post.into_bytes() }, item.updated)
    }

    /// Every item that changed after `from`; and, for a whole look, all others too, told
    /// apart by the flag. Without `from` all have changed.
    fn each_item(
        &mut self,
        from: Option<u64>,
        whole: bool,
        mut see: impl FnMut(&mut Self, Item, bool) -> Result<(), PublishError>,
    ) -> Result<(), PublishError> {
        if let Some(from) = from {
            self.each_touched(from, |run, item| see(run, item, true))?;
            if !whole {
                return Ok(());
            }
        }
        let Some(site) = self.store.category(CategoryId::SITE)? else { return Ok(()) };
        for start in (1..=site.arrivals).step_by(STEP as usize) {
            for item in self.store.arrivals(CategoryId::SITE, start, start + STEP - 1)? {
                // What changed was seen above, the withdrawn ones among it.
                if from.is_none_or(|from| item.touched <= from) {
                    see(self, item, from.is_none())?;
                }
            }
        }
        Ok(())
    }

    fn each_touched(
        &mut self,
        mut from: u64,
        mut see: impl FnMut(&mut Self, Item) -> Result<(), PublishError>,
    ) -> Result<(), PublishError> {
        loop {
            let items = self.store.touched_since(from, STEP as usize)?;
            let Some(last) = items.last() else { return Ok(()) };
            // A batch shares one number: never cut inside it.
            from = last.touched;
            let complete = items.len() < STEP as usize;
            for item in items {
                see(self, item)?;
            }
            if complete {
                return Ok(());
            }
        }
    }
}
