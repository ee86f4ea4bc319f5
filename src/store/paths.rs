//! What stands at a path. An article's page is named after its code (RULES 5.3), so that most paths lead
//! to their article by their name: only what a name does not tell has a record.

use sled::IVec;

use super::commit::stored;
use super::open::{Open, T};
use super::write::{self, Tx, TxResult, tree};
use super::{AtPath, Result, StoreError, read, record};
use crate::model::{CodeSpace, InfoCode, Item};

/// First bytes of records.
const ARTICLE: u8 = 1;
const REDIRECT: u8 = 2;
/// The code space that is written bare, where it is fixed already.
const BARE: &str = "fixed.site.code_space";
/// Bytes of a path that can be kept.
pub(super) const MAX_PATH: usize = 1_000;

fn space(fixed: Option<IVec>) -> Option<CodeSpace> {
    fixed.and_then(|name| CodeSpace::new(std::str::from_utf8(&name).ok()?))
}

/// The code that the name of a page tells.
fn named(path: &str, bare: Option<&CodeSpace>) -> Option<InfoCode> {
    let file = path.rsplit('/').next()?.strip_suffix(".html")?;
    InfoCode::parse(file, bare)
}

/// What stands at a path.
///
/// # Errors
/// [`StoreError::Damaged`] where its record cannot be read; those of the store.
pub(super) fn at(store: &Open, path: &str) -> Result<Option<AtPath>> {
    if let Some(record) = read::get(store, T::Path, path)? {
        return decoded(&record).map(Some);
    }
    let bare = space(read::get(store, T::Sys, BARE)?);
    let Some(code) = named(path, bare.as_ref()) else { return Ok(None) };
    let item = read::item(store, &code.key())?;
    Ok(item.filter(|item| item.permalink == path).map(|_| AtPath::Article(code)))
}

fn decoded(record: &[u8]) -> Result<AtPath> {
    match record.split_first() {
        Some((&ARTICLE, code)) => {
            let code = InfoCode::from_key(code).ok_or(StoreError::Damaged { what: "code" })?;
            Ok(AtPath::Article(code.0))
        }
        Some((&REDIRECT, target)) => Ok(AtPath::Redirect(String::from_utf8_lossy(target).into_owned())),
        _ => Err(StoreError::Damaged { what: "path" }),
    }
}

/// Where a record redirects to; `None` for an article's.
pub(super) fn redirect(record: &[u8]) -> Option<String> {
    let target = record.split_first().filter(|(kind, _)| **kind == REDIRECT)?.1;
    Some(String::from_utf8_lossy(target).into_owned())
}

/// The code, as bytes, that an article's record leads to.
pub(super) fn article(record: &[u8]) -> Option<&[u8]> {
    record.split_first().filter(|(kind, _)| **kind == ARTICLE).map(|(_, code)| code)
}

/// Lets the path of an article's page lead to it, whatever stood there.
pub(super) fn lead(tx: Tx<'_>, key: &[u8], item: &Item) -> TxResult<()> {
    let bare = space(tree(tx, T::Sys).get(BARE)?);
    let by_name = named(&item.permalink, bare.as_ref()).is_some_and(|code| code == item.code);
    if by_name && tree(tx, T::Path).get(item.permalink.as_str())?.is_none() {
        return Ok(());
    }
    keep(tx, key, &item.permalink)
}

/// As [`lead`], with a record, which stays when the article is erased.
pub(super) fn keep(tx: Tx<'_>, key: &[u8], permalink: &str) -> TxResult<()> {
    write::put(tx, T::Path, permalink.as_bytes(), &[&[ARTICLE], key].concat())
}

/// Lets a path redirect, where nothing stands and it is not too long.
pub(super) fn redirect_to(tx: Tx<'_>, path: &str, target: &str) -> TxResult<()> {
    if path.len() > MAX_PATH || tree(tx, T::Path).get(path)?.is_some() {
        return Ok(());
    }
    let bare = space(tree(tx, T::Sys).get(BARE)?);
    if let Some(code) = named(path, bare.as_ref())
        && stored(tx, &code.key())?.is_some_and(|(_, item)| item.permalink == path)
    {
        return Ok(());
    }
    write::put(tx, T::Path, path.as_bytes(), &[&[REDIRECT], target.as_bytes()].concat())
}

/// Whether a record says only what the name of its path does.
pub(super) fn is_needless(store: &Open, path: &[u8], value: &[u8]) -> Result<bool> {
    let (Some(key), Ok(path)) = (article(value), std::str::from_utf8(path)) else { return Ok(false) };
    let bare = space(read::get(store, T::Sys, BARE)?);
    if named(path, bare.as_ref()).is_none_or(|code| code.key() != key) {
        return Ok(false);
    }
    let item = read::get(store, T::Item, key)?.map(|bytes| record::item(key, &bytes)).transpose()?;
    Ok(item.is_some_and(|(_, item)| item.permalink == path))
}

#[cfg(test)]
mod tests {
    use super::super::{Change, SledStore, Store, Tombstone, Withdrawer};
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn a_path_leads_to_its_article_with_and_without_a_record() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(&folder.path().join("store"), 1 << 20).unwrap();
        store.fix("site.code_space", "own", true).unwrap();
        let now = Timestamp::from_unix(80);
        let own = CodeSpace::new("own").unwrap();
        let records = |store: &SledStore| store.with(|open| Ok(open.tree(T::Path).len())).unwrap();
        for (space, code, by_name) in [
            ("own", "NW202112212221043837", true),
            ("s", "a-1", true),
            // Its name is a hash.
            ("s", "甲", false),
        ] {
            let before = records(&store);
            let code = InfoCode::new(CodeSpace::new(space).unwrap(), code);
            let mut item = Item::sample(code.clone());
            item.permalink = format!("a/2021/12/21/{}.html", code.file_name(Some(&own)));
            let (path, own_path) =
                (format!("old/{}.html", code.file_name(Some(&own))), item.permalink.clone());
            let mut change = Change::of(code.clone());
            change.item = Some(item);
            // Its own path is taken already.
            change.paths = vec![path.clone(), own_path.clone()];
            store.commit(vec![change], now).unwrap();
            assert_eq!(records(&store) - before, 1 + usize::from(!by_name), "{code}");
            assert_eq!(store.at_path(&path).unwrap(), Some(AtPath::Redirect(own_path.clone())));
            assert_eq!(store.at_path(&own_path).unwrap(), Some(AtPath::Article(code.clone())));
            assert_eq!(store.at_path(&format!("b/{own_path}")).unwrap(), None);
            let stone = Tombstone { at: now, by: Withdrawer::Admin, why: String::new(), erased: true };
            store.withdraw(&code, &stone).unwrap();
            assert_eq!(store.at_path(&own_path).unwrap(), Some(AtPath::Article(code)), "it answers 410");
        }
    }
}
