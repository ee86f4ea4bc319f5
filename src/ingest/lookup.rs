//! What the store has for a document's records, read in batches.

use std::collections::HashMap;

use crate::model::{InfoCode, SourceId};
use crate::store::{Basis, Known, Name, Result, Store};

/// The results of the reads so far.
pub(super) struct Lookup<'a> {
    store: &'a dyn Store,
    source: &'a SourceId,
    known: HashMap<Name, Known>,
    bases: HashMap<InfoCode, Basis>,
}

impl<'a> Lookup<'a> {
    /// Creates an empty lookup.
    pub(super) fn new(store: &'a dyn Store, source: &'a SourceId) -> Self {
        Self { store, source, known: HashMap::new(), bases: HashMap::new() }
    }

    /// Reads the items of names.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn ask(&mut self, names: Vec<Name>) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let known = self.store.known(self.source, &names)?;
        self.known.extend(names.into_iter().zip(known));
        Ok(())
    }

    /// Reads what is stored of items.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn ask_bases(&mut self, codes: Vec<InfoCode>) -> Result<()> {
        if codes.is_empty() {
            return Ok(());
        }
        let bases = self.store.bases(&codes)?;
        self.bases.extend(codes.into_iter().zip(bases));
        Ok(())
    }

    /// Returns what a name finds, if it was asked for.
    pub(super) fn known(&self, name: &Name) -> Option<&Known> {
        self.known.get(name)
    }

    /// Returns the code of the item that a name finds.
    pub(super) fn code(&self, name: &Name) -> Option<&InfoCode> {
        self.known(name).and_then(|known| known.code.as_ref())
    }

    /// Returns what is stored of an item, if it was asked for.
    pub(super) fn basis(&self, code: &InfoCode) -> Option<&Basis> {
        self.bases.get(code)
    }
}
