use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use regex::Regex;

use super::*;
use crate::model::Timestamp;

const HOSTILE: &str = "<script>alert(\"x\")</script> & 'q'\u{0} 😀 {{ t.home }}";
const ESCAPED: &str = "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;q&#39; 😀 {{ t.home }}";

fn frame(text: &str) -> Frame {
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

fn head(title: &str, path: &str) -> PageHead {
    let url = format!("https://feeds.example.org/{path}");
    PageHead { title: title.into(), canonical: Some(url.clone()), url, robots: Some("noindex".into()) }
}

fn feeds(text: &str) -> Vec<FeedLink> {
    let kinds = [("application/rss+xml", "rss.xml"), ("application/feed+json", "feed.json")];
    let link = |(media_type, file): (&str, &str)| FeedLink {
        media_type: media_type.into(),
        title: format!("Feed {text}"),
        href: format!("https://feeds.example.org/{file}"),
    };
    kinds.map(link).into()
}

fn item(text: &str) -> ItemView {
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

fn home_page(text: &str) -> HomePage {
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

fn index_page(text: &str) -> IndexPage {
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

fn category_page(text: &str) -> CategoryPage {
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

fn article_page(text: &str) -> ArticlePage {
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

fn subscribe_page(text: &str) -> SubscribePage {
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

fn bot_page(text: &str) -> BotPage {
    let bot = Bot {
        user_agent: format!("feedmill/0.1 {text}"),
        contact: Some(format!("mailto:desk@example.org?{text}")),
        interval_text: format!("30 min {text}"),
    };
    BotPage { page: head("Bot", "bot/"), feeds: feeds(text), bot }
}

fn message_page(status: u16, text: &str) -> MessagePage {
    MessagePage { page: head("Gone", "x"), feeds: feeds(text), status, path: Some(format!("/x{text}")) }
}

fn all_pages(theme: &Theme, text: &str) -> Result<Vec<(&'static str, String)>, ThemeError> {
    let frame = frame(text);
    Ok(vec![
        ("home", theme.home(&frame, &home_page(text))?),
        ("index", theme.index(&frame, &index_page(text))?),
        ("category", theme.category(&frame, &category_page(text))?),
        ("article", theme.article(&frame, &article_page(text))?),
        ("subscribe", theme.subscribe(&frame, &subscribe_page(text))?),
        ("bot", theme.bot(&frame, &bot_page(text))?),
        ("message", theme.message(&frame, &message_page(404, text))?),
    ])
}

#[test]
fn hostile_text_is_escaped_on_every_page() {
    for language in ["zh-CN", "en"] {
        let theme = Theme::built_in(language).unwrap();
        for (name, html) in all_pages(&theme, HOSTILE).unwrap() {
            assert!(html.contains(ESCAPED), "{name}: {html}");
            for bad in ["<script", "alert(\"", "'q'", "&#x2f;", "&amp;amp;", "\u{0}", "\n\n", ">none<"] {
                assert!(!html.contains(bad), "{name} holds {bad:?}: {html}");
            }
            assert!(html.starts_with("<!doctype html>\n") && html.ends_with("</html>\n"), "{name}");
        }
    }
}

#[test]
fn every_page_does_with_nothing_but_its_defaults() {
    let frame = Frame::default();
    for language in ["zh-CN", "en"] {
        let theme = Theme::built_in(language).unwrap();
        let home = theme.home(&frame, &HomePage::default()).unwrap();
        assert!(home.contains(theme.text("empty")));
        let index = theme.index(&frame, &IndexPage::default()).unwrap();
        assert!(index.contains(theme.text("index_empty")));
        let category = theme.category(&frame, &CategoryPage::default()).unwrap();
        assert!(category.contains(theme.text("empty_category")));
        let article = theme.article(&frame, &ArticlePage::default()).unwrap();
        assert!(article.contains(theme.text("untitled")));
        let subscribe = theme.subscribe(&frame, &SubscribePage::default()).unwrap();
        assert!(subscribe.contains(theme.text("index_empty")));
        theme.bot(&frame, &BotPage::default()).unwrap();
        theme.message(&frame, &MessagePage::default()).unwrap();
    }
}

#[test]
fn pages_are_the_same_bytes_every_time() {
    let [one, two] = [(), ()].map(|()| Theme::built_in("zh").unwrap());
    assert_eq!(all_pages(&one, "x").unwrap(), all_pages(&two, "x").unwrap());
    assert_eq!(one.fingerprint(), two.fingerprint());
    assert_eq!(one.fingerprint().len(), 16);
    assert_ne!(one.fingerprint(), Theme::built_in("en").unwrap().fingerprint());
}

#[test]
fn the_article_page_stays_as_it_is() {
    let theme = Theme::built_in("zh-CN").unwrap();
    let html = theme.article(&frame("& sons"), &article_page("& sons")).unwrap();
    insta::assert_snapshot!("article", html);
}

#[test]
fn the_category_page_stays_as_it_is() {
    let theme = Theme::built_in("en-GB").unwrap();
    let html = theme.category(&frame("& sons"), &category_page("& sons")).unwrap();
    insta::assert_snapshot!("category", html);
}

#[test]
fn only_the_first_page_of_a_category_is_its_own_address() {
    let theme = Theme::built_in("en").unwrap();
    let mut page = category_page("");
    assert!(theme.category(&frame(""), &page).unwrap().contains("<h1><a href="));
    page.page.url.clone_from(&page.category.url);
    assert!(theme.category(&frame(""), &page).unwrap().contains("<h1>Example Times </h1>"));
}

#[test]
fn messages_fall_back_to_the_general_one() {
    let theme = Theme::built_in("en").unwrap();
    let html = |status| theme.message(&frame(""), &message_page(status, "")).unwrap();
    assert!(html(410).contains("<h1>Article withdrawn</h1>"));
    assert!(html(418).contains("<p class=\"code\">418</p>\n<h1>Something went wrong</h1>"));
    assert_eq!(theme.message_heading(404), "Page not found");
    assert_eq!(theme.message_heading(599), "Something went wrong");
    for status in [400, 403, 404, 405, 410, 414, 429, 500, 503] {
        assert!(!theme.text(&format!("message_{status}_heading")).is_empty());
        assert!(!theme.text(&format!("message_{status}_text")).is_empty());
    }
}

#[test]
fn both_languages_have_the_texts_that_the_templates_name() {
    let read = |json| serde_json::from_str::<BTreeMap<String, String>>(json).unwrap();
    let chinese = read(include_str!("../theme/texts/zh-CN.json"));
    let english = read(include_str!("../theme/texts/en.json"));
    assert!(chinese.keys().eq(english.keys()));

    let slot = Regex::new(r"\{\w+\}").unwrap();
    let slots = |text: &str| slot.find_iter(text).map(|found| found.as_str().to_owned()).collect::<Vec<_>>();
    for (key, text) in &chinese {
        assert!(!text.is_empty() && !english[key].is_empty(), "{key}");
        assert_eq!(slots(text), slots(&english[key]), "{key}");
    }

    let key = Regex::new(r"\bt\.(\w+)").unwrap();
    let templates = crate::render::theme::TEMPLATES;
    let named: BTreeSet<&str> = templates
        .iter()
        .flat_map(|(_, text)| key.captures_iter(text))
        .map(|it| it.extract::<1>().1[0])
        .collect();
    let had: BTreeSet<&str> = chinese
        .keys()
        .map(String::as_str)
        .filter(|key| *key == "message_path" || !key.starts_with("message_"))
        // Those of feeds are named in the code.
        .filter(|key| !key.starts_with("correction") && *key != "picture")
        .collect();
    assert_eq!(named, had);
}

#[test]
fn faults_name_the_template_and_the_line() {
    let broken = Theme::from_parts(&[("home.html", "<p>\n{% if %}")], "en.json", "{}").unwrap_err();
    assert_eq!(broken.to_string(), "template home.html, line 2: the page cannot be made");
    assert!(broken.source().is_some());

    let asks_too_much = Theme::from_parts(&[("home.html", "<p>\n\n{{ weather }}")], "en.json", "{}").unwrap();
    let fault = asks_too_much.home(&frame(""), &HomePage::default()).unwrap_err();
    assert_eq!(fault.to_string(), "template home.html, line 3: the page cannot be made");

    let texts = Theme::from_parts(&[], "en.json", "{\"home\": 1}").unwrap_err();
    assert_eq!(texts.to_string(), "texts en.json: not a JSON object of strings");
}

#[test]
fn times_follow_zone_and_language() {
    let at = Timestamp::from_unix(1_640_066_107);
    let (shanghai, new_york) = (chrono_tz::Asia::Shanghai, chrono_tz::America::New_York);
    assert_eq!(shown_time(at, shanghai, "zh-CN"), "2021-12-21 13:55");
    assert_eq!(shown_time(at, new_york, "en"), "21 Dec 2021, 00:55");
    assert_eq!(machine_time(at, shanghai), "2021-12-21T13:55:07+08:00");
    assert_eq!(machine_time(at, new_york), "2021-12-21T00:55:07-05:00");
    assert_eq!(machine_time(at, chrono_tz::UTC), "2021-12-21T05:55:07+00:00");
    assert_eq!(machine_time(Timestamp::MAX, shanghai), "9999-12-31T23:59:59Z");
}
