//! Checking a store: the invariants of every record and between the trees.
//!
//! Each record is judged by itself, so that a store can be checked while it is in use: a record that seems
//! faulty is judged once more while nobody writes, and only then counted.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};

use super::judge::{Faults, judge, sources};
use super::loss::Loss;
use crate::model::InfoCode;
use crate::store::sled::bodies::is_balanced;
use crate::store::sled::database::{TreeId, backend, every};
use crate::store::sled::engine::Engine;
use crate::store::{Result, Watch};

/// Faults that are listed one by one, at most; all are counted.
const TOLD: usize = 100;
/// Records between two progress reports.
const STEP: u64 = 2_000;

/// The result of a check or a repair.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Records that were read.
    pub records: u64,
    /// Items among them.
    pub items: u64,
    /// Faults in total.
    pub faults: u64,
    /// Faults that were repaired.
    pub mended: u64,
    /// Number of faults of each kind.
    pub kinds: BTreeMap<String, u64>,
    /// The first faults, each with its record.
    pub told: Vec<String>,
    /// What a repair lost, or would lose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
}

impl Findings {
    pub(super) fn add(&mut self, tree: TreeId, key: &[u8], what: &str) {
        self.faults += 1;
        *self.kinds.entry(format!("{}: {what}", tree.name())).or_default() += 1;
        if self.told.len() < TOLD {
            self.told.push(format!("{} {}: {what}", tree.name(), name_of(tree, key)));
        }
    }
}

/// A callback that handles a record which seems faulty, and returns the faults to count.
pub(super) type Again<'a> = &'a mut dyn FnMut(TreeId, &[u8], &Faults) -> Result<Faults>;

/// All trees; those that others are judged by come first.
const ORDER: [TreeId; TreeId::ALL.len()] = [
    TreeId::Sys,
    TreeId::Dict,
    TreeId::Category,
    TreeId::CategoryKey,
    TreeId::Source,
    TreeId::SourceKey,
    TreeId::Tomb,
    TreeId::Item,
    TreeId::CatTime,
    TreeId::CatSeq,
    TreeId::Seal,
    TreeId::Resealed,
    TreeId::Version,
    TreeId::Seen,
    TreeId::Alias,
    TreeId::Changed,
    TreeId::Path,
    TreeId::Revision,
    TreeId::Void,
    TreeId::Touched,
    TreeId::History,
    TreeId::Published,
    TreeId::TextFile,
    TreeId::Record,
];

/// Checks the whole store without changing it.
///
/// # Errors
/// Those of the store: a page that cannot be read ends the check.
pub(super) fn check(engine: &Engine, watch: Watch<'_>) -> Result<Findings> {
    let mut found = walk(engine, watch, &mut |tree, key, _| {
        let _writing = engine.db.writing();
        match engine.db.get(tree, key)? {
            Some(value) => judge(engine, &sources(&engine.db)?, tree, key, &value),
            None => Ok(Vec::new()),
        }
    })?;
    let blobs = engine.db.path().join("blobs");
    for blob in fs::read_dir(blobs).into_iter().flatten().flatten() {
        let what = "a value stands in a file of its own, which is never synced";
        found.add(TreeId::Sys, blob.file_name().as_encoded_bytes(), what);
    }
    let _writing = engine.db.writing();
    if !is_balanced(&engine.db)? {
        found.add(TreeId::TextFile, b"", "the live bytes of files of texts are counted wrong");
    }
    Ok(found)
}

/// Judges every record. `again` is called for one that seems faulty, and returns the faults to count.
pub(super) fn walk(engine: &Engine, watch: Watch<'_>, again: Again<'_>) -> Result<Findings> {
    let mut found = Findings::default();
    let sources = sources(&engine.db)?;
    for (done, tree) in ORDER.into_iter().enumerate() {
        let name = tree.name();
        let mut seen = 0_u64;
        for entry in every(engine.db.tree(tree)) {
            let (key, value) = entry.map_err(|e| backend("be looked through", e))?;
            seen += 1;
            if seen % STEP == 1 {
                watch(done, ORDER.len(), format!("{name} {seen}"));
            }
            let faults = judge(engine, &sources, tree, &key, &value)?;
            if !faults.is_empty() {
                again(tree, &key, &faults)?.into_iter().for_each(|what| found.add(tree, &key, what));
            }
        }
        found.records += seen;
        if matches!(tree, TreeId::Item) {
            found.items = seen;
        }
    }
    watch(ORDER.len(), ORDER.len(), "all".to_owned());
    Ok(found)
}

/// Formats a key for people.
fn name_of(tree: TreeId, key: &[u8]) -> String {
    let code = match tree {
        TreeId::CatTime => key.get(12..),
        TreeId::Path | TreeId::SourceKey | TreeId::Sys | TreeId::CategoryKey => {
            return String::from_utf8_lossy(key).chars().filter(|c| !c.is_control()).take(200).collect();
        }
        _ => Some(key),
    };
    match code.and_then(InfoCode::from_key) {
        Some((code, _)) => code.to_string(),
        None => data_encoding::HEXLOWER.encode(&key[..key.len().min(40)]),
    }
}
