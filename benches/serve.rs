//! CPU time of a response: a 304, brotli, gzip and identity from the response cache, and a 404, which is not
//! cached. The responses are made as for a connection; writing them to a socket is not measured.

use std::hint::black_box;
use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{Request, Response, StatusCode};
use criterion::{Criterion, criterion_group, criterion_main};
use feedmill::clock::ManualClock;
use feedmill::config;
use feedmill::daemon::Mill;
use feedmill::model::Timestamp;
use feedmill::publish::PublishScope;
use feedmill::serve::Server;
use feedmill::store::OnDamage;
use tokio::runtime::Runtime;

/// Bytes of the feed.
const BYTES: usize = 155_000;

/// A site with one large file of the kind that a feed is.
async fn site(folder: &std::path::Path) -> Server {
    let main = "[store]\npath = \"store\"\ncache = \"8MiB\"\nballast = \"0B\"\n[output]\npath = \"public\"\n\
                [control]\nsocket = \"control.sock\"\n[site]\nurl = \"https://news.example.org/\"\n";
    std::fs::write(folder.join("feedmill.toml"), main).expect("the config can be written");
    let settings = config::load(&folder.join("feedmill.toml")).config.expect("the config has no faults");
    let clock = ManualClock::at(Timestamp::from_unix(1_640_066_400));
    let mill = Mill::open(settings, Arc::new(clock), OnDamage::BeginAnew).await.expect("the store opens");
    mill.publish(PublishScope::Whole, |_, _| {}).await.expect("an empty site is published");
    let sentence =
        |n: usize| format!("<p>记者从市发展改革委获悉，第{n}个项目已于{}日开工建设。</p>\n", n % 28 + 1);
    let text: String = (0..).map(sentence).take(BYTES / 90).collect();
    std::fs::create_dir_all(folder.join("public/feed")).expect("a folder can be made");
    std::fs::write(folder.join("public/feed/paper.xml"), text).expect("a feed can be written");
    Server::new(
        Arc::clone(&mill.pages),
        mill.store.clone(),
        mill.config.serve.clone(),
        Arc::clone(&mill.traffic),
    )
}

fn request(headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::get("/feed/paper.xml").header("host", "news.example.org");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("it is a request").into_parts().0
}

fn serve(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime starts");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let server = runtime.block_on(site(folder.path()));
    let ask = |request: &Parts| -> Response<_> { runtime.block_on(server.respond(request)) };
    let plain = ask(&request(&[]));
    assert_eq!(plain.status(), StatusCode::OK, "the feed is there");
    let tag = plain.headers()["etag"].to_str().expect("a tag is text").to_owned();
    for (name, headers, status) in [
        ("304", vec![("if-none-match", tag.as_str()), ("accept-encoding", "gzip, br")], 304),
        ("br", vec![("accept-encoding", "gzip, br")], 200),
        ("gzip", vec![("accept-encoding", "gzip")], 200),
        ("identity", vec![], 200),
    ] {
        let request = request(&headers);
        assert_eq!(ask(&request).status(), status, "{name}");
        c.bench_function(&format!("serve/{name}"), |b| b.iter(|| ask(black_box(&request))));
    }
    // A 404 is looked up on the disk and in the store each time.
    let mut lost = request(&[]);
    lost.uri = "/feed/nothing.xml".parse().expect("it is a path");
    c.bench_function("serve/404", |b| b.iter(|| ask(black_box(&lost))));
}

criterion_group!(benches, serve);
criterion_main!(benches);
