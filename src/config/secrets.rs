//! Secrets, each in a file of its own, so that the config itself may be public.

use std::fs;
use std::path::{Path, PathBuf};

use super::faults::Fault;
use super::reader::{Reader, Value};

/// The largest size of a secret's file, in bytes.
const MAX_SECRET: u64 = 4_096;

/// The folder in which systemd puts the service's credentials.
const OF_SERVICE: &str = "/run/credentials/feedmill.service";

/// The folders in which secrets are looked up.
#[derive(Debug)]
pub(super) struct Secrets {
    /// The config's folder.
    folder: PathBuf,
    /// The folder of systemd's credentials (`LoadCredential=`).
    credentials: PathBuf,
}

impl Secrets {
    pub(super) fn of(folder: &Path) -> Self {
        // Commands run outside the service, and root may read the service's credentials.
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").unwrap_or_else(|| OF_SERVICE.into());
        Self { folder: folder.to_owned(), credentials: credentials.into() }
    }

    /// Returns the path of a secret: a credential if `named` is a bare name and there is one, else a file
    /// relative to the config's folder.
    fn path(&self, named: &str) -> PathBuf {
        let credential = self.credentials.join(named);
        if !named.contains('/') && credential.is_file() { credential } else { self.folder.join(named) }
    }

    /// Reads a secret's file, trimmed; adds a fault if it is missing, empty or too large.
    pub(super) fn read(&self, table: &Reader, named: &Value<String>) -> Option<String> {
        let path = self.path(&named.value);
        let small = fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_SECRET);
        // Reading a device or a pipe might never end, so only small regular files are read.
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
