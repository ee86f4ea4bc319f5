//! `category …`: lists, renames and merges categories.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::edit::{begin, checked, print_outcome, written};
use super::locale::say;
use super::{ask::ask_within, lists, show};
use crate::config::Config;
use crate::control::Query;

/// Commands about categories.
#[derive(Debug, Subcommand)]
pub(super) enum Category {
    /// List them with their state
    #[command(after_help = "Example: feedmill category list")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a category another name, or another slug; old addresses redirect
    #[command(
        after_help = "Examples: feedmill category rename xihaidushibao 西海报\n          feedmill category rename xihaidushibao --slug xihai"
    )]
    Rename {
        /// Slug or name that it has
        category: String,
        /// The new name
        #[arg(required_unless_present = "slug")]
        name: Option<String>,
        /// The new slug, in addresses
        #[arg(long)]
        slug: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Move all of one category to another; old addresses redirect
    #[command(after_help = "Example: feedmill category merge xihaidushibao qinghairibao --dry-run")]
    Merge {
        /// Slug or name of the one that goes
        from: String,
        /// Slug or name of the one that stays
        into: String,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Category {
    /// Runs the command.
    ///
    /// # Errors
    /// The command's error.
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        match self {
            Self::List { json } => lists::categories(config, json).await,
            Self::Rename { category, name, slug, json } => rename(config, category, name, slug, json).await,
            Self::Merge { from, into, dry_run, json } => merge(config, from, into, dry_run, json).await,
        }
    }
}

/// Renames a category in the store first, which knows the names in use, then in the config, so that the next
/// start agrees.
async fn rename(
    config: Config,
    category: String,
    name: Option<String>,
    slug: Option<String>,
    json: bool,
) -> Result<ExitCode> {
    let mut edit = begin(&config.path)?;
    // Read again: another command may have changed it since this one began.
    let config = checked(&edit)?;
    let answer = ask_within(&edit, config, Query::RenameCategory { category, name, slug }).await?;
    let said = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
    let mut old = vec![said("old_slug")];
    old.retain(|old| *old != said("slug"));
    let file = edit.name_category(&said("slug"), &said("name"), &said("old_name"), &old)?;
    if said("old_name") != said("name") {
        // A store that is started anew must not create a category with the old name.
        edit.redirect_category(&[said("old_name")], &said("name"))?;
    }
    checked(&edit)?;
    let reloaded = written(edit).await?;
    if json {
        show::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (was, is, at) = (said("old_name"), said("name"), said("slug"));
    show::text(&show::plain(&say(
        format!("{was} is {is} now, at category/{at}.html; its old addresses lead there\n"),
        format!("{was}现在叫{is}，网址为 category/{at}.html；旧网址会跳转\n"),
    )))?;
    print_outcome(&file, reloaded.as_ref())?;
    Ok(ExitCode::SUCCESS)
}

async fn merge(config: Config, from: String, into: String, dry_run: bool, json: bool) -> Result<ExitCode> {
    // Checked first, so that a config that cannot be changed stops the command before it moves anything.
    let mut edit = begin(&config.path)?;
    let config = checked(&edit)?;
    let plan = ask_within(
        &edit,
        config.clone(),
        Query::MergeCategory { from: from.clone(), into: into.clone(), dry_run: true },
    )
    .await?;
    let said = |key: &str| plan[key].as_str().unwrap_or_default().to_owned();
    let touched = edit.redirect_category(&[said("from"), said("from_name")], &said("into_name"))?;
    checked(&edit)?;
    let answer = if dry_run {
        plan.clone()
    } else {
        ask_within(&edit, config, Query::MergeCategory { from, into, dry_run }).await?
    };
    let reloaded = if dry_run || touched.is_empty() { None } else { written(edit).await? };
    if json {
        show::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (items, from, into) = (&answer["items"], said("from_name"), said("into_name"));
    show::text(&show::plain(&if dry_run {
        say(
            format!("{items} items would go from {from} to {into} (--dry-run, nothing was done)\n"),
            format!("{from}的 {items} 篇文章将归入{into}（--dry-run，未做任何改动）\n"),
        )
    } else {
        say(
            format!("{items} items went from {from} to {into}; its old addresses lead there\n"),
            format!("{from}的 {items} 篇文章已归入{into}；旧网址会跳转\n"),
        )
    }))?;
    for file in &touched {
        if dry_run {
            let file = file.display();
            show::text(&say(format!("{file} would be changed\n"), format!("将改动 {file}\n")))?;
        } else {
            print_outcome(file, reloaded.as_ref())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
