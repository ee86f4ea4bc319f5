//! How fast feeds are read, beside other readers of the same documents: one run, one thread,
//! CPU time.
//!
//! The documents are those of the conformance set's development half where that folder is there
//! (`FEEDMILL_FEEDS`, else beside the project); without it, made ones. Run with
//! `cargo bench --bench throughput`, with a peer's name for one row.
#![expect(clippy::print_stdout, reason = "a measurement prints its table")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

mod documents;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use feedmill::parse::{Context, parse_feed};
use quick_xml::events::Event;
use rustix::time::{ClockId, clock_gettime};
use url::Url;

/// How often each reader goes through all documents; the quickest round counts.
const ROUNDS: usize = 15;

/// One document with what came along with it.
struct Sample {
    bytes: Vec<u8>,
    base: Option<Url>,
    content_type: Option<String>,
}

impl Sample {
    fn context(&self) -> Context {
        Context { base: self.base.clone(), content_type: self.content_type.clone(), ..Context::default() }
    }

    /// The document as UTF-8 without a declaration: what readers without encodings need.
    fn text(&self) -> String {
        let (text, _) = feedmill::parse::encoding::decode(&self.bytes, self.content_type.as_deref(), None);
        let text = text.trim_start_matches(['\u{FEFF}', ' ', '\n', '\r', '\t']);
        match text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")) {
            Some((_, rest)) => rest.trim_start().to_owned(),
            None => text.to_owned(),
        }
    }
}

/// A reader, and the documents that it takes.
type Reader<'a> = (&'a str, Box<dyn Fn(&Text) -> bool>);

/// A sample in both forms.
struct Text {
    sample: Sample,
    utf8: String,
}

fn main() {
    let texts: Vec<Text> = samples()
        .into_iter()
        .map(|sample| {
            let utf8 = sample.text();
            Text { sample, utf8 }
        })
        .filter(|text| text.utf8.starts_with('<'))
        .collect();
    println!("{} XML documents, {} bytes", texts.len(), bytes(&texts.iter().collect::<Vec<_>>()));
    compare(&texts, "quick-xml, tokens only", Box::new(|text| tokens(&text.utf8)));
    compare(&texts, "feed-rs", Box::new(|text| feed_rs::parser::parse(text.sample.bytes.as_slice()).is_ok()));
    compare_sound(&texts);
}

fn feedmill(text: &Text) -> bool {
    black_box(parse_feed(&text.sample.bytes, &text.sample.context())).is_ok()
}

/// feedmill beside another reader, on the documents that both take.
fn compare(texts: &[Text], name: &str, other: Box<dyn Fn(&Text) -> bool>) {
    let both: Vec<&Text> = texts.iter().filter(|text| other(text) && feedmill(text)).collect();
    row(&both, (name, other));
}

/// feedmill beside the `rss` and `atom_syndication` crates, on what it gives them to read.
fn compare_sound(texts: &[Text]) {
    let of = |reader: &str| -> Vec<&Text> {
        let read = |text: &Text| parse_feed(&text.sample.bytes, &text.sample.context());
        texts.iter().filter(|text| read(text).is_ok_and(|document| document.reader == reader)).collect()
    };
    let (mut rss, mut atom) = (of("rss"), of("atom"));
    println!("the two crates serve {} of {} documents alone", rss.len() + atom.len(), texts.len());
    // By themselves they know no encodings: both get the same bytes.
    let channel = |text: &Text| rss::Channel::read_from(text.sample.bytes.as_slice()).is_ok();
    let feed = |text: &Text| atom_syndication::Feed::read_from(text.sample.bytes.as_slice()).is_ok();
    rss.retain(|text| channel(text));
    atom.retain(|text| feed(text));
    row(&rss, ("rss", Box::new(channel)));
    row(&atom, ("atom_syndication", Box::new(feed)));
}

/// Both take turns, so that a slow moment of the machine hits both.
fn row(texts: &[&Text], (name, other): Reader<'_>) {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if !wanted.is_empty() && !wanted.iter().any(|word| name.starts_with(word.as_str())) {
        return;
    }
    let (mut own, mut its) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        own = own.min(cpu(|| texts.iter().filter(|text| black_box(feedmill(text))).count()));
        its = its.min(cpu(|| texts.iter().filter(|text| black_box(other(text))).count()));
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate of three digits")]
    let rate = |time: Duration| bytes(texts) as f64 / 1e6 / time.as_secs_f64();
    println!(
        "{name:24} {:4} documents: {:7.1} MB/s, feedmill {:7.1} MB/s, ratio {:.2}",
        texts.len(),
        rate(its),
        rate(own),
        rate(own) / rate(its)
    );
}

fn tokens(text: &str) -> bool {
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return true,
            Ok(event) => drop(black_box(event)),
            Err(_) => return false,
        }
    }
}

fn bytes(texts: &[&Text]) -> usize {
    texts.iter().map(|text| text.sample.bytes.len()).sum()
}

/// CPU time of this thread.
fn cpu(work: impl FnOnce() -> usize) -> Duration {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.try_into().unwrap())
    };
    let begun = now();
    black_box(work());
    now().saturating_sub(begun)
}

fn samples() -> Vec<Sample> {
    let folder = std::env::var_os("FEEDMILL_FEEDS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/measure/parse"), PathBuf::from);
    let Ok(manifest) = std::fs::read(folder.join("manifest.json")) else {
        println!("no documents in {}: made ones are read", folder.display());
        return made();
    };
    let manifest: Vec<serde_json::Value> = serde_json::from_slice(&manifest).unwrap();
    let text = |entry: &serde_json::Value, key: &str| entry[key].as_str().map(str::to_owned);
    manifest
        .iter()
        .filter(|entry| entry["set"] == "real" && entry["half"] == "dev")
        .map(|entry| Sample {
            bytes: std::fs::read(folder.join(entry["path"].as_str().unwrap())).unwrap(),
            base: text(entry, "url").and_then(|url| Url::parse(&url).ok()),
            content_type: text(entry, "content_type"),
        })
        .collect()
}

fn made() -> Vec<Sample> {
    [documents::rss(), documents::atom(), documents::broken()]
        .into_iter()
        .map(|text| Sample { bytes: text.into_bytes(), base: None, content_type: None })
        .collect()
}
