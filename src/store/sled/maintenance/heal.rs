//! Opening a store that may be damaged, and repairing one while it is in use. Remedies are tried in this order:
//! it is opened again; repaired in place; its readable records are written to a new one; and only if nothing is
//! readable, a new one is made from the last export.

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

/// Bytes of a store that is read through on opening, at most, unless it matches its seal. In a larger one,
/// damage is found by the verbs that read it, and by [`SledStore::check`].
const READ_THROUGH: u64 = 48 << 20;

/// The reaction to a store that turns out to be damaged on opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDamage {
    /// Repair it as far as needed: in place, or by a new one, made from its readable records or from the last
    /// export. For the daemon, and for commands asked to repair.
    BeginAnew,
    /// Change nothing, and return the error.
    Leave,
}

/// The outcome of opening the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mended {
    /// Nothing had to be done.
    Sound,
    /// It was closed and opened again; writes that were not durable yet may be lost.
    Reopened,
    /// It was damaged, and something may be lost.
    Damaged(Box<Loss>),
}

impl SledStore {
    /// Opens the store, and repairs it if `on_damage` allows that.
    ///
    /// # Errors
    /// As [`SledStore::open`], but not for damage if it is repaired; [`StoreError::Full`] if even without its
    /// ballast there is no room.
    pub fn open_or_mend(
        options: StoreOptions,
        on_damage: OnDamage,
        now: Timestamp,
    ) -> Result<(Self, Mended)> {
        let store = Self::not_open(options)?;
        let mended = store.reopen(None, on_damage, now)?;
        Ok((store, mended))
    }

    /// Opens the store again after a verb failed, or after it could not be opened, and repairs damage. All
    /// verbs wait for it. Does nothing to a store without an error.
    ///
    /// # Errors
    /// As [`SledStore::open_or_mend`]; verbs then fail with [`StoreError::Closed`], and a later call tries
    /// again.
    pub fn mend(&self, now: Timestamp) -> Result<Mended> {
        let Some(why) = self.trouble() else { return Ok(Mended::Sound) };
        self.broken().take();
        warn!(error = chain(&why), "the store is closed and opened again");
        self.reopen(Some(&why), OnDamage::BeginAnew, now)
    }

    /// Returns whether the store lost something that published outputs may restore.
    ///
    /// # Errors
    /// Those of the store.
    pub fn wants_filling(&self) -> Result<bool> {
        self.with(is_noted)
    }

    /// Records that a damaged store was refilled as far as possible, and how many articles and texts that
    /// restored. Returns what is lost for good.
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
        // A crash may have come between a repair and the refill.
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
            // A copy that replaced the store is damaged, and the store itself is still there.
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

    /// Opens the store as it is. Also reads it through, and repairs it in place, if it is small, not sealed and
    /// to be repaired, or if damage broke it.
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

    /// Opens the store. If the disk is full, half-written copies and the ballast are deleted to make room.
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

    /// Returns a store that could be read through, repaired in place if needed.
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

    /// Moves the damaged store aside, and replaces it by a new one made from its readable records, or else from
    /// the last export that is whole.
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

/// Makes a store beside the damaged one from an export; without one, the new store will be empty.
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

    /// Damages a text without changing its size and time.
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
        // As after a kill. Opening it without reading it through must not count as a check.
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
