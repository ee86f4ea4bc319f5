//! What goes on as a page, and its troubles as a feed.

use super::charts::chart;
use super::insight::{Insight, ReloadInsight, SourceInsight};
use crate::model::Timestamp;
use crate::publish::Pages;
use crate::render::html::{
    Chart, FeedLink, Figure, PageHead, ReloadLine, SourceLine, StatusPage, ThemeError, TroubleView,
};
use crate::render::{History, OutputEntry, OutputFeed, atom};
use crate::serve::Traffic;

/// Seconds of an hour.
const HOUR: i64 = 3_600;
/// More days of room are not told apart.
const LONG: u64 = 365;
/// Up to how long after publication, for people; the last one is the rest.
const DELAYS: [&str; 7] = ["5 min", "15 min", "30 min", "1 h", "3 h", "12 h", "…"];

/// The page.
pub(super) fn status(
    insight: &Insight,
    pages: &Pages,
    traffic: &Traffic,
    own: &str,
) -> Result<String, ThemeError> {
    let mut sources: Vec<&SourceInsight> = insight.sources.iter().collect();
    sources.sort_by_key(|source| std::cmp::Reverse(source.fails));
    let word = |key: &str| pages.word(key).to_owned();
    let page = StatusPage {
        page: PageHead {
            title: pages.word("status_heading").to_owned(),
            url: own.to_owned(),
            canonical: None,
            robots: Some("noindex".to_owned()),
        },
        feeds: vec![FeedLink {
            media_type: "application/atom+xml".to_owned(),
            title: pages.word("status_feed").to_owned(),
            href: format!("{own}troubles.xml"),
        }],
        troubles: insight
            .troubles
            .iter()
            .map(|trouble| TroubleView {
                title: trouble.title(word),
                text: trouble.text.clone(),
                way_out: trouble.way_out(word),
                since_iso: trouble.since.rfc3339(),
                since_text: pages.time(trouble.since),
            })
            .collect(),
        reload: insight.reload.as_ref().map(|reload| reloaded(reload, pages)),
        figures: figures(insight, pages, traffic),
        charts: vec![hours(insight, pages), delays(insight)],
        sources: sources.into_iter().map(|source| line(source, pages)).collect(),
    };
    pages.status(&page, &format!("{own}style.css"))
}

/// What the last reload came to, in a line.
fn reloaded(reload: &ReloadInsight, pages: &Pages) -> ReloadLine {
    let word = pages.word(&format!("reload_{}", reload.outcome)).to_owned();
    let text = if reload.changes.is_empty() {
        word
    } else {
        format!("{word}{}{}", pages.word("colon"), reload.changes.join("; "))
    };
    ReloadLine { text, at_iso: reload.at.rfc3339(), at_text: pages.time(reload.at) }
}

fn figures(insight: &Insight, pages: &Pages, traffic: &Traffic) -> Vec<Figure> {
    let new: usize = insight.by_hour.iter().rev().take(24).sum();
    let shares: Vec<f64> = insight.sources.iter().filter_map(|source| source.unmodified).collect();
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let share = (!shares.is_empty()).then(|| percent(shares.iter().sum::<f64>() / shares.len() as f64));
    let days = insight.days_left.map(|days| {
        if days > LONG {
            pages.word("status_long").to_owned()
        } else {
            pages.word("status_days_value").replace("{days}", &days.to_string())
        }
    });
    let (_, open, _) = traffic.connections();
    [
        ("status_items", Some(insight.items.to_string())),
        ("status_new", Some(new.to_string())),
        ("status_unmodified_all", share),
        ("status_lag", Some(format!("{} s", insight.unpublished_for))),
        ("status_store", Some(size(insight.store_bytes))),
        ("status_free", insight.free_bytes.map(size)),
        ("status_days", days),
        ("status_open", Some(open.to_string())),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some(Figure { key, value: value? }))
    .collect()
}

fn hours(insight: &Insight, pages: &Pages) -> Chart {
    let all = i64::try_from(insight.by_hour.len()).unwrap_or_default();
    let counts: Vec<_> = (0..)
        .zip(&insight.by_hour)
        .map(|(number, count)| {
            let begin = pages.time(insight.now.plus((number - all) * HOUR));
            // The hour alone, at the end of a time for people.
            let hour = begin.rsplit(' ').next().unwrap_or_default().to_owned();
            let mark = (number % 12 == 0).then_some(hour);
            (begin, mark, *count)
        })
        .collect();
    chart("status_hours", &counts)
}

fn delays(insight: &Insight) -> Chart {
    let name = |name: &str| if name == "…" { "> 12 h".to_owned() } else { format!("≤ {name}") };
    let counts: Vec<_> = DELAYS
        .iter()
        .zip(&insight.by_delay)
        .map(|(delay, count)| (name(delay), Some(name(delay)), *count))
        .collect();
    chart("status_delays", &counts)
}

fn line(source: &SourceInsight, pages: &Pages) -> SourceLine {
    let time = |at: Option<Timestamp>| at.map_or_else(|| "–".to_owned(), |at| pages.time(at));
    let state = match &source.error {
        _ if !source.enabled => pages.word("status_off").to_owned(),
        Some(error) if source.fails > 0 => format!("{} × {error}", source.fails),
        _ => pages.word("status_fine").to_owned(),
    };
    SourceLine {
        name: source.name.clone(),
        id: source.id.clone(),
        state,
        last_good: time(source.last_good),
        next: time(source.next),
        a_day: format!("{:.1}", source.a_day),
        unmodified: source.unmodified.map_or_else(|| "–".to_owned(), percent),
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn size(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        mib @ 1..10_240 => format!("{mib} MiB"),
        mib => format!("{} GiB", mib >> 10),
    }
}

/// The troubles as Atom: each has one entry while it lasts, under an id that tells its begin.
pub(super) fn troubles(insight: &Insight, pages: &Pages, own: &str) -> Vec<u8> {
    let site = &pages.options.site;
    let entries = insight.troubles.iter().map(|trouble| OutputEntry {
        id: format!(
            "tag:{}:trouble:{}:{}:{}",
            site.id_authority,
            trouble.kind,
            trouble.about,
            trouble.since.unix()
        ),
        title: trouble.title(|key| pages.word(key).to_owned()),
        link: own.to_owned(),
        summary: trouble.text.clone(),
        html: None,
        published: trouble.since,
        updated: trouble.since,
        authors: Vec::new(),
        categories: Vec::new(),
        enclosures: Vec::new(),
        image: None,
        source_name: None,
        source: None,
        rights: None,
        language: None,
        in_window: true,
    });
    let entries: Vec<OutputEntry> = entries.collect();
    let title = format!("{}: {}", site.title, pages.word("status_feed"));
    let address = format!("{own}troubles.xml");
    atom::render(&OutputFeed {
        id: format!("tag:{}:troubles", site.id_authority),
        description: title.clone(),
        title,
        language: site.language.clone(),
        page_url: own.to_owned(),
        rss_url: address.clone(),
        json_url: address.clone(),
        atom_url: address,
        css_url: String::new(),
        rights: None,
        ttl_minutes: 5,
        updated: entries.iter().map(|entry| entry.updated).max().unwrap_or_default(),
        history: History::default(),
        gone: Vec::new(),
        entries,
    })
}
