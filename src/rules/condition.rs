//! The conditions of rules.

use std::borrow::Cow;

use crate::model::Pattern;
use crate::model::text::html_to_text;

/// A part of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Its title.
    Title,
    /// Its text: without markup for conditions, with it for rewriting.
    Text,
    /// Its link.
    Link,
    /// Each of its authors.
    Author,
    /// Each of its labels.
    Tag,
    /// The newspaper that the article names.
    Media,
}

impl Field {
    /// The names of the fields in the config.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("title", Self::Title),
        ("text", Self::Text),
        ("link", Self::Link),
        ("author", Self::Author),
        ("tag", Self::Tag),
        ("media", Self::Media),
    ];
}

/// The parts of an item that rules examine.
#[derive(Debug, Clone, Default)]
pub struct Subject<'a> {
    /// Title; plain text.
    pub title: Cow<'a, str>,
    /// Text; HTML.
    pub html: Cow<'a, str>,
    /// Link, absolute; may be empty.
    pub link: Cow<'a, str>,
    /// Names of the authors.
    pub authors: Vec<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// The newspaper.
    pub media: Option<&'a str>,
    /// Language in BCP 47.
    pub language: Option<&'a str>,
    /// Age when it was first seen, in seconds.
    pub age: i64,
}

/// A condition on an item; every part that is set must hold. An empty condition fits every item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Condition {
    /// The fields to examine; title and text if empty.
    pub fields: Vec<Field>,
    /// Texts of which one must be in a field, whatever its case; in lower case here.
    pub contains: Vec<String>,
    /// Pattern that must match a field.
    pub pattern: Option<Pattern>,
    /// Languages of which one must be the item's, in lower case; `zh` includes `zh-CN`.
    pub languages: Vec<String>,
    /// The item must have been older than this when it was first seen, in seconds.
    pub older_than: Option<i64>,
    /// The item must have been younger than this when it was first seen, in seconds.
    pub newer_than: Option<i64>,
}

impl Condition {
    /// Returns whether the item meets the condition.
    #[must_use]
    pub fn fits(&self, subject: &Subject<'_>) -> bool {
        let age = self.older_than.is_none_or(|age| subject.age > age)
            && self.newer_than.is_none_or(|age| subject.age < age);
        age && self.speaks(subject) && self.says(subject)
    }

    fn speaks(&self, subject: &Subject<'_>) -> bool {
        self.languages.is_empty()
            || subject.language.is_some_and(|spoken| {
                let spoken = spoken.replace('_', "-").to_lowercase();
                self.languages.iter().any(|wanted| {
                    spoken
                        .strip_prefix(wanted.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
                })
            })
    }

    fn says(&self, subject: &Subject<'_>) -> bool {
        if self.contains.is_empty() && self.pattern.is_none() {
            return true;
        }
        let default = [Field::Title, Field::Text];
        let fields = if self.fields.is_empty() { &default[..] } else { &self.fields };
        let texts: Vec<Cow<'_, str>> = fields.iter().flat_map(|field| texts(*field, subject)).collect();
        let contains = self.contains.is_empty()
            || texts.iter().any(|text| {
                let text = text.to_lowercase();
                self.contains.iter().any(|wanted| text.contains(wanted.as_str()))
            });
        let matches = self.pattern.as_ref().is_none_or(|p| texts.iter().any(|text| p.is_match(text)));
        contains && matches
    }
}

fn texts<'a>(field: Field, subject: &'a Subject<'_>) -> Vec<Cow<'a, str>> {
    let borrowed = |text: &'a str| vec![Cow::Borrowed(text)];
    match field {
        Field::Title => borrowed(&subject.title),
        Field::Text => vec![Cow::Owned(html_to_text(&subject.html))],
        Field::Link => borrowed(&subject.link),
        Field::Author => subject.authors.iter().map(|name| Cow::Borrowed(name.as_str())).collect(),
        Field::Tag => subject.tags.iter().map(|tag| Cow::Borrowed(tag.as_str())).collect(),
        Field::Media => subject.media.map(Cow::Borrowed).into_iter().collect(),
    }
}
