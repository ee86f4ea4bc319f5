//! Small records of other rooms: a kind, a key, and some bytes.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use sled::IVec;

use super::database::{Database, READ, TreeId, Tx, TxResult, backend, delete, put, tree, u64_at};
use crate::model::InfoCode;
use crate::store::{RecordKind, Result};

/// The prefix of the names under which earlier feedmills stored such values among the counters.
pub(super) const BOOKMARK: &str = "bookmark.";

fn key_of(kind: RecordKind, key: &[u8]) -> Vec<u8> {
    [&[kind as u8], key].concat()
}

pub(super) fn get(db: &Database, kind: RecordKind, key: &[u8]) -> Result<Option<Vec<u8>>> {
    Ok(db.get(TreeId::Record, key_of(kind, key))?.map(|value| value.to_vec()))
}

pub(super) fn after(
    db: &Database,
    kind: RecordKind,
    after: &[u8],
    limit: usize,
) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let from = key_of(kind, after);
    let own = db
        .tree(TreeId::Record)
        .range(from.as_slice()..)
        .filter(|entry| !entry.as_ref().is_ok_and(|(key, _)| **key == *from));
    own.take_while(|entry| entry.as_ref().map_or(true, |(key, _)| key.first() == Some(&(kind as u8))))
        .take(limit)
        .map(|entry| {
            let (key, value) = entry.map_err(|e| backend(READ, e))?;
            Ok((key.get(1..).unwrap_or_default().to_vec(), value.to_vec()))
        })
        .collect()
}

pub(super) fn put_all(db: &Database, kind: RecordKind, records: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<()> {
    let _writing = db.writing();
    put_own(db, kind, records)
}

/// Writes small records; the caller holds the writer's lock.
pub(super) fn put_own(db: &Database, kind: RecordKind, records: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<()> {
    for (key, value) in records {
        RecordKind::fits(key, value.as_deref().unwrap_or_default())?;
    }
    db.transact(|tx| {
        records.iter().try_for_each(|(key, value)| match value {
            Some(value) => put(tx, TreeId::Record, &key_of(kind, key), value),
            None => delete(tx, TreeId::Record, &key_of(kind, key)),
        })
    })
}

/// Returns whether an admin placed an item.
pub(super) fn is_placed(tx: Tx<'_>, code: &InfoCode) -> TxResult<bool> {
    Ok(tree(tx, TreeId::Record).get(key_of(RecordKind::Placement, &code.key()))?.is_some())
}

/// Records that an admin placed an item.
pub(super) fn place(tx: Tx<'_>, code: &InfoCode) -> TxResult<()> {
    put(tx, TreeId::Record, &key_of(RecordKind::Placement, &code.key()), &[])
}

/// Returns whether a record has a known kind and valid sizes.
pub(super) fn is_sound(key: &[u8], value: &[u8]) -> bool {
    let kind = key.first().is_some_and(|kind| RecordKind::ALL.iter().any(|known| *known as u8 == *kind));
    kind && RecordKind::fits(key.get(1..).unwrap_or_default(), value).is_ok()
}

/// Converts the numbers that earlier feedmills stored under hashed names to records.
///
/// # Errors
/// Those of sled.
pub(super) fn take_over(db: &Database) -> Result<()> {
    let mut found = BTreeMap::new();
    for entry in db.tree(TreeId::Sys).scan_prefix(BOOKMARK) {
        let (key, value) = entry.map_err(|e| backend(READ, e))?;
        let name = String::from_utf8_lossy(key.get(BOOKMARK.len()..).unwrap_or_default()).into_owned();
        found.insert(name, value.to_vec());
    }
    if found.is_empty() {
        return Ok(());
    }
    let mut records: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let hashed = |name: &str| data_encoding::HEXLOWER.encode(&Sha256::digest(name)[..16]);
    for key in db.tree(TreeId::Item).iter().keys() {
        let key = key.map_err(|e| backend(READ, e))?;
        let Some((code, _)) = InfoCode::from_key(&key) else { continue };
        if found.remove(&hashed(&format!("placed {}", code.text(None)))).is_some() {
            records.push((key_of(RecordKind::Placement, &key), Vec::new()));
        }
    }
    for id in (1..=db.counter("categories")?).filter_map(|id| u32::try_from(id).ok()) {
        // A merge that has ended has the value 0.
        let into = found.remove(&hashed(&format!("merging {id}"))).and_then(|value| u64_at(&value, 0));
        if let Some(into) = into.and_then(|into| u32::try_from(into).ok()).filter(|into| *into > 0) {
            records.push((key_of(RecordKind::Merge, &id.to_be_bytes()), into.to_be_bytes().to_vec()));
        }
    }
    let told = found.into_iter().map(|(name, value)| (key_of(RecordKind::Webhook, name.as_bytes()), value));
    records.extend(told);
    let old: Vec<IVec> = db
        .tree(TreeId::Sys)
        .scan_prefix(BOOKMARK)
        .keys()
        .collect::<sled::Result<_>>()
        .map_err(|e| backend(READ, e))?;
    db.transact(|tx| {
        records.iter().try_for_each(|(key, value)| put(tx, TreeId::Record, key, value))?;
        old.iter().try_for_each(|key| delete(tx, TreeId::Sys, key))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CodeSpace;
    use crate::store::{Categories, Change, Items, Records, SledStore};

    #[test]
    fn what_was_kept_under_hashed_names_is_kept_as_records() {
        let folder = tempfile::tempdir().unwrap();
        let now = crate::model::Timestamp::from_unix(1_800_000_000);
        let code = InfoCode::new(CodeSpace::new("s").unwrap(), "code-1");
        let hashed = |name: &str| data_encoding::HEXLOWER.encode(&Sha256::digest(name)[..16]);
        let hook = hashed("webhook.https://hook.example/");
        let store = SledStore::open(&folder.path().join("store"), 1 << 20).unwrap();
        let ids = ["甲", "乙"].map(|name| store.ensure_category(name, None, now).unwrap().id);
        let mut change = Change::of(code.clone());
        change.item = Some(crate::model::Item::sample(code.clone()));
        store.commit(vec![change], now).unwrap();
        let merges =
            [format!("merging {}", ids[0].0), format!("merging {}", ids[1].0)].map(|name| hashed(&name));
        let values = [
            (hashed(&format!("placed {}", code.text(None))), 1),
            (merges[0].clone(), u64::from(ids[1].0)),
            (merges[1].clone(), 0),
            (hook.clone(), 77),
        ];
        store
            .with(|engine| {
                engine.db.transact(|tx| {
                    values.iter().try_for_each(|(name, value)| {
                        put(tx, TreeId::Sys, format!("{BOOKMARK}{name}").as_bytes(), &value.to_be_bytes())
                    })
                })
            })
            .unwrap();
        for _ in 0..2 {
            store.with(|engine| take_over(&engine.db)).unwrap();
            assert!(store.basis(&code).unwrap().placed);
            let merges = store.records(RecordKind::Merge, &[], 9).unwrap();
            assert_eq!(merges, [(ids[0].0.to_be_bytes().to_vec(), ids[1].0.to_be_bytes().to_vec())]);
            let told = store.record(RecordKind::Webhook, hook.as_bytes()).unwrap();
            assert_eq!(told, Some(77_u64.to_be_bytes().to_vec()));
            assert_eq!(
                store.records(RecordKind::Webhook, &[], 9).unwrap().len(),
                1,
                "what has ended is no webhook"
            );
        }
        let told = store.check(&mut |_, _, _| {}).unwrap().told;
        assert!(
            !told.iter().any(|fault| fault.starts_with("record") || fault.starts_with("sys")),
            "{told:?}"
        );
    }
}
