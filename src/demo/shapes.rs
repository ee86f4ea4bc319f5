//! The sample articles of the demo's upstream and their documents: texts, JSON lists, feeds. Pure;
//! `upstream` owns the server and the pages.

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::json;

/// The last paragraph of every sample, so that no copy of it is ever mistaken for news.
pub(super) const NOTICE: &str = "本文为 feedmill 演示用的示例文章，内容纯属虚构。";
/// The paragraph indent of Chinese newspapers: two ideographic spaces.
const INDENT: &str = "\u{3000}\u{3000}";

/// A list or feed that contains samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum List {
    Rolling,
    Nodes,
    Market37,
    Market38,
    Market39,
    Rss,
    Atom,
    Gbk,
    Json,
}

/// An article of `articles.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sample {
    pub(super) lists: Vec<List>,
    pub(super) media: String,
    /// The media name in the text's last line, if it contains widgets.
    #[serde(default)]
    attribution: Option<String>,
    pub(super) title: String,
    #[serde(default)]
    pub(super) digest: String,
    body: Vec<Block>,
}

/// A piece of an article's text. Strings are HTML in which `[[id|word]]` is a word that rolling copies wrap
/// in a link widget and all other copies show plainly.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Block {
    Paragraph(String),
    Picture { picture: u8, caption: String },
    Items { items: Vec<String> },
    Chart { chart: String },
    Hidden { hidden: String },
}

/// A copy of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edition {
    /// The newspaper's copy at the news site.
    Paper,
    /// The rolling copy: the same with widgets.
    Rolling,
    /// The newspaper's own feed or page, without the news site's additions.
    Own,
}

/// A sample that has been revealed.
#[derive(Debug)]
pub(super) struct Article<'a> {
    pub(super) sample: &'a Sample,
    /// 18 digits: the day in Shanghai and a counter.
    pub(super) code: String,
    pub(super) date: DateTime<Utc>,
}

/// A newspaper with a feed of its own.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) list: List,
    pub(super) path: &'static str,
    pub(super) title: &'static str,
}

impl Channel {
    /// The four newspapers with feeds.
    pub(super) const ALL: [Channel; 4] = [
        Channel::new(List::Rss, "/feeds/rss.xml", "山城早报示例"),
        Channel::new(List::Atom, "/feeds/atom.xml", "海湾晚报示例"),
        Channel::new(List::Gbk, "/feeds/gbk.xml", "古城日报示例"),
        Channel::new(List::Json, "/feeds/feed.json", "草原新报示例"),
    ];

    const fn new(list: List, path: &'static str, title: &'static str) -> Channel {
        Channel { list, path, title }
    }

    /// Returns the media type without an encoding, which the documents declare.
    pub(super) fn media_type(&self) -> &'static str {
        match self.list {
            List::Json => "application/feed+json",
            List::Atom => "application/atom+xml",
            _ => "application/rss+xml",
        }
    }

    /// Returns the feed's document.
    pub(super) fn document(&self, articles: &[Article<'_>], base: &str) -> Vec<u8> {
        match self.list {
            List::Json => self.json(articles, base).into(),
            List::Atom => self.atom(articles, base).into(),
            List::Gbk => {
                // Characters that GBK lacks (an emoji) become character references, so CDATA cannot be used.
                let rss = self.rss(articles, base, "GBK", xml);
                encoding_rs::GBK.encode(&rss).0.into_owned()
            }
            _ => self.rss(articles, base, "UTF-8", cdata).into(),
        }
    }

    fn rss(&self, articles: &[Article<'_>], base: &str, encoding: &str, quote: fn(&str) -> String) -> String {
        let Channel { title, path, .. } = self;
        let head = format!(
            "<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n<rss version=\"2.0\" \
             xmlns:atom=\"http://www.w3.org/2005/Atom\" \
             xmlns:content=\"http://purl.org/rss/1.0/modules/content/\">\n<channel>\n\
             <title>{title}</title>\n<link>{base}/</link>\n<description>{NOTICE}</description>\n\
             <language>zh-CN</language>\n\
             <atom:link href=\"{base}{path}\" rel=\"self\" type=\"application/rss+xml\"/>\n"
        );
        let items = articles.iter().map(|article| {
            let Article { sample, code, .. } = article;
            let title = xml(&sample.title);
            let date = article.shanghai("%a, %d %b %Y %H:%M:%S %z");
            let digest = quote(&xml(&sample.digest));
            let html = quote(&sample.html(base, Edition::Own));
            format!(
                "<item>\n<title>{title}</title>\n<link>{base}/articles/{code}.html</link>\n\
                 <guid isPermaLink=\"false\">{code}</guid>\n<pubDate>{date}</pubDate>\n\
                 <description>{digest}</description>\n\
                 <content:encoded>{html}</content:encoded>\n</item>\n"
            )
        });
        head + &items.collect::<String>() + "</channel>\n</rss>\n"
    }

    fn atom(&self, articles: &[Article<'_>], base: &str) -> String {
        let Channel { title, path, .. } = self;
        let newest = articles.first().map_or(DateTime::UNIX_EPOCH, |a| a.date);
        let updated = newest.to_rfc3339_opts(SecondsFormat::Secs, true);
        let head = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"zh-CN\">\n\
             <id>tag:demo.example,2026:atom</id>\n<title>{title}</title>\n\
             <updated>{updated}</updated>\n<author><name>{title}</name></author>\n\
             <link rel=\"self\" href=\"{base}{path}\"/>\n<link href=\"{base}/\"/>\n"
        );
        let entries = articles.iter().map(|article| {
            let Article { sample, code, date } = article;
            let title = xml(&sample.title);
            let date = date.to_rfc3339_opts(SecondsFormat::Secs, true);
            let digest = xml(&sample.digest);
            let html = xml(&sample.html(base, Edition::Own));
            format!(
                "<entry>\n<id>tag:demo.example,2026:{code}</id>\n<title>{title}</title>\n\
                 <link href=\"{base}/articles/{code}.html\"/>\n<published>{date}</published>\n\
                 <updated>{date}</updated>\n<summary>{digest}</summary>\n\
                 <content type=\"html\">{html}</content>\n</entry>\n"
            )
        });
        head + &entries.collect::<String>() + "</feed>\n"
    }

    fn json(&self, articles: &[Article<'_>], base: &str) -> String {
        let items = articles.iter().map(|article| {
            let Article { sample, code, .. } = article;
            json!({
                "id": code, "url": format!("{base}/articles/{code}.html"), "title": sample.title,
                "summary": sample.digest, "content_html": sample.html(base, Edition::Own),
                "date_published": article.shanghai("%Y-%m-%dT%H:%M:%S%:z"),
                "authors": [{ "name": sample.media }],
            })
        });
        json!({
            "version": "https://jsonfeed.org/version/1.1", "title": self.title,
            "home_page_url": format!("{base}/"), "feed_url": format!("{base}{}", self.path),
            "language": "zh-CN", "items": items.collect::<Vec<_>>(),
        })
        .to_string()
    }
}

impl Article<'_> {
    /// Formats the date in Shanghai's time zone.
    pub(super) fn shanghai(&self, format: &str) -> String {
        shanghai(self.date).format(format).to_string()
    }
}

impl Sample {
    /// Returns whether a newspapers' list (not only the rolling one or a feed) contains it.
    pub(super) fn in_newspapers(&self) -> bool {
        use List::{Market37, Market38, Market39, Nodes};
        self.lists.iter().any(|list| matches!(list, Nodes | Market37 | Market38 | Market39))
    }

    /// Returns the text as HTML.
    pub(super) fn html(&self, base: &str, edition: Edition) -> String {
        let newspapers = self.in_newspapers();
        let indent = if newspapers { INDENT } else { "" };
        let blocks = self.body.iter().map(|b| b.html(base, edition, indent));
        let notice = format!("<p>{indent}{NOTICE}</p>");
        let blocks: Vec<String> = blocks.chain([notice]).collect();
        let html = blocks.join(if newspapers { "\n " } else { "" });
        if edition == Edition::Own {
            return html;
        }
        let media = self.attribution.as_deref().unwrap_or(&self.media);
        let media = marked(media, base, edition);
        format!("{html}<p class=\"em_media\">（文章来源：{media}）</p>")
    }
}

impl Block {
    fn html(&self, base: &str, edition: Edition, indent: &str) -> String {
        match self {
            Block::Paragraph(text) => format!("<p>{indent}{}</p>", marked(text, base, edition)),
            Block::Picture { picture, caption } => format!(
                "<center><img src=\"{base}/pictures/{picture}.svg\" alt=\"Image\" width=\"552\" \
                 style=\"border:#d1d1d1 1px solid;padding:3px;margin:5px 0;\" /></center>\
                 <p style=\"text-align:center;\">{caption}</p>"
            ),
            Block::Items { items } => {
                let items = items.iter().map(|item| format!("<li>{item}</li>"));
                format!("<ul>{}</ul>", items.collect::<String>())
            }
            Block::Chart { chart } => stock_chart(chart, base),
            Block::Hidden { hidden } => {
                format!("<p style=\"display:none;height:1px;overflow:hidden;\">{hidden}</p>")
            }
        }
    }
}

/// Returns the block with a share's price chart that the news site puts before some texts.
fn stock_chart(id: &str, base: &str) -> String {
    let (market, code) = id.split_once('.').unwrap_or(("1", id));
    format!(
        "<!-- EM_StockImg_Start --><p style=\"text-align:center;\"><a href=\"{base}/unify/r/{id}\" \
         data-code=\"{code}|{market}|1\" data-code2=\"{code}|{market}|2|\" class=\"EmImageRemark\" \
         target=\"_blank\"><img src=\"{base}/pictures/9.svg?from=webquoteklinepic&nid={id}\
         &imageType=k&at=1\" border=\"0\" alt=\"K图 {code}_0\" data-code=\"K {code}|{market}|1\" \
         style=\"border:#d1d1d1 1px solid;\" width=\"578\" height=\"276\" /></a></p>\
         <!-- EM_StockImg_End -->"
    )
}

/// Replaces each `[[id|word]]` by its widget or, in copies without widgets, by the word.
fn marked(text: &str, base: &str, edition: Edition) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, (mark, after))) =
        rest.split_once("[[").and_then(|(before, tail)| Some((before, tail.split_once("]]")?)))
    {
        let (id, word) = mark.split_once('|').unwrap_or(("", mark));
        out.push_str(before);
        match edition {
            Edition::Rolling => out.push_str(&widget(id, word, base)),
            Edition::Paper | Edition::Own => out.push_str(word),
        }
        rest = after;
    }
    out + rest
}

/// Returns one of the four kinds of widgets that rolling copies contain.
fn widget(id: &str, word: &str, base: &str) -> String {
    let (kind, target) = id.split_once(['_', '.']).unwrap_or(("stock", id));
    let data = target.replace('.', ",");
    match kind {
        "Info" => format!(
            "<span id=\"{id}\"><a href=\"{base}/other/{target}.html\" class=\"infokey\">{word}</a></span>"
        ),
        "key" => format!(
            "<span web=\"1\" href=\"{base}/unify/r/{target}\" class=\"em_stock_key_common\" \
             data-code=\"{data}\">{word}</span>"
        ),
        _ => {
            let quote = if kind == "bk" { "bkquote" } else { "quote" };
            format!(
                "<span id=\"{id}\"><a href=\"{base}/unify/r/{target}\" class=\"keytip\" \
                 data-code=\"{data}\">{word}</a></span><span id=\"{quote}_{target}\"></span>"
            )
        }
    }
}

/// Converts a time to Shanghai's time zone.
pub(super) fn shanghai(date: DateTime<Utc>) -> DateTime<FixedOffset> {
    FixedOffset::east_opt(8 * 3600).map_or_else(|| date.fixed_offset(), |zone| date.with_timezone(&zone))
}

/// Returns a JSON list of the news site, in the form of `list`.
pub(super) fn json_list(list: List, articles: &[Article<'_>], base: &str) -> String {
    let records = articles.iter().map(|article| {
        let Article { sample, code, .. } = article;
        let (title, digest, media) = (&sample.title, &sample.digest, &sample.media);
        let time = article.shanghai("%Y-%m-%d %H:%M:%S");
        match list {
            List::Rolling => json!({
                "id": code, "infoCode": code, "title": title,
                "digest": format!("【{title}】{digest}（{media}）"),
                "showtime": time, "url_w": format!("{base}/news/1350,{code}.html"),
            }),
            List::Nodes => json!({
                "infocode": format!("NW{code}"), "from": media, "showtime": time,
                "title": title, "simtitle": title, "simdigest": digest,
            }),
            _ => json!({
                "infoCode": format!("NW{code}"), "medianame": media, "title": title,
                "datetime": time,
            }),
        }
    });
    let name = match list {
        List::Rolling => "records",
        List::Nodes => "nodeList",
        _ => "record",
    };
    json!({ name: records.collect::<Vec<_>>() }).to_string()
}

/// Escapes text for XML and HTML.
pub(super) fn xml(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

fn cdata(html: &str) -> String {
    format!("<![CDATA[{}]]>", html.replace("]]>", "]]]]><![CDATA[>"))
}
