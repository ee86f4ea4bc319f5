//! `poll`, `publish`, `import`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::Value;

use super::locale::say;
use super::{ask::ask, show};
use crate::config::Config;
use crate::control::Query;
use crate::import::ImportReport;
use crate::ingest::PollReport;
use crate::model::http::Unchanged;
use crate::publish::PublishReport;

/// Polls sources as `round` says ([`Query::Poll`]), and prints the reports.
///
/// # Errors
/// When the store or the outputs fail; a failed source only changes the exit code.
pub(super) async fn poll(config: Config, round: Query, json: bool) -> Result<ExitCode> {
    let dry_run = matches!(round, Query::Poll { dry_run: true, .. });
    let mut answer = ask(config, round).await?;
    let list = |key: &str| answer[key].as_array().cloned().unwrap_or_default();
    let (busy, waiting) = (list("busy"), list("waiting"));
    let failed = list("polls").iter().any(|report| !report["error"].is_null());
    let code = if failed || !busy.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    if json {
        show::json(&answer)?;
        return Ok(code);
    }
    let reports: Vec<PollReport> = serde_json::from_value(answer["polls"].take())?;
    if !reports.is_empty() || (waiting.is_empty() && busy.is_empty()) {
        let rows = reports.iter().map(poll_row).collect();
        let headings = ["source", "listed", "new", "updated", "joined", "known", "held", "details", "result"];
        show::table(
            &headings,
            rows,
            &say(
                "no source is configured; add a file to `sources.d/` beside the config",
                "还没有来源；请在配置旁的 `sources.d/` 中加一个文件",
            ),
        )?;
    }
    waiting.iter().try_for_each(|one| show::text(&not_asked(one)))?;
    busy.iter().try_for_each(|one| show::text(&polled_by(one)))?;
    if dry_run {
        show::text(&say(
            "nothing was stored or published (--dry-run)\n",
            "没有存入或发布任何内容（--dry-run）\n",
        ))?;
        return Ok(code);
    }
    let Some(published) = answer.get_mut("published") else {
        show::text(&say(
            "nothing was published (--no-publish); `feedmill publish` does that, or a running daemon by itself\n",
            "没有发布（--no-publish）；请用 `feedmill publish` 发布，运行中的守护进程会自行发布\n",
        ))?;
        return Ok(code);
    };
    let published: PublishReport = serde_json::from_value(published.take())?;
    show::text(&published_line(&published))?;
    Ok(code)
}

/// Forgets the address that a source moved to.
///
/// # Errors
/// When there is no such source, or the store fails.
pub(super) async fn undo_move(config: Config, source: String) -> Result<ExitCode> {
    let answer = ask(config, Query::UndoMove { source }).await?;
    let id = answer["source"].as_str().unwrap_or_default();
    show::text(&show::plain(&match answer["forgotten"].as_str() {
        Some(address) => say(
            format!("{id}: `{address}` is forgotten; the configured address is asked again\n"),
            format!("{id}：已忘记 `{address}`；重新使用配置中的地址\n"),
        ),
        None => say(
            format!("{id} has not moved; its configured address is asked\n"),
            format!("{id} 没有迁址；仍使用配置中的地址\n"),
        ),
    }))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns why a source was not polled.
fn not_asked(waiting: &Value) -> String {
    let said = |key: &str| waiting[key].as_str().unwrap_or_default();
    let (source, why, until) = (said("source"), said("why"), said("not_before"));
    if waiting["polled"] == true {
        return say(
            format!("{source} was not asked again: {why}; it is due at {until}\n"),
            format!("没有再次轮询 {source}：刚刚已有人轮询过，下次在 {until}\n"),
        );
    }
    say(
        format!("{source} was not asked: {why} (until {until})\n"),
        format!("没有轮询 {source}：{why}（直到 {until}）\n"),
    )
}

/// Returns the line about a source that another worker still polls.
fn polled_by(busy: &Value) -> String {
    let said = |key: &str| busy[key].as_str().unwrap_or_default();
    let (source, by) = (said("source"), said("by"));
    let by_zh = match by {
        "the daemon" => "守护进程",
        "a command" => "另一个命令",
        other => other,
    };
    say(
        format!(
            "{source} was not asked: {by} polls it, and did not end within 30 seconds; try again later\n"
        ),
        format!("没有轮询 {source}：{by_zh}正在轮询它，30 秒内没有结束；请稍后再试\n"),
    )
}

fn poll_row(report: &PollReport) -> Vec<String> {
    let result = match &report.error {
        Some(error) => say(format!("failed: {error}"), format!("失败：{error}")),
        None => match report.unchanged_by {
            None => say("ok", "正常"),
            Some(Unchanged::NotModified) => say("unchanged (304)", "无变化（304）"),
            Some(Unchanged::SameBytes) => say("unchanged (200, same bytes)", "无变化（200，内容相同）"),
            Some(Unchanged::Empty) => say("unchanged (200, empty)", "无变化（200，内容为空）"),
        },
    };
    let mut row = vec![report.source.clone()];
    let counts = [
        report.listed,
        report.inserted,
        report.updated,
        report.joined,
        report.unchanged,
        report.held,
        report.details,
    ];
    row.extend(counts.iter().map(ToString::to_string));
    row.push(result);
    row
}

/// Publishes everything.
///
/// # Errors
/// When the store or the outputs fail.
pub(super) async fn publish(config: Config, json: bool) -> Result<ExitCode> {
    let answer = ask(config, Query::Publish).await?;
    if json {
        show::json(&answer)?;
    } else {
        show::text(&published_line(&serde_json::from_value(answer)?))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn published_line(report: &PublishReport) -> String {
    let PublishReport { rendered, clean, written, bytes, kept, removed } = report;
    say(
        format!(
            "published: {rendered} categories rendered, {clean} up to date; {written} files written ({bytes} bytes), {kept} as they were, {removed} removed\n"
        ),
        format!(
            "已发布：重新生成 {rendered} 个分类，{clean} 个无变化；写入 {written} 个文件（{bytes} 字节），{kept} 个不变，删去 {removed} 个\n"
        ),
    )
}

/// Imports a Jekyll site.
///
/// # Errors
/// When the folder contains no posts, or the store fails.
pub(super) async fn import(config: Config, folder: &Path, dry_run: bool, json: bool) -> Result<ExitCode> {
    let folder = std::fs::canonicalize(folder).with_context(|| {
        say(format!("cannot open `{}`", folder.display()), format!("无法打开 `{}`", folder.display()))
    })?;
    let folder = folder.to_string_lossy().into_owned();
    let answer: Value = ask(config, Query::ImportJekyll { folder, dry_run }).await?;
    if json {
        show::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let report: ImportReport = serde_json::from_value(answer)?;
    let verb = if report.dry_run { "would be imported" } else { "imported" };
    show::text(&format!(
        "{} posts: {} {verb}, {} known already, {} further copies, {} held back, {} refused; {} old paths, {} categories\n",
        report.posts,
        report.imported,
        report.known,
        report.copies,
        report.held_back.len(),
        report.refused.len(),
        report.paths,
        report.categories
    ))?;
    for note in &report.notes {
        show::text(&format!("note: {note}\n"))?;
    }
    for (what, list) in [("held back", &report.held_back), ("refused", &report.refused)] {
        for (file, reason) in list {
            show::text(&show::plain(&format!("{what}: {file}: {reason}\n")))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
