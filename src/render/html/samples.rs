//! Pages with all optional parts present. A theme is tried on them when it is loaded, so that a fault shows
//! then and not when somebody opens the page.

use super::{
    ArticlePage, ArticleView, Bar, Bot, BotPage, CategoryPage, Chart, FeaturedCategory, FeedLink, Figure,
    Frame, HomePage, IndexPage, ItemView, LetterGroup, ListedCategory, MessagePage, NamedLink, Neighbour,
    PageHead, Paging, ReloadLine, ShownFeed, Site, SourceLine, StatusPage, Subscribable, SubscribePage,
    TroubleView,
};

pub(in crate::render) fn frame(text: &str) -> Frame {
    let site = Site {
        title: format!("Feedmill {text}"),
        description: format!("Clean feeds {text}"),
        url: "https://feeds.example.org/".into(),
        language: "zh-CN".into(),
        indexing: true,
        index_url: "https://feeds.example.org/all/".into(),
        opml_url: "https://feeds.example.org/feeds.opml".into(),
        subscribe_url: "https://feeds.example.org/subscribe/".into(),
        logo: None,
        bot_url: "https://feeds.example.org/bot/".into(),
        footer: Some(format!("By example {text}")),
    };
    Frame { site, css_url: "/style-1234.css".into() }
}

pub(in crate::render) fn head(title: &str, path: &str) -> PageHead {
    let url = format!("https://feeds.example.org/{path}");
    PageHead { title: title.into(), canonical: Some(url.clone()), url, robots: Some("noindex".into()) }
}

pub(in crate::render) fn feeds(text: &str) -> Vec<FeedLink> {
    let kinds = [("application/rss+xml", "rss.xml"), ("application/feed+json", "feed.json")];
    let link = |(media_type, file): (&str, &str)| FeedLink {
        media_type: media_type.into(),
        title: format!("Feed {text}"),
        href: format!("https://feeds.example.org/{file}"),
    };
    kinds.map(link).into()
}

pub(in crate::render) fn item(text: &str) -> ItemView {
    ItemView {
        url: "/example-times/20211221-1.html".into(),
        title: format!("Rain {text}"),
        summary: format!("It rained {text}"),
        image: Some(format!("https://img.example.com/a.jpg?{text}")),
        category_url: "/example-times/".into(),
        category_name: format!("Example Times {text}"),
        media_name: Some(format!("Evening Example {text}")),
        published_iso: "2021-12-21T13:55:07+08:00".into(),
        published_text: "2021-12-21 13:55".into(),
        updated_iso: Some("2021-12-22T08:00:00+08:00".into()),
        updated_text: Some("2021-12-22 08:00".into()),
    }
}

pub(in crate::render) fn home_page(text: &str) -> HomePage {
    let paper = FeaturedCategory {
        url: "/example-times/".into(),
        name: format!("Example Times {text}"),
        items: vec![item(text)],
    };
    HomePage {
        page: head("", ""),
        feeds: feeds(text),
        items: vec![item(text), ItemView { title: String::new(), ..item(text) }],
        featured: vec![paper],
        notice: Some("no_sources"),
    }
}

pub(in crate::render) fn index_page(text: &str) -> IndexPage {
    let listed = ListedCategory {
        url: "/example-times/".into(),
        name: format!("Example Times {text}"),
        newest_iso: Some("2021-12-21T13:55:07+08:00".into()),
        newest_text: Some("2021-12-21 13:55".into()),
    };
    let silent = ListedCategory { newest_iso: None, newest_text: None, ..listed.clone() };
    let groups = vec![LetterGroup { letter: "E".into(), categories: vec![listed, silent] }];
    let page = head(&format!("All {text}"), "all/");
    IndexPage { page, feeds: feeds(text), groups, query: text.into(), found: Some(2) }
}

pub(in crate::render) fn category_page(text: &str) -> CategoryPage {
    CategoryPage {
        page: head(&format!("Example Times {text}"), "example-times/2.html"),
        feeds: feeds(text),
        feeds_shown: vec![ShownFeed { href: "/example-times/rss.xml".into(), label: "RSS".into() }],
        readers: vec![NamedLink {
            url: "feed:https://feeds.example.org/rss.xml".into(),
            name: String::new(),
        }],
        code_url: Some("/example-times.svg".into()),
        category: NamedLink {
            url: "https://feeds.example.org/example-times/".into(),
            name: format!("Example Times {text}"),
        },
        items: vec![item(text), ItemView { url: "/example-times/2.html".into(), ..ItemView::default() }],
        paging: Paging { newer: Some("/example-times/".into()), older: Some("/example-times/3.html".into()) },
    }
}

pub(in crate::render) fn article_page(text: &str) -> ArticlePage {
    let near = Neighbour { url: "/example-times/20211220-9.html".into(), title: format!("Sun {text}") };
    let shown = item(text);
    let article = ArticleView {
        title: shown.title,
        summary: shown.summary,
        body: "<p>First.</p>\n<p>Second &amp; last.</p>".into(),
        image: shown.image,
        category_url: shown.category_url.clone(),
        category_name: shown.category_name.clone(),
        media_name: shown.media_name,
        source_name: Some(format!("Agency {text}")),
        authors: vec![format!("A. Writer {text}"), "B. Writer".into()],
        published_iso: shown.published_iso,
        published_text: shown.published_text,
        updated_iso: shown.updated_iso,
        updated_text: shown.updated_text,
        original: Some("https://news.example.com/a?b=1&c=2".into()),
        categories: vec![NamedLink { url: shown.category_url, name: shown.category_name }],
        tags: vec![format!("weather {text}"), "city".into()],
        previous: Some(near.clone()),
        next: Some(Neighbour { title: String::new(), ..near }),
    };
    ArticlePage {
        page: head(&format!("Rain {text}"), "example-times/20211221-1.html"),
        feeds: feeds(text),
        item: article,
        linked_data: None,
    }
}

pub(in crate::render) fn subscribe_page(text: &str) -> SubscribePage {
    let shown = ShownFeed { href: "https://feeds.example.org/rss.xml".into(), label: "RSS".into() };
    let paper = Subscribable {
        name: format!("Example Times {text}"),
        slug: "example-times".into(),
        url: "/example-times/".into(),
        feeds: vec![shown.clone()],
        code_url: Some("/example-times.svg".into()),
    };
    SubscribePage {
        page: head(&format!("Subscribe {text}"), "subscribe/"),
        feeds: feeds(text),
        feeds_shown: vec![shown],
        readers: vec![NamedLink {
            url: "https://reader.example/?u=1".into(),
            name: format!("Reader {text}"),
        }],
        papers: vec![paper],
    }
}

pub(in crate::render) fn status_page(text: &str) -> StatusPage {
    let trouble = TroubleView {
        title: format!("Example Times cannot be read {text}"),
        text: format!("HTTP 500 {text}"),
        way_out: format!("Ask it again {text}"),
        since_iso: "2021-12-21T13:55:07+08:00".into(),
        since_text: "2021-12-21 13:55".into(),
    };
    let bar =
        Bar { x: 10, y: 2, width: 8, height: 110, label: "13".into(), value: 5, mark: Some("13".into()) };
    StatusPage {
        page: head(&format!("Status {text}"), "status"),
        feeds: feeds(text),
        troubles: vec![trouble],
        reload: Some(ReloadLine {
            text: format!("The new config is in use: rules {text}"),
            at_iso: "2021-12-21T13:55:07+08:00".into(),
            at_text: "2021-12-21 13:55".into(),
        }),
        figures: vec![Figure { key: "status_items", value: "1".into() }],
        charts: vec![Chart { key: "status_hours", spoken: format!("5 {text}"), bars: vec![bar] }],
        sources: vec![SourceLine { name: format!("Example {text}"), ..SourceLine::default() }],
    }
}

pub(in crate::render) fn bot_page(text: &str) -> BotPage {
    let bot = Bot {
        user_agent: format!("feedmill/0.1 {text}"),
        contact: Some(format!("mailto:desk@example.org?{text}")),
        interval_text: format!("30 min {text}"),
    };
    BotPage { page: head("Bot", "bot/"), feeds: feeds(text), bot }
}

pub(in crate::render) fn message_page(status: u16, text: &str) -> MessagePage {
    MessagePage { page: head("Gone", "x"), feeds: feeds(text), status, path: Some(format!("/x{text}")) }
}
