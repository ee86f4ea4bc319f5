//! Reload: replaces the config in use by the one on the disk, in one step or not at all (RULES 6.2).
//!
//! The new config is read, checked, tried on the last answers of its sources, and then put into use.
//! If it has a fault, the mill keeps the old one and reports the fault.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::error::DaemonError;
use super::listener::{self, ListenSocket};
use super::mill::Mill;
use super::reload_outcome::{Outcome, Reloaded};
use super::systemd;
use crate::blocking;
use crate::config::{Config, Files};
use crate::ingest::canary::{self, Trial};
use crate::model::{SourceId, Timestamp, chain};
use crate::publish::read_theme;
use crate::source::Source;
use crate::store::{Store, StoreError};

/// The time between two checks of the files.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// How long the files must not have changed before they are read.
const QUIET_TIME: Duration = Duration::from_secs(2);
/// Bytes of last answers that one reload tries; sources beyond that are reported as untried.
const MOST_TRIED: usize = 64 << 20;
/// Changes that are listed by name.
const MAX_LISTED: usize = 20;

/// Does reloads, one at a time.
#[derive(Debug)]
pub(super) struct Reloader {
    live: watch::Sender<Arc<Mill>>,
    listen_socket: Arc<ListenSocket>,
    turn: tokio::sync::Mutex<()>,
}

impl Reloader {
    pub(super) fn new(live: watch::Sender<Arc<Mill>>, listen_socket: Arc<ListenSocket>) -> Self {
        Self { live, listen_socket, turn: tokio::sync::Mutex::default() }
    }

    /// Replaces the config in use by the one on the disk, and logs the outcome; `accept` allows it to lose
    /// items.
    pub(super) async fn reload(self: &Arc<Self>, accept: bool) -> Reloaded {
        let _turn = self.turn.lock().await;
        systemd::reloading();
        let own = Arc::clone(self);
        let done = blocking::run_long(move || own.swap(accept)).await;
        let mill = Arc::clone(&self.live.borrow());
        let now = mill.clock.now();
        let done = done.unwrap_or_else(|error| Reloaded::refused(now, format!("reloading broke: {error}")));
        match done.outcome {
            Outcome::Done | Outcome::Same => info!("{}", done.line()),
            Outcome::Refused => error!(why = done.why, "config refused; the old one is in use"),
            Outcome::Held => error!(trials = ?done.trials, "{}", done.line()),
        }
        for setting in &done.restart {
            warn!(setting, "this setting is used from the next start on");
        }
        mill.remember(done.clone());
        systemd::ready(&mill.status_line());
        done
    }

    /// Does everything but the reporting; blocks.
    fn swap(&self, accept: bool) -> Reloaded {
        let old = Arc::clone(&self.live.borrow());
        let now = old.clock.now();
        let refused = |why: String| Reloaded::refused(now, why);
        let files = Files::read(&old.config.path);
        if files.is_empty() {
            return refused(format!("`{}` has nothing in it", old.config.path.display()));
        }
        let loaded = files.load();
        let Some(mut config) = loaded.config else {
            return refused(loaded.faults.render(false));
        };
        if let Some(why) = cannot_change(&old.config, &config) {
            return refused(why);
        }
        let restart = waits_for_restart(&old.config, &mut config, self.listen_socket.is_given());
        let mut done = Reloaded { restart, ..Reloaded::at(now, Outcome::Done) };
        done.changes = changes(&old, &config);
        match try_out(&old, &config, now) {
            Ok(trials) => done.trials = trials,
            Err(error) => return refused(chain(&error)),
        }
        if done.lost() > 0 && !accept {
            return Reloaded { outcome: Outcome::Held, ..done };
        }
        match self.activate(&old, config, files) {
            Ok(()) if done.changes.is_empty() => Reloaded { outcome: Outcome::Same, ..done },
            Ok(()) => done,
            Err(error) => refused(chain(&error)),
        }
    }

    fn activate(&self, old: &Mill, config: Config, files: Files) -> Result<(), DaemonError> {
        let moves = config.listen != old.config.listen && !self.listen_socket.is_given();
        // Bound before anything changes: an address in use must not take the site down.
        let listener = config.listen.filter(|_| moves).map(listener::bind).transpose()?;
        let mill = Arc::new(old.reconfigured(config, files)?);
        if moves {
            self.listen_socket.replace(listener);
        }
        mill.take_over();
        mill.keep_files();
        let anew = !Arc::ptr_eq(&mill.pages, &old.pages);
        self.live.send_replace(Arc::clone(&mill));
        if anew {
            mill.changed.notify_one();
        }
        Ok(())
    }

    /// Reloads on SIGHUP, and when files have changed and then stayed the same for [`QUIET_TIME`].
    pub(super) async fn watch(self: Arc<Self>, stop: CancellationToken) -> Result<(), DaemonError> {
        let mut hangups = signal(SignalKind::hangup()).map_err(|e| DaemonError::Task(e.to_string()))?;
        let path = self.live.borrow().config.path.clone();
        // The config in use was read a moment ago; it is compared once, in case it was written since.
        let mut known = FileSnapshot::default();
        let mut quiet = Duration::ZERO;
        let mut seen = self.snapshot(&path).await;
        let mut pause = CHECK_EVERY;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                Some(()) = hangups.recv() => {
                    // Taken before the reload, so that a write meanwhile counts as another change.
                    seen = self.snapshot(&path).await;
                    known = seen.clone();
                    self.reload(false).await;
                    continue;
                }
                () = sleep(pause) => {}
            }
            let now = self.snapshot(&path).await;
            // With thousands of files on a slow disk, the checks must not keep it busy.
            pause = CHECK_EVERY.max(now.took * 200);
            quiet = if now == seen { quiet + pause } else { Duration::ZERO };
            seen = now;
            if seen != known && quiet >= QUIET_TIME {
                known = seen.clone();
                if self.differs().await {
                    self.reload(false).await;
                }
            }
        }
    }

    async fn snapshot(&self, path: &Path) -> FileSnapshot {
        let theme = self.live.borrow().config.publish.site.theme_folder.clone();
        snapshot(path.to_owned(), theme).await
    }

    /// Returns whether the files differ from those in use. `true` as well while the last reload waits, so
    /// that the trouble disappears from the list once the config is right again.
    async fn differs(&self) -> bool {
        let mill = Arc::clone(&self.live.borrow());
        if mill.config_in_waiting().is_some() {
            return true;
        }
        let differs = move || {
            let site = &mill.config.publish.site;
            let theme = site.theme_folder.as_deref().map(read_theme);
            // A theme that cannot be read differs as well: the reload reports it.
            let anew = theme.is_some_and(|read| !read.is_ok_and(|parts| parts == *site.theme));
            anew || Files::read(&mill.config.path) != *mill.files
        };
        blocking::run(differs).await.unwrap_or(false)
    }
}

/// Times and sizes of the files. They are read from the disk rather than taken from inotify, which does not
/// see changes on network file systems, nor a folder that is swapped by a link; reading them takes less than
/// a millisecond.
#[derive(Debug, Clone, Default)]
struct FileSnapshot {
    files: Vec<(PathBuf, Option<SystemTime>, u64)>,
    took: Duration,
}

impl PartialEq for FileSnapshot {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files
    }
}

async fn snapshot(path: PathBuf, theme: Option<PathBuf>) -> FileSnapshot {
    let begun = tokio::time::Instant::now();
    let files = blocking::run(move || stamps(&path, theme.as_deref())).await.unwrap_or_default();
    FileSnapshot { files, took: begun.elapsed() }
}

fn stamps(path: &Path, theme: Option<&Path>) -> Vec<(PathBuf, Option<SystemTime>, u64)> {
    let files = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let drop_ins = files(&path.with_file_name("sources.d"));
    let parts = theme.into_iter().flat_map(files);
    let mut paths: Vec<PathBuf> = drop_ins.chain(parts).map(|entry| entry.path()).collect();
    paths.push(path.to_owned());
    paths.sort();
    let stamp = |path: PathBuf| {
        let meta = std::fs::metadata(&path).ok();
        (path, meta.as_ref().and_then(|meta| meta.modified().ok()), meta.map_or(0, |meta| meta.len()))
    };
    paths.into_iter().map(stamp).collect()
}

/// Returns why a running mill cannot use a config, if it cannot.
fn cannot_change(old: &Config, new: &Config) -> Option<String> {
    (old.store.path != new.store.path).then(|| {
        format!(
            "`store.path` cannot change while the mill runs: it is `{}`, the config now says `{}`; stop feedmill, move the folder, start it",
            old.store.path.display(),
            new.store.path.display()
        )
    })
}

/// Returns the settings that only a start reads and that differ, and keeps the running ones in `new`.
fn waits_for_restart(old: &Config, new: &mut Config, given_socket: bool) -> Vec<String> {
    let mut waiting = Vec::new();
    if old.store != new.store {
        waiting.push("store".to_owned());
        new.store = old.store.clone();
    }
    if old.socket != new.socket {
        waiting.push("control.socket".to_owned());
        new.socket.clone_from(&old.socket);
    }
    if old.status != new.status {
        waiting.push("status".to_owned());
        new.status = old.status.clone();
    }
    if given_socket && old.listen != new.listen {
        waiting.push("serve.listen (systemd's socket unit says where)".to_owned());
        new.listen = old.listen;
    }
    waiting
}

/// Returns what differs, one line each.
fn changes(old: &Mill, new: &Config) -> Vec<String> {
    let mut told = Vec::new();
    let was: BTreeMap<_, _> = old.sources().map(|source| (source.id.clone(), Arc::clone(source))).collect();
    let is: BTreeMap<_, _> = new.sources.iter().map(|source| (source.id.clone(), source)).collect();
    let mut list = |what: &str, ids: Vec<&str>| {
        if !ids.is_empty() {
            let more = ids.len().saturating_sub(MAX_LISTED);
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            told.push(format!(
                "{what} {}{rest}",
                ids.iter().take(MAX_LISTED).copied().collect::<Vec<_>>().join(", ")
            ));
        }
    };
    list("new:", is.keys().filter(|id| !was.contains_key(*id)).map(SourceId::as_str).collect());
    list(
        "removed (its items stay):",
        was.keys().filter(|id| !is.contains_key(*id)).map(SourceId::as_str).collect(),
    );
    let changed = is.iter().filter(|(id, source)| was.get(*id).is_some_and(|was| differ(was, source)));
    list("changed:", changed.map(|(id, _)| id.as_str()).collect());
    let config = &old.config;
    for (what, same) in [
        ("rules", config.ingest.rules == new.ingest.rules),
        ("categories", config.categories == new.categories),
        ("the site and its outputs", config.publish == new.publish),
        ("the address it listens on", config.listen == new.listen),
        ("how upstreams are asked", config.fetch == new.fetch),
        ("how it is served", config.serve == new.serve),
        ("webhooks", config.webhooks == new.webhooks),
        ("retention", config.retention == new.retention),
        ("exports", config.exports == new.exports),
    ] {
        if !same {
            told.push(what.to_owned());
        }
    }
    told
}

/// Returns whether two versions of a source differ, except in a rank that only follows from its position.
fn differ(one: &Source, other: &Source) -> bool {
    *one != Source { rank: one.rank, ..other.clone() }
}

/// Tries a config on the last answers of the sources that it handles differently.
fn try_out(old: &Mill, new: &Config, now: Timestamp) -> Result<Vec<Trial>, StoreError> {
    let Some(answers) = &old.config.ingest.answers else { return Ok(Vec::new()) };
    let (was, is) = (&old.config.ingest, &new.ingest);
    let for_all = (&was.rules, was.auto) != (&is.rules, is.auto) || old.config.categories != new.categories;
    let store: &dyn Store = &*old.backend;
    let mut left = MOST_TRIED;
    let mut trials = Vec::new();
    for source in new.sources.iter().filter(|source| source.enabled) {
        let Some(before) = old.source(&source.id).filter(|before| for_all || differ(before, source)) else {
            continue;
        };
        let untried = |why: &str| Trial {
            source: source.id.to_string(),
            untried: Some(why.to_owned()),
            ..Trial::default()
        };
        trials.push(if before.url != source.url {
            untried("it has another address, which was not asked yet")
        } else if left == 0 {
            untried("enough others were tried")
        } else if let Some(answer) = answers.read(&source.id) {
            left = left.saturating_sub(answer.body.len());
            canary::compare(store, &answer, (before, was), (source, is), now)?
        } else {
            untried("no answer of it is kept yet")
        });
    }
    trials.retain(|trial| !trial.is_silent());
    Ok(trials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_shown_is_a_change_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feedmill.toml");
        let loaded = |secret: &str| {
            let main = "[site]\nurl = \"https://news.example.org/\"\n[store]\npath = \"store\"\n\
                        [[webhook]]\nurl = \"https://hook.example.org/\"\nsecret_file = \"hook\"\n";
            std::fs::write(&path, main).unwrap();
            std::fs::write(folder.path().join("hook"), secret).unwrap();
            let loaded = Files::read(&path).load();
            loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.faults))
        };
        let clock = Arc::new(crate::clock::SystemClock);
        let old = Mill::open(loaded("one"), clock, crate::store::OnDamage::Leave).await.unwrap();
        assert_eq!(changes(&old, &loaded("one")), Vec::<String>::new());
        assert_eq!(changes(&old, &loaded("another")), ["webhooks"]);
    }
}
