//! `check`: all faults of the config in one run.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::show;
use crate::config;

/// Checks the config; exit code 2 when it cannot be used.
///
/// # Errors
/// When standard output is closed.
pub(super) fn check(given: Option<&Path>, as_json: bool) -> Result<ExitCode> {
    let path = config::find(given);
    let loaded = config::load(&path);
    let code = if loaded.config.is_some() { ExitCode::SUCCESS } else { ExitCode::from(2) };
    if as_json {
        let faults: Vec<_> = loaded
            .faults
            .records()
            .into_iter()
            .map(|fault| {
                json!({
                    "file": fault.file.display().to_string(), "line": fault.line, "column": fault.column,
                    "severity": fault.severity.as_str(), "message": fault.message, "help": fault.help,
                })
            })
            .collect();
        show::json(
            &json!({ "config": path.display().to_string(), "good": loaded.config.is_some(), "faults": faults }),
        )?;
        return Ok(code);
    }
    if !loaded.faults.is_empty() {
        show::error_text(&loaded.faults.render(show::color_on_stderr()));
    }
    if let Some(config) = loaded.config {
        let (sources, categories) = (config.sources.len(), config.categories.len());
        let counted =
            |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        show::text(&format!(
            "{} is good: {}, {}\n",
            path.display(),
            counted(sources, "source", "sources"),
            counted(categories, "category", "categories")
        ))?;
    }
    Ok(code)
}
