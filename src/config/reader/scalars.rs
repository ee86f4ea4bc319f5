//! Reads values other than tables, and tables of texts.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::super::faults::Fault;
use super::super::units::{UnitError, parse_duration, parse_size};
use super::document::{Kind, Node};
use super::help::{BOOL, NUMBER, TEXT, TEXTS, suggestion};
use super::{Reader, Value};

impl Reader {
    /// Reads a text.
    pub fn string(&mut self, key: &'static str) -> Option<Value<String>> {
        let (_, node) = self.find(key)?;
        self.text(key, &node)
    }

    /// Reads `true` or `false`.
    pub fn bool(&mut self, key: &'static str) -> Option<Value<bool>> {
        let (_, node) = self.find(key)?;
        let Kind::Bool(value) = node.kind else {
            self.wrong(key, &node, BOOL);
            return None;
        };
        Some(Value { value, place: node.place })
    }

    /// Reads a whole number.
    pub fn integer(&mut self, key: &'static str) -> Option<Value<i64>> {
        let (_, node) = self.find(key)?;
        match node.kind {
            Kind::Integer(Some(value)) => {
                return Some(Value { value, place: node.place });
            }
            Kind::Integer(None) => self.error(&node.place, format!("`{key}` is too large")),
            _ => self.wrong(key, &node, NUMBER),
        }
        None
    }

    /// Reads a whole number within `range`.
    pub fn integer_in(&mut self, key: &'static str, range: RangeInclusive<i64>) -> Option<Value<i64>> {
        let number = self.integer(key)?;
        if range.contains(&number.value) {
            return Some(number);
        }
        let (least, most, found) = (range.start(), range.end(), number.value);
        let bounds = match *most {
            i64::MAX => format!("at least {least}"),
            _ => format!("between {least} and {most}"),
        };
        self.error(&number.place, format!("`{key}` must be {bounds}, not {found}"));
        None
    }

    /// Reads a list of texts; a single text is a list of one, and a key that is not set an empty list.
    pub fn strings(&mut self, key: &'static str) -> Vec<Value<String>> {
        let Some((_, node)) = self.find(key) else {
            return Vec::new();
        };
        match &node.kind {
            Kind::List(items) => items.iter().filter_map(|item| self.item(key, item)).collect(),
            Kind::Text(_) => self.text(key, &node).into_iter().collect(),
            _ => {
                self.wrong(key, &node, TEXTS);
                Vec::new()
            }
        }
    }

    /// Reads a table of texts as pairs of key and text, in the order of the file.
    pub fn string_map(&mut self, key: &'static str) -> Vec<(Value<String>, Value<String>)> {
        let Some(section) = self.table(key) else {
            return Vec::new();
        };
        let read = |name: Value<String>| {
            let (_, node) = section.get(&name.value)?;
            let text = section.text(&name.value, node)?;
            Some((name, text))
        };
        section.names().into_iter().filter_map(read).collect()
    }

    /// Reads a text with `parse`, whose error completes the sentence "`key` …", as in "is no web address".
    pub fn parsed<T, E: Display>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Value<T>> {
        let text = self.string(key)?;
        match parse(&text.value) {
            Ok(value) => Some(Value { value, place: text.place }),
            Err(error) => {
                self.error(&text.place, format!("`{key}` {error}"));
                None
            }
        }
    }

    /// Reads a length of time such as `"15m"` or `"1h30m"`.
    pub fn duration(&mut self, key: &'static str) -> Option<Value<Duration>> {
        let units = "units are `s`, `m`, `h` and `d`, as in `\"30s\"`, `\"15m\"` or `\"1h30m\"`";
        self.with_unit(key, "m", units, parse_duration)
    }

    /// Reads a size in bytes such as `"15MiB"`.
    pub fn size(&mut self, key: &'static str) -> Option<Value<u64>> {
        let units = "units are `KiB`, `MiB` and `GiB` (or `KB`, `MB`, `GB`), as in `\"15MiB\"`";
        self.with_unit(key, "MiB", units, parse_size)
    }

    /// Reads one of a few words and returns its meaning.
    pub fn choice<T: Clone>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<Value<T>> {
        let text = self.string(key)?;
        let known = words.iter().find(|(word, _)| *word == text.value);
        if let Some((_, value)) = known {
            return Some(text.map(|_| value.clone()));
        }
        let message = format!("`{key}` cannot be `{}`", text.value);
        let mut fault = Fault::error(&text.place, message);
        fault.help = suggestion(&text.value, words.iter().map(|(word, _)| *word));
        self.push(fault);
        None
    }

    fn with_unit<T>(
        &mut self,
        key: &'static str,
        unit: &str,
        units: &str,
        parse: impl FnOnce(&str) -> Result<T, UnitError>,
    ) -> Option<Value<T>> {
        let (_, node) = self.find(key)?;
        if let Kind::Integer(Some(number)) = node.kind {
            let fault = Fault::error(&node.place, format!("`{key}` needs a unit"));
            self.push(fault.help(format!("write `\"{number}{unit}\"`; {units}")));
            return None;
        }
        let text = self.text(key, &node)?;
        match parse(&text.value) {
            Ok(value) => Some(Value { value, place: text.place }),
            Err(error) => {
                self.push(Fault::error(&text.place, format!("`{key}` {error}")).help(units));
                None
            }
        }
    }

    pub(super) fn text(&self, key: &str, node: &Node) -> Option<Value<String>> {
        let Kind::Text(value) = &node.kind else {
            self.wrong(key, node, TEXT);
            return None;
        };
        Some(Value { value: value.clone(), place: node.place.clone() })
    }

    fn item(&self, key: &str, item: &Node) -> Option<Value<String>> {
        let Kind::Text(_) = item.kind else {
            self.wrong(key, item, TEXTS);
            return None;
        };
        self.text(key, item)
    }
}
