//! What a sink of single items has to look at. The store says which hundreds of which categories changed; the
//! sink's own record says what it shows of them. What is shown and not there any more is thus found, whatever
//! took it away, and however long ago.

use crate::model::{Category, CategoryId, Cursor, Item};
use crate::publish::error::PublishError;
use crate::publish::run::Run;
use crate::sink::{Directory, Hundred, Shown};

/// What a look at a hundred finds.
pub(super) enum Seen {
    /// An item whose file is not known to be there.
    Lacking(Shown),
    /// An item that is not in this category any more, or has its file elsewhere.
    Left(CategoryId, Shown),
    /// A hundred whose own page is not what it must be.
    Page(CategoryId, u32),
}

/// Hears what is found.
pub(super) type See<'a> = &'a mut dyn FnMut(&mut Run<'_>, &mut Directory, Seen) -> Result<(), PublishError>;

/// The hundreds as a sink shows them.
pub(super) struct Hundreds<'a> {
    /// The unit of their records.
    pub(super) unit: &'a str,
    /// Up to where the sink's files show what changed; `None` where all are to be made anew.
    pub(super) from: Option<&'a Cursor>,
    /// The path of the file that shows an item.
    pub(super) path: &'a dyn Fn(&Run<'_>, &Item) -> String,
    /// The path of a hundred's own page, where there are such pages.
    pub(super) page: &'a dyn Fn(&Category, u32) -> Option<String>,
}

/// A hundred of a category; without it, where the store does not have it any more.
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
        // As for the files of categories: what another, later or lost store published is kept.
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

    /// Those of which something may have changed.
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

    /// What stands in a hundred of the store.
    fn stands(&self, run: &Run<'_>, category: &Category, number: u32) -> Result<Hundred, PublishError> {
        let first = (number - 1) * Category::HUNDRED + 1;
        let items = run.store.arrivals(category.id, first, number * Category::HUNDRED)?;
        let shown =
            |item: Item| Shown { path: (self.path)(run, &item), published: item.published, code: item.code };
        let pages = (self.page)(category, number).into_iter().collect();
        Ok(Hundred { pages, items: items.into_iter().map(shown).collect(), begun: false })
    }

    /// Tells what of a hundred has no file, and its own page where that must be made.
    fn lacking(
        &self,
        run: &mut Run<'_>,
        sink: &mut Directory,
        (id, number): (CategoryId, u32),
        (before, now): (Option<&Hundred>, &Hundred),
        see: See<'_>,
    ) -> Result<(), PublishError> {
        // One that was begun and cut off has to be gone through once more.
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

/// Whether nothing is to stand at the path of an item that left a category.
pub(super) fn is_gone(
    run: &Run<'_>,
    shown: &Shown,
    path: &dyn Fn(&Run<'_>, &Item) -> String,
) -> Result<bool, PublishError> {
    let item = run.store.item(&shown.code)?;
    let stands = item.is_some_and(|item| path(run, &item) == shown.path);
    Ok(!stands || run.store.tombstone(&shown.code)?.is_some())
}
