//! The steps of every command that changes the config: begin, check, write, report. Does not own: how a file
//! is changed (`config::edit`).

use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use super::ask::{daemon_answer, print_waiting};
use super::locale::say;
use super::show;
use crate::config::Config;
use crate::config::edit::Edit;
use crate::control::Query;
use crate::daemon::{Outcome, Reloaded};

/// Reads the config for a change; prints a message if it has to wait for another command.
///
/// # Errors
/// When its folder cannot be locked.
pub(super) fn begin(path: &Path) -> Result<Edit> {
    Ok(Edit::begin(path, print_waiting)?)
}

/// Returns the changed config, or refuses a change that would make it faulty.
///
/// # Errors
/// The faults.
pub(super) fn checked(edit: &Edit) -> Result<Config> {
    let loaded = edit.files().load();
    loaded.config.ok_or_else(|| {
        let faults = loaded.faults.render(false);
        anyhow::anyhow!(say(
            format!("the config would not be good, so nothing was written:\n{faults}"),
            format!("这样配置会有错误，所以没有写入：\n{faults}")
        ))
    })
}

/// Writes a change and returns the outcome of the daemon's reload, if one runs. The lock is kept until then.
///
/// # Errors
/// When a file cannot be written.
pub(super) async fn written(edit: Edit) -> Result<Option<Value>> {
    edit.write()?;
    daemon_answer(edit.files().path(), &Query::Reload { accept: false }).await
}

/// Prints what was written, and whether it is in use.
///
/// # Errors
/// When standard output is closed.
pub(super) fn print_outcome(file: &Path, reloaded: Option<&Value>) -> Result<()> {
    let file = file.display();
    let reloaded: Option<Reloaded> =
        reloaded.map(|value| serde_json::from_value(value.clone())).transpose()?;
    let line = match reloaded {
        None => say(
            format!("{file} is changed; the next start uses it"),
            format!("已改动 {file}；下次启动时生效"),
        ),
        Some(reloaded) if matches!(reloaded.outcome, Outcome::Done | Outcome::Same) => {
            say(format!("{file} is changed and in use"), format!("已改动 {file}，并已生效"))
        }
        Some(reloaded) => say(
            format!("{file} is changed, but not in use: {}", reloaded.line()),
            format!("已改动 {file}，但尚未生效：{}", reloaded.line()),
        ),
    };
    show::text(&format!("{line}\n"))
}
