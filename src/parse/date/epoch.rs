//! Instants as numbers: seconds since 1970 and fractions of them, as in APIs and `/Date(…)/`.

use super::numeric::compact;

/// Returns seconds since 1970, if the whole text is such a number.
pub(super) fn seconds(text: &str) -> Option<i64> {
    if let Some((_, rest)) = text.split_once("Date(") {
        return milliseconds(rest);
    }
    let number = text.strip_prefix('@').unwrap_or(text);
    let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, ""));
    if number.contains(['e', 'E']) && whole.len() == 1 {
        return exponent(number);
    }
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let value: i64 = whole.parse().ok()?;
    match whole.len() {
        // Numbers from 1,900,000,000 (in 2030) on may be a day with an hour as well, which is more likely.
        10 if value >= 1_900_000_000 && compact(whole).is_some() => None,
        10 => Some(value),
        13 => Some(value / 1_000),
        16 => Some(value / 1_000_000),
        19 => Some(value / 1_000_000_000),
        _ => None,
    }
}

/// Reads `1744165230000+0800)/`: the offset does not change the instant.
fn milliseconds(rest: &str) -> Option<i64> {
    let end = rest.char_indices().find(|(at, c)| !(c.is_ascii_digit() || *at == 0 && *c == '-'));
    let number: i64 = rest.get(..end.map_or(rest.len(), |(at, _)| at))?.parse().ok()?;
    Some(number.div_euclid(1_000))
}

/// Reads `1.74416523E9`, also in milliseconds.
fn exponent(number: &str) -> Option<i64> {
    let value: f64 = number.parse().ok()?;
    let seconds = if value >= 1e11 { value / 1e3 } else { value };
    if !(1e9..1e10).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it lies within the range that was just asked for")]
    Some(seconds as i64)
}
