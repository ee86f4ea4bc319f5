//! Parsing: bytes of one document in, a neutral [`Document`] out. Pure, no IO.
//!
//! Owns: encodings, dates, links, titles, the formats of feeds, and the cleaning of HTML.
//! Does not own: what to ask an upstream for (`source`), what an item's identity is
//! (`ingest`). A new feed format is one file here and one arm in [`parse_feed`]; a new dialect of
//! XML is a few names in `tolerant::names`.

pub mod address;
pub mod atom;
pub mod clean;
mod context;
pub mod date;
pub mod encoding;
mod error;
pub mod json;
pub mod json_feed;
pub mod link;
mod media_type;
pub mod page;
mod person;
pub mod pictures;
#[cfg(test)]
mod readers;
pub mod resolve;
mod root;
pub mod rss;
mod sound;
pub mod text;
pub mod title;
pub mod tolerant;
pub mod wall;

pub use self::context::Context;
pub use self::error::ParseError;
use self::root::root_element;
use crate::model::Document;

/// Reads a feed in any known format.
///
/// # Errors
/// [`ParseError`] when the document is no feed or cannot be read.
pub fn parse_feed(bytes: &[u8], context: &Context) -> Result<Document, ParseError> {
    let (text, encoding) = encoding::decode(bytes, context.content_type.as_deref(), context.encoding);
    let text = encoding::without_c1(text);
    // A BOM may occur twice, or after white space.
    let body = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
    if body.is_empty() {
        return Err(ParseError::Empty);
    }
    let (mut document, dates) = context.dated(|context| {
        if body.starts_with(['{', '[']) { json_feed::parse(body, context) } else { xml(body, context) }
    })?;
    document.repairs.extend(dates.repairs(body.as_bytes()));
    document.repairs.sort_by_key(|repair| repair.line);
    encoding.clone_into(&mut document.encoding);
    Ok(document)
}

/// Reads XML with the crate that reads it correctly (see `sound`), or else, also if the crate refuses it
/// after all, with the tolerant reader.
fn xml(body: &str, context: &Context) -> Result<Document, ParseError> {
    let text = without_prolog(body);
    let document = sound::served_by(text, context.max_entries).and_then(|sound| {
        let fragments = sound::Fragments::new(text, &sound.changes);
        match sound.by {
            sound::Crate::Rss => rss::parse(fragments, context).ok(),
            sound::Crate::Atom => atom::parse(fragments, context).ok(),
        }
    });
    let document = match document {
        None => tolerant::parse(body, context)?,
        read => read,
    };
    if let Some(document) = document {
        return Ok(document);
    }
    match root_element(body).map(|root| root.to_ascii_lowercase()).as_deref() {
        Some("html" | "head" | "body") => Err(ParseError::WebPage),
        _ => Err(ParseError::Unknown { found: body.chars().take(40).collect() }),
    }
}

/// Returns the text without its XML declaration: the text is UTF-8 by now, whatever the declaration names.
fn without_prolog(text: &str) -> &str {
    match text.strip_prefix("<?xml").and_then(|rest| rest.find("?>").map(|end| &rest[end + 2..])) {
        Some(rest) => rest.trim_start(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_feed_is_named() {
        let parse = |text: &str| parse_feed(text.as_bytes(), &Context::default()).unwrap_err();
        assert_eq!(parse(" \n"), ParseError::Empty);
        assert_eq!(parse("<!doctype html><html></html>"), ParseError::WebPage);
        assert!(matches!(parse("hello"), ParseError::Unknown { .. }));
        assert!(matches!(parse("<rss><channel><item>"), ParseError::Broken { .. }));
    }

    #[test]
    fn the_dates_of_a_document_know_of_each_other() {
        let feed = |dates: &[&str]| {
            let item = |date: &&str| format!("\n<item><title>T</title><pubDate>{date}</pubDate></item>");
            let items: String = dates.iter().map(item).collect();
            format!(
                "<rss version='2.0'><channel><title>T</title><link>http://a.example/</link>{items}</channel></rss>"
            )
        };
        let read = |text: &str| {
            let document = parse_feed(text.as_bytes(), &Context::default()).unwrap();
            let day = |entry: &crate::model::Entry| entry.published.unwrap().rfc3339()[..16].to_owned();
            let told: Vec<usize> = document.repairs.iter().map(|repair| repair.line).collect();
            (document.entries.iter().map(day).collect::<Vec<_>>(), told, document.reader)
        };
        let (days, told, reader) =
            read(&feed(&["04/05/2025 10:20", "04/25/2025 10:20", "4/9/2025 at 10 bells"]));
        assert_eq!(days, ["2025-04-05T10:20", "2025-04-25T10:20", "2025-04-09T00:00"]);
        assert_eq!((told, reader), (vec![4], "rss"));
        let within = "<time datetime='2025-05-03T19:21:28Z'>Sat, 05/03/2025 - 15:21</time>";
        let (days, told, reader) = read(&feed(&[within, "<b>25/04/2025</b> - 10:20", "04/05/2025"]));
        assert_eq!(days, ["2025-05-03T19:21", "2025-04-25T10:20", "2025-05-04T00:00"]);
        assert_eq!((told, reader), (vec![], "tolerant"));
        let json = r#"{"title":"T","items":[{"id":1,"date_published":1746300088},{"id":2,"date_published":"2025年5月3日 下午7:21"}]}"#;
        assert_eq!(read(json).0, ["2025-05-03T19:21", "2025-05-03T19:21"]);
    }

    /// Checks that the crates and the tolerant reader give the same hints.
    #[test]
    fn what_a_feed_says_about_polling() {
        let rss = "<rss version='2.0' xmlns:sy='http://purl.org/rss/1.0/modules/syndication/' \
            xmlns:atom='http://www.w3.org/2005/Atom' xmlns:at='http://purl.org/atompub/tombstones/1.0'><channel>\
            <title>T</title><link>http://a.example/</link><description>D</description><ttl>90</ttl>\
            <generator>https://wordpress.org/?v=6.7</generator><skipHours><hour>0</hour><hour>23</hour></skipHours>\
            <skipDays><day>Sunday</day></skipDays><sy:updatePeriod>daily</sy:updatePeriod>\
            <sy:updateFrequency>2</sy:updateFrequency><atom:link rel='prev-archive' href='/old.xml'/>\
            <at:deleted-entry ref='tag:a,1' when='2026-11-01T00:00:00Z'/><item><title>I</title></item></channel></rss>";
        let atom = "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:at='http://purl.org/atompub/tombstones/1.0' \
            xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'><title>T</title><id>i</id>\
            <updated>2026-11-01T00:00:00Z</updated><generator>https://wordpress.org/?v=6.7</generator>\
            <sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>\
            <link rel='prev-archive' href='/old.xml'/>\
            <at:deleted-entry ref='tag:a,1' when='2026-11-01T00:00:00Z'><at:comment>gone</at:comment></at:deleted-entry>\
            <entry><title>I</title><id>e</id><updated>2026-11-01T00:00:00Z</updated></entry></feed>";
        let context = Context { base: "http://a.example/f".parse().ok(), ..Context::default() };
        for (text, ours) in [(rss, "rss"), (atom, "atom")] {
            let sound = parse_feed(text.as_bytes(), &context).unwrap();
            let broken = parse_feed(format!("{text}<stray>").as_bytes(), &context).unwrap();
            assert_eq!((sound.reader, broken.reader), (ours, "tolerant"));
            assert_eq!((sound.hints.clone(), sound.entries.len()), (broken.hints, broken.entries.len()));
            let hints = sound.hints;
            assert_eq!(hints.update_every, Some(43_200));
            assert_eq!(hints.prev_archive.as_deref(), Some("http://a.example/old.xml"));
            assert_eq!(hints.generator.as_deref(), Some("https://wordpress.org/?v=6.7"));
            let when = crate::model::Timestamp::from_unix(1_793_491_200);
            assert_eq!(
                hints.deleted,
                [crate::model::Deleted { reference: "tag:a,1".to_owned(), when: Some(when) }]
            );
            if ours == "rss" {
                assert_eq!(
                    (hints.ttl_minutes, hints.skip_hours, hints.skip_days),
                    (Some(90), 1 | 1 << 23, 1 << 6)
                );
            }
        }
    }
}
