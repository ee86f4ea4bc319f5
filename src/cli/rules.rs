//! `rule list`, `reroute`.

use std::process::ExitCode;

use anyhow::Result;

use super::{ask::ask, show};
use crate::config::Config;
use crate::control::Query;
use crate::daemon::RuleRow;
use crate::ingest::rerouting::Rerouted;

/// All rules with what they did.
///
/// # Errors
/// When neither daemon nor store can be reached.
pub(super) async fn list(config: Config, json: bool) -> Result<ExitCode> {
    let answer = ask(config, Query::Rules).await?;
    if json {
        show::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rules: Vec<RuleRow> = serde_json::from_value(answer["rules"].clone())?;
    let rows = rules.into_iter().map(|r| vec![r.name, r.level, r.action, r.hits.to_string()]).collect();
    show::table(
        &["rule", "for", "action", "hits"],
        rows,
        "no rule is configured; see `docs/configuration.md`",
    )?;
    show::text(&format!(
        "{} items seen, {} kept, {} dropped\n",
        answer["seen"], answer["kept"], answer["dropped"]
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Applies changed rules and routes to what is stored.
///
/// # Errors
/// As [`list`].
pub(super) async fn reroute(config: Config, dry_run: bool, json: bool) -> Result<ExitCode> {
    let answer = ask(config, Query::Reroute { dry_run }).await?;
    if json {
        show::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let items: Vec<Rerouted> = serde_json::from_value(answer["items"].clone())?;
    for item in &items {
        show::text(&show::plain(&format!("{}  {}: {}\n", item.info_code, item.title, item.what)))?;
    }
    let verb = if dry_run { "would change" } else { "changed" };
    show::text(&format!("{} items looked at, {} {verb}\n", answer["looked"], answer["changed"]))?;
    Ok(ExitCode::SUCCESS)
}
