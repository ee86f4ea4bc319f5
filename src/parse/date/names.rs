//! The words of dates: the month or day of the week that a word names, and in which languages.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use chrono_tz::Tz;

use super::languages::LANGUAGES;
use super::more::{AROUND, CASES, DAYS, MORE};
use super::text::fold;

/// Words in the name of one month, at most.
pub(super) const MOST_WORDS: usize = 3;

/// The meaning of a word in some languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sense {
    pub means: Means,
    /// The languages, as bits.
    pub languages: u128,
}

/// The meaning of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// A month, from 1.
    Month(u8),
    /// A day of the week; Sunday is 0.
    Day(u8),
}

static WORDS: LazyLock<HashMap<String, Vec<Sense>>> = LazyLock::new(words);

/// Returns the meanings of a folded word; the words of one name are joined by a space.
pub(super) fn senses(folded: &str) -> &'static [Sense] {
    WORDS.get(folded).map_or(&[], Vec::as_slice)
}

/// Returns whether a name of several words begins with a folded word.
pub(super) fn is_begin(folded: &str) -> bool {
    static BEGINS: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let first = |name: &String| name.split_once(' ').map(|(first, _)| first.to_owned());
        WORDS.keys().filter_map(first).collect()
    });
    BEGINS.contains(folded)
}

/// Returns the languages that write a point after the number of a day.
pub(super) fn with_point() -> u128 {
    static BITS: LazyLock<u128> = LazyLock::new(|| {
        let codes = "de da nb nn fi et lv cs sk sl hr sr bs hu is fo lb";
        codes.split(' ').fold(0, |all, code| all | bit(code))
    });
    *BITS
}

/// Returns the language of a zone's newspapers, if some names of its months mean others in another language.
pub(super) fn spoken_in(zone: Tz) -> u128 {
    bit(match zone {
        Tz::Europe__Zagreb => "hr",
        Tz::Europe__Prague => "cs",
        Tz::Europe__Warsaw => "pl",
        Tz::Europe__Kyiv | Tz::Europe__Kiev => "uk",
        Tz::Europe__Minsk => "be",
        Tz::Europe__Vilnius => "lt",
        Tz::Europe__Istanbul => "tr",
        Tz::Europe__Skopje => "mk",
        Tz::Europe__Tirane => "sq",
        Tz::Asia__Almaty => "kk",
        _ => return 0,
    })
}

/// Returns the bit number of each language by its code, in the order of the table.
fn bits() -> HashMap<&'static str, u32> {
    let mut bits = HashMap::new();
    for language in LANGUAGES {
        let next = u32::try_from(bits.len()).unwrap_or(u32::MAX);
        bits.entry(language.code).or_insert(next);
    }
    bits
}

/// Returns the bit of a language, or 0 for an unknown code.
fn bit(code: &str) -> u128 {
    static BITS: LazyLock<HashMap<&str, u32>> = LazyLock::new(bits);
    BITS.get(code).and_then(|bit| 1_u128.checked_shl(*bit)).unwrap_or_default()
}

fn words() -> HashMap<String, Vec<Sense>> {
    let mut words = HashMap::new();
    for language in LANGUAGES {
        for (month, name) in language.months.iter().flat_map(|names| (1..).zip(*names)) {
            add(&mut words, name, Means::Month(month), bit(language.code));
            for (_, before, behind) in AROUND.iter().filter(|(code, ..)| *code == language.code) {
                add(&mut words, &format!("{before}{name}{behind}"), Means::Month(month), bit(language.code));
            }
        }
        for (day, name) in language.days.iter().flat_map(|names| (0..).zip(*names)) {
            add(&mut words, name, Means::Day(day), bit(language.code));
        }
    }
    for (code, month, names) in MORE {
        for name in names.split(' ') {
            add(&mut words, &name.replace('_', " "), Means::Month(*month), bit(code));
        }
    }
    for (code, names) in CASES {
        for (month, name) in (1..).zip(names.split(' ')) {
            add(&mut words, name, Means::Month(month), bit(code));
        }
    }
    for (code, names) in DAYS {
        for (day, name) in (0..).zip(names.split(' ')) {
            add(&mut words, name, Means::Day(day), bit(code));
        }
    }
    shortened(&mut words);
    words
}

/// Adds the first three and four letters of each name, if only one month of the language begins so: programs
/// shorten names like that.
///
/// Only for alphabets up to Cyrillic, where letters stand for sounds one by one.
fn shortened(words: &mut HashMap<String, Vec<Sense>>) {
    let mut heads: BTreeMap<(&str, String), Option<u8>> = BTreeMap::new();
    for language in LANGUAGES {
        for (month, name) in language.months.iter().flat_map(|names| (1..).zip(*names)) {
            let name = fold(name.trim());
            if !name.chars().all(|c| c.is_alphabetic() && c < '\u{0530}') {
                continue;
            }
            for length in [3, 4] {
                let head: String = name.chars().take(length).collect();
                let known = heads.entry((language.code, head)).or_insert(Some(month));
                *known = known.filter(|known| *known == month);
            }
        }
    }
    for ((code, head), month) in heads {
        let known = words
            .get(&head)
            .is_some_and(|senses: &Vec<Sense>| senses.iter().any(|sense| sense.languages & bit(code) != 0));
        if let Some(month) = month.filter(|_| !known) {
            add(words, &head, Means::Month(month), bit(code));
        }
    }
}

fn add(words: &mut HashMap<String, Vec<Sense>>, name: &str, means: Means, language: u128) {
    let name = fold(name.trim());
    // A single letter is ambiguous, and a number is no name of a month.
    if name.chars().count() < 2 || name.chars().any(char::is_numeric) {
        return;
    }
    let senses = words.entry(name).or_default();
    match senses.iter_mut().find(|sense| sense.means == means) {
        Some(sense) => sense.languages |= language,
        None => senses.push(Sense { means, languages: language }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months(word: &str) -> Vec<u8> {
        let month = |sense: &Sense| match sense.means {
            Means::Month(month) => Some(month),
            Means::Day(_) => None,
        };
        senses(&fold(word)).iter().filter_map(month).collect()
    }

    #[test]
    fn whole_words_name_months() {
        for (word, want) in [
            ("Marraskuuta", vec![11]),
            ("lipnja", vec![6]),
            ("ΜΆΡΤΙΟΣ", vec![3]),
            ("Kasım", vec![11]),
            ("KASIM", vec![11]),
            ("paz", vec![10]),
            ("Sept.", vec![9]),
            ("juil.", vec![7]),
            ("เม.ย.", vec![4]),
            ("באפריל", vec![4]),
            ("أبريل", vec![4]),
            ("ابريل", vec![4]),
            ("listopada", vec![11, 10]),
            ("Marketing", vec![]),
            ("Martin", vec![]),
            ("Decision", vec![]),
            ("Marten", vec![]),
            ("a", vec![]),
        ] {
            let mut got = months(word);
            got.sort_by_key(|month| want.iter().position(|known| known == month));
            assert_eq!(got, want, "{word}");
        }
        assert!(bits().len() <= super::super::order::LANGUAGES);
    }
}
