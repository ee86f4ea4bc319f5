//! Output to the terminal: the only place that prints.

use std::io::{IsTerminal, Write};

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

/// Prints to standard output.
///
/// # Errors
/// When it is closed.
pub(super) fn text(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Prints to standard error; ignores that it is closed.
pub(super) fn error_text(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Prints JSON, indented.
///
/// # Errors
/// When standard output is closed.
pub(super) fn json(value: &Value) -> anyhow::Result<()> {
    text(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Prints rows under headings, or `empty` if there are none.
///
/// # Errors
/// When standard output is closed.
pub(super) fn table(headings: &[&str], rows: Vec<Vec<String>>, empty: &str) -> anyhow::Result<()> {
    if rows.is_empty() {
        return text(&format!("{empty}\n"));
    }
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings.to_vec());
    for row in rows {
        table.add_row(row.into_iter().map(|cell| plain(&cell)).collect::<Vec<_>>());
    }
    text(&format!("{table}\n"))
}

/// Returns a text without the control characters that could command a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect()
}

/// Returns whether messages are coloured: on a terminal, unless `NO_COLOR` is set (no-color.org).
pub(super) fn color_on_stderr() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Returns a progress bar, which is hidden if standard error is not a terminal.
pub(super) fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}
