//! Changes that commands make to the admin's files. Comments, order and layout are preserved.
//!
//! A change is made on the texts in memory and checked as a whole before a byte is written. Every process
//! that changes the files holds the lock of their folder from reading them on, so that no change overwrites
//! another.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use thiserror::Error;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value, value};

use super::load::Files;
use super::lock::{ConfigLock, folder_of};

/// An error of a change that a command makes to the config.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EditError {
    /// There is no source of this id.
    #[error("there is no source `{0}` in the config; see `feedmill source list`")]
    NoSource(String),
    /// The file cannot be read as TOML.
    #[error("`{path}` cannot be changed by a command before it is mended; see `feedmill check`")]
    Faulty {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        #[source]
        source: toml_edit::TomlError,
    },
    /// The folder of the config cannot be locked against other commands.
    #[error("cannot lock the folder `{path}` against other commands that change the config")]
    Lock {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A file of that name exists.
    #[error("`{0}` is there already; take another id with `--id`")]
    Taken(PathBuf),
    /// A file cannot be written or removed.
    #[error("cannot write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

/// The config with changes that are not written yet. While it exists, no other process can begin an edit: a
/// command keeps it until the daemon has read what it wrote.
#[derive(Debug)]
pub struct Edit {
    files: Files,
    changed: Vec<PathBuf>,
    removed: Vec<PathBuf>,
    _lock: ConfigLock,
}

impl Edit {
    /// Waits for the lock of the config's folder, then reads the files of the main file `path`; `waiting` is
    /// called if another process holds the lock.
    ///
    /// # Errors
    /// [`EditError::Lock`].
    pub fn begin(path: &Path, waiting: impl FnOnce()) -> Result<Self, EditError> {
        let lock = ConfigLock::wait(path, waiting);
        let lock = lock.map_err(|source| EditError::Lock { path: folder_of(path).to_owned(), source })?;
        Ok(Self { files: Files::read(path), changed: Vec::new(), removed: Vec::new(), _lock: lock })
    }

    /// Returns the files with the changes applied.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Adds a drop-in called `NAME.toml` and returns its path.
    ///
    /// # Errors
    /// [`EditError::Taken`].
    pub fn add(&mut self, name: &str, text: &str) -> Result<PathBuf, EditError> {
        let path = self.files.folder_of_drop_ins().join(format!("{name}.toml"));
        if path.exists() || self.files.text(&path).is_some() {
            return Err(EditError::Taken(path));
        }
        self.put(&path, text.to_owned());
        Ok(path)
    }

    /// Sets a key of a source, or removes it if `to` is `None`; returns the changed file.
    ///
    /// # Errors
    /// [`EditError`]; nothing is changed then.
    pub fn set(&mut self, id: &str, key: &str, to: Option<Value>) -> Result<PathBuf, EditError> {
        let (path, mut document, nth) = self.source(id)?;
        if let Some(table) = tables(&mut document, "source").and_then(|all| all.get_mut(nth)) {
            put_key(table, key, to);
        }
        self.put(&path, document.to_string());
        Ok(path)
    }

    /// Removes a source, and its drop-in if nothing else is in it; returns the file.
    ///
    /// # Errors
    /// [`EditError`]; nothing is changed then.
    pub fn remove(&mut self, id: &str) -> Result<PathBuf, EditError> {
        let (path, mut document, nth) = self.source(id)?;
        if let Some(all) = tables(&mut document, "source") {
            all.remove(nth);
            if all.is_empty() {
                document.remove("source");
            }
        }
        if document.as_table().is_empty() && !self.files.is_main(&path) {
            self.files.take_out(&path);
            self.changed.retain(|changed| *changed != path);
            self.removed.push(path.clone());
        } else {
            self.put(&path, document.to_string());
        }
        Ok(path)
    }

    /// Names a category, in its own table or else in a new one in `categories.toml`; returns the changed file.
    ///
    /// # Errors
    /// [`EditError`]; nothing is changed then.
    pub fn name_category(
        &mut self,
        slug: &str,
        name: &str,
        old_name: &str,
        aliases: &[String],
    ) -> Result<PathBuf, EditError> {
        for (path, mut document) in self.documents()? {
            let Some(all) = tables(&mut document, "category") else { continue };
            let found = all.iter_mut().find(|table| {
                let is = |key: &str, wanted: &str| table.get(key).and_then(Item::as_str) == Some(wanted);
                is("slug", slug) || is("name", old_name) || aliases.iter().any(|alias| is("slug", alias))
            });
            if let Some(table) = found {
                put_category(table, slug, name, aliases);
                self.put(&path, document.to_string());
                return Ok(path);
            }
        }
        let path = self.files.folder_of_drop_ins().join("categories.toml");
        let text = self
            .files
            .text(&path)
            .unwrap_or_else(|| "# Names of categories, written by `feedmill category`.\n".to_owned());
        let mut document = parse(&path, &text)?;
        let all = document.entry("category").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        if let Some(all) = all.as_array_of_tables_mut() {
            let mut table = Table::new();
            put_category(&mut table, slug, name, aliases);
            all.push(table);
        }
        self.put(&path, document.to_string());
        Ok(path)
    }

    /// Replaces the categories `from` by `to` in sources, profiles, defaults and rules, and removes the
    /// `[[category]]` tables of `from`; returns the changed files.
    ///
    /// # Errors
    /// [`EditError`]; nothing is changed then.
    pub fn redirect_category(&mut self, from: &[String], to: &str) -> Result<Vec<PathBuf>, EditError> {
        let mut touched = Vec::new();
        for (path, mut document) in self.documents()? {
            let before = document.to_string();
            if let Some(all) = tables(&mut document, "category") {
                all.retain(|table| {
                    let is = |key: &str| table.get(key).and_then(Item::as_str);
                    ![is("slug"), is("name")]
                        .into_iter()
                        .flatten()
                        .any(|known| from.iter().any(|f| f == known))
                });
                if all.is_empty() {
                    document.remove("category");
                }
            }
            redirect(document.as_table_mut(), from, to);
            let after = document.to_string();
            if after != before {
                self.put(&path, after);
                touched.push(path);
            }
        }
        Ok(touched)
    }

    /// Writes the changed files, each atomically, and deletes the removed ones.
    ///
    /// # Errors
    /// [`EditError::Write`]; files before the one that it names are already written.
    pub fn write(&self) -> Result<(), EditError> {
        for path in &self.changed {
            let text = self.files.text(path).unwrap_or_default();
            replace(path, &text).map_err(|source| EditError::Write { path: path.clone(), source })?;
        }
        for path in &self.removed {
            std::fs::remove_file(path).map_err(|source| EditError::Write { path: path.clone(), source })?;
        }
        Ok(())
    }

    fn put(&mut self, path: &Path, text: String) {
        self.files.put(path, text);
        if !self.changed.iter().any(|changed| changed == path) {
            self.changed.push(path.to_owned());
        }
    }

    fn documents(&self) -> Result<Vec<(PathBuf, DocumentMut)>, EditError> {
        let texts =
            self.files.paths().map(|path| (path.to_owned(), self.files.text(path).unwrap_or_default()));
        texts.map(|(path, text)| parse(&path, &text).map(|document| (path, document))).collect()
    }

    /// Returns the file of a source, and the index of its table among those of that file.
    fn source(&self, id: &str) -> Result<(PathBuf, DocumentMut, usize), EditError> {
        for (path, mut document) in self.documents()? {
            let Some(all) = tables(&mut document, "source") else { continue };
            let alone = all.len() == 1 && !self.files.is_main(&path);
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let nth = all.iter().position(|table| match table.get("id").and_then(Item::as_str) {
                Some(own) => own == id,
                None => alone && stem == id,
            });
            if let Some(nth) = nth {
                return Ok((path, document, nth));
            }
        }
        Err(EditError::NoSource(id.to_owned()))
    }
}

fn parse(path: &Path, text: &str) -> Result<DocumentMut, EditError> {
    text.parse().map_err(|source| EditError::Faulty { path: path.to_owned(), source })
}

fn tables<'a>(document: &'a mut DocumentMut, key: &str) -> Option<&'a mut ArrayOfTables> {
    document.get_mut(key).and_then(Item::as_array_of_tables_mut)
}

fn put_key(table: &mut Table, key: &str, to: Option<Value>) {
    let Some(mut to) = to else {
        table.remove(key);
        return;
    };
    // A comment after the value is kept.
    if let Some(old) = table.get(key).and_then(Item::as_value) {
        *to.decor_mut() = old.decor().clone();
    }
    table.insert(key, Item::Value(to));
}

fn put_category(table: &mut Table, slug: &str, name: &str, aliases: &[String]) {
    put_key(table, "name", Some(name.into()));
    put_key(table, "slug", Some(slug.into()));
    let mut all: Vec<String> = table
        .get("aliases")
        .and_then(Item::as_array)
        .into_iter()
        .flatten()
        .filter_map(|alias| alias.as_str().map(str::to_owned))
        .collect();
    all.extend(aliases.iter().filter(|alias| *alias != slug).cloned());
    all.sort();
    all.dedup();
    if !all.is_empty() {
        table.insert("aliases", value(Value::from_iter(all)));
    }
}

/// Replaces category names in `category`, `categories` and `to`, in this table and all below it.
fn redirect(table: &mut Table, from: &[String], to: &str) {
    for (key, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => redirect(inner, from, to),
            Item::ArrayOfTables(all) => all.iter_mut().for_each(|inner| redirect(inner, from, to)),
            Item::Value(old) if matches!(key.get(), "category" | "to" | "categories") => {
                redirect_value(old, from, to);
            }
            _ => {}
        }
    }
}

fn redirect_value(old: &mut Value, from: &[String], to: &str) {
    if old.as_str().is_some_and(|name| from.iter().any(|f| f == name)) {
        let decor = old.decor().clone();
        *old = to.into();
        *old.decor_mut() = decor;
    } else if let Some(list) = old.as_array_mut() {
        list.iter_mut().for_each(|one| redirect_value(one, from, to));
    }
}

/// Writes a file atomically, with the mode that it has.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    // A new file must be readable by the service's user as well.
    let mode = std::fs::metadata(path).map_or(Permissions::from_mode(0o644), |meta| meta.permissions());
    file.as_file().set_permissions(mode)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "# mine\n[site]\ntitle = \"x\" # why\n[[source]] # first\nid = \"a\"\nurl = \"http://127.0.0.1/a\"\ncategory = \"甲报\" # home\n";
    const TWO: &str = "# two papers\n[[source]]\nid = \"b\"\nurl = \"http://127.0.0.1/b\"\ncategory = [\"甲报\", \"乙报\"]\n\n# the other\n[[source]]\nid = \"c\"\nurl = \"http://127.0.0.1/c\"\ncategory = \"乙报\"\n";

    fn edited(folder: &Path) -> Edit {
        std::fs::create_dir_all(folder.join("sources.d")).unwrap();
        std::fs::write(folder.join("feedmill.toml"), MAIN).unwrap();
        std::fs::write(folder.join("sources.d/two.toml"), TWO).unwrap();
        std::fs::write(
            folder.join("sources.d/alone.toml"),
            "[[source]]\nurl = \"http://127.0.0.1/d\"\ncategory = \"丁报\"\n",
        )
        .unwrap();
        Edit::begin(&folder.join("feedmill.toml"), || panic!("nobody else edits")).unwrap()
    }

    #[test]
    fn an_edit_begins_when_the_one_before_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = edited(folder.path());
        let path = folder.path().join("feedmill.toml");
        let (sender, waits) = std::sync::mpsc::channel();
        let second = std::thread::spawn(move || {
            let mut second = Edit::begin(&path, || sender.send(()).unwrap()).unwrap();
            second.set("c", "enabled", Some(false.into())).unwrap();
            second.write().unwrap();
        });
        waits.recv().unwrap();
        first.set("b", "enabled", Some(false.into())).unwrap();
        first.write().unwrap();
        drop(first);
        second.join().unwrap();
        let two = std::fs::read_to_string(folder.path().join("sources.d/two.toml")).unwrap();
        assert_eq!(two.matches("enabled = false").count(), 2, "{two}");
    }

    #[test]
    fn comments_stay() {
        let folder = tempfile::tempdir().unwrap();
        let mut edit = edited(folder.path());
        edit.set("a", "enabled", Some(false.into())).unwrap();
        edit.set("a", "category", Some("丙报".into())).unwrap();
        edit.set("alone", "name", Some("丁".into())).unwrap();
        edit.remove("b").unwrap();
        assert!(matches!(edit.set("nobody", "name", None), Err(EditError::NoSource(_))));
        edit.write().unwrap();
        let main = std::fs::read_to_string(folder.path().join("feedmill.toml")).unwrap();
        assert_eq!(main, MAIN.replace("甲报", "丙报") + "enabled = false\n");
        let two = std::fs::read_to_string(folder.path().join("sources.d/two.toml")).unwrap();
        assert!(!two.contains("/b") && two.contains("# the other\n[[source]]\nid = \"c\""), "{two}");
        assert!(edit.files().load().config.is_some());
        edit.remove("alone").unwrap();
        edit.write().unwrap();
        assert!(!folder.path().join("sources.d/alone.toml").exists(), "nothing else stood there");
    }

    /// A table that has only a name keeps what it sets.
    #[test]
    fn a_renamed_category_keeps_its_settings() {
        let folder = tempfile::tempdir().unwrap();
        let mut edit = edited(folder.path());
        let path = folder.path().join("sources.d/kept.toml");
        edit.put(&path, "[[category]]\nname = \"甲报\" # ours\nkeep_items = 9\n".to_owned());
        edit.name_category("jia", "新甲报", "甲报", &["jiabao".to_owned()]).unwrap();
        edit.redirect_category(&["甲报".to_owned()], "新甲报").unwrap();
        let text = edit.files().text(&path).unwrap();
        assert!(text.contains("name = \"新甲报\" # ours\nkeep_items = 9\nslug = \"jia\""), "{text}");
        assert!(edit.files().text(&folder.path().join("sources.d/categories.toml")).is_none());
    }

    #[test]
    fn categories_are_named_once_and_redirected_everywhere() {
        let folder = tempfile::tempdir().unwrap();
        let mut edit = edited(folder.path());
        edit.name_category("jiabao", "新甲报", "甲报", &[]).unwrap();
        let path = edit.name_category("jia", "更新甲报", "新甲报", &["jiabao".to_owned()]).unwrap();
        let text = edit.files().text(&path).unwrap();
        assert_eq!(text.matches("[[category]]").count(), 1, "{text}");
        assert!(text.contains("name = \"更新甲报\"\nslug = \"jia\"\naliases = [\"jiabao\"]"), "{text}");
        let touched = edit.redirect_category(&["甲报".to_owned(), "jia".to_owned()], "乙报").unwrap();
        assert_eq!(touched.len(), 3, "{touched:?}");
        let main = edit.files().text(&folder.path().join("feedmill.toml")).unwrap();
        assert!(main.contains("category = \"乙报\" # home"), "{main}");
        assert!(
            edit.files()
                .text(&folder.path().join("sources.d/two.toml"))
                .unwrap()
                .contains("[\"乙报\", \"乙报\"]")
        );
    }
}
