//! The command line: what can be typed, and how answers are shown.
//!
//! Owns: arguments, tables, progress bars, exit codes (0 good, 1 failed or found faults,
//! 2 usage or config). Does not own: any work. One file a command, or a group of small ones.

mod ask;
mod check;
mod demo;
mod discover;
mod lists;
mod preview;
mod reload;
mod rules;
mod run;
mod show;
mod store;
mod story;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{self, Config};

/// Polls newspapers' feeds, keeps every article once, publishes one clean feed per category.
#[derive(Debug, Parser)]
#[command(
    name = "feedmill",
    version,
    propagate_version = true,
    after_help = "Try it: feedmill demo\n\nEnvironment: FEEDMILL_CONFIG names the config file, FEEDMILL_LOG what is logged (like `debug`)"
)]
pub struct Cli {
    /// The config file [default: ./config/feedmill.toml, else /etc/feedmill/feedmill.toml]
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say more on standard error (twice: everything)
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Poll, publish and serve until stopped (the daemon)
    Run,
    /// One round over all sources, or some; then publish
    #[command(after_help = "Example: feedmill poll xihai")]
    Poll {
        /// Ids of sources; all that are enabled without
        sources: Vec<String>,
        /// Ask, and only say what would be stored
        #[arg(long)]
        dry_run: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Use the config as it stands on the disk, without a restart
    ///
    /// It is read, checked, and tried on the last answers of its sources. With faults the old one stays
    /// in use. If articles would not be taken in any more, the daemon says which and waits for `--accept`.
    #[command(after_help = "Examples: feedmill reload\n          feedmill reload --accept")]
    Reload {
        /// Even if articles would not be taken in any more
        #[arg(long)]
        accept: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Bring all outputs up to date
    Publish {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Serve what is published, without polling
    Serve,
    /// Check the config; all faults at once
    #[command(after_help = "Example: feedmill check --config /etc/feedmill/feedmill.toml")]
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what feedmill reads in a feed, a file or an address
    #[command(after_help = "Example: feedmill preview https://example.org/feed.xml")]
    Preview(preview::Preview),
    /// Find the feeds behind an address, with config to save
    #[command(after_help = "Example: feedmill discover https://news.example.org/")]
    Discover(discover::Discover),
    /// Sources
    #[command(subcommand)]
    Source(SourceCommand),
    /// Categories
    #[command(subcommand)]
    Category(List),
    /// Rules
    #[command(subcommand)]
    Rule(List),
    /// Apply changed rules and categories of sources to what is stored
    #[command(after_help = "Example: feedmill reroute --dry-run")]
    Reroute {
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Items
    #[command(subcommand)]
    Item(Item),
    /// The store: look, mend, compact, export, import, count
    #[command(subcommand)]
    Store(store::Store),
    /// Take another site over
    #[command(subcommand)]
    Import(Import),
    /// Try everything at once, with samples or with feeds of yours
    #[command(after_help = "Examples: feedmill demo\n          feedmill demo https://example.org/feed.xml")]
    Demo(demo::Demo),
}

#[derive(Debug, Subcommand)]
enum List {
    /// List them with their state
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum SourceCommand {
    /// List them with their state: last success, next poll and why
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget the address that a source moved to, and ask the configured one again
    #[command(after_help = "Example: feedmill source undo-move xihai")]
    UndoMove {
        /// Its id
        source: String,
    },
}

#[derive(Debug, Subcommand)]
enum Item {
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
    /// Take an item out of everything that is published; it stays out while it is listed on
    #[command(after_help = "Example: feedmill item withdraw NW202112212221043837 --why 'asked by the paper'")]
    Withdraw {
        /// Its `infoCode`
        info_code: String,
        /// Why, for whoever asks later
        #[arg(long)]
        why: String,
        /// Delete its text and what it was before, for good
        #[arg(long)]
        erase: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
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

#[derive(Debug, Subcommand)]
enum Import {
    /// Posts of a Jekyll site (`_posts`, `old_post`); old addresses go on answering
    #[command(after_help = "Example: feedmill import jekyll ~/old-site --dry-run")]
    Jekyll(ImportJekyll),
}

#[derive(Debug, Args)]
struct ImportJekyll {
    /// The folder of the old site
    folder: PathBuf,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs what was typed.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.verbose);
    crate::store::hush_guarded_panics();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error).context("cannot start the async runtime")),
    };
    let ended = runtime.block_on(dispatch(cli));
    // Blocking work that is still running must not hold the end up for ever.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    match ended {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let config = cli.config.as_deref();
    match cli.command {
        Command::Check { json } => check::check(config, json),
        Command::Preview(preview) => preview.run().await,
        Command::Discover(discover) => discover.run().await,
        Command::Demo(demo) => demo.run().await,
        Command::Run => run::run(&config::find(config)).await,
        Command::Reload { accept, json } => reload::reload(&config::find(config), accept, json).await,
        command => {
            let config = match loaded(config) {
                Ok(config) => config,
                Err(code) => return Ok(code),
            };
            with_config(config, command).await
        }
    }
}

async fn with_config(config: Config, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve => run::serve(config).await,
        Command::Poll { sources, dry_run, json } => work::poll(config, sources, dry_run, json).await,
        Command::Publish { json } => work::publish(config, json).await,
        Command::Source(SourceCommand::List { json }) => lists::sources(config, json).await,
        Command::Source(SourceCommand::UndoMove { source }) => work::undo_move(config, source).await,
        Command::Rule(List::List { json }) => rules::list(config, json).await,
        Command::Reroute { dry_run, json } => rules::reroute(config, dry_run, json).await,
        Command::Category(List::List { json }) => lists::categories(config, json).await,
        Command::Item(Item::List { category, limit, json }) => {
            lists::items(config, category, limit, json).await
        }
        Command::Item(Item::Show { info_code, json }) => lists::item(config, info_code, json).await,
        Command::Item(Item::Explain { info_code, json }) => story::explain(config, info_code, json).await,
        Command::Item(Item::Withdraw { info_code, why, erase, json }) => {
            story::withdraw(config, info_code, why, erase, json).await
        }
        Command::Item(Item::Restore { info_code, why, json }) => {
            story::restore(config, info_code, why, json).await
        }
        Command::Item(Item::Find { text, limit, json }) => lists::find(config, text, limit, json).await,
        Command::Store(store) => store.run(config).await,
        Command::Import(Import::Jekyll(import)) => {
            work::import(config, &import.folder, import.dry_run, import.json).await
        }
        Command::Check { .. }
        | Command::Run
        | Command::Reload { .. }
        | Command::Preview(_)
        | Command::Discover(_)
        | Command::Demo(_) => Ok(ExitCode::SUCCESS),
    }
}

/// The config, or exit code 2 with all its faults shown.
fn loaded(given: Option<&std::path::Path>) -> Result<Config, ExitCode> {
    let loaded = config::load(&config::find(given));
    if !loaded.faults.is_empty() {
        show::error_text(&loaded.faults.render(show::color_on_stderr()));
    }
    loaded.config.ok_or(ExitCode::from(2))
}

fn start_log(verbose: u8) {
    let default = match verbose {
        0 => "warn,feedmill=info",
        1 => "info,feedmill=debug",
        _ => "debug,feedmill=trace",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("FEEDMILL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(show::color_on_stderr())
        .with_target(false)
        .init();
}

fn failed(error: &anyhow::Error) -> ExitCode {
    show::error_text(&show::plain(&format!("error: {}\n", crate::model::chain(error.as_ref()))));
    ExitCode::FAILURE
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
