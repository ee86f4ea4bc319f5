//! `source …`: lists and tests sources, and changes them in the config.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use url::Url;

use super::discover::{Found, search};
use super::edit::{begin, checked, print_outcome, written};
use super::locale::say;
use super::show;
use crate::config::Config;
use crate::control::Query;
use crate::discover;
use crate::fetch::Fetcher;
use crate::model::{SourceId, Timestamp};

/// Items that are shown before the admin decides.
const SHOWN: usize = 5;

/// Commands about sources.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List them with their state: last success, next poll and why
    #[command(after_help = "Example: feedmill source list")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Find the feed behind an address, show it, ask, and write it into the config
    #[command(after_help = "Example: feedmill source add https://news.example.org/ --category 西海都市报")]
    Add(Add),
    /// Ask it now, and only say what would be stored
    #[command(after_help = "Example: feedmill source test xihai")]
    Test {
        /// Its id
        source: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Poll it no more; its articles stay
    #[command(after_help = "Example: feedmill source disable xihai")]
    Disable(SourceArg),
    /// Poll it again
    #[command(after_help = "Example: feedmill source enable xihai")]
    Enable(SourceArg),
    /// Take it out of the config; its articles stay
    #[command(after_help = "Example: feedmill source remove xihai")]
    Remove(SourceArg),
    /// Give it another name for people; its id never changes
    #[command(after_help = "Example: feedmill source rename xihai 西海都市报官方")]
    Rename {
        #[command(flatten)]
        one: SourceArg,
        /// The new name
        name: String,
    },
    /// Forget the address that a source moved to, and ask the configured one again
    #[command(after_help = "Example: feedmill source undo-move xihai")]
    UndoMove {
        /// Its id
        source: String,
    },
}

/// Which source.
#[derive(Debug, Args)]
pub(super) struct SourceArg {
    /// Its id
    source: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// The command's error.
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        let path = config.path.clone();
        match self {
            Self::List { json } => super::lists::sources(config, json).await,
            Self::Add(add) => add.run(&path, &config).await,
            Self::Test { source, json } => {
                let round = Query::Poll { sources: vec![source], dry_run: true, no_publish: true };
                super::work::poll(config, round, json).await
            }
            Self::Disable(one) => change(&path, &one, Change::Disable).await,
            Self::Enable(one) => change(&path, &one, Change::Enable).await,
            Self::Remove(one) => change(&path, &one, Change::Remove).await,
            Self::Rename { one, name } => change(&path, &one, Change::Rename(name)).await,
            Self::UndoMove { source } => super::work::undo_move(config, source).await,
        }
    }
}

/// Arguments of `source add`.
#[derive(Debug, Args)]
pub(super) struct Add {
    /// Any address of the newspaper: its home page, an article, a feed
    url: Url,
    /// Its id for ever; by default made of its name
    #[arg(long)]
    id: Option<String>,
    /// Where its articles go; by default a category of its name
    #[arg(long)]
    category: Option<String>,
    /// Ask nothing, take the first feed that is found
    #[arg(long, short)]
    yes: bool,
    /// Only show what would be written
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Add {
    /// Finds a feed, shows it, asks, and writes a drop-in.
    ///
    /// # Errors
    /// When nothing is found, or the config would be faulty with it.
    pub(super) async fn run(self, path: &Path, config: &Config) -> Result<ExitCode> {
        let fetcher = Fetcher::new(config.fetch.clone())?;
        let found = search(&fetcher, &self.url).await.with_context(|| format!("`{}`", self.url))?;
        if found.is_empty() {
            bail!(say(
                "no feed and no news sitemap found there; the newspaper's pages can be read with kind `html`, see \
                 docs/add-a-newspaper.md",
                "在该网址没有找到订阅源或新闻站点地图；可用 `html` 类型直接读取网页，见 docs/add-a-newspaper.md"
            ));
        }
        let chosen = self.choose(&found)?;
        let title = self.category.clone().unwrap_or_else(|| chosen.document.title.clone());
        let (free, _) = discover::config(&chosen.candidate.url, &title, chosen.kind);
        let id = self.id.clone().unwrap_or(free);
        if SourceId::new(&id).is_none() {
            bail!(say(
                format!("`{id}` cannot be an id: small letters, digits, `.`, `-` and `_`, at most 64"),
                format!("`{id}` 不能作编号：只可用小写字母、数字、`.`、`-` 和 `_`，最多 64 个")
            ));
        }
        let text = discover::config_as(&id, &chosen.candidate.url, &title, chosen.kind);
        let proposed = || {
            let mut edit = begin(path)?;
            let file = edit.add(&id, &text)?;
            checked(&edit)?;
            anyhow::Ok((edit, file))
        };
        // The lock is not kept while the admin decides.
        let file = proposed()?.1;
        if !self.json {
            show::text(&show::plain(&preview(chosen, &file.display().to_string(), &text)))?;
        }
        if !self.dry_run && !self.yes && !confirm(&say("write it? [Y/n] ", "写入吗？[Y/n] "))? {
            show::text(&say("nothing was written\n", "没有写入任何内容\n"))?;
            return Ok(ExitCode::FAILURE);
        }
        let reloaded = if self.dry_run { None } else { written(proposed()?.0).await? };
        if self.json {
            show::json(&json!({
                "id": id, "file": file.display().to_string(), "url": chosen.candidate.url.as_str(), "config": text,
                "items": chosen.document.entries.len(), "written": !self.dry_run, "reload": reloaded,
            }))?;
        } else if self.dry_run {
            show::text(&say("nothing was written (--dry-run)\n", "没有写入任何内容（--dry-run）\n"))?;
        } else {
            print_outcome(&file, reloaded.as_ref())?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Returns the only feed, the first one, or the one that the admin chooses.
    fn choose<'a>(&self, found: &'a [Found]) -> Result<&'a Found> {
        let first = found.first().context("nothing was found")?;
        if found.len() == 1 || self.yes || self.dry_run || self.json || !std::io::stdin().is_terminal() {
            return Ok(first);
        }
        for (nth, one) in found.iter().enumerate() {
            let line = format!("{}  {}  {}\n", nth + 1, one.candidate.url, one.document.title);
            show::text(&show::plain(&line))?;
        }
        let answer = prompt(&say("which one? [1] ", "选择哪一个？[1] "))?;
        let nth: usize = if answer.is_empty() { 1 } else { answer.parse().unwrap_or(0) };
        nth.checked_sub(1)
            .and_then(|nth| found.get(nth))
            .context(say("there is no such number", "没有这个编号"))
    }
}

fn preview(found: &Found, file: &str, text: &str) -> String {
    let document = &found.document;
    let mut lines = vec![say(
        format!(
            "{} ({}, {} items, {})",
            document.title,
            document.format,
            document.entries.len(),
            found.candidate.why
        ),
        format!(
            "{}（{}，{} 篇，{}）",
            document.title,
            document.format,
            document.entries.len(),
            found.candidate.why
        ),
    )];
    for entry in document.entries.iter().take(SHOWN) {
        let date = entry.published.map(Timestamp::rfc3339).unwrap_or_default();
        let title =
            if entry.title.is_empty() { entry.link.as_deref().unwrap_or_default() } else { &entry.title };
        lines.push(format!("  {date}  {title}"));
    }
    lines.push(format!("{file}:"));
    lines.extend(text.lines().map(|line| format!("  {line}")));
    lines.join("\n") + "\n"
}

/// A change of one source in its file.
#[derive(Debug, Clone)]
enum Change {
    Disable,
    Enable,
    Remove,
    Rename(String),
}

/// Changes one source, unless the config would become faulty.
///
/// # Errors
/// When there is no such source, or the config would be faulty.
async fn change(path: &Path, one: &SourceArg, change: Change) -> Result<ExitCode> {
    let source = one.source.as_str();
    let mut edit = begin(path)?;
    let file = match change {
        Change::Disable => edit.set(source, "enabled", Some(false.into()))?,
        Change::Enable => edit.set(source, "enabled", None)?,
        Change::Remove => edit.remove(source)?,
        Change::Rename(name) => edit.set(source, "name", Some(name.into()))?,
    };
    checked(&edit)?;
    let reloaded = written(edit).await?;
    if one.json {
        show::json(&json!({ "source": source, "file": file.display().to_string(), "reload": reloaded }))?;
    } else {
        print_outcome(&file, reloaded.as_ref())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns an answer typed on the terminal.
fn prompt(question: &str) -> Result<String> {
    if !std::io::stdin().is_terminal() {
        bail!(say("nobody is there to ask; add `--yes`", "没有终端可以询问；请加上 `--yes`"));
    }
    let mut out = std::io::stderr().lock();
    out.write_all(question.as_bytes())?;
    out.flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn confirm(question: &str) -> Result<bool> {
    Ok(matches!(prompt(question)?.to_lowercase().as_str(), "" | "y" | "yes" | "是"))
}
