//! Samples in the formats of the first upstream and of newspapers' own feeds, written for the tests: none is
//! a real article.

use feedmill::model::{CategoryId, InfoCode, Item, SourceId, Timestamp};
use serde_json::{Value, json};

use super::{Mill, Upstream};

/// The first upstream's list of newspapers' articles.
pub(crate) const LIST_45: &str = "/web/webapi?type=45&count=100&newsid=1";
/// Its rolling news.
pub(crate) const LIST_102: &str = "/web/webapi?type=102&count=100&newsid=1";
/// Its market lists.
pub(crate) const MARKETS: [&str; 3] = [
    "/information/newmarket/web/webapi?marketType=37&count=100",
    "/information/newmarket/web/webapi?marketType=38&count=100",
    "/information/newmarket/web/webapi?marketType=39&count=100",
];

/// Returns the path of an article's text.
pub(crate) fn text_path(code: &str) -> String {
    format!("/NewsData/GetNewsText.do?id={code}")
}

/// Returns the main config for the example, followed by `more`.
pub(crate) fn eastmoney_main(more: &str) -> String {
    format!(
        "[site]\ntitle = \"样报汇\"\nurl = \"https://news.example.org/\"\n\
         id_authority = \"news.example.org,2021\"\ncode_space = \"eastmoney\"\n\
         [categories]\nauto = \"yes\"\n{more}"
    )
}

/// Returns `config/examples/eastmoney.toml` with its one address replaced by `upstream`.
pub(crate) fn eastmoney_sources(upstream: &Upstream) -> String {
    let example = include_str!("../../config/examples/eastmoney.toml");
    let line = "base = \"http://127.0.0.1:8080\"";
    assert_eq!(example.matches(line).count(), 1, "the example has one address to change");
    example.replace(line, &format!("base = \"{}\"", upstream.base()))
}

/// Returns the same sources in the opposite order.
pub(crate) fn reversed(sources: &str) -> String {
    let mut parts = sources.split("[[source]]");
    let head = parts.next().unwrap();
    let mut tables: Vec<&str> = parts.collect();
    tables.reverse();
    format!("{head}[[source]]{}", tables.join("\n[[source]]"))
}

/// Returns only the source with this id.
pub(crate) fn only(sources: &str, id: &str) -> String {
    let mut parts = sources.split("[[source]]");
    let head = parts.next().unwrap();
    let table = parts.find(|table| table.contains(&format!("id = \"{id}\""))).unwrap();
    format!("{head}[[source]]{table}")
}

/// Returns a newspaper's record of the list `type=45`.
pub(crate) fn paper(code: &str, from: &str, time: &str, title: &str) -> Value {
    json!({ "infocode": code, "from": from, "showtime": time, "title": title, "simtitle": title, "simdigest": "" })
}

/// Returns a record of the rolling list.
pub(crate) fn rolling(code: &str, time: &str, title: &str, digest: &str) -> Value {
    let link = format!("http://finance.example.org/news/1345,{code}.html");
    json!({ "id": code, "infoCode": code, "title": title, "digest": format!("【{title}】{digest}"), "showtime": time, "url_w": link })
}

/// Serves the lists; the market lists are empty.
pub(crate) fn put_lists(upstream: &Upstream, papers: &[Value], rolling: &[Value]) {
    upstream.json(LIST_45, &json!({ "nodeList": papers }));
    upstream.json(LIST_102, &json!({ "records": rolling }));
    for market in MARKETS {
        upstream.json(market, &json!({ "record": [] }));
    }
}

/// Returns a text as newspapers' copies have it: paragraphs with an indent, a chart block, a hidden
/// paragraph, and the attribution.
pub(crate) fn paper_text(name: &str, paragraphs: &[&str]) -> Value {
    json!({ "text": body(name, paragraphs, str::to_owned) })
}

/// Returns the same text as the rolling copy has it: stock names with links and empty spans.
pub(crate) fn rolling_text(name: &str, paragraphs: &[&str]) -> Value {
    let linked = |text: &str| {
        text.replace(
            "青禾农机",
            "<span id=\"stock_0.300999\"><a href=\"http://quote.example.org/unify/r/0.300999\" class=\"keytip\">青禾农机</a></span><span id=\"quote_0.300999\"></span>",
        )
        .replace(
            "证券",
            "<span id=\"bk_90.BK0473\"><a href=\"http://quote.example.org/bk/90.BK0473\" class=\"keytip\">证券</a></span><span id=\"bkquote_90.BK0473\"></span>",
        )
    };
    json!({ "content": body(name, paragraphs, linked) })
}

fn body(name: &str, paragraphs: &[&str], linked: impl Fn(&str) -> String) -> String {
    let mut html = String::new();
    for paragraph in paragraphs {
        html.extend(["<p>\u{3000}\u{3000}", &linked(paragraph), "</p>\n "]);
    }
    let chart = "<p style=\"display:none;height:1px;overflow:hidden;\"><br /></p>\
        <!-- EM_StockImg_Start --><p style=\"text-align:center;\">\
        <a href=\"http://quote.example.org/sz300999.html\" class=\"EmImageRemark\" target=\"_blank\">\
        <img src=\"http://webquoteklinepic.example.org/GetPic.aspx?id=300999&imageType=k\" alt=\"K图 300999_0\">\
        </a></p><!-- EM_StockImg_End -->";
    html + chart + &format!("<p class=\"em_media\">（文章来源：{}）</p>", linked(name))
}

/// An item of an RSS feed; empty fields are left out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RssItem<'a> {
    pub(crate) guid: &'a str,
    pub(crate) link: &'a str,
    pub(crate) title: &'a str,
    pub(crate) html: &'a str,
    pub(crate) date: &'a str,
}

/// Returns an RSS 2.0 document whose channel has the link `home`.
pub(crate) fn rss(home: &str, items: &[RssItem<'_>]) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\"><channel><title>样报</title><link>{home}</link><description>样</description>"
    );
    for item in items {
        xml.push_str("<item>");
        let guid = format!("<guid isPermaLink=\"false\">{}</guid>", item.guid);
        let fields = [
            (item.guid, guid),
            (item.link, format!("<link>{}</link>", item.link)),
            (item.title, format!("<title>{}</title>", item.title)),
            (item.html, format!("<description><![CDATA[{}]]></description>", item.html)),
            (item.date, format!("<pubDate>{}</pubDate>", item.date)),
        ];
        for (value, element) in fields {
            if !value.is_empty() {
                xml.push_str(&element);
            }
        }
        xml.push_str("</item>");
    }
    xml.push_str("</channel></rss>");
    xml
}

/// Opens a mill with one RSS source `yangbao` at `/feed.xml` in the category 样本日报.
pub(crate) async fn one_feed(now: feedmill::model::Timestamp, main: &str, upstream: &Upstream) -> Mill {
    let main = format!("[site]\nurl = \"https://news.example.org/\"\n{main}");
    Mill::open(now, &main, &feed_source("yangbao", "样本日报", upstream, "/feed.xml")).await
}

/// Returns a `[[source]]` of kind `feed`.
pub(crate) fn feed_source(id: &str, category: &str, upstream: &Upstream, path: &str) -> String {
    format!("[[source]]\nid = \"{id}\"\nurl = \"{}{path}\"\ncategory = \"{category}\"\n", upstream.base())
}

/// Returns an item in no category, for tests of stores.
pub(crate) fn item(code: InfoCode) -> Item {
    Item {
        permalink: format!("a/{}.html", code.file_name(None)),
        code,
        title: "一".to_owned(),
        link: None,
        excerpt: String::new(),
        media_name: None,
        image: None,
        published: Timestamp::EPOCH,
        updated: Timestamp::EPOCH,
        first_seen: Timestamp::EPOCH,
        home: CategoryId(1),
        categories: Vec::new(),
        lead: SourceId::new("s").unwrap(),
        rank: 0,
        revisions: 0,
        generation: 0,
        touched: 0,
        imported: false,
    }
}
