//! Reads the document without building all of it: a million items cost the memory of those that are kept.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The parts of the document that are kept.
#[derive(Debug, Default)]
pub(super) struct Root {
    /// The members of the feed itself.
    pub fields: Map<String, Value>,
    /// The first items; `None` if there is no such member.
    pub items: Option<Vec<Value>>,
    /// Number of further items.
    pub beyond: usize,
}

/// Reads the root object with at most `most` items.
///
/// If the JSON is broken, returns the part before the fault together with the error.
pub(super) fn read(json: &str, most: usize) -> (Root, Option<serde_json::Error>) {
    let mut root = Root::default();
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let read = deserializer.deserialize_any(RootVisitor { root: &mut root, most });
    let fault = read.and_then(|()| deserializer.end()).err();
    (root, fault)
}

struct RootVisitor<'r> {
    root: &'r mut Root,
    most: usize,
}

impl<'de> Visitor<'de> for RootVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { root, most } = self;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "items" => map.next_value_seed(Items { root, most })?,
                "version" | "title" | "home_page_url" | "feed_url" | "description" | "language"
                | "author" | "authors" => {
                    root.fields.insert(key, map.next_value()?);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct Items<'r> {
    root: &'r mut Root,
    most: usize,
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Items<'_> {
    /// Keeps an item, or counts it.
    fn take(&mut self, item: Value) {
        let items = self.root.items.get_or_insert_default();
        if items.len() < self.most {
            items.push(item);
        } else {
            self.root.beyond += 1;
        }
    }

    /// Records an empty list, for a value that is no list.
    fn nothing(self) {
        self.root.items.get_or_insert_default();
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of items")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.nothing();
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.nothing();
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.nothing();
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.nothing();
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.nothing();
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.nothing();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let items = self.root.items.insert(Vec::new());
        while items.len() < self.most {
            match seq.next_element()? {
                Some(item) => items.push(item),
                None => return Ok(()),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            self.root.beyond += 1;
        }
        Ok(())
    }

    /// Reads an object in place of the list: one with an item under each key, or the only item itself.
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.root.items.get_or_insert_default();
        let mut only = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if MEMBERS.contains(&key.as_str()) {
                only.insert(key, map.next_value()?);
            } else if only.is_empty() {
                let item: Value = map.next_value()?;
                if item.is_object() {
                    self.take(item);
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if !only.is_empty() {
            self.take(Value::Object(only));
        }
        Ok(())
    }
}

/// Members of an item (JSON Feed 1.1), which distinguish an item from an object of items.
const MEMBERS: [&str; 17] = [
    "id",
    "url",
    "external_url",
    "title",
    "content_html",
    "content_text",
    "summary",
    "image",
    "banner_image",
    "date_published",
    "date_modified",
    "author",
    "authors",
    "tags",
    "language",
    "attachments",
    "guid",
];
