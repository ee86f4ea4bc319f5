//! Promise: a newspaper without a feed is read from its pages or its sitemap, politely; a page that was
//! redesigned raises an alarm and empties nothing.

mod common;

use common::{Mill, Upstream, at};

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str =
    "县城的新书店昨天开门，货架上摆着本地作者写的书，孩子们坐在地板上读到天黑，店主说不急着关门。";

const MAIN: &str = "[site]\nurl = \"https://mill.example/\"\ncontact = \"https://mill.example/about\"\n";

fn source(base: &str, more: &str) -> String {
    format!("[[source]]\nid = \"paper\"\nurl = \"{base}/news/\"\ncategory = \"城报\"\n{more}\n")
}

const LIST_RULE: &str = "kind = \"html\"\nrequire = [\"title\", \"text\"]\n[source.list]\nitem = \"ul.news li\"\n\
    date = \"time@datetime\"\nnext = \"a.next@href\"\nmax_pages = 2\nmin_items = 2\nexpect = [\"link\", \"date\"]\n";

fn list(class: &str) -> String {
    let item = |n: u32| {
        format!("<li><a href='/a/{n}.html'>第{n}篇</a><time datetime='2026-05-01 0{n}:00'></time></li>")
    };
    format!("<ul class={class}>{}{}</ul><a class=next href='/news/2'>下一页</a>", item(1), item(2))
}

fn article(n: u32) -> String {
    let text = format!("<p>{TEXT}（{n}）</p>").repeat(6);
    format!(
        "<title>第{n}篇</title><nav><a href=/>首页</a></nav><h1>第{n}篇</h1><div id=text>{text}</div><aside>广告</aside>"
    )
}

async fn paper() -> Upstream {
    let upstream = Upstream::start().await;
    upstream.put("/news/", 200, HTML, list("news"));
    upstream.put(
        "/news/2",
        200,
        HTML,
        "<ul class=news><li><a href='/a/3.html'>第3篇</a></li></ul>".to_owned(),
    );
    for n in 1..=3 {
        upstream.put(&format!("/a/{n}.html"), 200, HTML, article(n));
    }
    upstream
}

#[tokio::test]
async fn pages_are_read_with_their_articles() {
    let upstream = paper().await;
    let mill = Mill::open(at("2026-05-02T00:00:00Z"), MAIN, &source(upstream.base(), LIST_RULE)).await;
    let report = mill.poll("paper").await;
    assert_eq!((report.inserted, report.details, report.held, report.error), (3, 3, 0, None));
    let first = mill.items().into_iter().find(|item| item.title == "第1篇").unwrap();
    assert_eq!(first.published, at("2026-04-30T17:00:00Z"), "the zone of the site");
    let text = mill.store().body(&first.code).unwrap().html;
    assert!(text.contains(TEXT) && !text.contains("广告"), "{text}");
    let again = mill.poll("paper").await;
    assert_eq!((again.inserted, again.updated, again.details), (0, 0, 0));
}

#[tokio::test]
async fn a_redesign_is_an_alarm_and_empties_nothing() {
    let upstream = paper().await;
    let mill = Mill::open(at("2026-05-02T00:00:00Z"), MAIN, &source(upstream.base(), LIST_RULE)).await;
    mill.poll("paper").await;
    mill.publish().await;
    let before = mill.outputs();
    upstream.put("/news/", 200, HTML, list("liste"));
    mill.pass(3_600);
    let report = mill.poll("paper").await;
    assert_eq!(report.error_kind.as_deref(), Some("drift"));
    assert!(mill.state("paper").last_error.unwrap().contains("`ul.news li` found 0 items"));
    mill.publish().await;
    assert!(mill.outputs() == before);
}

#[tokio::test]
async fn robots_txt_is_honoured_and_can_be_overridden_with_a_reason() {
    let upstream = paper().await;
    upstream.put("/robots.txt", 200, "text/plain", "User-agent: feedmill\nDisallow: /a/2\n".to_owned());
    let mill = Mill::open(at("2026-05-02T00:00:00Z"), MAIN, &source(upstream.base(), LIST_RULE)).await;
    let report = mill.poll("paper").await;
    assert_eq!((report.inserted, report.held), (2, 1));
    assert!(mill.state("paper").held[0].contains("robots.txt"), "{:?}", mill.state("paper").held);
    assert!(upstream.take_asked().iter().all(|asked| asked.path != "/a/2.html"));
    let allowed = format!("ignore_robots = \"permission of the paper\"\n{LIST_RULE}");
    let mill = Mill::open(at("2026-05-02T00:00:00Z"), MAIN, &source(upstream.base(), &allowed)).await;
    assert_eq!(mill.poll("paper").await.inserted, 3);
}

#[tokio::test]
async fn a_sitemap_index_leads_to_articles() {
    let upstream = paper().await;
    let base = upstream.base().to_owned();
    let index = format!(
        "<sitemapindex><sitemap><loc>{base}/old.xml</loc><lastmod>2020-01-01</lastmod></sitemap>\
         <sitemap><loc>{base}/new.xml</loc><lastmod>2026-05-01</lastmod></sitemap></sitemapindex>"
    );
    let urls = format!(
        "<urlset xmlns:n=\"http://www.google.com/schemas/sitemap-news/0.9\"><url><loc>{base}/a/1.html</loc>\
         <n:news><n:publication_date>2026-05-01T08:00:00+08:00</n:publication_date><n:title>第一篇</n:title></n:news></url>\
         <url><loc>{base}/a/2.html</loc><lastmod>2026-05-01</lastmod></url><url><loc>{base}/about</loc></url></urlset>"
    );
    upstream.put("/news/", 200, "application/xml", index);
    upstream.put("/new.xml", 200, "application/xml", urls);
    let rule = "kind = \"sitemap\"\nsitemap = { only = '/a/', max_sitemaps = 1 }\n";
    let mill = Mill::open(at("2026-05-02T00:00:00Z"), MAIN, &source(&base, rule)).await;
    let report = mill.poll("paper").await;
    assert_eq!((report.inserted, report.held, report.error), (2, 0, None));
    let mut titles: Vec<String> = mill.items().into_iter().map(|item| item.title).collect();
    titles.sort();
    assert_eq!(titles, ["第2篇", "第一篇"], "the page gives the title that the sitemap lacks");
    assert!(upstream.take_asked().iter().all(|asked| asked.path != "/old.xml"));
}

#[tokio::test]
async fn a_feed_of_summaries_gets_its_texts() {
    let upstream = paper().await;
    let base = upstream.base().to_owned();
    let item = |n: u32| {
        format!(
            "<item><title>第{n}篇</title><link>{base}/a/{n}.html</link><guid>{n}</guid><description>摘要</description></item>"
        )
    };
    let feed = format!(
        "<rss version='2.0'><channel><title>t</title><link>{base}</link><description>d</description>{}{}</channel></rss>",
        item(1),
        item(9)
    );
    upstream.put("/news/", 200, "application/rss+xml", feed);
    let mill = Mill::open(
        at("2026-05-02T00:00:00Z"),
        MAIN,
        &source(&base, "full_text = true\narticle = { content = \"#text\" }"),
    )
    .await;
    let report = mill.poll("paper").await;
    assert_eq!((report.inserted, report.held), (2, 0), "a page that is gone does not hold its summary back");
    let texts: Vec<bool> = ["第1篇", "第9篇"]
        .map(|title| {
            mill.items()
                .iter()
                .any(|i| i.title == title && mill.store().body(&i.code).unwrap().html.contains(TEXT))
        })
        .into();
    assert_eq!(texts, [true, false]);
}

#[tokio::test]
async fn a_list_without_dates_keeps_its_order_and_never_moves() {
    let upstream = Upstream::start().await;
    let list = |names: &[&str]| {
        let item = |name: &&str| format!("<li><a href='/a/{name}'>{name}</a></li>");
        format!("<ul class=news>{}</ul>", names.iter().map(item).collect::<String>())
    };
    upstream.put("/news/", 200, HTML, list(&["c", "b", "a"]));
    let rule = "kind = \"html\"\nfull_text = false\n[source.list]\nitem = \"ul.news li\"\n";
    let start = at("2026-05-02T00:00:00Z");
    let mill = Mill::open(start, MAIN, &source(upstream.base(), rule)).await;
    mill.poll("paper").await;
    let dated = |mill: &Mill| {
        let mut items: Vec<_> = mill.items().into_iter().map(|item| (item.published, item.title)).collect();
        items.sort_by(|a, b| b.cmp(a));
        items
    };
    let first = dated(&mill);
    let want = [(start, "c"), (start.plus(-1), "b"), (start.plus(-2), "a")];
    assert_eq!(first, want.map(|(at, title)| (at, title.to_owned())));
    mill.pass(60);
    upstream.put("/news/", 200, HTML, list(&["e", "c", "b", "a", "d"]));
    mill.poll("paper").await;
    let titles: Vec<String> = dated(&mill).into_iter().map(|(_, title)| title).collect();
    assert_eq!(titles, ["e", "d", "c", "b", "a"], "only new ones are counted");
    assert_eq!(dated(&mill)[2..], first);
}

#[tokio::test]
async fn a_long_sitemap_gives_its_newest_and_tells_what_it_cut() {
    let upstream = paper().await;
    let base = upstream.base().to_owned();
    let place = |n: u32| format!("<url><loc>{base}/old/{n}</loc></url>");
    let old: String = (1..5_100).map(place).collect();
    let urls = format!("<urlset>{old}<url><loc>{base}/old/9999</loc></url></urlset>");
    upstream.put("/news/", 200, "application/xml", urls);
    let text = "title = \"h1\"\n";
    upstream.put("/old/9999", 200, HTML, article(9));
    let rule = format!("kind = \"sitemap\"\n[source.article]\n{text}");
    let mill = Mill::open(at("2026-05-02T00:00:00Z"), MAIN, &source(&base, &rule)).await;
    mill.poll("paper").await;
    assert_eq!(mill.state("paper").cut, ["of 5100 addresses the newest 5000 are read"]);
    let titles: Vec<String> = mill.items().into_iter().map(|item| item.title).collect();
    assert_eq!(titles, ["第9篇"], "the newest was asked for first");
}

#[tokio::test]
async fn an_index_without_dates_is_read_from_its_newest() {
    let upstream = paper().await;
    let base = upstream.base().to_owned();
    let part = |n: u32| format!("<sitemap><loc>{base}/part-{n}.xml</loc></sitemap>");
    let index: String = (1..=12).map(part).collect();
    upstream.put("/news/", 200, "application/xml", format!("<sitemapindex>{index}</sitemapindex>"));
    let urls = format!("<urlset><url><loc>{base}/a/1.html</loc></url></urlset>");
    upstream.put("/part-12.xml", 200, "application/xml", urls);
    let rule = "kind = \"sitemap\"\nsitemap = { max_sitemaps = 1 }\n";
    let mill = Mill::open(at("2026-05-02T00:00:00Z"), MAIN, &source(&base, rule)).await;
    let report = mill.poll("paper").await;
    assert_eq!((report.inserted, report.error), (1, None));
    assert_eq!(mill.state("paper").cut, ["of 12 sitemaps the newest 1 are read (`max_sitemaps`)"]);
}
