//! Promise: any document is read or refused within bounds, always with the same result, and cleaned HTML
//! stays the same when it is cleaned again. The fuzz targets of `fuzz/` check the same properties; their
//! findings are cases here.

mod properties;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence::Direct;

/// Documents that are damaged at random.
const SAMPLES: [&str; 3] = [
    r#"<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>城报</title>
<link>https://paper.example/</link><description>d</description><ttl>60</ttl><item><title>一 &amp; 二</title>
<link>/a/1.html</link><guid isPermaLink="false">n-1</guid><pubDate>Tue, 21 Dec 2021 13:55:07 +0800</pubDate>
<source url="https://wire.example/rss">新华社</source><dc:creator>记者</dc:creator><category>本地</category>
<media:thumbnail url="/t.jpg" width="90"/><enclosure url="/1.mp3" type="audio/mpeg" length="1"/>
<content:encoded><![CDATA[<p>全文 <img src="/1.jpg" srcset="/2.jpg 2x"></p>]]></content:encoded></item></channel></rss>"#,
    r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://paper.example/" xml:lang="zh"><title>A</title><id>urn:f</id>
<updated>2021-12-21T05:55:07Z</updated><entry><id>urn:1</id><title type="html">&lt;b&gt;x&lt;/b&gt;</title>
<link href="n/1"/><updated>2021-12-21T05:55:07Z</updated><author><name>甲</name><uri>/me</uri></author>
<source><title>新华社</title><id>urn:w</id></source><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>y</p></div></content>
</entry></feed>"#,
    r#"{"version":"https://jsonfeed.org/version/1.1","title":"J","authors":[{"name":"A"}],"items":[{"id":7,"url":"https://paper.example/7",
"image":"/7.jpg","content_html":"<p>C</p>","date_published":"2021-12-21T13:55:07+08:00","tags":["t"],
"attachments":[{"url":"https://paper.example/7.mp3","mime_type":"audio/mpeg","size_in_bytes":9}]}]}"#,
];

/// Returns samples with a piece written over a part of them.
fn damage() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "<",
        ">",
        "&",
        "]]>",
        "<![CDATA[",
        "<!--",
        "-->",
        "\"",
        "'",
        "</item>",
        "<item>",
        "<entry>",
        "<source>",
        "</",
        "\0",
        "\u{92}",
        "&#146;",
        "&nbsp;",
        "xmlns='x'",
        "<!DOCTYPE a [<!ENTITY e '&e;'>]>",
        "{",
        "[",
        "}",
        "\\u0000",
        "\r\n",
        " ",
    ]);
    let edit = (any::<prop::sample::Index>(), 0..12_usize, pieces);
    (0..SAMPLES.len(), prop::collection::vec(edit, 0..6)).prop_map(|(sample, edits)| {
        let mut bytes = SAMPLES[sample].as_bytes().to_vec();
        for (place, length, piece) in edits {
            let at = place.index(bytes.len() + 1);
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, piece.bytes());
        }
        bytes
    })
}

const TYPES: [Option<&str>; 4] = [
    None,
    Some("text/xml; charset=gbk"),
    Some("application/rss+xml; charset=utf-8"),
    Some("text/xml; charset=utf-16"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_failure_persistence(Direct("proptest-regressions/tests/parsing.txt")))]
    #[test]
    fn any_bytes_are_a_feed_or_none(bytes in prop::collection::vec(any::<u8>(), 0..400), kind in 0..TYPES.len()) {
        properties::feed(&bytes, TYPES[kind]);
        properties::text(&bytes, TYPES[kind]);
    }

    #[test]
    fn any_body_comes_out_of_its_coding_or_not(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        codings in "(gzip|br|zstd|deflate|identity|, ){0,4}",
    ) {
        properties::body(&bytes, &codings, None);
    }

    #[test]
    fn damaged_feeds_are_read_in_bounds(bytes in damage(), kind in 0..TYPES.len()) {
        properties::feed(&bytes, TYPES[kind]);
    }

    #[test]
    fn any_html_is_cleaned_once_and_for_all(
        html in "(<(p|b|div|a href='[a-z:/]{0,9}'|img src='/y'|ul|li|table|td|svg|math|style|iframe|form|select|template) ?>|</(p|b|div|ul|svg|math|table)>|[a-z &;<>\"'=/-]|&lt;|&#x?[0-9a-f]{1,4};|一|<!--|-->){0,40}"
    ) {
        properties::html(&html);
    }

    #[test]
    fn any_date_is_a_moment_or_none(text in "[0-9A-Za-z:+. /,年月日T-]{0,40}") {
        properties::dates(&text);
    }
}

/// Documents that failed under fuzzing or came from real feeds.
#[test]
fn documents_that_once_went_wrong() {
    for document in SAMPLES {
        properties::feed(document.as_bytes(), None);
    }
    for html in [
        "<p><select>",
        "<p title=x>\u{11}</p>",
        "<p>x<br><!-- c --></p>",
        "<p><font></font></p>",
        "x\r\n\u{e}<script>a</script>",
    ] {
        properties::html(html);
    }
    properties::html(&format!("<img src='{}'>", "<div>".repeat(700)));
    // Links that were never closed, interrupted by every block, and nested once they are repaired.
    for opened in [19, 130] {
        let odd = "<a href=/x><o>".to_owned() + &"<div><i>".repeat(opened) + "一<a>二</div>三</a>四";
        properties::html(&odd);
    }
    // A link with a long title, reopened in each of many blocks.
    let long = format!("<a title='{}'>{}", "长".repeat(300), "<div>一".repeat(110));
    properties::html(&long);
}
