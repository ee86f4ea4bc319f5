//! When a rule fits.

use std::borrow::Cow;

use crate::model::Pattern;
use crate::model::text::html_to_text;

/// A part of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Its title.
    Title,
    /// Its text, without markup; where it is rewritten, with it.
    Text,
    /// Its link.
    Link,
    /// Each of its authors.
    Author,
    /// Each of its labels.
    Tag,
    /// The newspaper that it names.
    Media,
}

impl Field {
    /// Their names in the config.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("title", Self::Title),
        ("text", Self::Text),
        ("link", Self::Link),
        ("author", Self::Author),
        ("tag", Self::Tag),
        ("media", Self::Media),
    ];
}

/// What rules look at.
#[derive(Debug, Clone, Default)]
pub struct Subject<'a> {
    /// Plain text.
    pub title: Cow<'a, str>,
    /// HTML.
    pub html: Cow<'a, str>,
    /// Absolute; may be empty.
    pub link: Cow<'a, str>,
    /// Names.
    pub authors: Vec<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// The newspaper.
    pub media: Option<&'a str>,
    /// BCP 47.
    pub language: Option<&'a str>,
    /// How old it was when it was first seen, in seconds.
    pub age: i64,
}

/// What an item must say; all that is set must hold. Nothing set: every item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Condition {
    /// Where to look; nowhere named means title and text.
    pub fields: Vec<Field>,
    /// One of these stands there, whatever its letters' case; in lower case here.
    pub contains: Vec<String>,
    /// This matches there.
    pub pattern: Option<Pattern>,
    /// It is in one of these languages, `zh` for `zh-CN` too.
    pub languages: Vec<String>,
    /// It was older than this when it was first seen, in seconds.
    pub older_than: Option<i64>,
    /// It was younger than this.
    pub newer_than: Option<i64>,
}

impl Condition {
    /// Whether the item is meant.
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
