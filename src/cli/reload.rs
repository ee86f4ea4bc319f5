//! `reload`: the config on the disk takes the place of the one in use.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::{ask::ask_daemon, show};
use crate::control::Query;
use crate::daemon::{Outcome, Reloaded};

/// Asks the daemon to reload, and says what came of it. A faulty config does not keep it from asking.
///
/// # Errors
/// When no daemon runs.
pub(super) async fn reload(path: &Path, accept: bool, json: bool) -> Result<ExitCode> {
    let answer = ask_daemon(path, &Query::Reload { accept }).await?;
    let reloaded: Reloaded = serde_json::from_value(answer.clone())?;
    let good = matches!(reloaded.outcome, Outcome::Done | Outcome::Same);
    if json {
        show::json(&answer)?;
    } else {
        show::text(&show::plain(&told(&reloaded)))?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(reloaded: &Reloaded) -> String {
    let mut lines = match reloaded.outcome {
        Outcome::Done => vec!["the new config is in use".to_owned()],
        Outcome::Same => vec!["the config says what the one in use says".to_owned()],
        Outcome::Refused => vec!["the config cannot be used; the old one stays in use".to_owned()],
        Outcome::Held => vec!["the old config stays in use until you accept what would be lost".to_owned()],
    };
    lines.extend(Some(reloaded.why.clone()).filter(|why| !why.is_empty()));
    lines.extend(reloaded.changes.iter().map(|change| format!("  {change}")));
    lines.extend(reloaded.restart.iter().map(|what| format!("  from the next start on: {what}")));
    for trial in &reloaded.trials {
        let source = &trial.source;
        if let Some(why) = &trial.untried {
            lines.push(format!("  {source}: not tried: {why}"));
        }
        if trial.vanish > 0 {
            lines.push(format!("  {source}: {} items of its last answer would vanish:", trial.vanish));
            lines.extend(trial.examples.iter().map(|title| format!("    {title}")));
        }
        for (to, count) in &trial.moves {
            lines.push(format!("  {source}: {count} items would go to {to}"));
        }
        if trial.appear > 0 {
            lines.push(format!("  {source}: {} more items would be taken in", trial.appear));
        }
    }
    if reloaded.outcome == Outcome::Held {
        lines.push(
            "what is published stays published; to use the new config: feedmill reload --accept".to_owned(),
        );
    }
    lines.join("\n") + "\n"
}
