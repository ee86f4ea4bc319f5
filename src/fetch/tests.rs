//! The fetcher against servers that behave well or badly, all on loopback.

mod odd_servers;

use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;
use url::Url;

use super::address_filter::AddressFilter;
use super::clients::Clients;
use super::*;
use crate::model::http::{Fetched, Unchanged, Validators};

const FEED: &str = "<rss><channel><title>t</title></channel></rss>";

/// A server that writes the result of `answer` for each request head, and closes.
struct Server {
    base: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", answer).await
    }

    async fn start_at(address: &str, answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&heads), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(socket.read_u8().await?);
                    }
                    let head = String::from_utf8(head).unwrap();
                    let bytes = answer(&head);
                    seen.lock().unwrap().push(head);
                    socket.write_all(&bytes).await?;
                    // Lets the client read everything before a reset.
                    socket.shutdown().await?;
                    tokio::time::timeout(Duration::from_secs(5), socket.read_u8()).await.ok();
                    std::io::Result::Ok(())
                });
            }
        });
        Self { base, heads }
    }

    async fn fixed(head: &str, body: impl AsRef<[u8]>) -> Self {
        let bytes = message(head, body.as_ref());
        Self::start(move |_| bytes.clone()).await
    }

    fn request(&self, path: &str) -> Request {
        Request::get(Url::parse(&format!("{}{path}", self.base)).unwrap())
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Builds an answer from status and headers, separated by `|`; adds the length unless the framing is given.
fn message(head: &str, body: &[u8]) -> Vec<u8> {
    let framed =
        head.to_lowercase().contains("content-length") || head.contains("chunked") || head.contains('~');
    let length = if framed { String::new() } else { format!("|Content-Length: {}", body.len()) };
    let head = format!("HTTP/1.1 {}{length}|Connection: close||", head.replace('~', ""));
    [head.replace('|', "\r\n").as_bytes(), body].concat()
}

fn options() -> FetchOptions {
    FetchOptions {
        timeout: Duration::from_secs(5),
        max_body: 64 * 1024,
        host_spacing: Duration::ZERO,
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        ..FetchOptions::default()
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix(1_795_478_400)
}

async fn fetch(request: &Request) -> Result<Response, FetchError> {
    Fetcher::new(options()).unwrap().get(request, now()).await
}

async fn body(request: &Request) -> Fetched {
    match fetch(request).await.unwrap() {
        Response::Fetched(fetched) => fetched,
        Response::NotModified(_) => panic!("304"),
    }
}

async fn kind(request: &Request) -> &'static str {
    fetch(request).await.map_or_else(|error| error.kind(), |_| "ok")
}

#[tokio::test]
async fn a_good_answer() {
    let head = "200 OK|Content-Type: application/rss+xml|ETag: W/\"a\"|Last-Modified: then|Cache-Control: max-age=60";
    let server = Server::fixed(head, FEED).await;
    let mut request = server.request("/feed?x=1#part");
    request.headers = vec![("X-Key".to_owned(), "1".to_owned()), ("Accept".to_owned(), "text/x".to_owned())];
    let fetched = body(&request).await;
    assert_eq!(fetched.body, FEED);
    assert_eq!(fetched.url.as_str(), format!("{}/feed?x=1", server.base));
    assert_eq!(fetched.content_type.as_deref(), Some("application/rss+xml"));
    assert_eq!(fetched.validators.etag.as_deref(), Some("W/\"a\""));
    assert_eq!(fetched.validators.last_modified.as_deref(), Some("then"));
    assert_eq!(fetched.freshness.until, Some(now().plus(60)));
    let head = server.heads().remove(0).to_lowercase();
    for line in
        ["get /feed?x=1 http/1.1", "x-key: 1", "accept: text/x", "user-agent: feedmill/", "accept-encoding: "]
    {
        assert!(head.contains(line), "{line} in {head}");
    }
    assert!(!head.contains("if-none-match"));
}

#[tokio::test]
async fn validators_come_back_as_stored() {
    let server = Server::start(|head| {
        let known =
            head.contains("if-none-match: W/\"odd,\"\r\n") && head.contains("if-modified-since: then\r\n");
        message(if known { "304 Not Modified~|Cache-Control: max-age=60" } else { "200 OK" }, b"")
    })
    .await;
    let mut request = server.request("/");
    request.validators =
        Validators { etag: Some("W/\"odd,\"".to_owned()), last_modified: Some("then".to_owned()) };
    match fetch(&request).await.unwrap() {
        Response::NotModified(unmodified) => assert_eq!(unmodified.freshness.until, Some(now().plus(60))),
        Response::Fetched(_) => panic!("200"),
    }
}

#[tokio::test]
async fn an_unasked_304_is_an_error() {
    let server = Server::fixed("304 Not Modified~", "").await;
    let error = fetch(&server.request("/")).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), ("http_status", Some(304)));
}

#[tokio::test]
async fn statuses() {
    for (head, kind, transient, wait) in [
        ("404 Not Found|Retry-After: 9", "http_status", false, None),
        ("410 Gone", "gone", false, None),
        ("401 Unauthorized", "http_status", false, None),
        ("429 Too Many|Retry-After: 30", "http_status", true, Some(30)),
        ("429 Too Many|Retry-After: Tue, 24 Nov 2026 00:01:00 GMT", "http_status", true, Some(60)),
        ("503 Unavailable|Retry-After: 999999999999", "http_status", true, Some(86400)),
        ("503 Unavailable|Retry-After: -5", "http_status", true, None),
        ("500 Oops|Retry-After: 9", "http_status", true, None),
        ("204 No Content~", "not_a_feed", false, None),
        ("206 Partial", "http_status", false, None),
        ("305 Use Proxy|Location: http://127.0.0.1:1/", "http_status", false, None),
        ("999 Denied", "http_status", false, None),
    ] {
        let server = Server::fixed(head, if head.contains('~') { "" } else { FEED }).await;
        let error = fetch(&server.request("/secret?key=1")).await.unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (kind, transient), "{head}");
        assert_eq!(error.retry_after().map(|until| until.since(now())), wait, "{head}");
        let text = error.to_string();
        assert!(text.contains(head.split(' ').next().unwrap()) && !text.contains("secret"), "{text}");
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn codings() {
    let packed = gzip(FEED.as_bytes());
    let zstd = zstd::encode_all(FEED.as_bytes(), 3).unwrap();
    let mut wrong = packed.clone();
    let sum = wrong.len() - 6;
    wrong[sum] ^= 0xff;
    for (coding, bytes, expected) in [
        ("gzip", packed.as_slice(), "ok"),
        ("zstd", zstd.as_slice(), "ok"),
        ("identity", FEED.as_bytes(), "ok"),
        // Text that is called coded is text.
        ("gzip", FEED.as_bytes(), "ok"),
        ("gzip", wrong.as_slice(), "decode"),
        ("gzip", &packed[..packed.len() / 2], "truncated"),
        ("gzip, gzip", packed.as_slice(), "decode"),
        ("x-odd", FEED.as_bytes(), "ok"),
        ("x-odd", zstd.as_slice(), "decode"),
    ] {
        let server = Server::fixed(&format!("200 OK|Content-Encoding: {coding}"), bytes).await;
        assert_eq!(kind(&server.request("/")).await, expected, "{coding}");
        if expected == "ok" {
            assert_eq!(body(&server.request("/")).await.body, FEED, "{coding}");
        }
    }
}

#[tokio::test]
async fn bodies_stop_at_the_cap() {
    let exact = vec![b'x'; 64 * 1024];
    let over = vec![b'x'; 64 * 1024 + 1];
    let bomb = zstd::encode_all(&*vec![0; 64 << 20], 3).unwrap();
    let gzip_bomb = gzip(&vec![b' '; 64 << 20]);
    for (head, bytes, expected) in [
        ("200 OK", &exact, "ok"),
        ("200 OK", &over, "too_large"),
        ("200 OK~", &over, "too_large"),
        ("200 OK|Content-Length: 1099511627776", &Vec::new(), "too_large"),
        ("200 OK|Content-Encoding: zstd", &bomb, "too_large"),
        ("200 OK|Content-Encoding: gzip", &gzip_bomb, "too_large"),
    ] {
        let server = Server::fixed(head, bytes).await;
        assert_eq!(kind(&server.request("/")).await, expected, "{head}");
    }
}

#[tokio::test]
async fn early_ends_and_nonsense() {
    for (head, bytes, expected) in [
        ("200 OK|Content-Length: 500", FEED, "truncated"),
        ("200 OK|Transfer-Encoding: chunked", "5\r\nabcde\r\n", "truncated"),
        ("200 OK|Transfer-Encoding: chunked", "5\r\nabcde\r\n0\r\n\r\n", "ok"),
        ("200 OK|Transfer-Encoding: chunked", "ZZZ\r\nabc\r\n", "http"),
        ("200 OK|Content-Length: -1", FEED, "http"),
        ("200 OK|Content-Length: 5|Content-Length: 6", FEED, "http"),
        ("000 x", FEED, "http"),
    ] {
        let server = Server::fixed(head, bytes).await;
        assert_eq!(kind(&server.request("/")).await, expected, "{head} {bytes}");
    }
    let cookies = "|Set-Cookie: a=1".repeat(100);
    assert_eq!(kind(&Server::fixed(&format!("200 OK{cookies}"), FEED).await.request("/")).await, "ok");
    let flood = "|X: 1".repeat(10_000);
    assert_eq!(kind(&Server::fixed(&format!("200 OK{flood}"), FEED).await.request("/")).await, "http");
    for (bytes, expected) in [("", "connect"), ("SSH-2.0-x\r\n", "http"), ("<rss></rss>", "http")] {
        let server = Server::start(move |_| bytes.as_bytes().to_vec()).await;
        let error = fetch(&server.request("/")).await.unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (expected, expected == "connect"), "{bytes}");
    }
}

/// Checks that bytes a server sends unasked are not used as the answer to another request.
#[tokio::test]
async fn a_stray_answer_is_never_used() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                assert!(socket.read(&mut [0; 4096]).await.unwrap() > 0);
                socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood").await.unwrap();
                tokio::time::sleep(Duration::from_millis(50)).await;
                socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil").await.ok();
                tokio::time::sleep(Duration::from_secs(2)).await;
            });
        }
    });
    let fetcher = Fetcher::new(options()).unwrap();
    let request = Request::get(Url::parse(&base).unwrap());
    for _ in 0..3 {
        match fetcher.get(&request, now()).await.unwrap() {
            Response::Fetched(answer) => assert_eq!(answer.body, "good"),
            Response::NotModified(_) => panic!("304"),
        }
    }
}

#[tokio::test]
async fn a_slow_body_meets_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        assert!(socket.read(&mut [0; 4096]).await.unwrap() > 0);
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await.unwrap();
        // Never idle: only a deadline for the whole request ends this.
        while socket.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let fetcher = Fetcher::new(FetchOptions { timeout: Duration::from_millis(200), ..options() }).unwrap();
    let start = Instant::now();
    let request = Request::get(Url::parse(&format!("http://{address}/")).unwrap());
    let error = fetcher.get(&request, now()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), ("timeout", true));
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn redirects_are_followed_and_bounded() {
    let server = Server::start(|head| {
        let path = head.split(' ').nth(1).unwrap();
        let number: u32 = path.trim_start_matches('/').parse().unwrap();
        if number == 0 {
            message("200 OK", FEED.as_bytes())
        } else {
            message(&format!("301 Moved|Location: {}", number - 1), b"")
        }
    })
    .await;
    let fetched = body(&server.request("/5")).await;
    assert_eq!((fetched.body, fetched.url.path()), (FEED.into(), "/0"));
    assert_eq!(kind(&server.request("/6")).await, "redirect");
    let circle = Server::fixed("302 Found|Location: /feed", "").await;
    assert_eq!(kind(&circle.request("/feed")).await, "redirect");
    assert_eq!(circle.heads().len(), 1);
    let missing = Server::fixed("302 Found", "").await;
    assert_eq!(kind(&missing.request("/")).await, "redirect");
}

#[tokio::test]
async fn every_hop_is_guarded() {
    let canary = Server::fixed("200 OK", FEED).await;
    let port = canary.base.rsplit(':').next().unwrap().to_owned();
    let only = |net: &str| FetchOptions { allow: vec![net.parse().unwrap()], ..options() };
    for host in [
        "127.0.0.1",
        "0x7f.1",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "localhost",
        "a.localhost",
        "0.0.0.0",
        "[fe80::1%25lo]",
    ] {
        let location = format!("http://{host}:{port}/");
        let answer = message(&format!("302 Found|Location: {location}"), b"");
        let server = Server::start_at("127.0.1.1:0", move |_| answer.clone()).await;
        let fetcher = Fetcher::new(only("127.0.1.1/32")).unwrap();
        let error = fetcher.get(&server.request("/"), now()).await.unwrap_err();
        assert_eq!(error.kind(), "blocked", "{host}: {error}");
    }
    assert!(canary.heads().is_empty(), "the canary was asked");
}

#[tokio::test]
async fn the_default_refuses_loopback() {
    let server = Server::fixed("200 OK", FEED).await;
    let fetcher = Fetcher::new(FetchOptions::default()).unwrap();
    let error = fetcher.get(&server.request("/"), now()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the address 127.0.0.1 is an inner address; list it under `fetch.allow` if that is meant"
    );
    assert!(server.heads().is_empty());
}

/// Checks the resolver: the name itself passes the filter, and only its address is refused.
#[tokio::test]
async fn the_resolver_is_guarded() {
    let server = Server::fixed("200 OK", FEED).await;
    let named = server.base.replace("127.0.0.1", "localhost");
    let request = Request::get(Url::parse(&named).unwrap());
    assert_eq!(body(&request).await.body, FEED);
    let guarded = Clients::new(options(), AddressFilter::new(&[])).unwrap().closing(&request.url).unwrap();
    let error = guarded.get(&named).send().await.unwrap_err();
    let error = cause::of_send(error, "localhost");
    assert!(
        matches!(&error, FetchError::Blocked(Blocked::Name { host, .. }) if host == "localhost"),
        "{error:?}"
    );
}

#[tokio::test]
async fn another_origin_sees_no_headers_of_ours() {
    let other =
        Server::start(|head| message(if head.contains("if-none-match") { "304 x~" } else { "200 OK" }, b""))
            .await;
    let location = format!("302 Found|Location: {}/feed", other.base);
    let server = Server::start(move |head| {
        message(if head.starts_with("GET /a ") { "302 Found|Location: /b" } else { &location }, b"")
    })
    .await;
    let mut request = server.request("/a");
    request.headers = vec![("Authorization".to_owned(), "Bearer s3cret".to_owned())];
    request.validators.etag = Some("\"1\"".to_owned());
    body(&request).await;
    for head in server.heads() {
        assert!(head.contains("s3cret") && head.contains("if-none-match"), "{head}");
    }
    assert_eq!(server.heads().len(), 2);
    let heads = other.heads();
    assert!(!heads[0].contains("s3cret") && !heads[0].contains("if-none-match"), "{heads:?}");
    assert!(!heads[0].to_lowercase().contains("referer"));
}

#[tokio::test]
async fn connections_that_fail() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let closed = Request::get(Url::parse(&format!("http://{address}/")).unwrap());
    assert_eq!(kind(&closed).await, "connect");
    let nowhere = Request::get(Url::parse("http://nowhere.invalid/").unwrap());
    assert_eq!(kind(&nowhere).await, "dns");
    for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", ""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut hello = [0; 4096];
            assert!(socket.read(&mut hello).await.unwrap() > 0);
            socket.write_all(answer.as_bytes()).await.unwrap();
        });
        let request = Request::get(Url::parse(&format!("https://{address}/")).unwrap());
        let error = fetch(&request).await.unwrap_err();
        assert_eq!(error.kind(), "tls", "{answer:?}: {error:?}");
    }
}

#[test]
fn options_that_cannot_be_sent() {
    let options = FetchOptions { user_agent: "a\nb".to_owned(), ..options() };
    assert_eq!(Fetcher::new(options).unwrap_err().kind(), "config");
}

/// Checks that fetches are `Send`, because the daemon spawns them.
#[test]
fn fetches_are_send() {
    fn is_send<T: Send>(_: &T) {}
    let fetcher = Fetcher::new(options()).unwrap();
    let request = Request::get(Url::parse("http://example.org/").unwrap());
    is_send(&fetcher.get(&request, now()));
    is_send(&fetcher);
}
