//! `reload` and `log`: changing the config and the log filter of a running daemon.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::locale::say;
use super::{ask::ask_daemon, show};
use crate::control::Query;
use crate::daemon::{Outcome, Reloaded};

/// Makes the daemon reload, and prints the outcome. A faulty config does not prevent that.
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

/// Changes the log filter of the daemon.
///
/// # Errors
/// When no daemon runs, or the filter is not valid.
pub(super) async fn log(path: &Path, filter: Option<String>) -> Result<ExitCode> {
    ask_daemon(path, &Query::Log { filter }).await?;
    show::text(&say("it is logged so until the next start\n", "日志级别已改变，直到下次启动\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn told(reloaded: &Reloaded) -> String {
    let mut lines = match reloaded.outcome {
        Outcome::Done => vec![say("the new config is in use", "新配置已生效")],
        Outcome::Same => vec![say("the config says what the one in use says", "配置与正在使用的相同")],
        Outcome::Refused => {
            vec![say("the config cannot be used; the old one stays in use", "新配置无法使用；旧配置继续有效")]
        }
        Outcome::Held => vec![say(
            "the old config stays in use until you accept what would be lost",
            "在您接受将会失去的内容之前，旧配置继续有效",
        )],
    };
    lines.extend(Some(reloaded.why.clone()).filter(|why| !why.is_empty()));
    lines.extend(reloaded.changes.iter().map(|change| format!("  {change}")));
    lines.extend(
        reloaded.restart.iter().map(|what| {
            say(format!("  from the next start on: {what}"), format!("  下次启动才生效：{what}"))
        }),
    );
    for trial in &reloaded.trials {
        let source = &trial.source;
        if let Some(why) = &trial.untried {
            lines.push(say(format!("  {source}: not tried: {why}"), format!("  {source}：未试读：{why}")));
        }
        if trial.vanish > 0 {
            let lost = trial.vanish;
            lines.push(say(
                format!("  {source}: {lost} items of its last answer would vanish:"),
                format!("  {source}：上次应答中的 {lost} 篇文章将不再收录："),
            ));
            lines.extend(trial.examples.iter().map(|title| format!("    {title}")));
        }
        for (to, count) in &trial.moves {
            lines.push(say(
                format!("  {source}: {count} items would go to {to}"),
                format!("  {source}：{count} 篇文章将归入 {to}"),
            ));
        }
        if trial.appear > 0 {
            let more = trial.appear;
            lines.push(say(
                format!("  {source}: {more} more items would be taken in"),
                format!("  {source}：将多收录 {more} 篇文章"),
            ));
        }
    }
    if reloaded.outcome == Outcome::Held {
        lines.push(say(
            "what is published stays published; to use the new config: feedmill reload --accept",
            "已发布的内容保持不变；启用新配置：feedmill reload --accept",
        ));
    }
    lines.join("\n") + "\n"
}
