//! Slugs: the names of categories in addresses and on disk (RULES 5.2).

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::reading::read;

/// The longest slug, in bytes.
const MAX: usize = 60;

/// Slugs that would collide with the site's own paths.
pub const RESERVED: [&str; 13] = [
    "feed", "category", "archive", "index", "page", "static", "assets", "healthz", "readyz", "metrics",
    "rss", "atom", "opml",
];

/// A slug: 1 to 60 of `[a-z0-9-]`, not reserved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slug(String);

impl Slug {
    /// Creates a slug; `None` unless `text` is a valid one already.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let good = (1..=MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !RESERVED.contains(&text);
        good.then(|| Self(text.to_owned()))
    }

    /// Derives a slug from a name: NFKC, pinyin by phrase, lower case. A name that leaves nothing becomes
    /// `c-` and 8 hex digits of its hash.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let mut slug: String = read(name)
            .to_lowercase()
            .chars()
            .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')
            .take(MAX)
            .collect();
        slug.truncate(slug.trim_end_matches('-').len());
        let slug = slug.trim_start_matches('-');
        if slug.is_empty() {
            return Self(format!("c-{}", hash(name, 8)));
        }
        if RESERVED.contains(&slug) { Self(slug.to_owned()).distinct(name) } else { Self(slug.to_owned()) }
    }

    /// Returns the slug of the whole site; it is reserved, so that no category ever has it.
    #[must_use]
    pub fn site() -> Self {
        Self("index".to_owned())
    }

    /// Returns the slug of a later name that collides: this one with `-` and 4 hex digits of that name's hash.
    #[must_use]
    pub fn distinct(&self, name: &str) -> Self {
        let head: String = self.0.chars().take(MAX - 5).collect();
        Self(format!("{head}-{}", hash(name, 4)))
    }

    /// Returns the slug as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the initial under which an index lists a name: `A` to `Z`, or `#`.
#[must_use]
pub fn initial(slug: &Slug) -> char {
    slug.0.chars().next().filter(char::is_ascii_lowercase).map_or('#', |c| c.to_ascii_uppercase())
}

/// Returns the first letters of a name's pinyin, as people type them to find it: 西海都市报 → `xhdsb`.
#[must_use]
pub fn initials(name: &str) -> String {
    read(name).to_lowercase().split_whitespace().filter_map(|word| word.chars().next()).collect()
}

fn hash(name: &str, digits: usize) -> String {
    let mut hex = HEXLOWER.encode(&Sha256::digest(name.as_bytes()));
    hex.truncate(digits);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_the_slugs_people_expect() {
        for (name, slug) in [
            ("西海都市报", "xihaidushibao"),
            ("重庆日报", "chongqingribao"),
            ("厦门日报", "xiamenribao"),
            ("21世纪经济报道 21财经APP", "21shijijingjibaodao21caijingapp"),
            ("ＴｅｃｈＷｅｂ", "techweb"),
            ("旅游周报", "lvyouzhoubao"),
            ("-x-", "x"),
        ] {
            assert_eq!(Slug::from_name(name).as_str(), slug, "{name}");
        }
        assert!(Slug::from_name("！？").as_str().starts_with("c-"));
        assert_ne!(Slug::from_name("Feed").as_str(), "feed");
        assert_eq!(Slug::new("feed"), None);
        assert_eq!(Slug::new("a_b"), None);
        assert!(Slug::from_name(&"长".repeat(500)).as_str().len() <= MAX);
    }

    #[test]
    fn initials_follow_the_pinyin() {
        for (name, want) in [("西海都市报", "xhdsb"), ("重庆日报", "cqrb"), ("", "")] {
            assert_eq!(initials(name), want, "{name}");
        }
    }

    #[test]
    fn collisions_are_told_apart() {
        let one = Slug::from_name("日报");
        assert_ne!(one.distinct("甲"), one.distinct("乙"));
        assert_eq!(initial(&one), 'R');
        assert_eq!(initial(&Slug::from_name("21世纪")), '#');
    }
}
