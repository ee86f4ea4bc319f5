use super::*;

const CODE: &str = "2021-12-08-NW202112080000000001.md";

fn parse(name: &str, text: &str) -> OldPost {
    parse_post(name, text.as_bytes()).expect(text)
}

/// Returns digest, HTML, link, name and slug of a first-site post with this body.
fn parts(front: &str, body: &str) -> [Option<String>; 5] {
    let post = parse(CODE, &format!("---\n{front}\n---\n{body}"));
    assert_eq!(post.markdown, None, "{body}");
    [post.digest, post.body_html, post.link, post.category_name, post.category_slug]
}

#[test]
fn file_names() {
    let day = NaiveDate::from_ymd_opt(2021, 12, 8);
    let table = [
        ("2021-12-08-init.md", day, "init"),
        ("_posts/a-b/2021-12-8-a-b.c.markdown", day, "a-b.c"),
        ("-202112080000000001.md", None, "202112080000000001"),
        ("about", None, "about"),
        ("2021-13-08-a.md", None, "2021-13-08-a"),
        ("2021-12-08-etc...md", day, "etc"),
    ];
    for (name, date, slug) in table {
        let post = parse(name, "---\n---\n");
        assert_eq!((post.file_date, post.slug.as_str()), (date, slug), "{name}");
    }
    for name in ["2021-12-08-.md", ".md", "-.md", ""] {
        assert_eq!(parse_post(name, b"---\n---\n").map_err(|error| error.kind()), Err("file_name"), "{name}");
    }
}

/// The front matter of a newspaper's post.
const PAPER: &str = "categories: jiabao\ntags: 甲报新闻";

/// Front matter, the text below it, and the expected result of `parts`.
const BODIES: &[(&str, &str, [Option<&str>; 5])] = &[
    (
        PAPER,
        "<p>一</p>\n <p>二</p>\n\n<http://x.example/1>\n\n[返回甲报新闻](//x.example/category/jiabao.html)｜[返回首页](//x.example/)\n",
        [None, Some("<p>一</p>\n <p>二</p>"), Some("http://x.example/1"), Some("甲报"), Some("jiabao")],
    ),
    (
        "categories: emnews\ntags: 东财滚动新闻",
        "> 摘要\n\n<p>一</p>\n\n<>\n\n[返回东财滚动新闻](//x.example/emnews/)｜[返回首页](//x.example/)",
        [Some("摘要"), Some("<p>一</p>"), None, Some("东财滚动新闻"), Some("emnews")],
    ),
    (
        "categories: emnews\ntags: 东财滚动新闻",
        "\n摘要，PE<20。\n\n<http://x.example/1>\n\n[返回东财滚动新闻](../emnews/)\n[返回首页](../)",
        [Some("摘要，PE<20。"), None, Some("http://x.example/1"), Some("东财滚动新闻"), Some("emnews")],
    ),
    (
        PAPER,
        "\n摘要\n\n<http://x.example/1>\n",
        [Some("摘要"), None, Some("http://x.example/1"), Some("甲报"), Some("jiabao")],
    ),
    // The footer preserves the spaces at which Jekyll split the tag.
    (
        "categories: jia  yi\ntags: 甲  乙新闻",
        "<p>一</p>\n\n[返回甲  乙新闻](//x.example/category/jia  yi.html)｜[返回首页](//x.example/)",
        [None, Some("<p>一</p>"), None, Some("甲  乙"), Some("jia  yi")],
    ),
    ("categories: jia yi\ntags: 甲 乙新闻", "", [None, None, None, Some("甲 乙"), Some("jia yi")]),
    ("tags: 每日新闻新闻", "> 摘要\n\n余文\n", [Some("摘要"), Some("余文"), None, Some("每日新闻"), None]),
    (
        "categories: sitenews\ntags: 站长消息",
        "一",
        [Some("一"), None, None, Some("站长消息"), Some("sitenews")],
    ),
];

#[test]
fn bodies_of_the_first_site() {
    for (front, body, expected) in BODIES {
        assert_eq!(parts(front, body).each_ref().map(Option::as_deref), *expected, "{body}");
        let windows = format!("\u{feff}\n---\n{front}\n---\n{body}").replace('\n', "\r\n");
        let post = parse(CODE, &windows);
        assert_eq!(post.body_html.as_deref(), expected[1], "{body}");
        assert_eq!(post.category_name.as_deref(), expected[3], "{body}");
    }
}

#[test]
fn other_blogs_are_kept_as_they_are() {
    let body = "    > code\n\nText with *stars*.\n\n<https://x.example/>";
    let post = parse("2021-12-08-my-FIRST-post.md", &format!("---\nlayout: post\n---\n\n{body} \n"));
    assert_eq!(post.title, "My First Post");
    assert_eq!(post.markdown.as_deref(), Some(body));
    assert_eq!((post.digest, post.body_html, post.link, post.category_name), (None, None, None, None));
    assert!(post.published);

    let post = parse(
        "2021-12-08-a.HTML",
        "---\ntitle: A\npublished: false\npermalink: /a/\nslug: b\n---\n<p>x</p>\n",
    );
    assert_eq!((post.title.as_str(), post.published), ("A", false));
    assert_eq!((post.body_html.as_deref(), post.markdown), (Some("<p>x</p>"), None));
    assert_eq!((post.permalink.as_deref(), post.front_slug.as_deref()), (Some("/a/"), Some("b")));
}

#[test]
fn titles_and_dates() {
    let post = parse(CODE, "---\ntitle: \"甲\"乙\"丙\\d\"\ndate:  +0800\ncategories: x\n---\n");
    assert_eq!((post.title.as_str(), post.date), ("甲\"乙\"丙\\d", OldDate::Missing));
    assert_eq!(post.categories, ["x"]);
    let post = parse(CODE, "---\ntitle: \"\"\ndate: 2021-12-08\n---\n");
    assert_eq!(post.title, "");
    assert!(matches!(post.date, OldDate::Day(_)));
    assert_eq!(parse(CODE, "---\nlayout: post\n---\n").title, "");
    let path = "---\ntitle: \"C:\\new\"\n---\n";
    assert_eq!(parse(CODE, path).title, "C:\\new");
    assert_eq!(parse("2021-12-08-a.md", path).title, "C:\new");
}

#[test]
fn errors_say_what_and_where() {
    let table: &[(&[u8], &str, &str)] = &[
        (b"---\ntitle: \xb5\xc8\n---\n", "not_utf8", "byte 11"),
        (b"\ntext", "no_front_matter", "line 2"),
        (b"", "no_front_matter", "line 1"),
        (b"---\ntitle: x\n", "open_front_matter", "line 1"),
        (b"\n---\ntitle: x\nnonsense\n---\n", "front_matter", "line 4, `nonsense`"),
        (b"---\ndate: soon\n---\n", "date", "`soon`"),
    ];
    for (bytes, kind, said) in table {
        let error = parse_post("2021-12-08-a.md", bytes).unwrap_err();
        assert_eq!(error.kind(), *kind);
        assert!(error.to_string().contains(said), "{error}");
    }
}

/// Reads the real posts if they are available; they are not part of the project.
#[test]
fn the_first_sites_posts_are_read() {
    let folder = std::env::var("FEEDMILL_CORPUS").unwrap_or_else(|_| "../shared/data".to_owned());
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if !folder.join("posts").is_dir() {
        eprintln!("no posts in {}, nothing tested; name their folder in FEEDMILL_CORPUS", folder.display());
        return;
    }
    let (mut count, mut odd) = (0, Vec::new());
    for part in ["posts", "seed"] {
        for entry in std::fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let post = parse_post(&name, &std::fs::read(&path).unwrap()).expect(&name);
            count += 1;
            check_real(&name, &post);
            check_real_body_and_path(&name, &post);
            if post.title.is_empty() || post.date == OldDate::Missing {
                assert!(
                    post.title.is_empty() && post.date == OldDate::Missing && post.link.is_none(),
                    "{name}"
                );
                odd.push(name);
            }
        }
    }
    assert!(count > 1);
    assert_eq!(odd, ["-202205262391921712.md"]);
}

fn check_real(name: &str, post: &OldPost) {
    assert!(is_info_code(&post.slug) && post.published && post.markdown.is_none(), "{name}");
    assert!(post.digest.is_some() || post.body_html.is_some(), "{name}");
    let rolling = !post.slug.starts_with("NW");
    assert_eq!(post.category_slug.as_deref() == Some(ROLLING_SLUG), rolling, "{name}");
    assert_eq!(post.category_slug.as_deref(), post.categories.first().map(String::as_str), "{name}");
    let category = post.category_name.as_deref().unwrap();
    let tag = if rolling { category.to_owned() } else { format!("{category}新闻") };
    assert_eq!(post.tags, [tag], "{name}");
    assert_eq!(post.digest.is_some(), rolling, "{name}");
    assert!(post.link.as_ref().is_none_or(|link| link.contains(&post.slug)), "{name}");
}

fn check_real_body_and_path(name: &str, post: &OldPost) {
    for text in [&post.digest, &post.body_html].into_iter().flatten() {
        assert!(!text.contains("返回") && !text.contains("<http") && !text.contains("<>"), "{name}");
    }
    let paths = old_paths(post, chrono_tz::Asia::Shanghai);
    match post.file_date {
        Some(day) => assert_eq!(
            paths,
            [format!("/{}/{}/{}.html", post.categories.join("/"), day.format("%Y/%m/%d"), post.slug)]
        ),
        None => assert!(paths.is_empty(), "{name}"),
    }
}
