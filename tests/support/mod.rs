//! What several promises need: a plain HTTP client, and an upstream on loopback.
//! Every test file that says `mod support` uses all of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An answer as it came over the wire.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One request, its path sent byte for byte: a client that knows addresses would tidy it up.
pub(crate) async fn ask(at: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}

pub(crate) async fn get(at: SocketAddr, path: &str) -> Answer {
    ask(at, "GET", path, &[]).await
}

type Shelf = Arc<Mutex<BTreeMap<String, String>>>;

/// A newspaper's server: answers what was put on its shelf, by path and query.
pub(crate) struct Upstream {
    pub(crate) base: String,
    shelf: Shelf,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        let shelf = Shelf::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(from_shelf).with_state(Arc::clone(&shelf));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, shelf }
    }

    pub(crate) fn put(&self, path: &str, body: impl Into<String>) {
        self.shelf.lock().unwrap().insert(path.to_owned(), body.into());
    }
}

async fn from_shelf(State(shelf): State<Shelf>, uri: Uri) -> Response {
    let wanted = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    match shelf.lock().unwrap().get(&wanted) {
        Some(body) if body.starts_with("<?xml") => {
            ([(header::CONTENT_TYPE, "application/rss+xml")], body.clone()).into_response()
        }
        Some(body) => ([(header::CONTENT_TYPE, "application/json")], body.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// An RSS document of items: (guid, title, date, HTML).
pub(crate) fn rss(items: &[(&str, &str, &str, &str)]) -> String {
    let mut listed = String::new();
    for (guid, title, date, html) in items {
        write!(
            listed,
            "<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title><pubDate>{date}</pubDate>\
             <link>https://paper.example/{guid}</link><description><![CDATA[{html}]]></description></item>"
        )
        .unwrap();
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\"><channel><title>Paper</title>\
         <link>https://paper.example/</link><description>d</description>{listed}</channel></rss>"
    )
}
