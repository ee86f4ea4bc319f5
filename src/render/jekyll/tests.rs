use std::path::PathBuf;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

const SEED: &str = "seed/2021-12-21-NW202112212221043837.md";
const FOOTER: &str =
    "[返回{tag}](//finews.withounder.com/category/{slug}.html)｜[返回首页](//finews.withounder.com/)";

fn style() -> JekyllStyle {
    JekyllStyle {
        zone: Tz::Asia__Shanghai,
        tag_suffix: "新闻".to_owned(),
        footer: FOOTER.to_owned(),
        layout: "post".to_owned(),
    }
}

fn post<'a>() -> JekyllPost<'a> {
    JekyllPost {
        title: "甲",
        published: Timestamp::from_unix(1_640_066_107),
        slug: "xihaidushibao",
        name: "西海都市报",
        tag: None,
        digest: None,
        html: "<p>乙</p>",
        link: Some("http://x.example/1"),
    }
}

#[derive(Debug, Deserialize)]
struct Front {
    layout: String,
    title: String,
    date: String,
    categories: Labels,
    tags: Labels,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Labels {
    One(String),
    List(Vec<String>),
}

impl Labels {
    /// Returns the labels as Jekyll makes them: a string is split at white space.
    fn all(&self) -> Vec<&str> {
        match self {
            Self::One(text) => text.split_ascii_whitespace().collect(),
            Self::List(list) => list.iter().map(String::as_str).collect(),
        }
    }
}

fn parts(post: &str) -> (Front, &str) {
    let (front, body) = post.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
    (serde_saphyr::from_str(front).unwrap(), body)
}

#[test]
fn the_seed_byte_for_byte() {
    let corpus = std::env::var_os("FEEDMILL_CORPUS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let Ok(seed) = std::fs::read_to_string(corpus.join(SEED)) else {
        println!("skipped: no {SEED} in FEEDMILL_CORPUS");
        return;
    };
    let (front, body) = parts(&seed);
    let (html, rest) = body.split_once("\n\n<http").unwrap();
    let link = format!("http{}", rest.split_once('>').unwrap().0);
    let post = JekyllPost { title: &front.title, html, link: Some(&link), ..post() };
    assert_eq!(front.date, "2021-12-21 13:55:07 +0800");
    assert_eq!(render(&post, &style()), seed);
    let name = file_name(post.published, Tz::Asia__Shanghai, "NW202112212221043837");
    assert_eq!(format!("seed/{name}"), SEED);
}

#[test]
fn a_digest_stands_above() {
    let hostile = JekyllPost {
        title: "甲 \"乙\" \\ {{ x }}\n---\nevil: 1\u{85}\u{2028}\u{feff}丙",
        slug: "123",
        name: "a: b #c",
        tag: Some("[x](//y) {% z %}"),
        digest: Some(" {{ x }}\n\n- b "),
        html: "{{ x }}",
        link: Some("javascript:x"),
        ..post()
    };
    insta::assert_snapshot!(render(&hostile, &style()), @r#"
    ---
    layout: post
    title: "甲 \"乙\" \\ {{ x }} --- evil: 1 丙"
    date: 2021-12-21 13:55:07 +0800
    categories: "123"
    tags: [ "[x](//y) {% z %}" ]
    ---
    > &#123;&#123; x &#125;&#125; - b

    <p>&#123;{ x }}</p>

    [返回&#91;x&#93;(//y) &#123;% z %&#125;](//finews.withounder.com/category/123.html)｜[返回首页](//finews.withounder.com/)
    "#);
    let bare = JekyllPost { html: "", link: None, ..post() };
    assert!(render(&bare, &JekyllStyle { footer: String::new(), ..style() }).ends_with("\n---\n"));
}

#[test]
fn the_page_of_a_category() {
    assert_eq!(
        category_page("西海都市报", "xihaidushibao", None, &style()),
        "---\nlayout: category\ntitle: 西海都市报新闻\ncategory: xihaidushibao\n---\n"
    );
    assert_eq!(
        category_page("x", "1e3", Some("a: b"), &style()),
        "---\nlayout: category\ntitle: \"a: b\"\ncategory: \"1e3\"\n---\n"
    );
}

/// Generates texts that mean something to YAML, Liquid, kramdown or HTML.
fn nasty() -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        "[{}%:|>#&*!\\[\\]()\"'\\\\`~^$._ =+-]{1,3}",
        "[0-9a-z]{1,3}",
        Just("\n\n".to_owned()),
        Just("\r\n \t\r".to_owned()),
        Just("甲".to_owned()),
        Just("{% include x %}".to_owned()),
        Just("{:: options /}".to_owned()),
        "</?(p|b|div|pre|table|td|li|ul|a|br|hr|script|!--|center|code)>",
        Just("<a title=\"{{\n\n\">".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(bit, 0..24).prop_map(|bits| bits.concat())
}

/// Returns the top-level blocks of a body.
fn top_blocks(html: &str) -> Vec<String> {
    let (mut blocks, mut depth) = (Vec::new(), 0_usize);
    for token in markup::tokens(html).unwrap() {
        let (part, before) = match token {
            markup::Token::Text(text) => (text, depth),
            markup::Token::Open { whole, .. } | markup::Token::Close { whole, .. } => (whole, depth),
        };
        match token {
            markup::Token::Open { name, .. } if !markup::is_void(name) => depth += 1,
            markup::Token::Close { .. } => depth -= 1,
            _ => {}
        }
        if before > 0 {
            blocks.last_mut().map(|block: &mut String| block.push_str(part)).unwrap();
        } else if part.starts_with('<') {
            blocks.push(part.to_owned());
        } else {
            assert_eq!(part.trim(), "", "text at the top");
        }
    }
    assert_eq!(depth, 0);
    blocks
}

proptest! {
    #[test]
    fn nothing_is_left_to_execute(title in nasty(), tag in nasty(), digest in nasty(), html in nasty(), link in nasty()) {
        let link = format!("http://x.example/{link}");
        let post = JekyllPost { title: &title, name: &tag, digest: Some(&digest), html: &html, link: Some(&link), ..post() };
        let file = render(&post, &style());
        let (front, body) = parts(&file);
        for mark in ["{{", "{%", "{:"] {
            prop_assert!(!body.contains(mark), "{body}");
        }
        prop_assert_eq!(front.title, line(&title));
        prop_assert_eq!(front.tags.all(), vec![line(&format!("{tag}新闻"))]);
        prop_assert_eq!(front.categories.all(), vec!["xihaidushibao"]);
        prop_assert_eq!((front.layout.as_str(), front.date.as_str()), ("post", "2021-12-21 13:55:07 +0800"));
    }

    #[test]
    fn a_body_is_blocks(html in nasty()) {
        let body = blocks::inert(&html);
        for block in top_blocks(&body) {
            prop_assert!(block.split('\n').all(|line| !line.trim_ascii().is_empty()), "{block}");
        }
        prop_assert_eq!(blocks::inert(&body), body.clone());
        let (before, after) = (text::html_to_text(&html), text::html_to_text(&body));
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '\u{feff}').collect::<String>();
        prop_assert_eq!(letters(&crate::model::text::strip_illegal(&before)), letters(&after));
    }

    #[test]
    fn slugs_stay_strings(slug in "[a-z0-9_.+:#-]{1,8}|[0-9]{1,8}|[0-9]e[0-9]|true|null|on|2021-12-21") {
        let file = render(&JekyllPost { slug: &slug, ..post() }, &style());
        let (front, _) = parts(&file);
        prop_assert_eq!(front.categories.all(), vec![slug]);
    }
}
