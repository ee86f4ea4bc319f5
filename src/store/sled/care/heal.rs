//! Opening a store that may be damaged, and mending one while it is in use: it is closed and opened again,
//! or put aside and begun anew from the last export.

use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use tracing::{error, warn};

use super::{disk, restore};
use crate::model::chain;
use crate::model::text::clip_bytes;
use crate::store::backup;
use crate::store::sled::database::{TreeId, delete, is_sealed, put};
use crate::store::sled::engine::Engine;
use crate::store::sled::opening::{close, opened, read_through, reopened};
use crate::store::sled::options::StoreOptions;
use crate::store::sled::store::SledStore;
use crate::store::{Result, StoreError};

/// Databases up to this size, in bytes, are read through when they are opened, unless they look as when
/// they were closed. In larger ones damage is found by who reads it, and by [`SledStore::check`].
const READ_THROUGH: u64 = 48 << 20;
/// Stands in a store that began anew until it is filled.
const REFILL: &str = "refill";

/// What is done where the store turns out to be damaged when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDamage {
    /// It is put aside and begun anew from the last export: what came since is asked for again, as far as its
    /// newspapers still have it. For who serves it, and who was told to.
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
    /// It was damaged and begins anew; told until [`SledStore::refilled`].
    Anew {
        /// What was wrong, where the damaged one is now, and what the new one was made from.
        why: String,
    },
}

impl SledStore {
    /// Opens the store.
    ///
    /// # Errors
    /// As [`SledStore::open`]; [`StoreError::Full`] where even without its ballast there is no room. Where it
    /// begins anew, not for damage.
    pub fn open_or_mend(options: StoreOptions, on_damage: OnDamage) -> Result<(Self, Mended)> {
        let store = Self::not_open(options);
        let mended = store.reopen(None, on_damage)?;
        Ok((store, mended))
    }

    /// Opens the store again after a verb failed, and mends what is damaged. Blocks all verbs
    /// meanwhile. Nothing happens to a store that nothing broke.
    ///
    /// # Errors
    /// As [`SledStore::open_or_mend`]; verbs then fail with [`StoreError::Closed`], and another
    /// try is due later.
    pub fn mend(&self) -> Result<Mended> {
        let broken = self.broken().take();
        let Some(why) = broken else { return Ok(Mended::Sound) };
        warn!(error = chain(&why), "the store is closed and opened again");
        let mended = self.reopen(Some(&why), OnDamage::BeginAnew);
        if let Err(error) = &mended {
            *self.broken() = Some(StoreError::Closed { why: chain(error) });
        }
        mended
    }

    /// Says that a store that began anew is filled with all that there is to fill it with.
    ///
    /// # Errors
    /// Those of the store.
    pub fn refilled(&self) -> Result<()> {
        self.write(|engine| {
            engine.db.transact(|tx| delete(tx, TreeId::Sys, REFILL.as_bytes()))?;
            engine.db.sync()
        })
    }

    fn reopen(&self, because: Option<&StoreError>, on_damage: OnDamage) -> Result<Mended> {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        close(&mut slot);
        let options = &self.options;
        disk::put_back(&options.path)?;
        let engine = match self.whole(because, on_damage) {
            Err(why @ (StoreError::Corrupt { .. } | StoreError::Damaged { .. }))
                if on_damage == OnDamage::BeginAnew =>
            {
                self.anew(&why)?
            }
            engine => engine?,
        };
        disk::hold_ballast(options);
        disk::clear_beside(options.path.as_path());
        // A crash may have come between a new beginning and what fills it.
        let refill = engine.db.get(TreeId::Sys, REFILL)?;
        let refill = refill.map(|why| String::from_utf8_lossy(&why).into_owned());
        *slot = Some(engine);
        Ok(match (refill, because) {
            (Some(why), _) => Mended::Anew { why },
            (None, Some(_)) => Mended::Reopened,
            (None, None) => Mended::Sound,
        })
    }

    /// The store as it is, read through where that is quick or something broke it, and damage would be mended.
    fn whole(&self, because: Option<&StoreError>, on_damage: OnDamage) -> Result<Engine> {
        let options = &self.options;
        let untouched = is_sealed(&options.path);
        let engine = match reopened(options, because.is_some()) {
            Err(StoreError::Full) if disk::drop_ballast(options) => reopened(options, true),
            opened => opened,
        }?;
        let suspect = matches!(because, Some(StoreError::Corrupt { .. }));
        let mends = on_damage == OnDamage::BeginAnew;
        let small = mends && !untouched && disk::stored(engine.db.path()) <= READ_THROUGH;
        self.known_whole.store(untouched || small || suspect, Ordering::Relaxed);
        if small || suspect {
            read_through(&engine)?;
        }
        Ok(engine)
    }

    /// Puts the damaged database aside and begins a new one from the last export that is whole.
    fn anew(&self, why: &StoreError) -> Result<Engine> {
        let StoreOptions { path, cache, .. } = &self.options;
        let why = chain(why);
        error!(%why, "the store is damaged; a new one is begun");
        let beside = disk::beside(path, "new");
        let export = from_newest(&self.options)?;
        if export.is_none() {
            disk::clear(&beside)?;
        }
        let aside = disk::free_name(&disk::beside(path, "damaged"))?;
        let source = export.map_or("nothing".to_owned(), |export| export.display().to_string());
        let told = format!("{why}; it is kept as {}, the new one was made from {source}", aside.display());
        begin(&StoreOptions::plain(&beside, *cache), &told)?;
        disk::put_in_place(&beside, path, &aside)?;
        error!(aside = %aside.display(), from = %source, "the damaged store is put aside, and a new one begins");
        reopened(&self.options, true)
    }
}

/// Makes a store beside the damaged one of the newest automatic export that is whole; gives which.
fn from_newest(options: &StoreOptions) -> Result<Option<PathBuf>> {
    let exports = options.exports.as_deref().map(backup::all).unwrap_or_default();
    let beside = disk::beside(&options.path, "new");
    for export in exports.into_iter().rev() {
        match restore::restore(&export, &beside, options.cache, &mut |_, _| {}) {
            Ok(()) => return Ok(Some(export)),
            Err(error @ (StoreError::Full | StoreError::NoRoom { .. })) => return Err(error),
            Err(error) => {
                warn!(path = %export.display(), error = chain(&error), "an export cannot be used");
            }
        }
    }
    Ok(None)
}

/// A store that says of itself that it is yet to be filled.
fn begin(options: &StoreOptions, why: &str) -> Result<()> {
    let engine = opened(options)?;
    let why = clip_bytes(why, 1_000);
    engine.db.transact(|tx| put(tx, TreeId::Sys, REFILL.as_bytes(), why.as_bytes()))?;
    engine.db.sync()
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
        let opened =
            || SledStore::open_or_mend(StoreOptions::plain(&path, 1 << 20), OnDamage::BeginAnew).unwrap();
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
        assert!(matches!(mended, Mended::Anew { .. }), "{mended:?}");
        drop(store);
        assert!(is_sealed(&path), "the new one is whole");
    }
}
