//! Promise: an old Jekyll site is imported without loss and without noise: every post is imported, held back
//! or refused with its reason, every old address still answers, nothing old appears as new, and polled items
//! stay unchanged.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

#[path = "support/site.rs"]
mod site;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use feedmill::import::ImportReport;
use feedmill::import::post::{old_paths, parse_post};
use feedmill::model::{Category, CategoryId, CodeSpace, Cursor, InfoCode, Item, Timestamp};
use serde_json::Value;
use site::{Site, URL};
use support::{Upstream, ask, get, rss};
use tempfile::TempDir;

/// 2026-11-24 00:00:00 UTC: years after the posts.
const NOW: i64 = 1_795_478_400;
const PAPER: &str = "202112212221043837";

/// Creates a site whose one source shares the code space of the old posts.
async fn site(upstream: &Upstream, more: &str) -> Site {
    Site::new(
        NOW,
        &format!(
            "code_space = \"eastmoney\"\n[output.window]\nitems = 10\nsite_items = 12\n{more}\
             [[category]]\nslug = \"emnews\"\nname = \"东财滚动新闻\"\n\
             [[source]]\nid = \"paper\"\nurl = \"{}/paper.xml\"\ncategory = \"西海都市报\"\ncode_space = \"eastmoney\"\n\
             [source.code]\nfrom = \"guid\"\npattern = '^(?:NW)?(\\d{{18}})$'\ncanonical = \"NW$1\"\n",
            upstream.base
        ),
    )
    .await
}

/// Writes posts in the formats that the old site used over time (`UPSTREAM.md`, 2), and unusual ones.
fn posts() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let front = |title: &str, date: &str, category: &str, tag: &str| {
        format!(
            "---\nlayout: post\ntitle: \"{title}\"\ndate: {date}\ncategories: {category}\ntags: {tag}\n---\n"
        )
    };
    let rolling = |title: &str, date: &str| front(title, date, "emnews", "东财滚动新闻");
    let back = |name: &str, slug: &str| {
        format!("\n[返回{name}](//old.example.org/category/{slug}.html)｜[返回首页](//old.example.org/)\n")
    };
    // (a) a blank line first, no zone, no footer; (b) the same without the blank line
    let a = format!(
        "\n{}\n\n早间消息。\n\n<http://finance.example/1,202112082206703990.html>\n",
        rolling("甲", "2021-12-08 10:18:31")
    );
    put("_posts/2021-12-08-202112082206703990.md", a.as_bytes());
    let b = format!(
        "{}\n午间消息。\n\n<http://finance.example/1,202112082206736198.html>\n",
        rolling("乙", "2021-12-08 11:18:31")
    );
    put("_posts/2021-12-08-202112082206736198.md", b.as_bytes());
    // (c) a footer of two lines
    let c = format!(
        "{}\n晚间消息。\n\n<http://finance.example/1,202112082207162298.html>\n\n[返回东财滚动新闻](../emnews/)\n[返回首页](../)\n",
        rolling("丙", "2021-12-08 13:16:00")
    );
    put("old_post/2021-12-08-202112082207162298.md", c.as_bytes());
    // (d) with a zone and a footer of one line; the UTC day is the one before
    let d = format!(
        "{}> 摘要。\n\n<p>全文。</p>\n\n<http://finance.example/1,202205262391921712.html>\n{}",
        rolling("丁", "2022-05-26 00:19:55 +0800"),
        back("东财滚动新闻", "emnews")
    );
    put("old_post/2022-05-26-202205262391921712.md", d.as_bytes());
    // The same record, once blank.
    let blank =
        d.replace("title: \"丁\"", "title: \"\"").replace("date: 2022-05-26 00:19:55 +0800", "date:  +0800");
    put("old_post/-202205262391921712.md", blank.as_bytes());
    // One article with both of its codes; the newspaper's copy has precedence.
    let paper = format!(
        "{}<p>党建引领</p>\n\n<http://paper.example/?infoCode=NW{PAPER}>\n{}",
        front("数字金融", "2021-12-21 13:55:07 +0800", "xihaidushibao", "西海都市报新闻"),
        back("西海都市报新闻", "xihaidushibao")
    );
    put(&format!("old_post/2021-12-21-NW{PAPER}.md"), paper.as_bytes());
    let twin = format!(
        "{}> 党建引领\n\n<p>党建引领</p>\n\n<http://finance.example/1,{PAPER}.html>\n{}",
        rolling("数字金融", "2021-12-21 13:55:07 +0800"),
        back("东财滚动新闻", "emnews")
    );
    put(&format!("old_post/2021-12-21-{PAPER}.md"), twin.as_bytes());
    // Slugs that differ now: by character, in capitals, with a space.
    let moved = [
        ("NW202201052239307541", "重庆日报", "zhongqingribao"),
        ("NW202201052239307542", "21CN科技", "21CNkeji"),
        ("NW202201052239307543", "21世纪经济报道 21财经APP", "21shijijingjibaodao 21caijingAPP"),
    ];
    for (code, name, slug) in moved {
        let text = format!(
            "{}<p>文</p>\n\n<http://paper.example/?infoCode={code}>\n{}",
            front(&format!("{name}一则"), "2022-01-05 12:00:00 +0800", slug, &format!("{name}新闻")),
            back(&format!("{name}新闻"), slug)
        );
        put(&format!("old_post/2022-01-05-{code}.md"), text.as_bytes());
    }
    // The site's own post, one with a straight quote in its title, one in another blog's format.
    put(
        "_posts/2021-12-01-init.md",
        front("开站", "2021-12-01 08:00:00 +0800", "sitenews", "站长消息").as_bytes(),
    );
    let quote = format!(
        "{}引号。\n\n<http://finance.example/1,202112082207158541.html>\n",
        rolling("他说\"好\"和\\n", "2021-12-08 13:00:00")
    );
    put("_posts/2021-12-08-202112082207158541.md", quote.as_bytes());
    put(
        "_posts/2021-12-02-about.md",
        b"---\ntitle: About\ncategory: notes\npermalink: /about/us/\n---\n# Hello\n",
    );
    // Drafts, and files that are not posts.
    put("_posts/2021-12-03-draft.md", b"---\ntitle: Draft\npublished: false\n---\nx\n");
    put("_posts/2021-12-04-plain.md", "没有前言。\n".as_bytes());
    put("_posts/2021-12-05-open.md", b"---\ntitle: Open\n");
    put("_posts/2021-12-06-date.md", b"---\ntitle: D\ndate: next week\n---\nx\n");
    put("_posts/2021-12-07-gbk.md", b"---\ntitle: \xCE\xF7\xBA\xA3\n---\nx\n");
    put("_posts/notes.txt", b"no post");
    put("category/emnews.md", b"---\nlayout: category\n---\n");
    folder
}

/// Every address that the old site served, and the new site's status for it.
const OLD: [(&str, u16); 13] = [
    ("/emnews/2021/12/08/202112082206703990.html", 301),
    ("/emnews/2021/12/08/202112082206736198.html", 301),
    ("/emnews/2021/12/08/202112082207162298.html", 301),
    ("/emnews/2022/05/25/202205262391921712.html", 301),
    ("/xihaidushibao/2021/12/21/NW202112212221043837.html", 200),
    ("/emnews/2021/12/21/202112212221043837.html", 301),
    ("/zhongqingribao/2022/01/05/NW202201052239307541.html", 301),
    ("/21cnkeji/2022/01/05/NW202201052239307542.html", 200),
    ("/21shijijingjibaodao/21caijingapp/2022/01/05/NW202201052239307543.html", 301),
    ("/sitenews/2021/12/01/init.html", 301),
    ("/emnews/2021/12/08/202112082207158541.html", 301),
    ("/about/us/", 301),
    ("/about/us/index.html", 301),
];

async fn import(site: &Site, folder: &Path, dry_run: bool) -> ImportReport {
    site.mill.import_jekyll(folder, dry_run, |_, _| {}).await.unwrap()
}

fn code(code: &str) -> InfoCode {
    InfoCode::new(CodeSpace::new("eastmoney").unwrap(), code)
}

async fn item(site: &Site, wanted: &str) -> Item {
    let wanted = code(wanted);
    site.mill.store.call(move |store| store.item(&wanted)).await.unwrap().unwrap()
}

/// Returns the categories, on which all outputs depend.
async fn categories(site: &Site) -> Vec<Category> {
    site.mill.store.call(|store| store.changed_since(&Cursor::default())).await.unwrap()
}

/// Returns the ids in a JSON feed, newest first.
fn shown(site: &Site, feed: &str) -> Vec<String> {
    let text = fs::read_to_string(site.folder.path().join("public").join(feed)).unwrap();
    let feed: Value = serde_json::from_str(&text).unwrap();
    let items = feed["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_post_is_accounted_for() {
    let site = site(&Upstream::start().await, "").await;
    let folder = posts();
    let before = categories(&site).await;
    let planned = import(&site, folder.path(), true).await;
    assert!(planned.dry_run);
    assert_eq!(categories(&site).await, before, "a dry run stores nothing");

    let done = import(&site, folder.path(), false).await;
    assert_eq!(planned, ImportReport { dry_run: true, ..done.clone() }, "the dry run told the truth");
    assert_eq!((done.posts, done.imported, done.copies, done.known), (18, 11, 1, 0), "{done:#?}");
    assert_eq!((done.paths, done.categories), (13, 7), "{done:#?}");
    let of = |list: &[(String, String)]| -> Vec<String> {
        list.iter().map(|(file, reason)| format!("{file}: {reason}")).collect()
    };
    assert_eq!(
        of(&done.held_back),
        ["2021-12-03-draft.md: a draft (`published: false`)", "-202205262391921712.md: no title, no date",]
    );
    let refused = of(&done.refused);
    for (line, start) in refused.iter().zip([
        "2021-12-04-plain.md: no front matter",
        "2021-12-05-open.md: the front matter opened in line 1 never ends",
        "2021-12-06-date.md: the date `next week` is unreadable",
        "2021-12-07-gbk.md: the file is not UTF-8",
    ]) {
        assert!(line.starts_with(start), "{line}");
    }
    assert_eq!(refused.len(), 4, "{refused:?}");
    assert_eq!(
        done.posts,
        done.imported + done.copies + done.known + done.held_back.len() + done.refused.len()
    );
    let all = categories(&site).await.into_iter().find(|category| category.id == CategoryId::SITE).unwrap();
    assert_eq!(all.arrivals, 11);

    let quoted = item(&site, "NW202112082207158541").await;
    assert_eq!(quoted.title, "他说\"好\"和\\n");
    let both = item(&site, &format!("NW{PAPER}")).await;
    assert_eq!(both.link.as_deref(), Some(&*format!("http://paper.example/?infoCode=NW{PAPER}")));
    assert_eq!(both.categories.len(), 2, "the union over both copies");
    assert!(both.permalink.starts_with("xihaidushibao/"), "{}", both.permalink);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_import_changes_nothing() {
    let site = site(&Upstream::start().await, "").await;
    let folder = posts();
    let first = import(&site, folder.path(), false).await;
    site.publish().await;
    let before = categories(&site).await;
    site.clock.set(Timestamp::from_unix(NOW + 86_400));
    let second = import(&site, folder.path(), false).await;
    assert_eq!((second.imported, second.known, second.copies), (0, first.imported, first.copies));
    assert_eq!((&second.held_back, &second.refused), (&first.held_back, &first.refused));
    assert_eq!(categories(&site).await, before, "no feed says that it changed");
    let published = site.mill.publish(feedmill::publish::PublishScope::Whole, |_, _| {}).await.unwrap();
    assert_eq!((published.written, published.removed), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_old_address_goes_on() {
    let site = site(&Upstream::start().await, "").await;
    import(&site, posts().path(), false).await;
    site.publish().await;
    let served = site.serve().await;
    for (path, status) in OLD {
        let answer = get(served.at, path).await;
        assert_eq!(answer.status, status, "{path}");
        if status == 301 {
            let target =
                answer.header("location").strip_prefix(URL.trim_end_matches('/')).unwrap().to_owned();
            assert_eq!(get(served.at, &target).await.status, 200, "{path} leads to {target}");
        }
    }
    for (old, new) in [
        ("zhongqingribao", "chongqingribao"),
        ("21CNkeji", "21cnkeji"),
        ("21shijijingjibaodao%2021caijingAPP", "21shijijingjibaodao21caijingapp"),
    ] {
        for (path, target) in [
            (format!("/category/{old}.html"), format!("{URL}category/{new}.html")),
            (format!("/feed/{old}.xml"), format!("{URL}feed/{new}.xml")),
        ] {
            let answer = ask(served.at, "HEAD", &path, &[]).await;
            assert_eq!((answer.status, answer.header("location")), (301, target.as_str()), "{path}");
        }
        assert_eq!(get(served.at, &format!("/category/{new}.html")).await.status, 200, "{new}");
    }
    for slug in ["emnews", "xihaidushibao", "sitenews", "notes"] {
        assert_eq!(get(served.at, &format!("/category/{slug}.html")).await.status, 200, "{slug} stays");
    }
    let article = get(served.at, OLD[4].0).await.text();
    assert!(article.contains("党建引领") && !article.contains("old.example.org"), "{article}");
    // Posts that were held back or never served are missing.
    assert_eq!(get(served.at, "/2021/12/03/draft.html").await.status, 404);
    served.end().await;
}

/// Writes `count` posts of one newspaper, a minute apart.
fn many(count: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..count {
        let text = format!(
            "---\ntitle: \"旧闻{number}\"\ndate: 2022-03-01 08:{number:02}:00 +0800\ncategories: xihaidushibao\n\
             tags: 西海都市报新闻\n---\n<p>旧文{number}</p>\n\n<http://paper.example/{number}>\n"
        );
        fs::write(folder.path().join(format!("2022-03-01-NW2022030110000000{number:02}.md")), text).unwrap();
    }
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_imported_surfaces_as_new() {
    let upstream = Upstream::start().await;
    let site = site(&upstream, "").await;
    let report = import(&site, many(40).path(), false).await;
    assert_eq!(report.imported, 40);
    site.publish().await;
    for number in 0..40 {
        let item = item(&site, &format!("NW2022030110000000{number:02}")).await;
        let old = Timestamp::from_unix(1_646_092_800 + number * 60);
        assert_eq!((item.published, item.updated), (old, old), "{}", item.title);
        assert_eq!(item.revisions, 0);
    }
    // At most half a window, with the newest of them.
    let newest: Vec<String> = (35..40).rev().map(|n| format!("NW2022030110000000{n:02}")).collect();
    assert_eq!(shown(&site, "feed/xihaidushibao.json"), newest);
    assert_eq!(shown(&site, "feed.json").len(), 6);
    // Items that are polled later come before all of them.
    upstream.put(
        "/paper.xml",
        rss(&[("202611232221043899", "新闻", "Mon, 23 Nov 2026 10:00:00 +0800", "<p>新</p>")]),
    );
    site.poll().await;
    assert_eq!(shown(&site, "feed/xihaidushibao.json")[0], "NW202611232221043899");
    assert_eq!(shown(&site, "feed.json").len(), 7);
    // The rest is in the archive.
    let served = site.serve().await;
    let pages = ["/category/xihaidushibao/1.html", "/category/xihaidushibao/2.html"];
    let mut both = String::new();
    for page in pages {
        both += &get(served.at, page).await.text();
    }
    assert!((0..40).all(|number| both.contains(&format!("旧闻{number}<"))), "{both}");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_never_goes_over_what_was_polled() {
    let upstream = Upstream::start().await;
    let site = site(&upstream, "").await;
    upstream.put(
        "/paper.xml",
        rss(&[(PAPER, "来自报纸的标题", "Tue, 21 Dec 2021 13:55:07 +0800", "<p>来自报纸</p>")]),
    );
    site.poll().await;
    let wanted = format!("NW{PAPER}");
    let before = item(&site, &wanted).await;
    let state = categories(&site).await;
    site.clock.set(Timestamp::from_unix(NOW + 3_600));
    let twins = tempfile::tempdir().unwrap();
    for name in [format!("2021-12-21-NW{PAPER}.md"), format!("2021-12-21-{PAPER}.md")] {
        fs::copy(posts().path().join("old_post").join(&name), twins.path().join(&name)).unwrap();
    }
    let report = import(&site, twins.path(), false).await;
    assert_eq!((report.known, report.imported, report.copies), (1, 0, 1), "{report:#?}");
    assert_eq!(item(&site, &wanted).await, before);
    let key = code(&wanted);
    let body = site.mill.store.call(move |store| store.body(&key)).await.unwrap();
    assert_eq!(body.html, "<p>来自报纸</p>");
    assert_eq!(categories(&site).await, state, "only addresses were added: no feed says that it changed");
    site.publish().await;
    let served = site.serve().await;
    assert_eq!(get(served.at, OLD[4].0).await.status, 200);
    assert_eq!(get(served.at, OLD[5].0).await.header("location"), format!("{URL}{}", &OLD[4].0[1..]));
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_after_an_import_is_no_change_of_the_article() {
    let upstream = Upstream::start().await;
    let site = site(&upstream, "").await;
    import(&site, posts().path(), false).await;
    site.publish().await;
    let wanted = format!("NW{PAPER}");
    let old = item(&site, &wanted).await;
    assert_eq!(old.published.rfc3339(), "2021-12-21T05:55:07Z");
    let paper =
        |title: &'static str| rss(&[(PAPER, title, "Tue, 21 Dec 2021 16:00:00 +0800", "<p>来自报纸</p>")]);
    upstream.put("/paper.xml", paper("来自报纸的标题"));
    site.clock.set(Timestamp::from_unix(NOW + 3_600));
    site.poll().await;
    let taken = item(&site, &wanted).await;
    assert_eq!(taken.title, "来自报纸的标题", "its source knows better than an old page");
    assert_eq!((taken.published, taken.updated), (old.published, old.published));
    assert_eq!((&taken.permalink, taken.home, taken.revisions), (&old.permalink, old.home, 0));
    assert_eq!(taken.categories, old.categories);
    // Only a change at the source itself counts as one.
    upstream.put("/paper.xml", paper("更正的标题"));
    site.clock.set(Timestamp::from_unix(NOW + 7_200));
    site.poll().await;
    let changed = item(&site, &wanted).await;
    assert_eq!((changed.title.as_str(), changed.revisions), ("更正的标题", 1));
    assert_eq!((changed.published, changed.updated.unix()), (old.published, NOW + 7_200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_without_posts_is_named() {
    let site = site(&Upstream::start().await, "").await;
    let empty = tempfile::tempdir().unwrap();
    for folder in [empty.path().to_owned(), empty.path().join("missing")] {
        let error = site.mill.import_jekyll(&folder, false, |_, _| {}).await.unwrap_err();
        assert!(error.to_string().contains(&folder.display().to_string()), "{error}");
    }
}

/// Returns the folder of the real posts, which are not in the repository; `None`, with a message, if they
/// are missing.
fn corpus() -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("FEEDMILL_CORPUS").map_or_else(default, PathBuf::from);
    let there = folder.join("posts").is_dir() && folder.join("seed").is_dir();
    if !there {
        tell("the corpus is not here; set FEEDMILL_CORPUS to its folder");
    }
    there.then_some(folder)
}

#[expect(clippy::print_stderr, reason = "counts, and why a test did not run, are for people")]
fn tell(text: &str) {
    eprintln!("{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_site_is_taken_over_whole() {
    let Some(corpus) = corpus() else { return };
    let old = tempfile::tempdir().unwrap();
    let mut names = BTreeSet::new();
    let mut paths = Vec::new();
    for part in ["posts", "seed"] {
        for entry in fs::read_dir(corpus.join(part)).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if Path::new(&name).extension().is_none_or(|ending| ending != "md") {
                continue;
            }
            fs::create_dir_all(old.path().join("_posts")).unwrap();
            fs::copy(entry.path(), old.path().join("_posts").join(&name)).unwrap();
            let post = parse_post(&name, &fs::read(entry.path()).unwrap());
            paths.extend(post.iter().flat_map(|post| old_paths(post, chrono_tz::UTC)));
            names.insert(name);
        }
    }
    let example =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples/eastmoney.toml"))
            .unwrap();
    let site = Site::new(
        NOW,
        &format!(
            "code_space = \"eastmoney\"\n[[category]]\nslug = \"emnews\"\nname = \"东财滚动新闻\"\n{example}"
        ),
    )
    .await;
    let report = import(&site, old.path(), false).await;
    tell(&format!(
        "{} posts: {} imported, {} further copies, {} held back {:?}, {} refused {:?}; {} old paths",
        report.posts,
        report.imported,
        report.copies,
        report.held_back.len(),
        report.held_back,
        report.refused.len(),
        report.refused,
        report.paths
    ));
    assert_eq!(report.posts, names.len());
    assert_eq!(report.posts, report.imported + report.copies + report.held_back.len() + report.refused.len());
    let reasons = report.held_back.iter().chain(&report.refused);
    assert!(reasons.clone().all(|(_, reason)| !reason.is_empty()));
    assert!(report.imported >= 45 && report.copies >= 1, "{report:#?}");
    site.publish().await;
    let served = site.serve().await;
    let (mut direct, mut moved) = (0, 0);
    for path in &paths {
        let answer = get(served.at, &path.replace(' ', "%20")).await;
        match answer.status {
            200 => direct += 1,
            301 => moved += 1,
            other => panic!("{path}: {other}"),
        }
    }
    tell(&format!("{} old paths: {direct} answer 200, {moved} answer 301", paths.len()));
    assert!(paths.len() >= names.len() - 1, "only the blank record was never served");
    served.end().await;
}
