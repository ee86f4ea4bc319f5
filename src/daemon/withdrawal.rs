//! Withdrawing articles at the request of somebody entitled to it: by whatever name, with all copies, and
//! with a list of the other places that may still have them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::answers::{ItemRow, value};
use super::history::{places, publish};
use super::items::{known, readings, row};
use super::mill::Mill;
use super::other_copies::{self, OtherCopies};
use crate::blocking;
use crate::control::{Event, Events};
use crate::model::text::{clip_bytes, html_to_text};
use crate::model::{Cursor, InfoCode, Item, chain};
use crate::parse::link;
use crate::sink::OutputKey;
use crate::store::{AtPath, Store, StoreError, Tombstone, WithdrawnBy};

/// Redirects followed from an old path to an article.
const MAX_HOPS: usize = 5;
/// Items read in one step.
const STEP: usize = 500;
/// Copies that are listed at most.
const MOST_COPIES: usize = 1_000;

/// The options of a withdrawal.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that somebody types")]
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// InfoCodes, addresses of this site or of the newspapers.
    pub(super) names: Vec<String>,
    pub(super) why: String,
    /// Whether their text is erased too.
    pub(super) erase: bool,
    /// Whether copies are withdrawn as well.
    pub(super) copies: bool,
    /// Whether exports that contain them are replaced by a new one.
    pub(super) exports: bool,
    pub(super) dry_run: bool,
}

/// What was done, or would be.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Withdrawal {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// Whether their text is erased as well.
    pub erased: bool,
    /// The items to withdraw.
    pub items: Vec<ItemRow>,
    /// Other items with the same link or text.
    pub copies: Vec<Copy>,
    /// Whether anything was withdrawn now.
    pub changed: bool,
    /// The number withdrawn now; the others were withdrawn already.
    pub withdrawn: usize,
    /// Addresses that a CDN or a search engine may still have cached.
    pub urls: Vec<String>,
    /// Exports that contain them; unless the text is erased, only those from which an import would publish
    /// them.
    pub exports: Vec<String>,
    /// Exports that contained them and were deleted.
    pub deleted: Vec<String>,
    /// The export that replaces them.
    pub exported: Option<String>,
    /// Files among the exports that cannot be read, and may contain them.
    pub unread: Vec<String>,
    /// Older stores beside the one in use, which may contain them.
    pub stores: Vec<String>,
}

/// An item with the same content as another one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Copy {
    /// The item.
    #[serde(flatten)]
    pub row: ItemRow,
    /// What they have in common: `link` or `text`.
    pub same: String,
}

/// Finds the named items, lists their copies, and withdraws them unless it is a dry run.
pub(super) async fn withdraw(mill: &Arc<Mill>, wanted: Wanted, events: &Events) -> Result<Value, String> {
    if wanted.why.trim().is_empty() {
        return Err("say why (`--why`): whoever asks later wants to know".to_owned());
    }
    let own = Arc::clone(mill);
    let names = wanted.names.clone();
    let watch = events.clone();
    let found = mill.store.call(move |store| {
        let seen = |done: usize| {
            let _ = watch.try_send(Event::Progress { done, of: done, what: "items looked at".to_owned() });
        };
        let named = named(&own, store, &names, &seen)?;
        let copies = match &named {
            Ok(codes) => copies(store, codes, &seen)?,
            Err(_) => Vec::new(),
        };
        Ok((named, copies))
    });
    let (named, copies) = found.await.map_err(|e| chain(&e))?;
    let mut codes = named?;
    let own = Arc::clone(mill);
    let with = (codes.clone(), copies.clone(), wanted.clone());
    let told = mill.store.call(move |store| tell(&own, store, with));
    let mut told = told.await.map_err(|e| chain(&e))?;
    if wanted.copies {
        codes.extend(copies.into_iter().map(|(code, _)| code));
    }
    if !wanted.dry_run {
        told.withdrawn = take_out(mill, codes.clone(), &wanted).await?;
        told.changed = told.withdrawn > 0;
    }
    let (own, events) = (Arc::clone(mill), events.clone());
    let codes = codes.into_iter().collect();
    let told = blocking::run_long(move || with_exports(&own, &codes, &wanted, told, &events)).await;
    value(&told.map_err(|e| e.to_string())??)
}

/// Adds the exports and older stores that contain them. It is the last step, since exports may be large, and
/// the articles are withdrawn by then.
fn with_exports(
    mill: &Mill,
    codes: &BTreeSet<InfoCode>,
    wanted: &Wanted,
    mut told: Withdrawal,
    events: &Events,
) -> Result<Withdrawal, String> {
    let holding = OtherCopies::of(&mill.config, codes, !wanted.erase, &|done, of, path| {
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let what = format!("bytes of {}", path.display());
        let _ = events.try_send(Event::Progress { done: whole(done), of: whole(of), what });
    });
    let names = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect();
    told.exports = names(&holding.exports);
    told.unread = names(&holding.unread);
    told.stores = names(&holding.stores);
    if wanted.exports && !wanted.dry_run {
        let made = other_copies::replace(mill, &holding.exports)?;
        told.deleted = std::mem::take(&mut told.exports);
        told.exported = made.map(|path| path.display().to_string());
    }
    Ok(told)
}

/// Returns the items that people name, or a message if some are unknown, before anything is changed.
fn named(
    mill: &Mill,
    store: &dyn Store,
    names: &[String],
    seen: &dyn Fn(usize),
) -> Result<Result<Vec<InfoCode>, String>, StoreError> {
    let mut codes = Vec::new();
    let mut elsewhere: BTreeMap<String, &str> = BTreeMap::new();
    let mut unknown = Vec::new();
    for name in names {
        if let Some(code) = ours(mill, store, name)? {
            codes.push(code);
        } else if let Some(canonical) = link::canonical(name) {
            elsewhere.insert(canonical, name);
        } else {
            unknown.push(name.as_str());
        }
    }
    if !elsewhere.is_empty() {
        let mut hit = BTreeSet::new();
        every(store, seen, |item| {
            if let Some(canonical) = item.link.as_deref().and_then(link::canonical)
                && elsewhere.contains_key(&canonical)
            {
                codes.push(item.code);
                hit.insert(canonical);
            }
            Ok(())
        })?;
        unknown.extend(
            elsewhere.iter().filter(|(canonical, _)| !hit.contains(*canonical)).map(|(_, name)| *name),
        );
    }
    if !unknown.is_empty() {
        return Ok(Err(format!(
            "nothing is known under {}; `feedmill item find TEXT` searches titles and codes (nothing was done)",
            unknown.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        )));
    }
    let mut once = BTreeSet::new();
    codes.retain(|code| once.insert(code.clone()));
    Ok(Ok(codes))
}

/// Finds an item by an infoCode, or by an address or a path of this site.
fn ours(mill: &Mill, store: &dyn Store, name: &str) -> Result<Option<InfoCode>, StoreError> {
    let site = &mill.config.publish.site.url;
    let path = match Url::parse(name) {
        Ok(url) if url.origin() == site.origin() => url.path().strip_prefix(site.path()).map(str::to_owned),
        Ok(_) => None,
        Err(_) => name.strip_prefix('/').map(str::to_owned),
    };
    let Some(mut path) = path else {
        return if name.contains("://") { Ok(None) } else { known(mill, store, name) };
    };
    for _ in 0..MAX_HOPS {
        let plain = percent_encoding::percent_decode_str(&path).decode_utf8_lossy().into_owned();
        match store.at_path(&plain)? {
            Some(AtPath::Article(code)) => return Ok(Some(code)),
            Some(AtPath::Redirect(to)) => path = to,
            None => break,
        }
    }
    // If the store does not have the path, the file's name may be the code.
    let stem = path.rsplit('/').next().and_then(|file| file.strip_suffix(".html")).unwrap_or_default();
    let codes = readings(mill, stem);
    for code in codes {
        if store.item(&code)?.is_some() {
            return Ok(Some(code));
        }
    }
    Ok(None)
}

fn every(
    store: &dyn Store,
    seen: &dyn Fn(usize),
    mut look: impl FnMut(Item) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (mut from, mut done) = (Cursor::default(), 0);
    // Items that change meanwhile move behind `until`.
    let mut until = store.cursor()?;
    while from != until {
        let items;
        (items, from) = store.touched(&from, &until, STEP)?;
        done += items.len();
        items.into_iter().try_for_each(&mut look)?;
        seen(done);
        until = store.cursor()?;
    }
    Ok(())
}

/// Returns other items with the same link, or the same title and text, as one of these.
fn copies(
    store: &dyn Store,
    codes: &[InfoCode],
    seen: &dyn Fn(usize),
) -> Result<Vec<(InfoCode, &'static str)>, StoreError> {
    let mut links = BTreeSet::new();
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for code in codes {
        let Some(item) = store.item(code)? else { continue };
        links.extend(item.link.as_deref().and_then(link::canonical));
        let text = html_to_text(&store.body(code)?.html);
        if !text.trim().is_empty() {
            texts.entry(folded(&item.title)).or_default().insert(folded(&text));
        }
    }
    let mut copies = Vec::new();
    every(store, seen, |item| {
        if copies.len() >= MOST_COPIES || codes.contains(&item.code) || store.tombstone(&item.code)?.is_some()
        {
            return Ok(());
        }
        if item.link.as_deref().and_then(link::canonical).is_some_and(|link| links.contains(&link)) {
            copies.push((item.code, "link"));
        } else if let Some(same) = texts.get(&folded(&item.title))
            && same.contains(&folded(&html_to_text(&store.body(&item.code)?.html)))
        {
            copies.push((item.code, "text"));
        }
        Ok(())
    })?;
    Ok(copies)
}

/// Returns the text without white space, which depends on the layout.
fn folded(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn tell(
    mill: &Mill,
    store: &dyn Store,
    (codes, copies, wanted): (Vec<InfoCode>, Vec<(InfoCode, &'static str)>, Wanted),
) -> Result<Withdrawal, StoreError> {
    let mut told = Withdrawal { dry_run: wanted.dry_run, erased: wanted.erase, ..Withdrawal::default() };
    let mut urls = BTreeSet::new();
    let going = codes.iter().chain(copies.iter().filter(|_| wanted.copies).map(|(code, _)| code));
    for code in going {
        let Some(item) = store.item(code)? else { continue };
        urls.extend(places(mill, store, &item)?.into_iter().flat_map(|place| place.outputs));
        for id in &item.categories {
            let category = store.category(*id)?;
            urls.extend(category.map(|category| mill.pages.url(&OutputKey::Category(category.slug))));
        }
        urls.insert(mill.pages.url(&OutputKey::Home));
    }
    for code in &codes {
        told.items.extend(store.item(code)?.map(|item| row(mill, store, &item)).transpose()?);
    }
    for (code, same) in copies {
        if let Some(item) = store.item(&code)? {
            told.copies.push(Copy { row: row(mill, store, &item)?, same: same.to_owned() });
        }
    }
    told.urls = urls.into_iter().collect();
    Ok(told)
}

/// Withdraws the items, publishes, and then erases their text if wanted; returns how many were withdrawn.
///
/// Publishing comes first: it learns from the records which files to remove.
async fn take_out(mill: &Arc<Mill>, codes: Vec<InfoCode>, wanted: &Wanted) -> Result<usize, String> {
    let tombstone =
        |erased| Tombstone::new(mill.clock.now(), WithdrawnBy::Admin, clip_bytes(&wanted.why, 500), erased);
    let mut changed = each(mill, codes.clone(), tombstone(false)).await?;
    publish(mill).await?;
    if wanted.erase {
        let answers = mill.config.ingest.answers.clone();
        let forgotten = codes.clone();
        let listed = mill.store.call(move |store| {
            let mut sources = BTreeSet::new();
            for code in &forgotten {
                sources.extend(store.listings(code)?.into_iter().map(|(source, _)| source));
            }
            Ok(sources)
        });
        for source in listed.await.map_err(|e| chain(&e))? {
            if let Some(Err(error)) = answers.as_ref().map(|answers| answers.withhold(&source)) {
                return Err(format!(
                    "the last answer of `{source}` holds the text and cannot be deleted: {error}"
                ));
            }
        }
        changed = changed.max(each(mill, codes, tombstone(true)).await?);
    }
    Ok(changed)
}

async fn each(mill: &Mill, codes: Vec<InfoCode>, tombstone: Tombstone) -> Result<usize, String> {
    let done = mill.store.call(move |store| {
        let mut changed = 0;
        for code in &codes {
            changed += usize::from(store.withdraw(code, &tombstone)?);
        }
        store.sync()?;
        Ok(changed)
    });
    done.await.map_err(|e| chain(&e))
}
