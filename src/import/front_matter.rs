//! The front matter of a Jekyll post: finding its end, and reading its keys.
//!
//! YAML is tried first, as Jekyll does. The first site wrote its titles between quotes without escaping
//! them, so a title with a straight quote or a backslash is not valid YAML. Such a front matter is read
//! entry by entry, and only the invalid entries are read as plain text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::post::PostError;

#[cfg(test)]
mod tests;

/// A post split at the dashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// The lines between the dashes.
    pub front: &'a str,
    /// Everything after the closing dashes.
    pub body: &'a str,
    /// The line of the file where `front` begins, counted from 1.
    pub line: usize,
}

/// The keys that an import needs; scalars are not interpreted.
#[derive(Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub(super) struct FrontMatter {
    pub title: Option<String>,
    pub date: Option<String>,
    pub permalink: Option<String>,
    pub slug: Option<String>,
    pub published: Option<String>,
    category: Option<Words>,
    categories: Option<Words>,
    tag: Option<Words>,
    tags: Option<Words>,
}

/// A value that is one text or a list of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Words {
    One(String),
    Many(Vec<String>),
}

/// Splits a file at the dashes around its front matter.
///
/// Blank lines before the first dashes are skipped: Jekyll treated such a file as a plain one, but the first
/// site wrote some, and they are posts.
pub(super) fn split(text: &str) -> Result<Parts<'_>, PostError> {
    let mut at = 0;
    let mut start = None;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let bare = line.trim_end();
        match start {
            None if bare == "---" => start = Some((at + line.len(), index + 2)),
            None if !bare.is_empty() => return Err(PostError::NoFrontMatter { line: index + 1 }),
            Some((from, number)) if bare == "---" || bare == "..." => {
                return Ok(Parts {
                    front: text.get(from..at).unwrap_or_default(),
                    body: text.get(at + line.len()..).unwrap_or_default(),
                    line: number,
                });
            }
            _ => {}
        }
        at += line.len();
    }
    Err(start.map_or(PostError::NoFrontMatter { line: 1 }, |(_, number)| PostError::OpenFrontMatter {
        line: number - 1,
    }))
}

/// Parses the lines between the dashes; `first_line` is the number of their first line in the file.
pub(super) fn read(front: &str, first_line: usize) -> Result<FrontMatter, PostError> {
    if let Some(whole) = yaml(front) {
        return Ok(whole);
    }
    let mut all = FrontMatter::default();
    for entry in entries(front, first_line)? {
        match yaml(&entry.source) {
            Some(one) => all.overlay(one),
            None => all.set_raw(&entry),
        }
    }
    Ok(all)
}

/// Returns the title as the first site wrote it: between quotes, without escapes. YAML would end it at a
/// quote before a `#` and turn the `\n` of a path into a line break.
pub(super) fn unescaped_title(front: &str) -> Option<&str> {
    let title = front.lines().find_map(|line| line.strip_prefix("title: \""))?;
    title.trim_end().strip_suffix('"')
}

fn yaml(source: &str) -> Option<FrontMatter> {
    // The last of two equal keys counts, as in Ruby's YAML, and `007` or `no` remain strings.
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(source, options).ok()
}

impl FrontMatter {
    /// Returns `categories` and `category` together, as Jekyll combines them.
    pub(super) fn all_categories(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let plural = self.categories.as_ref().map(Words::split);
        let singular = self.category.as_ref().map(Words::whole);
        for name in plural.into_iter().chain(singular).flatten() {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        all
    }

    /// Returns `tag`, or `tags` if there is no `tag`.
    pub(super) fn all_tags(&self) -> Vec<String> {
        let singular = self.tag.as_ref().map(Words::whole);
        singular.or_else(|| self.tags.as_ref().map(Words::split)).unwrap_or_default()
    }

    fn overlay(&mut self, other: Self) {
        fn put<T>(slot: &mut Option<T>, value: Option<T>) {
            if value.is_some() {
                *slot = value;
            }
        }
        put(&mut self.title, other.title);
        put(&mut self.date, other.date);
        put(&mut self.permalink, other.permalink);
        put(&mut self.slug, other.slug);
        put(&mut self.published, other.published);
        put(&mut self.category, other.category);
        put(&mut self.categories, other.categories);
        put(&mut self.tag, other.tag);
        put(&mut self.tags, other.tags);
    }

    /// Sets a key from the plain text of an entry that is not valid YAML; ignores keys that are not needed.
    fn set_raw(&mut self, entry: &Entry<'_>) {
        match entry.key {
            "title" => self.title = Some(entry.text()),
            "date" => self.date = Some(entry.text()),
            "permalink" => self.permalink = Some(entry.text()),
            "slug" => self.slug = Some(entry.text()),
            "published" => self.published = Some(entry.text()),
            "category" => self.category = Some(entry.words()),
            "categories" => self.categories = Some(entry.words()),
            "tag" => self.tag = Some(entry.words()),
            "tags" => self.tags = Some(entry.words()),
            _ => {}
        }
    }
}

impl Words {
    /// Returns the names of a plural key: Jekyll splits a text at its spaces, quoted or not.
    fn split(&self) -> Vec<String> {
        match self {
            Self::One(text) => text.split_whitespace().map(str::to_owned).collect(),
            Self::Many(list) => list.clone(),
        }
    }

    /// Returns the names of a singular key: Jekyll treats a text as one name.
    fn whole(&self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text.clone()],
            Self::Many(list) => list.clone(),
        }
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordsVisitor)
    }
}

struct WordsVisitor;

impl<'de> Visitor<'de> for WordsVisitor {
    type Value = Words;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E>(self, value: &str) -> Result<Words, E> {
        Ok(Words::One(value.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Words, E> {
        Ok(Words::One(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Words, E> {
        Ok(Words::One(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Words, E> {
        Ok(Words::One(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Words, E> {
        // `1.0` keeps its decimal, as in Ruby.
        Ok(Words::One(format!("{value:?}")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Words, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element::<Option<String>>()? {
            list.extend(item);
        }
        Ok(Words::Many(list))
    }

    /// Reads a map as an empty list: Jekyll found no names in one either.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Words, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Words::Many(Vec::new()))
    }
}

/// A top-level key with its lines.
struct Entry<'a> {
    key: &'a str,
    rest: &'a str,
    more: Vec<&'a str>,
    source: String,
}

fn entries(front: &str, first_line: usize) -> Result<Vec<Entry<'_>>, PostError> {
    let mut list: Vec<Entry<'_>> = Vec::new();
    for (index, line) in front.lines().enumerate() {
        if let Some((key, rest)) = key_line(line) {
            list.push(Entry { key, rest: rest.trim(), more: Vec::new(), source: line.to_owned() });
        } else if line.trim().is_empty() || line.starts_with('#') {
            // A blank line may be part of a block text; the line reader ignores it.
        } else if let Some(entry) = list.last_mut().filter(|_| line.starts_with([' ', '\t', '-', ']', '}'])) {
            entry.more.push(line.trim());
            entry.source.push('\n');
            entry.source.push_str(line);
        } else {
            return Err(PostError::FrontMatter { line: first_line + index, text: line.to_owned() });
        }
    }
    Ok(list)
}

fn key_line(line: &str) -> Option<(&str, &str)> {
    let (key, rest) = line.split_once(':')?;
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    (plain && (rest.is_empty() || rest.starts_with([' ', '\t']))).then_some((key, rest))
}

impl Entry<'_> {
    fn text(&self) -> String {
        let mut text = self.rest.to_owned();
        for line in &self.more {
            text.push(' ');
            text.push_str(line);
        }
        unquote(text.trim()).to_owned()
    }

    fn words(&self) -> Words {
        let items: Option<Vec<&str>> = self.more.iter().map(|line| line.strip_prefix('-')).collect();
        if let Some(items) = items.filter(|items| self.rest.is_empty() && !items.is_empty()) {
            return Words::Many(items.into_iter().map(|item| unquote(item.trim()).to_owned()).collect());
        }
        let text = self.text();
        match text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) => Words::Many(
                inner
                    .split(',')
                    .map(|item| unquote(item.trim()).to_owned())
                    .filter(|item| !item.is_empty())
                    .collect(),
            ),
            None => Words::One(text),
        }
    }
}

/// Removes one pair of quotes, and only a pair.
fn unquote(text: &str) -> &str {
    let pair = |quote: char| text.strip_prefix(quote).and_then(|inner| inner.strip_suffix(quote));
    pair('"').or_else(|| pair('\'')).unwrap_or(text)
}
