//! `item withdraw`: prints the items, their copies, and the other places that may still have them.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::locale::say;
use super::{ask::ask, show};
use crate::config::Config;
use crate::control::Query;
use crate::daemon::{ItemRow, Withdrawal};

/// Arguments of `item withdraw`.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that somebody types")]
#[derive(Debug, Args)]
pub(super) struct Withdraw {
    /// `infoCode`s, addresses of this site, or the newspapers' own
    #[arg(required = true, value_name = "WHICH")]
    names: Vec<String>,
    /// Why, for whoever asks later
    #[arg(long)]
    why: String,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Copies too: other items with the same link or text
    #[arg(long)]
    copies: bool,
    /// Delete the text, what it was before and the sources' last answers, for good
    #[arg(long)]
    erase: bool,
    /// Exports that hold them: delete these, and make a new one in their place
    #[arg(long)]
    exports: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Withdraw {
    /// Withdraws the items, and prints the result.
    ///
    /// # Errors
    /// When an item is unknown, or neither daemon nor store can be reached.
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let Self { names, why, dry_run, copies, erase, exports, json } = self;
        let answer = ask(config, Query::Withdraw { names, why, erase, copies, exports, dry_run }).await?;
        if json {
            show::json(&answer)?;
        } else {
            show::text(&show::plain(&told(&serde_json::from_value(answer)?, copies)))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn told(done: &Withdrawal, with_copies: bool) -> String {
    let mut lines = Vec::new();
    if !done.copies.is_empty() {
        lines.push(if with_copies {
            say("these show the same, and go as well:", "以下文章内容相同，将一并撤下：")
        } else {
            say(
                "these show the same, and stay; with `--copies` they go as well:",
                "以下文章内容相同，仍会保留；加 `--copies` 可一并撤下：",
            )
        });
        lines.extend(done.copies.iter().map(|copy| format!("  {}  ({})", line(&copy.row), copy.same)));
    }
    lines.push(match (done.dry_run, done.erased, done.withdrawn) {
        (true, false, _) => say(
            "these would go (--dry-run, nothing was done):",
            "以下文章将被撤下（--dry-run，未做任何改动）：",
        ),
        (true, true, _) => say(
            "these would go, with their text (--dry-run, nothing was done):",
            "以下文章及其正文将被删除（--dry-run，未做任何改动）：",
        ),
        (false, _, 0) => say("these were out already:", "以下文章此前已撤下："),
        (false, false, _) => say(
            "withdrawn; our addresses answer 410 now, and they never come back by themselves:",
            "已撤下；本站网址现在返回 410，文章不会自行再现：",
        ),
        (false, true, _) => say(
            "erased, with their text; our addresses answer 410 now:",
            "已连同正文删除；本站网址现在返回 410：",
        ),
    });
    lines.extend(done.items.iter().map(|row| format!("  {}", line(row))));
    if !done.urls.is_empty() {
        lines.push(say("a CDN or a search engine may still hold:", "CDN 或搜索引擎可能仍保留以下网址："));
        lines.extend(done.urls.iter().map(|url| format!("  {url}")));
    }
    lines.extend(other_copies(done));
    lines.join("\n") + "\n"
}

/// Returns the lines about exports and older stores that have the items.
fn other_copies(done: &Withdrawal) -> Vec<String> {
    let exports = say(
        "these exports still hold them; with `--exports` they are deleted, and a new one is made:",
        "以下导出文件仍含有这些文章；加 `--exports` 可将其删除并重新导出：",
    );
    let deleted = say("these exports held them, and are deleted:", "以下导出文件含有这些文章，已删除：");
    let exported: Vec<String> = done.exported.iter().cloned().collect();
    let made = say("a new export was made:", "已重新导出：");
    let unread = say("these cannot be read, and may hold them:", "以下文件无法读取，可能含有这些文章：");
    let stores = say(
        "these older stores may hold them; delete them when you need them no more:",
        "以下旧存储可能含有这些文章；不再需要时请删除：",
    );
    let lists = [
        (exports, &done.exports),
        (deleted, &done.deleted),
        (made, &exported),
        (unread, &done.unread),
        (stores, &done.stores),
    ];
    let told = lists.into_iter().filter(|(_, paths)| !paths.is_empty());
    told.flat_map(|(title, paths)| std::iter::once(title).chain(paths.iter().map(|path| format!("  {path}"))))
        .collect()
}

fn line(row: &ItemRow) -> String {
    format!("{}  {}  {}", row.info_code, row.title, row.url)
}
