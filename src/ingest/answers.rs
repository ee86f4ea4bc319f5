//! The last answer of each source, kept to try a changed config on before it is used.
//!
//! Each source has one small file outside the store: the answers are not worth a transaction. A damaged or
//! missing file counts as no answer.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::model::{SourceId, Timestamp};

/// Largest body that is kept, in bytes; a changed config is not tried on a source with a larger one.
const MAX_BODY: usize = 4 << 20;
/// Most bytes of the two lines before the body.
const MAX_HEAD: u64 = 16 << 10;
/// File name extension of an answer. Answers are not compressed: that took a twentieth of a first round's time
/// and saved two fifths of the space (2026-11).
const ENDING: &str = "answer";
/// File name extension of an empty file that forbids keeping answers of the source.
const WITHHELD: &str = "withheld";

/// The last answer of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAnswer {
    /// The metadata of the answer.
    pub head: Head,
    /// The body, decoded.
    pub body: Vec<u8>,
}

/// The metadata of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The address after redirects.
    pub url: Url,
    /// The media type as it was sent.
    pub content_type: Option<String>,
    /// The time of the request.
    pub at: Timestamp,
}

/// The folder of last answers.
#[derive(Debug, Clone, PartialEq)]
pub struct LastAnswers {
    folder: PathBuf,
}

impl LastAnswers {
    /// Creates a handle on a folder, which need not exist yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Returns the path of a source's answer. An id has only letters, digits, `.`, `_` and `-`, and begins with
    /// a letter or digit.
    fn path(&self, id: &SourceId) -> PathBuf {
        self.folder.join(format!("{id}.{ENDING}"))
    }

    fn withheld_path(&self, id: &SourceId) -> PathBuf {
        self.folder.join(format!("{id}.{WITHHELD}"))
    }

    /// Keeps an answer in place of the previous one, unless answers of the source are withheld.
    ///
    /// The file has the length of the body on the first line, the metadata on the second, then the body.
    ///
    /// # Errors
    /// I/O errors; the previous answer may be gone then.
    pub fn keep(&self, id: &SourceId, head: &Head, body: &[u8]) -> io::Result<()> {
        if body.len() > MAX_BODY || self.is_withheld(id) {
            return self.forget(id);
        }
        let before = format!("{}\n{}\n", body.len(), serde_json::to_string(head)?);
        // The previous answer is overwritten: an incomplete file is read as no answer.
        let path = self.path(id);
        let mut file = match fs::File::create(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.folder)?;
                fs::File::create(&path)
            }
            opened => opened,
        }?;
        file.write_all(before.as_bytes())?;
        file.write_all(body)?;
        // Answers may have been withheld in the meantime.
        if self.is_withheld(id) { self.forget(id) } else { Ok(()) }
    }

    /// Returns the last answer; `None` where it is missing or incomplete.
    #[must_use]
    pub fn read(&self, id: &SourceId) -> Option<LastAnswer> {
        let file = fs::File::open(self.path(id)).ok()?;
        let mut body = Vec::new();
        file.take(MAX_BODY as u64 + MAX_HEAD).read_to_end(&mut body).ok()?;
        let mut lines = body.splitn(3, |byte| *byte == b'\n');
        let length: usize = std::str::from_utf8(lines.next()?).ok()?.parse().ok()?;
        let head = serde_json::from_slice(lines.next()?).ok()?;
        let begins = body.len() - lines.next().filter(|body| body.len() == length)?.len();
        body.drain(..begins);
        Some(LastAnswer { head, body })
    }

    /// Removes the last answer of a source.
    ///
    /// # Errors
    /// I/O errors, except that the file does not exist.
    pub fn forget(&self, id: &SourceId) -> io::Result<()> {
        match fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes the last answer of a source that lists an erased item, and keeps none until
    /// [`LastAnswers::release`].
    ///
    /// # Errors
    /// I/O errors.
    pub fn withhold(&self, id: &SourceId) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        fs::File::create(self.withheld_path(id))?;
        self.forget(id)
    }

    /// Returns whether answers of a source are withheld.
    #[must_use]
    pub fn is_withheld(&self, id: &SourceId) -> bool {
        self.withheld_path(id).exists()
    }

    /// Keeps answers of a source again, from the next one on, because it no longer lists an erased item.
    pub fn release(&self, id: &SourceId) {
        // A file that cannot be removed is removed on the next call.
        let _ = fs::remove_file(self.withheld_path(id));
    }

    /// Removes the answers of all sources except `known`, and files of older versions.
    pub fn keep_only(&self, known: &BTreeSet<&SourceId>) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|own| own == WITHHELD) {
                // A source that is configured again may still list the erased item.
                continue;
            }
            let stem = path.file_stem().filter(|_| path.extension().is_some_and(|own| own == ENDING));
            let id = stem.and_then(|stem| SourceId::new(&stem.to_string_lossy()));
            if id.is_none_or(|id| !known.contains(&id)) {
                // A file that cannot be removed is removed on the next call.
                let _ = fs::remove_file(&path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_comes_back_and_damage_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let answers = LastAnswers::new(&folder.path().join("answers"));
        let id = SourceId::new("paper.a-1").unwrap();
        let head = Head {
            url: Url::parse("https://paper.example/feed").unwrap(),
            content_type: Some("application/rss+xml; charset=gbk".to_owned()),
            at: Timestamp::from_unix(1_640_066_107),
        };
        assert_eq!(answers.read(&id), None);
        answers.forget(&id).unwrap();
        for body in [&b"<rss>\n\xb0\xa1\n</rss>"[..], b"", &vec![b'x'; MAX_BODY]] {
            answers.keep(&id, &head, body).unwrap();
            let back = answers.read(&id).unwrap();
            assert_eq!((&back.head, back.body == body), (&head, true));
        }
        answers.keep(&id, &head, &vec![b'x'; MAX_BODY + 1]).unwrap();
        assert_eq!(answers.read(&id), None, "too large to keep");
        answers.keep(&id, &head, b"again").unwrap();
        let bytes = fs::read(answers.path(&id)).unwrap();
        let longer = [&bytes[..], b"x"].concat();
        for damaged in [&b"damaged"[..], &bytes[..bytes.len() - 1], &bytes[..bytes.len() / 2], &longer, b""] {
            fs::write(answers.path(&id), damaged).unwrap();
            assert_eq!(answers.read(&id), None);
        }
        answers.keep_only(&BTreeSet::new());
        assert_eq!(fs::read_dir(folder.path().join("answers")).unwrap().count(), 0);
        answers.withhold(&id).unwrap();
        answers.keep_only(&BTreeSet::new());
        answers.keep(&id, &head, b"erased").unwrap();
        assert_eq!(answers.read(&id), None);
        answers.release(&id);
        answers.keep(&id, &head, b"again").unwrap();
        assert!(answers.read(&id).is_some());
    }
}
