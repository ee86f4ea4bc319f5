//! Lists of subscriptions (OPML 2.0): importing them as sources, exporting the sources for other readers.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use serde_json::json;
use url::Url;

use super::edit::{begin, checked, print_outcome, written};
use super::locale::say;
use super::show;
use crate::config::Config;
use crate::discover;
use crate::model::Slug;
use crate::model::text::{clip, one_line};
use crate::source::Kind;

/// Bytes of a list, at most.
const MAX_BYTES: u64 = 16 << 20;
/// Feeds of a list, at most.
const MAX_OUTLINES: usize = 10_000;
/// Levels of nested folders, at most.
const MAX_DEPTH: usize = 32;

/// A feed in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outline {
    url: Url,
    title: String,
    /// The innermost folder that contains it.
    folder: Option<String>,
}

/// Adds the feeds of a list as sources, except those that the config has already.
///
/// # Errors
/// When the file cannot be read, or the config would be faulty.
pub(super) async fn import(
    config: Config,
    file: &Path,
    by_folder: bool,
    dry_run: bool,
    as_json: bool,
) -> Result<ExitCode> {
    let shown = file.display();
    let size = std::fs::metadata(file)
        .with_context(|| say(format!("cannot read `{shown}`"), format!("无法读取 `{shown}`")))?
        .len();
    if size > MAX_BYTES {
        bail!(say(
            format!("`{shown}` has {size} bytes; no list of subscriptions is that large"),
            format!("`{shown}` 有 {size} 字节；订阅列表不会这么大"),
        ));
    }
    let outlines = read(&std::fs::read(file)?)
        .with_context(|| say(format!("`{shown}` is no OPML"), format!("`{shown}` 不是 OPML")))?;
    let mut edit = begin(&config.path)?;
    let config = checked(&edit)?;
    let mut urls: Vec<Url> = config.sources.iter().map(|source| source.url.clone()).collect();
    let mut ids: Vec<String> = config.sources.iter().map(|source| source.id.to_string()).collect();
    let (listed, mut text) = (outlines.len(), String::new());
    let mut new = Vec::new();
    for outline in outlines {
        if urls.contains(&outline.url) {
            continue;
        }
        let category = outline.folder.clone().filter(|_| by_folder).unwrap_or_else(|| outline.title.clone());
        let id = free_id(&ids, &outline);
        text.push_str(&discover::config_as(&id, &outline.url, &category, None));
        if category != outline.title {
            let _ = writeln!(text, "name = {}", toml_edit::Value::from(clip(&one_line(&outline.title), 60)));
        }
        text.push('\n');
        urls.push(outline.url);
        new.push(id.clone());
        ids.push(id);
    }
    let stem =
        Slug::from_name(&file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default());
    let target = if new.is_empty() { None } else { Some(edit.add(&format!("opml-{stem}"), &text)?) };
    checked(&edit)?;
    let reloaded = if dry_run || new.is_empty() { None } else { written(edit).await? };
    if as_json {
        show::json(&json!({
            "listed": listed, "new": new, "file": target.as_ref().map(|path| path.display().to_string()), "dry_run": dry_run,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    show::text(&say(
        format!("{listed} feeds listed, {} of them new\n", new.len()),
        format!("列表中有 {listed} 个订阅源，其中 {} 个是新的\n", new.len()),
    ))?;
    match target {
        Some(target) if dry_run => show::text(&format!("{}:\n{text}", target.display()))?,
        Some(target) => print_outcome(&target, reloaded.as_ref())?,
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn free_id(taken: &[String], outline: &Outline) -> String {
    let (id, _) = discover::config(&outline.url, &outline.title, None);
    let mut free = id.clone();
    let mut nth = 2;
    while taken.contains(&free) || matches!(free.as_str(), "import" | "jekyll") {
        free = format!("{id}-{nth}");
        nth += 1;
    }
    free
}

fn read(bytes: &[u8]) -> Result<Vec<Outline>> {
    let (text, _) = crate::parse::encoding::decode(bytes, None, None);
    let mut reader = Reader::from_str(&text);
    let mut folders: Vec<Option<String>> = Vec::new();
    let mut found = Vec::new();
    let mut is_opml = false;
    loop {
        match reader.read_event()? {
            Event::Start(tag) if tag.name().as_ref() == "opml" => is_opml = true,
            Event::Start(tag) if tag.name().as_ref() == "outline" => {
                if folders.len() >= MAX_DEPTH {
                    bail!("its folders are nested more than {MAX_DEPTH} deep");
                }
                let folder = take(&tag, &folders, &mut found)?;
                folders.push(folder);
            }
            Event::Empty(tag) if tag.name().as_ref() == "outline" => _ = take(&tag, &folders, &mut found)?,
            Event::End(tag) if tag.name().as_ref() == "outline" => _ = folders.pop(),
            Event::Eof => break,
            _ => {}
        }
        if found.len() > MAX_OUTLINES {
            bail!("it lists more than {MAX_OUTLINES} feeds");
        }
    }
    if !is_opml {
        bail!("it has no `opml` element");
    }
    Ok(found)
}

/// Adds a feed to `found`; returns the name if it is a folder.
fn take(
    tag: &BytesStart<'_>,
    folders: &[Option<String>],
    found: &mut Vec<Outline>,
) -> Result<Option<String>> {
    let (mut url, mut title, mut text) = (None, None, None);
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute?;
        let raw = attribute.value.into_owned();
        let value = quick_xml::escape::unescape(&raw).map(std::borrow::Cow::into_owned).unwrap_or(raw);
        match attribute.key.as_ref() {
            "xmlUrl" | "xmlurl" => url = Url::parse(value.trim()).ok(),
            "title" => title = Some(value),
            "text" => text = Some(value),
            _ => {}
        }
    }
    let title = title.or(text).map(|title| one_line(&title)).filter(|title| !title.is_empty());
    let Some(url) = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) else {
        return Ok(title);
    };
    let folder = folders.iter().rev().find_map(Clone::clone);
    let title = title.unwrap_or_else(|| url.host_str().unwrap_or_default().to_owned());
    found.push(Outline { url, title, folder });
    Ok(None)
}

/// Prints all feeds of the config as a list. Sources with headers of their own are left out, since they may
/// be private, and so are APIs and pages, which cannot be subscribed to.
///
/// # Errors
/// When standard output is closed.
pub(super) fn export(config: &Config) -> Result<ExitCode> {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n");
    let _ = writeln!(text, "  <head><title>{}</title></head>\n  <body>", escape(&config.publish.site.title));
    for source in config.sources.iter().filter(|s| matches!(s.kind, Kind::Feed) && s.headers.is_empty()) {
        let category = if source.category.name.is_empty() {
            source.category.own_slug().to_string()
        } else {
            source.category.name.clone()
        };
        let _ = writeln!(
            text,
            "    <outline type=\"rss\" text=\"{0}\" title=\"{0}\" xmlUrl=\"{1}\" category=\"/{2}\"/>",
            escape(&source.name),
            escape(source.url.as_str()),
            escape(&category)
        );
    }
    text.push_str("  </body>\n</opml>\n");
    show::text(&text)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_other_readers_are_read() {
        let text = r#"<?xml version="1.0"?><opml version="1.1"><head><title>x</title></head><body>
            <outline text="青海"><outline text="西海 &amp; 都市" xmlUrl="https://a.example/f?a=1&amp;b=2"/>
            <outline title="深"><outline xmlUrl="http://b.example/"/></outline></outline>
            <outline text="bad" xmlUrl="javascript:alert(1)"/><outline text="top" type="rss" xmlUrl="https://c.example/"/></body></opml>"#;
        let found = read(text.as_bytes()).unwrap();
        let print_outcome: Vec<_> =
            found.iter().map(|o| (o.url.as_str(), o.title.as_str(), o.folder.as_deref())).collect();
        assert_eq!(
            print_outcome,
            [
                ("https://a.example/f?a=1&b=2", "西海 & 都市", Some("青海")),
                ("http://b.example/", "b.example", Some("深")),
                ("https://c.example/", "top", None),
            ]
        );
        for bad in ["", "<html></html>", "<opml><outline"] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(read(format!("<opml>{}", "<outline text='x'>".repeat(100)).as_bytes()).is_err());
    }
}
