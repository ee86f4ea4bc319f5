//! Tests of all writers: that their output is right, can be read back, and agrees.

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::line::line;
use super::opml::Outline;
use super::{History, OutputEntry, OutputFeed, OutputGone, OutputSource, atom, json_feed, opml, rss, xml};
use crate::model::{Author, Document, Enclosure, Timestamp};
use crate::parse::{Context, parse_feed, text};

type Writer = fn(&OutputFeed) -> Vec<u8>;

fn json_bytes(feed: &OutputFeed) -> Vec<u8> {
    json_feed::render(feed).unwrap()
}

const WRITERS: [(&str, Writer); 3] =
    [("rss", rss::render), ("atom", atom::render), ("json_feed", json_bytes)];

fn feed(entries: Vec<OutputEntry>) -> OutputFeed {
    OutputFeed {
        id: "tag:finews.example.org,2021:category/shanghai".to_owned(),
        title: "上海证券报 & <Co>".to_owned(),
        description: "Every article of “上海证券报”, once".to_owned(),
        language: "zh-CN".to_owned(),
        page_url: "https://finews.example.org/shanghai/".to_owned(),
        rss_url: "https://finews.example.org/shanghai/rss.xml".to_owned(),
        atom_url: "https://finews.example.org/shanghai/atom.xml".to_owned(),
        json_url: "https://finews.example.org/shanghai/feed.json".to_owned(),
        css_url: "https://finews.example.org/static/feed.css?a=1&b=\"?>".to_owned(),
        rights: Some("© 上海证券报 & <others>".to_owned()),
        ttl_minutes: 30,
        updated: Timestamp::from_unix(1_640_070_000),
        history: History::default(),
        gone: Vec::new(),
        entries,
    }
}

fn plain_entry(code: &str) -> OutputEntry {
    OutputEntry {
        id: format!("tag:finews.example.org,2021:{code}"),
        title: "标题".to_owned(),
        link: format!("https://paper.example/a/{code}.html?a=1&b=2"),
        summary: "摘要".to_owned(),
        html: None,
        published: Timestamp::from_unix(1_640_066_107),
        updated: Timestamp::from_unix(1_640_066_107),
        authors: Vec::new(),
        categories: Vec::new(),
        enclosures: Vec::new(),
        image: None,
        source_name: None,
        source: None,
        rights: None,
        language: None,
        in_window: true,
    }
}

/// Returns an entry with everything that may be awkward.
fn awkward_entry() -> OutputEntry {
    OutputEntry {
        title: "A\u{0}\u{b}\u{1f} & <b>B</b> \"q\" 'p' ]]> {{ x }} &lt;\n 🗞\u{FFFE}".to_owned(),
        summary: "1 < 2 && {{ y }} ]]> &amp; <i>not markup</i>\u{8} 'q' \"p\" 📈".to_owned(),
        html: Some("<p>a ]]> b\u{1} &lt;b&gt; {{ z }} &amp;amp; \"q\"\r\n🗞</p><pre>\tc\rd</pre>".to_owned()),
        updated: Timestamp::from_unix(1_640_069_999),
        authors: vec![
            Author {
                name: "王 <Wang>".to_owned(),
                email: Some("wang@paper.example".to_owned()),
                uri: Some("https://paper.example/wang?a&b".to_owned()),
            },
            Author { name: "Li".to_owned(), email: Some("no address".to_owned()), uri: None },
            Author::default(),
        ],
        categories: vec!["上海证券报".to_owned(), " \u{2} ".to_owned(), "R&D <x>".to_owned()],
        enclosures: vec![
            Enclosure { url: String::new(), media_type: None, length: None },
            Enclosure {
                url: "https://paper.example/f?x=1&y=\"2\"".to_owned(),
                media_type: None,
                length: None,
            },
            Enclosure {
                url: "https://paper.example/f.mp3".to_owned(),
                media_type: Some("audio/mpeg".to_owned()),
                length: Some(12_345),
            },
        ],
        image: Some("https://paper.example/p.jpg?w=1&h=\"2\"".to_owned()),
        source_name: Some("证券报 & <Söhne>".to_owned()),
        source: Some(OutputSource {
            title: "证券报 & <RSS>".to_owned(),
            feed_url: Some("https://paper.example/rss?a=1&b=2".to_owned()),
            page_url: Some("https://paper.example/".to_owned()),
        }),
        rights: Some("CC BY <4.0> & more".to_owned()),
        language: Some("en".to_owned()),
        ..plain_entry("NW202112212221043837")
    }
}

fn sample() -> OutputFeed {
    let untitled = OutputEntry {
        title: " \u{3} ".to_owned(),
        summary: "字".repeat(70),
        ..plain_entry("wires~%E6%96%B0")
    };
    let bare = OutputEntry { title: String::new(), summary: String::new(), ..plain_entry("wires~bare") };
    feed(vec![awkward_entry(), plain_entry("NW202112212221043838"), untitled, bare])
}

fn written(writer: Writer, feed: &OutputFeed) -> String {
    String::from_utf8(writer(feed)).unwrap()
}

fn read(writer: Writer, feed: &OutputFeed) -> Document {
    parse_feed(&writer(feed), &Context::default()).unwrap()
}

/// Checks that names of elements match, by reading to the end.
fn assert_well_formed(xml: &str) {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) => {
                for attribute in element.attributes() {
                    attribute.unwrap();
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(xml.chars().all(crate::model::text::is_xml_char));
}

#[test]
fn snapshots() {
    for (name, writer) in WRITERS {
        insta::assert_snapshot!(name, written(writer, &sample()));
    }
}

#[test]
fn opml_snapshot() {
    let outline = |title: &str, html_url: Option<&str>| Outline {
        title: title.to_owned(),
        xml_url: "https://finews.example.org/shanghai/rss.xml?a=1&b=2".to_owned(),
        html_url: html_url.map(str::to_owned),
    };
    let outlines =
        [outline("R&D \"<x>\"\u{1}\n'y'", Some("https://finews.example.org/shanghai/")), outline("", None)];
    let bytes = opml::render("所有 & \u{7}<feeds>", "zh-CN", &outlines);
    let xml = String::from_utf8(bytes).unwrap();
    assert_well_formed(&xml);
    insta::assert_snapshot!("opml", xml);
}

#[test]
fn xml_begins_with_declaration_and_style_sheet() {
    let mut feed = sample();
    for (_, writer) in &WRITERS[..2] {
        let xml = written(*writer, &feed);
        assert_well_formed(&xml);
        let head = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<?xml-stylesheet type=\"text/css\" \
                    href=\"https://finews.example.org/static/feed.css?a=1&amp;b=&quot;?&gt;\"?>\n<";
        assert!(xml.starts_with(head), "{xml}");
        assert_eq!(xml.matches("<?").count(), 2);
    }
    feed.css_url.clear();
    assert_eq!(written(rss::render, &feed).matches("<?").count(), 1);
}

#[test]
fn what_is_written_reads_back() {
    let feed = sample();
    for (name, writer) in WRITERS {
        let document = read(writer, &feed);
        assert_eq!(document.title, line(&feed.title), "{name}");
        assert_eq!(document.subtitle.as_deref(), Some(feed.description.as_str()), "{name}");
        assert_eq!(document.link.as_deref(), Some(feed.page_url.as_str()), "{name}");
        assert_eq!(document.language.as_deref(), Some("zh-CN"), "{name}");
        assert_eq!(document.entries.len(), feed.entries.len(), "{name}");
        for (got, want) in document.entries.iter().zip(&feed.entries) {
            assert_eq!(got.guid.as_deref(), Some(want.id.as_str()), "{name}");
            // JSON Feed's plain members have a look-alike in the place of each sign that could begin a tag.
            assert_eq!(got.title.replace('＜', "<"), xml::headline(want), "{name}");
            assert_eq!(got.link.as_deref(), Some(want.link.as_str()), "{name}");
            assert_eq!(got.published, Some(want.published), "{name}");
            let html = xml::html(want).map(xml::block);
            // Without HTML a JSON Feed must still have the text as its content.
            if name != "json_feed" || html.is_some() {
                assert_eq!(got.content.as_deref(), html.as_deref(), "{name}");
            }
            let summary = got.summary.as_deref().map(text::html_to_text);
            assert_eq!(summary.unwrap_or_default().replace('＜', "<"), line(&want.summary), "{name}");
            let files: Vec<_> = xml::files(want).map(|(url, _)| url.replace('"', "%22")).collect();
            let got_files: Vec<_> = got.enclosures.iter().map(|file| file.url.clone()).collect();
            assert!(files.iter().all(|file| got_files.contains(file)), "{name}: {got_files:?}");
        }
    }
}

#[test]
fn the_feed_has_an_author_where_an_entry_has_none() {
    let author = "\n <author>\n  <name>上海证券报 &amp; &lt;Co&gt;</name>";
    assert!(written(atom::render, &sample()).contains(author));
    assert!(written(atom::render, &feed(Vec::new())).contains(author));
    assert!(!written(atom::render, &feed(vec![awkward_entry()])).contains(author));
}

/// Checks the links of RFC 5005 and the deleted entries of RFC 6721.
#[test]
fn history_and_deleted_entries() {
    let url = |name: &str| Some(format!("https://finews.example.org/feed/shanghai/archive/{name}"));
    let mut feed = sample();
    feed.gone = vec![OutputGone {
        id: "tag:finews.example.org,2021:gone&1".to_owned(),
        at: Timestamp::from_unix(1_640_069_000),
    }];
    feed.history = History { current: None, earlier_atom: url("3.xml"), earlier_json: url("3.json") };
    let xml = written(atom::render, &feed);
    assert!(xml.contains("<link rel=\"prev-archive\" type=\"application/atom+xml\" href=\"https://finews.example.org/feed/shanghai/archive/3.xml\"/>"));
    assert!(xml.contains(
        "<at:deleted-entry ref=\"tag:finews.example.org,2021:gone&amp;1\" when=\"2021-12-21T06:43:20Z\"/>"
    ));
    assert!(!xml.contains("<fh:archive/>"));
    let json: serde_json::Value = serde_json::from_slice(&json_bytes(&feed)).unwrap();
    assert_eq!(json["next_url"], "https://finews.example.org/feed/shanghai/archive/3.json");
    feed.history.current = Some("https://finews.example.org/feed/shanghai.xml".to_owned());
    let xml = written(atom::render, &feed);
    assert!(xml.contains("<fh:archive/>") && xml.contains("rel=\"current\""), "{xml}");
}

/// Checks that RSS has the window alone, and the others also entries that are not sealed yet.
#[test]
fn what_is_beyond_the_window_is_not_in_rss() {
    let mut feed = sample();
    feed.entries[1].in_window = false;
    let counts = WRITERS.map(|(_, writer)| read(writer, &feed).entries.len());
    assert_eq!(counts, [3, 4, 4]);
}

#[test]
fn the_same_feed_gives_the_same_bytes() {
    for (_, writer) in WRITERS {
        assert_eq!(written(writer, &sample()), written(writer, &sample()));
    }
}

/// Returns a text as it reads back: the HTML reader drops a leading byte-order mark.
fn shown(text: &str) -> String {
    text::one_line(text.trim_start_matches('\u{FEFF}')).replace('＜', "<")
}

/// Generates any characters, those that formats trip over more often.
fn any_text() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        "]]>",
        "<![CDATA[",
        "<b>",
        "</b>",
        "<",
        ">",
        "&",
        "&lt;",
        "&amp;lt;",
        "&#1;",
        "<!--",
        "-->",
        "<?",
        "?>",
        "\"",
        "'",
        "\0",
        "\u{1}",
        "\u{b}",
        "\r\n",
        "\r",
        "\n",
        "\t",
        "\u{85}",
        "\u{9f}",
        "\u{2028}",
        "\u{3000}",
        "\u{FEFF}",
        "\u{FFFE}",
        "\u{FFFF}",
        "\u{1FFFE}",
        "{{ x }}",
        "🗞",
        "é",
        "证",
        "+00:00",
    ]);
    prop::collection::vec(prop_oneof![awkward.prop_map(str::to_owned), any::<String>()], 0..6)
        .prop_map(|parts| parts.concat())
}

prop_compose! {
    fn any_entry()(
        id in any_text(), title in any_text(), summary in any_text(), html in prop::option::of(any_text()),
        link in any_text(), image in prop::option::of(any_text()), author in any_text(), url in any_text(),
        email in prop::option::of(any_text()), category in any_text(), kind in prop::option::of(any_text()),
        language in prop::option::of(any_text()), seconds in 0..=Timestamp::MAX.unix(),
    ) -> OutputEntry {
        OutputEntry {
            id: format!("tag:{id}"),
            link: format!("https://a.example/{link}"),
            published: Timestamp::from_unix(seconds),
            authors: vec![Author { name: author.clone(), email, uri: Some(url.clone()) }],
            categories: vec![category],
            enclosures: vec![Enclosure { url, media_type: kind, length: Some(1) }],
            source_name: Some(author),
            title, summary, html, image, language, ..plain_entry("")
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_carried(
        entries in prop::collection::vec(any_entry(), 1..3), title in any_text(), css in any_text(),
    ) {
        let feed = OutputFeed { title: title.clone(), description: title, css_url: css, ..feed(entries) };
        assert_well_formed(&written(rss::render, &feed));
        assert_well_formed(&written(atom::render, &feed));
        serde_json::from_slice::<serde_json::Value>(&json_bytes(&feed)).unwrap();
        let documents = WRITERS.map(|(_, writer)| read(writer, &feed));
        for document in &documents {
            let links = |d: &Document| d.entries.iter().map(|e| e.link.clone()).collect::<Vec<_>>();
            prop_assert_eq!(links(document), links(&documents[0]));
            prop_assert_eq!(shown(&document.title), shown(&line(&feed.title)));
            for (got, want) in document.entries.iter().zip(&feed.entries) {
                prop_assert_eq!(got.guid.as_deref(), Some(&*line(&want.id)));
                prop_assert_eq!(shown(&got.title), shown(&xml::headline(want)));
                prop_assert_eq!(got.published, Some(want.published));
                let summary = got.summary.as_deref().map(text::html_to_text).unwrap_or_default();
                prop_assert_eq!(shown(&summary), shown(&line(&want.summary)));
                if let Some(html) = xml::html(want).map(xml::block) {
                    prop_assert_eq!(got.content.as_deref(), Some(html.trim()));
                }
            }
        }
    }

    #[test]
    fn opml_carries_any_text(title in any_text(), url in any_text()) {
        let one = Outline { title: title.clone(), xml_url: url.clone(), html_url: Some(url) };
        let bytes = opml::render(&title, &title, &[one]);
        assert_well_formed(&String::from_utf8(bytes).unwrap());
    }
}
