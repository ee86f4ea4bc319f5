//! What was lost of a damaged store, or would be, so that it can be said.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::text::clip_bytes;
use crate::model::{Timestamp, chain};
use crate::store::sled::bodies::{Place, named};
use crate::store::sled::database::{READ, TreeId, backend, code_in, delete, every, put, readable, u64_at};
use crate::store::sled::engine::Engine;
use crate::store::sled::{articles, items, records};
use crate::store::{Result, StoreError};

/// Its name in the store.
const LOSS: &str = "loss";
/// Stands in a store of which something was lost, until it is filled.
const REFILL: &str = "refill";

/// How far a damaged store had to be mended; each way is gone only where the one before leads nowhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Where it stands.
    #[default]
    InPlace,
    /// What could be read of it was written anew.
    Salvaged,
    /// Nothing could be read, or less than an export has: it was made from that.
    Exported,
    /// Nothing could be read, and there was no export.
    Emptied,
}

/// What was lost of a damaged store, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// When.
    pub at: Timestamp,
    /// How far it had to be mended.
    pub remedy: Remedy,
    /// What was wrong, in the words of the store.
    pub why: String,
    /// Articles that it listed and that are lost.
    pub articles: u64,
    /// Articles whose text is lost.
    pub texts: u64,
    /// Earlier forms of articles that are lost.
    pub forms: u64,
    /// The last changes of the store, where they are lost: articles, polls, what an admin did.
    pub changes: u64,
    /// Articles and texts that came from the export.
    pub from_export: u64,
    /// Articles and texts that came from what was published.
    pub from_outputs: u64,
    /// When the export was made that was used.
    pub export: Option<Timestamp>,
    /// Where the damaged store is kept.
    pub aside: Option<String>,
}

impl Loss {
    /// What is lost where so many articles and texts came back from what was published.
    pub(super) fn with_back(mut self, articles: u64, texts: u64) -> Self {
        self.articles = self.articles.saturating_sub(articles);
        self.texts = self.texts.saturating_sub(texts);
        self.from_outputs += articles + texts;
        self
    }

    /// With what was wrong.
    pub(super) fn because(self, why: &StoreError) -> Self {
        Self { why: clip_bytes(&chain(why), 1_000), ..self }
    }

    fn keep(&self, engine: &Engine) -> Result<()> {
        let bytes = serde_json::to_vec(self).map_err(|e| backend("note what was lost", e))?;
        engine.db.transact(|tx| put(tx, TreeId::Sys, LOSS.as_bytes(), &bytes))
    }

    /// What was last lost of a store; nothing where that cannot be read.
    pub(super) fn noted(engine: &Engine) -> Result<Option<Self>> {
        Ok(engine.db.get(TreeId::Sys, LOSS)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

/// Lets a store say of itself what was lost, also after a restart, and that it is yet to be filled.
pub(super) fn note(engine: &Engine, loss: &Loss) -> Result<()> {
    loss.keep(engine)?;
    engine.db.transact(|tx| put(tx, TreeId::Sys, REFILL.as_bytes(), b"1"))?;
    engine.db.sync()
}

/// Whether the store says that it is yet to be filled.
pub(super) fn is_noted(engine: &Engine) -> Result<bool> {
    Ok(engine.db.get(TreeId::Sys, REFILL)?.is_some())
}

/// Lets a store say what is lost for good, and that it is filled.
pub(super) fn filled(engine: &Engine, loss: &Loss) -> Result<()> {
    loss.keep(engine)?;
    engine.db.transact(|tx| delete(tx, TreeId::Sys, REFILL.as_bytes()))?;
    engine.db.sync()
}

/// What of articles cannot be read, by their keys.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// Articles without a record that can be read.
    pub(super) articles: BTreeSet<Vec<u8>>,
    /// Articles without their text.
    pub(super) texts: BTreeSet<Vec<u8>>,
    /// Articles whose text was erased: what else was to go of them is there again.
    pub(super) erased: BTreeSet<Vec<u8>>,
    /// Forms that articles had.
    pub(super) forms: u64,
}

impl Damage {
    /// Looks at every article and every text.
    ///
    /// # Errors
    /// Those of the store: a page that cannot be read ends the look.
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

    /// What is lost where so many articles and texts come back from an export.
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
