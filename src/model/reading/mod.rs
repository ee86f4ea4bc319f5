//! The reading of names: Chinese characters in pinyin, the rest unchanged (RULES 5.2).
//!
//! Owns: the walk through a name, always by the longest phrase in the table. Does not own: the contents of the
//! table (`tests/readings.rs` generates it), the use of a reading (see `slug`).

mod table;

use unicode_normalization::UnicodeNormalization;

use table::Table;

/// The most characters of a name that are read, which limits the work for one.
const MOST: usize = 1_024;

/// Returns a name as words separated by spaces: NFKC, each Chinese character a word of its own in pinyin by
/// phrase, without tones, `v` for `ü`; the rest unchanged. Reads the first 1,024 characters only.
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
        // No phrase begins with ASCII, so names in Latin script do not load the table.
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

/// The words so far.
#[derive(Default)]
struct Spoken {
    text: String,
    /// Whether the next letter belongs to the last word.
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

/// Returns whether a Chinese punctuation mark is a word of its own. NFKC has replaced the others by ASCII.
fn stands_alone(sign: char) -> bool {
    matches!(sign, '。' | '、' | '《' | '》' | '「' | '」' | '『' | '』' | '【' | '】')
}

/// Returns a letter without the tone of pinyin, with which names are sometimes written.
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
