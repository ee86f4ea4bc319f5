//! Servers that mean something else than they say, and those that cannot be asked.

use super::*;

/// Checks 412 where a condition is sent, 203, and bodies of white space only.
#[tokio::test]
async fn odd_answers_to_conditions() {
    let conditional = |server: &Server| {
        let mut request = server.request("/");
        request.validators = Validators { etag: Some("\"v1\"".to_owned()), ..Validators::default() };
        request
    };
    let picky = |head: &str| {
        if head.to_lowercase().contains("if-none-match") {
            message("412 Precondition Failed", b"")
        } else {
            message("200 OK", FEED.as_bytes())
        }
    };
    let server = Server::start(picky).await;
    assert_eq!(body(&conditional(&server)).await.body, FEED);
    assert_eq!(server.heads().len(), 2);
    let server = Server::fixed("412 Precondition Failed", "").await;
    assert_eq!(kind(&conditional(&server)).await, "http_status");
    let server = Server::fixed("203 Non-Authoritative Information", FEED).await;
    assert_eq!(body(&server.request("/")).await.body, FEED);
    let server = Server::fixed("200 OK", " \n").await;
    match fetch(&conditional(&server)).await.unwrap() {
        Response::NotModified(unmodified) => assert_eq!(unmodified.by, Unchanged::Empty),
        Response::Fetched(_) => panic!("a document"),
    }
    assert_eq!(body(&server.request("/")).await.body, " \n", "unasked it is no 304");
}

#[tokio::test]
async fn robots_txt_holds_for_targets_of_redirects() {
    let forbids = |head: &str| {
        if head.starts_with("GET /robots.txt") {
            message("200 OK", b"User-agent: *\nDisallow: /private/\n")
        } else {
            message("200 OK", FEED.as_bytes())
        }
    };
    let there = Server::start(forbids).await;
    let to = |path: &str| format!("302 Found|Location: {}{path}", there.base);
    for (path, expected) in [("/private/1", "robots"), ("/open/1", "ok")] {
        let head = to(path);
        let leads = move |asked: &str| {
            if asked.starts_with("GET /robots.txt") {
                message("404 Not Found", b"")
            } else {
                message(&head, b"")
            }
        };
        let here = Server::start(leads).await;
        let mut request = here.request("/");
        request.robots = true;
        assert_eq!(kind(&request).await, expected, "{path}");
    }
    assert!(there.heads().iter().all(|head| !head.starts_with("GET /private")));
}

/// Checks the cause that is reported when robots.txt cannot be fetched from an unreachable host.
#[tokio::test]
async fn without_robots_txt_the_cause_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}/page", listener.local_addr().unwrap());
    drop(listener);
    let server = Server::fixed("503 Service Unavailable", "").await;
    let down = format!("{}/page", server.base);
    for (address, expected, word) in [
        (closed.as_str(), "connect", "refused"),
        (down.as_str(), "http_status", "503"),
        ("http://169.254.0.1/page", "blocked", "169.254.0.1"),
        ("http://no-such-host.invalid/page", "dns", "cannot be resolved"),
    ] {
        let mut request = Request::get(Url::parse(address).unwrap());
        request.robots = true;
        let fetcher = Fetcher::new(options()).unwrap();
        for _ in 0..2 {
            let error = fetcher.get(&request, now()).await.unwrap_err();
            assert_eq!(error.kind(), expected, "{address}");
            let told = crate::model::chain(&error);
            assert!(told.contains(word) && !told.contains("does not want"), "{told}");
        }
    }
}
