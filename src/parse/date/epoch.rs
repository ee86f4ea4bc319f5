//! Moments as numbers: seconds since 1970 and their thousandths, as APIs and `/Date(…)/` have them.

use super::numeric::compact;

/// Seconds since 1970, where the whole text is such a number.
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
        // From 2030 on these digits may be a day with an hour as well, and rather are.
        10 if value >= 1_900_000_000 && compact(whole).is_some() => None,
        10 => Some(value),
        13 => Some(value / 1_000),
        16 => Some(value / 1_000_000),
        19 => Some(value / 1_000_000_000),
        _ => None,
    }
}

/// `1744165230000+0800)/`: the zone only says where it was written.
fn milliseconds(rest: &str) -> Option<i64> {
    let end = rest.char_indices().find(|(at, c)| !(c.is_ascii_digit() || *at == 0 && *c == '-'));
    let number: i64 = rest.get(..end.map_or(rest.len(), |(at, _)| at))?.parse().ok()?;
    Some(number.div_euclid(1_000))
}

/// `1.74416523E9`, also in thousandths.
fn exponent(number: &str) -> Option<i64> {
    let value: f64 = number.parse().ok()?;
    let seconds = if value >= 1e11 { value / 1e3 } else { value };
    if !(1e9..1e10).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it lies within the range that was just asked for")]
    Some(seconds as i64)
}
