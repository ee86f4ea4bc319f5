//! The store as async callers use it.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::completion::CompletionQueue;
use super::contract::Store;
use super::error::{Result, StoreError};
use super::types::PollResult;
use crate::blocking;
use crate::model::{Article, Item, SourceId};

/// A store that async callers can use: each call runs on a blocking thread.
#[derive(Clone)]
pub struct Handle {
    store: Arc<dyn Store>,
    completions: Arc<CompletionQueue>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

impl Handle {
    /// Wraps a backend.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, completions: Arc::default() }
    }

    /// Returns the backend, for code that already runs on a blocking thread.
    #[must_use]
    pub fn blocking(&self) -> &dyn Store {
        &*self.store
    }

    /// Runs `work` on one of the blocking threads.
    ///
    /// # Errors
    /// What `work` returns; [`StoreError::Broken`] if it panics.
    pub async fn call<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Result<T> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        match blocking::spawn(move || work(&*store)).await {
            Ok(result) => result,
            Err(error) => Err(StoreError::task(error)),
        }
    }

    /// Ends polls, and returns the sources whose claim was not the last any more. Polls that end while others
    /// are being stored are stored together after these.
    ///
    /// # Errors
    /// As [`super::Sources::complete`], of one of them: it does not keep the others from being stored.
    pub async fn complete(&self, results: Vec<PollResult>) -> Result<Vec<SourceId>> {
        let (told, hears) = oneshot::channel();
        if self.completions.wait(results, told) {
            let (store, completions) = (Arc::clone(&self.store), Arc::clone(&self.completions));
            drop(blocking::spawn(move || completions.store_all(&*store)));
        }
        hears.await.map_err(StoreError::unheard)?
    }

    /// Returns an item with its body.
    ///
    /// # Errors
    /// As [`super::Items::body`].
    pub fn article(store: &dyn Store, item: Item) -> Result<Article> {
        let body = store.body(&item.code)?;
        Ok(Article { item, body })
    }
}
