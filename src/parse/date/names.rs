//! Names within dates: months in the languages that newspapers write them in, and zones.

/// How the names of the months begin, in lower case. Where two months begin alike the longer
/// beginning stands first.
const MONTHS: [(u32, &[&str]); 12] = [
    (1, &["jan", "jän", "ene", "gen", "ιαν", "янв", "sty", "січ"]),
    (2, &["feb", "fév", "fev", "φεβ", "фев", "lut", "лют"]),
    (3, &["mar", "mär", "mrz", "maart", "mrt", "már", "mae", "μαρ", "μάρ", "мар", "бер"]),
    (4, &["apr", "abr", "avr", "ápr", "απρ", "апр", "kwi", "кві"]),
    (5, &["may", "mai", "mei", "mag", "máj", "maj", "μαι", "μαϊ", "μάι", "μάϊ", "май", "мая", "тра"]),
    (6, &["jun", "juin", "jún", "giu", "ιουν", "ιούν", "ιον", "июн", "cze", "чер"]),
    (7, &["jul", "juil", "júl", "lug", "ιουλ", "ιούλ", "ιολ", "июл", "lip", "лип"]),
    (8, &["aug", "aoû", "aou", "ago", "αυγ", "αύγ", "авг", "sie", "сер"]),
    (9, &["sep", "szept", "set", "σεπ", "сен", "wrz", "вер"]),
    (10, &["oct", "okt", "out", "ott", "οκτ", "окт", "paź", "жов"]),
    (11, &["nov", "νοε", "νοέ", "ноя", "lis", "лис"]),
    (12, &["dec", "dez", "déc", "dic", "δεκ", "дек", "gru", "гру"]),
];

/// The month that a word names, in full or short.
pub(super) fn month_name(word: &str) -> Option<u32> {
    let word = word.trim_end_matches('.');
    // The longest name of a month in these languages; longer words only begin like one.
    if word.len() < 3 || word.len() > 24 || word.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    if word.starts_with(|c: char| !c.is_alphabetic()) || word.contains(|c: char| !c.is_alphabetic()) {
        return None;
    }
    let lower = word.to_lowercase();
    MONTHS.iter().find(|(_, heads)| heads.iter().any(|head| lower.starts_with(head))).map(|(month, _)| *month)
}

/// `+0800`, `+08:00`, `+8`, `Z`, or a name met in feeds, in seconds east of Greenwich.
pub(super) fn zone_offset(word: &str) -> Option<i32> {
    if let Some(hours) = zone_name(word) {
        return Some(hours * 3_600);
    }
    let (sign, rest) = match (word.strip_prefix('+'), word.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        _ => return None,
    };
    if !rest.bytes().all(|b| b.is_ascii_digit() || b == b':') {
        return None;
    }
    let digits = rest.replace(':', "");
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.as_str(), "0"),
        3 => digits.split_at(1),
        4 => digits.split_at(2),
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Hours east of Greenwich. The North American names are those of RFC 822, 5.1; `ET` and the
/// like, which name no half of the year, are winter time.
fn zone_name(word: &str) -> Option<i32> {
    Some(match word.to_ascii_uppercase().as_str() {
        "Z" | "UT" | "UTC" | "GMT" | "WET" => 0,
        "EST" | "CDT" | "ET" => -5,
        "EDT" | "AST" | "AT" => -4,
        "CST" | "MDT" | "CT" => -6,
        "MST" | "PDT" | "MT" => -7,
        "PST" | "PT" | "AKDT" => -8,
        "AKST" => -9,
        "HST" => -10,
        "ADT" | "BRT" | "ART" => -3,
        "MET" | "CET" | "MEZ" | "BST" | "WEST" => 1,
        "CEST" | "MEST" | "MESZ" | "EET" | "SAST" => 2,
        "EEST" | "MSK" => 3,
        "PKT" => 5,
        "ICT" | "WIB" => 7,
        "HKT" | "SGT" => 8,
        "JST" | "KST" => 9,
        "AEST" => 10,
        "AEDT" => 11,
        "NZST" => 12,
        "NZDT" => 13,
        _ => return None,
    })
}
