//! Files that an admin adds to the outputs: a logo, a verification file. They are copied unchanged, as a unit
//! of their own, and compared byte by byte at every whole publish.

use std::fs;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::error::PublishError;
use super::keys::SITE_UNIT;
use super::run::Run;
use crate::model::CategoryId;
use crate::sink::{Directory, File, Precompression, Rendered};

/// The unit of the copies; no slug begins with `_`.
const STATIC_UNIT: &str = "_static";

impl Run<'_> {
    /// Copies what differs and removes copies whose original is gone.
    pub(super) fn static_files(&mut self, sink: &mut Directory) -> Result<(), PublishError> {
        let files = match self.pages.options.static_files.as_deref() {
            Some(root) if root.is_dir() => read_all(root)?,
            _ => Vec::new(),
        };
        let own = sink.unit(SITE_UNIT).files;
        let (taken, files): (Vec<File>, Vec<File>) = files.into_iter().partition(|file| {
            let folder =
                ["feed/", "category/", "assets/", "sitemap/"].iter().any(|own| file.path.starts_with(own));
            folder || own.contains_key(&file.path) || sink.is_staged(&file.path)
        });
        for file in taken {
            warn!(path = file.path, "a static file is left out: the site has an output of this name");
        }
        let site = self.store.category(CategoryId::SITE)?;
        let changed_at = site.map(|site| site.changed_at).unwrap_or_default();
        let rendered = Rendered { files, changed_at, ..Rendered::default() };
        // Copied as they are.
        let packing = sink.set_precompression(Precompression::Off);
        self.report.add(sink.put_unit(STATIC_UNIT, &sink.unit(STATIC_UNIT), &rendered)?);
        sink.set_precompression(packing);
        Ok(())
    }
}

/// Reads all files below `root`, without dot files and dot folders, sorted by path.
fn read_all(root: &Path) -> Result<Vec<File>, PublishError> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in visible(&folder)? {
            // Links to folders are not followed, since they may form a cycle.
            if fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir()) {
                folders.push(path);
            } else if let Ok(relative) = path.strip_prefix(root) {
                let bytes = fs::read(&path).map_err(|source| failed(&path, source))?;
                files.push(File { path: relative.to_string_lossy().into_owned(), bytes });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn visible(folder: &Path) -> Result<Vec<PathBuf>, PublishError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| failed(folder, source))? {
        let path = entry.map_err(|source| failed(folder, source))?.path();
        if path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')) {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn failed(path: &Path, source: std::io::Error) -> PublishError {
    PublishError::Static { path: path.display().to_string(), source }
}
