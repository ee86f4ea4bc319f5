//! Making the table of readings (`src/model/reading`) from the lexicon.
//!
//! In it are all signs, and two kinds of phrases: those that would be read otherwise by what is shorter in
//! the table, and those that stand in longer phrases of the lexicon. Most of the latter are read right without;
//! they are there because what is common in names must not be cut in two by the former.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Lexicon;

/// The two files of the table.
pub(crate) struct Table {
    pub(crate) signs: String,
    pub(crate) phrases: String,
}

impl Table {
    pub(crate) fn of(lexicon: &Lexicon) -> Self {
        Self { signs: signs(lexicon), phrases: phrases(lexicon, &chosen(lexicon)) }
    }
}

/// A line for each reading.
fn signs(lexicon: &Lexicon) -> String {
    let mut lines: BTreeMap<&str, String> = BTreeMap::new();
    for (sign, reading) in &lexicon.signs {
        assert!(!reading.contains([' ', '\n']), "{sign} is read as {reading:?}");
        lines.entry(reading).or_default().push(*sign);
    }
    lines.iter().map(|(reading, signs)| format!("{reading} {signs}\n")).collect::<Vec<_>>().concat()
}

/// A line for each first sign.
fn phrases(lexicon: &Lexicon, chosen: &BTreeSet<&str>) -> String {
    let mut lines: BTreeMap<char, Vec<String>> = BTreeMap::new();
    for phrase in chosen {
        let first = phrase.chars().next().unwrap();
        lines.entry(first).or_default().push(phrase[first.len_utf8()..].to_owned() + &told(lexicon, phrase));
    }
    lines.iter().map(|(first, tails)| format!("{first} {}\n", tails.join(" "))).collect::<Vec<_>>().concat()
}

/// A colon and the readings that are not the signs' own; nothing where there are none.
fn told(lexicon: &Lexicon, phrase: &str) -> String {
    let readings: Vec<&str> = lexicon.phrases[phrase].split(' ').collect();
    assert_eq!(readings.len(), phrase.chars().count(), "{phrase} has another number of readings");
    assert!(!phrase.contains([' ', ':', '\n']) && !lexicon.phrases[phrase].contains(','), "{phrase}");
    let own = |sign: &char, reading: &str| lexicon.signs.get(sign).is_some_and(|own| own == reading);
    let told: Vec<&str> = phrase
        .chars()
        .zip(readings)
        .map(|(sign, reading)| if own(&sign, reading) { "" } else { reading })
        .collect();
    let told = told.join(",");
    let told = told.trim_end_matches(',');
    if told.is_empty() { String::new() } else { format!(":{told}") }
}

/// From the shortest to the longest: phrases that stand in longer ones, and those that are read otherwise by
/// the signs and the shorter phrases that are chosen already.
fn chosen(lexicon: &Lexicon) -> BTreeSet<&str> {
    let common = common(lexicon);
    let mut by_length: Vec<&str> = lexicon.phrases.keys().map(String::as_str).collect();
    by_length.sort_by_cached_key(|phrase| phrase.chars().count());
    let mut chosen = Chosen::default();
    for phrase in by_length {
        if common.contains(phrase) || chosen.read(lexicon, phrase) != lexicon.phrases[phrase] {
            chosen.add(phrase);
        }
    }
    chosen.phrases.into_iter().collect()
}

/// Phrases that stand in a longer one.
fn common(lexicon: &Lexicon) -> BTreeSet<&str> {
    let mut common = BTreeSet::new();
    for phrase in lexicon.phrases.keys() {
        let bounds = bounds(phrase);
        for (at, begin) in bounds.iter().enumerate() {
            for end in bounds.iter().skip(at + 2).filter(|end| end.wrapping_sub(*begin) < phrase.len()) {
                common.extend(
                    lexicon.phrases.get_key_value(&phrase[*begin..*end]).map(|(part, _)| part.as_str()),
                );
            }
        }
    }
    common
}

/// Where signs begin, and the end.
fn bounds(text: &str) -> Vec<usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()
}

/// Phrases chosen so far.
#[derive(Default)]
struct Chosen<'a> {
    phrases: HashSet<&'a str>,
    /// Signs of the longest by the first sign.
    longest: HashMap<char, usize>,
}

impl<'a> Chosen<'a> {
    fn add(&mut self, phrase: &'a str) {
        let longest = self.longest.entry(phrase.chars().next().unwrap()).or_default();
        *longest = (*longest).max(phrase.chars().count());
        self.phrases.insert(phrase);
    }

    /// As the crate reads, from the left and by the longest phrase, with these phrases only.
    fn read(&self, lexicon: &Lexicon, text: &str) -> String {
        let bounds = bounds(text);
        let mut words = Vec::new();
        let mut at = 0;
        while at + 1 < bounds.len() {
            let rest = &text[bounds[at]..];
            let longest = rest.chars().next().and_then(|sign| self.longest.get(&sign)).copied().unwrap_or(1);
            let ends = (at + 1..bounds.len().min(at + 1 + longest)).rev();
            let found = ends.map(|end| (end, &text[bounds[at]..bounds[end]]));
            let found = found.into_iter().find(|(_, part)| self.phrases.contains(part));
            if let Some((end, phrase)) = found {
                words.push(lexicon.phrases[phrase].clone());
                at = end;
            } else {
                words.push(lexicon.sign_by_sign(&text[bounds[at]..bounds[at + 1]]));
                at += 1;
            }
        }
        words.join(" ")
    }
}
