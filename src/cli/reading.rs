//! Reading names in a process of its own.
//!
//! The lexicon that Chinese names are read with takes some 130 MB and half a second to be loaded, and is
//! never given back, while a mill that runs for years meets a new name now and then. So this program
//! starts itself once more to read names, line by line, and that process ends when it was not asked for a
//! while. Where it cannot be started names are read here.
//!
//! Each line is a JSON string: a name one way, its reading the other.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::model::slug;

/// What this program is called with to be the one that reads.
const ARGUMENT: &str = "read-names";
/// The one that reads ends after so long without a name.
const IDLE: Duration = Duration::from_secs(10);
/// Readings that are remembered.
const REMEMBERED: usize = 4_096;

/// Whether this process was started to read names.
pub(super) fn is_asked_for() -> bool {
    std::env::args_os().skip(1).eq([ARGUMENT])
}

/// From now on names are read in another process.
pub(super) fn elsewhere() {
    slug::read_names_with(|name| {
        static KNOWN: LazyLock<Cache<String, String>> = LazyLock::new(|| Cache::new(REMEMBERED));
        static READER: Mutex<Option<Reader>> = Mutex::new(None);
        if let Some(known) = KNOWN.get(name) {
            return Some(known);
        }
        let mut reader = READER.lock().unwrap_or_else(PoisonError::into_inner);
        // One that was there may have ended meanwhile.
        let read = reader.as_mut().and_then(|reader| reader.read(name)).or_else(|| {
            *reader = Reader::start();
            reader.as_mut()?.read(name)
        })?;
        KNOWN.insert(name.to_owned(), read.clone());
        Some(read)
    });
}

struct Reader {
    names: ChildStdin,
    readings: BufReader<ChildStdout>,
}

impl Reader {
    fn start() -> Option<Self> {
        // By this link it is found even after an upgrade replaced the file.
        let mut child = Command::new("/proc/self/exe")
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let reader = Self { names: child.stdin.take()?, readings: BufReader::new(child.stdout.take()?) };
        await_end(child);
        Some(reader)
    }

    fn read(&mut self, name: &str) -> Option<String> {
        writeln!(self.names, "{}", serde_json::to_string(name).ok()?).ok()?;
        let mut line = String::new();
        self.readings.read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }
}

/// Nothing else tells the system that nobody wants to know how it ended.
fn await_end(mut child: Child) {
    drop(std::thread::Builder::new().name("reader".to_owned()).spawn(move || child.wait()));
}

/// Reads names from standard input until it ends, or nothing came for [`IDLE`].
pub(super) fn serve() {
    let (asked, asks) = std::sync::mpsc::channel::<String>();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if asked.send(line).is_err() {
                break;
            }
        }
    });
    let mut out = std::io::stdout().lock();
    while let Ok(line) = asks.recv_timeout(IDLE) {
        let Ok(name) = serde_json::from_str::<String>(&line) else { return };
        let Ok(read) = serde_json::to_string(&slug::read_here(&name)) else { return };
        if writeln!(out, "{read}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_that_stands_alone_is_meant() {
        // This process is a test's, called with others or none.
        assert!(!is_asked_for());
        assert_eq!(slug::read_here("重庆日报"), "chong qing ri bao");
    }
}
