//! Invariants of every record, and between the trees. A new tree gets its checks here.

use std::collections::HashSet;

use serde::de::DeserializeOwned;

use crate::model::{Category, CategoryId};
use crate::store::sled::bodies::{Place, live_in};
use crate::store::sled::database::{
    Database, FORMAT, MAX_VALUE, READ, TreeId, backend, category_key, code_in, decode, page_key, readable,
    time, time_key, u32_at, u64_at,
};
use crate::store::sled::engine::Engine;
use crate::store::sled::items::known_code;
use crate::store::sled::leaving::with_site;
use crate::store::sled::lists::{last_arrival, newest};
use crate::store::sled::source_numbers::names;
use crate::store::sled::source_record::state_in;
use crate::store::sled::touched::{is_touched, touched_codes};
use crate::store::sled::{alias, articles, categories, items, log, paths, records, slots, small_records};
use crate::store::{AtPath, Event, Result, Revision, Sighting, Tombstone};

/// The faults of one record, as messages.
pub(super) type Faults = Vec<&'static str>;

/// Returns the numbers of the sources that have a name.
pub(super) fn sources(db: &Database) -> Result<HashSet<u32>> {
    Ok(names(db)?.into_keys().collect())
}

/// Returns the faults of a record; `sources` are those that have a name.
pub(super) fn judge(
    engine: &Engine,
    sources: &HashSet<u32>,
    tree: TreeId,
    key: &[u8],
    value: &[u8],
) -> Result<Faults> {
    let known = |number: Option<u32>| number.is_some_and(|number| sources.contains(&number));
    let mut faults = match tree {
        TreeId::Item => item(engine, key, value)?,
        TreeId::CatTime => placed(engine, key, value)?,
        TreeId::CatSeq => arrived(engine, key, value)?,
        TreeId::Seal => seal(engine, key)?,
        TreeId::Resealed => resealed(engine, key)?,
        TreeId::Version => version(engine, key)?,
        TreeId::Seen => of_code::<(Sighting, Option<(u64, Event)>)>(engine, key, value, "sighting")?,
        TreeId::Revision => of_code::<Revision>(engine, key, value, "revision")?,
        TreeId::History => of_code::<Event>(engine, key, value, "event")?,
        TreeId::Tomb => tombstone(engine, key, value)?,
        TreeId::Alias => {
            alias::judge(&engine.db, key, value, |code| known_code(&engine.db, code))?.into_iter().collect()
        }
        TreeId::Category => category(engine, key, value)?,
        TreeId::CategoryKey => leading(engine, value)?,
        TreeId::Changed => changed(engine, key)?,
        TreeId::Path => path(engine, value)?,
        TreeId::Source => source(known(u32_at(key, 0)), value)?,
        TreeId::SourceKey => {
            let counted = u32_at(value, 0).is_some_and(|n| within(engine, "sources", u64::from(n)));
            unless(counted, "its number was never given")
        }
        TreeId::Void => unless(known(u32_at(key, 0)), "its source does not exist"),
        TreeId::Touched => touched(engine, key, value)?,
        TreeId::Dict => {
            let counted = u32_at(key, 0).is_some_and(|n| within(engine, "dictionaries", u64::from(n)));
            unless(counted, "its number was never given")
        }
        TreeId::Published => {
            let counted = u64_at(key, 0).is_some_and(|n| within(engine, "generation", n));
            unless(counted, "it is of a change that never was")
        }
        TreeId::TextFile => unless(live_in(value).is_some() && key.len() == 4, UNREADABLE),
        TreeId::Sys => sys(engine, key, value)?,
        TreeId::Record => unless(small_records::is_sound(key, value), "it is nobody's"),
    };
    if value.len() > MAX_VALUE {
        faults.push("it is larger than the layout allows");
    }
    Ok(faults)
}

fn unless(good: bool, what: &'static str) -> Faults {
    if good { Vec::new() } else { vec![what] }
}

const UNREADABLE: &str = "it cannot be read";

fn within(engine: &Engine, counter: &str, number: u64) -> bool {
    number > 0 && engine.db.counter(counter).is_ok_and(|most| number <= most)
}

fn item(engine: &Engine, key: &[u8], value: &[u8]) -> Result<Faults> {
    let Some((place, item)) = readable(records::item(key, value))? else { return Ok(vec![UNREADABLE]) };
    let mut faults = unless(item.code.key() == key, "its key is no code");
    let out = engine.db.get(TreeId::Tomb, key)?.is_some();
    for id in with_site(&item) {
        let entry = engine.db.get(TreeId::CatTime, time_key(id, item.published, key))?;
        let what = match (entry, out) {
            (None, true) => continue,
            (Some(_), true) => "it is withdrawn, and still in a category",
            (None, false) => "it is missing in one of its categories",
            (Some(entry), false) => {
                if log::is_in_order(&engine.db, id, key, &entry)? {
                    continue;
                }
                "it has no arrival number in one of its categories"
            }
        };
        faults.push(what);
    }
    if !is_touched(&engine.db, item.touched, key)? {
        faults.push("it is missing in the index of changes");
    }
    let here = AtPath::Article(item.code.clone());
    if readable(paths::at(&engine.db, &item.permalink))?.flatten() != Some(here) {
        faults.push("the path of its page does not lead to it");
    }
    if let Some((_, listing)) = records::first(value)?
        && readable(records::listing(listing))?.is_none()
    {
        faults.push("its first listing cannot be read");
    }
    if place == Place::NONE {
        faults.push("it has no text");
    } else if readable(articles::body(engine, key))?.is_none() {
        faults.push("its text is damaged");
    }
    Ok(faults)
}

fn placed(engine: &Engine, key: &[u8], value: &[u8]) -> Result<Faults> {
    let (Some(id), Some(at), Some(code)) = (u32_at(key, 0).map(CategoryId), u64_at(key, 4), key.get(12..))
    else {
        return Ok(vec![UNREADABLE]);
    };
    let Some(item) = readable(items::item(&engine.db, code))?.flatten() else {
        return Ok(vec!["an entry without its item"]);
    };
    let mut faults = unless(time(item.published) == at.to_be_bytes(), "its time is not its item's");
    if !with_site(&item).into_iter().any(|own| own == id) {
        faults.push("its item is not in this category");
    }
    if !log::is_in_order(&engine.db, id, code, value)? {
        faults.push("its arrival number leads elsewhere");
    }
    Ok(faults)
}

fn arrived(engine: &Engine, key: &[u8], value: &[u8]) -> Result<Faults> {
    let (Some(id), Some(slots)) = (u32_at(key, 0).map(CategoryId), slots::within(key, value)) else {
        return Ok(vec![UNREADABLE]);
    };
    if id == CategoryId::SITE {
        return Ok(vec!["an arrival at the whole site as an old format kept it"]);
    }
    for (number, slot) in slots {
        if !log::is_said(&engine.db, id, number, slot)? {
            return Ok(vec!["an arrival without its entry"]);
        }
    }
    Ok(Vec::new())
}

fn seal(engine: &Engine, key: &[u8]) -> Result<Faults> {
    let (Some(id), Some(page)) = (u32_at(key, 0).map(CategoryId), u32_at(key, 4)) else {
        return Ok(vec![UNREADABLE]);
    };
    let category = readable(categories::category(&engine.db, id))?.flatten();
    let mut faults = unless(category.is_some_and(|c| page <= c.sealed()), "a hundred that is not sealed");
    if !log::is_noted(&engine.db, id, page)? {
        faults.push("its last change is not noted");
    }
    Ok(faults)
}

fn resealed(engine: &Engine, key: &[u8]) -> Result<Faults> {
    let (Some(id), Some(at), Some(page)) = (u32_at(key, 0), u64_at(key, 4), u32_at(key, 12)) else {
        return Ok(vec![UNREADABLE]);
    };
    let seal = engine.db.get(TreeId::Seal, page_key(CategoryId(id), page))?;
    Ok(unless(seal.is_some_and(|seal| u64_at(&seal, 8) == Some(at)), "a change of a hundred that never was"))
}

fn version(engine: &Engine, key: &[u8]) -> Result<Faults> {
    let Some(code) = code_in(key) else { return Ok(vec!["it belongs to nothing"]) };
    let mut faults = unless(engine.db.get(TreeId::Item, code)?.is_some(), "a form of an item that never was");
    let whole = match u64_at(key, code.len()) {
        Some(since) => readable(articles::version(engine, code, since))?.is_some(),
        None => false,
    };
    if !whole {
        faults.push("a form that its item had cannot be read");
    }
    Ok(faults)
}

fn of_code<R: DeserializeOwned>(
    engine: &Engine,
    key: &[u8],
    value: &[u8],
    what: &'static str,
) -> Result<Faults> {
    let mut faults = unless(readable(decode::<R>(what, value))?.is_some(), UNREADABLE);
    let known = match code_in(key) {
        Some(code) => known_code(&engine.db, code)?,
        None => false,
    };
    if !known {
        faults.push("it is of an item that never was");
    }
    Ok(faults)
}

fn tombstone(engine: &Engine, key: &[u8], value: &[u8]) -> Result<Faults> {
    let Some(tombstone) = readable(decode::<Tombstone>("tombstone", value))? else {
        return Ok(vec![UNREADABLE]);
    };
    let there = engine.db.get(TreeId::Item, key)?.is_some();
    Ok(unless(tombstone.erased != there, "what it says of its item is not so"))
}

fn category(engine: &Engine, key: &[u8], value: &[u8]) -> Result<Faults> {
    let Some(category) = readable(decode::<Category>("category", value))? else {
        return Ok(vec![UNREADABLE]);
    };
    let mut faults = unless(category.id.0.to_be_bytes() == key, "it stands under the number of another");
    let site = category.id == CategoryId::SITE;
    let slug = engine.db.get(TreeId::CategoryKey, category_key(b's', category.slug.as_str()))?;
    // A later category may have taken over the name, which then resolves to that one.
    let name = engine.db.get(TreeId::CategoryKey, category_key(b'n', &category.name))?;
    if !site
        && !categories::merged(&engine.db, &category)?
        && (slug.is_none_or(|id| id != key) || name.is_none())
    {
        faults.push("its name or slug does not lead to it");
    }
    if engine.db.get(TreeId::Changed, [&category.generation.to_be_bytes()[..], key].concat())?.is_none() {
        faults.push("it is missing in the index of changes");
    }
    if !within(engine, "generation", category.generation) {
        faults.push("its generation was never given");
    }
    if category.newest != newest(&engine.db, category.id)? {
        faults.push("the time of its newest item is wrong");
    }
    let sealed = category.sealed();
    if sealed > 0 && category.id != CategoryId::SITE && !log::is_noted(&engine.db, category.id, sealed)? {
        faults.push("its last hundred is not noted as sealed");
    }
    if last_arrival(&engine.db, category.id)? > category.arrivals {
        faults.push("it counts fewer arrivals than there are");
    }
    Ok(faults)
}

fn leading(engine: &Engine, id: &[u8]) -> Result<Faults> {
    Ok(unless(engine.db.get(TreeId::Category, id)?.is_some(), "it leads to a category that never was"))
}

fn changed(engine: &Engine, key: &[u8]) -> Result<Faults> {
    let (Some(generation), Some(id)) = (u64_at(key, 0), u32_at(key, 8)) else { return Ok(vec![UNREADABLE]) };
    let category = readable(categories::category(&engine.db, CategoryId(id)))?.flatten();
    Ok(unless(category.is_some_and(|c| c.generation == generation), "an entry without its category"))
}

fn path(engine: &Engine, value: &[u8]) -> Result<Faults> {
    Ok(match (paths::article(value), paths::redirect(value)) {
        (Some(code), _) => unless(known_code(&engine.db, code)?, "it leads to an item that never was"),
        (None, Some(target)) => unless(!target.is_empty(), "it leads nowhere"),
        (None, None) => vec![UNREADABLE],
    })
}

fn source(named: bool, value: &[u8]) -> Result<Faults> {
    let state = readable(state_in(value))?;
    Ok(if state.is_none() { vec![UNREADABLE] } else { unless(named, "it has no name") })
}

fn touched(engine: &Engine, key: &[u8], codes: &[u8]) -> Result<Faults> {
    let Some(at) = u64_at(key, 0) else { return Ok(vec![UNREADABLE]) };
    for code in touched_codes(codes) {
        let Some(code) = code else { return Ok(vec![UNREADABLE]) };
        if readable(items::item(&engine.db, code))?.flatten().is_none_or(|item| item.touched != at) {
            return Ok(vec!["an entry without its item"]);
        }
    }
    Ok(Vec::new())
}

fn sys(engine: &Engine, key: &[u8], value: &[u8]) -> Result<Faults> {
    Ok(match key {
        b"format" => unless(value == [FORMAT], "it is not this program's"),
        b"generation" => {
            let last = engine.db.tree(TreeId::Changed).last().map_err(|e| backend(READ, e))?;
            let last = last.and_then(|(key, _)| u64_at(&key, 0)).unwrap_or_default();
            unless(u64_at(value, 0).is_some_and(|n| n >= last), "changes are newer than it")
        }
        _ => Vec::new(),
    })
}
