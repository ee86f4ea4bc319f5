//! `source list`, `category list`, `item list`, `item show`, `item find`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use super::{ask::ask, show};
use crate::config::Config;
use crate::control::Query;
use crate::daemon::{ItemAnswer, ItemRow, SourceRow};

/// Prints all sources with their state.
///
/// # Errors
/// When neither daemon nor store can be reached.
pub(super) async fn sources(config: Config, json: bool) -> Result<ExitCode> {
    let answer = ask(config, Query::Sources).await?;
    if json {
        show::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let sources: Vec<SourceRow> = serde_json::from_value(answer)?;
    let rows = sources
        .into_iter()
        .map(|s| {
            let (next, state) = (next_poll(&s), state(&s));
            let share =
                s.unmodified_share.map_or_else(String::new, |share| format!("{:.0} %", share * 100.0));
            let rate = if s.last_good.is_some() { format!("{:.1}", s.new_a_day) } else { String::new() };
            vec![s.id, s.name, s.items.to_string(), rate, share, s.last_good.unwrap_or_default(), next, state]
        })
        .collect();
    let empty = "no source is configured; add a file to `sources.d/` beside the config";
    let headings = ["id", "name", "items", "new a day", "304", "last good poll", "next poll", "state"];
    show::table(&headings, rows, empty)?;
    Ok(ExitCode::SUCCESS)
}

fn next_poll(source: &SourceRow) -> String {
    let at = source.next_poll.as_deref().unwrap_or(if source.enabled { "never" } else { "" });
    format!("{at}\n{}", source.why).trim().to_owned()
}

/// Returns what an admin has to know, the worst first.
fn state(source: &SourceRow) -> String {
    let state = match (&source.last_error, source.enabled) {
        (_, false) => "off".to_owned(),
        (Some(error), _) => format!("failed {} times: {error}", source.fails),
        (None, _) if source.last_good.is_none() => "not polled yet".to_owned(),
        (None, _) if !source.held.is_empty() => format!("ok; held back: {}", source.held.join("; ")),
        _ => "ok".to_owned(),
    };
    let moved = source.moved.as_ref().map(|moved| {
        let asked = if moved.trusted { "asked there" } else { "followed each time" };
        format!("{} ({asked}, seen {} times since {})", moved.to, moved.times, moved.since.rfc3339())
    });
    let gaps = (source.gaps > 0).then(|| format!("{} times; items may have been missed", source.gaps));
    [
        ("alarm: ", source.alarm.clone()),
        ("moved to ", moved.unwrap_or_default()),
        ("window ran over ", gaps.unwrap_or_default()),
        ("read in part: ", source.cut.join("; ")),
        ("repaired: ", source.repairs.join("; ")),
        ("names that wait to become categories: ", source.waiting_names.join("、")),
    ]
    .into_iter()
    .filter(|(_, said)| !said.is_empty())
    .fold(state, |state, (what, said)| format!("{state}; {what}{said}"))
}

/// Prints all categories.
///
/// # Errors
/// When neither daemon nor store can be reached.
pub(super) async fn categories(config: Config, json: bool) -> Result<ExitCode> {
    let answer = ask(config, Query::Categories).await?;
    if json {
        show::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let field = |row: &Value, name: &str| match &row[name] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let rows = answer
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| ["slug", "name", "items", "newest", "url"].map(|name| field(row, name)).to_vec())
        .collect();
    show::table(&["slug", "name", "items", "newest", "page"], rows, "no category yet; poll a source first")?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the newest items.
///
/// # Errors
/// When the category is unknown, or neither daemon nor store can be reached.
pub(super) async fn items(
    config: Config,
    category: Option<String>,
    limit: usize,
    json: bool,
) -> Result<ExitCode> {
    let answer = ask(config, Query::Items { category, limit }).await?;
    item_rows(answer, json, "no item yet")
}

/// Prints items whose title or code contains a text.
///
/// # Errors
/// When neither daemon nor store can be reached.
pub(super) async fn find(config: Config, text: String, limit: usize, json: bool) -> Result<ExitCode> {
    let answer = ask(config, Query::Find { text, limit }).await?;
    item_rows(answer, json, "no title and no code contains this")
}

fn item_rows(answer: Value, json: bool, empty: &str) -> Result<ExitCode> {
    if json {
        show::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let items: Vec<ItemRow> = serde_json::from_value(answer)?;
    let rows = items
        .into_iter()
        .map(|item| vec![item.info_code, item.published, item.categories.join(" "), item.title])
        .collect();
    show::table(&["code", "published", "categories", "title"], rows, empty)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints everything that is stored of one item.
///
/// # Errors
/// When there is no such item, or neither daemon nor store can be reached.
pub(super) async fn item(config: Config, code: String, json: bool) -> Result<ExitCode> {
    let answer = ask(config, Query::Item { code }).await?;
    if json {
        show::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let ItemAnswer { row, id, item, body, revisions, listings } = serde_json::from_value(answer)?;
    let mut lines = vec![
        format!("code        {}", row.info_code),
        format!("id          {id}"),
        format!("title       {}", row.title),
        format!("categories  {}", row.categories.join(" ")),
        format!("page        {}", row.url),
        format!("original    {}", item.link.unwrap_or_default()),
        format!("newspaper   {}", item.media_name.unwrap_or_default()),
        format!("published   {}", row.published),
        format!("updated     {}", item.updated.rfc3339()),
        format!("first seen  {}", item.first_seen.rfc3339()),
        format!("given by    {} (rank {})", item.lead, item.rank),
    ];
    for (source, sighting) in listings {
        let (first, last) = (sighting.first.rfc3339(), sighting.last.rfc3339());
        lines.push(format!("listed by   {source}: first {first}, last {last}"));
    }
    for revision in revisions {
        lines.push(format!("before      {}: {}", revision.replaced_at.rfc3339(), revision.title));
    }
    lines.push(String::new());
    lines.push(body.html);
    show::text(&format!("{}\n", show::plain(&lines.join("\n"))))?;
    Ok(ExitCode::SUCCESS)
}
