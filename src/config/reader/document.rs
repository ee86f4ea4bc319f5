//! A TOML file as a tree in which everything knows its place.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::faults::{Fault, Faults, Place};
use super::syntax::explain;
use super::{Ledger, Reader};

/// The parser stops at some faults. The lines at fault are taken out and the
/// rest is parsed again, at most this many times.
const ROUNDS: usize = 8;

/// One parsed file.
#[derive(Debug)]
pub struct Document {
    root: Rc<Table>,
}

impl Document {
    /// Parses `text`; all faults in its syntax go to `faults`, one for each
    /// line, and none for lines that have one already.
    ///
    /// There is always a document: what could be read of it, so that its
    /// values can be checked in the same run.
    pub fn parse(path: &Path, text: &str, faults: &mut Faults) -> Self {
        if !faults.has_file(path) {
            faults.add_file(path, text);
        }
        let mut parser = Parser {
            file: path.into(),
            text: text.to_owned(),
            known: faults.lines_with_errors(path),
            broken: BTreeSet::new(),
            lost: Lost::default(),
        };
        for _ in 0..ROUNDS {
            if !parser.round(faults) {
                break;
            }
        }
        Self { root: parser.tree() }
    }

    /// A reader of the file's top level.
    pub fn root(&self, ledger: &Ledger) -> Reader {
        Reader::new(&self.root, ledger)
    }
}

/// What could not be read at all and so must not be called missing.
#[derive(Debug, Default)]
pub(super) struct Lost {
    keys: BTreeSet<String>,
    sections: bool,
}

/// A table: its place is its header or braces, or the whole file.
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

    /// Whether `key` may be in the file but could not be read.
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

/// A value at its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// The kinds of value.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Text(String),
    /// `None` for one that is too large.
    Integer(Option<i64>),
    Float,
    Bool(bool),
    Date,
    List(Vec<Node>),
    Table(Rc<Table>),
    /// On a line with a fault that was named already.
    Broken,
}

impl Kind {
    /// What this is, as in "must be text, not a number".
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
    text: String,
    /// Lines whose faults were named before the parser saw them.
    known: BTreeSet<usize>,
    /// Lines on which the parser found a fault.
    broken: BTreeSet<usize>,
    lost: Lost,
}

impl Parser {
    /// Parses once and names the faults; `true` if lines were taken out.
    fn round(&mut self, faults: &mut Faults) -> bool {
        let (_, errors) = DeTable::parse_recoverable(&self.text);
        let mut out: Vec<Range<usize>> = Vec::new();
        for error in errors {
            let span = error.span().unwrap_or_default();
            let line = self.line(span.start);
            if self.broken.insert(line) && !self.known.contains(&line) {
                let said = explain(&self.text, error.message(), span.clone());
                let mut fault = Fault::error(&Place::new(&self.file, said.span), said.message);
                fault.help = said.help;
                faults.push(fault);
            }
            out.extend(self.unreadable(error.message(), span.start));
        }
        for range in &out {
            self.take_out(range);
        }
        !out.is_empty()
    }

    /// The lines that keep the parser from reading on behind them.
    fn unreadable(&mut self, message: &str, at: usize) -> Option<Range<usize>> {
        let start = self.text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = self.text.get(start..)?;
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

    fn take_out(&mut self, range: &Range<usize>) {
        let Some(old) = self.text.get(range.clone()) else {
            return;
        };
        let blank = |byte| if byte == b'\n' { '\n' } else { ' ' };
        let new: String = old.bytes().map(blank).collect();
        self.text.replace_range(range.clone(), &new);
    }

    /// The line of a byte, counted from 1.
    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    fn tree(mut self) -> Rc<Table> {
        let lost = Rc::new(std::mem::take(&mut self.lost));
        let (root, _) = DeTable::parse_recoverable(&self.text);
        let starts = self.text.match_indices('\n').map(|(at, _)| at + 1).collect();
        let builder = Builder { parser: &self, starts, lost };
        Rc::new(builder.table(Place::whole(Arc::clone(&self.file)), root.get_ref()))
    }
}

/// Turns the parser's tree into ours.
struct Builder<'a> {
    parser: &'a Parser,
    /// Where the lines begin, from the second.
    starts: Vec<usize>,
    lost: Rc<Lost>,
}

impl Builder<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        Place::new(&self.parser.file, span)
    }

    fn table(&self, place: Place, table: &DeTable<'_>) -> Table {
        let entry = |(key, value): (&Spanned<_>, &Spanned<_>)| Entry {
            key: String::from(std::borrow::Cow::as_ref(key.get_ref())),
            place: self.place(key.span()),
            node: self.node(value),
        };
        let mut entries: Vec<Entry> = table.iter().map(entry).collect();
        entries.sort_by_key(|entry| entry.place.span.as_ref().map(|span| span.start));
        Table { place, entries, lost: Rc::clone(&self.lost) }
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let place = self.place(value.span());
        let kind = if !self.is_section(value) && self.is_broken(&value.span()) {
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

    /// Whether a value is a `[section]`, a `[[list of them]]` or a dotted key,
    /// and not something written behind `=`.
    fn is_section(&self, value: &Spanned<DeValue<'_>>) -> bool {
        match value.get_ref() {
            DeValue::Table(_) => {
                let text = self.parser.text.get(value.span().start..);
                !text.is_some_and(|text| text.starts_with('{'))
            }
            DeValue::Array(list) => list.first().is_some_and(|first| self.is_section(first)),
            _ => false,
        }
    }

    /// Whether one of the value's lines has a fault.
    fn is_broken(&self, span: &Range<usize>) -> bool {
        let line = |at: usize| self.starts.partition_point(|start| *start <= at) + 1;
        let mut lines = self.parser.broken.range(line(span.start)..=line(span.end).max(line(span.start)));
        lines.next().is_some()
    }
}
