//! Opening a store that may be damaged, and mending one while it is in use. The smallest mend comes first: it
//! is opened again; mended where it stands; what can be read of it is written anew; only where nothing can, it
//! begins anew from the last export.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use tracing::{error, warn};

use super::lender::Lender;
use super::loss::{Loss, Remedy, filled, is_noted, note};
use super::mending::mended;
use super::salvage::salvaged;
use super::{disk, swap};
use crate::model::{Timestamp, chain};
use crate::store::sled::database::{catching_panics, is_sealed, reached};
use crate::store::sled::engine::Engine;
use crate::store::sled::opening::{close, opened, read_through, reopened};
use crate::store::sled::options::StoreOptions;
use crate::store::sled::store::SledStore;
use crate::store::{Result, StoreError};

/// Databases up to this size, in bytes, are read through when they are opened, unless they look as when
/// they were closed. In larger ones damage is found by who reads it, and by [`SledStore::check`].
const READ_THROUGH: u64 = 48 << 20;

/// What is done where the store turns out to be damaged when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDamage {
    /// It is mended, as far as it must: where it stands, or by a new one, made of what can be read of it, or of
    /// the last export. For who serves it, and who was told to.
    BeginAnew,
    /// Nothing; who opened it is told.
    Leave,
}

/// What had to be done to open the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mended {
    /// Nothing.
    Sound,
    /// It was closed and opened again; what was not durable yet may be gone.
    Reopened,
    /// It was damaged, and something may be lost.
    Damaged(Box<Loss>),
}

impl SledStore {
    /// Opens the store.
    ///
    /// # Errors
    /// As [`SledStore::open`]; [`StoreError::Full`] where even without its ballast there is no room. Where it
    /// is mended, not for damage.
    pub fn open_or_mend(
        options: StoreOptions,
        on_damage: OnDamage,
        now: Timestamp,
    ) -> Result<(Self, Mended)> {
        let store = Self::not_open(options)?;
        let mended = store.reopen(None, on_damage, now)?;
        Ok((store, mended))
    }

    /// Opens the store again after a verb failed, or after it could not be opened again, and mends what is
    /// damaged. Blocks all verbs meanwhile. Nothing happens to a store that nothing broke.
    ///
    /// # Errors
    /// As [`SledStore::open_or_mend`]; verbs then fail with [`StoreError::Closed`], and another
    /// try is due later.
    pub fn mend(&self, now: Timestamp) -> Result<Mended> {
        let Some(why) = self.trouble() else { return Ok(Mended::Sound) };
        self.broken().take();
        warn!(error = chain(&why), "the store is closed and opened again");
        self.reopen(Some(&why), OnDamage::BeginAnew, now)
    }

    /// Whether something was lost of the store that what was published may bring back.
    ///
    /// # Errors
    /// Those of the store.
    pub fn wants_filling(&self) -> Result<bool> {
        self.with(is_noted)
    }

    /// Says that a store of which something was lost is filled with all that there is to fill it with, and how
    /// many articles and texts came back by that; gives what is lost for good.
    ///
    /// # Errors
    /// Those of the store.
    pub fn refilled(&self, articles: u64, texts: u64) -> Result<Loss> {
        self.write(|engine| {
            let loss = Loss::noted(engine)?.unwrap_or_default().with_back(articles, texts);
            filled(engine, &loss)?;
            Ok(loss)
        })
    }

    fn reopen(&self, because: Option<&StoreError>, on_damage: OnDamage, now: Timestamp) -> Result<Mended> {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        close(&mut slot);
        self.seat(&mut slot, self.as_good_as_can_be(because, on_damage, now))?;
        let options = &self.options;
        disk::hold_ballast(options);
        swap::clear_beside(&options.path);
        let Some(engine) = slot.as_ref() else { return Err(self.closed()) };
        // A crash may have come between a mend and what fills the store.
        if is_noted(engine)? {
            return Ok(Mended::Damaged(Box::new(Loss::noted(engine)?.unwrap_or_default())));
        }
        Ok(if because.is_some() { Mended::Reopened } else { Mended::Sound })
    }

    fn as_good_as_can_be(
        &self,
        because: Option<&StoreError>,
        on_damage: OnDamage,
        now: Timestamp,
    ) -> Result<Engine> {
        let (path, mends) = (&self.options.path, on_damage == OnDamage::BeginAnew);
        let whole = match self.whole(because, on_damage, now) {
            // A copy of the store took its place, and is not what it should be: the store itself is there yet.
            Err(why) if mends && why.is_damage() && swap::take_back(path, &swap::old(path))? => {
                error!(error = chain(&why), "the store is damaged; the one before it is used again");
                self.whole(because, on_damage, now)
            }
            whole => whole,
        };
        match whole {
            Err(why) if mends && why.is_damage() => self.anew(&why, now),
            whole => whole,
        }
    }

    /// The store as it is, read through where that is quick or something broke it, and damage would be mended.
    fn whole(&self, because: Option<&StoreError>, on_damage: OnDamage, now: Timestamp) -> Result<Engine> {
        let options = &self.options;
        let untouched = is_sealed(&options.path);
        let engine = self.opened_with_room(because.is_some())?;
        let suspect = matches!(because, Some(StoreError::Corrupt { .. }));
        let mends = on_damage == OnDamage::BeginAnew;
        let small = mends && !untouched && disk::stored(engine.db.path()) <= READ_THROUGH;
        self.known_whole.store(untouched || small || suspect, Ordering::Relaxed);
        if small || suspect {
            return self.read_or_mended(engine, now);
        }
        Ok(engine)
    }

    /// Opens it. Where the disk is full, half-written copies and the ballast make room.
    fn opened_with_room(&self, ours: bool) -> Result<Engine> {
        let options = &self.options;
        let full = |opened: &Result<Engine>| matches!(opened, Err(StoreError::Full));
        let mut engine = reopened(options, ours);
        if full(&engine) && swap::clear_half(&options.path) {
            engine = reopened(options, true);
        }
        if full(&engine) && disk::drop_ballast(options) {
            engine = reopened(options, true);
        }
        engine
    }

    /// A store that could be read to its end, or was mended where it stands until it can.
    fn read_or_mended(&self, engine: Engine, now: Timestamp) -> Result<Engine> {
        let read = catching_panics("be read through", || read_through(&engine));
        let mut slot = Some(engine);
        let done = match (&read, &slot) {
            (Err(why), Some(engine)) if why.is_damage() => {
                error!(error = chain(why), "the store is damaged; it is mended where it stands");
                catching_panics("be mended", || self.mend_in_place(engine, why, now))
            }
            _ => read,
        };
        if done.is_err() {
            close(&mut slot);
        }
        done.and_then(|()| slot.ok_or_else(|| self.closed()))
    }

    fn mend_in_place(&self, engine: &Engine, why: &StoreError, now: Timestamp) -> Result<()> {
        let found = mended(engine, &self.options, now, &mut |_, _, _| {})?;
        read_through(engine)?;
        let loss = found.loss.unwrap_or_else(|| Loss { at: now, ..Loss::default() });
        note(engine, &loss.because(why))
    }

    /// Puts the damaged store aside and begins a new one from what can be read of it, or else from the last
    /// export that is whole.
    fn anew(&self, why: &StoreError, now: Timestamp) -> Result<Engine> {
        let path = &self.options.path;
        error!(
            error = chain(why),
            "the store is damaged and cannot be mended where it stands; a new one is made"
        );
        let made = self.made_anew(why, now);
        if let Err(error) = made {
            swap::clear_new(path);
            return Err(error);
        }
        let opened = reopened(&self.options, true)?;
        error!(aside = made?, "the damaged store is put aside, and a new one goes on");
        Ok(opened)
    }

    fn made_anew(&self, why: &StoreError, now: Timestamp) -> Result<String> {
        let StoreOptions { path, cache, exports, .. } = &self.options;
        let lender = Lender::newest(exports.as_deref());
        let mut loss = match salvaged(&self.options, lender.as_ref(), now)? {
            Some(loss) => loss,
            None => without_salvage(&self.options, lender.as_ref(), now)?,
        };
        let aside = disk::free_name(&disk::beside(path, "damaged"))?;
        loss.aside = Some(aside.display().to_string());
        let mut new = Some(opened(&StoreOptions::plain(&swap::new(path), *cache))?);
        let noted = new.as_ref().map_or(Ok(()), |engine| note(engine, &loss.because(why)));
        close(&mut new);
        noted?;
        swap::put_in_place(path, &aside)?;
        Ok(aside.display().to_string())
    }
}

/// Makes a store beside the damaged one of an export; where there is none, the one that is begun is empty.
fn without_salvage(options: &StoreOptions, lender: Option<&Lender>, now: Timestamp) -> Result<Loss> {
    let beside = swap::new(&options.path);
    let reached = reached(&options.path);
    let Some(lender) = lender else {
        disk::clear(&beside)?;
        return Ok(Loss { at: now, remedy: Remedy::Emptied, changes: reached, ..Loss::default() });
    };
    lender.restore(&beside, options.cache)?;
    let changes = reached.saturating_sub(lender.generation);
    Ok(Loss { at: now, remedy: Remedy::Exported, export: Some(lender.made), changes, ..Loss::default() })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use std::path::Path;

    use super::*;
    use crate::model::{Body, CodeSpace, InfoCode, Item, Timestamp};
    use crate::store::{Change, Items, Records};

    /// Damage that no size and no time tells of.
    fn damage(text: &Path) {
        let at = fs::metadata(text).unwrap().modified().unwrap();
        let mut bytes = fs::read(text).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(text, bytes).unwrap();
        File::options().write(true).open(text).unwrap().set_modified(at).unwrap();
    }

    #[test]
    fn only_what_was_known_to_be_whole_passes_unread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let opened = || {
            let options = StoreOptions::plain(&path, 1 << 20);
            SledStore::open_or_mend(options, OnDamage::BeginAnew, Timestamp::from_unix(90)).unwrap()
        };
        let code = InfoCode::new(CodeSpace::new("s").unwrap(), "1");
        let mut change = Change::of(code.clone());
        change.body = Some(Body { html: "text".to_owned(), ..Body::default() });
        change.item = Some(Item::sample(code));
        let store = opened().0;
        store.commit(vec![change], Timestamp::from_unix(80)).unwrap();
        store.sync().unwrap();
        drop(store);
        assert!(is_sealed(&path));
        damage(&path.join("texts/1"));
        assert_eq!(opened().1, Mended::Sound, "it looks as it was closed");
        // As after a kill; to look at it as it is makes it no better known.
        let mark = File::options().write(true).open(path.join("mark")).unwrap();
        mark.set_len(12).unwrap();
        drop(SledStore::open(&path, 1 << 20).unwrap());
        assert!(!is_sealed(&path));
        let (store, mended) = opened();
        let Mended::Damaged(loss) = mended else { panic!("{mended:?}") };
        assert_eq!((loss.remedy, loss.texts), (Remedy::InPlace, 1));
        drop(store);
        assert!(is_sealed(&path), "it is mended");
    }
}
