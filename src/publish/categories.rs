//! The outputs of categories and of the whole site: finds the outdated ones, and removes those of categories
//! that no longer exist.

use super::error::PublishError;
use super::fingerprint::fingerprint;
use super::keys::{SITE_UNIT, file, unit_name};
use super::options::Articles;
use super::run::{BATCH, Run};
use super::{archives, combined, copies, corrections, feeds, pages};
use crate::model::{Category, CategoryId};
use crate::sink::{Directory, File, OutputKey, Precompression, Rendered};

/// Returns whether the outputs have a later generation than the store.
pub(super) fn is_later(sink: &Directory, site: Option<&Category>) -> bool {
    sink.unit(SITE_UNIT).generation > site.map_or(0, |site| site.generation)
}

impl Run<'_> {
    /// Brings the outputs of categories up to date, with their archives, combined feeds and static files.
    pub(super) fn categories(
        &mut self,
        candidates: Vec<Category>,
        progress: &dyn Fn(usize, usize),
    ) -> Result<(), PublishError> {
        let packing = if self.pages.options.precompress { Precompression::On } else { Precompression::Off };
        let mut sink = Directory::open(&self.pages.options.output)?.with_precompression(packing);
        let mut print = self.pages.fingerprint(self.identity);
        if !self.old_slugs.is_empty() {
            print = fingerprint(&[&print, &format!("{:?}", self.old_slugs)]);
        }
        if self.since.is_none() {
            sink.remove_temp_files();
        }
        let all = candidates.len();
        let outlived = is_later(&sink, self.store.category(CategoryId::SITE)?.as_ref());
        for (done, category) in candidates.into_iter().enumerate() {
            progress(done, all);
            let unit = sink.unit(unit_name(&category));
            if unit.shows(category.generation, &print)
                && (self.since.is_some() || !sink.has_missing_files(&unit))
            {
                if self.since.is_none() {
                    self.archives(&mut sink, &category, &print)?;
                }
                self.report.clean += 1;
                continue;
            }
            let stays =
                |path: &str| unit.fingerprint == print && unit.files.contains_key(path) && sink.has(path);
            let (mut files, kept) = self.files(&category, stays)?;
            if self.pages.options.articles == Articles::Files {
                files.extend(copies::of(self.pages, &category, self.old_slugs, &files));
            }
            self.archives(&mut sink, &category, &print)?;
            let rendered = Rendered {
                generation: category.generation,
                fingerprint: print.clone(),
                files,
                kept,
                changed_at: category.changed_at,
            };
            self.report.add(sink.put_unit(unit_name(&category), &unit, &rendered)?);
            self.report.rendered += 1;
            if sink.pending() >= BATCH {
                self.show(&mut sink)?;
            }
        }
        progress(all, all);
        self.combined(&mut sink, &print)?;
        if self.since.is_none() {
            self.static_files(&mut sink)?;
            // Outputs of a later generation than the store's belong to another store: it was lost, or
            // replaced by an older copy. Outputs that this store does not have are kept then.
            if !outlived {
                self.forget_unknown(&mut sink)?;
            }
        }
        self.show(&mut sink)
    }

    /// Renders the files of a category, and returns with them the paths of files that need no rendering.
    fn files(
        &self,
        category: &Category,
        stays: impl Fn(&str) -> bool,
    ) -> Result<(Vec<File>, Vec<String>), PublishError> {
        let (pages, store, names) = (self.pages, self.store, self.names);
        let newest = feeds::newest(pages, store, category)?;
        let mut files = feeds::files(pages, store, category, &newest, names)?;
        let mut kept = Vec::new();
        if category.id == CategoryId::SITE {
            files.push(file(&OutputKey::Home, pages.home(store, category, &newest, names)?));
            files.extend(pages.logo());
            let about: Vec<String> = pages::ABOUT.iter().map(OutputKey::path).collect();
            if !self.relist && about.iter().all(|path| stays(path)) {
                kept = about;
            } else {
                files.extend(pages.about(names)?);
            }
            return Ok((files, kept));
        }
        if pages.options.corrections {
            files.push(corrections::corrections(pages, store, category, names)?);
        }
        let html = pages.category(category, &newest, names)?;
        files.push(file(&OutputKey::Category(category.slug.clone()), html));
        // A QR code depends on the address alone.
        let code = OutputKey::Code(category.slug.clone()).path();
        if stays(&code) {
            kept.push(code);
        } else {
            files.extend(pages.code(category));
        }
        Ok((files, kept))
    }

    /// Removes the units of categories that the store does not have.
    fn forget_unknown(&mut self, sink: &mut Directory) -> Result<(), PublishError> {
        // An empty store must never empty the outputs: it is more likely lost than intended.
        if self.names.is_empty() {
            return Ok(());
        }
        for unit in sink.units() {
            let combined = combined::slug_of(&unit);
            if combined
                .is_some_and(|slug| self.pages.options.combined.iter().all(|c| c.slug.as_str() != slug))
            {
                self.report.add(sink.drop_unit(&unit)?);
                continue;
            }
            let slug = archives::slug_of(&unit).unwrap_or(&unit);
            let own = unit == SITE_UNIT || slug.starts_with('_');
            let known = own || self.names.values().any(|c| c.slug.as_str() == slug);
            if !known {
                self.report.add(sink.drop_unit(&unit)?);
            }
        }
        Ok(())
    }
}
