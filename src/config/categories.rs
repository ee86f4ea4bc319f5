//! Reads `[[category]]` and `[[combined]]`.

use super::CategorySettings;
use super::faults::Fault;
use super::reader::{Reader, Value};
use crate::model::Slug;
use crate::publish::Combined;
use crate::rules::{Level, Rule};
use crate::store::Retention;

/// Reads the `[[category]]` tables of one file into `all`, and their rules into `rules`.
pub(super) fn categories(file: &mut Reader, all: &mut Vec<CategorySettings>, rules: &mut Vec<Rule>) {
    rules.extend(super::rules::read(file));
    for mut table in file.tables("category") {
        let name = table.required("name", Reader::string);
        let slug = table.string("slug");
        let aliases = table.strings("aliases").into_iter().map(|v| v.value).collect();
        let retention = retention_of(&mut table, "keep_items", "keep_age");
        let own = super::rules::read(&mut table);
        let place = slug.as_ref().map_or_else(|| table.place().clone(), |s| s.place.clone());
        if let Some(name) = name.filter(|n| named(&table, n)) {
            let slug = match slug {
                Some(given) => Slug::new(&given.value).or_else(|| bad_slug(&table, &given)),
                None => Some(Slug::from_name(&name.value)),
            };
            if let Some(slug) = slug {
                if all.iter().any(|known| known.slug == slug) {
                    table.error(&place, format!("the category `{slug}` is there twice"));
                }
                rules.extend(super::rules::at(own, &Level::Category(slug.clone())));
                all.push(CategorySettings { slug, name: name.value, aliases, retention });
            }
        }
        table.finish();
    }
}

/// Reads the `[[combined]]` tables of one file; a slug may not repeat one of `categories`.
pub(super) fn combined(file: &mut Reader, all: &mut Vec<Combined>, categories: &[CategorySettings]) {
    for mut table in file.tables("combined") {
        let name = table.required("name", Reader::string).filter(|name| named(&table, name));
        let slug = table.string("slug");
        let members: Vec<String> = table.strings("categories").into_iter().map(|v| v.value).collect();
        let place = slug.as_ref().map_or_else(|| table.place().clone(), |s| s.place.clone());
        if members.is_empty() {
            table.error(&place, "a combined feed needs `categories`: names or slugs of some");
        }
        if let Some(name) = name {
            let slug = match slug {
                Some(given) => Slug::new(&given.value).or_else(|| bad_slug(&table, &given)),
                None => Some(Slug::from_name(&name.value)),
            };
            if let Some(slug) = slug {
                let taken = categories.iter().any(|known| known.slug == slug);
                if taken || all.iter().any(|known| known.slug == slug) {
                    table.error(&place, format!("`{slug}` is there twice"));
                }
                all.push(Combined { name: name.value, slug, categories: members });
            }
        }
        table.finish();
    }
}

/// Reads the retention of a category; a key that is not set means no limit.
pub(super) fn retention_of(table: &mut Reader, items: &'static str, age: &'static str) -> Retention {
    Retention {
        items: table.integer_in(items, 1..=1_000_000_000).and_then(|v| usize::try_from(v.value).ok()),
        age: table.duration(age).and_then(|v| i64::try_from(v.value.as_secs()).ok()),
    }
}

fn named(table: &Reader, name: &Value<String>) -> bool {
    let good = !name.value.trim().is_empty() && name.value.chars().count() <= 64;
    if !good {
        table.error(&name.place, "`name` must have 1 to 64 characters");
    }
    good
}

fn bad_slug(table: &Reader, given: &Value<String>) -> Option<Slug> {
    let proposal = Slug::from_name(&given.value);
    let fault = Fault::error(&given.place, format!("`{}` cannot be a slug", given.value));
    table.push(fault.help(format!("use small letters, digits and `-`, such as `{proposal}`")));
    None
}
