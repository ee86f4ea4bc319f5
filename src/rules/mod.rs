//! Rules: keep, drop, move, tag or rewrite items by their contents.
//!
//! Owns: conditions, the order in which rules apply, their result, and its description. Pure. Does not own: the
//! categories of a source's items without rules (`ingest::routing`), counting (`store`), the keys in the config
//! (`config`).
//!
//! The rules of the whole mill apply first, then those of the item's source, then those of the categories that
//! the item has by then. The first `keep` that fits ends the evaluation, and so does every drop.

mod condition;

use regex::Regex;

use crate::model::{CategoryChoice, Pattern, Slug, SourceId};

pub use condition::{Condition, Field, Subject};

/// The items to which a rule applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Level {
    /// All items.
    Global,
    /// The items of one source.
    Source(SourceId),
    /// The items of one category, by its slug.
    Category(Slug),
}

/// The effect of a rule on an item that fits.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// The item stays, and no further rule applies.
    Keep,
    /// Items that do not fit are dropped.
    KeepOnly,
    /// The item is dropped.
    Drop,
    /// The item is published in this category instead.
    Move(CategoryChoice),
    /// The item is published in this category as well.
    Add(CategoryChoice),
    /// The item gets this label.
    Tag(String),
    /// Matches in a field are replaced; `$1` is the first group.
    Rewrite {
        /// The field.
        field: Field,
        /// The pattern to replace.
        pattern: Pattern,
        /// The replacement.
        with: String,
    },
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name, unique within its level; applications are counted by it.
    pub name: String,
    /// The items to which it applies.
    pub level: Level,
    /// Its condition.
    pub when: Condition,
    /// Its effect.
    pub action: Action,
}

/// The result of the rules for one item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The rule that dropped it, if any.
    pub dropped: Option<String>,
    /// Names of the rules that had an effect, in order.
    pub applied: Vec<String>,
    /// The category that replaces those of its source.
    pub moved: Option<CategoryChoice>,
    /// Further categories.
    pub added: Vec<CategoryChoice>,
    /// Additional labels.
    pub tags: Vec<String>,
    /// Its title, if it was rewritten.
    pub title: Option<String>,
    /// Its link, if it was rewritten.
    pub link: Option<String>,
    /// Its HTML, if it was rewritten; not clean.
    pub html: Option<String>,
}

impl Verdict {
    /// Describes the result for people; empty if no rule had an effect.
    #[must_use]
    pub fn told(&self) -> String {
        match (&self.dropped, self.applied.as_slice()) {
            (Some(rule), _) => format!("dropped by the rule `{rule}`"),
            (None, []) => String::new(),
            (None, rules) => {
                let names: Vec<String> = rules.iter().map(|rule| format!("`{rule}`")).collect();
                format!("rules applied: {}", names.join(", "))
            }
        }
    }
}

/// All rules, in the order of the config.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Creates the set of rules, given in the order of the config.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// Returns an iterator over the rules.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter()
    }

    /// Returns whether there are no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Applies the rules to an item of `source` that has the categories `slugs` without them. `slug_of`
    /// returns the slug of a category that a rule names.
    #[must_use]
    pub fn judge(
        &self,
        subject: &Subject<'_>,
        source: &SourceId,
        slugs: &[Slug],
        slug_of: impl Fn(&CategoryChoice) -> Option<Slug>,
    ) -> Verdict {
        let mut verdict = Verdict::default();
        let mut subject = subject.clone();
        let mut slugs = slugs.to_vec();
        let of_source = |rule: &&Rule| matches!(&rule.level, Level::Source(id) if id == source);
        let first = self.0.iter().filter(|rule| rule.level == Level::Global);
        for rule in first.chain(self.0.iter().filter(of_source)) {
            if apply(rule, &mut subject, &mut verdict, &mut slugs, &slug_of) {
                return verdict;
            }
        }
        for rule in &self.0 {
            let asked = matches!(&rule.level, Level::Category(slug) if slugs.contains(slug));
            if asked && apply(rule, &mut subject, &mut verdict, &mut slugs, &slug_of) {
                return verdict;
            }
        }
        verdict
    }
}

/// Applies one rule; returns `true` if no further rule applies.
fn apply(
    rule: &Rule,
    subject: &mut Subject<'_>,
    verdict: &mut Verdict,
    slugs: &mut Vec<Slug>,
    slug_of: &impl Fn(&CategoryChoice) -> Option<Slug>,
) -> bool {
    let fits = rule.when.fits(subject);
    let drops = matches!((&rule.action, fits), (Action::Drop, true) | (Action::KeepOnly, false));
    if drops {
        verdict.dropped = Some(rule.name.clone());
        return true;
    }
    if !fits || matches!(rule.action, Action::KeepOnly) {
        return false;
    }
    if !matches!(rule.action, Action::Rewrite { .. }) {
        verdict.applied.push(rule.name.clone());
    }
    match &rule.action {
        Action::Keep => return true,
        Action::Drop | Action::KeepOnly => {}
        Action::Move(target) => {
            *slugs = slug_of(target).into_iter().collect();
            verdict.moved = Some(target.clone());
            verdict.added.clear();
        }
        Action::Add(target) => {
            slugs.extend(slug_of(target));
            if !verdict.added.contains(target) {
                verdict.added.push(target.clone());
            }
        }
        Action::Tag(tag) => {
            if !verdict.tags.contains(tag) {
                verdict.tags.push(tag.clone());
                subject.tags.push(tag.clone());
            }
        }
        Action::Rewrite { field, pattern, with } => rewrite(rule, (*field, pattern, with), subject, verdict),
    }
    false
}

fn rewrite(
    rule: &Rule,
    (field, pattern, with): (Field, &Regex, &str),
    subject: &mut Subject<'_>,
    verdict: &mut Verdict,
) {
    let (said, new) = match field {
        Field::Title => (&mut subject.title, &mut verdict.title),
        Field::Link => (&mut subject.link, &mut verdict.link),
        _ => (&mut subject.html, &mut verdict.html),
    };
    let replaced = pattern.replace_all(said, with).into_owned();
    if replaced != said.as_ref() {
        verdict.applied.push(rule.name.clone());
        *new = Some(replaced.clone());
        *said = replaced.into();
    }
}

#[cfg(test)]
mod tests;
