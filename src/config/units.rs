//! Lengths of time and sizes as admins write them: `"1h30m"`, `"15MiB"`.

use std::time::Duration;

use thiserror::Error;

/// Why a text is no length of time or no size.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnitError {
    /// The text is empty.
    #[error("is empty")]
    Empty,
    /// A number has no unit.
    #[error("needs a unit after `{0}`")]
    NoUnit(String),
    /// A unit has no number, or the number is not a whole one.
    #[error("needs a whole number before the unit, as in `15`, not `{0}`")]
    NoNumber(String),
    /// The unit is unknown.
    #[error("has the unknown unit `{0}`")]
    UnknownUnit(String),
    /// The units of a length of time are not ordered from large to small.
    #[error("has `{0}` after a smaller unit or a second time")]
    Order(String),
    /// The value does not fit into 64 bits.
    #[error("is too large")]
    TooLarge,
}

/// The units of time, largest first, with their milliseconds.
const TIMES: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The units of size with their bytes; `K` alone is left out because it means 1000 to some and 1024 to others.
const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Reads a length of time: whole numbers with `d`, `h`, `m`, `s` or `ms`, the larger first, as in `30s`, `2d`
/// or `1h30m`.
///
/// # Errors
///
/// A [`UnitError`] that describes the fault of the text.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(UnitError::Empty);
    }
    let mut total = 0_u64;
    let mut larger = TIMES.as_slice();
    while !rest.is_empty() {
        let (number, unit, after) = next_part(rest)?;
        if !TIMES.iter().any(|(name, _)| *name == unit) {
            return Err(UnitError::UnknownUnit(unit.to_owned()));
        }
        let Some(at) = larger.iter().position(|(name, _)| *name == unit) else {
            return Err(UnitError::Order(unit.to_owned()));
        };
        let (_, milliseconds) = larger.get(at).copied().unwrap_or_default();
        larger = larger.get(at + 1..).unwrap_or_default();
        let part = number.checked_mul(milliseconds).ok_or(UnitError::TooLarge)?;
        total = total.checked_add(part).ok_or(UnitError::TooLarge)?;
        rest = after.trim_start();
    }
    Ok(Duration::from_millis(total))
}

/// Reads a size in bytes: a whole number with `B`, `KB`, `MB`, `GB` (powers of 1000) or `KiB`, `MiB`, `GiB`
/// (powers of 1024), in large or small letters.
///
/// # Errors
///
/// A [`UnitError`] that describes the fault of the text.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(UnitError::Empty);
    }
    let (number, unit, after) = next_part(text)?;
    let known = SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    match known {
        Some((_, bytes)) if after.is_empty() => number.checked_mul(*bytes).ok_or(UnitError::TooLarge),
        _ => Err(UnitError::UnknownUnit(format!("{unit}{after}"))),
    }
}

/// Splits `1h30m` into `1`, `h` and `30m`.
fn next_part(text: &str) -> Result<(u64, &str, &str), UnitError> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(digits).unwrap_or((text, ""));
    let rest = rest.trim_start();
    if rest.is_empty() {
        return Err(UnitError::NoUnit(number.to_owned()));
    }
    if number.is_empty() || rest.starts_with(['.', ',']) {
        return Err(UnitError::NoNumber(text.to_owned()));
    }
    let end = rest.find(|c: char| c.is_ascii_digit() || c.is_whitespace()).unwrap_or(rest.len());
    let (unit, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let number = number.parse().map_err(|_| UnitError::TooLarge)?;
    Ok((number, unit, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("15m", 900),
            ("30s", 30),
            ("1h", 3600),
            ("2d", 172_800),
            ("1h30m", 5400),
            ("1h 30m", 5400),
            (" 10 m ", 600),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("1s500ms"), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn wrong_durations() {
        for (text, message) in [
            ("", "is empty"),
            ("15", "needs a unit after `15`"),
            ("m", "needs a whole number before the unit, as in `15`, not `m`"),
            ("1.5h", "needs a whole number before the unit, as in `15`, not `1.5h`"),
            ("15分钟", "has the unknown unit `分钟`"),
            ("15M", "has the unknown unit `M`"),
            ("30m1h", "has `h` after a smaller unit or a second time"),
            ("1h1h", "has `h` after a smaller unit or a second time"),
            ("99999999999999999d", "is too large"),
            ("99999999999999999999d", "is too large"),
        ] {
            let found = parse_duration(text).map_err(|error| error.to_string());
            assert_eq!(found, Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("15MiB", 15 << 20),
            ("500KiB", 500 << 10),
            ("1GiB", 1 << 30),
            ("64KB", 64_000),
            ("2 mb", 2_000_000),
            ("1GB", 1_000_000_000),
            ("12B", 12),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn wrong_sizes() {
        for (text, message) in [
            (" ", "is empty"),
            ("15", "needs a unit after `15`"),
            ("15M", "has the unknown unit `M`"),
            ("1MiB5KiB", "has the unknown unit `MiB5KiB`"),
            ("-1MiB", "needs a whole number before the unit, as in `15`, not `-1MiB`"),
            ("99999999999GiB", "is too large"),
        ] {
            let found = parse_size(text).map_err(|error| error.to_string());
            assert_eq!(found, Err(message.to_owned()), "{text}");
        }
    }
}
