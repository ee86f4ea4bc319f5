//! What reading a feed costs, from its bytes to the neutral document, and cleaning one text.

mod documents;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use feedmill::parse::clean::Cleaner;
use feedmill::parse::{Context, date, parse_feed};

fn feeds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    let gbk = encoding_rs::GBK.encode(&documents::rss().replacen("UTF-8", "GBK", 1)).0.into_owned();
    for (name, document) in [
        ("rss", documents::rss().into_bytes()),
        ("rss in gbk", gbk),
        ("atom", documents::atom().into_bytes()),
        ("broken rss", documents::broken().into_bytes()),
    ] {
        group.throughput(Throughput::Bytes(document.len() as u64));
        group.bench_function(name, |bench| {
            bench.iter(|| parse_feed(black_box(&document), &Context::default()));
        });
    }
    group.finish();
}

fn text(criterion: &mut Criterion) {
    let (cleaner, html) = (Cleaner::default(), documents::html(1));
    let mut group = criterion.benchmark_group("clean");
    group.throughput(Throughput::Bytes(html.len() as u64));
    group.bench_function("article", |bench| bench.iter(|| cleaner.clean(black_box(&html), None)));
    group.finish();
    criterion.bench_function("date", |bench| {
        bench.iter(|| date::parse(black_box("Tue, 21 Dec 2021 13:55:07 +0800"), chrono_tz::Tz::UTC));
    });
    criterion.bench_function("date in words", |bench| {
        bench.iter(|| date::parse(black_box("mardi 4 mars 2025 10:20"), chrono_tz::Tz::UTC));
    });
}

criterion_group!(benches, feeds, text);
criterion_main!(benches);
