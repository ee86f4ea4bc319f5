//! Splits a text into pieces: numbers, words and signs, with whether a space precedes them.

use std::str::FromStr;

use chrono_tz::Tz;
use unicode_normalization::char::is_combining_mark;

use super::names::{Sense, senses};
use super::signs::{Sign, sign, unspaced};
use super::text::fold;

/// Pieces of one text, at most.
const MOST: usize = 80;
/// Longest word that is looked up, in bytes.
const MAX_WORD: usize = 60;

/// The kind of a piece.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// ASCII digits, with the value of the first nine.
    Number(u32),
    Word,
    Sign(Sign),
    /// The name of a zone: `Asia/Shanghai`.
    Zone(Tz),
    Mark(char),
}

/// A piece of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece<'t> {
    pub kind: Kind,
    pub text: &'t str,
    /// A word as it is looked up, and its meanings.
    pub folded: String,
    pub senses: &'static [Sense],
    /// Whether white space precedes it.
    pub apart: bool,
}

impl Piece<'_> {
    /// Returns the value of a number of at most `most` digits.
    pub(super) fn number(&self, most: usize) -> Option<u32> {
        match self.kind {
            Kind::Number(value) if self.text.len() <= most => Some(value),
            _ => None,
        }
    }

    pub(super) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// Splits a text into pieces.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::with_capacity(16);
    let (mut rest, mut apart) = (text, false);
    while let Some(first) = rest.chars().next() {
        if pieces.len() >= MOST {
            break;
        }
        if first.is_whitespace() {
            apart = true;
            rest = rest.trim_start();
            continue;
        }
        let (kind, length) = next(rest, first);
        let (text, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let folded = if kind == Kind::Word && text.len() <= MAX_WORD { fold(text) } else { String::new() };
        let senses: &'static [Sense] = if folded.is_empty() { &[] } else { senses(&folded) };
        pieces.push(Piece { kind, text, folded, senses, apart });
        (rest, apart) = (behind, false);
    }
    pieces
}

fn next(rest: &str, first: char) -> (Kind, usize) {
    if first.is_ascii_digit() {
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let value = rest.get(..length.min(9)).and_then(|digits| digits.parse().ok()).unwrap_or_default();
        return (Kind::Number(value), length);
    }
    if unspaced(first) {
        let (sign, length) = sign(rest).unwrap_or((Sign::Other, first.len_utf8()));
        return (Kind::Sign(sign), length);
    }
    if !in_word(first) {
        return (Kind::Mark(first), first.len_utf8());
    }
    if let Some((zone, length)) = zone(rest, first) {
        return (Kind::Zone(zone), length);
    }
    (Kind::Word, word(rest))
}

fn in_word(c: char) -> bool {
    (c.is_alphabetic() || is_combining_mark(c) || matches!(c, '\u{200C}' | '\u{200D}')) && !unspaced(c)
}

/// Returns the length of the word in bytes: letters, also with points after one or two of them (`p.m.`,
/// `เม.ย.`).
fn word(rest: &str) -> usize {
    let (mut end, mut letters) = (0, 0);
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if in_word(c) {
            letters += usize::from(!is_combining_mark(c));
            end = at + c.len_utf8();
        } else if c == '.' && letters <= 2 && chars.peek().is_some_and(|(_, c)| in_word(*c)) {
            letters = 0;
        } else {
            break;
        }
    }
    end
}

/// Reads a zone's name of the tz database; only names with a `/` are recognized.
fn zone(rest: &str, first: char) -> Option<(Tz, usize)> {
    if !first.is_ascii_uppercase() {
        return None;
    }
    let named = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+');
    let length = rest.bytes().take_while(named).count();
    let name = rest.get(..length).filter(|name| name.contains('/'))?;
    Some((Tz::from_str(name).ok()?, length))
}
