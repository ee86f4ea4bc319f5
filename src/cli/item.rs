//! `item …`: commands about articles.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::locale::say;
use super::{ask::ask, lists, show, story, withdraw};
use crate::config::Config;
use crate::control::Query;

/// Commands about articles.
#[derive(Debug, Subcommand)]
pub(super) enum Item {
    /// The newest items
    #[command(after_help = "Example: feedmill item list --category xihaidushibao")]
    List {
        /// Only of this category (slug or name)
        #[arg(long)]
        category: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// All that is known of one item
    #[command(after_help = "Example: feedmill item show NW202112212221043837")]
    Show {
        /// Its `infoCode`
        info_code: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// An item's whole story: what happened to it and why, and where it is shown
    #[command(after_help = "Example: feedmill item explain NW202112212221043837")]
    Explain {
        /// Its `infoCode`
        info_code: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Move an item to another category, for ever: no source and no rule moves it again
    #[command(after_help = "Example: feedmill item move NW202112212221043837 --to xihaidushibao")]
    Move {
        /// Its `infoCode`
        info_code: String,
        /// Slug or name of the category
        #[arg(long)]
        to: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take items out of everything that is published; they never come back by themselves
    #[command(
        after_help = "Example: feedmill item withdraw NW202112212221043837 --why 'asked by the paper' --dry-run"
    )]
    Withdraw(withdraw::Withdraw),
    /// Put a withdrawn item back
    #[command(after_help = "Example: feedmill item restore NW202112212221043837 --why 'a mistake'")]
    Restore {
        /// Its `infoCode`
        info_code: String,
        /// Why
        #[arg(long, default_value = "by an admin")]
        why: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Items whose title or code contains a text
    #[command(after_help = "Example: feedmill item find 西海")]
    Find {
        /// The text
        text: String,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Item {
    /// Runs the command.
    ///
    /// # Errors
    /// The command's error.
    pub(super) async fn run(self, config: Config) -> Result<ExitCode> {
        match self {
            Self::List { category, limit, json } => lists::items(config, category, limit, json).await,
            Self::Show { info_code, json } => lists::item(config, info_code, json).await,
            Self::Explain { info_code, json } => story::explain(config, info_code, json).await,
            Self::Move { info_code, to, json } => move_to(config, info_code, to, json).await,
            Self::Withdraw(withdraw) => withdraw.run(config).await,
            Self::Restore { info_code, why, json } => story::restore(config, info_code, why, json).await,
            Self::Find { text, limit, json } => lists::find(config, text, limit, json).await,
        }
    }
}

async fn move_to(config: Config, code: String, to: String, as_json: bool) -> Result<ExitCode> {
    let answer = ask(config, Query::Move { code, to }).await?;
    if as_json {
        show::json(&answer)?;
    } else {
        let name = answer["name"].as_str().unwrap_or_default();
        let line = if answer["changed"] == true {
            say(format!("it stands in {name} from now on, for ever"), format!("从现在起归入{name}，永久有效"))
        } else {
            say(
                format!("it stands in {name} already, and stays there"),
                format!("已在{name}，并将一直留在那里"),
            )
        };
        show::text(&show::plain(&format!("{line}\n")))?;
    }
    Ok(ExitCode::SUCCESS)
}
