//! Statistics of the store.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::disk;
use crate::model::Timestamp;
use crate::store::sled::bodies::{self, live_in, named};
use crate::store::sled::database::{TreeId, backend, every, readable};
use crate::store::sled::engine::Engine;
use crate::store::sled::records;
use crate::store::sled::store::SledStore;
use crate::store::{Result, Watch};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Periods whose growth is reported, in days.
const SPANS: [i64; 3] = [1, 7, 30];
/// Records between two progress reports.
const STEP: u64 = 10_000;

/// Statistics of one tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeStats {
    /// Its name.
    pub name: String,
    /// Number of records.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

/// Items that came in lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// Length of the period in days.
    pub days: i64,
    /// Items first seen in it.
    pub items: u64,
}

/// Statistics of the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Items, withdrawn ones included.
    pub items: u64,
    /// Tombstones.
    pub withdrawn: u64,
    /// Bytes of keys, values and packed texts.
    pub live_bytes: u64,
    /// Bytes of the store's folder on disk, without the ballast.
    pub disk_bytes: u64,
    /// Ratio of `disk_bytes` to `live_bytes`; `store compact` lowers a high one.
    pub ratio: f64,
    /// Bytes of texts before compression.
    pub text_bytes: u64,
    /// Bytes free on its disk.
    pub free_bytes: Option<u64>,
    /// Growth in each period.
    pub growth: Vec<Growth>,
    /// The trees.
    pub trees: Vec<TreeStats>,
}

impl SledStore {
    /// Counts the contents of the store while it is in use.
    ///
    /// # Errors
    /// Those of the store.
    pub fn stats(&self, now: Timestamp, watch: Watch<'_>) -> Result<Stats> {
        self.with(|engine| stats(engine, now, watch))
    }
}

/// Counts everything.
///
/// # Errors
/// Those of the store.
fn stats(engine: &Engine, now: Timestamp, watch: Watch<'_>) -> Result<Stats> {
    let mut growth = SPANS.map(|days| Growth { days, items: 0 });
    let (mut text_bytes, mut packed_bytes) = (0, 0);
    let mut trees = Vec::new();
    for (number, id) in TreeId::ALL.into_iter().enumerate() {
        let name = id.name();
        let mut tree = TreeStats { name: name.to_owned(), records: 0, bytes: 0 };
        for entry in every(engine.db.tree(id)) {
            let (key, value) = entry.map_err(|e| backend("be counted", e))?;
            tree.records += 1;
            tree.bytes += (key.len() + value.len()) as u64;
            if tree.records % STEP == 1 {
                watch(number, TreeId::ALL.len(), format!("{name} {}", tree.records));
            }
            if id == TreeId::Item {
                grown(&key, &value, now, &mut growth)?;
                text_bytes += named(&value).map_or(0, |place| u64::from(place.raw));
            } else if id == TreeId::TextFile {
                packed_bytes += live_in(&value).unwrap_or_default();
            }
        }
        trees.push(tree);
    }
    watch(TreeId::ALL.len(), TreeId::ALL.len(), "all".to_owned());
    let live_bytes = packed_bytes + trees.iter().map(|tree| tree.bytes).sum::<u64>();
    let disk_bytes = on_disk(engine.db.path());
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    let ratio = disk_bytes as f64 / (live_bytes as f64).max(1.0);
    let records = |tree: TreeId| trees[tree as usize].records;
    Ok(Stats {
        items: records(TreeId::Item),
        withdrawn: records(TreeId::Tomb),
        live_bytes,
        disk_bytes,
        ratio,
        text_bytes,
        free_bytes: disk::free(engine.db.path()),
        growth: growth.to_vec(),
        trees,
    })
}

fn grown(key: &[u8], value: &[u8], now: Timestamp, growth: &mut [Growth]) -> Result<()> {
    if let Some((_, item)) = readable(records::item(key, value))? {
        let age = now.since(item.first_seen);
        for span in growth.iter_mut().filter(|span| age < span.days * DAY) {
            span.items += 1;
        }
    }
    Ok(())
}

fn on_disk(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let own = entries.filter(|entry| entry.file_name() != disk::BALLAST);
    own.map(|entry| entry.metadata().map_or(0, |meta| meta.len())).sum::<u64>() + bodies::on_disk(folder)
}
