//! Promise: what is published is served as the HTTP standards require: media types, validators, compression,
//! the names that feed readers probe, redirects from old names, and nothing outside the outputs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

#[path = "support/site.rs"]
mod site;
mod support;

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use feedmill::model::Timestamp;
use flate2::read::GzDecoder;
use site::{Served, Site, URL};
use support::{Answer, Upstream, ask, get, rss};

/// 2021-12-21 06:00:00 UTC
const NOW: i64 = 1_640_066_400;
const SLUG: &str = "xihaidushibao";
const ARTICLE: &str = "xihaidushibao/2021/12/21/a1.html";

/// Returns a site with one newspaper of two articles, polled, published and served.
async fn site() -> (Site, Served) {
    let (site, served, _) = site_and_upstream().await;
    (site, served)
}

async fn site_and_upstream() -> (Site, Served, Upstream) {
    site_with("").await
}

/// The same with more settings in `[site]`.
async fn site_with(settings: &str) -> (Site, Served, Upstream) {
    let upstream = Upstream::start().await;
    let picture = "<img src=\"https://paper.example/p.jpg\" alt=\"图表\">";
    let long = format!("<p>{}</p>{picture}", "数字金融赋能高质量发展。".repeat(60));
    upstream.put(
        "/xihai.xml",
        rss(&[
            ("a1", "数字金融", "Tue, 21 Dec 2021 13:55:07 +0800", &long),
            ("a2", "青海湖", "Tue, 21 Dec 2021 10:00:00 +0800", "<p>短讯</p>"),
        ]),
    );
    let site = Site::new(
        NOW,
        &format!(
            "{settings}code_space = \"xihai\"\n[[category]]\nname = \"西海都市报\"\naliases = [\"xhdsb\"]\n\
             [[source]]\nid = \"xihai\"\nurl = \"{}/xihai.xml\"\ncategory = \"西海都市报\"\n\
             [source.code]\nfrom = \"guid\"\n",
            upstream.base
        ),
    )
    .await;
    site.poll().await;
    let served = site.serve().await;
    (site, served, upstream)
}

/// Asserts that a response has the security headers.
fn assert_secured(answer: &Answer, what: &str) {
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}: {answer:?}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{what}: {policy}");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("script-src"), "{what}: {policy}");
}

fn outputs() -> Vec<(String, &'static str)> {
    let html = "text/html; charset=utf-8";
    let atom = "application/atom+xml; charset=utf-8";
    let rss = "application/rss+xml; charset=utf-8";
    let json = "application/feed+json; charset=utf-8";
    let css = "text/css; charset=utf-8";
    [
        ("/", html),
        ("/index.html", html),
        ("/category/", html),
        ("/category/xihaidushibao.html", html),
        ("/category/xihaidushibao/1.html", html),
        ("/xihaidushibao/2021/12/21/a1.html", html),
        ("/bot.html", html),
        ("/subscribe.html", html),
        ("/category/xihaidushibao.svg", "image/svg+xml"),
        ("/404.html", html),
        ("/feed.xml", atom),
        ("/rss.xml", rss),
        ("/feed.json", json),
        ("/feed/xihaidushibao.xml", atom),
        ("/feed/xihaidushibao.rss", rss),
        ("/feed/xihaidushibao.json", json),
        ("/opml.xml", "text/x-opml; charset=utf-8"),
        ("/assets/style.css", css),
        ("/assets/feed.css", css),
    ]
    .map(|(path, kind)| (path.to_owned(), kind))
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_output_has_its_type_and_headers() {
    let (site, served) = site().await;
    for (path, kind) in outputs() {
        let answer = get(served.at, &path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{path}");
        assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{path}");
        assert!(!answer.body.is_empty(), "{path}");
        assert_secured(&answer, &path);
        assert!(answer.header("cache-control").starts_with("public, max-age="), "{path}");
        assert_eq!(answer.header("vary"), "Accept-Encoding", "{path}");
        // Scripts of other sites may read feeds, not pages.
        let shared = if kind.starts_with("text/html") { "" } else { "*" };
        assert_eq!(answer.header("access-control-allow-origin"), shared, "{path}");
        let file = site.folder.path().join("public").join(path.trim_start_matches('/'));
        if file.is_file() {
            assert_eq!(answer.body, std::fs::read(file).unwrap(), "{path}");
        }
    }
    let article = get(served.at, &format!("/{ARTICLE}")).await.text();
    assert!(article.contains("数字金融赋能高质量发展。") && article.contains("青海湖"), "{article}");
    let page = get(served.at, "/category/xihaidushibao/1.html").await.text();
    assert!(page.contains("数字金融") && page.contains("青海湖"), "{page}");
    served.end().await;
}

/// Returns whether a path is a file: article pages and a category's history are rendered on request.
fn is_file(path: &str) -> bool {
    !path.contains("/2021/") && !path.ends_with("/1.html")
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_allows_all_and_names_the_sitemap_if_indexing_is_on() {
    for (settings, want) in [
        ("", "User-agent: *\nDisallow:\n".to_owned()),
        ("indexing = true\n", format!("User-agent: *\nDisallow:\nSitemap: {URL}sitemap.xml\n")),
    ] {
        let (site, served, _upstream) = site_with(settings).await;
        let answer = get(served.at, "/robots.txt").await;
        assert_eq!((answer.status, answer.text()), (200, want), "{settings}");
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        // A static file of the admin takes precedence.
        std::fs::write(site.folder.path().join("public/robots.txt"), "User-agent: *\nDisallow: /\n").unwrap();
        site.mill.pages.changed();
        assert!(get(served.at, "/robots.txt").await.text().ends_with("Disallow: /\n"));
        served.end().await;
    }
}

/// A shutdown responds to clients that connected before it, accepted or in the backlog. On one thread, so that
/// none is accepted while they connect.
#[tokio::test]
async fn a_shutdown_responds_to_the_backlog() {
    let (_site, served) = site().await;
    let mut clients = Vec::new();
    for _ in 0..50 {
        let mut stream = std::net::TcpStream::connect(served.at).unwrap();
        stream.write_all(b"GET /feed.xml HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        clients.push(stream);
    }
    served.end().await;
    for (number, mut stream) in clients.into_iter().enumerate() {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap_or_else(|error| panic!("client {number}: {error}"));
        assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\n"), "client {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn validators_lead_to_304() {
    let (_site, served) = site().await;
    for (path, _) in outputs() {
        let first = get(served.at, &path).await;
        let etag = first.header("etag").to_owned();
        assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 10, "{path}: {etag} is strong");
        let modified = first.header("last-modified").to_owned();
        let file = is_file(&path);
        assert_eq!(modified.ends_with(" GMT"), file, "{path}: pages made on request have only an ETag");
        let earlier = "Tue, 21 Dec 2021 00:00:00 GMT";
        let table = [
            (vec![("if-none-match", etag.clone())], 304),
            (vec![("if-none-match", format!("\"other\", {etag}"))], 304),
            (vec![("if-none-match", format!("W/{etag}"))], 304),
            (vec![("if-none-match", "*".to_owned())], 304),
            (vec![("if-none-match", "\"other\"".to_owned())], 200),
            (vec![("if-modified-since", modified.clone())], if file { 304 } else { 200 }),
            (vec![("if-modified-since", earlier.to_owned())], 200),
            (vec![("if-modified-since", "yesterday".to_owned())], 200),
            // `If-None-Match` takes precedence.
            (vec![("if-none-match", "\"other\"".to_owned()), ("if-modified-since", modified.clone())], 200),
            (vec![("if-none-match", etag.clone()), ("if-modified-since", earlier.to_owned())], 304),
        ];
        for (headers, status) in table {
            let sent: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let answer = ask(served.at, "GET", &path, &sent).await;
            assert_eq!(answer.status, status, "{path} {sent:?}");
            assert_eq!(answer.header("etag"), etag, "{path} {sent:?}");
            // A 304 with an ETag needs no `Last-Modified`.
            let sent_modified = if status == 304 { "" } else { &modified };
            assert_eq!(answer.header("last-modified"), sent_modified, "{path} {sent:?}");
            assert_eq!(answer.header("vary"), "Accept-Encoding", "{path} {sent:?}");
            assert_secured(&answer, &path);
            if status == 304 {
                assert!(answer.body.is_empty(), "{path} {sent:?}");
                assert_eq!(answer.header("content-type"), "", "{path} {sent:?}");
            } else {
                assert_eq!(answer.body, first.body, "{path} {sent:?}");
            }
        }
        let head = ask(served.at, "HEAD", &path, &[]).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        for name in ["etag", "last-modified", "content-type", "content-length", "cache-control", "vary"] {
            assert_eq!(head.header(name), first.header(name), "{path} {name}");
        }
        let unchanged = ask(served.at, "HEAD", &path, &[("if-none-match", &etag)]).await;
        assert_eq!(unchanged.status, 304, "{path}");
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_seen_by_the_next_request() {
    let (site, served, upstream) = site_and_upstream().await;
    let paths = [
        "/feed.xml",
        "/feed/xihaidushibao.rss",
        "/category/xihaidushibao.html",
        "/xihaidushibao/2021/12/21/a2.html",
    ];
    let mut before = Vec::new();
    for path in paths {
        before.push(get(served.at, path).await);
    }
    site.clock.set(Timestamp::from_unix(NOW + 7_200));
    let changed = [("a2", "青海湖：更正", "Tue, 21 Dec 2021 10:00:00 +0800", "<p>短讯</p>")];
    upstream.put("/xihai.xml", rss(&changed));
    site.poll().await;
    for (path, before) in paths.into_iter().zip(before) {
        let headers =
            [("if-none-match", before.header("etag")), ("if-modified-since", before.header("last-modified"))];
        let after = ask(served.at, "GET", path, &headers).await;
        assert_eq!(after.status, 200, "{path}");
        assert!(after.text().contains("青海湖：更正"), "{path}");
        assert_ne!(after.header("etag"), before.header("etag"), "{path}");
        let seen = if is_file(path) { "Tue, 21 Dec 2021 08:00:00 GMT" } else { "" };
        assert_eq!(after.header("last-modified"), seen, "{path}: when it was seen");
    }
    served.end().await;
}

/// A publish that runs during a reload uses the settings from before; the server with the new ones serves it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_after_a_reload_serves_what_was_published_before_it() {
    let (site, served, upstream) = site_and_upstream().await;
    let pages = &site.mill.pages;
    let reloaded = site.serve_as(Arc::new(pages.under(Arc::clone(&pages.options)).unwrap())).await;
    assert!(get(reloaded.at, "/feed.xml").await.text().contains("青海湖"));
    upstream.put("/xihai.xml", rss(&[("a2", "更正", "Tue, 21 Dec 2021 10:00:00 +0800", "<p>短讯</p>")]));
    site.clock.set(Timestamp::from_unix(NOW + 7_200));
    site.poll().await;
    assert!(get(reloaded.at, "/feed.xml").await.text().contains("更正"));
    reloaded.end().await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_is_another_representation_of_the_same_bytes() {
    let (_site, served) = site().await;
    let gzip = [("accept-encoding", "br;q=0.5, gzip;q=0.8")];
    for path in [
        "/",
        "/feed.xml",
        "/rss.xml",
        "/feed.json",
        "/feed/xihaidushibao.rss",
        "/assets/style.css",
        &format!("/{ARTICLE}"),
    ] {
        let plain = get(served.at, path).await;
        assert_eq!(plain.header("content-encoding"), "", "{path}: the request has no Accept-Encoding");
        let packed = ask(served.at, "GET", path, &gzip).await;
        assert_eq!((packed.status, packed.header("content-encoding")), (200, "gzip"), "{path}");
        assert_ne!(packed.header("etag"), plain.header("etag"), "{path}: a strong ETag is of one encoding");
        assert_eq!(packed.header("content-type"), plain.header("content-type"), "{path}");
        assert_eq!(packed.header("vary"), "Accept-Encoding", "{path}");
        assert_eq!(packed.header("content-length"), packed.body.len().to_string(), "{path}");
        assert!(packed.body.len() < plain.body.len(), "{path}");
        let mut bytes = Vec::new();
        GzDecoder::new(&packed.body[..]).read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, plain.body, "{path}");
        assert_eq!(ask(served.at, "GET", path, &gzip).await.body, packed.body, "{path}: compressed once");
        let tag = packed.header("etag").to_owned();
        let again = ask(served.at, "GET", path, &[gzip[0], ("if-none-match", &tag)]).await;
        assert_eq!((again.status, again.header("etag")), (304, tag.as_str()), "{path}");
    }
    let refused = ask(served.at, "GET", "/feed.xml", &[("accept-encoding", "gzip;q=0")]).await;
    assert_eq!(refused.header("content-encoding"), "");
    served.end().await;
}

/// Returns the path of the feed of a format.
type Canonical<'a> = dyn Fn(&str) -> String + 'a;

/// Names below the root or a category, and the format of the feed there.
const PROBED: [(&str, &str); 10] = [
    ("atom.xml", "xml"),
    ("index.xml", "xml"),
    ("feed.xml", "xml"),
    ("feed.atom", "xml"),
    ("feed/", "xml"),
    ("rss.xml", "rss"),
    ("rss/", "rss"),
    ("index.rss", "rss"),
    ("rss/feed.xml", "rss"),
    ("feed.json", "json"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_names_that_readers_probe_return_the_feed() {
    let (_site, served) = site().await;
    let below = |format: &str| format!("feed/{SLUG}.{format}");
    let root = |format: &str| match format {
        "rss" => "rss.xml".to_owned(),
        other => format!("feed.{other}"),
    };
    let places: [(String, &Canonical<'_>); 3] =
        [("/".to_owned(), &root), (format!("/category/{SLUG}/"), &below), (format!("/{SLUG}/"), &below)];
    for (prefix, canonical) in places {
        for (name, format) in PROBED {
            let path = format!("{prefix}{name}");
            let canonical = canonical(format);
            let real = get(served.at, &format!("/{canonical}")).await;
            let answer = get(served.at, &path).await;
            assert_eq!(answer.status, 200, "{path}");
            assert_eq!(answer.body, real.body, "{path}");
            for header in ["content-type", "etag", "last-modified"] {
                assert_eq!(answer.header(header), real.header(header), "{path} {header}");
            }
            let location =
                if path == format!("/{canonical}") { String::new() } else { format!("{URL}{canonical}") };
            assert_eq!(answer.header("content-location"), location, "{path}");
            let unchanged = ask(served.at, "GET", &path, &[("if-none-match", real.header("etag"))]).await;
            assert_eq!(unchanged.status, 304, "{path}");
        }
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_and_short_names_redirect() {
    let (_site, served) = site().await;
    let page = format!("{URL}category/{SLUG}.html");
    for (path, target) in [
        (format!("/{SLUG}"), page.clone()),
        (format!("/{SLUG}/"), page.clone()),
        (format!("/category/{SLUG}"), page.clone()),
        (format!("/category/{SLUG}/"), page.clone()),
        (format!("/feed/{SLUG}"), page.clone()),
        ("/xhdsb".to_owned(), page.clone()),
        ("/xhdsb/".to_owned(), page.clone()),
        ("/category/xhdsb".to_owned(), page.clone()),
        ("/category/xhdsb/".to_owned(), page.clone()),
        ("/category/xhdsb.html".to_owned(), page),
        ("/category/xhdsb/1.html".to_owned(), format!("{URL}category/{SLUG}/1.html")),
        ("/feed/xhdsb.xml".to_owned(), format!("{URL}feed/{SLUG}.xml")),
        ("/feed/xhdsb.rss".to_owned(), format!("{URL}feed/{SLUG}.rss")),
        ("/feed/xhdsb.json".to_owned(), format!("{URL}feed/{SLUG}.json")),
        ("/xhdsb/feed.xml".to_owned(), format!("{URL}{SLUG}/feed.xml")),
        ("/category/xhdsb/rss.xml".to_owned(), format!("{URL}category/{SLUG}/rss.xml")),
    ] {
        let answer = get(served.at, &path).await;
        assert_eq!((answer.status, answer.header("location")), (301, target.as_str()), "{path}");
        assert_secured(&answer, &path);
        // The target exists.
        let there = get(served.at, target.strip_prefix(URL.trim_end_matches('/')).unwrap()).await;
        assert_eq!(there.status, 200, "{path} leads to {target}");
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_pages() {
    let (_site, served) = site().await;
    for path in [
        "/nothing",
        "/nothing.html",
        "/nothing/feed.xml",
        "/feed/nothing.xml",
        "/category/nothing.html",
        "/category/nothing/",
        "/category/xihaidushibao/0.html",
        "/category/xihaidushibao/2.html",
        "/category/xihaidushibao/99999999999.html",
        "/xihaidushibao/2021/12/21/a9.html",
        "/xihaidushibao/2021/12/22/a1.html",
        "/feed",
        "/index",
        "/favicon.ico",
        "/%3Cscript%3Ealert(1)%3C/script%3E",
    ] {
        let answer = get(served.at, path).await;
        // `/feed` is one of the probed names.
        let status = if path == "/feed" { 200 } else { 404 };
        assert_eq!(answer.status, status, "{path}");
        assert_secured(&answer, path);
        if status == 404 {
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            assert_eq!(answer.header("etag"), "", "{path}");
            assert!(answer.text().contains("<html") && !answer.text().contains("<script>"), "{path}");
        }
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        for path in ["/", "/feed.xml", "/nothing"] {
            let answer = ask(served.at, method, path, &[("content-length", "0")]).await;
            assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"), "{method} {path}");
            assert_secured(&answer, path);
        }
    }
    let alive = get(served.at, "/healthz").await;
    assert_eq!((alive.status, alive.text().trim()), (200, "ok"));
    assert_secured(&alive, "/healthz");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_needs_no_script() {
    let (_site, served) = site().await;
    for (query, found) in [
        ("%E8%A5%BF%E6%B5%B7", true),
        ("XIHAI", true),
        ("xhd", true),
        ("zzz", false),
        ("%22%3E%3Cscript%3E", false),
    ] {
        let answer = get(served.at, &format!("/category/?q={query}")).await;
        assert_eq!(answer.status, 200, "{query}");
        let text = answer.text();
        assert_eq!(text.contains(">西海都市报</a>"), found, "{query}: {text}");
        assert!(text.contains("content=\"noindex\"") && !text.contains("<script"), "{query}");
        assert_secured(&answer, query);
    }
    let all = get(served.at, "/category/?q=").await;
    assert_eq!(all.body, get(served.at, "/category/").await.body, "an empty search lists all");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn selected_newspapers_become_an_opml_list() {
    let (_site, served) = site().await;
    let page = get(served.at, "/subscribe.html").await.text();
    assert!(
        page.contains("<form class=\"pick\" action=\"https://news.example.org/opml.xml\" method=\"get\">"),
        "{page}"
    );
    assert!(page.contains("<input type=\"checkbox\" name=\"feed\" value=\"xihaidushibao\">"), "{page}");
    let list = get(served.at, "/opml.xml?feed=xihaidushibao&feed=nothing").await;
    assert_eq!((list.status, list.header("content-type")), (200, "text/x-opml; charset=utf-8"));
    assert_eq!(list.header("content-disposition"), "attachment; filename=\"newspapers.opml\"");
    assert_eq!(list.text().matches("<outline").count(), 1);
    assert!(list.text().contains("xmlUrl=\"https://news.example.org/feed/xihaidushibao.xml\""));
    let none = get(served.at, "/opml.xml?feed=nothing").await;
    assert_eq!((none.status, none.text().matches("<outline").count()), (200, 0));
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_engines_index_nothing_unless_indexing_is_on() {
    let (_site, served) = site().await;
    let article = get(served.at, &format!("/{ARTICLE}")).await.text();
    assert!(article.contains("<meta name=\"robots\" content=\"noindex\">"), "{article}");
    assert!(article.contains("<link rel=\"canonical\" href=\"https://paper.example/a1\">"), "{article}");
    assert!(!article.contains("og:") && !article.contains("ld+json"), "{article}");
    assert_eq!(get(served.at, "/sitemap.xml").await.status, 404);
    assert_eq!(get(served.at, "/sitemap/2021-12.xml").await.status, 404);
    served.end().await;

    let (_site, served, _) = site_with("indexing = true\n").await;
    let article = get(served.at, &format!("/{ARTICLE}")).await.text();
    assert!(!article.contains("noindex") && article.contains("<meta property=\"og:title\""), "{article}");
    let data = article.split("<script type=\"application/ld+json\">").nth(1).unwrap();
    let data: serde_json::Value = serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
    assert_eq!((&data["@type"], &data["headline"]), (&"NewsArticle".into(), &"数字金融".into()));
    assert_eq!(data["datePublished"], "2021-12-21T13:55:07+08:00");
    assert_eq!(data["isBasedOn"], "https://paper.example/a1");
    let index = get(served.at, "/sitemap.xml").await;
    assert_eq!(index.header("content-type"), "application/xml; charset=utf-8");
    assert!(
        index.text().contains("<loc>https://news.example.org/sitemap/2021-12.xml</loc>"),
        "{}",
        index.text()
    );
    let month = get(served.at, "/sitemap/2021-12.xml").await.text();
    for page in ["", "category/", "category/xihaidushibao.html", ARTICLE] {
        assert!(month.contains(&format!("<loc>{URL}{page}</loc>")), "{page}: {month}");
    }
    assert_eq!(get(served.at, "/sitemap/2021-11.xml").await.status, 404);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_shown_linked_or_left_out() {
    for (settings, image, link) in
        [("", true, false), ("pictures = \"link\"\n", false, true), ("pictures = \"none\"\n", false, false)]
    {
        let (_site, served, _) = site_with(settings).await;
        let article = get(served.at, &format!("/{ARTICLE}")).await.text();
        assert_eq!(
            article.contains("<img src=\"https://paper.example/p.jpg\""),
            image,
            "{settings}: {article}"
        );
        assert_eq!(article.contains("href=\"https://paper.example/p.jpg\""), link, "{settings}: {article}");
        let list = get(served.at, "/").await.text();
        assert_eq!(list.contains("https://paper.example/p.jpg"), image, "{settings}");
        for feed in ["/feed.xml", "/rss.xml", "/feed.json"] {
            let feed = get(served.at, feed).await.text();
            assert_eq!(feed.contains("img src=") && feed.contains("p.jpg"), image, "{settings}: {feed}");
            assert_eq!(
                feed.contains("media:thumbnail") || feed.contains("\"image\""),
                image,
                "{settings}: {feed}"
            );
            assert_eq!(feed.contains("p.jpg"), image || link, "{settings}: {feed}");
        }
        served.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn brotli_is_preferred_and_is_the_same_bytes() {
    let (_site, served) = site().await;
    for path in ["/feed.xml", "/rss.xml", "/feed.json", "/assets/style.css", &format!("/{ARTICLE}")] {
        let plain = get(served.at, path).await;
        let packed = ask(served.at, "GET", path, &[("accept-encoding", "gzip, deflate, br")]).await;
        assert_eq!((packed.status, packed.header("content-encoding")), (200, "br"), "{path}");
        let mut bytes = Vec::new();
        brotli::BrotliDecompress(&mut &packed.body[..], &mut bytes).unwrap();
        assert_eq!(bytes, plain.body, "{path}");
        let gzip = ask(served.at, "GET", path, &[("accept-encoding", "gzip")]).await;
        let tags = [&plain, &gzip, &packed].map(|answer| answer.header("etag").to_owned());
        assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "{path}: {tags:?}");
        for tag in tags {
            let headers = [("accept-encoding", "br"), ("if-none-match", tag.as_str())];
            let same = ask(served.at, "GET", path, &headers).await;
            assert_eq!((same.status, same.header("etag")), (304, packed.header("etag")), "{path} {tag}");
        }
        let head = ask(served.at, "HEAD", path, &[("accept-encoding", "br")]).await;
        assert_eq!(head.header("content-length"), packed.body.len().to_string(), "{path}");
        assert_eq!(head.header("content-encoding"), "br", "{path}");
    }
    served.end().await;
}

/// Sends requests over one connection and returns the bytes of the responses, read in pieces of at most `piece`
/// bytes.
async fn send_all(at: SocketAddr, requests: &str, piece: usize) -> Vec<u8> {
    let socket = TcpSocket::new_v4().unwrap();
    // So small that the server waits for the client.
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(at).await.unwrap();
    stream.write_all(requests.as_bytes()).await.unwrap();
    let (mut all, mut buffer) = (Vec::new(), vec![0; piece]);
    loop {
        match stream.read(&mut buffer).await.unwrap() {
            0 => return all,
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
}

/// Splits the bytes of a connection into the heads and bodies of responses.
fn split_responses(mut bytes: &[u8], methods: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for method in methods {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a response has a head") + 4;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.filter(|_| *method == "GET").map_or(0, |length| length.parse().unwrap());
        let body = bytes
            .get(end..end + length)
            .unwrap_or_else(|| panic!("{method}: {} of {length}", bytes.len() - end));
        found.push((head, body.to_vec()));
        bytes = &bytes[end + length..];
    }
    assert!(bytes.is_empty(), "{} bytes too many", bytes.len());
    found
}

/// Large responses arrive whole and in order, whether a client reads slowly, pipelines requests or hangs up.
#[tokio::test(flavor = "multi_thread")]
async fn large_responses_arrive_whole() {
    let (site, served) = site().await;
    let mut text = String::new();
    for number in 0..200_000_u64 {
        write!(text, "<p>{}</p>", number * 7_919 % 1_000_003).unwrap();
    }
    std::fs::write(site.folder.path().join("public/feed/large.xml"), &text).unwrap();
    let gzip = [("accept-encoding", "gzip")];
    let packed = ask(served.at, "GET", "/feed/large.xml", &gzip).await.body;
    let tag = get(served.at, "/feed/large.xml").await.header("etag").to_owned();
    let request =
        |method: &str, more: &str| format!("{method} /feed/large.xml HTTP/1.1\r\nhost: a\r\n{more}\r\n");
    let known = format!("if-none-match: {tag}\r\n");
    let table = [
        ("GET", ""),
        ("GET", "accept-encoding: gzip\r\n"),
        ("HEAD", ""),
        ("GET", &known),
        ("GET", ""),
        ("GET", ""),
        ("GET", "accept-encoding: gzip\r\nconnection: close\r\n"),
    ];
    let methods = table.map(|(method, more)| if more == known { "304" } else { method });
    let all: String = table.iter().map(|(method, more)| request(method, more)).collect();
    for piece in [333, 40_000] {
        let got = split_responses(&send_all(served.at, &all, piece).await, &methods);
        for ((head, body), (method, more)) in got.iter().zip(table) {
            let (status, want) = match (method, more) {
                ("HEAD", _) => (200, &b""[..]),
                (_, "") => (200, text.as_bytes()),
                (_, more) if more == known => (304, &b""[..]),
                _ => (200, packed.as_slice()),
            };
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {more}: {head}");
            assert!(body == want, "{piece} {method} {more}: {} bytes of {}", body.len(), want.len());
        }
    }
    // A client that hangs up does not affect others.
    for taken in [1, 5_000, 300_000] {
        let mut stream = tokio::net::TcpStream::connect(served.at).await.unwrap();
        stream.write_all(request("GET", "").repeat(4).as_bytes()).await.unwrap();
        stream.read_exact(&mut vec![0; taken]).await.unwrap();
    }
    assert!(get(served.at, "/feed/large.xml").await.body == text.as_bytes());
    // A change replaces the cached response.
    std::fs::write(site.folder.path().join("public/feed/large.xml"), "<p>changed</p>").unwrap();
    site.mill.pages.changed();
    assert_eq!(get(served.at, "/feed/large.xml").await.text(), "<p>changed</p>");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cors_preflight_allows_validators() {
    let (_site, served) = site().await;
    let asked =
        [("access-control-request-method", "GET"), ("access-control-request-headers", "if-none-match")];
    let answer = ask(served.at, "OPTIONS", "/feed.xml", &asked).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, "*"));
    assert!(answer.header("access-control-allow-headers").contains("If-None-Match"));
    assert_secured(&answer, "preflight");
    let feed = get(served.at, "/feed.xml").await;
    assert_eq!(feed.header("access-control-expose-headers"), "ETag");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_refused() {
    let (_site, served) = site().await;
    for (what, head, status) in [
        ("no host", "GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("two hosts", "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n".to_owned(), 400),
        ("an old client", "GET / HTTP/1.0\r\n\r\n".to_owned(), 200),
        ("a head of 1 MB", format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(1 << 20)), 431),
        ("a thousand headers", format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: a\r\n".repeat(1_000)), 431),
        ("an absolute target", "GET http://b.example/ HTTP/1.1\r\nhost: b.example\r\n\r\n".to_owned(), 200),
    ] {
        let mut stream = tokio::net::TcpStream::connect(served.at).await.unwrap();
        // The server may close before it has read everything.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut begin = [0; 12];
        stream.read_exact(&mut begin).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(&begin[9..], status.to_string().as_bytes(), "{what}");
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_theme_replaces_parts_and_a_broken_one_is_refused_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let theme = folder.path().join("theme");
    std::fs::create_dir(&theme).unwrap();
    std::fs::write(theme.join("footer.html"), "<p>京ICP备00000000号</p>").unwrap();
    std::fs::write(theme.join("colors.css"), ":root { --link: #0a5c36; }").unwrap();
    std::fs::write(theme.join("logo.svg"), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").unwrap();
    let settings = format!("theme = \"{}\"\n", theme.display());
    let (_site, served, _) = site_with(&settings).await;
    let home = get(served.at, "/").await.text();
    assert!(home.contains("<p>京ICP备00000000号</p>"), "{home}");
    assert!(home.contains(&format!("<img src=\"{URL}assets/logo.svg\" alt=\"\"")), "{home}");
    assert!(get(served.at, "/assets/style.css").await.text().ends_with("--link: #0a5c36; }"));
    assert_eq!(get(served.at, "/assets/logo.svg").await.header("content-type"), "image/svg+xml");
    served.end().await;

    let main = folder.path().join("feedmill.toml");
    std::fs::write(&main, format!("[site]\n{settings}")).unwrap();
    assert!(feedmill::config::load(&main).config.is_some());
    std::fs::write(theme.join("footer.html"), "<p>\n{{ licence }}</p>").unwrap();
    let loaded = feedmill::config::load(&main);
    assert!(loaded.config.is_none());
    let told = loaded.faults.render(false);
    assert!(told.contains("theme/footer.html, line 2") && told.contains("feedmill.toml:2"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outside_the_outputs_is_served() {
    let (site, served) = site().await;
    std::fs::write(site.folder.path().join("secret.txt"), "do not tell").unwrap();
    let records = std::fs::read_dir(site.folder.path().join("public/.feedmill")).unwrap();
    let record = records.flatten().find(|entry| entry.path().is_file()).unwrap().file_name();
    let record = record.to_string_lossy().into_owned();
    for path in [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/..%2Fsecret.txt",
        "/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/.%2e/secret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/%252e%252e%252fsecret.txt",
        "/feed/../../secret.txt",
        "/feed/..%2f..%2fsecret.txt",
        "/category/..%2f..%2fsecret.txt",
        "/category/%2e%2e/feed.xml",
        "/xihaidushibao/..%2f..%2fsecret.txt",
        "/assets/..%2f..%2fstore/db",
        "/assets/./../../secret.txt",
        "/..%2f..%2fetc/passwd",
        "/..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "//etc/passwd",
        "///etc/passwd",
        "/%2fetc/passwd",
        "/%2f%2fetc%2fpasswd",
        "/etc/passwd",
        "/file:///etc/passwd",
        "/.feedmill/index.json",
        &format!("/.feedmill/{record}"),
        &format!("//.feedmill/{record}"),
        &format!("/%2efeedmill/{record}"),
        &format!("/feed/../.feedmill/{record}"),
        &format!("/./.feedmill/{record}"),
        "/.git/config",
        "/feed.xml%00.html",
        "/feed.xml%00",
        "/%ff%fe",
        "/feed",
    ] {
        let answer = get(served.at, path).await;
        if path == "/feed" {
            continue;
        }
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        assert!(!answer.text().contains("do not tell") && !answer.text().contains("root:"), "{path}");
        assert_secured(&answer, path);
    }
    // A very long path is refused, and the server goes on.
    assert_eq!(get(served.at, &format!("/{}", "a/".repeat(5_000))).await.status, 404);
    assert_eq!(get(served.at, "/feed.xml").await.status, 200);
    served.end().await;
}
