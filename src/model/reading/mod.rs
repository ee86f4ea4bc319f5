//! How a name is read aloud: Chinese signs in pinyin, the rest as it is (RULES 5.2).
//!
//! Owns: the way through a name, always by the longest phrase that the table knows. Does not own: what
//! the table says (`tests/readings.rs` makes it), what becomes of a reading (see `slug`).

mod table;

use unicode_normalization::UnicodeNormalization;

use table::Table;

/// Signs of a name that are read; no name is longer, and what it takes to read one stays small.
const MOST: usize = 1_024;

/// A name in words with a space between them: NFKC, each Chinese sign a word of its own in pinyin by
/// phrase, without tones, `v` for `ü`; the rest as it is. No more than the first 1,024 signs.
///
/// ```
/// # use feedmill::model::reading::read;
/// assert_eq!(read("重庆银行 App"), "chong qing yin hang App");
/// ```
#[must_use]
pub fn read(name: &str) -> String {
    let folded: String = name.chars().take(MOST).nfkc().collect();
    let mut spoken = Spoken::default();
    let mut rest = folded.as_str();
    while let Some(sign) = rest.chars().next() {
        // No phrase begins with one, so names in Latin script need no table.
        let phrase = if sign.is_ascii() { None } else { Table::get().phrase(rest) };
        if let Some((phrase, readings)) = phrase {
            readings.for_each(|reading| spoken.word(reading));
            rest = &rest[phrase.len()..];
            continue;
        }
        if sign.is_whitespace() {
            spoken.end_word();
        } else if stands_alone(sign) {
            spoken.word(sign.encode_utf8(&mut [0; 4]));
        } else {
            spoken.letter(plain(sign));
        }
        rest = &rest[sign.len_utf8()..];
    }
    spoken.text
}

/// What is said so far.
#[derive(Default)]
struct Spoken {
    text: String,
    /// The next letter belongs to the last word.
    within: bool,
}

impl Spoken {
    fn word(&mut self, word: &str) {
        self.begin_word();
        self.text.push_str(word);
        self.end_word();
    }

    fn letter(&mut self, letter: char) {
        if !self.within {
            self.begin_word();
        }
        self.text.push(letter);
    }

    fn begin_word(&mut self) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.within = true;
    }

    fn end_word(&mut self) {
        self.within = false;
    }
}

/// Chinese marks are words of their own. Those that NFKC makes ASCII marks of are not met here.
fn stands_alone(sign: char) -> bool {
    matches!(sign, '。' | '、' | '《' | '》' | '「' | '」' | '『' | '』' | '【' | '】')
}

/// A letter without the mark of a tone, as names in pinyin are sometimes written.
fn plain(letter: char) -> char {
    match letter {
        'ā' | 'á' | 'ǎ' | 'à' => 'a',
        'ē' | 'é' | 'ě' | 'è' => 'e',
        'ī' | 'í' | 'ǐ' | 'ì' => 'i',
        'ō' | 'ó' | 'ǒ' | 'ò' => 'o',
        'ū' | 'ú' | 'ǔ' | 'ù' => 'u',
        'ü' | 'ǖ' | 'ǘ' | 'ǚ' | 'ǜ' => 'v',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_by_phrase() {
        for (name, reading) in [
            ("", ""),
            ("重庆日报", "chong qing ri bao"),
            ("重要新闻", "zhong yao xin wen"),
            ("银行 行人", "yin hang xing ren"),
            ("南方都市报", "nan fang du shi bao"),
            ("女报", "nv bao"),
        ] {
            assert_eq!(read(name), reading, "{name}");
        }
    }

    #[test]
    fn the_rest_of_a_name_stays_as_it_is() {
        for (name, reading) in [
            (" The  Daily Sample ", "The Daily Sample"),
            ("36氪App", "36 ke App"),
            ("《样报》，周刊", "《 yang bao 》 , zhou kan"),
            ("Ｗｅｂ日报", "Web ri bao"),
            ("Café Zürich", "Cafe Zvrich"),
            ("ひらがな", "ひらがな"),
        ] {
            assert_eq!(read(name), reading, "{name}");
        }
    }

    #[test]
    fn a_name_without_end_is_read_at_its_beginning() {
        assert_eq!(read(&"报".repeat(1_000_000)).split(' ').count(), MOST);
    }
}
