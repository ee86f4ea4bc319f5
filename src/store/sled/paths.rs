//! Paths and what they resolve to. An article's page is named after its code (RULES 5.1), so most paths resolve
//! to their article by their name; only the others have a record.

use sled::IVec;

use super::database::{Database, TreeId, Tx, TxResult, abort, put, tree};
use super::records;
use crate::model::{CodeSpace, InfoCode, Item};
use crate::store::{AtPath, Result, StoreError};

/// First bytes of records.
const ARTICLE: u8 = 1;
const REDIRECT: u8 = 2;
/// The setting with the code space whose codes are written without it, if it is fixed already.
const BARE: &str = "fixed.site.code_space";
/// Bytes of a path that is stored, at most.
pub(super) const MAX_PATH: usize = 1_000;

fn space(fixed: Option<IVec>) -> Option<CodeSpace> {
    fixed.and_then(|name| CodeSpace::new(std::str::from_utf8(&name).ok()?))
}

/// Returns the code in the name of a page.
fn named(path: &str, bare: Option<&CodeSpace>) -> Option<InfoCode> {
    let file = path.rsplit('/').next()?.strip_suffix(".html")?;
    InfoCode::parse(file, bare)
}

/// Returns what a path resolves to.
///
/// # Errors
/// [`StoreError::Damaged`] if its record cannot be read; those of the store.
pub(super) fn at(db: &Database, path: &str) -> Result<Option<AtPath>> {
    if let Some(record) = db.get(TreeId::Path, path)? {
        return decoded(&record).map(Some);
    }
    let bare = space(db.get(TreeId::Sys, BARE)?);
    let Some(code) = named(path, bare.as_ref()) else { return Ok(None) };
    let item = item(db, &code.key())?;
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

/// Returns the target of a redirect; `None` for the record of an article.
pub(super) fn redirect(record: &[u8]) -> Option<String> {
    let target = record.split_first().filter(|(kind, _)| **kind == REDIRECT)?.1;
    Some(String::from_utf8_lossy(target).into_owned())
}

/// Returns the bytes of the code in an article's record.
pub(super) fn article(record: &[u8]) -> Option<&[u8]> {
    record.split_first().filter(|(kind, _)| **kind == ARTICLE).map(|(_, code)| code)
}

/// Makes the path of an article's page resolve to it, whatever it resolved to before.
pub(super) fn lead(tx: Tx<'_>, key: &[u8], item: &Item) -> TxResult<()> {
    let bare = space(tree(tx, TreeId::Sys).get(BARE)?);
    let by_name = named(&item.permalink, bare.as_ref()).is_some_and(|code| code == item.code);
    if by_name && tree(tx, TreeId::Path).get(item.permalink.as_str())?.is_none() {
        return Ok(());
    }
    keep(tx, key, &item.permalink)
}

/// Writes a record that makes a path resolve to an article; it stays when the article is erased.
pub(super) fn keep(tx: Tx<'_>, key: &[u8], permalink: &str) -> TxResult<()> {
    put(tx, TreeId::Path, permalink.as_bytes(), &[&[ARTICLE], key].concat())
}

/// Makes a path redirect, if it resolves to nothing yet and is not too long.
pub(super) fn redirect_to(tx: Tx<'_>, path: &str, target: &str) -> TxResult<()> {
    if path.len() > MAX_PATH || tree(tx, TreeId::Path).get(path)?.is_some() {
        return Ok(());
    }
    let bare = space(tree(tx, TreeId::Sys).get(BARE)?);
    if let Some(code) = named(path, bare.as_ref())
        && page_of(tx, &code)?.is_some_and(|own| own == path)
    {
        return Ok(());
    }
    put_redirect(tx, path, target)
}

/// Makes a path redirect, whatever it resolved to before.
pub(super) fn put_redirect(tx: Tx<'_>, path: &str, target: &str) -> TxResult<()> {
    put(tx, TreeId::Path, path.as_bytes(), &[&[REDIRECT], target.as_bytes()].concat())
}

fn item(db: &Database, key: &[u8]) -> Result<Option<Item>> {
    db.get(TreeId::Item, key)?.map(|bytes| records::item(key, &bytes).map(|(_, item)| item)).transpose()
}

/// Returns the path of an item's page, as a transaction sees it.
fn page_of(tx: Tx<'_>, code: &InfoCode) -> TxResult<Option<String>> {
    let key = code.key();
    let record = tree(tx, TreeId::Item).get(&key)?;
    let item = record.map(|bytes| records::item(&key, &bytes).map_err(abort)).transpose()?;
    Ok(item.map(|(_, item)| item.permalink))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::store::{Change, Items, Records, SledStore, Tombstone, WithdrawnBy};

    #[test]
    fn a_path_leads_to_its_article_with_and_without_a_record() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(&folder.path().join("store"), 1 << 20).unwrap();
        store.fix("site.code_space", "own", true).unwrap();
        let now = Timestamp::from_unix(80);
        let own = CodeSpace::new("own").unwrap();
        let records =
            |store: &SledStore| store.with(|engine| Ok(engine.db.tree(TreeId::Path).len())).unwrap();
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
            let stone = Tombstone::new(now, WithdrawnBy::Admin, "", true);
            store.withdraw(&code, &stone).unwrap();
            assert_eq!(store.at_path(&own_path).unwrap(), Some(AtPath::Article(code)), "it answers 410");
        }
    }
}
