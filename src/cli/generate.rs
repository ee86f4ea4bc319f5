//! `generate`: man pages, completions, a schema of the config, the systemd unit, a config.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Command, Subcommand};
use clap_complete::Shell;
use serde_json::{Map, Value, json};
use toml_edit::{DocumentMut, Item};

use super::show;
use crate::source::json::FieldRules;

/// The reference config: every key with its default.
pub(super) const REFERENCE: &str = include_str!("../../config/feedmill.toml");
/// The config that a package installs.
const SHORT: &str = include_str!("../../packaging/feedmill.toml");
const UNIT: &str = include_str!("../../packaging/feedmill.service");

/// What can be made.
#[derive(Debug, Subcommand)]
pub(super) enum Generate {
    /// Man pages, one a command, into a folder
    #[command(after_help = "Example: feedmill generate man ./man")]
    Man {
        /// The folder; it is made if it is not there
        folder: PathBuf,
    },
    /// Completions for a shell
    #[command(after_help = "Example: feedmill generate completions bash")]
    Completions {
        /// Which
        shell: Shell,
    },
    /// A JSON Schema of the config, for editors
    #[command(after_help = "Example: feedmill generate schema")]
    Schema,
    /// The systemd unit
    #[command(after_help = "Example: feedmill generate unit")]
    Unit,
    /// A config to begin with, or all keys with their defaults
    #[command(after_help = "Example: feedmill generate config --all")]
    Config {
        /// Every key
        #[arg(long)]
        all: bool,
    },
}

impl Generate {
    /// Prints or writes what was asked for.
    ///
    /// # Errors
    /// When the folder cannot be written, or standard output is closed.
    pub(super) fn run(self, command: Command) -> Result<ExitCode> {
        match self {
            Self::Man { folder } => man(command, &folder)?,
            Self::Completions { shell } => {
                let mut command = command;
                let mut out = Vec::new();
                clap_complete::generate(shell, &mut command, "feedmill", &mut out);
                show::text(&String::from_utf8_lossy(&out))?;
            }
            Self::Schema => show::json(&schema()?)?,
            Self::Unit => show::text(UNIT)?,
            Self::Config { all } => show::text(if all { REFERENCE } else { SHORT })?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn man(command: Command, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    clap_mangen::generate_to(command.disable_help_subcommand(true), folder)
        .with_context(|| format!("cannot write into `{}`", folder.display()))?;
    Ok(())
}

/// Builds the schema from the reference: a key's default gives its type, the comment above it the
/// description.
fn schema() -> Result<Value> {
    let text: String = REFERENCE.lines().map(|line| uncommented(line) + "\n").collect();
    let document: DocumentMut = text.parse().context("the reference is no TOML")?;
    let mut schema = table(document.as_table());
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("feedmill.toml"));
    Ok(Value::Object(schema))
}

/// Removes the comment sign from a commented key or table; other comments stay.
fn uncommented(line: &str) -> String {
    let Some(rest) = line.strip_prefix("# ") else { return line.to_owned() };
    let key = rest.split(" = ").next().unwrap_or_default();
    let is_key = rest.contains(" = ")
        && !key.is_empty()
        && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_table = rest.starts_with('[') && rest.split(" #").any(|part| part.trim_end().ends_with(']'));
    let fits = (is_key || is_table) && rest.parse::<DocumentMut>().is_ok();
    if fits { rest.to_owned() } else { line.to_owned() }
}

fn table(own: &toml_edit::Table) -> Map<String, Value> {
    let mut properties = Map::new();
    for (key, item) in own {
        let mut property = match item {
            Item::Table(inner) => table(inner),
            Item::ArrayOfTables(all) => {
                // Each of the examples has some of the keys.
                let mut of = Map::new();
                for inner in all {
                    merge(&mut of, table(inner));
                }
                Map::from_iter([("type".to_owned(), json!("array")), ("items".to_owned(), Value::Object(of))])
            }
            Item::Value(value) => property(key, value),
            Item::None => continue,
        };
        let comment = own.key(key).and_then(|key| key.leaf_decor().prefix()).and_then(|raw| raw.as_str());
        let told: Vec<&str> = comment
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.trim().strip_prefix('#'))
            .map(str::trim)
            .collect();
        if !told.is_empty() {
            property.insert("description".to_owned(), json!(told.join(" ")));
        }
        properties.insert(key.to_owned(), Value::Object(property));
    }
    object(properties)
}

fn merge(into: &mut Map<String, Value>, more: Map<String, Value>) {
    for (key, value) in more {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(value)) => merge(known, value),
            (Some(_), _) => {}
            (None, value) => _ = into.insert(key, value),
        }
    }
}

fn kind(value: &toml_edit::Value) -> Map<String, Value> {
    let kind = match value {
        toml_edit::Value::String(_) | toml_edit::Value::Datetime(_) => "string",
        toml_edit::Value::Integer(_) => "integer",
        toml_edit::Value::Float(_) => "number",
        toml_edit::Value::Boolean(_) => "boolean",
        // Lists may also be written as one string.
        toml_edit::Value::Array(_) => {
            return Map::from_iter([("type".to_owned(), json!(["array", "string"]))]);
        }
        toml_edit::Value::InlineTable(inner) => return inline(inner),
    };
    Map::from_iter([("type".to_owned(), json!(kind))])
}

/// Returns the schema of an inline table.
fn inline(inner: &toml_edit::InlineTable) -> Map<String, Value> {
    let properties: Map<String, Value> =
        inner.iter().map(|(key, value)| (key.to_owned(), Value::Object(property(key, value)))).collect();
    object(properties)
}

fn property(key: &str, value: &toml_edit::Value) -> Map<String, Value> {
    if key != "fields" {
        return kind(value);
    }
    let pointers = json!({ "type": ["array", "string"] });
    let names = FieldRules::default().named().map(|(name, _)| (name.to_owned(), pointers.clone()));
    object(names.into_iter().collect())
}

fn object(properties: Map<String, Value>) -> Map<String, Value> {
    Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), Value::Object(properties)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_knows_every_key() {
        let schema = schema().unwrap();
        let known = |path: &str| {
            let mut at = &schema;
            for part in path.split('.') {
                at = &at["properties"][part];
                if at["type"] == "array" && at["items"].is_object() {
                    at = &at["items"];
                }
            }
            at.is_object()
        };
        for path in [
            "site.title",
            "site.contact",
            "store.path",
            "output.window.items",
            "serve.listen",
            "retention.age",
            "source.items",
            "source.fields.media_name",
            "source.detail.url",
            "source.detail.fields.tags",
            "source.code.pattern",
            "source.headers",
            "source.list.item",
            "source.sitemap.only",
            "source.article.content",
        ] {
            assert!(known(path), "{path}");
        }
        assert_eq!(schema["properties"]["site"]["properties"]["indexing"]["type"], "boolean");
        assert!(
            schema["properties"]["store"]["properties"]["cache"]["description"]
                .as_str()
                .unwrap()
                .contains("Memory")
        );
    }
}
