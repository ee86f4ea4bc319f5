//! The demo's upstream: a loopback HTTP server that acts like a news site's API and like four newspapers
//! with feeds of their own. It owns the routes and the number of samples revealed so far; `shapes` makes the
//! documents.

use std::collections::HashMap;
use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::shapes::{self, Article, Channel, Edition, List, NOTICE, Sample};

const SAMPLES: &str = include_str!("articles.json");
const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
/// The first sample's counter, far beyond those of real codes.
const FIRST_COUNTER: u64 = 9_000_000_000;

/// A running upstream; it ends with the token given to [`Upstream::start`], not when dropped.
#[derive(Debug)]
pub struct Upstream {
    press: Arc<Press>,
}

/// The state that the server and its handle share.
#[derive(Debug)]
struct Press {
    base: String,
    /// All samples in the order in which they are revealed.
    samples: Vec<Sample>,
    /// The dates of the revealed samples.
    dates: RwLock<Vec<DateTime<Utc>>>,
}

/// A document and its media type.
type Document = (&'static str, Vec<u8>);

impl Upstream {
    /// Binds a free port of 127.0.0.1 and serves until `stop` is cancelled; nothing is revealed yet.
    ///
    /// # Errors
    ///
    /// Fails if no port can be bound, or if the built-in samples are faulty.
    pub async fn start(stop: CancellationToken) -> std::io::Result<Upstream> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let press = Arc::new(Press::new(format!("http://{}", listener.local_addr()?))?);
        let shared = Arc::clone(&press);
        let answer =
            get(move |uri: Uri, headers: HeaderMap| std::future::ready(shared.answer(&uri, &headers)));
        let server = axum::serve(listener, answer).with_graceful_shutdown(stop.cancelled_owned());
        drop(tokio::spawn(server.into_future()));
        Ok(Upstream { press })
    }

    /// Returns the server's address as `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> String {
        self.press.base.clone()
    }

    /// Reveals the next `count` samples and returns how many are still hidden. The last of them is dated
    /// `now`, each earlier one a minute before the one after it.
    #[expect(clippy::must_use_candidate, reason = "called for its effect on what the server shows")]
    pub fn reveal(&self, count: usize, now: DateTime<Utc>) -> usize {
        self.press.reveal(count, now)
    }

    /// Returns the number of samples.
    #[must_use]
    pub fn total(&self) -> usize {
        self.press.samples.len()
    }

    /// Returns the number of revealed samples.
    #[must_use]
    pub fn visible(&self) -> usize {
        self.press.dates.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Press {
    fn new(base: String) -> std::io::Result<Press> {
        let samples =
            serde_json::from_str(SAMPLES).map_err(|fault| Error::new(ErrorKind::InvalidData, fault))?;
        Ok(Press { base, samples, dates: RwLock::default() })
    }

    fn reveal(&self, count: usize, now: DateTime<Utc>) -> usize {
        let mut dates = self.dates.write().unwrap_or_else(PoisonError::into_inner);
        let hidden = self.samples.len().saturating_sub(dates.len());
        let count = count.min(hidden);
        let mut ago = TimeDelta::zero();
        let mut revealed = Vec::with_capacity(count);
        for _ in 0..count {
            revealed.push(now.checked_sub_signed(ago).unwrap_or(now));
            ago += TimeDelta::minutes(1);
        }
        dates.extend(revealed.into_iter().rev());
        hidden - count
    }

    /// Returns the revealed articles for which `wanted` is true, newest first.
    fn articles(&self, wanted: impl Fn(&Sample) -> bool) -> Vec<Article<'_>> {
        let dates = self.dates.read().unwrap_or_else(PoisonError::into_inner);
        let visible = self.samples.iter().zip(dates.iter()).zip(FIRST_COUNTER..);
        let mut articles: Vec<Article<'_>> = visible
            .filter(|((sample, _), _)| wanted(sample))
            .map(|((sample, date), counter)| {
                let day = shapes::shanghai(*date).format("%Y%m%d");
                Article { sample, code: format!("{day}{counter:010}"), date: *date }
            })
            .collect();
        articles.reverse();
        articles.sort_by_key(|article| std::cmp::Reverse(article.date));
        articles
    }

    /// Answers a request, with 304 if the client already has the document.
    fn answer(&self, uri: &Uri, headers: &HeaderMap) -> Response {
        let Some((media_type, body)) = self.document(uri) else {
            let fault = r#"{"error":"not found"}"#;
            return (StatusCode::NOT_FOUND, [(CONTENT_TYPE, JSON)], fault).into_response();
        };
        let etag = format!("\"{:x}\"", Bytes::copy_from_slice(&Sha256::digest(&body)));
        let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut known = known.flat_map(|value| value.split(',')).map(str::trim);
        if known.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag) {
            return (StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response();
        }
        let headers = [(CONTENT_TYPE, media_type.to_owned()), (ETAG, etag)];
        (headers, body).into_response()
    }

    /// Returns the document at an address, if there is one.
    fn document(&self, uri: &Uri) -> Option<Document> {
        let Query(query) = Query::<HashMap<String, String>>::try_from_uri(uri).ok()?;
        let asked = |name: &str| query.get(name).map(String::as_str);
        let limit = asked("count").and_then(|count| count.parse().ok());
        let limit = limit.unwrap_or(100);
        match uri.path() {
            "/" => Some((HTML, home(&self.base).into())),
            "/web/webapi" => match asked("type")? {
                "102" => Some(self.list(List::Rolling, limit)),
                "45" => Some(self.list(List::Nodes, limit)),
                _ => None,
            },
            "/information/newmarket/web/webapi" => match asked("marketType")? {
                "37" => Some(self.list(List::Market37, limit)),
                "38" => Some(self.list(List::Market38, limit)),
                "39" => Some(self.list(List::Market39, limit)),
                _ => None,
            },
            "/NewsData/GetNewsText.do" => self.text(asked("id")?),
            "/html_News/NewsShare.html" => self.page(asked("infoCode")?),
            path => self.file(path),
        }
    }

    /// Returns a document with a file's name: a feed, a picture or an article's page.
    fn file(&self, path: &str) -> Option<Document> {
        if let Some(channel) = Channel::ALL.iter().find(|channel| channel.path == path) {
            let articles = self.articles(|sample| sample.lists.contains(&channel.list));
            let document = channel.document(&articles, &self.base);
            return Some((channel.media_type(), document));
        }
        if let Some(name) = path.strip_prefix("/pictures/") {
            let number = name.strip_suffix(".svg")?.parse().ok()?;
            return Some(("image/svg+xml", picture(number).into()));
        }
        let name = path.strip_prefix("/articles/").or_else(|| path.strip_prefix("/news/1350,"))?;
        self.page(name.strip_suffix(".html")?)
    }

    fn list(&self, list: List, limit: usize) -> Document {
        let mut articles = self.articles(|sample| sample.lists.contains(&list));
        articles.truncate(limit);
        (JSON, shapes::json_list(list, &articles, &self.base).into())
    }

    fn find(&self, code: &str) -> Option<Article<'_>> {
        self.articles(|_| true).into_iter().find(|article| article.code == code)
    }

    /// Returns an article's text: a newspaper's under its `NW` code, rolling news under the bare digits.
    fn text(&self, id: &str) -> Option<Document> {
        let (code, name, edition) = match id.strip_prefix("NW") {
            Some(code) => (code, "text", Edition::Paper),
            None => (id, "content", Edition::Rolling),
        };
        let sample = self.find(code)?.sample;
        let listed = match edition {
            Edition::Rolling => sample.lists.contains(&List::Rolling),
            _ => sample.in_newspapers(),
        };
        let html = listed.then(|| sample.html(&self.base, edition))?;
        Some((JSON, serde_json::json!({ name: html }).to_string().into()))
    }

    fn page(&self, info_code: &str) -> Option<Document> {
        let article = self.find(info_code.strip_prefix("NW").unwrap_or(info_code))?;
        Some((HTML, page(&article, &self.base).into()))
    }
}

/// Returns the home page, from which the feeds can be discovered.
fn home(base: &str) -> String {
    let feeds = Channel::ALL.map(|channel| {
        let (media_type, title, path) = (channel.media_type(), channel.title, channel.path);
        format!(r#"<link rel="alternate" type="{media_type}" title="{title}" href="{base}{path}">"#)
    });
    let head = format!("<title>示例报业</title>\n{}", feeds.join("\n"));
    html(&head, &format!("<p>{NOTICE}</p>"))
}

/// Returns the page behind an article's link.
fn page(article: &Article<'_>, base: &str) -> String {
    let (title, media) = (shapes::xml(&article.sample.title), &article.sample.media);
    let time = article.shanghai("%Y-%m-%d %H:%M:%S");
    let text = article.sample.html(base, Edition::Own);
    let body = format!("<h1>{title}</h1>\n<p>{media} {time}</p>\n{text}");
    html(&format!("<title>{title}</title>"), &body)
}

fn html(head: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\">{head}</head>\n\
         <body>\n{body}\n</body></html>\n"
    )
}

/// Returns a picture: a coloured field with its number.
fn picture(number: u8) -> String {
    let hue = u16::from(number) * 41 % 360;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"552\" height=\"310\" \
         viewBox=\"0 0 552 310\"><rect width=\"552\" height=\"310\" fill=\"hsl({hue},45%,70%)\"/>\
         <text x=\"276\" y=\"175\" font-size=\"60\" text-anchor=\"middle\" fill=\"#fff\">\
         {number}</text></svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    const FEEDS: [List; 4] = [List::Rss, List::Atom, List::Gbk, List::Json];

    /// Returns a press with all samples revealed, and the URIs of its lists and feeds.
    fn full() -> (Press, Vec<String>) {
        let press = Press::new("http://127.0.0.1:1".to_owned()).unwrap();
        assert_eq!(press.reveal(usize::MAX, noon()), 0);
        let mut uris: Vec<String> = Channel::ALL.map(|c| c.path.to_owned()).into();
        let list = |query| format!("/web/webapi?type={query}&count=100&newsid=1");
        let market = |m| format!("/information/newmarket/web/webapi?marketType={m}&count=100");
        uris.extend(["102", "45"].map(list));
        uris.extend(["37", "38", "39"].map(market));
        (press, uris)
    }

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_240_000, 0).unwrap()
    }

    fn body(press: &Press, uri: &str) -> Vec<u8> {
        let uri = uri.parse().unwrap();
        press.document(&uri).unwrap().1
    }

    fn json(press: &Press, uri: &str) -> Value {
        serde_json::from_slice(&body(press, uri)).unwrap()
    }

    fn string(press: &Press, uri: &str) -> String {
        String::from_utf8(body(press, uri)).unwrap()
    }

    /// Removes the `span` and `a` tags from HTML.
    fn unwrapped(html: &str) -> String {
        let mut pieces = html.split('<');
        let mut out = pieces.next().unwrap().to_owned();
        for piece in pieces {
            match piece.split_once('>') {
                Some((tag, text)) if tag.starts_with("span ") || tag.starts_with("a ") => {
                    out.push_str(text);
                }
                Some(("/span" | "/a", text)) => out.push_str(text),
                _ => out.extend(["<", piece]),
            }
        }
        out
    }

    #[test]
    fn samples_are_many_and_varied() {
        let (press, _) = full();
        let samples = &press.samples;
        let count = |list| samples.iter().filter(|s| s.lists.contains(&list)).count();
        assert!(samples.len() >= 48);
        assert!(count(List::Rolling) >= 10);
        assert!(FEEDS.iter().all(|list| count(*list) >= 4));
        let papers: Vec<_> = samples.iter().filter(|s| s.in_newspapers()).collect();
        let media: HashSet<_> = papers.iter().map(|s| s.media.as_str()).collect();
        assert!(papers.len() >= 24 && media.len() >= 10);
        for name in "西海都市报 重庆日报 厦门日报 长沙晚报 每日经济新闻 泉州晚报".split(' ')
        {
            assert!(media.contains(name), "{name}");
        }
        let titles: HashSet<_> = samples.iter().map(|s| &s.title).collect();
        assert_eq!(titles.len(), samples.len());
        assert!(samples.iter().all(|s| s.title.ends_with("（示例）")));
        for (sample, feed) in samples.iter().flat_map(|s| s.lists.iter().map(move |l| (s, l))) {
            let channel = Channel::ALL.iter().find(|channel| channel.list == *feed);
            assert!(channel.is_none_or(|channel| channel.title == sample.media));
            assert!(channel.is_none() && *feed != List::Rolling || !sample.digest.is_empty());
        }
    }

    #[test]
    fn the_first_twelve_cover_every_list() {
        let (press, _) = full();
        let first = &press.samples[..12];
        let lists = [List::Rolling, List::Nodes, List::Market37, List::Market38, List::Market39];
        for list in lists.iter().chain(&FEEDS) {
            assert!(first.iter().any(|s| s.lists.contains(list)), "{list:?}");
        }
        assert!(first.iter().any(|s| s.media == "西海都市报"));
        assert!(first.iter().any(|s| s.in_newspapers() && s.lists.contains(&List::Rolling)));
    }

    #[test]
    fn revealing_dates_backwards_and_codes_are_unique() {
        let press = Press::new(String::new()).unwrap();
        assert!(press.articles(|_| true).is_empty());
        assert_eq!(press.reveal(3, noon()), press.samples.len() - 3);
        let articles = press.articles(|_| true);
        let dates: Vec<_> = articles.iter().map(|a| a.shanghai("%F %T")).collect();
        assert_eq!(dates, ["2026-01-01 12:00:00", "2026-01-01 11:59:00", "2026-01-01 11:58:00"]);
        assert_eq!(articles[2].code, "202601019000000000");
        assert_eq!(press.reveal(0, noon()), press.samples.len() - 3);
        let late = noon() + TimeDelta::hours(12);
        press.reveal(usize::MAX, late);
        assert_eq!(press.reveal(1, late), 0);
        let articles = press.articles(|_| true);
        let codes: HashSet<_> = articles.iter().map(|article| &article.code).collect();
        assert_eq!(codes.len(), press.samples.len());
        assert!(codes.iter().all(|code| code.len() == 18));
    }

    #[test]
    fn lists_and_texts_have_the_shapes_of_the_news_site() {
        let (press, uris) = full();
        for (uri, list, code, keys) in [
            (4, "records", "infoCode", "id infoCode title digest showtime url_w"),
            (5, "nodeList", "infocode", "infocode from showtime title simtitle simdigest"),
            (6, "record", "infoCode", "infoCode medianame title datetime"),
        ] {
            let answer = json(&press, &uris[uri]);
            let records = answer[list].as_array().unwrap();
            assert!(records.len() >= 5);
            for record in records {
                assert!(keys.split(' ').all(|key| record[key].is_string()), "{record}");
                let code = record[code].as_str().unwrap();
                let text = json(&press, &format!("/NewsData/GetNewsText.do?id={code}"));
                let name = if list == "records" { "content" } else { "text" };
                let html = text[name].as_str().unwrap();
                assert!(html.contains(NOTICE) && html.contains("（文章来源："));
                assert!(!html.contains("[["), "{html}");
                assert!(uri == 4 || html.contains("<p>\u{3000}\u{3000}"), "{html}");
            }
        }
        let few = json(&press, "/web/webapi?type=102&count=2&newsid=1");
        assert_eq!(few["records"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_rolling_copy_is_the_newspapers_text_with_widgets() {
        let (press, _) = full();
        let twins = press.articles(|s| s.lists.contains(&List::Rolling) && s.in_newspapers());
        assert!(twins.len() >= 3);
        for Article { sample, code, .. } in twins {
            let rolling = json(&press, &format!("/NewsData/GetNewsText.do?id={code}"));
            let paper = json(&press, &format!("/NewsData/GetNewsText.do?id=NW{code}"));
            let rolling = rolling["content"].as_str().unwrap();
            let paper = paper["text"].as_str().unwrap();
            assert!(rolling.contains("class=\"keytip\"") && rolling.contains("<span id=\"quote_"));
            assert!(!paper.contains("<span"), "{}", sample.title);
            assert_eq!(unwrapped(rolling), unwrapped(paper));
        }
    }

    #[test]
    fn feeds_carry_what_is_awkward() {
        let (press, uris) = full();
        let rss = string(&press, &uris[0]);
        assert!(rss.contains("把 ]]]]><![CDATA[> 三个") && rss.contains("R&amp;B"));
        assert!(string(&press, &uris[1]).contains("<title>身高&lt;1.4米"));
        let bytes = body(&press, &uris[2]);
        let (gbk, faulty) = encoding_rs::GBK.decode_without_bom_handling(&bytes);
        assert!(!faulty && gbk.contains("encoding=\"GBK\"") && gbk.contains("灯会开幕 &#127881;"));
        let feed = json(&press, &uris[3]);
        assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
        assert!(feed["items"].to_string().contains("{{ x }}"));
        assert!(string(&press, "/").contains(&uris[3]));
        assert!(string(&press, "/pictures/1.svg").starts_with("<svg"));
        let code = &press.articles(|_| true)[0].code;
        assert!(string(&press, &format!("/articles/{code}.html")).contains(NOTICE));
    }

    #[test]
    fn a_known_document_is_not_sent_again() {
        let (press, uris) = full();
        for uri in uris.iter().map(|uri| uri.parse::<Uri>().unwrap()) {
            let fresh = press.answer(&uri, &HeaderMap::new());
            assert_eq!(fresh.status(), StatusCode::OK, "{uri}");
            let etag = fresh.headers()[ETAG].clone();
            assert!(etag.to_str().unwrap().starts_with('"'));
            let asked = HeaderMap::from_iter([(IF_NONE_MATCH, etag)]);
            assert_eq!(press.answer(&uri, &asked).status(), StatusCode::NOT_MODIFIED);
        }
        let asked = HeaderMap::from_iter([(IF_NONE_MATCH, "\"old\"".parse().unwrap())]);
        let uri = "/feeds/rss.xml".parse().unwrap();
        assert_eq!(press.answer(&uri, &asked).status(), StatusCode::OK);
        let uri = "/NewsData/GetNewsText.do?id=NW1".parse().unwrap();
        assert_eq!(press.answer(&uri, &asked).status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn it_serves_until_it_is_stopped() {
        let stop = CancellationToken::new();
        let upstream = Upstream::start(stop.clone()).await.unwrap();
        assert_eq!(upstream.visible(), 0);
        assert_eq!(upstream.reveal(12, noon()) + upstream.visible(), upstream.total());
        let base = upstream.base();
        let address = base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = "GET /web/webapi?type=45 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("西海都市报"));
        stop.cancel();
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}
