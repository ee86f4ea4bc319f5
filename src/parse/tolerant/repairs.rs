//! The repairs made in a document, each with its line.

use crate::model::Repair;

/// The most repairs that are listed; further ones are not recorded.
const MOST: usize = 50;

/// The list of repairs; lines are counted on from the last one.
#[derive(Debug)]
pub(super) struct Repairs<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    list: Vec<Repair>,
}

impl<'a> Repairs<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1, list: Vec::new() }
    }

    /// Records a repair at byte offset `at`; offsets come in ascending order.
    pub(super) fn note(&mut self, at: usize, what: &'static str) {
        if self.list.len() >= MOST {
            return;
        }
        self.line += self.text.get(self.at..at).unwrap_or_default().matches('\n').count();
        self.at = self.at.max(at);
        self.list.push(Repair { line: self.line, what });
    }

    pub(super) fn into_list(self) -> Vec<Repair> {
        self.list
    }
}
