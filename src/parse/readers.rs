//! Checks that the crates and the tolerant reader read the same from documents that both can read, and that
//! documents which a crate would misread are read by the tolerant one.

use super::*;
use crate::model::Entry;

fn context() -> Context {
    Context { base: "http://p.example/feed".parse().ok(), ..Context::default() }
}

fn rss(item: &str) -> String {
    format!(
        "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/' \
         xmlns:media='http://search.yahoo.com/mrss/' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>\
         <title>T</title><link>http://p.example/</link><description>D</description><language>de</language>\
         <item>{item}</item></channel></rss>"
    )
}

fn atom(entry: &str) -> String {
    format!(
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='de'><title>T</title><id>i</id>\
         <updated>2026-11-01T00:00:00Z</updated><entry><id>e</id><updated>2026-11-01T00:00:00Z</updated>{entry}</entry></feed>"
    )
}

/// Reads a document by the usual way and by the tolerant reader, and checks that both agree.
fn read(text: &str) -> Document {
    let own = parse_feed(text.as_bytes(), &context()).unwrap();
    let broken = parse_feed(format!("{text}<stray>").as_bytes(), &context()).unwrap();
    assert_eq!(broken.reader, "tolerant");
    assert_eq!(
        (&own.entries, &own.language, &own.title),
        (&broken.entries, &broken.language, &broken.title),
        "{text}"
    );
    own
}

fn one(text: &str) -> (Entry, &'static str) {
    let mut document = read(text);
    document.share_language();
    (document.entries.remove(0), document.reader)
}

#[test]
fn the_language_of_an_item() {
    for (text, want) in [
        (rss("<title>A</title>"), "de"),
        (rss("<title>A</title><dc:language>fr</dc:language>"), "fr"),
        (rss("<title>A</title><language>fr</language>"), "fr"),
        (rss("<title xml:lang='fr'>A</title>"), "fr"),
        (rss("<title>A</title><description xml:lang='fr'>B</description>"), "fr"),
        (rss("<title xml:lang='it'>A</title><content:encoded xml:lang='fr'>B</content:encoded>"), "fr"),
        (rss("<title>A</title>").replace("<item>", "<item xml:lang='fr_CA'>"), "fr-CA"),
        (rss("<title>A</title>").replace("<language>de</language>", "<dc:language>fr</dc:language>"), "fr"),
        (
            rss("<title>A</title>")
                .replace("<language>de</language>", "")
                .replace("<channel", "<channel xml:lang='fr'"),
            "fr",
        ),
        (
            rss("<title>A</title>")
                .replace("<language>de</language>", "")
                .replace("<title>T", "<title xml:lang='fr'>T"),
            "fr",
        ),
        (atom("<title>A</title>"), "de"),
        (atom("<title>A</title>").replace("<entry", "<entry xml:lang='fr'"), "fr"),
        (atom("<title xml:lang='it'>A</title><content type='html' xml:lang='fr'>B</content>"), "fr"),
        (atom("<title xml:lang='it'>A</title><summary xml:lang='fr'>B</summary>"), "fr"),
        (atom("<title xml:lang='fr'>A</title>"), "fr"),
        (
            atom("<title>A</title><dc:language xmlns:dc='http://purl.org/dc/elements/1.1/'>fr</dc:language>"),
            "fr",
        ),
        (
            atom(
                "<title>A</title><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml' xml:lang='fr'><p lang='en'>B</p></div></content>",
            ),
            "fr",
        ),
        (
            atom(
                "<title>A</title><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>B <q lang='en'>C</q></div></content>",
            ),
            "de",
        ),
    ] {
        assert_eq!(one(&text).0.language.as_deref(), Some(want), "{text}");
    }
    assert_eq!(one(&rss("<title>A</title><dc:language>fr</dc:language>")).1, "rss", "the crate can tell");
    assert_eq!(one(&atom("<title xml:lang='fr'>A</title>")).1, "atom");
    let rdf = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' xml:lang='ja'>\
        <channel/><item><title>A</title></item></rdf:RDF>";
    assert_eq!(one(rdf).0.language.as_deref(), Some("ja"));
}

#[test]
fn labels_wherever_they_stand() {
    for (text, want) in [
        (rss("<title>A</title><category>x</category><category>y</category>"), &["x", "y"][..]),
        (
            rss("<title>A</title><categories><category>x</category><category>y</category></categories>"),
            &["x", "y"],
        ),
        (rss("<title>A</title><tags><tag>x</tag><tag>y</tag></tags>"), &["x", "y"]),
        (rss("<title>A</title><tags>x, y</tags>"), &["x", "y"]),
        (atom("<title>A</title><category term='x'/><category term='y' label='Y'/>"), &["x", "y"]),
        (atom("<title>A</title><category>x</category><category term='y'/>"), &["x", "y"]),
        (atom("<title>A</title><category term=''>x</category><category label='y'/>"), &["x", "y"]),
        (atom("<title>A</title><category><![CDATA[x]]></category><category/>"), &["x"]),
    ] {
        assert_eq!(one(&text).0.categories, want, "{text}");
    }
}

#[test]
fn files_and_links() {
    let jpg = ("http://p.example/x.jpg", Some("image/jpeg"));
    let mp3 = ("http://p.example/x.mp3", Some("audio/mpeg"));
    for (text, link, files) in [
        (rss("<title>A</title><enclosure url='/x.jpg' length='1' type=''/>"), None, &[jpg][..]),
        (rss("<title>A</title><enclosure url='/x.mp3'/>"), None, &[mp3]),
        (rss("<title>A</title><enclosure>http://p.example/x.mp3</enclosure>"), None, &[mp3]),
        (rss("<title>A</title><media:content url='/x.jpg'/>"), None, &[jpg]),
        (
            rss("<title>A</title><media:content url='/x?id=1' medium='image'/>"),
            None,
            &[("http://p.example/x?id=1", Some("image/*"))],
        ),
        (rss("<title>A</title><media:group><media:content url='/x.mp3'/></media:group>"), None, &[mp3]),
        (
            rss("<title>A</title><link rel='enclosure'>/x.mp3</link><link>/a</link>"),
            Some("http://p.example/a"),
            &[mp3],
        ),
        (
            rss("<title>A</title><link rel='self'>/feed</link><link>/a</link>"),
            Some("http://p.example/a"),
            &[],
        ),
        (
            atom(
                "<title>A</title><link rel='enclosure' type='audio/x'>http://p.example/x.mp3</link><link href='/a'/>",
            ),
            Some("http://p.example/a"),
            &[("http://p.example/x.mp3", Some("audio/x"))],
        ),
        (
            atom("<title>A</title><link rel='enclosure' href='/x.jpg'/><link href='/a'/>"),
            Some("http://p.example/a"),
            &[jpg],
        ),
        (atom("<title>A</title><link>http://p.example/a</link>"), Some("http://p.example/a"), &[]),
        (
            atom("<title>A</title><link rel='self'>/feed</link><link href='/a'/>"),
            Some("http://p.example/a"),
            &[],
        ),
    ] {
        let (entry, _) = one(&text);
        let found: Vec<_> =
            entry.enclosures.iter().map(|file| (file.url.as_str(), file.media_type.as_deref())).collect();
        assert_eq!((entry.link.as_deref(), found.as_slice()), (link, files), "{text}");
    }
}

#[test]
fn people_and_pictures() {
    for text in [
        rss("<title>A</title><author>Ada (mailto:a@p.example)</author>"),
        rss("<title>A</title><dc:creator>Ada (mailto:a@p.example)</dc:creator>"),
        atom("<title>A</title><author><name>Ada (mailto:a@p.example)</name></author>"),
        atom("<title>A</title><author><name>Ada</name><email>a@p.example</email></author>"),
    ] {
        let (entry, _) = one(&text);
        let author = &entry.authors[0];
        assert_eq!((author.name.as_str(), author.email.as_deref()), ("Ada", Some("a@p.example")), "{text}");
    }
    for text in [
        rss("<title>&lt;img src='x' alt='A storm'&gt;</title>"),
        rss("<title><![CDATA[<img src='x' alt='A storm'>]]></title>"),
        rss("<title><img src='x' alt='A storm'/></title>"),
        atom("<title type='html'>&lt;img src='x' alt='A storm'/></title>"),
        atom(
            "<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><img alt='A storm'/></div></title>",
        ),
    ] {
        assert_eq!(one(&text).0.title, "A storm", "{text}");
    }
}

#[test]
fn escaped_text_among_elements() {
    let html = "&lt;p&gt;Bread &amp;amp; salt&lt;/p&gt;";
    for (text, want) in [
        (
            rss(&format!("<description>{html}<br/>for all</description>")),
            "<p>Bread &amp; salt</p><br />for all",
        ),
        (rss(&format!("<description>For<br/>{html}</description>")), "For<br /><p>Bread &amp; salt</p>"),
        (
            rss(&format!("<description><div class='x'>{html}</div></description>")),
            "<div class=\"x\"><p>Bread &amp; salt</p></div>",
        ),
        (
            rss(&format!("<description>{html}<img src='http://p.example/i'/></description>")),
            "<p>Bread &amp; salt</p><img src=\"http://p.example/i\" />",
        ),
        (rss("<description>&lt;p&gt;one<br/>two&lt;/p&gt;</description>"), "<p>one<br />two</p>"),
        (rss("<description><![CDATA[<p>one</p>]]><br/>1 &lt; 2</description>"), "<p>one</p><br />1 &lt; 2"),
        (
            rss(&format!("<description>{html} and <b>more</b></description>")),
            "<p>Bread &amp; salt</p> and <b>more</b>",
        ),
        (
            rss("<description>Write <i>&lt;p&gt;x&lt;/p&gt;</i></description>"),
            "Write <i>&lt;p&gt;x&lt;/p&gt;</i>",
        ),
        (
            rss("<description>Write &lt;br&gt; for<br/>a line</description>"),
            "Write &lt;br&gt; for<br />a line",
        ),
        (
            rss("<description><p>Write &lt;b&gt;x&lt;/b&gt;</p></description>"),
            "<p>Write &lt;b&gt;x&lt;/b&gt;</p>",
        ),
        (rss("<description>Bread &amp; salt<br/>for all</description>"), "Bread &amp; salt<br />for all"),
        (
            atom(&format!(
                "<summary type='html'><div xmlns='http://www.w3.org/1999/xhtml'>{html}</div></summary>"
            )),
            "<div><p>Bread &amp; salt</p></div>",
        ),
        (
            atom(&format!(
                "<summary type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>{html}</div></summary>"
            )),
            html,
        ),
    ] {
        assert_eq!(one(&text).0.summary.as_deref(), Some(want), "{text}");
    }
}

#[test]
fn encodings_that_are_called_something_else() {
    let text = rss("<title>新しい橋</title>");
    let (bytes, ..) = encoding_rs::ISO_2022_JP.encode(&text);
    let called = [b"<?xml version='1.0' encoding='utf-8'?>".as_slice(), &bytes].concat();
    for content_type in [None, Some("text/xml; charset=utf-8")] {
        let context = Context { content_type: content_type.map(str::to_owned), ..context() };
        let document = parse_feed(&called, &context).unwrap();
        assert_eq!(
            (document.entries[0].title.as_str(), document.encoding.as_str()),
            ("新しい橋", "ISO-2022-JP")
        );
    }
    let twice: String = rss("<title>Crème brûlée à Genève</title>").bytes().map(char::from).collect();
    assert_eq!(one(&twice).0.title, "Crème brûlée à Genève");
    assert_eq!(one(&rss("<title>Ã© for é</title>")).0.title, "Ã© for é");
}
