//! What a sink of single items has to update. The store reports which hundreds of which categories changed; the
//! sink's own record lists what it shows of them. So a file whose item is gone is found whatever removed the
//! item, and however long ago.

use crate::model::{Category, CategoryId, Cursor, Item};
use crate::publish::error::PublishError;
use crate::publish::run::Run;
use crate::sink::{Directory, Hundred, Shown};

/// A finding in a hundred.
pub(super) enum Seen {
    /// An item whose file must be written.
    Lacking(Shown),
    /// An item that is no longer in this category, or whose file has another path.
    Left(CategoryId, Shown),
    /// A hundred whose own page is outdated.
    Page(CategoryId, u32),
}

/// The callback for findings.
pub(super) type See<'a> = &'a mut dyn FnMut(&mut Run<'_>, &mut Directory, Seen) -> Result<(), PublishError>;

/// The hundreds as a sink shows them.
pub(super) struct Hundreds<'a> {
    /// The unit of their records.
    pub(super) unit: &'a str,
    /// The cursor up to which the sink's files are complete; `None` if all must be written again.
    pub(super) from: Option<&'a Cursor>,
    /// Returns the path of the file that shows an item.
    pub(super) path: &'a dyn Fn(&Run<'_>, &Item) -> String,
    /// Returns the path of a hundred's own page, if the sink has such pages.
    pub(super) page: &'a dyn Fn(&Category, u32) -> Option<String>,
}

/// A hundred of a category; `None` if the store no longer has it.
type Place = (CategoryId, u32, Option<Category>);

impl Hundreds<'_> {
    /// Looks at the hundreds that changed, or at all, and gathers their records: when all that is heard of is put
    /// into the same directory, [`Directory::flush_hundreds`] ends it.
    pub(super) fn look(
        &self,
        run: &mut Run<'_>,
        sink: &mut Directory,
        see: See<'_>,
    ) -> Result<(), PublishError> {
        // As for the files of categories: files of another, later or lost store are kept.
        let shown = sink.unit(self.unit).upto.unwrap_or_default();
        let spared = run.names.is_empty() || shown.is_beyond(&run.store.cursor()?);
        for place in self.places(run, sink)? {
            self.look_at(run, sink, &place, spared, see)?;
        }
        Ok(())
    }

    fn whole(&self, run: &Run<'_>) -> bool {
        run.since.is_none() || self.from.is_none()
    }

    /// Returns the hundreds that may have changed.
    fn places(&self, run: &Run<'_>, sink: &Directory) -> Result<Vec<Place>, PublishError> {
        let mut places = Vec::new();
        if let Some(from) = self.from.filter(|_| !self.whole(run)) {
            let changed = run.store.changed_since(from)?;
            for category in changed.into_iter().filter(|category| category.id != CategoryId::SITE) {
                let mut numbers = run.store.resealed_since(category.id, from.of_category(category.id))?;
                numbers.extend(Some(category.hundreds()).filter(|last| *last > 0));
                places
                    .extend(numbers.into_iter().map(|number| (category.id, number, Some(category.clone()))));
            }
            return Ok(places);
        }
        for category in run.names.values() {
            let numbers = 1..=category.hundreds();
            places.extend(numbers.map(|number| (category.id, number, Some(category.clone()))));
        }
        let unknown = |(id, number): &(CategoryId, u32)| {
            run.names.get(id).is_none_or(|category| !(1..=category.hundreds()).contains(number))
        };
        let recorded = sink.hundreds(self.unit).into_iter().filter(unknown);
        places.extend(recorded.map(|(id, number)| (id, number, None)));
        Ok(places)
    }

    fn look_at(
        &self,
        run: &mut Run<'_>,
        sink: &mut Directory,
        (id, number, category): &Place,
        spared: bool,
        see: See<'_>,
    ) -> Result<(), PublishError> {
        let at = (*id, *number);
        let recorded = sink.hundred(self.unit, at);
        let before = recorded.clone().unwrap_or_default();
        let mut now = match category {
            Some(category) => self.stands(run, category, *number)?,
            None => Hundred::default(),
        };
        let left = before.without(&now);
        if spared {
            now.items.extend(left.items);
            now.pages.extend(left.pages);
        } else {
            for path in &left.pages {
                run.report.add(sink.remove(path)?);
            }
            for shown in left.items {
                see(run, sink, Seen::Left(*id, shown))?;
            }
        }
        if category.is_none() && !spared {
            sink.drop_hundred(self.unit, at);
            return Ok(());
        }
        sink.put_hundred(self.unit, at, recorded.as_ref(), &now)?;
        if category.is_some() {
            self.lacking(run, sink, at, (recorded.as_ref(), &now), see)?;
        }
        Ok(())
    }

    /// Returns the contents of a hundred in the store.
    fn stands(&self, run: &Run<'_>, category: &Category, number: u32) -> Result<Hundred, PublishError> {
        let first = (number - 1) * Category::HUNDRED + 1;
        let items = run.store.arrivals(category.id, first, number * Category::HUNDRED)?;
        let shown =
            |item: Item| Shown { path: (self.path)(run, &item), published: item.published, code: item.code };
        let pages = (self.page)(category, number).into_iter().collect();
        Ok(Hundred { pages, items: items.into_iter().map(shown).collect(), begun: false })
    }

    /// Reports the items of a hundred that have no file, and its own page if it must be rendered.
    fn lacking(
        &self,
        run: &mut Run<'_>,
        sink: &mut Directory,
        (id, number): (CategoryId, u32),
        (before, now): (Option<&Hundred>, &Hundred),
        see: See<'_>,
    ) -> Result<(), PublishError> {
        // A record that was begun and interrupted has to be processed once more.
        let before = before.filter(|before| !before.begun);
        let anew = self.from.is_none();
        let whole = self.whole(run);
        let known = |shown: &Shown| before.is_some_and(|before| before.items.contains(shown));
        for shown in &now.items {
            if anew || !known(shown) || whole && !sink.has(&shown.path) {
                see(run, sink, Seen::Lacking(shown.clone()))?;
            }
        }
        let missing = whole && now.pages.iter().any(|page| !sink.has(page));
        if anew || missing || before != Some(now) {
            see(run, sink, Seen::Page(id, number))?;
        }
        // The page before it gets its link to this one.
        if before.is_none() && number > 1 {
            see(run, sink, Seen::Page(id, number - 1))?;
        }
        Ok(())
    }
}

/// Returns whether the path of an item that left a category must be empty.
pub(super) fn is_gone(
    run: &Run<'_>,
    shown: &Shown,
    path: &dyn Fn(&Run<'_>, &Item) -> String,
) -> Result<bool, PublishError> {
    let item = run.store.item(&shown.code)?;
    let stands = item.is_some_and(|item| path(run, &item) == shown.path);
    Ok(!stands || run.store.tombstone(&shown.code)?.is_some())
}
