//! The loss of a damaged store, actual or expected, for reports.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::text::clip_bytes;
use crate::model::{Timestamp, chain};
use crate::store::sled::bodies::{Place, named};
use crate::store::sled::database::{READ, TreeId, backend, code_in, delete, every, put, readable, u64_at};
use crate::store::sled::engine::Engine;
use crate::store::sled::{articles, items, records};
use crate::store::{Result, StoreError};

/// The key of the last loss in the store.
const LOSS: &str = "loss";
/// The key that is set in a store with a loss until it is refilled.
const REFILL: &str = "refill";

/// The remedy for a damaged store; each is used only if the one before fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// It was repaired in place.
    #[default]
    InPlace,
    /// Its readable records were written to a new one.
    Salvaged,
    /// Nothing was readable, or less than an export has: a new one was made from that.
    Exported,
    /// Nothing was readable, and there was no export.
    Emptied,
}

/// What a damaged store lost, or would lose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Time of the loss.
    pub at: Timestamp,
    /// The remedy that was needed.
    pub remedy: Remedy,
    /// The fault, as the store's message.
    pub why: String,
    /// Articles in its lists that are lost.
    pub articles: u64,
    /// Articles whose text is lost.
    pub texts: u64,
    /// Earlier forms of articles that are lost.
    pub forms: u64,
    /// Number of the store's last changes that are lost: of articles, polls, and acts of an admin.
    pub changes: u64,
    /// Articles and texts that were restored from the export.
    pub from_export: u64,
    /// Articles and texts that were restored from published outputs.
    pub from_outputs: u64,
    /// Time at which the export that was used was made.
    pub export: Option<Timestamp>,
    /// Path at which the damaged store is kept.
    pub aside: Option<String>,
}

impl Loss {
    /// Returns the loss after this many articles and texts were restored from published outputs.
    pub(super) fn with_back(mut self, articles: u64, texts: u64) -> Self {
        self.articles = self.articles.saturating_sub(articles);
        self.texts = self.texts.saturating_sub(texts);
        self.from_outputs += articles + texts;
        self
    }

    /// Adds the error that caused it.
    pub(super) fn because(self, why: &StoreError) -> Self {
        Self { why: clip_bytes(&chain(why), 1_000), ..self }
    }

    fn keep(&self, engine: &Engine) -> Result<()> {
        let bytes = serde_json::to_vec(self).map_err(|e| backend("note what was lost", e))?;
        engine.db.transact(|tx| put(tx, TreeId::Sys, LOSS.as_bytes(), &bytes))
    }

    /// Returns the last loss of a store; `None` if there is none or it cannot be read.
    pub(super) fn noted(engine: &Engine) -> Result<Option<Self>> {
        Ok(engine.db.get(TreeId::Sys, LOSS)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

/// Records a loss in the store, so that it is reported also after a restart, and that the store is to be
/// refilled.
pub(super) fn note(engine: &Engine, loss: &Loss) -> Result<()> {
    loss.keep(engine)?;
    engine.db.transact(|tx| put(tx, TreeId::Sys, REFILL.as_bytes(), b"1"))?;
    engine.db.sync()
}

/// Returns whether the store is to be refilled.
pub(super) fn is_noted(engine: &Engine) -> Result<bool> {
    Ok(engine.db.get(TreeId::Sys, REFILL)?.is_some())
}

/// Records what is lost for good, and that the store is refilled.
pub(super) fn filled(engine: &Engine, loss: &Loss) -> Result<()> {
    loss.keep(engine)?;
    engine.db.transact(|tx| delete(tx, TreeId::Sys, REFILL.as_bytes()))?;
    engine.db.sync()
}

/// Unreadable parts of articles, by their keys.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// Articles without a readable record.
    pub(super) articles: BTreeSet<Vec<u8>>,
    /// Articles without their text.
    pub(super) texts: BTreeSet<Vec<u8>>,
    /// Articles whose text was erased, while their records reappeared.
    pub(super) erased: BTreeSet<Vec<u8>>,
    /// Number of unreadable earlier forms.
    pub(super) forms: u64,
}

impl Damage {
    /// Reads every article and every text.
    ///
    /// # Errors
    /// Those of the store: a page that cannot be read ends the scan.
    pub(super) fn of(engine: &Engine) -> Result<Self> {
        let mut found = Self::default();
        for entry in every(engine.db.tree(TreeId::CatTime)) {
            let (key, _) = entry.map_err(|e| backend(READ, e))?;
            if let Some(code) = key.get(12..).filter(|code| code_in(code) == Some(code))
                && readable(items::item(&engine.db, code))?.flatten().is_none()
            {
                found.articles.insert(code.to_vec());
            }
        }
        for entry in every(engine.db.tree(TreeId::Item)) {
            let (key, value) = entry.map_err(|e| backend(READ, e))?;
            if code_in(&key) != Some(&key) {
                continue;
            }
            if readable(records::item(&key, &value))?.is_none() {
                found.articles.insert(key.to_vec());
            } else if named(&value).is_some_and(|place| engine.texts.is_erased(place)) {
                found.erased.insert(key.to_vec());
            } else if named(&value) == Some(Place::NONE) || readable(articles::body(engine, &key))?.is_none()
            {
                found.texts.insert(key.to_vec());
            }
        }
        for entry in every(engine.db.tree(TreeId::Version)) {
            let (key, _) = entry.map_err(|e| backend(READ, e))?;
            if let Some((code, since)) =
                code_in(&key).and_then(|code| Some((code, u64_at(&key, code.len())?)))
                && readable(articles::version(engine, code, since))?.is_none()
            {
                found.forms += 1;
            }
        }
        Ok(found)
    }

    pub(super) fn is_none(&self) -> bool {
        self.articles.is_empty() && self.texts.is_empty() && self.erased.is_empty() && self.forms == 0
    }

    /// Returns the loss if this many articles and texts are restored from an export.
    pub(super) fn without(
        &self,
        articles: u64,
        texts: u64,
        export: Option<Timestamp>,
        at: Timestamp,
    ) -> Loss {
        Loss {
            at,
            articles: (self.articles.len() as u64).saturating_sub(articles),
            texts: (self.texts.len() as u64).saturating_sub(texts),
            forms: self.forms,
            from_export: articles + texts,
            export,
            ..Loss::default()
        }
    }
}
