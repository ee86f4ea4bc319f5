//! Reads `[[rule]]`, of the whole mill, of a source or of a category.

use std::time::Duration;

use super::faults::Fault;
use super::reader::{Reader, Value};
use super::values::{category, regex};
use crate::rules::{Action, Condition, Field, Level, Rule};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Keep,
    KeepOnly,
    Drop,
    Move,
    Add,
    Tag,
    Rewrite,
}

const WORDS: [(&str, Word); 7] = [
    ("keep", Word::Keep),
    ("keep-only", Word::KeepOnly),
    ("drop", Word::Drop),
    ("move", Word::Move),
    ("add", Word::Add),
    ("tag", Word::Tag),
    ("rewrite", Word::Rewrite),
];

/// Reads the rules of one table, in their order; the caller sets their level with [`at`].
pub(super) fn read(table: &mut Reader) -> Vec<Rule> {
    table.tables("rule").into_iter().filter_map(rule).collect()
}

/// Sets the level of rules.
pub(super) fn at(rules: Vec<Rule>, level: &Level) -> impl Iterator<Item = Rule> {
    rules.into_iter().map(move |rule| Rule { level: level.clone(), ..rule })
}

fn rule(mut table: Reader) -> Option<Rule> {
    let name = table.required("name", Reader::string).map(|v| v.value.trim().to_owned());
    let word = table.required("action", |table, key| table.choice(key, &WORDS)).map(|v| v.value);
    let age = |given: Option<Value<Duration>>| given.and_then(|v| i64::try_from(v.value.as_secs()).ok());
    let lower = |values: Vec<Value<String>>| -> Vec<String> {
        values.into_iter().map(|v| v.value.to_lowercase()).filter(|v| !v.is_empty()).collect()
    };
    let when = Condition {
        fields: table.strings("in").into_iter().filter_map(|name| field(&table, &name)).collect(),
        contains: lower(table.strings("contains")),
        pattern: regex(&mut table, "matches"),
        languages: lower(table.strings("language")).iter().map(|tag| tag.replace('_', "-")).collect(),
        older_than: age(table.duration("older_than")),
        newer_than: age(table.duration("newer_than")),
    };
    let action = word.and_then(|word| action(&mut table, word));
    table.finish();
    Some(Rule { name: name?, level: Level::Global, when, action: action? })
}

fn field(table: &Reader, name: &Value<String>) -> Option<Field> {
    let known = Field::NAMES.iter().find(|(known, _)| *known == name.value).map(|(_, field)| *field);
    if known.is_none() {
        let fault = Fault::error(&name.place, format!("`{}` is no part of an item", name.value));
        table.push(fault.help("known: `title`, `text`, `link`, `author`, `tag`, `media`"));
    }
    known
}

/// Reads the action of a rule; keys of other actions are read and ignored.
fn action(table: &mut Reader, word: Word) -> Option<Action> {
    let wants = |table: &mut Reader, key: &'static str, wanted: bool| {
        if wanted { table.required(key, Reader::string) } else { table.string(key) }
    };
    let to = wants(table, "to", matches!(word, Word::Move | Word::Add | Word::Tag));
    let named = wants(table, "field", word == Word::Rewrite);
    let pattern =
        if word == Word::Rewrite { table.required("replace", regex) } else { regex(table, "replace") };
    let with = table.string("with").map(|v| v.value).unwrap_or_default();
    match word {
        Word::Keep => Some(Action::Keep),
        Word::KeepOnly => Some(Action::KeepOnly),
        Word::Drop => Some(Action::Drop),
        Word::Move => Some(Action::Move(category(table, &to?)?)),
        Word::Add => Some(Action::Add(category(table, &to?)?)),
        Word::Tag => Some(Action::Tag(to?.value.trim().to_owned())),
        Word::Rewrite => {
            let named = named?;
            let field = field(table, &named)?;
            if !matches!(field, Field::Title | Field::Text | Field::Link) {
                let message =
                    format!("`{}` cannot be rewritten; `title`, `text` and `link` can", named.value);
                table.error(&named.place, message);
                return None;
            }
            Some(Action::Rewrite { field, pattern: pattern?, with })
        }
    }
}

/// Checks that no two rules of one level share a name, since rules are counted by name.
pub(super) fn check_names(main: &Reader, rules: &[Rule]) {
    for (at, rule) in rules.iter().enumerate() {
        let twice = rules[..at].iter().any(|other| other.name == rule.name && other.level == rule.level);
        if twice {
            main.error(main.place(), format!("the rule `{}` is there twice", rule.name));
        }
    }
}
