//! Sends queries to the daemon, or answers them in this process if none runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, anyhow};
use serde_json::Value;
use tokio::sync::mpsc;
use tracing::warn;

use super::locale::say;
use super::show;
use crate::clock::SystemClock;
use crate::config::edit::Edit;
use crate::config::{self, Config, ConfigLock, Files};
use crate::control::{self, Event, Query, Reply};
use crate::daemon::{self, DaemonError, Mill};
use crate::model::Timestamp;
use crate::store::{OnDamage, StoreError, backup};

/// Returns the answer to a query, from the daemon or from this process; shows progress meanwhile.
///
/// # Errors
/// The query's error message, or when neither daemon nor store can be reached.
pub(super) async fn ask(config: Config, query: Query) -> Result<Value> {
    if let Reply::Daemon(events) = control::ask(&config.socket, &query).await? {
        return follow(events).await;
    }
    // A daemon that is starting answers once it has released the lock.
    let lock = lock(&config.path);
    let config = reload_config(config);
    let events = send(config, query).await?;
    drop(lock);
    follow(events).await
}

/// Works as [`ask`] for a command that changes the config and has its lock.
///
/// # Errors
/// As [`ask`].
pub(super) async fn ask_within(_edit: &Edit, config: Config, query: Query) -> Result<Value> {
    follow(send(config, query).await?).await
}

async fn send(config: Config, query: Query) -> Result<mpsc::Receiver<Event>> {
    if let Reply::Daemon(events) = control::ask(&config.socket, &query).await? {
        return Ok(events);
    }
    let exports = config.store.exports.clone();
    let opened = Mill::open(config, Arc::new(SystemClock), OnDamage::Leave).await;
    let mill = Arc::new(opened.map_err(|error| match error {
        DaemonError::Store(error) => open_error(error, exports.as_deref()),
        error => error.into(),
    })?);
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(daemon::handle(mill, query, sender));
    Ok(receiver)
}

/// Reloads the config: another command may have changed it since it was read.
fn reload_config(config: Config) -> Config {
    config::load(&config.path).config.unwrap_or(config)
}

/// Opens the mill with the config that is on the disk now, under its lock: commands that change the config,
/// and with it the names of categories in the store, run before or after.
///
/// # Errors
/// Those of [`Mill::open`].
pub(super) async fn open_unchanged(config: Config, on_damage: OnDamage) -> Result<Mill> {
    let _lock = lock(&config.path);
    let config = reload_config(config);
    Ok(Mill::open(config, Arc::new(SystemClock), on_damage).await?)
}

/// Locks the config's folder; prints a message if it has to wait for another command. Returns `None` where the
/// folder cannot be locked, with a warning: what only reads the config goes on without.
pub(super) fn lock(path: &Path) -> Option<ConfigLock> {
    let locked = ConfigLock::wait(path, print_waiting);
    locked
        .inspect_err(|error| warn!(%error, path = %path.display(), "the config's folder cannot be locked"))
        .ok()
}

/// Prints that the command waits for another one.
pub(super) fn print_waiting() {
    show::error_text(&say(
        "another command changes the config; this one waits for it\n",
        "另一个命令正在修改配置，本命令等待其完成\n",
    ));
}

/// Returns the error for a store that cannot be opened; a command does not repair a damaged one by itself.
pub(super) fn open_error(error: StoreError, exports: Option<&Path>) -> anyhow::Error {
    if !matches!(error, StoreError::Corrupt { .. } | StoreError::Damaged { .. }) {
        return error.into();
    }
    let last = exports.and_then(|folder| backup::all(folder).pop());
    let last = last.map(|path| {
        let made = backup::made_at(&path).map(Timestamp::rfc3339).unwrap_or_default();
        (path.display().to_string(), made)
    });
    let (from, from_zh) = last.map_or_else(
        || ("what is published (there is no export)".to_owned(), "已发布的内容（没有导出文件）".to_owned()),
        |(last, made)| {
            (
                format!("the export `{last}` of {made} and what is published"),
                format!("{made} 的导出 `{last}` 和已发布的内容"),
            )
        },
    );
    anyhow!(say(
        format!(
            "{error}; nothing was mended. `feedmill store repair` mends what is damaged where it stands; of a store \
             that cannot be opened it keeps what can be read, takes what is missing from {from}, and puts the \
             damaged one aside, as `feedmill run` does"
        ),
        format!(
            "{error}。没有作任何修复。`feedmill store repair` 就地修复损坏的部分；如果存储无法打开，\
             会保留可读的内容，缺少的取自{from_zh}，损坏的存储另外保留，`feedmill run` 也是这样"
        ),
    ))
}

/// Sends a query to the daemon that listens on the socket of the config, or of the last good one.
///
/// # Errors
/// When no daemon answers, or the connection fails.
pub(super) async fn ask_daemon(path: &Path, query: &Query) -> Result<Value> {
    let (answer, sockets) = first_answer(path, query).await?;
    let sockets: Vec<String> = sockets.iter().map(|socket| format!("`{}`", socket.display())).collect();
    answer.ok_or_else(|| {
        anyhow!(say(
            format!("no daemon answers at {}; `feedmill check` checks the config", sockets.join(" or ")),
            format!("{} 没有守护进程应答；用 `feedmill check` 检查配置", sockets.join("、")),
        ))
    })
}

/// Works as [`ask_daemon`], but returns `None` if no daemon runs.
///
/// # Errors
/// When the connection fails.
pub(super) async fn daemon_answer(path: &Path, query: &Query) -> Result<Option<Value>> {
    Ok(first_answer(path, query).await?.0)
}

async fn first_answer(path: &Path, query: &Query) -> Result<(Option<Value>, BTreeSet<PathBuf>)> {
    let files = [Some(Files::read(path)), Files::kept(path)].into_iter().flatten();
    let sockets: BTreeSet<PathBuf> =
        files.filter_map(|files| files.load().config).map(|config| config.socket).collect();
    for socket in &sockets {
        if let Reply::Daemon(events) = control::ask(socket, query).await? {
            return Ok((Some(follow(events).await?), sockets));
        }
    }
    Ok((None, sockets))
}

/// Returns the message for an interrupted command. Each step of long work is complete by itself, and a
/// repeated command skips what is done already.
fn interrupted() -> String {
    say(
        "interrupted: what was done stays done, and the same command goes on from there (a running daemon ends the work that it began)",
        "已中断：已完成的部分保留，再次执行同一命令会继续（运行中的守护进程会把已开始的工作做完）",
    )
}

/// Returns the final answer of a stream of events; shows progress meanwhile.
///
/// # Errors
/// The query's error message.
pub(super) async fn follow(mut events: mpsc::Receiver<Event>) -> Result<Value> {
    let bar = show::bar();
    let answer = loop {
        let event = tokio::select! {
            event = events.recv() => event,
            _ = tokio::signal::ctrl_c() => break Err(anyhow!(interrupted())),
        };
        match event {
            Some(Event::Progress { done, of, what }) => {
                bar.set_length(of as u64);
                bar.set_position(done as u64);
                bar.set_message(what);
            }
            Some(Event::Done(value)) => break Ok(value),
            Some(Event::Failed(message)) if message.contains("Permission denied") => {
                break Err(anyhow!(
                    "{message}{}",
                    say(
                        "; a running daemon reads and writes files as its own user: put them where that user may, such as /var/lib/feedmill",
                        "；运行中的守护进程以自己的用户身份读写文件：请把文件放在该用户可用的位置，如 /var/lib/feedmill",
                    )
                ));
            }
            Some(Event::Failed(message)) => break Err(anyhow!(message)),
            None => {
                break Err(anyhow!(say(
                    "the daemon ended before it answered; ask again",
                    "守护进程在应答前结束了；请再试一次",
                )));
            }
        }
    };
    bar.finish_and_clear();
    answer
}
