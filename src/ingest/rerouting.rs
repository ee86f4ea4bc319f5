//! Changed rules and routes, applied to what is stored (RULES 5.5).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::apply_rules::{age, ensure, evaluate, placements, rewrite, subject};
use super::draft::Draft;
use super::routing::Routing;
use crate::model::text::clip_bytes;
use crate::model::{Article, Category, CategoryChoice, CategoryId, InfoCode, Item, SourceId, Timestamp};
use crate::parse::clean::Cleaner;
use crate::rules::{Rules, Verdict};
use crate::source::Source;
use crate::store::{
    Basis, Change, Event, EventKind, Handle, Move, Mover, Result, Store, Tombstone, WithdrawnBy,
};

/// The outcome, or the expected outcome, for one stored item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rerouted {
    /// InfoCode as text.
    pub info_code: String,
    /// Its title.
    pub title: String,
    /// The differences, in words.
    pub what: String,
}

/// The evaluation of one item, with what is needed to apply it.
struct Evaluation {
    article: Article,
    verdict: Verdict,
    draft: Draft,
    /// The categories that it should be in.
    wanted: Vec<Category>,
    /// Categories that do not exist yet.
    new: Vec<CategoryChoice>,
    tombstone: Option<Tombstone>,
}

/// Evaluates stored items under the present rules and routes.
#[derive(Debug)]
pub struct Rerouting {
    /// The rules.
    pub rules: Arc<Rules>,
    /// All sources of the config.
    pub sources: Vec<Arc<Source>>,
    /// The time now.
    pub now: Timestamp,
    /// Whether to report only, and change nothing.
    pub dry_run: bool,
}

impl Rerouting {
    /// Evaluates one item, and applies the outcome; `None` for an item that stays as it is.
    ///
    /// # Errors
    /// Those of the store.
    pub fn one(&self, store: &dyn Store, code: &InfoCode) -> Result<Option<Rerouted>> {
        let Basis { item: Some(item), tombstone, placed } = store.basis(code)? else { return Ok(None) };
        // Rules do not apply to items that people, their source or age withdrew; where an admin has placed an
        // item, they can only drop it.
        let by_rule = tombstone.as_ref().map(|tombstone| tombstone.by == WithdrawnBy::Rule);
        if !by_rule.unwrap_or(!placed) {
            return Ok(None);
        }
        let found = self.evaluate_item(store, item, tombstone, placed)?;
        let what = Self::differences(store, &found)?;
        if what.is_empty() {
            return Ok(None);
        }
        let rerouted = Rerouted {
            info_code: found.article.item.code.text(None),
            title: found.article.item.title.clone(),
            what: what.join("; "),
        };
        if !self.dry_run {
            self.apply(store, found, &rerouted.what)?;
        }
        Ok(Some(rerouted))
    }

    fn evaluate_item(
        &self,
        store: &dyn Store,
        item: Item,
        tombstone: Option<Tombstone>,
        stays: bool,
    ) -> Result<Evaluation> {
        let article = Handle::article(store, item)?;
        let item = &article.item;
        let listings: BTreeSet<SourceId> =
            store.listings(&item.code)?.into_iter().map(|(id, _)| id).collect();
        let listing: Vec<&Arc<Source>> =
            self.sources.iter().filter(|source| listings.contains(&source.id)).collect();
        let mut categories = Vec::new();
        let mut new = Vec::new();
        if stays || listing.is_empty() {
            for id in &item.categories {
                categories.extend(store.category(*id)?);
            }
        }
        for source in listing.iter().filter(|_| !stays) {
            for choice in Routing::choices(store, source, item.media_name.as_deref())? {
                match known(store, &choice)? {
                    Some(category) => categories.push(category),
                    None => new.push(choice),
                }
            }
        }
        let mut draft = draft_of(&article);
        let mut verdict = {
            let subject = subject(&draft, age(Some(item.published), item.first_seen));
            evaluate(&self.rules, store, &subject, &item.lead, &categories)
        };
        if stays {
            verdict = Verdict { moved: None, added: Vec::new(), ..verdict };
        }
        let default = Cleaner::default();
        let lead = self.sources.iter().find(|source| source.id == item.lead);
        rewrite(&mut draft, &verdict, lead.map_or(&default, |source| &source.cleaner));
        if verdict.moved.is_some() {
            new.clear();
        }
        for choice in verdict.moved.iter().chain(&verdict.added) {
            if known(store, choice)?.is_none() {
                new.push(choice.clone());
            }
        }
        // Only existing categories: a dry run creates none.
        let there = |choice: &CategoryChoice| known(store, choice).ok().flatten().is_some();
        let moved = verdict.moved.clone();
        let mut placing = Verdict { moved: moved.clone().filter(there), ..verdict.clone() };
        placing.added.retain(there);
        if moved.is_some() && placing.moved.is_none() {
            categories.clear();
        }
        let wanted = placements(store, &placing, categories, self.now)?;
        Ok(Evaluation { article, verdict, draft, wanted, new, tombstone })
    }

    /// Returns the differences in words.
    fn differences(store: &dyn Store, found: &Evaluation) -> Result<Vec<String>> {
        let item = &found.article.item;
        if let Some(rule) = &found.verdict.dropped {
            let out = found.tombstone.is_some();
            return Ok(if out { Vec::new() } else { vec![format!("dropped by the rule `{rule}`")] });
        }
        let mut what = Vec::new();
        if found.tombstone.is_some() {
            what.push("let in, for no rule drops it any more".to_owned());
        }
        let wanted: BTreeSet<CategoryId> = found.wanted.iter().map(|category| category.id).collect();
        let mut goes: Vec<String> = Vec::new();
        for id in item.categories.iter().filter(|id| !wanted.contains(id)) {
            goes.extend(store.category(*id)?.map(|category| format!("leaves {}", category.name)));
        }
        let comes = found.wanted.iter().filter(|category| !item.categories.contains(&category.id));
        goes.extend(comes.map(|category| format!("enters {}", category.name)));
        goes.extend(found.new.iter().map(|choice| {
            format!(
                "enters {} (new)",
                if choice.name.is_empty() { choice.own_slug().to_string() } else { choice.name.clone() }
            )
        }));
        what.extend(goes);
        let before = draft_of(&found.article);
        for (name, differs) in [
            ("title", before.title != found.draft.title),
            ("link", before.link != found.draft.link),
            ("text", before.body.html != found.draft.body.html),
            ("labels", before.body.tags != found.draft.body.tags),
        ] {
            if differs {
                what.push(format!("its {name} is changed"));
            }
        }
        Ok(what)
    }

    fn apply(&self, store: &dyn Store, found: Evaluation, what: &str) -> Result<()> {
        let Evaluation { article, verdict, draft, mut wanted, new, tombstone } = found;
        let code = article.item.code.clone();
        if let Some(rule) = &verdict.dropped {
            let why = format!("dropped by the rule `{rule}`");
            let tombstone = Tombstone::new(self.now, WithdrawnBy::Rule, why, false);
            store.withdraw(&code, &tombstone)?;
            return Ok(());
        }
        for choice in &new {
            let made = ensure(store, choice, self.now)?;
            if !wanted.iter().any(|category| category.id == made.id) {
                wanted.push(made);
            }
        }
        let mut ids: Vec<CategoryId> = wanted.iter().map(|category| category.id).collect();
        // The set is the same whatever its order; the home category stays first where it is kept.
        ids.sort_by_key(|id| (*id != article.item.home, *id));
        if !ids.is_empty() {
            let (from, why) = (article.item.categories.clone(), what.to_owned());
            let decided = Move { from, to: ids, why, by: Mover::Rules };
            store.reroute(&code, &decided, self.now)?;
        }
        if let Some(tombstone) = tombstone {
            store.restore(&code, &tombstone, what, self.now)?;
        }
        self.store_rewritten(store, &article, draft, what)
    }

    /// Stores the title, link, text and labels that rules changed; this is no revision by the newspaper.
    fn store_rewritten(&self, store: &dyn Store, article: &Article, draft: Draft, what: &str) -> Result<()> {
        let before = draft_of(article);
        if before == draft {
            return Ok(());
        }
        let basis = store.basis(&article.item.code)?;
        // An item that was changed meanwhile is evaluated on the next run.
        let Some(mut item) = basis.item.clone().filter(|item| item.title == before.title) else {
            return Ok(());
        };
        item.title = draft.title;
        item.link = draft.link;
        item.excerpt = draft.excerpt;
        let mut change = Change::on(item.code.clone(), basis);
        change.item = Some(item);
        change.body = Some(draft.body);
        change.event = Some(Event {
            at: self.now,
            what: EventKind::Rerouted,
            source: None,
            why: clip_bytes(what, 300),
            known_by: String::new(),
            answer: None,
        });
        store.commit(vec![change], self.now).map(drop)
    }
}

fn known(store: &dyn Store, choice: &CategoryChoice) -> Result<Option<Category>> {
    if let Some(slug) = &choice.slug
        && let Some(category) = store.find_category(slug.as_str())?
    {
        return Ok(Some(category));
    }
    if choice.name.is_empty() { Ok(None) } else { store.find_category(&choice.name) }
}

fn draft_of(article: &Article) -> Draft {
    let Article { item, body } = article.clone();
    Draft {
        title: item.title,
        link: item.link,
        excerpt: item.excerpt,
        media_name: item.media_name,
        image: item.image,
        body,
    }
}
