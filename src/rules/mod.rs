//! Rules: what becomes of an item by what it says: keep, drop, move, tag, rewrite.
//!
//! Owns: conditions, the order in which rules are asked, what they come to, and the words for it.
//! Pure. Does not own: where a source's items go without rules (`ingest::routing`), counting
//! (`store`), the config's words for it (`config`).
//!
//! Rules of the whole mill are asked first, then those of the item's source, then those of the
//! categories that it goes to by then. The first `keep` or `drop` that fits ends the asking.

mod condition;

use regex::Regex;

use crate::model::{CategoryChoice, Pattern, Slug, SourceId};

pub use condition::{Condition, Field, Subject};

/// For whose items a rule is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Level {
    /// All.
    Global,
    /// Those of one source.
    Source(SourceId),
    /// Those that go to one category, by its slug.
    Category(Slug),
}

/// What a rule does with an item that fits.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// It stays, and no further rule is asked.
    Keep,
    /// Items that do not fit are dropped.
    KeepOnly,
    /// It is dropped.
    Drop,
    /// It goes there instead.
    Move(CategoryChoice),
    /// It goes there as well.
    Add(CategoryChoice),
    /// It gets this label.
    Tag(String),
    /// Matches in a field are replaced; `$1` is the first group.
    Rewrite {
        /// Where.
        field: Field,
        /// What.
        pattern: Pattern,
        /// By what.
        with: String,
    },
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name, unique: it is counted under it.
    pub name: String,
    /// For whose items.
    pub level: Level,
    /// For which of them.
    pub when: Condition,
    /// What is done.
    pub action: Action,
}

/// What the rules came to for one item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The rule that dropped it, if one did.
    pub dropped: Option<String>,
    /// Names of the rules that did something, in their order.
    pub applied: Vec<String>,
    /// Where it goes instead of where its source says.
    pub moved: Option<CategoryChoice>,
    /// Where it goes as well.
    pub added: Vec<CategoryChoice>,
    /// Labels that it gets.
    pub tags: Vec<String>,
    /// Its title, where that was rewritten.
    pub title: Option<String>,
    /// Its link, where that was rewritten.
    pub link: Option<String>,
    /// Its HTML, where that was rewritten; not clean.
    pub html: Option<String>,
}

impl Verdict {
    /// What happened, for people; empty where nothing did.
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

/// All rules, in the order in which they are asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Rules in the order of the config.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What becomes of an item of `source` that goes to the categories `slugs` without rules.
    /// `slug_of` finds the slug of a category that a rule names.
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

/// Applies one rule; `true` when no further one is asked.
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
