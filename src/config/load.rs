//! Finds, reads and loads the configuration's files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::faults::{Fault, Faults, Place};
use super::reader::{Ledger, Reader};
use super::secrets::Secrets;
use super::{Config, categories, rules, sections, sources, webhooks};
use crate::render::html::ThemeParts;

/// The most drop-ins that are read; further ones are ignored.
const MAX_FILES: usize = 10_000;
/// The largest size of a config file, in bytes.
const MAX_FILE: u64 = 16 << 20;
/// The file in the store's folder with the last config that loaded.
const LAST_GOOD: &str = "last-good-config.json";

/// The result of reading a configuration.
#[derive(Debug)]
pub struct Loaded {
    /// The settings; `None` if there are errors.
    pub config: Option<Config>,
    /// Errors and warnings.
    pub faults: Faults,
    /// Every key that exists, such as `source.detail.url`; the documentation must list them all.
    pub known: BTreeSet<String>,
}

/// Returns the path of the configuration: `given`, `$FEEDMILL_CONFIG`, `config/feedmill.toml` in the current
/// folder, or else `/etc/feedmill/feedmill.toml` (RULES 6.1), whether that exists or not.
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

/// Reads and checks the main file and its drop-ins.
#[must_use]
pub fn load(path: &Path) -> Loaded {
    Files::read(path).load()
}

/// All files of a configuration as of one moment, so that the bytes that are checked, used and kept are the
/// same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    path: PathBuf,
    /// The main file, then the drop-ins in the order of their names.
    texts: Vec<(PathBuf, Vec<u8>)>,
    /// Faults of files that could not be read or were skipped.
    faults: Vec<Fault>,
    /// The theme that was kept with the files; `None` if it is read from its folder.
    theme: Option<Arc<ThemeParts>>,
}

/// The serialized form of [`Files`] in the store's folder.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    path: PathBuf,
    files: Vec<(PathBuf, String)>,
    /// The theme's files in base 64, by name.
    #[serde(default)]
    theme: BTreeMap<String, String>,
}

impl Files {
    /// Reads the main file `path` and its drop-ins from the disk; what cannot be read becomes a fault.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let mut files = Self { path: path.to_owned(), ..Self::default() };
        if files.open(path) {
            for drop_in in drop_ins(&path.with_file_name("sources.d"), &mut files.faults) {
                files.open(&drop_in);
            }
        }
        files
    }

    fn open(&mut self, path: &Path) -> bool {
        let fault = match fs::metadata(path) {
            Ok(meta) if meta.len() > MAX_FILE => {
                let message = format!("the file has {} bytes; no config is that large", meta.len());
                Fault::error(&Place::whole(path), message)
            }
            _ => match fs::read(path) {
                Ok(bytes) => {
                    self.texts.push((path.to_owned(), bytes));
                    return true;
                }
                Err(error) => {
                    let message = format!("cannot read `{}`: {error}", path.display());
                    Fault::error(&Place::whole(path), message)
                        .help("name another file with `--config FILE`, or run `feedmill demo` to try it out")
                }
            },
        };
        self.faults.push(fault);
        false
    }

    /// Returns the main file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder of the drop-ins.
    pub(super) fn folder_of_drop_ins(&self) -> PathBuf {
        self.path.with_file_name("sources.d")
    }

    pub(super) fn is_main(&self, path: &Path) -> bool {
        self.path == path
    }

    /// Returns the text of a file, with bytes that are not UTF-8 replaced.
    pub(super) fn text(&self, path: &Path) -> Option<String> {
        let found = self.texts.iter().find(|(own, _)| own == path);
        found.map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Replaces the text of a file in memory, or adds a drop-in.
    pub(super) fn put(&mut self, path: &Path, text: String) {
        if let Some((_, bytes)) = self.texts.iter_mut().find(|(own, _)| own == path) {
            *bytes = text.into_bytes();
            return;
        }
        self.texts.push((path.to_owned(), text.into_bytes()));
        if let Some(drop_ins) = self.texts.get_mut(1..) {
            drop_ins.sort();
        }
    }

    /// Removes a drop-in in memory.
    pub(super) fn take_out(&mut self, path: &Path) {
        self.texts.retain(|(own, _)| own != path);
    }

    /// Returns the paths of the main file and of each drop-in.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.texts.iter().map(|(path, _)| path.as_path())
    }

    /// Returns whether the main file exists and is blank, which most likely means that it is being written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.first().is_some_and(|(_, bytes)| bytes.trim_ascii().is_empty())
    }

    /// Parses and checks the files.
    #[must_use]
    pub fn load(&self) -> Loaded {
        let ledger = Ledger::new();
        self.faults.iter().for_each(|fault| ledger.push(fault.clone()));
        let config = self.read_all(&ledger);
        let faults = ledger.take_faults();
        Loaded { config: config.filter(|_| !faults.has_errors()), faults, known: ledger.known_keys() }
    }

    fn read_all(&self, ledger: &Ledger) -> Option<Config> {
        let mut readers = self.texts.iter().map(|(path, bytes)| ledger.read(path, bytes));
        let mut main = readers.next()??;
        let mut drop_ins: Vec<Reader> = readers.flatten().collect();
        let path = self.path.as_path();
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);

        let mut sections = sections::read(&mut main, &folder, self.theme.as_ref());
        let defaults = main.section("defaults");
        let mut profiles = BTreeMap::new();
        for file in std::iter::once(&mut main).chain(&mut drop_ins) {
            for (name, profile) in file.entries("profile") {
                if profiles.insert(name.value.clone(), profile).is_some() {
                    file.error(&name.place, format!("the profile `{}` is there twice", name.value));
                }
            }
        }
        let secrets = Secrets::of(&folder);
        let mut found = sources::Sources::new(&defaults, &profiles, &sections.poll, &secrets);
        found.read_file(&mut main, true);
        for file in &mut drop_ins {
            found.read_file(file, false);
        }
        for file in std::iter::once(&mut main).chain(&mut drop_ins) {
            categories::categories(file, &mut sections.categories, &mut sections.rules);
        }
        for file in std::iter::once(&mut main).chain(&mut drop_ins) {
            categories::combined(file, &mut sections.combined, &sections.categories);
        }
        sections.webhooks = webhooks::read(&mut main, &secrets);
        rules::check_names(&main, &sections.rules);
        main.finish();
        for file in drop_ins {
            file.finish();
        }
        let sources = found.finish(sections.contact.as_deref());
        sources::finish_shared(profiles, defaults, &sections.poll, &secrets);
        Some(sections.into_config(path, sources))
    }

    /// Saves the files and the theme in the store's folder as the last config that loaded (RULES 6.2). They may
    /// contain passwords, so only the owner may read the copy.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn keep(&self, store: &Path, theme: &ThemeParts) -> io::Result<()> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let files = self.texts.iter().map(|(path, bytes)| (path.clone(), text(bytes))).collect();
        let theme = theme.files.iter().map(|(name, bytes)| (name.clone(), BASE64.encode(bytes))).collect();
        let kept = serde_json::to_vec(&Kept { path: self.path.clone(), files, theme })?;
        if fs::read(store.join(LAST_GOOD)).is_ok_and(|known| known == kept) {
            return Ok(());
        }
        // A temporary file has mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(store)?;
        file.write_all(&kept)?;
        file.as_file().sync_all()?;
        file.persist(store.join(LAST_GOOD))?;
        Ok(())
    }

    /// Returns the files that were saved last for this main file, if its store can be found. The main file may
    /// be so broken that only its line with the store's path is understood.
    #[must_use]
    pub fn kept(path: &Path) -> Option<Self> {
        let main = fs::read_to_string(path).unwrap_or_default();
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        let stores = [named_store(&main).map(|named| folder.join(named)), Some(folder.join("../data/store"))];
        // Under systemd the store is in the state directory.
        let state = std::env::var_os("STATE_DIRECTORY").map(PathBuf::from);
        let state = state.map(|state| state.join("store"));
        stores.into_iter().flatten().chain(state).find_map(|store| {
            let bytes = fs::read(store.join(LAST_GOOD)).ok()?;
            let kept: Kept = serde_json::from_slice(&bytes).ok()?;
            let texts = kept.files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
            let decoded = |(name, text): (String, String)| Some((name, BASE64.decode(text.as_bytes()).ok()?));
            let theme = ThemeParts { files: kept.theme.into_iter().filter_map(decoded).collect() };
            let theme = Some(Arc::new(theme));
            (kept.path == path).then(|| Self { path: kept.path, texts, faults: Vec::new(), theme })
        })
    }
}

/// Returns the `path` of `[store]`, read line by line because the file as a whole is faulty.
fn named_store(main: &str) -> Option<String> {
    let lines = main.lines().map(str::trim).skip_while(|line| !line.starts_with("[store]")).skip(1);
    let mut own = lines.take_while(|line| !line.starts_with('['));
    let value = own.find_map(|line| line.strip_prefix("path")?.trim_start().strip_prefix('='))?.trim();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value.get(1..)?.split(quote).next().map(str::to_owned)
}

/// Returns the drop-ins in the order of their names; a TOML file whose name is not allowed gets a warning.
fn drop_ins(folder: &Path, faults: &mut Vec<Fault>) -> Vec<PathBuf> {
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
            faults.push(fault.help(
                "name the file with small letters, digits, `.`, `-` and `_` only, like `qinghai.toml`",
            ));
        }
    }
    files.sort();
    if files.len() > MAX_FILES {
        let message =
            format!("`{}` holds more than {MAX_FILES} files; the last are not read", folder.display());
        faults.push(Fault::error(&Place::whole(folder), message).help("put several sources into one file"));
        files.truncate(MAX_FILES);
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_of_a_broken_file_is_found() {
        for (text, store) in [
            ("[site]\npath = \"x\"\n[store]\ncache = \"1MiB\"\npath = \"a/b\" # here\n[output", Some("a/b")),
            ("[store]\npath='c'\n= =", Some("c")),
            ("[store]\n[output]\npath = \"no\"\n", None),
            ("[store]\npath = no", None),
            ("", None),
        ] {
            assert_eq!(named_store(text).as_deref(), store, "{text}");
        }
    }
}
