//! Advice for repairing a fault, where the intended value can be guessed.

use super::document::Kind;

// The kinds of value, as messages name them.
pub(super) const TEXT: &str = "text";
pub(super) const TEXTS: &str = "a list of texts";
pub(super) const NUMBER: &str = "a whole number";
pub(super) const BOOL: &str = "`true` or `false`";

/// The longest list of known keys that is shown as help.
const KEYS_SHOWN: usize = 12;

/// Returns advice if only the quotes are wrong.
pub(super) fn quotes(wanted: &str, found: &Kind) -> Option<String> {
    match (wanted, found) {
        (TEXT | TEXTS, Kind::Integer(_) | Kind::Float | Kind::Bool(_) | Kind::Date) => {
            Some("put it in quotes".to_owned())
        }
        (NUMBER, Kind::Text(text)) if text.trim().parse::<i64>().is_ok() => {
            Some(format!("write `{}` without quotes", text.trim()))
        }
        (BOOL, Kind::Text(text)) if matches!(text.as_str(), "true" | "false") => {
            Some(format!("write `{text}` without quotes"))
        }
        _ => None,
    }
}

/// Returns "did you mean `url`?", or the known words if there are few.
pub(super) fn suggestion<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.collect();
    let length = word.chars().count();
    let likeness = |other: &str| strsim::jaro_winkler(&word.to_lowercase(), &other.to_lowercase());
    let near = |other: &&&str| {
        let distance = strsim::damerau_levenshtein(word, other);
        likeness(other) >= 0.8 || (distance <= 2 && distance * 2 < length)
    };
    let best = known.iter().filter(near).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    if let Some(best) = best {
        return Some(format!("did you mean `{best}`?"));
    }
    let all: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
    let few = (1..=KEYS_SHOWN).contains(&all.len());
    few.then(|| format!("known here: {}", all.join(", ")))
}
