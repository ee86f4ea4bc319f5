//! A document without some of its parts, to be read as one.

use std::io::{self, BufRead, Read};
use std::ops::Range;

/// Reads `text` from its beginning to its end and passes over the gaps; nothing is copied before it is read.
#[derive(Debug)]
pub(in crate::parse) struct Fragments<'a> {
    text: &'a [u8],
    gaps: std::slice::Iter<'a, Range<usize>>,
    at: usize,
    /// Where the next gap begins.
    end: usize,
    /// Where it ends.
    resume: usize,
}

impl<'a> Fragments<'a> {
    /// `gaps` are in order and do not overlap.
    pub(in crate::parse) fn new(text: &'a str, gaps: &'a [Range<usize>]) -> Self {
        let mut fragments = Self { text: text.as_bytes(), gaps: gaps.iter(), at: 0, end: 0, resume: 0 };
        fragments.pass_gap();
        fragments
    }

    fn pass_gap(&mut self) {
        self.at = self.resume;
        let end = self.text.len();
        let gap = self.gaps.next().cloned().unwrap_or(end..end);
        (self.end, self.resume) = (gap.start, gap.end);
    }
}

impl BufRead for Fragments<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at >= self.end && self.end < self.text.len() {
            self.pass_gap();
        }
        Ok(self.text.get(self.at..self.end).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
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
#[expect(clippy::single_range_in_vec_init, reason = "one gap is a list of gaps")]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_passed_over() {
        for (gaps, want) in [
            (&[][..], "0123456789"),
            (&[0..2], "23456789"),
            (&[8..10], "01234567"),
            (&[1..3, 3..4, 6..9], "0459"),
            (&[0..10], ""),
        ] {
            let mut read = String::new();
            Fragments::new("0123456789", gaps).read_to_string(&mut read).unwrap();
            assert_eq!(read, want, "{gaps:?}");
        }
    }
}
