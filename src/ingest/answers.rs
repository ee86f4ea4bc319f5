//! The last answer of each source, kept to try a changed config on before it is used.
//!
//! One small file a source, beside the store's own: it is no part of what must not be lost, and
//! would cost the store more than it is worth. A file that is damaged or missing is no fault.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::model::{SourceId, Timestamp};

/// Larger bodies are not kept, in bytes; the config is not tried on such a source.
const MAX_BODY: usize = 4 << 20;
/// The lines before the body are not longer, in bytes.
const MAX_HEAD: u64 = 16 << 10;
/// The name of a file ends so. It is not packed: that took a twentieth of a first round's time, for two fifths
/// less (2026-11).
const ENDING: &str = "answer";
/// End of the name of an empty file that says: nothing is kept of this source.
const WITHHELD: &str = "withheld";

/// What a source answered last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAnswer {
    /// What it said beside the body.
    pub head: Head,
    /// Its body, decoded.
    pub body: Vec<u8>,
}

/// What an answer says beside its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Where it came from in the end.
    pub url: Url,
    /// Its media type as it was sent.
    pub content_type: Option<String>,
    /// When it was asked for.
    pub at: Timestamp,
}

/// The folder of last answers.
#[derive(Debug, Clone, PartialEq)]
pub struct LastAnswers {
    folder: PathBuf,
}

impl LastAnswers {
    /// In a folder that need not be there yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// An id has only letters, digits, `.`, `_` and `-`, and begins with a letter or digit.
    fn path(&self, id: &SourceId) -> PathBuf {
        self.folder.join(format!("{id}.{ENDING}"))
    }

    fn withheld_path(&self, id: &SourceId) -> PathBuf {
        self.folder.join(format!("{id}.{WITHHELD}"))
    }

    /// Keeps an answer in place of the one before, unless it is withheld: a line with the length of the body, the head on another,
    /// and the body.
    ///
    /// # Errors
    /// What the system says; the one before may be gone then.
    pub fn keep(&self, id: &SourceId, head: &Head, body: &[u8]) -> io::Result<()> {
        if body.len() > MAX_BODY || self.is_withheld(id) {
            return self.forget(id);
        }
        let before = format!("{}\n{}\n", body.len(), serde_json::to_string(head)?);
        // Over the one before: half a file is none.
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
        // It may have been withheld meanwhile.
        if self.is_withheld(id) { self.forget(id) } else { Ok(()) }
    }

    /// The last answer, where a whole one is there.
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

    /// Forgets the last answer of a source.
    ///
    /// # Errors
    /// What the system says, unless there was none.
    pub fn forget(&self, id: &SourceId) -> io::Result<()> {
        match fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Forgets the last answer of a source that lists what was erased, and keeps none until
    /// [`LastAnswers::release`].
    ///
    /// # Errors
    /// What the system says.
    pub fn withhold(&self, id: &SourceId) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        fs::File::create(self.withheld_path(id))?;
        self.forget(id)
    }

    /// Whether nothing is kept of a source.
    #[must_use]
    pub fn is_withheld(&self, id: &SourceId) -> bool {
        self.withheld_path(id).exists()
    }

    /// Keeps answers of a source again, from its next on: it lists nothing any more that was erased.
    pub fn release(&self, id: &SourceId) {
        // One that cannot be removed goes the next time.
        let _ = fs::remove_file(self.withheld_path(id));
    }

    /// Forgets the answers of all sources but these, and what older feedmills kept.
    pub fn keep_only(&self, known: &BTreeSet<&SourceId>) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|own| own == WITHHELD) {
                // A source that comes back may still list it.
                continue;
            }
            let stem = path.file_stem().filter(|_| path.extension().is_some_and(|own| own == ENDING));
            let id = stem.and_then(|stem| SourceId::new(&stem.to_string_lossy()));
            if id.is_none_or(|id| !known.contains(&id)) {
                // It goes the next time.
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
