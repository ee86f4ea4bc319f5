//! Feeds made for the benches: newspaper-like, of the sizes that are met.

use std::fmt::Write as _;

/// Items of one document.
const ITEMS: usize = 30;

const PARAGRAPH: &str = "县城的新书店昨天开门，货架上摆着本地作者写的书，孩子们坐在地板上读到天黑。";

/// A text of some paragraphs with a link and a picture.
pub(crate) fn html(n: usize) -> String {
    let mut html = String::new();
    for part in 0..8 {
        let _ = write!(
            html,
            "<p>{PARAGRAPH}<a href=\"https://paper.example/{n}/{part}\">全文</a> — {part}</p>\
             <p><img src=\"https://paper.example/img/{n}-{part}.jpg\" alt=\"书店\"/></p>"
        );
    }
    html
}

/// RSS 2.0 as it should be.
pub(crate) fn rss() -> String {
    let mut items = String::new();
    for n in 0..ITEMS {
        let _ = write!(
            items,
            "<item><title>第{n}篇 &amp; 更多</title><link>https://paper.example/a/{n}.html</link>\
             <guid isPermaLink=\"false\">paper-{n}</guid><pubDate>Tue, 21 Dec 2021 13:55:{:02} +0800</pubDate>\
             <dc:creator>记者甲</dc:creator><category>本地</category><description>{PARAGRAPH}</description>\
             <content:encoded><![CDATA[{}]]></content:encoded></item>",
            n % 60,
            html(n)
        );
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\" \
         xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\
         <channel><title>城报</title><link>https://paper.example/</link><description>新闻</description>{items}</channel></rss>"
    )
}

/// Atom 1.0 as it should be, its texts escaped.
pub(crate) fn atom() -> String {
    let mut entries = String::new();
    for n in 0..ITEMS {
        let text = html(n).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = write!(
            entries,
            "<entry><title>第{n}篇</title><link href=\"https://paper.example/a/{n}.html\"/><id>urn:paper:{n}</id>\
             <updated>2021-12-21T05:55:{:02}Z</updated><author><name>记者甲</name></author>\
             <content type=\"html\">{text}</content></entry>",
            n % 60
        );
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><feed xmlns=\"http://www.w3.org/2005/Atom\"><title>城报</title>\
         <id>urn:paper</id><updated>2021-12-21T05:55:07Z</updated><link href=\"https://paper.example/\"/>{entries}</feed>"
    )
}

/// The same RSS with the faults of every day: names without a table, a bare `&`, a tag left open.
pub(crate) fn broken() -> String {
    rss().replace("更多</title>", "更多&nbsp;& mehr</title><media:thing>").replace("</guid>", "</guid><b>")
}
