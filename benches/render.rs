//! What writing costs: a feed of a hundred articles in each format, a category's page, an article's page.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use feedmill::model::Timestamp;
use feedmill::render::html::{
    ArticlePage, ArticleView, CategoryPage, FeedLink, Frame, ItemView, NamedLink, PageHead, Site, Theme,
};
use feedmill::render::{History, OutputEntry, OutputFeed, OutputSource, atom, json_feed, rss};

/// Articles of a feed, and of a page.
const ENTRIES: u32 = 100;
const LISTED: u32 = 50;

fn text(seed: u32, sentences: u32) -> String {
    let sentence =
        |n: u32| format!("记者从市发展改革委获悉，第{}个项目“一期”已于{}日开工建设。", seed + n, n % 28 + 1);
    (0..sentences).map(sentence).collect()
}

/// About 5 KB, as articles of newspapers are.
fn html(seed: u32) -> String {
    let paragraph = |n: u32| format!("<p>　　{}</p>\n", text(seed * 7 + n, 6));
    let paragraphs: String = (0..9).map(paragraph).collect();
    format!("{paragraphs}<p><a href=\"https://paper.example/a?x=1&amp;y={seed}\">相关 &amp; 链接</a></p>")
}

fn entry(number: u32) -> OutputEntry {
    let published = Timestamp::from_unix(1_640_066_107 + i64::from(number) * 61);
    OutputEntry {
        id: format!("tag:finews.example.org,2021:NW2021122122210{number:05}"),
        title: text(number, 1),
        link: format!("https://paper.example/a/{number}.html?a=1&b=2"),
        summary: text(number, 3),
        html: Some(html(number)),
        published,
        updated: published.plus(i64::from(number % 5) * 3_600),
        authors: Vec::new(),
        categories: vec!["西海都市报".to_owned(), "财经".to_owned()],
        enclosures: Vec::new(),
        image: number.is_multiple_of(3).then(|| format!("https://paper.example/{number}.jpg")),
        source_name: Some("西海都市报".to_owned()),
        source: Some(OutputSource {
            title: "西海都市报".to_owned(),
            feed_url: Some("https://paper.example/rss?a=1&b=2".to_owned()),
            page_url: Some("https://paper.example/".to_owned()),
        }),
        rights: None,
        language: None,
        in_window: true,
    }
}

fn feed() -> OutputFeed {
    let url = |end: &str| format!("https://finews.example.org/feed/xihaidushibao.{end}");
    OutputFeed {
        id: "tag:finews.example.org,2021:feed:xihaidushibao".to_owned(),
        title: "西海都市报".to_owned(),
        description: "西海都市报 - 每一篇".to_owned(),
        language: "zh-CN".to_owned(),
        page_url: "https://finews.example.org/category/xihaidushibao.html".to_owned(),
        rss_url: url("rss"),
        atom_url: url("xml"),
        json_url: url("json"),
        css_url: "https://finews.example.org/assets/feed.css".to_owned(),
        rights: None,
        ttl_minutes: 30,
        updated: Timestamp::from_unix(1_640_070_000),
        history: History::default(),
        gone: Vec::new(),
        entries: (0..ENTRIES).map(entry).collect(),
    }
}

fn feeds(criterion: &mut Criterion) {
    let feed = feed();
    let mut group = criterion.benchmark_group("render a feed of 100");
    let size = |bytes: &[u8]| Throughput::Bytes(bytes.len() as u64);
    group.throughput(size(&atom::render(&feed)));
    group.bench_function("atom", |bench| bench.iter(|| atom::render(black_box(&feed))));
    group.throughput(size(&rss::render(&feed)));
    group.bench_function("rss", |bench| bench.iter(|| rss::render(black_box(&feed))));
    group.throughput(size(&json_feed::render(&feed).expect("memory takes every byte")));
    group.bench_function("json feed", |bench| bench.iter(|| json_feed::render(black_box(&feed))));
    group.finish();
}

fn listed(number: u32) -> ItemView {
    ItemView {
        url: format!("https://finews.example.org/xihaidushibao/2021/12/21/NW{number}.html"),
        title: text(number, 1),
        summary: text(number, 3),
        image: number.is_multiple_of(3).then(|| format!("https://paper.example/{number}.jpg")),
        category_url: "https://finews.example.org/category/xihaidushibao.html".to_owned(),
        category_name: "西海都市报".to_owned(),
        published_iso: "2021-12-21T13:55:07+08:00".to_owned(),
        published_text: "2021-12-21 13:55".to_owned(),
        ..ItemView::default()
    }
}

fn frame() -> Frame {
    let url = |path: &str| format!("https://finews.example.org/{path}");
    Frame {
        site: Site {
            title: "新闻".to_owned(),
            url: url(""),
            language: "zh-CN".to_owned(),
            index_url: url("category/"),
            opml_url: url("opml.xml"),
            subscribe_url: url("subscribe.html"),
            bot_url: url("bot.html"),
            ..Site::default()
        },
        css_url: url("assets/style.css"),
    }
}

fn head(title: &str) -> PageHead {
    PageHead {
        title: title.to_owned(),
        url: "https://finews.example.org/x".to_owned(),
        ..PageHead::default()
    }
}

fn feed_links() -> Vec<FeedLink> {
    let link = |end: &str| FeedLink {
        media_type: "application/atom+xml".to_owned(),
        title: format!("西海都市报 ({end})"),
        href: format!("https://finews.example.org/feed/xihaidushibao.{end}"),
    };
    ["xml", "rss", "json"].map(link).into()
}

fn pages(criterion: &mut Criterion) {
    let (theme, frame) = (Theme::built_in("zh-CN").expect("the built-in theme is whole"), frame());
    let list = CategoryPage {
        page: head("西海都市报"),
        feeds: feed_links(),
        category: NamedLink {
            url: "https://finews.example.org/c".to_owned(), name: "西海都市报".to_owned()
        },
        items: (0..LISTED).map(listed).collect(),
        ..CategoryPage::default()
    };
    let article = ArticlePage {
        page: head("标题"),
        feeds: feed_links(),
        item: ArticleView { title: text(1, 1), body: html(1), ..ArticleView::default() },
        ..ArticlePage::default()
    };
    let mut group = criterion.benchmark_group("render a page");
    group.bench_function("category of 50", |bench| bench.iter(|| theme.category(&frame, black_box(&list))));
    group.bench_function("article", |bench| bench.iter(|| theme.article(&frame, black_box(&article))));
    group.finish();
}

criterion_group!(benches, feeds, pages);
criterion_main!(benches);
