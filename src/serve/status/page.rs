//! The status report as an HTML page, and its troubles as an Atom feed.

use super::charts::chart;
use super::report::{ReloadStatus, SourceStatus, StatusReport};
use crate::model::Timestamp;
use crate::publish::Pages;
use crate::render::html::{
    Chart, FeedLink, Figure, PageHead, ReloadLine, SourceLine, StatusPage, ThemeError, TroubleView,
};
use crate::render::{History, OutputEntry, OutputFeed, atom};
use crate::serve::Traffic;

/// Seconds per hour.
const HOUR: i64 = 3_600;
/// More days until the disk is full are shown as "more than a year".
const MAX_DAYS: u64 = 365;
/// Upper bounds of [`StatusReport::by_delay`], for people; the last class has none.
const DELAYS: [&str; 7] = ["5 min", "15 min", "30 min", "1 h", "3 h", "12 h", "…"];

/// Renders the status page. `own_url` is its address, with a slash at the end.
pub(super) fn status(
    report: &StatusReport,
    pages: &Pages,
    traffic: &Traffic,
    own_url: &str,
) -> Result<String, ThemeError> {
    let mut sources: Vec<&SourceStatus> = report.sources.iter().collect();
    sources.sort_by_key(|source| std::cmp::Reverse(source.fails));
    let word = |key: &str| pages.word(key).to_owned();
    let page = StatusPage {
        page: PageHead {
            title: pages.word("status_heading").to_owned(),
            url: own_url.to_owned(),
            canonical: None,
            robots: Some("noindex".to_owned()),
        },
        feeds: vec![FeedLink {
            media_type: "application/atom+xml".to_owned(),
            title: pages.word("status_feed").to_owned(),
            href: format!("{own_url}troubles.xml"),
        }],
        troubles: report
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
        reload: report.reload.as_ref().map(|reload| reloaded(reload, pages)),
        figures: figures(report, pages, traffic),
        charts: vec![hours(report, pages), delays(report)],
        sources: sources.into_iter().map(|source| line(source, pages)).collect(),
    };
    pages.status(&page, &format!("{own_url}style.css"))
}

/// Describes the last reload in one line.
fn reloaded(reload: &ReloadStatus, pages: &Pages) -> ReloadLine {
    let word = pages.word(&format!("reload_{}", reload.outcome)).to_owned();
    let text = if reload.changes.is_empty() {
        word
    } else {
        format!("{word}{}{}", pages.word("colon"), reload.changes.join("; "))
    };
    ReloadLine { text, at_iso: reload.at.rfc3339(), at_text: pages.time(reload.at) }
}

fn figures(report: &StatusReport, pages: &Pages, traffic: &Traffic) -> Vec<Figure> {
    let new: usize = report.by_hour.iter().rev().take(24).sum();
    let shares: Vec<f64> = report.sources.iter().filter_map(|source| source.unmodified).collect();
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let share = (!shares.is_empty()).then(|| percent(shares.iter().sum::<f64>() / shares.len() as f64));
    let days = report.days_left.map(|days| {
        if days > MAX_DAYS {
            pages.word("status_long").to_owned()
        } else {
            pages.word("status_days_value").replace("{days}", &days.to_string())
        }
    });
    [
        ("status_items", Some(report.items.to_string())),
        ("status_new", Some(new.to_string())),
        ("status_unmodified_all", share),
        ("status_lag", Some(format!("{} s", report.unpublished_for))),
        ("status_store", Some(size(report.store_bytes))),
        ("status_free", report.free_bytes.map(size)),
        ("status_days", days),
        ("status_open", Some(traffic.connections().open.to_string())),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some(Figure { key, value: value? }))
    .collect()
}

fn hours(report: &StatusReport, pages: &Pages) -> Chart {
    let all = i64::try_from(report.by_hour.len()).unwrap_or_default();
    let counts: Vec<_> = (0..)
        .zip(&report.by_hour)
        .map(|(number, count)| {
            let begin = pages.time(report.now.plus((number - all) * HOUR));
            // A time for people ends in its hour.
            let hour = begin.rsplit(' ').next().unwrap_or_default().to_owned();
            let mark = (number % 12 == 0).then_some(hour);
            (begin, mark, *count)
        })
        .collect();
    chart("status_hours", &counts)
}

fn delays(report: &StatusReport) -> Chart {
    let name = |name: &str| if name == "…" { "> 12 h".to_owned() } else { format!("≤ {name}") };
    let counts: Vec<_> = DELAYS
        .iter()
        .zip(&report.by_delay)
        .map(|(delay, count)| (name(delay), Some(name(delay)), *count))
        .collect();
    chart("status_delays", &counts)
}

fn line(source: &SourceStatus, pages: &Pages) -> SourceLine {
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

/// Renders the troubles as an Atom feed. The id of an entry contains when the trouble began, so that it stays
/// the same while it lasts and is another one when it comes back.
pub(super) fn troubles(report: &StatusReport, pages: &Pages, own_url: &str) -> Vec<u8> {
    let site = &pages.options.site;
    let entries = report.troubles.iter().map(|trouble| OutputEntry {
        id: format!(
            "tag:{}:trouble:{}:{}:{}",
            site.id_authority,
            trouble.kind,
            trouble.about,
            trouble.since.unix()
        ),
        title: trouble.title(|key| pages.word(key).to_owned()),
        link: own_url.to_owned(),
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
    let address = format!("{own_url}troubles.xml");
    atom::render(&OutputFeed {
        id: format!("tag:{}:troubles", site.id_authority),
        description: title.clone(),
        title,
        language: site.language.clone(),
        page_url: own_url.to_owned(),
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
