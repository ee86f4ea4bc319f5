//! Which document is read by which reader.

use super::*;
use crate::parse::Context;

fn by(text: &str) -> Option<Crate> {
    served_by(text, 2).map(|sound| sound.by)
}

fn rss(channel: &str) -> Option<Crate> {
    by(&format!(
        "<?xml version='1.0'?><rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/' \
             xmlns:media='http://search.yahoo.com/mrss/'><channel><title>T</title>\
             <link>http://a.example/</link><description>D</description>{channel}</channel></rss>"
    ))
}

fn atom(entry: &str) -> Option<Crate> {
    by(&format!(
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title><updated>2024-05-01T10:00:00Z</updated>\
             <entry>{entry}</entry></feed>"
    ))
}

#[test]
fn sound_documents_go_to_the_crates() {
    for channel in [
        "",
        "<item><title>A &amp; B &#8220;</title><dc:creator>C</dc:creator><category>x</category></item>",
        "<item><title>A</title><media:title>B</media:title><description><![CDATA[<p>x</p>]]></description></item>",
        "<item><title>A</title><post-id xmlns='com-wordpress:feed-additions:1'>7</post-id></item>",
        "<atom10:link xmlns:atom10='http://www.w3.org/2005/Atom' rel='self' href='x'/>",
    ] {
        assert_eq!(rss(channel), Some(Crate::Rss), "{channel}");
    }
    for entry in [
        "<title>A</title><id>i</id><updated>2024-05-01T10:00:00+02:00</updated><content type='html'>&lt;p></content>",
        "<updated>2024-05-01T10:00:00Z</updated><content xml:base='x/' type='html'>a</content><link href='b'/>",
    ] {
        assert_eq!(atom(entry), Some(Crate::Atom), "{entry}");
    }
}

#[test]
fn what_crates_misread_goes_to_the_tolerant_reader() {
    for channel in [
        "<item><title>A &nbsp; B</title></item>",
        "<item><title>A &#146; B</title></item>",
        "<item><title>A & B</title></item>",
        "<item><title>A <b>B</b></title></item>",
        "<item><title>A</title><title>B</title></item>",
        "<item><enclosure url='a'/><enclosure url='b'/></item>",
        "<item><enclosure url=a/></item>",
        "<item><media:title>B</media:title></item>",
        "<item><content:encoded>B</content:encoded></item>",
        "<item xml:base='x'><title>A</title></item>",
        "<item><title>A</title></item></channel><item><title>A</title></item><channel>",
        "<item/><item/><item/>",
        "</channel><channel>",
        "<item><d:creator xmlns:d='http://purl.org/dc/elements/1.1/'>C</d:creator></item>",
        &format!("<item {}/>", "a='1' ".repeat(2_000)),
        &"<x:y xmlns:x='z'>".repeat(20),
    ] {
        assert_eq!(rss(channel), None, "{channel}");
    }
    for entry in [
        "<title>A</title>",
        "<updated>gestern</updated>",
        "<updated>2024-05-01T10:00:00Z</updated><content>&lt;p>x&lt;/p></content>",
        "<updated>2024-05-01T10:00:00Z</updated><content type='xhtml'/>",
        "<updated>2024-05-01T10:00:00Z</updated><title mode='escaped'>A</title>",
    ] {
        assert_eq!(atom(entry), None, "{entry}");
    }
    for text in ["<rss><channel/></rss>", "<feed><entry/></feed>", "<!DOCTYPE rss><rss version='2.0'/>", ""] {
        assert_eq!(served_by(text, 2), None, "{text}");
    }
}

/// Checks that cutting out elements does not change the result.
#[test]
fn what_is_left_out_is_not_missed() {
    let context = Context::default();
    let feed = "<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' \
        xmlns:media='http://search.yahoo.com/mrss/' xmlns:x='http://x.example/'><channel><title>T</title>\
        <link>http://a.example/</link><description>D</description><image><url>http://a.example/i</url>\
        <title>I</title></image><x:a><x:b c='&lt;'>1</x:b>&amp;<title>no</title></x:a><copyright>C</copyright>\
        <item><title>A</title><description>B</description><itunes:title>C</itunes:title><x:y/>\
        <itunes:duration>1:00</itunes:duration><media:thumbnail url='http://a.example/t'/><x:z>t</x:z></item>\
        </channel></rss>";
    let sound = served_by(feed, 9).unwrap();
    assert_eq!((sound.by, sound.changes.len()), (Crate::Rss, 7));
    let whole = crate::parse::rss::parse(feed.as_bytes(), &context);
    assert_eq!(crate::parse::rss::parse(Fragments::new(feed, &sound.changes), &context), whole);
    let feed = "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:x='http://x.example/'><title>T</title><rights>R</rights>\
        <updated>2024-05-01T10:00:00Z</updated><x:a><x:a/></x:a><entry><title>A</title><contributor><name>N</name>\
        </contributor><updated>2024-05-01T10:00:00Z</updated><x:b>c</x:b></entry></feed>";
    let sound = served_by(feed, 9).unwrap();
    assert_eq!((sound.by, sound.changes.len()), (Crate::Atom, 4));
    let whole = crate::parse::atom::parse(feed.as_bytes(), &context);
    assert_eq!(crate::parse::atom::parse(Fragments::new(feed, &sound.changes), &context), whole);
    let long = "&lt;p&gt;x &amp;amp; &#8220;y&#x201D;&lt;/p&gt; ".repeat(20);
    for text in [long.clone(), format!("{long}]]&gt;"), format!("{long}&#13;")] {
        let feed = format!(
            "<rss version='2.0'><channel><title>T</title><link>http://a.example/</link><description>D</description>\
             <item><title>A</title><description>{text}</description></item></channel></rss>"
        );
        let sound = served_by(&feed, 9).unwrap();
        assert_eq!(sound.changes.len(), usize::from(text == long));
        let whole = crate::parse::rss::parse(feed.as_bytes(), &context);
        assert_eq!(crate::parse::rss::parse(Fragments::new(&feed, &sound.changes), &context), whole);
    }
    // Items are read at any depth, and an element with another end tag is broken.
    for inner in ["<x:a><item><title>B</title></item></x:a>", "<x:a><x:b></x:a></x:b>", "<x:a></x:c>"] {
        let text = format!("<rss version='2.0' xmlns:x='y'><channel><title>T</title>{inner}</channel></rss>");
        assert_eq!(served_by(&text, 9), None, "{inner}");
    }
}
