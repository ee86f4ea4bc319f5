//! What must hold for any input of the parsing half, whoever makes it: the property tests of
//! `tests/parsing.rs` and the fuzz targets of `fuzz/` call the same functions. Each panics where its
//! property is broken.

#![allow(dead_code, reason = "each caller uses a part of this")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken property ends the run")]

use std::collections::HashSet;

use bytes::Bytes;
use chrono_tz::Tz;
use feedmill::fetch::decode::{Decoder, Fault};
use feedmill::model::{Document, Timestamp};
use feedmill::parse::clean::Cleaner;
use feedmill::parse::{Context, date, encoding, parse_feed};
use url::Url;

/// Longest text of one field, in bytes, before references in it are escaped again.
const MAX_FIELD: usize = 1 << 20;
/// Items of one document that are read here.
const MAX_ENTRIES: usize = 200;
/// Authors, labels or files of one item.
const MAX_LIST: usize = 256;

fn context(content_type: Option<&str>) -> Context {
    Context {
        base: Url::parse("https://paper.example/feed.xml").ok(),
        content_type: content_type.map(str::to_owned),
        max_entries: MAX_ENTRIES,
        ..Context::default()
    }
}

/// A document is read, or refused, within its bounds; reading is a function of the bytes.
pub(crate) fn feed(bytes: &[u8], content_type: Option<&str>) {
    let context = context(content_type);
    let Ok(document) = parse_feed(bytes, &context) else { return };
    assert_eq!(parse_feed(bytes, &context).as_ref(), Ok(&document), "the same bytes are read alike");
    bounded(&document);
    for entry in &document.entries {
        let links = entry.link.iter().chain(entry.enclosures.iter().map(|file| &file.url));
        for link in links {
            let url = Url::parse(link).unwrap();
            assert!(matches!(url.scheme(), "http" | "https") && url.has_host(), "{link}");
        }
        for at in [entry.published, entry.updated].into_iter().flatten() {
            assert!(at <= Timestamp::MAX, "{at:?}");
        }
        assert!(!entry.title.contains(['\n', '\r']), "a title is one line: {:?}", entry.title);
    }
}

fn bounded(document: &Document) {
    assert!(document.entries.len() <= MAX_ENTRIES, "{} items", document.entries.len());
    for entry in &document.entries {
        let texts = [entry.guid.as_ref(), Some(&entry.title), entry.summary.as_ref(), entry.content.as_ref()];
        for text in texts.into_iter().flatten() {
            // Plain text becomes HTML by escaping, relative addresses by their base.
            assert!(text.len() <= 6 * MAX_FIELD, "{} bytes", text.len());
        }
        for count in [entry.authors.len(), entry.categories.len(), entry.enclosures.len()] {
            assert!(count <= MAX_LIST, "{count} of one item");
        }
    }
}

/// A body comes out of its codings within the cap, or is refused, and is text then.
pub(crate) fn body(sent: &[u8], codings: &str, content_type: Option<&str>) {
    const LIMIT: u64 = 1 << 20;
    let codings: Vec<String> =
        codings.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let decoded = |piece: usize| -> Result<Bytes, Fault> {
        let mut decoder = Decoder::new(&codings, LIMIT).map_err(|_| Fault::TooLarge)?;
        for piece in sent.chunks(piece) {
            decoder.feed(piece)?;
        }
        decoder.end()
    };
    let whole = decoded(usize::MAX);
    for piece in [1, 7, 4_096] {
        match (&whole, decoded(piece)) {
            (Ok(whole), Ok(body)) => assert_eq!(*whole, body, "in pieces of {piece}"),
            // How much came in by then decides about the ratio.
            (Err(_), Err(_)) | (Err(Fault::TooLarge), _) | (_, Err(Fault::TooLarge)) => {}
            (whole, body) => panic!("{whole:?} at once, {body:?} in pieces of {piece}"),
        }
    }
    let Ok(body) = whole else { return };
    assert!(body.len() as u64 <= LIMIT, "{} bytes", body.len());
    text(&body, content_type);
}

/// Bytes become text: never longer than each byte's replacement character, nothing of valid
/// UTF-8 lost.
pub(crate) fn text(bytes: &[u8], content_type: Option<&str>) {
    let (read, name) = encoding::decode(bytes, content_type, None);
    assert!(read.len() <= 3 * bytes.len() + 3, "{} bytes of {}", read.len(), bytes.len());
    assert!(!name.is_empty());
    if let Ok(utf8) = std::str::from_utf8(bytes)
        && !utf8.is_ascii()
        && !utf8.starts_with(['\u{FEFF}', '<', '\0'])
    {
        assert_eq!(read, utf8, "valid UTF-8 is what it is");
    }
    let mended = encoding::without_c1(read);
    assert_eq!(encoding::without_c1(mended.clone()), mended);
}

/// HTML is cleaned once and for all, to what `docs/allow-list.md` says.
pub(crate) fn html(html: &str) {
    let (cleaner, base) = (Cleaner::default(), Url::parse("https://paper.example/a/").ok());
    let once = cleaner.clean(html, base.as_ref()).html;
    assert_eq!(cleaner.clean(&once, base.as_ref()).html, once, "cleaning a cleaned text changes nothing");
    // Every picture gets two attributes and a base, every sign of markup an escape.
    assert!(once.len() <= 40 * html.len() + 1_024, "{} bytes of {}", once.len(), html.len());
    listed(&once);
}

/// Whether a second parser finds nothing in the text that the allow-list does not name.
fn listed(html: &str) {
    let list = include_str!("../../docs/allow-list.md");
    let (_, list) = list.split_once("\n## Elements").unwrap();
    let (elements, attributes) = list.split_once("\n## Attributes").unwrap();
    let elements = quoted(elements.split_once("**These go").unwrap().0);
    let mut attributes = quoted(attributes.split_once("\nNo `style`").unwrap().0);
    attributes.extend(["rel", "loading", "referrerpolicy"]);
    let document = dom_query::Document::fragment(html);
    for node in document.select("*").nodes() {
        let name = node.node_name().unwrap_or_default();
        // The parser's own frame.
        if matches!(&*name, "html" | "head" | "body") {
            continue;
        }
        assert!(elements.contains(&*name), "<{name}> in {html}");
        for attribute in node.attrs() {
            let (key, value) = (attribute.name.local.to_string(), attribute.value.to_string());
            assert!(attributes.contains(key.as_str()), "{key} in {html}");
            if matches!(key.as_str(), "href" | "src" | "poster" | "cite") {
                let scheme = Url::parse(&value).unwrap_or_else(|_| panic!("`{value}` in {html}"));
                assert!(matches!(scheme.scheme(), "http" | "https" | "mailto"), "{value}");
            }
        }
    }
}

/// The words between backticks.
fn quoted(text: &str) -> HashSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// A date is read or not, in any zone, and lies within what a timestamp can be.
pub(crate) fn dates(text: &str) {
    for zone in [Tz::UTC, Tz::Asia__Shanghai, Tz::America__St_Johns, Tz::Pacific__Apia] {
        if let Some(at) = date::parse(text, zone) {
            assert!(at <= Timestamp::MAX, "{text}");
            let again = date::parse(&at.rfc3339(), zone);
            assert_eq!(again, Some(at), "{text}");
        }
    }
}
