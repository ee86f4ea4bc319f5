//! Checking a store and repairing it in place, with lost texts and articles from the last export, and the
//! report of it.

use super::check::{Findings, check};
use super::lender::Lender;
use super::loss::{Damage, Loss, note};
use super::repair::repair;
use crate::model::Timestamp;
use crate::store::sled::database::TreeId;
use crate::store::sled::engine::Engine;
use crate::store::sled::items;
use crate::store::sled::leaving::with_site;
use crate::store::sled::options::StoreOptions;
use crate::store::sled::store::SledStore;
use crate::store::sled::withdraw::take_out_whole;
use crate::store::{Result, StoreError, Tombstone, Watch, WithdrawnBy};

impl SledStore {
    /// Checks the whole store while it is in use, without changing it; also returns what a repair would lose.
    ///
    /// # Errors
    /// Those of the store.
    pub fn check(&self, watch: Watch<'_>) -> Result<Findings> {
        self.with(|engine| {
            let mut found = check(engine, watch)?;
            if found.faults > 0 {
                found.loss = would_lose(engine, &self.options)?;
            }
            Ok(found)
        })
    }

    /// Repairs in place what [`SledStore::check`] finds; writers wait for it. A store that sled itself cannot
    /// read is rebuilt from its readable records, as on opening. Everything published then counts as changed.
    ///
    /// # Errors
    /// Those of the store.
    pub fn repair(&self, now: Timestamp, watch: Watch<'_>) -> Result<Findings> {
        let done = self.write(|engine| {
            let found = mended(engine, &self.options, now, watch)?;
            found.loss.as_ref().map_or(Ok(()), |loss| note(engine, loss))?;
            Ok(found)
        });
        match done {
            Err(StoreError::Corrupt { .. }) => Ok(self.made_of_what_can_be_read(now, watch)?),
            done => done,
        }
    }

    fn made_of_what_can_be_read(&self, now: Timestamp, watch: Watch<'_>) -> Result<Findings> {
        self.mend(now)?;
        let mut found = self.with(|engine| check(engine, watch))?;
        (found.faults, found.mended) = (found.faults + 1, 1);
        found.loss = self.last_loss()?;
        Ok(found)
    }

    /// Returns the last loss of the store by damage, if any.
    ///
    /// # Errors
    /// Those of the store.
    pub fn last_loss(&self) -> Result<Option<Loss>> {
        self.with(Loss::noted)
    }
}

/// Repairs a store in place, and returns the faults and the loss.
///
/// # Errors
/// Those of the store: a page that cannot be read cannot be repaired here.
pub(super) fn mended(
    engine: &Engine,
    options: &StoreOptions,
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Findings> {
    let damage = Damage::of(engine)?;
    if damage.is_none() {
        return repair(engine, now, watch);
    }
    for key in &damage.erased {
        erase_again(engine, key, now)?;
    }
    let lender = Lender::newest(options.exports.as_deref());
    let lent = lender.as_ref().map(|lender| lender.texts(engine, &damage.texts)).transpose()?;
    let lent = lent.unwrap_or_default();
    let mut found = repair(engine, now, watch)?;
    for key in &lent {
        found.add(TreeId::Item, key, "its text is damaged");
        found.mended += 1;
    }
    let added = lender.as_ref().map(|lender| lender.articles(engine, Some(&damage.articles), now));
    let added = added.transpose()?.unwrap_or_default();
    let made = lender.filter(|_| added + lent.len() as u64 > 0).map(|lender| lender.made);
    let why = found.told.first().cloned().unwrap_or_default();
    found.loss = Some(Loss { why, ..damage.without(added, lent.len() as u64, made, now) });
    engine.db.sync()?;
    Ok(found)
}

/// Erases an article whose text had been erased before the store lost its last changes: neither an export nor
/// its sources may restore it.
fn erase_again(engine: &Engine, key: &[u8], now: Timestamp) -> Result<()> {
    let _writing = engine.db.writing();
    let Some(item) = items::item(&engine.db, key)? else { return Ok(()) };
    let out = items::tombstone(&engine.db, &item.code)?;
    let leaves = if out.is_some() { Vec::new() } else { with_site(&item) };
    let why = out.map_or_else(|| "it had been erased".to_owned(), |tombstone| tombstone.why);
    take_out_whole(engine, &item, &leaves, &Tombstone::new(now, WithdrawnBy::Admin, why, true))
}

fn would_lose(engine: &Engine, options: &StoreOptions) -> Result<Option<Loss>> {
    let damage = Damage::of(engine)?;
    if damage.is_none() {
        return Ok(None);
    }
    let lender = Lender::newest(options.exports.as_deref());
    let has = |wanted| lender.as_ref().map_or(Ok(0), |lender| lender.has(wanted));
    let (articles, texts) = (has(&damage.articles)?, has(&damage.texts)?);
    let made = lender.as_ref().filter(|_| articles + texts > 0).map(|lender| lender.made);
    Ok(Some(damage.without(articles, texts, made, Timestamp::EPOCH)))
}
