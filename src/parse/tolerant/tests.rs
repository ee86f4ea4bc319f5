//! Tests with dialects, damaged and hostile documents.

use proptest::prelude::*;

use super::super::{Context, ParseError, parse_feed};
use super::*;

const BASE: &str = "https://zeitung.example/feeds/alle.xml";

fn context() -> Context {
    Context { base: BASE.parse().ok(), ..Context::default() }
}

fn read(text: &str) -> Document {
    parse(text, &context()).unwrap().unwrap()
}

/// Returns the title and link of each item, as one line each.
fn items(document: &Document) -> Vec<String> {
    let line = |e: &crate::model::Entry| format!("{}|{}", e.title, e.link.as_deref().unwrap_or_default());
    document.entries.iter().map(line).collect()
}

#[test]
fn dialects() {
    let item = "<title>Eins</title><link>http://a.example/1</link>";
    for text in [
        format!("<rss><channel><item>{item}</item></channel></rss>"),
        format!("<RSS><CHANNEL><ITEM>{}</ITEM></CHANNEL></RSS>", item.to_uppercase().replace("HTTP://A.EXAMPLE", "http://a.example").replace("EINS", "Eins")),
        format!("<rss version='2.0'><channel><title>T</title></channel><item>{item}</item></rss>"),
        format!("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://my.netscape.com/rdf/simple/0.9/'><channel/><item>{item}</item></rdf:RDF>"),
        format!("<x:rss xmlns:x='http://purl.org/rss/1.0/'><x:channel><x:item>{}</x:item></x:channel></x:rss>", item.replace("</", "</x:").replace("<t", "<x:t").replace("<l", "<x:l")),
        "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><title mode='base64' type='text/plain'>RWlucw==</title><link href='http://a.example/1'/></entry></feed>".to_owned(),
        "<f:feed xmlns:f='http://www.w3.org/2005/Atom'><f:entry><f:title>Eins</f:title><f:link href='http://a.example/1'/></f:entry></f:feed>".to_owned(),
        "<entry><title>Eins</title><link href='http://a.example/1'/></entry>".to_owned(),
        format!("<html><body><p>Fehler</p><rss><channel><item>{item}</item></channel></rss></body></html>"),
        "<CHANNEL HREF='http://a.example/'><ITEM HREF='http://a.example/1'><TITLE>Eins</TITLE></ITEM></CHANNEL>".to_owned(),
    ] {
        assert_eq!(items(&read(&text)), ["Eins|http://a.example/1"], "{text}");
    }
}

#[test]
fn a_feed_within_a_page() {
    let document = read(
        "<html><head><title>Seite</title></head><body><pre><rss><channel><title>Blatt</title>\
         <item><title>Eins</title></item></channel></rss></pre></body></html>",
    );
    assert_eq!((document.title.as_str(), items(&document)), ("Blatt", vec!["Eins|".to_owned()]));
}

#[test]
fn titles_of_other_things_are_not_the_items() {
    let document = read(
        "<rss><channel><image><title>Bild</title><link>http://b.example/</link></image><title>Blatt</title>\
         <textInput><title>Suche</title></textInput><item><media:title>Foto</media:title><title>Eins</title>\
         <source url='http://q.example/'>Quelle</source><itunes:title>Folge</itunes:title></item>\
         <item><media:group><media:title>Nur Foto</media:title></media:group></item></channel></rss>",
    );
    assert_eq!(document.title, "Blatt");
    assert_eq!(items(&document), ["Eins|", "Nur Foto|"]);
}

#[test]
fn fields_of_an_item() {
    let document = read(
        "<rss xmlns:d='http://purl.org/dc/elements/1.1/'><channel><item>\
         <d:creator>Ada</d:creator><author>bo@b.example (Bo)</author><category>A</category><category>B</category>\
         <guid>http://a.example/1</guid><enclosure url='/1.mp3' type='audio/mpeg' length='7'/><enclosure url=/2.mp3>\
         <content:encoded><![CDATA[<img src=\"x.png\">]]></content:encoded><d:date>2024-05-01T10:00:00Z</d:date>\
         </item><item><guid isPermaLink='false'>http://a.example/2</guid></item></channel></rss>",
    );
    let entry = &document.entries[0];
    assert_eq!(entry.authors.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["Ada", "Bo"]);
    assert_eq!(entry.categories, ["A", "B"]);
    assert_eq!(entry.link.as_deref(), Some("http://a.example/1"));
    let files: Vec<_> = entry.enclosures.iter().map(|e| e.url.as_str()).collect();
    assert_eq!(files, ["https://zeitung.example/1.mp3", "https://zeitung.example/2.mp3"]);
    assert_eq!(entry.content.as_deref(), Some("<img src=\"https://zeitung.example/feeds/x.png\">"));
    assert!(entry.published.is_some());
    assert_eq!(document.entries[1].link, None);
}

#[test]
fn atom_texts_and_bases() {
    let document = read(
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='http://a.example/'><author><name>Ada</name></author>\
         <entry xml:base='blog/'><title type='html'>A &amp;lt; &lt;b&gt;B&lt;/b&gt;</title>\
         <content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p xml:base='tief/'><a href='x'>x &amp; y</a></p><br/></div></content>\
         <link rel='self' href='self'/><link type='application/pdf' href='pdf'/><link href='1'/></entry>\
         <entry xmlns:h='http://www.w3.org/1999/xhtml'><summary type='xhtml'><h:div>a <h:b>b</h:b></h:div></summary></entry></feed>",
    );
    let [one, two] = document.entries.as_slice() else { panic!("two entries") };
    assert_eq!((one.title.as_str(), one.title_markup.as_deref()), ("A < B", Some("A &lt; <b>B</b>")));
    assert_eq!(one.link.as_deref(), Some("http://a.example/blog/1"));
    assert_eq!(
        one.content.as_deref(),
        Some("<p><a href=\"http://a.example/blog/tief/x\">x &amp; y</a></p><br />")
    );
    assert_eq!(one.authors[0].name, "Ada");
    assert_eq!(two.summary.as_deref(), Some("a <b>b</b>"));
}

#[test]
fn damage_is_repaired_and_told() {
    let whole = "<item><title>Eins</title><link>http://a.example/1</link></item>";
    for (broken, what) in [
        ("<item><title>Zwei</titel><link>http://a.example/2</link></item>", "end tag without its start"),
        ("<item><title>Zwei<link>http://a.example/2</link></item>", "not closed"),
        ("<item><title>Zwei</title><link>http://a.example/2</link>", "within an item"),
        (
            "<item><link>http://a.example/2</link><description><![CDATA[x</description></item><item><title>Zwei</title><description><![CDATA[y]]></description></item>",
            "CDATA",
        ),
        ("<item><title>Zwei</title><description>1 < 2 && 3</description></item>", "begins no tag"),
    ] {
        let document = read(&format!("<rss><channel>\n{broken}\n{whole}</channel></rss>"));
        assert!(items(&document).iter().any(|item| item.starts_with("Zwei")), "{broken}");
        assert_eq!(items(&document).last().map(String::as_str), Some("Eins|http://a.example/1"), "{broken}");
        assert!(
            document.repairs.iter().any(|r| r.line >= 2 && r.what.contains(what)),
            "{:?}",
            document.repairs
        );
    }
    let cut = read(&format!("<rss><channel>{whole}<item><title>Zw"));
    assert_eq!(items(&cut), ["Eins|http://a.example/1"]);
}

#[test]
fn both_stages_read_alike() {
    let text = "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>Blatt</title>\
         <link>http://a.example/</link><description>x</description><item><title>A &amp;amp; &lt;i&gt;B&lt;/i&gt;</title>\
         <guid>http://a.example/1</guid><dc:creator>Ada</dc:creator><description>&lt;a href=\"y\"&gt;</description>\
         <pubDate>Wed, 01 May 2024 10:00:00 GMT</pubDate></item></channel></rss>";
    let first = parse_feed(text.as_bytes(), &context()).unwrap();
    assert_eq!(first.reader, "rss");
    let second = Document { encoding: first.encoding.clone(), reader: "rss", ..read(text) };
    assert_eq!(first, second);
}

#[test]
fn hostile_documents_stay_small() {
    let deep = format!(
        "<rss><channel><item><title>x</title><description>{}</description></item>",
        "<i>".repeat(200_000)
    );
    let document = read(&deep);
    assert!(document.entries[0].summary.as_ref().unwrap().len() < 2_000);
    let wide = format!("<rss><channel><item {}><title>x</title></item>", "a=\"1\" ".repeat(100_000));
    assert_eq!(read(&wide).entries.len(), 1);
    let long = format!("<rss><channel><item><title>{}</title></item>", "x".repeat(5 << 20));
    assert!(read(&long).entries[0].title.len() <= 1 << 20);
    let many = format!("<rss><channel>{}", "<item><title>x</title></item>".repeat(100_000));
    let document = read(&many);
    assert_eq!((document.entries.len(), document.beyond_cap), (5_000, 95_000));
    for piece in [
        "<",
        "<a ",
        "<a b=\"",
        "</",
        "<!--",
        "<![CDATA[",
        "<![CDATA[</item>",
        "<?",
        "<!DOCTYPE [",
        "&",
        "<item>",
        "<x:y xmlns:x='z'>",
        "</a>",
        "<rss a='",
    ] {
        let text = format!("<rss><channel><title>T</title>{}", piece.repeat(50_000));
        assert!(parse(&text, &context()).is_ok(), "{piece}");
    }
}

#[test]
fn nothing_is_broken_or_unknown() {
    let fails = |text: &str| parse_feed(text.as_bytes(), &Context::default()).unwrap_err();
    assert!(matches!(fails("<rss><channel><item><title>a"), ParseError::Broken { .. }));
    assert_eq!(fails("<html><head><title>404</title></head></html>"), ParseError::WebPage);
    assert!(matches!(fails("<x><y/></x>"), ParseError::Unknown { .. }));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse_feed(&bytes, &context());
    }

    #[test]
    fn any_markup_is_read_in_bounds(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("<rss>"), Just("<channel>"), Just("<item>"), Just("</item>"), Just("<title>"), Just("</title>"),
                Just("<description type='xhtml'>"), Just("<p>ä</p>"), Just("</"), Just("<![CDATA["), Just("]]>"),
                Just("<!--"), Just("-->"), Just("&#146;"), Just("&amp"), Just("<entry xml:base='x/'>"), Just("<author>"),
                Just("<name>ö"), Just("<link href='a'>"), Just("<a b=\""), Just("'"), Just(">"), Just("<!DOCTYPE x ["),
                Just("<!ENTITY e \"&e;&e;\">"), Just("&e;"), Just("<media:group>"), Just("\u{0}日"),
            ],
            0..60,
        )
    ) {
        let text = pieces.concat();
        if let Ok(Some(document)) = parse(&text, &context()) {
            let size: usize = document.entries.iter().map(|e| e.title.len() + e.summary.as_ref().map_or(0, String::len)).sum();
            prop_assert!(size <= 40 * text.len() + 4_096);
        }
    }
}
