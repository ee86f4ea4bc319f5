//! Readers of values that several kinds of table have.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Component, Path, PathBuf};

use chrono_tz::Tz;

use super::faults::Fault;
use super::reader::{Reader, Value};
use crate::model::{CodeSpace, Pattern, Slug};
use crate::source::{CategoryChoice, Required};

/// Reads text that is not empty.
pub(super) fn text(reader: &mut Reader, key: &'static str) -> Option<String> {
    reader.string(key).map(|v| v.value).filter(|v| !v.trim().is_empty())
}

/// Reads `true` or `false`.
pub(super) fn flag(reader: &mut Reader, key: &'static str, default: bool) -> bool {
    reader.bool(key).map_or(default, |v| v.value)
}

/// Reads a whole number in a range.
pub(super) fn count(
    reader: &mut Reader,
    key: &'static str,
    range: RangeInclusive<i64>,
    default: usize,
) -> usize {
    reader.integer_in(key, range).and_then(|v| usize::try_from(v.value).ok()).unwrap_or(default)
}

/// Reads a path relative to the config's folder.
pub(super) fn path(reader: &mut Reader, key: &'static str, folder: &Path, default: &str) -> PathBuf {
    let given = text(reader, key).unwrap_or_else(|| default.to_owned());
    tidy(&folder.join(given))
}

/// Returns `config/../data` as `data`, since the path is shown in messages.
pub(super) fn tidy(path: &Path) -> PathBuf {
    let mut short = PathBuf::new();
    for part in path.components() {
        let named = matches!(short.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::CurDir => {}
            Component::ParentDir if named => _ = short.pop(),
            part => short.push(part),
        }
    }
    short
}

/// Reads a time zone by its IANA name.
pub(super) fn zone(reader: &mut Reader, key: &'static str) -> Option<Tz> {
    reader
        .parsed(key, |s| {
            s.parse::<Tz>().map_err(|_| format!("must be a time zone like `Asia/Shanghai`, not `{s}`"))
        })
        .map(|v| v.value)
}

/// Reads a regular expression.
pub(super) fn regex(table: &mut Reader, key: &'static str) -> Option<Pattern> {
    table
        .parsed(key, |s| {
            let built = regex::RegexBuilder::new(s).size_limit(1 << 20).build();
            built.map(Pattern::from).map_err(|e| {
                format!(
                    "is not a regular expression: {}",
                    e.to_string().lines().last().unwrap_or_default().trim()
                )
            })
        })
        .map(|v| v.value)
}

/// Checks a code space; adds a fault if it is invalid.
pub(super) fn space(reader: &Reader, value: &Value<String>) -> Option<CodeSpace> {
    let space = CodeSpace::new(&value.value);
    if space.is_none() {
        let message =
            format!("`{}` cannot be a code space: 1 to 32 small letters, digits, `-` and `_`", value.value);
        reader.error(&value.place, message);
    }
    space
}

/// Checks a category, given by its name or its slug.
pub(super) fn category(table: &Reader, value: &Value<String>) -> Option<CategoryChoice> {
    let name = value.value.trim();
    if name.is_empty() || name.chars().count() > 64 {
        table.error(&value.place, "`category` must have 1 to 64 characters");
        return None;
    }
    let slug = Slug::new(name);
    // A slug alone keeps the name that the category has or gets later.
    let name = if slug.is_some() { String::new() } else { name.to_owned() };
    Some(CategoryChoice { name, slug })
}

/// Reads the names of required fields.
pub(super) fn required(table: &mut Reader, key: &'static str) -> Vec<Required> {
    let fields = table.strings(key);
    let read = |field: Value<String>| {
        let known = Required::NAMES.iter().find(|(name, _)| *name == field.value).map(|(_, value)| *value);
        if known.is_none() {
            let fault = Fault::error(&field.place, format!("`{}` cannot be required", field.value));
            table.push(fault.help("known: `title`, `date`, `link`, `text`"));
        }
        known
    };
    fields.into_iter().filter_map(read).collect()
}

/// Returns a template with the names in braces replaced by their values from `[vars]`.
pub(super) fn fill_vars(template: &str, vars: &BTreeMap<String, String>) -> String {
    vars.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_short() {
        for (long, short) in [
            ("config/../data/store", "data/store"),
            ("/etc/feedmill/../x", "/etc/x"),
            ("../a/../b", "../b"),
            ("./a", "a"),
        ] {
            assert_eq!(tidy(Path::new(long)), Path::new(short), "{long}");
        }
    }
}
