use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use regex::Regex;

use super::samples::*;
use super::*;
use crate::model::Timestamp;

/// Texts of the status page that are chosen in code.
const NAMED_IN_CODE: [&str; 16] = [
    "colon",
    "status_feed",
    "status_items",
    "status_new",
    "status_unmodified_all",
    "status_lag",
    "status_store",
    "status_free",
    "status_days",
    "status_open",
    "status_hours",
    "status_delays",
    "status_fine",
    "status_off",
    "status_days_value",
    "status_long",
];
const HOSTILE: &str = "<script>alert(\"x\")</script> & 'q'\u{0} 😀 {{ t.home }}";
const ESCAPED: &str = "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;q&#39; 😀 {{ t.home }}";

#[test]
fn hostile_text_is_escaped_on_every_page() {
    for language in ["zh-CN", "en"] {
        let theme = Theme::built_in(language).unwrap();
        for (name, html) in theme.full_pages(HOSTILE).unwrap() {
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
    assert_eq!(one.full_pages("x").unwrap(), two.full_pages("x").unwrap());
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
        // The texts of feeds are named in the code.
        .filter(|key| !key.starts_with("correction") && *key != "picture")
        .filter(|key| !["trouble_", "way_", "reload_"].iter().any(|start| key.starts_with(start)))
        .filter(|key| !NAMED_IN_CODE.contains(key))
        .collect();
    assert_eq!(named, had);
}

#[test]
fn faults_name_the_template_and_the_line() {
    let with = |name: &str, text: &str| {
        let mut parts = ThemeParts::default();
        parts.files.insert(name.to_owned(), text.as_bytes().to_vec());
        Theme::with(&parts, "en")
    };
    let broken = with("home.html", "<p>\n{% if %}").unwrap_err();
    assert_eq!(broken.to_string(), "home.html, line 2: the page cannot be made");
    assert!(broken.source().is_some());

    let fault = with("home.html", "<p>\n\n{{ weather }}").unwrap_err();
    assert_eq!(fault.to_string(), "home.html, line 3: the page cannot be made");

    let seldom = "{% if notice %}\n{{ weather }}{% endif %}";
    assert_eq!(
        with("footer.html", seldom).unwrap_err().to_string(),
        "footer.html, line 2: the page cannot be made"
    );
    for (name, text, fault) in [
        ("texts.json", "{\"home\": 1}", "texts.json: not a JSON object of strings"),
        ("texts.json", "{\"hom\": \"x\"}", "texts.json: there is no text `hom`; did you mean `home`?"),
        ("stile.css", "", "stile.css: a theme has no such file; did you mean `style.css`?"),
        ("logo.bmp", "", "logo.bmp: a theme has no such file; did you mean `logo.webp`?"),
    ] {
        assert_eq!(with(name, text).unwrap_err().to_string(), fault);
    }
}

#[test]
fn a_theme_replaces_only_what_it_has() {
    let mut parts = ThemeParts::default();
    for (name, text) in [
        ("footer.html", "<p>{{ site.title }}: ICP 12345</p>"),
        ("texts.json", "{\"home\": \"Start\"}"),
        ("colors.css", ":root { --link: #00f; }"),
        ("logo.svg", "<svg/>"),
    ] {
        parts.files.insert(name.to_owned(), text.as_bytes().to_vec());
    }
    let theme = Theme::with(&parts, "en").unwrap();
    let html = theme.bot(&frame(""), &bot_page("")).unwrap();
    assert!(html.contains("<p>Feedmill : ICP 12345</p>") && html.contains(">Start</a>"), "{html}");
    assert!(html.contains(theme.text("bot_heading")), "other texts stay");
    let style = String::from_utf8(theme.style_css().to_vec()).unwrap();
    assert!(style.contains(".brand") && style.ends_with("--link: #00f; }"), "{style}");
    assert_eq!(theme.logo(), Some(("logo.svg", &b"<svg/>"[..])));
    let built_in = Theme::built_in("en").unwrap();
    assert_ne!(theme.fingerprint(), built_in.fingerprint());
    assert_eq!(built_in.logo(), None);
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
