//! `item explain`, `item restore`.

use std::process::ExitCode;

use anyhow::Result;

use super::locale::say;
use super::{ask::ask, show};
use crate::config::Config;
use crate::control::Query;
use crate::daemon::Story;
use crate::store::{Event, EventKind};

/// Prints the history of one item.
///
/// # Errors
/// When there is no such item, or neither daemon nor store can be reached.
pub(super) async fn explain(config: Config, code: String, json: bool) -> Result<ExitCode> {
    let answer = ask(config, Query::Explain { code }).await?;
    if json {
        show::json(&answer)?;
    } else {
        show::text(&format!("{}\n", show::plain(&told(&serde_json::from_value(answer)?))))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Restores a withdrawn item.
///
/// # Errors
/// As [`explain`].
pub(super) async fn restore(config: Config, code: String, why: String, json: bool) -> Result<ExitCode> {
    let answer = ask(config, Query::Restore { code, why }).await?;
    if json {
        show::json(&answer)?;
    } else if answer["changed"] == true {
        show::text(&say("restored\n", "已恢复\n"))?;
    } else {
        show::text(&say(
            "nothing to do: it is not withdrawn, or erased for good\n",
            "无需处理：文章没有撤下，或已彻底删除\n",
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(story: &Story) -> String {
    let mut lines = vec![
        format!("{}  {}", story.info_code, story.title.as_deref().unwrap_or("(erased)")),
        format!("id  {}", story.id),
        String::new(),
    ];
    lines.extend(story.events.iter().map(event));
    lines.push(String::new());
    for (source, seen) in &story.listings {
        let given = story.given_by.as_ref().is_some_and(|(lead, _)| lead == source);
        let note = if given { ", gives title and text" } else { "" };
        let (first, last) = (seen.first.rfc3339(), seen.last.rfc3339());
        lines.push(format!("listed by {source} since {first}, last seen {last}{note}"));
    }
    for revision in &story.revisions {
        lines.push(format!("until {} its title was: {}", revision.replaced_at.rfc3339(), revision.title));
    }
    if let Some(tombstone) = &story.tombstone {
        let what = if tombstone.erased { "erased" } else { "withdrawn" };
        lines.push(format!("{what} at {}: {}", tombstone.at.rfc3339(), tombstone.why));
    }
    for (what, at) in [("first shown", &story.published_at), ("in its present form", &story.shown_at)] {
        lines.extend(at.as_ref().map(|at| format!("{what} at {at}")));
    }
    for place in &story.places {
        let category = if place.category.is_empty() { "the whole site" } else { &place.category };
        let arrival = place.arrival.map(|number| format!(", number {number}")).unwrap_or_default();
        let feeds = if place.in_feeds { "in its feeds" } else { "on its older pages" };
        lines.push(format!("{category}{arrival}, {feeds}: {}", place.outputs.join(" ")));
    }
    lines.join("\n")
}

fn event(event: &Event) -> String {
    let what = match event.what {
        EventKind::Inserted => "stored",
        EventKind::Listed => "listed by a further source",
        EventKind::Joined => "entered a further category",
        EventKind::Revised => "changed",
        EventKind::Counted => "changed once more, to be published later",
        EventKind::Withdrawn => "withdrawn",
        EventKind::Refused => "listed again, kept out",
        EventKind::Restored => "restored",
        EventKind::TakenBack => "taken back",
        EventKind::Dropped => "dropped",
        EventKind::Rerouted => "rerouted",
    };
    let source = event.source.as_ref().map(|source| format!(" through {source}")).unwrap_or_default();
    let known =
        if event.known_by.is_empty() { String::new() } else { format!(", known by its {}", event.known_by) };
    let answer = event
        .answer
        .map(|(at, bytes)| format!(" (answer of {}, {bytes} bytes{known})", at.rfc3339()))
        .unwrap_or_default();
    format!("{}  {what}{source}: {}{answer}", event.at.rfc3339(), event.why)
}
