//! Migrating a store of an older format: a new one is written beside it and replaces it; the old one is kept,
//! so that an older feedmill can use it again.
//!
//! Formats so far: 1, the first. A later one adds a [`Step`] to [`STEPS`], which converts each record; the old
//! and the new store share texts.

use std::path::{Path, PathBuf};

use tracing::{info, warn};

use super::copy::{copy_records, share_or_copy_texts};
use super::{disk, swap};
use crate::store::sled::bodies::Texts;
use crate::store::sled::database::{Database, FORMAT, TreeId, catching_panics};
use crate::store::sled::options::StoreOptions;
use crate::store::{Result, StoreError};

/// A conversion of a record, from its tree, key and value, to its value in the next format; `None` drops it.
type Upgrade = fn(TreeId, &[u8], Vec<u8>) -> Result<Option<Vec<u8>>>;

/// The conversion from one format to the next.
pub(crate) struct Step {
    /// The format that it reads; it writes the next one.
    pub(crate) from: u8,
    /// Converts each record, except for the version in its first byte.
    pub(crate) record: Upgrade,
}

/// All steps, oldest first; each begins where the one before it ends.
pub(crate) const STEPS: &[Step] = &[];

/// Returns the steps from a format to the present one, if there are any.
fn way_from(found: u8, steps: &[Step]) -> Option<&[Step]> {
    let first = steps.iter().position(|step| step.from == found)?;
    Some(&steps[first..])
}

/// Returns the path at which a store of format `found` is kept after migration.
fn kept(path: &Path, found: u8) -> PathBuf {
    disk::beside(path, &format!("format-{found}"))
}

/// Migrates a store of format `found` to the present one, in its place.
///
/// # Errors
/// [`StoreError::Format`] if no steps lead to the present format; [`StoreError::NoRoom`] before anything is
/// written; [`StoreError::Corrupt`] if the old store cannot be read whole. The old store is then unchanged.
pub(crate) fn migrate(options: &StoreOptions, found: u8, steps: &[Step]) -> Result<()> {
    let path = &options.path;
    let Some(way) = way_from(found, steps) else {
        let kept = kept(path, FORMAT);
        let kept = kept.exists().then(|| kept.display().to_string());
        return Err(StoreError::Format { found, known: FORMAT, kept });
    };
    let beside = swap::new(path);
    disk::clear(&beside)?;
    disk::enough(path, disk::size(&path.join("db")).saturating_mul(3) / 2)?;
    info!(from = found, to = FORMAT, "the store is brought up to date; this is done once");
    catching_panics("be migrated", || copy(options, &beside, way))?;
    let kept = disk::free_name(&kept(path, found))?;
    swap::put_in_place(path, &kept)?;
    warn!(kept = %kept.display(), "the store as it was is kept; delete it when you will not go back");
    Ok(())
}

fn copy(options: &StoreOptions, beside: &Path, way: &[Step]) -> Result<()> {
    let old = Database::open(&options.path, options.cache)?;
    let new = Database::open(beside, options.cache)?;
    drop(Texts::open(beside)?);
    share_or_copy_texts(&options.path, beside)?;
    let record = |tree: TreeId, key: &[u8], value: Vec<u8>| {
        let mut value = Some(value);
        for step in way {
            value = value.map(|value| (step.record)(tree, key, value)).transpose()?.flatten();
        }
        Ok(value.map(|value| of_this_format(tree, key, value)))
    };
    copy_records(&old, &new, &record, &mut |_, _, what| info!(%what, "migrating"))
}

/// Sets the version in a record's first byte to this format, in trees that have one.
fn of_this_format(tree: TreeId, key: &[u8], mut value: Vec<u8>) -> Vec<u8> {
    let versioned = match tree {
        TreeId::Sys => key == b"format",
        TreeId::Item
        | TreeId::Seen
        | TreeId::Category
        | TreeId::Revision
        | TreeId::Tomb
        | TreeId::History
        | TreeId::Source
        | TreeId::Version
        | TreeId::TextFile => true,
        _ => false,
    };
    if versioned && let Some(version) = value.first_mut() {
        *version = FORMAT;
    }
    value
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::{Body, CategoryId, CodeSpace, InfoCode, Item, SourceId, Timestamp};
    use crate::store::sled::database::{decode, encode};
    use crate::store::{Categories, Change, Items, Placement, SledStore, Sources};

    /// The format before this one, as this test defines it: names of categories are in brackets.
    const OLDER: u8 = FORMAT - 1;
    const FROM_OLDER: Step = Step { from: OLDER, record: without_brackets };

    fn without_brackets(tree: TreeId, _: &[u8], mut value: Vec<u8>) -> Result<Option<Vec<u8>>> {
        if tree != TreeId::Category {
            return Ok(Some(value));
        }
        value[0] = FORMAT;
        let mut category: crate::model::Category = decode("category", &value)?;
        category.name = category.name.trim_matches(['[', ']']).to_owned();
        encode("category", &category).map(Some)
    }

    /// Converts a store of this format to the older one.
    fn age(path: &Path, version: u8) {
        let db = Database::open(path, 1 << 20).unwrap();
        for tree in TreeId::ALL {
            for (key, value) in db.tree(tree).iter().flatten() {
                let mut value = value.to_vec();
                if tree == TreeId::Category {
                    let mut category: crate::model::Category = decode("category", &value).unwrap();
                    category.name = format!("[{}]", category.name);
                    value = encode("category", &category).unwrap();
                }
                // Records without a version are unchanged.
                if of_this_format(tree, &key, vec![u8::MAX]) == [FORMAT] {
                    value[0] = version;
                }
                db.tree(tree).insert(key, value).unwrap();
            }
        }
        db.wrote();
        db.sync().unwrap();
    }

    fn beside(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<_> = names.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| name != ".store.lock");
        names.sort();
        names
    }

    /// Makes a store with an article of a newspaper, and returns everything visible of them.
    fn filled(path: &Path) -> String {
        let now = Timestamp::from_unix(80);
        let store = SledStore::open(path, 1 << 20).unwrap();
        store.register(&[SourceId::new("s").unwrap()], now).unwrap();
        let home = store.ensure_category("甲报", None, now).unwrap().id;
        let code = code();
        let mut change = Change::of(code.clone());
        change.body = Some(Body { html: "<p>文</p>".to_owned(), ..Body::default() });
        change.item = Some(Item { home, categories: vec![home], ..Item::sample(code) });
        let shown = |category| Placement { category, shown: true };
        change.enters = vec![shown(home), shown(CategoryId::SITE)];
        store.commit(vec![change], now).unwrap();
        seen(&store)
    }

    fn code() -> InfoCode {
        InfoCode::new(CodeSpace::new("s").unwrap(), "1")
    }

    fn seen(store: &SledStore) -> String {
        format!(
            "{:?} {:?} {:?} {:?} {:?}",
            store.item(&code()).unwrap(),
            store.body(&code()).unwrap(),
            store.categories().unwrap(),
            store.sources().unwrap(),
            store.check(&mut |_, _, _| {}).unwrap().told
        )
    }

    #[test]
    fn an_older_store_is_migrated_beside_itself_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let options = StoreOptions::plain(&path, 1 << 20);
        let before = filled(&path);
        age(&path, OLDER);
        // As left by a crash during an earlier attempt.
        fs::create_dir_all(folder.path().join("store.new/half")).unwrap();
        migrate(&options, OLDER, &[FROM_OLDER]).unwrap();
        assert_eq!(seen(&SledStore::open(&path, 1 << 20).unwrap()), before);
        assert_eq!(beside(folder.path()), ["store".to_owned(), format!("store.format-{OLDER}")]);
        // It is kept unchanged, and can be migrated again.
        fs::remove_dir_all(&path).unwrap();
        fs::rename(folder.path().join(format!("store.format-{OLDER}")), &path).unwrap();
        migrate(&options, OLDER, &[FROM_OLDER]).unwrap();
        assert_eq!(seen(&SledStore::open(&path, 1 << 20).unwrap()), before);
    }

    #[test]
    fn a_store_of_an_unknown_format_is_refused_with_the_way_out() {
        for unknown in [OLDER, FORMAT + 1] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("store");
            filled(&path);
            age(&path, unknown);
            let before = fs::read(path.join("db")).unwrap();
            let kept = folder.path().join(format!("store.format-{FORMAT}"));
            fs::create_dir(&kept).unwrap();
            let said = SledStore::open(&path, 1 << 20).unwrap_err().to_string();
            for part in ["store export --lines", "store import", &kept.display().to_string()] {
                assert!(said.contains(part), "{said}");
            }
            assert_eq!(fs::read(path.join("db")).unwrap(), before, "nothing is written");
            assert_eq!(beside(folder.path()).len(), 2);
        }
    }
}
