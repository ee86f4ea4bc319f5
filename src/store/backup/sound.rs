//! Validation of the lines of a backup: refuses names that could not be a key or a file name here. A file may
//! come from anywhere.

use super::format::{ItemLine, Line, Listings};
use crate::model::{CategoryId, CodeSpace, InfoCode, Slug, SourceId};
use crate::store::{RecordKind, Result, StoreError};

/// Bytes of a path, at most.
const MAX_PATH: usize = 1_000;
/// Bytes of a name, at most.
const MAX_NAME: usize = 1_000;

/// Refuses a line that contains an invalid name.
///
/// # Errors
/// [`StoreError::Unusable`].
pub(super) fn refuse(line: &Line) -> Result<()> {
    match line {
        Line::Head(_) | Line::Published { .. } | Line::End { .. } => Ok(()),
        Line::Category(line) => {
            let site = line.numbers.as_ref().is_some_and(|numbers| numbers.id == CategoryId::SITE);
            let slug = if site { line.slug == Slug::site() } else { is_slug(&line.slug) };
            sound(slug && line.name.len() <= MAX_NAME, "category", line.slug.as_str())
        }
        Line::Source(line) => source(&line.id),
        Line::Item(line) => item(line),
        Line::Tombstone(line) => code(&line.code).and_then(|()| listings(&line.listings)),
        Line::Alias { source: id, code: own, .. } => source(id).and_then(|()| code(own)),
        Line::Redirect { from, to } => path(from).and_then(|()| path(to)),
        Line::Page { path: own, code: of } => path(own).and_then(|()| code(of)),
        Line::Log { slots, .. } => slots.iter().try_for_each(|(_, slot)| code(slot.code())),
        Line::Counter { name, .. } => sound(name.len() <= MAX_NAME, "counter", name),
        Line::Record { kind, key, value } => {
            sound(RecordKind::fits(key, value).is_ok(), "record", &format!("{kind:?}"))
        }
    }
}

fn item(line: &ItemLine) -> Result<()> {
    code(&line.item.code)?;
    source(&line.item.lead)?;
    path(&line.item.permalink)?;
    for form in &line.forms {
        path(&form.item.permalink)?;
        sound(form.item.code == line.item.code, "form", &form.item.code.text(None))?;
    }
    let slugs = line.categories.iter().chain([&line.home]);
    let mut slugs = slugs.filter(|slug| !is_slug(slug));
    slugs.next().map_or(Ok(()), |slug| sound(false, "slug", slug.as_str()))?;
    listings(&line.listings)
}

fn listings(listings: &Listings) -> Result<()> {
    listings.iter().try_for_each(|(id, _)| source(id))
}

fn is_slug(slug: &Slug) -> bool {
    Slug::new(slug.as_str()).is_some()
}

fn source(id: &SourceId) -> Result<()> {
    sound(SourceId::new(id.as_str()).is_some(), "source", id.as_str())
}

fn code(code: &InfoCode) -> Result<()> {
    let space = CodeSpace::new(code.space().as_str());
    let same = space.is_some_and(|space| InfoCode::new(space, code.code()) == *code);
    sound(same, "code", &code.text(None))
}

/// Checks that a path is relative and stays below the site.
fn path(path: &str) -> Result<()> {
    let stays = !path.starts_with('/') && path.split('/').all(|part| part != "..") && !path.contains('\0');
    sound((1..=MAX_PATH).contains(&path.len()) && stays, "path", path)
}

fn sound(good: bool, what: &str, name: &str) -> Result<()> {
    if good {
        return Ok(());
    }
    let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    Err(StoreError::Unusable { detail: format!("`{name}` is no name of a {what}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> bool {
        refuse(&serde_json::from_str(line).unwrap()).is_err()
    }

    #[test]
    fn only_names_that_a_store_can_hold_come_in() {
        for (kind, good, bad) in [
            (r#"{"source":{"id":"@","void":[]}}"#, vec!["xihai", "a.b"], vec!["", "../x", "a/b", "A b"]),
            (
                r#"{"category":{"slug":"@","name":"n","aliases":[]}}"#,
                vec!["bao"],
                vec!["", "../x", "feed", "index"],
            ),
            (
                r#"{"redirect":{"from":"@","to":"a"}}"#,
                vec!["a/b.html", "文.html", "old/"],
                vec!["", "/a", "../a", "a/../b"],
            ),
            (r#"{"page":{"path":"a","code":{"space":"s","code":"@"}}}"#, vec!["NW1", "文"], vec![""]),
            (r#"{"page":{"path":"a","code":{"space":"@","code":"1"}}}"#, vec!["s"], vec!["", "S/"]),
        ] {
            for (names, wanted) in [(good, false), (bad, true)] {
                for name in names {
                    assert_eq!(refused(&kind.replace('@', name)), wanted, "{kind} {name}");
                }
            }
        }
        let long = "a".repeat(121);
        assert!(refused(&format!(r#"{{"page":{{"path":"a","code":{{"space":"s","code":"{long}"}}}}}}"#)));
    }
}
