//! The table of readings: two files that `tests/readings.rs` generates, and the index over them.
//!
//! `signs.txt` has a line for each reading, with all characters that have it. `phrases.txt` has a line for
//! each character that phrases begin with: the character, then the tails of its phrases, each followed by a
//! colon and the readings of the phrase's characters, separated by commas. An omitted reading is the
//! character's own: `重 庆:chong 要` means that 重庆 begins with `chong`, and that 要 in it, as all of 重要, is read
//! as those characters are alone. A phrase without a colon keeps its last character from beginning another
//! phrase.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

const SIGNS: &str = include_str!("signs.txt");
const PHRASES: &str = include_str!("phrases.txt");

/// The table; its index is built when the first name with a non-ASCII character is read.
pub(super) struct Table {
    signs: HashMap<char, Sign>,
    /// The tails of phrases after their first character, sorted for each character, with their readings.
    tails: Vec<&'static str>,
}

#[derive(Default)]
struct Sign {
    reading: Option<&'static str>,
    /// The range of its phrases in [`Table::tails`].
    tails: Range<u32>,
    /// Characters in the longest of them, without this one.
    longest: u32,
}

impl Table {
    pub(super) fn get() -> &'static Self {
        static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(SIGNS, PHRASES));
        &TABLE
    }

    fn new(signs: &'static str, phrases: &'static str) -> Self {
        // The full capacity at once: growing takes twice the memory for a while.
        let (signs_in, tails_in) = (signs.chars().count(), phrases.matches(' ').count());
        let mut table = Self { signs: HashMap::with_capacity(signs_in), tails: Vec::with_capacity(tails_in) };
        for (reading, signs) in signs.lines().filter_map(|line| line.split_once(' ')) {
            for sign in signs.chars() {
                table.signs.entry(sign).or_default().reading = Some(reading);
            }
        }
        for line in phrases.lines() {
            let mut words = line.split(' ');
            let Some(sign) = words.next().and_then(|word| word.chars().next()) else { continue };
            let begin = table.end();
            table.tails.extend(words);
            let longest =
                table.tails[begin as usize..].iter().map(|tail| signs_of(tail).chars().count()).max();
            let end = table.end();
            let sign = table.signs.entry(sign).or_default();
            sign.tails = begin..end;
            sign.longest = longest.and_then(|longest| u32::try_from(longest).ok()).unwrap_or(0);
        }
        table
    }

    fn end(&self) -> u32 {
        u32::try_from(self.tails.len()).unwrap_or(u32::MAX)
    }

    /// Returns the longest phrase, or character, that a text begins with, and the reading of each character
    /// of it.
    pub(super) fn phrase<'a>(&self, text: &'a str) -> Option<(&'a str, impl Iterator<Item = &'a str>)> {
        let first = text.chars().next()?;
        let sign = self.signs.get(&first)?;
        let (head, rest) = text.split_at(first.len_utf8());
        let (end, readings) = match self.tail(sign, rest) {
            Some((end, readings)) => (head.len() + end, readings),
            None => (head.len(), sign.reading?),
        };
        let phrase = &text[..end];
        let mut given = readings.split(',');
        let signs = phrase.char_indices().map(move |(at, sign)| {
            let alone = || self.signs.get(&sign).and_then(|sign| sign.reading);
            let reading: Option<&'a str> = given.next().filter(|given| !given.is_empty()).or_else(alone);
            reading.unwrap_or(&phrase[at..at + sign.len_utf8()])
        });
        Some((phrase, signs))
    }

    /// Returns the end of the longest phrase tail in `rest`, and its readings.
    fn tail(&self, sign: &Sign, rest: &str) -> Option<(usize, &'static str)> {
        let tails = self.tails.get(sign.tails.start as usize..sign.tails.end as usize)?;
        let ends: Vec<usize> =
            rest.char_indices().take(sign.longest as usize).map(|(at, sign)| at + sign.len_utf8()).collect();
        ends.into_iter().rev().find_map(|end| {
            let at = tails.binary_search_by(|tail| signs_of(tail).cmp(&rest[..end])).ok()?;
            Some((end, tails[at].split_once(':').map_or("", |(_, readings)| readings)))
        })
    }
}

/// Returns a tail without its readings.
fn signs_of(tail: &str) -> &str {
    tail.split_once(':').map_or(tail, |(signs, _)| signs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(table: &Table, text: &str) -> Option<(String, String)> {
        let (phrase, readings) = table.phrase(text)?;
        Some((phrase.to_owned(), readings.collect::<Vec<_>>().join(" ")))
    }

    #[test]
    fn the_longest_phrase_is_read_with_what_it_says() {
        let table = Table::new("qing 庆\nshi 市\nyao 要\nzhong 重\n", "重 庆:chong 庆市:,,si 要\n");
        for (text, phrase, readings) in [
            ("重庆报", "重庆", "chong qing"),
            ("重庆市报", "重庆市", "zhong qing si"),
            ("重要", "重要", "zhong yao"),
            ("重报", "重", "zhong"),
        ] {
            assert_eq!(read(&table, text), Some((phrase.to_owned(), readings.to_owned())), "{text}");
        }
        assert_eq!(read(&table, "报"), None);
        assert_eq!(read(&table, ""), None);
    }

    #[test]
    fn the_index_takes_little_memory() {
        let table = Table::get();
        let signs = table.signs.capacity() * (size_of::<(char, Sign)>() + 1);
        let tails = table.tails.capacity() * size_of::<&str>();
        assert!(table.signs.len() > 40_000 && table.tails.len() > 10_000, "the table is not read any more");
        assert!(signs + tails < 6 << 20, "{signs} + {tails} bytes");
    }

    #[test]
    fn phrases_stand_in_the_order_that_they_are_searched_in() {
        let table = Table::get();
        for (sign, entry) in &table.signs {
            let tails = &table.tails[entry.tails.start as usize..entry.tails.end as usize];
            assert!(tails.is_sorted_by_key(|tail| signs_of(tail)), "{sign}");
        }
    }
}
