//! The text of a date in one form: digits of any script as ASCII, Chinese numerals as digits, one kind of
//! dash, and no invisible characters.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The zeros of scripts with digits of their own; NFKC converts full-width ones.
const ZEROS: [u32; 18] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x17E0,
];
/// Longest text of a date, in bytes; the rest is ignored.
const MAX_LEN: usize = 240;

/// Normalizes a text for the readers of this module.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let text = text.get(..text.floor_char_boundary(MAX_LEN)).unwrap_or(text);
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    // NFKC may expand one character to eighteen.
    let chars: Vec<char> = text.nfkc().filter_map(plain_char).take(MAX_LEN).collect();
    Cow::Owned(numerals(&chars))
}

fn plain_char(c: char) -> Option<char> {
    Some(match c {
        c if invisible(c) => return None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '∶' | '꞉' => ':',
        '。' => '.',
        '’' | '‘' | 'ʼ' => '\'',
        _ => {
            let code = u32::from(c);
            let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code));
            zero.and_then(|zero| char::from_digit(code - zero, 10)).unwrap_or(c)
        }
    })
}

fn invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{FEFF}')
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}')
}

/// Converts `二〇二五年十一月二十三日` to `2025年11月23日`: only numerals before a sign of a date or time.
fn numerals(chars: &[char]) -> String {
    let mut out = String::with_capacity(chars.len() * 2);
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let run = chars.get(at..).unwrap_or_default();
        let length = run.iter().take_while(|c| numeral(**c).is_some()).count();
        let number = (length > 0 && length <= 6)
            .then(|| run.split_at(length))
            .filter(|(_, rest)| {
                matches!(
                    rest,
                    ['年' | '月' | '日' | '号' | '號' | '时' | '時' | '点' | '點' | '分' | '秒', ..]
                )
            })
            .and_then(|(digits, _)| value(digits));
        match (number, run) {
            (Some(number), _) => {
                out.push_str(&number.to_string());
                at += length;
            }
            (None, ['元', '年', ..]) => {
                out.push('1');
                at += 1;
            }
            _ => {
                out.push(*c);
                at += 1;
            }
        }
    }
    out
}

/// Returns the value of a Chinese numeral: a digit, ten, twenty or thirty.
fn numeral(c: char) -> Option<u32> {
    const DIGITS: &str = "〇一二三四五六七八九十";
    match c {
        '零' | '○' => Some(0),
        '廿' => Some(20),
        '卅' => Some(30),
        _ => DIGITS.chars().position(|known| known == c).and_then(|at| u32::try_from(at).ok()),
    }
}

fn value(run: &[char]) -> Option<u32> {
    let signs: Vec<u32> = run.iter().filter_map(|c| numeral(*c)).collect();
    if signs.iter().all(|sign| *sign < 10) {
        return Some(signs.iter().fold(0, |sum, sign| sum * 10 + sign));
    }
    match signs.as_slice() {
        [tens @ (10 | 20 | 30)] => Some(*tens),
        [tens @ (10 | 20 | 30), one @ 1..10] => Some(tens + one),
        [many @ 1..10, 10] => Some(many * 10),
        [many @ 1..10, 10, one @ 1..10] => Some(many * 10 + one),
        _ => None,
    }
}

/// Folds a word for the lookup: lower case, without accents and optional characters.
pub(super) fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.chars().filter(|c| *c != '.').map(|c| c.to_ascii_lowercase()).collect();
    }
    word.to_lowercase().nfkd().filter_map(folded).collect()
}

fn folded(c: char) -> Option<char> {
    match c {
        c if is_accent(c) || left_out(c) => None,
        'ı' => Some('i'),
        'ك' => Some('ک'),
        'ي' | 'ى' => Some('ی'),
        _ => Some(c),
    }
}

/// Returns whether a character is an accent, an Arabic hamza or lengthening mark, or an Indic nukta.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{0640}' | '\u{0653}'..='\u{0655}' | '\u{093C}' | '\u{09BC}')
}

/// Returns whether a character within a word is optional.
fn left_out(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '.' | '\'' | 'ʼ' | '’' | '॰')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_other_scripts_and_numbers_in_words() {
        for (text, want) in [
            ("２０２５年４月９日 １０：２０", "2025年4月9日 10:20"),
            ("二〇二五年十一月二十三日", "2025年11月23日"),
            ("二零二五年四月廿三日十时三十分", "2025年4月23日10时30分"),
            ("令和元年五月一日", "令和1年5月1日"),
            ("۹ آوریل ۲۰۲۵", "9 آوریل 2025"),
            ("९ अप्रैल २०२५", "9 अप्रैल 2025"),
            ("2025\u{2013}04\u{2212}09\u{200E}", "2025-04-09"),
            ("十个人", "十个人"),
        ] {
            assert_eq!(plain(text), want, "{text}");
        }
        assert!(plain(&"日".repeat(1_000)).len() <= MAX_LEN);
    }
}
