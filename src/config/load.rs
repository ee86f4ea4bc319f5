//! Finding and reading the files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::faults::{Fault, Faults, Place};
use super::reader::{Ledger, Reader};
use super::{Config, rules, sections, sources, webhooks};

/// Drop-in files beyond this many are a mistake.
const MAX_FILES: usize = 10_000;
/// A config file beyond this size is a mistake, in bytes.
const MAX_FILE: u64 = 16 << 20;

/// What came of reading a configuration.
#[derive(Debug)]
pub struct Loaded {
    /// The settings; `None` when there are errors.
    pub config: Option<Config>,
    /// Errors and warnings.
    pub faults: Faults,
    /// Every key that there is, as `source.detail.url`: what the documents must tell.
    pub known: BTreeSet<String>,
}

/// Where the configuration is: as given, `$FEEDMILL_CONFIG`, `config/feedmill.toml` here, else
/// `/etc/feedmill/feedmill.toml` (RULES 6.1). The last is named even if nothing is there.
#[must_use]
pub fn find(given: Option<&Path>) -> PathBuf {
    if let Some(given) = given {
        return given.to_owned();
    }
    if let Some(named) = std::env::var_os("FEEDMILL_CONFIG").filter(|named| !named.is_empty()) {
        return PathBuf::from(named);
    }
    let here = PathBuf::from("config/feedmill.toml");
    if here.exists() { here } else { PathBuf::from("/etc/feedmill/feedmill.toml") }
}

/// Reads the main file and its drop-ins.
#[must_use]
pub fn load(path: &Path) -> Loaded {
    let ledger = Ledger::new();
    let config = read_all(path, &ledger);
    let faults = ledger.take_faults();
    Loaded { config: config.filter(|_| !faults.has_errors()), faults, known: ledger.known_keys() }
}

fn read_all(path: &Path, ledger: &Ledger) -> Option<Config> {
    let mut main = open(path, ledger)?;
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    let mut drop_ins: Vec<Reader> =
        drop_ins(&folder.join("sources.d"), ledger).iter().filter_map(|file| open(file, ledger)).collect();

    let mut sections = sections::read(&mut main, &folder);
    let defaults = main.section("defaults");
    let mut profiles = BTreeMap::new();
    for file in std::iter::once(&mut main).chain(&mut drop_ins) {
        for (name, profile) in file.entries("profile") {
            if profiles.insert(name.value.clone(), profile).is_some() {
                file.error(&name.place, format!("the profile `{}` is there twice", name.value));
            }
        }
    }
    let mut found = sources::Sources::new(&defaults, &profiles, &sections.poll);
    found.read_file(&mut main, true);
    for file in &mut drop_ins {
        found.read_file(file, false);
    }
    for file in std::iter::once(&mut main).chain(&mut drop_ins) {
        sections::categories(file, &mut sections.categories, &mut sections.rules);
    }
    for file in std::iter::once(&mut main).chain(&mut drop_ins) {
        sections::combined(file, &mut sections.combined, &sections.categories);
    }
    sections.webhooks = webhooks::read(&mut main, &folder);
    rules::check_names(&main, &sections.rules);
    main.finish();
    for file in drop_ins {
        file.finish();
    }
    let sources = found.finish(sections.contact.as_deref());
    sources::finish_shared(profiles, defaults, &sections.poll);
    Some(sections.into_config(path, sources))
}

fn open(path: &Path, ledger: &Ledger) -> Option<Reader> {
    let whole = || Place::whole(path);
    match fs::metadata(path) {
        Ok(meta) if meta.len() > MAX_FILE => {
            ledger.push(Fault::error(
                &whole(),
                format!("the file has {} bytes; no config is that large", meta.len()),
            ));
            None
        }
        _ => match fs::read(path) {
            Ok(bytes) => ledger.read(path, &bytes),
            Err(error) => {
                let fault = Fault::error(&whole(), format!("cannot read `{}`: {error}", path.display()));
                ledger
                    .push(fault.help(
                        "name another file with `--config FILE`, or run `feedmill demo` to try it out",
                    ));
                None
            }
        },
    }
}

/// The drop-ins in the order of their names; what looks like one by mistake is named.
fn drop_ins(folder: &Path, ledger: &Ledger) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let stem_good =
            name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
                && name.starts_with(|c: char| c.is_ascii_alphanumeric());
        let is_toml = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
        if stem_good && is_toml {
            files.push(path);
        } else if is_toml && !name.starts_with('.') {
            let fault = Fault::warning(&Place::whole(path), format!("`{name}` is not read"));
            ledger.push(fault.help(
                "name the file with small letters, digits, `.`, `-` and `_` only, like `qinghai.toml`",
            ));
        }
    }
    files.sort();
    files.truncate(MAX_FILES);
    files
}
