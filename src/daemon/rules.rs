//! Rules: what each has done so far, and applying changed rules to stored items.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::value;
use super::mill::Mill;
use crate::control::{Event, Events};
use crate::ingest::apply_rules;
use crate::ingest::rerouting::{Rerouted, Rerouting};
use crate::model::{Cursor, chain};
use crate::publish::PublishScope;
use crate::rules::{Action, Level};
use crate::store::StoreError;

/// Items read in one step; polls of other sources may run in between.
const STEP: usize = 100;
/// Rerouted items that are listed; all are counted.
const LISTED: usize = 1_000;

/// A rule, and how often it was applied.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RuleRow {
    /// The rule's name.
    pub name: String,
    /// The items that it applies to: all, those of a source or those of a category.
    pub level: String,
    /// Its action.
    pub action: String,
    /// Items to which it was applied.
    pub hits: u64,
}

/// Returns all rules, and the counts of the items that they were evaluated for.
pub(super) async fn rules(mill: &Arc<Mill>) -> Result<Value, String> {
    let counts = mill.store.call(|store| store.tallies()).await.map_err(|e| chain(&e))?;
    let count = |name: &str| counts.get(name).copied().unwrap_or_default();
    let rows: Vec<RuleRow> = mill
        .config
        .ingest
        .rules
        .iter()
        .map(|rule| RuleRow {
            name: rule.name.clone(),
            level: match &rule.level {
                Level::Global => "all items".to_owned(),
                Level::Source(id) => format!("source {id}"),
                Level::Category(slug) => format!("category {slug}"),
            },
            action: action(&rule.action),
            hits: count(&format!("{}{}", apply_rules::RULE, rule.name)),
        })
        .collect();
    Ok(json!({
        "rules": rows,
        "seen": count(apply_rules::SEEN),
        "kept": count(apply_rules::KEPT),
        "dropped": count(apply_rules::DROPPED),
    }))
}

fn action(action: &Action) -> String {
    let to = |choice: &crate::model::CategoryChoice| match choice.name.as_str() {
        "" => choice.own_slug().to_string(),
        name => name.to_owned(),
    };
    match action {
        Action::Keep => "keep".to_owned(),
        Action::KeepOnly => "keep-only".to_owned(),
        Action::Drop => "drop".to_owned(),
        Action::Move(choice) => format!("move to {}", to(choice)),
        Action::Add(choice) => format!("add to {}", to(choice)),
        Action::Tag(tag) => format!("tag {tag}"),
        Action::Rewrite { pattern, .. } => format!("rewrite {}", pattern.as_str()),
    }
}

/// Applies the present rules and routes to all stored items, or returns what would change.
pub(super) async fn reroute(mill: &Arc<Mill>, dry_run: bool, events: &Events) -> Result<Value, String> {
    let rerouting = Arc::new(Rerouting {
        rules: Arc::clone(&mill.config.ingest.rules),
        sources: mill.sources().cloned().collect(),
        now: mill.clock.now(),
        dry_run,
    });
    let (mut looked, mut changed, mut listed) = (0, 0, Vec::new());
    let held = mill.hold().await;
    // Items that were rerouted just now come behind the end, so they are not read again.
    let end = mill.store.call(|store| store.cursor()).await.map_err(|e| chain(&e))?;
    let mut from = Cursor::default();
    while from != end {
        let (step, after, until) = (Arc::clone(&rerouting), from, end.clone());
        let done = mill.store.call(move |store| {
            let (items, upto) = store.touched(&after, &until, STEP)?;
            let mut found: Vec<Rerouted> = Vec::new();
            let mut looked = 0;
            for item in items {
                looked += 1;
                found.extend(step.one(store, &item.code)?);
            }
            Ok::<_, StoreError>((upto, looked, found))
        });
        let (more, found);
        (from, more, found) = done.await.map_err(|e| chain(&e))?;
        looked += more;
        changed += found.len();
        listed.extend(found.into_iter().take(LISTED.saturating_sub(listed.len())));
        let _ = events.try_send(Event::Progress { done: looked, of: looked, what: "rerouting".to_owned() });
    }
    drop(held);
    if !dry_run {
        mill.store.call(|store| store.sync()).await.map_err(|e| chain(&e))?;
        mill.publish(PublishScope::Changed, |_, _| {}).await.map_err(|e| chain(&e))?;
    }
    let listed = value(&listed)?;
    Ok(json!({ "dry_run": dry_run, "looked": looked, "changed": changed, "items": listed }))
}
