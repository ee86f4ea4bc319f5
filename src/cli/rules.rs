//! `rule list`, `reroute`.

use std::process::ExitCode;

use anyhow::Result;

use super::locale::say;
use super::{ask::ask, show};
use crate::config::Config;
use crate::control::Query;
use crate::daemon::RuleRow;
use crate::ingest::rerouting::Rerouted;

/// Prints all rules, and how often each was applied.
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
        &say("no rule is configured; see `docs/configuration.md`", "还没有规则；见 `docs/configuration.md`"),
    )?;
    let (seen, kept, dropped) = (&answer["seen"], &answer["kept"], &answer["dropped"]);
    show::text(&say(
        format!("{seen} items seen, {kept} kept, {dropped} dropped\n"),
        format!("看过 {seen} 篇文章，保留 {kept} 篇，丢弃 {dropped} 篇\n"),
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Applies changed rules and routes to stored items.
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
    let (looked, changed) = (&answer["looked"], &answer["changed"]);
    let (verb, chinese) = if dry_run { ("would change", "将改动") } else { ("changed", "已改动") };
    show::text(&say(
        format!("{looked} items looked at, {changed} {verb}\n"),
        format!("看过 {looked} 篇文章，{chinese} {changed} 篇\n"),
    ))?;
    Ok(ExitCode::SUCCESS)
}
