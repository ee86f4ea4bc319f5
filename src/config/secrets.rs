//! Secrets: each in a file of its own, so that the config may be shown to anybody.

use std::fs;
use std::path::{Path, PathBuf};

use super::faults::Fault;
use super::reader::{Reader, Value};

/// A file with a secret is not larger, in bytes.
const MAX_SECRET: u64 = 4_096;

/// Where systemd keeps those of the service.
const OF_SERVICE: &str = "/run/credentials/feedmill.service";

/// Where secrets are read.
#[derive(Debug)]
pub(super) struct Secrets {
    /// The config's.
    folder: PathBuf,
    /// What systemd hands over to the service (`LoadCredential=`).
    credentials: PathBuf,
}

impl Secrets {
    pub(super) fn of(folder: &Path) -> Self {
        // Commands are no service, and root may look where the service's are.
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").unwrap_or_else(|| OF_SERVICE.into());
        Self { folder: folder.to_owned(), credentials: credentials.into() }
    }

    /// A bare name is a credential's, if there is one of that name.
    fn path(&self, named: &str) -> PathBuf {
        let credential = self.credentials.join(named);
        if !named.contains('/') && credential.is_file() { credential } else { self.folder.join(named) }
    }

    /// The one line of a secret's file; a fault where there is none.
    pub(super) fn read(&self, table: &Reader, named: &Value<String>) -> Option<String> {
        let path = self.path(&named.value);
        let small = fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_SECRET);
        // A device or a pipe may never end.
        let text = small.then(|| fs::read_to_string(&path).ok()).flatten();
        let text = text.map(|text| text.trim().to_owned());
        let text = text.filter(|text| !text.is_empty());
        if text.is_none() {
            let fault = Fault::error(&named.place, format!("no secret can be read in `{}`", path.display()));
            table.push(fault.help(
                "write one line into it, such as the output of `openssl rand -hex 32`, with mode 0600 for the user that feedmill runs as; under systemd, `LoadCredential=NAME:PATH` hands a file over that root alone can read",
            ));
        }
        text
    }
}
