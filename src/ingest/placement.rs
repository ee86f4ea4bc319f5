//! The categories of a document's records: routes, rules, and the windows that a new source enters.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::apply_rules;
use super::document_context::{Arrival, DecidedChange};
use super::document_ingest::DocumentIngest;
use super::draft::Draft;
use super::routing::Routing;
use crate::model::{Category, CategoryId, Timestamp};
use crate::rules::Verdict;
use crate::store::{Result, Store};

impl DocumentIngest {
    /// Returns the categories of a record by the source's config.
    pub(super) fn route(
        &mut self,
        store: &dyn Store,
        routing: &Routing,
        media_name: Option<&str>,
    ) -> Result<Vec<Category>> {
        // Most records of a document have the same categories.
        if let Some((_, known)) = self.routed.as_ref().filter(|(name, _)| name.as_deref() == media_name) {
            return Ok(known.clone());
        }
        let route = routing.route(
            store,
            &self.context.source,
            media_name,
            self.context.arrival != Arrival::Done,
            self.context.now,
        )?;
        self.counts.waiting.extend(route.waiting);
        let mut categories = vec![route.category];
        for choice in &self.context.source.also {
            categories.push(apply_rules::ensure(store, choice, self.context.now)?);
        }
        self.routed = Some((media_name.map(str::to_owned), categories.clone()));
        Ok(categories)
    }

    /// Applies the rules to a draft: rewrites it, and returns the verdict with the remaining categories.
    pub(super) fn apply_rules(
        &mut self,
        store: &dyn Store,
        draft: &mut Draft,
        published: Option<Timestamp>,
        categories: Vec<Category>,
    ) -> Result<(Verdict, Vec<Category>)> {
        let rules = Arc::clone(&self.context.options.rules);
        let verdict = if rules.is_empty() {
            Verdict::default()
        } else {
            let subject = apply_rules::subject(draft, apply_rules::age(published, self.context.now));
            let verdict =
                apply_rules::evaluate(&rules, store, &subject, &self.context.source.id, &categories);
            apply_rules::count(&mut self.counts.rule_hits, &verdict);
            verdict
        };
        apply_rules::rewrite(draft, &verdict, &self.context.source.cleaner);
        let categories = apply_rules::placements(store, &verdict, categories, self.context.now)?;
        Ok((verdict, categories))
    }

    /// Applies RULES 3.1: a new source enters each window with a limited number of its newest items; the rest
    /// is archived at once, in whichever poll it is ingested.
    pub(super) fn hold_back_newcomers(&self, changes: &mut [DecidedChange]) {
        let mut entered: BTreeMap<CategoryId, usize> = BTreeMap::new();
        for change in changes.iter_mut().rev().map(|decided| &mut decided.change) {
            if let Arrival::Going(since) = self.context.arrival {
                let old = change.item.as_ref().is_some_and(|item| item.published <= since);
                change.enters.iter_mut().for_each(|placement| placement.shown &= !old);
                continue;
            }
            for placement in &mut change.enters {
                let (category, site) = self.context.options.newcomers;
                let most = if placement.category == CategoryId::SITE { site } else { category };
                let count = entered.entry(placement.category).or_default();
                *count += 1;
                placement.shown = *count <= most;
            }
        }
    }
}
