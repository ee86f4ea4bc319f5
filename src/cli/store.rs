//! `store check`, `repair`, `compact`, `export`, `import`, `stats`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand};
use serde_json::Value;
use tokio::sync::mpsc;

use super::locale::say;
use super::{ask, loss, show};
use crate::blocking;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::control::{self, Event, Query, Reply, StoreQuery};
use crate::daemon;
use crate::store::backup::Form;
use crate::store::{Findings, OnDamage, SledStore, Stats, StoreError, TakenIn};

/// What can be done with the store. All of it works while the daemon runs.
#[derive(Debug, Subcommand)]
pub(super) enum Store {
    /// Look through the whole store for faults; changes nothing, and says what a repair would lose
    #[command(
        after_help = "Example: feedmill store check\nExit code 1 when there are faults; then `store repair`."
    )]
    Check(Json),
    /// Mend what `check` finds: indexes are made anew, texts come from the last export, what is lost is asked for again
    #[command(after_help = "Example: feedmill store repair")]
    Repair(Json),
    /// Write the store anew, without what was deleted, to give its room back
    #[command(after_help = "Example: feedmill store compact")]
    Compact(Json),
    /// Write everything into one file, compressed and with a checksum: a backup
    #[command(after_help = "Example: feedmill store export feedmill.export")]
    Export {
        /// The file
        file: PathBuf,
        /// The same as JSON Lines, not compressed: for other programs
        #[arg(long)]
        lines: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take an export in, compressed or not
    #[command(
        after_help = "Example: feedmill store import feedmill.export --replace\nAn empty store becomes the one that was exported. To one that holds items, what is missing is added; with --replace it becomes the one that was exported, and is kept beside it."
    )]
    Import {
        /// The file
        file: PathBuf,
        /// Put it in the place of a store that holds items; that one is kept
        #[arg(long)]
        replace: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Items, bytes by tree, growth
    #[command(after_help = "Example: feedmill store stats")]
    Stats(Json),
}

/// How to answer.
#[derive(Debug, Args)]
pub(super) struct Json {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Store {
    /// Runs the command.
    ///
    /// # Errors
    /// The store's error, or when neither daemon nor store can be reached.
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        match self {
            Self::Check(json) => {
                let answer = asked(config, StoreQuery::Check).await?;
                found(&answer, json.json, false)
            }
            Self::Repair(json) => found(&repaired(config).await?, json.json, true),
            Self::Compact(json) => {
                let answer = asked(config, StoreQuery::Compact).await?;
                let size = |name: &str| bytes(answer[name].as_u64().unwrap_or_default());
                tell(
                    &answer,
                    json.json,
                    &say(
                        format!("{} before, {} now\n", size("before_bytes"), size("after_bytes")),
                        format!("之前 {}，现在 {}\n", size("before_bytes"), size("after_bytes")),
                    ),
                )
            }
            Self::Export { file, lines, json } => {
                let path = absolute(&file)?;
                let form = if lines { Form::Lines } else { Form::Packed };
                let answer = asked(config, StoreQuery::Export { path, form }).await?;
                let size = bytes(answer["bytes"].as_u64().unwrap_or_default());
                tell(&answer, json, &format!("{}: {size}\n", answer["path"].as_str().unwrap_or_default()))
            }
            Self::Import { file, replace, json } => import(config, &file, replace, json).await,
            Self::Stats(json) => {
                let answer = asked(config, StoreQuery::Stats).await?;
                stats(&answer, json.json)
            }
        }
    }
}

/// Returns the answer of the daemon, or of the store opened here without repairing it, so that a check
/// changes nothing.
async fn asked(config: Config, query: StoreQuery) -> Result<Value> {
    let events = match control::ask(&config.socket, &Query::Store(query.clone())).await? {
        Reply::Daemon(events) => events,
        Reply::NoDaemon => {
            let store = opened(config, &query).await?;
            let (sender, receiver) = mpsc::channel(64);
            tokio::spawn(async move {
                let now = SystemClock.now();
                let last = match daemon::work(Arc::new(store), query, now, sender.clone()).await {
                    Ok(value) => Event::Done(value),
                    Err(message) => Event::Failed(message),
                };
                let _ = sender.send(last).await;
            });
            receiver
        }
    };
    ask::follow(events).await
}

/// Repairs the store and returns what was found. If no daemon did it, opening the mill then restores lost
/// items from the outputs, as the daemon does.
async fn repaired(config: Config) -> Result<Value> {
    let mut answer = asked(config.clone(), StoreQuery::Repair).await?;
    let by_daemon = matches!(control::ask(&config.socket, &Query::Status).await?, Reply::Daemon(_));
    if !answer["loss"].is_null() && !by_daemon {
        let mill = Box::pin(ask::open_unchanged(config, OnDamage::BeginAnew)).await?;
        answer["loss"] = serde_json::to_value(mill.backend.last_loss()?)?;
    }
    Ok(answer)
}

/// Opens the store without repairing it. One that cannot be opened is repaired if the query is a repair or
/// replaces it.
async fn opened(config: Config, query: &StoreQuery) -> Result<SledStore> {
    let (options, exports) = (config.store.clone(), config.store.exports.clone());
    let as_it_is = move || {
        let options = options.clone();
        blocking::run_long(move || SledStore::open_as_it_is(options))
    };
    let mends = matches!(query, StoreQuery::Repair | StoreQuery::Import { replace: true, .. });
    match as_it_is().await? {
        Err(StoreError::Corrupt { .. }) if mends => {
            let mill = Box::pin(ask::open_unchanged(config, OnDamage::BeginAnew)).await?;
            if let Some(loss) = mill.backend.last_loss()? {
                show::error_text(&loss::loss_message(&loss));
            }
            drop(mill);
            Ok(as_it_is().await??)
        }
        opened => opened.map_err(|error| ask::open_error(error, exports.as_deref())),
    }
}

async fn import(config: Config, file: &Path, replace: bool, json: bool) -> Result<ExitCode> {
    let path = absolute(file)?;
    let answer = asked(config, StoreQuery::Import { path, replace }).await?;
    let Some(kept) = answer["kept"].as_str() else {
        let TakenIn { items, known, sources } = serde_json::from_value(answer.clone())?;
        return tell(
            &answer,
            json,
            &say(
                format!("{items} items taken in, {known} known; {sources} new sources\n"),
                format!("收入 {items} 篇文章，{known} 篇已有；新来源 {sources} 个\n"),
            ),
        );
    };
    let done = say(
        format!("the store is now what was exported; the one before is kept as `{kept}`\n"),
        format!("存储已换成导出时的内容；之前的存储保留为 `{kept}`\n"),
    );
    tell(&answer, json, &done)
}

/// Returns an absolute path: the daemon has another working directory.
fn absolute(file: &Path) -> Result<String> {
    let path = std::path::absolute(file).with_context(|| format!("cannot use `{}`", file.display()))?;
    let text = path.to_str().ok_or_else(|| anyhow!("the name `{}` is not UTF-8", path.display()))?;
    Ok(text.to_owned())
}

fn tell(answer: &Value, json: bool, text: &str) -> Result<ExitCode> {
    if json {
        show::json(answer)?;
    } else {
        show::text(text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn found(answer: &Value, json: bool, repaired: bool) -> Result<ExitCode> {
    let found: Findings = serde_json::from_value(answer.clone())?;
    let left = found.faults - found.mended.min(found.faults);
    let Findings { records, items, faults, mended, .. } = &found;
    let mut text = say(
        format!("{records} records looked at, {items} items: {faults} faults"),
        format!("检查了 {records} 条记录、{items} 篇文章：{faults} 处错误"),
    );
    if repaired {
        text.push_str(&say(format!(", {mended} mended"), format!("，已修复 {mended} 处")));
    }
    text.push('\n');
    for (kind, count) in &found.kinds {
        writeln!(text, "{count:>8}  {kind}")?;
    }
    for fault in &found.told {
        writeln!(text, "  {}", show::plain(fault))?;
    }
    if let Some(loss) = &found.loss {
        text.push_str(&show::plain(&if repaired {
            loss::loss_message(loss)
        } else {
            loss::loss_preview(loss)
        }));
    }
    if left > 0 && !repaired {
        text.push_str(&say("`feedmill store repair` mends them\n", "用 `feedmill store repair` 修复\n"));
    }
    tell(answer, json, &text)?;
    Ok(if left > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn stats(answer: &Value, json: bool) -> Result<ExitCode> {
    if json {
        return tell(answer, true, "");
    }
    let stats: Stats = serde_json::from_value(answer.clone())?;
    let mut text = format!(
        "{} items, {} withdrawn\n{} of records, {} on disk ({:.2} for each), {} of text before compression\n",
        stats.items,
        stats.withdrawn,
        bytes(stats.live_bytes),
        bytes(stats.disk_bytes),
        stats.ratio,
        bytes(stats.text_bytes)
    );
    for growth in &stats.growth {
        writeln!(text, "{} items first seen within {} days", growth.items, growth.days)?;
    }
    show::text(&text)?;
    let rows =
        stats.trees.into_iter().map(|tree| vec![tree.name, tree.records.to_string(), bytes(tree.bytes)]);
    show::table(&["tree", "records", "bytes"], rows.collect(), "")?;
    Ok(ExitCode::SUCCESS)
}

/// Returns a size in binary units.
fn bytes(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}
