//! Made-up articles, in sizes and with a compressibility like those of newspapers: bodies are
//! log-normal around 4.2 KB, and their words follow Zipf's law.

use sha2::Digest;

use feedmill::model::{Body, CategoryId, CodeSpace, ContentHash, InfoCode, Item, SourceId, Timestamp};
use feedmill::store::{AliasKind, Change, Event, EventKind, Placement, Sighting};

/// Numbers that only look random: the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// In 0..1.
    #[expect(clippy::cast_precision_loss, reason = "chance needs no precision")]
    pub(crate) fn part(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Some thousand words of two and three signs.
const WORDS: u32 = 6_000;

fn word(rank: u32) -> String {
    let sign = |n: u32| char::from_u32(0x4E00 + n % 3_500).unwrap_or('文');
    let mut word = String::from_iter([sign(rank * 7 + 11), sign(rank * 131 + 5)]);
    if rank.is_multiple_of(3) {
        word.push(sign(rank * 17));
    }
    word
}

/// A text of about so many bytes.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranks are small and positive")]
fn text(dice: &mut Dice, bytes: usize) -> String {
    let mut html = String::with_capacity(bytes + 100);
    html.push_str("<p>");
    while html.len() < bytes {
        // Zipf: the r-th word comes with a chance of 1/r.
        let rank = (f64::from(WORDS).ln() * dice.part()).exp() as u32;
        html.push_str(&word(rank));
        match dice.roll() % 40 {
            0 => html.push_str("。</p><p>"),
            1..4 => html.push('，'),
            _ => {}
        }
    }
    html.push_str("。</p>");
    html
}

/// Bytes of a body: log-normal, median 4.2 KB.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn size(dice: &mut Dice) -> usize {
    let normal: f64 = (0..12).map(|_| dice.part()).sum::<f64>() - 6.0;
    (4_200.0 * (0.8 * normal).exp()).clamp(300.0, 60_000.0) as usize
}

/// The code of the `number`-th article.
pub(crate) fn code(number: u64) -> InfoCode {
    let space = CodeSpace::new("bench").expect("a good name");
    InfoCode::new(space, &format!("NW{:018}", 202_600_000_000_000_000 + number))
}

/// Which of 50 newspapers the `number`-th article is of: each tells of 30 at once.
fn newspaper(number: u64) -> u64 {
    number / 30 % 50
}

/// The source that lists the `number`-th article.
pub(crate) fn source(number: u64) -> SourceId {
    SourceId::new(&format!("source-{}", newspaper(number))).expect("a good id")
}

/// The `number`-th article as ingest would store it, in one of 50 categories.
pub(crate) fn change(number: u64) -> Change {
    let mut dice = Dice::new(number + 1);
    let at = Timestamp::from_unix(1_770_000_000 + i64::try_from(number).unwrap_or_default() * 30);
    let home = CategoryId(1 + u32::try_from(newspaper(number)).unwrap_or_default());
    let bytes = size(&mut dice);
    let html = text(&mut dice, bytes);
    let title: String = text(&mut dice, 70).chars().skip(3).take(24).collect();
    let hash = sha2::Sha256::digest(number.to_be_bytes())[..16].try_into().expect("half of it");
    let mut change = Change::of(code(number));
    let shown = |category| Placement { category, shown: true };
    change.enters = vec![shown(home), shown(CategoryId::SITE)];
    change.sighting = Some((
        source(number),
        Sighting {
            first: at,
            last: at,
            listed: ContentHash::of(&[("title", &title)]),
            guid: Some(hash),
            checks: 0,
            detail: None,
        },
    ));
    change.aliases =
        vec![(source(number), (AliasKind::Guid, hash)), (source(number), (AliasKind::Link, hash))];
    change.event = Some(Event {
        at,
        what: EventKind::Inserted,
        source: Some(source(number)),
        why: "not known yet".to_owned(),
        known_by: "code".to_owned(),
        answer: Some((at, 48_000)),
    });
    change.item = Some(Item {
        code: code(number),
        excerpt: html.chars().skip(3).take(120).collect(),
        title,
        link: Some(format!("https://paper.example/2026/{number}.html")),
        media_name: Some("河湾证券报".to_owned()),
        image: None,
        published: at,
        updated: at,
        first_seen: at,
        home,
        categories: vec![home],
        permalink: format!("c{}/2026/05/01/{}.html", home.0, code(number).file_name(None)),
        lead: source(number),
        rank: 1,
        revisions: 0,
        generation: 0,
        touched: 0,
        imported: false,
    });
    change.body = Some(Body { html, ..Body::default() });
    change
}
