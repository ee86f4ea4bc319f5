//! A TOML file as a tree of values with their places.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::faults::{Fault, Faults, Place};
use super::syntax::explain;

/// The most attempts at parsing. The parser stops at some faults; the lines at fault are then blanked and the
/// text is parsed again.
const ROUNDS: usize = 8;

/// One parsed file.
#[derive(Debug)]
pub struct Document {
    /// The top level.
    pub(super) root: Rc<Table>,
}

impl Document {
    /// Parses `text` and adds its syntax faults to `faults`, one for each line, and none for lines that have
    /// one already.
    ///
    /// There is always a document, made of what could be read, so that its values can be checked in the same
    /// run.
    pub fn parse(path: &Path, text: &str, faults: &mut Faults) -> Self {
        if !faults.has_file(path) {
            faults.add_file(path, text);
        }
        let mut parser = Parser {
            file: path.into(),
            known: faults.lines_with_errors(path),
            broken: BTreeSet::new(),
            lost: Lost::default(),
        };
        let mut text = Cow::Borrowed(text);
        for _ in 0..ROUNDS {
            let (root, errors) = DeTable::parse_recoverable(&text);
            let unreadable = parser.name(&text, &errors, faults);
            if unreadable.is_empty() {
                return Self { root: parser.tree(&text, root.get_ref()) };
            }
            drop(root);
            for lines in &unreadable {
                take_out(text.to_mut(), lines);
            }
        }
        let (root, _) = DeTable::parse_recoverable(&text);
        Self { root: parser.tree(&text, root.get_ref()) }
    }
}

/// Keys and sections that could not be read, and so must not be reported as missing.
#[derive(Debug, Default)]
pub(super) struct Lost {
    keys: BTreeSet<String>,
    sections: bool,
}

/// A table; its place is its header or braces, or the whole file.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) place: Place,
    pub(super) entries: Vec<Entry>,
    lost: Rc<Lost>,
}

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// Returns whether `key` may be in the file without having been readable.
    pub(super) fn may_have(&self, key: &str) -> bool {
        self.lost.sections || self.lost.keys.contains(key)
    }
}

/// One key with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) node: Node,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// The kinds of value.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Text(String),
    /// A whole number; `None` for one that is too large.
    Integer(Option<i64>),
    Float,
    Bool(bool),
    Date,
    List(Vec<Node>),
    Table(Rc<Table>),
    /// A value on a line whose fault was reported already.
    Broken,
}

impl Kind {
    /// Returns the description of the kind, as in "must be text, not a number".
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a number",
            Self::Float => "a number with a decimal point",
            Self::Bool(_) => "`true` or `false`",
            Self::Date => "a date or time",
            Self::List(_) => "a list",
            Self::Table(_) => "a section",
            Self::Broken => "something that cannot be read",
        }
    }
}

struct Parser {
    file: Arc<Path>,
    /// Lines whose faults were reported before parsing.
    known: BTreeSet<usize>,
    /// Lines on which the parser found a fault.
    broken: BTreeSet<usize>,
    lost: Lost,
}

impl Parser {
    /// Reports the faults that the parser found; returns the lines that keep it from reading on.
    fn name(&mut self, text: &str, errors: &[toml::de::Error], faults: &mut Faults) -> Vec<Range<usize>> {
        let mut out = Vec::new();
        for error in errors {
            let span = error.span().unwrap_or_default();
            let line = line(text, span.start);
            if self.broken.insert(line) && !self.known.contains(&line) {
                let said = explain(text, error.message(), span.clone());
                let mut fault = Fault::error(&Place::new(&self.file, said.span), said.message);
                fault.help = said.help;
                faults.push(fault);
            }
            out.extend(self.unreadable(text, error.message(), span.start));
        }
        out
    }

    /// Returns the lines that keep the parser from reading on behind them, and records what they lose.
    fn unreadable(&mut self, text: &str, message: &str, at: usize) -> Option<Range<usize>> {
        let start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = text.get(start..)?;
        let mut lines = rest.split_inclusive('\n');
        let line = lines.next()?;
        if message.starts_with("key with no value") {
            let key = line.trim().split([' ', '\t', '=', ':', '"']).next().unwrap_or_default();
            self.lost.keys.extend(key.split('.').map(str::to_owned));
            return Some(start..start + line.len());
        }
        if message.starts_with("unclosed table") || message.starts_with("unclosed array table") {
            self.lost.sections = true;
            let body = lines.take_while(|line| !line.trim_start().starts_with('['));
            return Some(start..start + line.len() + body.map(str::len).sum::<usize>());
        }
        None
    }

    fn tree(mut self, text: &str, root: &DeTable<'_>) -> Rc<Table> {
        let lost = Rc::new(std::mem::take(&mut self.lost));
        let starts = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        let builder = Builder { parser: &self, text, starts, lost };
        Rc::new(builder.table(Place::whole(Arc::clone(&self.file)), root))
    }
}

/// Blanks lines, so that all that comes after them keeps its position.
fn take_out(text: &mut String, lines: &Range<usize>) {
    if let Some(old) = text.get(lines.clone()) {
        let blank = |byte| if byte == b'\n' { '\n' } else { ' ' };
        let new: String = old.bytes().map(blank).collect();
        text.replace_range(lines.clone(), &new);
    }
}

/// Returns the line of a byte, counted from 1.
fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// Turns the parser's tree into a [`Table`].
struct Builder<'a> {
    parser: &'a Parser,
    text: &'a str,
    /// The offsets at which lines begin, from the second line on.
    starts: Vec<usize>,
    lost: Rc<Lost>,
}

impl Builder<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        Place::new(&self.parser.file, span)
    }

    fn table(&self, place: Place, table: &DeTable<'_>) -> Table {
        let entry = |(key, value): (&Spanned<_>, &Spanned<_>)| Entry {
            key: String::from(Cow::as_ref(key.get_ref())),
            place: self.place(key.span()),
            node: self.node(value),
        };
        let mut entries: Vec<Entry> = table.iter().map(entry).collect();
        entries.sort_by_key(|entry| entry.place.span.as_ref().map(|span| span.start));
        Table { place, entries, lost: Rc::clone(&self.lost) }
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let place = self.place(value.span());
        let kind = if self.is_broken(&value.span()) && !self.is_section(value) {
            Kind::Broken
        } else {
            self.kind(&place, value.get_ref())
        };
        Node { place, kind }
    }

    fn kind(&self, place: &Place, value: &DeValue<'_>) -> Kind {
        match value {
            DeValue::String(text) => Kind::Text(text.clone().into_owned()),
            DeValue::Integer(number) => {
                Kind::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
            }
            DeValue::Float(_) => Kind::Float,
            DeValue::Boolean(value) => Kind::Bool(*value),
            DeValue::Datetime(_) => Kind::Date,
            DeValue::Array(list) => Kind::List(list.iter().map(|value| self.node(value)).collect()),
            DeValue::Table(table) => Kind::Table(Rc::new(self.table(place.clone(), table))),
        }
    }

    /// Returns whether a value is a `[section]`, a `[[section]]` list or a dotted key, rather than written
    /// behind `=`.
    fn is_section(&self, value: &Spanned<DeValue<'_>>) -> bool {
        match value.get_ref() {
            DeValue::Table(_) => {
                let text = self.text.get(value.span().start..);
                !text.is_some_and(|text| text.starts_with('{'))
            }
            DeValue::Array(list) => list.first().is_some_and(|first| self.is_section(first)),
            _ => false,
        }
    }

    /// Returns whether one of the value's lines has a fault.
    fn is_broken(&self, span: &Range<usize>) -> bool {
        if self.parser.broken.is_empty() {
            return false;
        }
        let line = |at: usize| self.starts.partition_point(|start| *start <= at) + 1;
        let mut lines = self.parser.broken.range(line(span.start)..=line(span.end).max(line(span.start)));
        lines.next().is_some()
    }
}
