//! Reads a TOML file key by key and finds all its faults in one run.
//!
//! A [`Ledger`] gathers what is found, a [`Document`] is one parsed file, and a
//! [`Reader`] walks one table of it. Every value comes with its [`Place`], so
//! that checks made later can point at it. A reader gives `None` both for a key
//! that is not set and for one at fault; the fault is in the ledger by then.

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

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value<T> {
    /// The value.
    pub value: T,
    /// Where it stands; in the profile's file if it came from a profile.
    pub place: Place,
}

impl<T> Value<T> {
    /// Another value at the same place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Value<U> {
        Value { value: change(self.value), place: self.place }
    }
}

/// What all readers share: the faults, and every key ever asked for.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    faults: Rc<RefCell<Faults>>,
    /// By the path of the table.
    known: Rc<RefCell<BTreeMap<String, BTreeSet<&'static str>>>>,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a file from its bytes to a reader of its top level; `None` if it
    /// is not UTF-8 text at all.
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

    /// The faults so far. Let go of them before reading on.
    #[must_use]
    pub fn faults(&self) -> Ref<'_, Faults> {
        self.faults.borrow()
    }

    /// Takes the faults out, at the end.
    #[must_use]
    pub fn take_faults(&self) -> Faults {
        self.faults.take()
    }

    /// Every key that a finished reader was asked for, as `source.detail.url`; entries of
    /// lists and of tables of tables stand without index and name: `category.title`.
    #[must_use]
    pub fn known_keys(&self) -> BTreeSet<String> {
        let known = self.known.borrow();
        known.iter().flat_map(|(path, keys)| keys.iter().map(|key| joined(path, key))).collect()
    }
}

/// Walks one table. Every key asked for is known from then on;
/// [`Reader::finish`] reports the others.
#[derive(Debug)]
#[must_use = "call `finish` to report unknown keys"]
pub struct Reader {
    place: Place,
    /// The table itself, then the tables it inherits from.
    layers: Vec<Layer>,
    path: String,
    /// In the order of the questions; some are asked for twice.
    asked: Vec<&'static str>,
    ledger: Ledger,
}

#[derive(Debug, Clone)]
struct Layer {
    table: Rc<Table>,
    /// Whether unknown keys of the table are this reader's to report.
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

    /// Where the table stands: its header, or the whole file.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The file the table is in.
    #[must_use]
    pub fn file(&self) -> &Arc<Path> {
        &self.place.file
    }

    /// The ledger all readers share.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Adds an error at `place`; for one with a help, see [`Reader::push`].
    pub fn error(&self, place: &Place, message: impl Into<String>) {
        self.push(Fault::error(place, message));
    }

    /// Adds a fault.
    pub fn push(&self, fault: Fault) {
        self.ledger.push(fault);
    }

    /// Lets the table inherit from `fallback` (a profile, then the defaults):
    /// keys not set here are looked up there, in nested tables key by key.
    ///
    /// Unknown keys of the fallback are not reported here: read it by itself.
    pub fn overlay(&mut self, fallback: &Reader) {
        let layers = fallback.layers.iter();
        self.layers.extend(layers.map(|layer| Layer { table: Rc::clone(&layer.table), own: false }));
    }

    /// Whether `key` is set here or in a table this one inherits from.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.layers.iter().any(|layer| layer.table.get(key).is_some())
    }

    /// Reads `key`, which must be set, as in
    /// `reader.required("url", Reader::string)`; adds "missing `url`" if not.
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

    /// A nested table; keys missing in it are looked up in the nested tables
    /// of the same name this one inherits.
    pub fn table(&mut self, key: &'static str) -> Option<Reader> {
        self.asked.push(key);
        self.descend(key, self.path_of(key))
    }

    /// Like [`Reader::table`], but an empty table if there is none, for
    /// sections whose keys all have defaults.
    pub fn section(&mut self, key: &'static str) -> Reader {
        let path = self.path_of(key);
        let empty = Self::over(Vec::new(), self.place.clone(), path, &self.ledger);
        self.table(key).unwrap_or(empty)
    }

    /// A list of tables (`[[source]]`); a single table is a list of one. An
    /// inherited list stands in for one not set here, the two are not joined.
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

    /// A table of named tables (`[category.news]`): the names and the tables,
    /// in the order of the file.
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

    /// Reports the keys nobody asked for, with the key that was meant, or else
    /// the keys there are.
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

    /// The value of `key` in the first layer that has it, and whether it is
    /// this table's own.
    fn get(&self, key: &str) -> Option<(bool, &Node)> {
        self.layers.iter().find_map(|layer| Some((layer.own, layer.table.get(key)?)))
    }

    fn find(&mut self, key: &'static str) -> Option<(bool, Node)> {
        self.asked.push(key);
        self.get(key).map(|(own, node)| (own, node.clone()))
    }

    /// The tables called `key` in all layers, one over the other.
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

    /// The keys of all layers, each once, in the order of the files.
    fn names(&self) -> Vec<Value<String>> {
        let mut names: Vec<Value<String>> = Vec::new();
        for entry in self.layers.iter().flat_map(|layer| &layer.table.entries) {
            if !names.iter().any(|name| name.value == entry.key) {
                names.push(Value { value: entry.key.clone(), place: entry.place.clone() });
            }
        }
        names
    }

    /// Adds "`key` must be …, not …", unless the fault was named already.
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
