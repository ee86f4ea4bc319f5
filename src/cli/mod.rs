//! The command line: arguments, and how answers are shown.
//!
//! Owns: arguments, tables, progress bars, exit codes (0 good, 1 failed or found faults, 2 usage or config).
//! Does not own: any work. One file a command, or a group of small ones; a new command also needs its line
//! in `locale`.

mod ask;
mod category;
mod check;
mod demo;
mod discover;
mod doctor;
mod edit;
mod generate;
mod item;
mod lists;
mod locale;
mod loss;
mod opml;
mod preview;
mod reload;
mod rules;
mod run;
mod show;
mod source;
mod status;
mod store;
mod story;
mod withdraw;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{self, Config};
use crate::control::Query;

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
    #[command(after_help = "Example: feedmill run --config /etc/feedmill/feedmill.toml")]
    Run,
    /// One round over all sources, or some; then publish
    #[command(after_help = "Examples: feedmill poll xihai\n          feedmill poll --no-publish")]
    Poll {
        /// Ids of sources; all that are enabled without
        sources: Vec<String>,
        /// Ask, and only say what would be stored
        #[arg(long)]
        dry_run: bool,
        /// Only store; `feedmill publish` brings the outputs up to date (a daemon does so by itself)
        #[arg(long)]
        no_publish: bool,
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
    #[command(after_help = "Example: feedmill publish")]
    Publish {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Serve what is published, without polling
    #[command(after_help = "Example: feedmill serve")]
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
    /// How things stand: what needs attention first
    #[command(after_help = "Example: feedmill status\nExit code 1 where something needs attention.")]
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Look at config, permissions, disk, time, DNS, TLS roots, port and unit, and say how to mend them
    #[command(after_help = "Example: feedmill doctor")]
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Whether the daemon answers; for containers
    #[command(after_help = "Example: feedmill healthcheck")]
    Healthcheck,
    /// Change what a running daemon logs, until its next start
    #[command(
        after_help = "Examples: feedmill log debug\n          feedmill log warn,feedmill::fetch=trace\n          feedmill log"
    )]
    Log {
        /// A level, or pairs of a part and a level; what is logged by default without
        filter: Option<String>,
    },
    /// Sources
    #[command(subcommand)]
    Source(source::Command),
    /// Categories
    #[command(subcommand)]
    Category(category::Category),
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
    Item(item::Item),
    /// The store: look, mend, compact, export, import, count
    #[command(subcommand)]
    Store(store::Store),
    /// Take another site over
    #[command(subcommand)]
    Import(Import),
    /// Write something for other programs
    #[command(subcommand)]
    Export(Export),
    /// Make man pages, completions, a schema of the config, the unit, a config
    #[command(subcommand)]
    Generate(generate::Generate),
    /// Try everything at once, with samples or with feeds of yours
    #[command(after_help = "Examples: feedmill demo\n          feedmill demo https://example.org/feed.xml")]
    Demo(demo::Demo),
}

impl Command {
    /// Returns the runtime for a command.
    ///
    /// The daemon uses all processors. A short command would spend more on waking threads than on its
    /// requests, so it gets one thread for them and one for the store.
    fn runtime(&self) -> tokio::runtime::Builder {
        match self {
            Self::Run | Self::Serve | Self::Demo(_) => tokio::runtime::Builder::new_multi_thread(),
            _ => {
                crate::blocking::use_threads(1);
                tokio::runtime::Builder::new_current_thread()
            }
        }
    }
}

#[derive(Debug, Subcommand)]
enum List {
    /// List them with their state
    #[command(after_help = "Example: feedmill rule list")]
    List {
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
    /// Make sources of a list of subscriptions
    #[command(after_help = "Example: feedmill import opml subscriptions.opml --dry-run")]
    Opml {
        /// The list
        file: PathBuf,
        /// One category for each folder of the list, not for each feed
        #[arg(long)]
        by_folder: bool,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Export {
    /// All feeds of the config as a list of subscriptions
    #[command(after_help = "Example: feedmill export opml")]
    Opml,
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

/// Parses the command line and runs the command.
#[must_use]
pub fn main() -> ExitCode {
    let matches = locale::localised(Cli::command()).get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    crate::daemon::log::start(cli.verbose, show::color_on_stderr());
    crate::store::silence_caught_panics();
    let runtime = match cli.command.runtime().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error).context("cannot start the async runtime")),
    };
    let ended = runtime.block_on(dispatch(cli));
    // Blocking work that is still running must not delay the end for ever.
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
        Command::Doctor { json } => doctor::doctor(&config::find(config), json).await,
        Command::Log { filter } => reload::log(&config::find(config), filter).await,
        Command::Generate(generate) => generate.run(Cli::command()),
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
        Command::Poll { sources, dry_run, no_publish, json } => {
            work::poll(config, Query::Poll { sources, dry_run, no_publish }, json).await
        }
        Command::Publish { json } => work::publish(config, json).await,
        Command::Status { json } => status::status(config, json).await,
        Command::Healthcheck => status::healthcheck(config).await,
        Command::Source(command) => command.run(config).await,
        Command::Rule(List::List { json }) => rules::list(config, json).await,
        Command::Reroute { dry_run, json } => rules::reroute(config, dry_run, json).await,
        Command::Category(command) => command.run(config).await,
        Command::Item(command) => command.run(config).await,
        Command::Store(store) => store.run(config).await,
        Command::Import(Import::Jekyll(import)) => {
            work::import(config, &import.folder, import.dry_run, import.json).await
        }
        Command::Import(Import::Opml { file, by_folder, dry_run, json }) => {
            opml::import(config, &file, by_folder, dry_run, json).await
        }
        Command::Export(Export::Opml) => opml::export(&config),
        Command::Check { .. }
        | Command::Run
        | Command::Doctor { .. }
        | Command::Log { .. }
        | Command::Generate(_)
        | Command::Reload { .. }
        | Command::Preview(_)
        | Command::Discover(_)
        | Command::Demo(_) => Ok(ExitCode::SUCCESS),
    }
}

/// Returns the config, or the last good one if it has faults, which are printed; exit code 2 without any.
fn loaded(given: Option<&std::path::Path>) -> Result<Config, ExitCode> {
    let path = config::find(given);
    let loaded = config::load(&path);
    if !loaded.faults.is_empty() {
        show::error_text(&loaded.faults.render(show::color_on_stderr()));
    }
    // A running daemon stays on the last good config, and its socket is found there (RULES 6.2).
    let last_good = || config::Files::kept(&path).and_then(|files| files.load().config);
    loaded.config.or_else(last_good).ok_or(ExitCode::from(2))
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
