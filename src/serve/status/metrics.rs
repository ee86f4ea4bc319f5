//! The status report as Prometheus metrics (text format 0.0.4).

use std::fmt::{Display, Write};

use super::report::{SourceStatus, StatusReport};
use crate::model::Timestamp;
use crate::serve::Traffic;

/// Returns all metrics.
pub(super) fn text(report: &StatusReport, traffic: &Traffic) -> String {
    let mut out = Metrics::default();
    out.family("feedmill_build_info", "gauge", "The version that runs.");
    out.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    out.one(
        "feedmill_ready",
        "Whether scheduler, store and publisher make progress.",
        u8::from(report.unready.is_empty()),
    );
    out.one("feedmill_troubles", "Things that need attention.", report.troubles.len());
    sources(&mut out, &report.sources);
    categories(&mut out, report);
    out.one("feedmill_store_items", "Articles ever stored.", report.items);
    out.one("feedmill_store_bytes", "Bytes of the store on its disk.", report.store_bytes);
    if let Some(free) = report.free_bytes {
        out.one("feedmill_disk_free_bytes", "Bytes free on the store's disk.", free);
    }
    if let Some(days) = report.days_left {
        out.one("feedmill_disk_days_left", "Days until that is used up, at the present rate.", days);
    }
    out.family("feedmill_http_responses_total", "counter", "Answers by status.");
    for (code, count) in traffic.responses() {
        out.sample(&[("code", &code)], count);
    }
    let connections = traffic.connections();
    out.family("feedmill_http_connections_total", "counter", "Connections taken.");
    out.sample(&[], connections.accepted);
    out.one("feedmill_http_connections_open", "Connections that are open.", connections.open);
    out.family(
        "feedmill_http_connections_cut_total",
        "counter",
        "Connections cut off because the client was too slow.",
    );
    out.sample(&[], connections.timed_out);
    out.text
}

fn sources(out: &mut Metrics, sources: &[SourceStatus]) {
    let time = |at: Option<Timestamp>| at.map(|at| at.unix().to_string());
    out.each(
        "feedmill_source_last_success_timestamp_seconds",
        "When the source was last read well.",
        sources,
        |s| time(s.last_good),
    );
    out.each(
        "feedmill_source_newest_item_timestamp_seconds",
        "When it last gave something new, since the start.",
        sources,
        |s| time(s.last_new),
    );
    out.each("feedmill_source_failures", "Failed polls in a row.", sources, |s| Some(s.fails.to_string()));
    out.each(
        "feedmill_source_unmodified_ratio",
        "Share of answers that were 304, of about the last 100.",
        sources,
        |s| s.unmodified.map(|share| format!("{share:.4}")),
    );
    out.each("feedmill_source_items_per_day", "New items a day, as learned.", sources, |s| {
        Some(format!("{:.2}", s.a_day))
    });
    out.each("feedmill_source_repairs", "Repairs that its last document needed.", sources, |s| {
        Some(s.repairs.to_string())
    });
    out.each("feedmill_source_held", "Records that its last poll held back.", sources, |s| {
        Some(s.held.to_string())
    });
    out.family("feedmill_polls_total", "counter", "Polls by what they came to.");
    for source in sources {
        for (outcome, count) in &source.polls {
            out.sample(&[("source", &source.id), ("outcome", outcome)], count);
        }
    }
    out.family("feedmill_poll_errors_total", "counter", "Failed polls by the kind of failure.");
    for source in sources {
        for (kind, count) in &source.errors {
            out.sample(&[("source", &source.id), ("kind", kind)], count);
        }
    }
    out.family("feedmill_items_total", "counter", "Records by what was decided about them.");
    for source in sources {
        for (decision, count) in &source.decisions {
            out.sample(&[("source", &source.id), ("decision", decision)], count);
        }
    }
}

fn categories(out: &mut Metrics, report: &StatusReport) {
    out.family(
        "feedmill_category_changed_timestamp_seconds",
        "gauge",
        "When what the category publishes last changed.",
    );
    for category in &report.categories {
        out.sample(&[("category", &category.slug)], category.changed.unix());
    }
    out.family("feedmill_category_newest_item_age_seconds", "gauge", "Age of its newest article.");
    for category in &report.categories {
        if let Some(newest) = category.newest {
            out.sample(&[("category", &category.slug)], report.now.since(newest));
        }
    }
    out.one(
        "feedmill_publish_lag_seconds",
        "How long the oldest change waits to be published.",
        report.unpublished_for,
    );
}

#[derive(Default)]
struct Metrics {
    text: String,
    name: &'static str,
}

impl Metrics {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        // Writing to memory does not fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        self.name = name;
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(self.name);
        for (number, (label, value)) in labels.iter().enumerate() {
            self.text.push(if number == 0 { '{' } else { ',' });
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.text, "{label}=\"{value}\"");
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn one(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        self.sample(&[], value);
    }

    fn each(
        &mut self,
        name: &'static str,
        help: &str,
        sources: &[SourceStatus],
        value: impl Fn(&SourceStatus) -> Option<String>,
    ) {
        self.family(name, "gauge", help);
        for source in sources {
            if let Some(value) = value(source) {
                self.sample(&[("source", &source.id)], value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_follows_the_type_of_its_family() {
        let source = SourceStatus {
            id: "a\"b\\c".to_owned(),
            polls: [("document", 3)].into(),
            errors: [("timeout".to_owned(), 1)].into(),
            ..SourceStatus::default()
        };
        let report = StatusReport { sources: vec![source], days_left: Some(12), ..StatusReport::default() };
        let text = text(&report, &Traffic::default());
        assert!(
            text.contains("feedmill_polls_total{source=\"a\\\"b\\\\c\",outcome=\"document\"} 3\n"),
            "{text}"
        );
        assert!(
            text.contains("\nfeedmill_ready 1\n") && text.contains("\nfeedmill_disk_days_left 12\n"),
            "{text}"
        );
        let mut family = "";
        for line in text.lines() {
            match line.strip_prefix("# TYPE ") {
                Some(rest) => family = rest.split(' ').next().unwrap(),
                None if line.starts_with('#') => {}
                None => assert_eq!(line.split(['{', ' ']).next(), Some(family), "{line}"),
            }
        }
    }
}
