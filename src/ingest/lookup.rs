//! What the store knows of a document's records, asked for all of them at once.

use std::collections::HashMap;

use crate::model::{InfoCode, SourceId};
use crate::store::{Basis, Known, Name, Result, Store};

/// What was asked so far.
pub(super) struct Lookup<'a> {
    store: &'a dyn Store,
    source: &'a SourceId,
    known: HashMap<Name, Known>,
    bases: HashMap<InfoCode, Basis>,
}

impl<'a> Lookup<'a> {
    /// Nothing yet.
    pub(super) fn new(store: &'a dyn Store, source: &'a SourceId) -> Self {
        Self { store, source, known: HashMap::new(), bases: HashMap::new() }
    }

    /// Asks what names lead to.
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

    /// Asks what stands of items.
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

    /// What a name leads to, of those asked for.
    pub(super) fn known(&self, name: &Name) -> Option<&Known> {
        self.known.get(name)
    }

    /// The item that a name leads to.
    pub(super) fn code(&self, name: &Name) -> Option<&InfoCode> {
        self.known(name).and_then(|known| known.code.as_ref())
    }

    /// What stands of an item, of those asked for.
    pub(super) fn basis(&self, code: &InfoCode) -> Option<&Basis> {
        self.bases.get(code)
    }
}
