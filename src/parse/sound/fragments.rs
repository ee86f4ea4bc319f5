//! A reader of a document with some of its parts replaced.

use std::io::{self, BufRead, Read};
use std::ops::Range;

/// A part of a document, and its replacement.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::parse) struct Change {
    /// Byte range in the document.
    pub(in crate::parse) at: Range<usize>,
    /// The replacement; empty if the part is cut out.
    pub(in crate::parse) instead: String,
}

/// Reads a text with its replacements, without building a copy of it.
#[derive(Debug)]
pub(in crate::parse) struct Fragments<'a> {
    text: &'a [u8],
    changes: std::slice::Iter<'a, Change>,
    /// The part that is being read, and the replacement that follows it.
    now: &'a [u8],
    then: &'a [u8],
    /// Byte offset in the text after both.
    resume: usize,
}

impl<'a> Fragments<'a> {
    /// Creates a reader; `changes` are in order and do not overlap.
    pub(in crate::parse) fn new(text: &'a str, changes: &'a [Change]) -> Self {
        Self { text: text.as_bytes(), changes: changes.iter(), now: b"", then: b"", resume: 0 }
    }
}

impl BufRead for Fragments<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.now.is_empty() && (!self.then.is_empty() || self.resume < self.text.len()) {
            self.now = std::mem::take(&mut self.then);
            if self.now.is_empty() {
                let (end, resume, then) = match self.changes.next() {
                    Some(change) => (change.at.start, change.at.end, change.instead.as_bytes()),
                    None => (self.text.len(), self.text.len(), &b""[..]),
                };
                self.now = self.text.get(self.resume..end).unwrap_or_default();
                (self.then, self.resume) = (then, resume);
            }
        }
        Ok(self.now)
    }

    fn consume(&mut self, amount: usize) {
        self.now = self.now.get(amount..).unwrap_or_default();
    }
}

impl Read for Fragments<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_in_their_places() {
        for (changes, want) in [
            (&[][..], "0123456789"),
            (&[(0..2, "")], "23456789"),
            (&[(8..10, "x")], "01234567x"),
            (&[(1..3, ""), (3..4, "yz"), (6..9, "")], "0yz459"),
            (&[(0..10, "")], ""),
            (&[(0..10, "w")], "w"),
        ] {
            let changes: Vec<Change> = changes
                .iter()
                .map(|(at, instead)| Change { at: at.clone(), instead: (*instead).to_owned() })
                .collect();
            let mut read = String::new();
            Fragments::new("0123456789", &changes).read_to_string(&mut read).unwrap();
            assert_eq!(read, want, "{changes:?}");
        }
    }
}
