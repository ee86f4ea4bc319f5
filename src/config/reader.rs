//! Reads a TOML file key by key and finds all its faults in one run.
//!
//! A [`Ledger`] collects the faults, a [`Document`] is one parsed file, and a [`Reader`] reads one table of
//! it. Every value comes with its [`Place`], so that later checks can point at it. A reader returns `None`
//! both for a key that is not set and for a faulty one; the fault is in the ledger by then.

mod document;
mod help;
mod scalars;
mod syntax;
#[cfg(test)]
mod tests;

use std::cell::{Ref, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

pub use document::Document;
use document::{Kind, Node, Table};
use help::{quotes, suggestion};

use super::faults::{Fault, Faults, Place};
use super::lexical::read_text;

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value<T> {
    /// The value.
    pub value: T,
    /// Its place; in the profile's file if it came from a profile.
    pub place: Place,
}

impl<T> Value<T> {
    /// Returns another value at the same place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Value<U> {
        Value { value: change(self.value), place: self.place }
    }
}

/// The state that all readers share: the faults, and every key ever asked for.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    faults: Rc<RefCell<Faults>>,
    /// The keys, by the path of their table.
    known: Rc<RefCell<BTreeMap<String, BTreeSet<&'static str>>>>,
}

impl Ledger {
    /// Creates an empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses a file and returns a reader of its top level; `None` if the bytes are not UTF-8 text.
    #[must_use]
    pub fn read(&self, path: &Path, bytes: &[u8]) -> Option<Reader> {
        let faults = &mut *self.faults.borrow_mut();
        let text = read_text(path, bytes, faults)?;
        Some(Reader::new(&Document::parse(path, &text, faults).root, self))
    }

    /// Adds a fault.
    pub fn push(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }

    /// Returns the faults so far. Drop the borrow before reading on, or adding a fault panics.
    #[must_use]
    pub fn faults(&self) -> Ref<'_, Faults> {
        self.faults.borrow()
    }

    /// Returns all faults and leaves none.
    #[must_use]
    pub fn take_faults(&self) -> Faults {
        self.faults.take()
    }

    /// Returns every key that a finished reader was asked for, such as `source.detail.url`. Entries of lists
    /// and of tables of tables appear without index and name: `category.title`.
    #[must_use]
    pub fn known_keys(&self) -> BTreeSet<String> {
        let known = self.known.borrow();
        known.iter().flat_map(|(path, keys)| keys.iter().map(|key| joined(path, key))).collect()
    }
}

/// Reads one table. It remembers every key asked for; [`Reader::finish`] reports the others.
#[derive(Debug)]
#[must_use = "call `finish` to report unknown keys"]
pub struct Reader {
    place: Place,
    /// The table itself, then the tables it inherits from.
    layers: Vec<Layer>,
    path: String,
    /// The keys asked for, in order, repetitions included.
    asked: Vec<&'static str>,
    ledger: Ledger,
}

#[derive(Debug, Clone)]
struct Layer {
    table: Rc<Table>,
    /// Whether this reader reports the table's unknown keys.
    own: bool,
}

impl Reader {
    fn new(root: &Rc<Table>, ledger: &Ledger) -> Self {
        let layer = Layer { table: Rc::clone(root), own: true };
        Self::over(vec![layer], root.place.clone(), String::new(), ledger)
    }

    fn over(layers: Vec<Layer>, place: Place, path: String, ledger: &Ledger) -> Self {
        Self { place, layers, path, asked: Vec::new(), ledger: ledger.clone() }
    }

    /// Returns the place of the table: its header, or the whole file.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Returns the file that the table is in.
    #[must_use]
    pub fn file(&self) -> &Arc<Path> {
        &self.place.file
    }

    /// Returns the ledger that all readers share.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Adds an error at `place`; use [`Reader::push`] for one with a help.
    pub fn error(&self, place: &Place, message: impl Into<String>) {
        self.push(Fault::error(place, message));
    }

    /// Adds a fault.
    pub fn push(&self, fault: Fault) {
        self.ledger.push(fault);
    }

    /// Lets the table inherit from `fallback` (a profile, then the defaults): keys that are not set here are
    /// looked up there, in nested tables key by key.
    ///
    /// Unknown keys of the fallback are not reported here: read it by itself.
    pub fn overlay(&mut self, fallback: &Reader) {
        let layers = fallback.layers.iter();
        self.layers.extend(layers.map(|layer| Layer { table: Rc::clone(&layer.table), own: false }));
    }

    /// Returns whether `key` is set here or in a table that this one inherits from.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.layers.iter().any(|layer| layer.table.get(key).is_some())
    }

    /// Reads `key`, which must be set, as in `reader.required("url", Reader::string)`; adds the fault "missing
    /// `url`" if it is not.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        let lost = self.layers.iter().any(|layer| layer.table.may_have(key));
        if !self.has(key) && !lost {
            let fault = Fault::error(&self.place, format!("missing `{key}`"));
            self.push(fault.help(format!("add a line `{key} = …`")));
        }
        read(self, key)
    }

    /// Reads a nested table; keys missing in it are looked up in the inherited tables of the same name.
    pub fn table(&mut self, key: &'static str) -> Option<Reader> {
        self.asked.push(key);
        self.descend(key, self.path_of(key))
    }

    /// Reads a nested table like [`Reader::table`], but returns an empty one if it is missing, for sections
    /// whose keys all have defaults.
    pub fn section(&mut self, key: &'static str) -> Reader {
        let path = self.path_of(key);
        let empty = Self::over(Vec::new(), self.place.clone(), path, &self.ledger);
        self.table(key).unwrap_or(empty)
    }

    /// Reads a list of tables (`[[source]]`); a single table is a list of one. An inherited list is used only
    /// if none is set here; the two are not joined.
    pub fn tables(&mut self, key: &'static str) -> Vec<Reader> {
        let Some((own, node)) = self.find(key) else {
            return Vec::new();
        };
        let items = match node.kind {
            Kind::List(items) => items,
            _ => vec![node],
        };
        let read = |item: &Node| {
            let Kind::Table(table) = &item.kind else {
                self.wrong(key, item, "a list of sections");
                return None;
            };
            let layer = Layer { table: Rc::clone(table), own };
            Some(Self::over(vec![layer], item.place.clone(), self.path_of(key), &self.ledger))
        };
        items.iter().filter_map(read).collect()
    }

    /// Reads a table of named tables (`[category.news]`) as pairs of name and table, in the order of the file.
    pub fn entries(&mut self, key: &'static str) -> Vec<(Value<String>, Reader)> {
        let Some(section) = self.table(key) else {
            return Vec::new();
        };
        let read = |name: Value<String>| {
            let reader = section.descend(&name.value, section.path.clone())?;
            Some((name, reader))
        };
        section.names().into_iter().filter_map(read).collect()
    }

    /// Reports the keys that nobody asked for, each with the most similar known key or else a list of the known
    /// ones.
    pub fn finish(self) {
        let mut known = self.ledger.known.borrow_mut();
        match known.get_mut(&self.path) {
            Some(keys) => keys.extend(&self.asked),
            None => _ = known.insert(self.path.clone(), self.asked.iter().copied().collect()),
        }
        drop(known);
        let own = self.layers.iter().filter(|layer| layer.own);
        for entry in own.flat_map(|layer| &layer.table.entries) {
            let broken = matches!(entry.node.kind, Kind::Broken);
            if broken || self.asked.contains(&entry.key.as_str()) {
                continue;
            }
            let known = self.asked.iter().copied().collect::<BTreeSet<_>>();
            let place = match self.path.as_str() {
                "" => String::new(),
                path => format!(" in `{path}`"),
            };
            let message = format!("unknown key `{}`{place}", entry.key);
            let mut fault = Fault::error(&entry.place, message);
            fault.help = suggestion(&entry.key, known.into_iter());
            self.push(fault);
        }
    }

    fn path_of(&self, key: &str) -> String {
        joined(&self.path, key)
    }

    /// Returns the value of `key` in the first layer that has it, and whether that layer is this table's own.
    fn get(&self, key: &str) -> Option<(bool, &Node)> {
        self.layers.iter().find_map(|layer| Some((layer.own, layer.table.get(key)?)))
    }

    fn find(&mut self, key: &'static str) -> Option<(bool, Node)> {
        self.asked.push(key);
        self.get(key).map(|(own, node)| (own, node.clone()))
    }

    /// Returns a reader over the tables called `key` in all layers.
    fn descend(&self, key: &str, path: String) -> Option<Reader> {
        let (_, first) = self.get(key)?;
        if !matches!(first.kind, Kind::Table(_)) {
            self.wrong(key, first, "a section");
            return None;
        }
        let nested = |layer: &Layer| match &layer.table.get(key)?.kind {
            Kind::Table(table) => Some(Layer { table: Rc::clone(table), own: layer.own }),
            _ => None,
        };
        let layers = self.layers.iter().filter_map(nested).collect();
        Some(Self::over(layers, first.place.clone(), path, &self.ledger))
    }

    /// Returns the keys of all layers, each once, in the order of the files.
    fn names(&self) -> Vec<Value<String>> {
        let mut names: Vec<Value<String>> = Vec::new();
        for entry in self.layers.iter().flat_map(|layer| &layer.table.entries) {
            if !names.iter().any(|name| name.value == entry.key) {
                names.push(Value { value: entry.key.clone(), place: entry.place.clone() });
            }
        }
        names
    }

    /// Adds "`key` must be …, not …", unless the value's fault was reported already.
    fn wrong(&self, key: &str, node: &Node, wanted: &str) {
        if matches!(node.kind, Kind::Broken) {
            return;
        }
        let found = node.kind.describe();
        let message = format!("`{key}` must be {wanted}, not {found}");
        let mut fault = Fault::error(&node.place, message);
        fault.help = quotes(wanted, &node.kind);
        self.push(fault);
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
